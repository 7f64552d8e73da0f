"""Parquet files, which polars reads: those that may end it in a process of its own.

It ends the process where it gets no memory: because there is a limit, or because a
damaged file asks for more than any machine has.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO, NoReturn

import polars as pl

from thalweg.errors import DataError, FileError
from thalweg.tables import parquet_process
from thalweg.tables.parquet_pages import is_plainly_whole
from thalweg.tables.parquet_process import END, ERROR, LENGTH, PART, parts
from thalweg.tables.room import is_limited, require_room
from thalweg.tables.source import File
from thalweg.tables.system import require_no_limit

NO_MEMORY = re.compile(r"memory allocation of \d+ bytes failed")

KILLED = -getattr(signal, "SIGKILL", 0)
CRASHED = 0xC0000000
"""From here on, Windows' statuses are of processes that it ended."""

NOT_READ = (errno.EPIPE, errno.EINVAL)
"""What the system says of a pipe that nobody reads; the latter is Windows' word."""

COPIES = 3
"""How many times a message is in memory while a part is made of it."""


def parquet_parts(file: File, rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file's rows in their order, so many at a time, and one part at least.

    Raises:
        DataError: it isn't a whole Parquet file.
        MemoryError: a limit of memory leaves too little for it.
    """
    place = _place(file)
    if is_limited() or not _is_plainly_whole(place):
        yield from _parts_of_process(file, place, rows)
        return
    with _refusing(file.name):
        yield from parts(place, rows)


def _place(file: File) -> str | io.BytesIO:
    """Its path, or what is in it where polars can't go back and forth."""
    if file.path is None or file.packing:
        return io.BytesIO(file.content())
    return os.path.abspath(file.path)


def _is_plainly_whole(place: str | io.BytesIO) -> bool:
    if isinstance(place, io.BytesIO):
        whole = is_plainly_whole(place)
        place.seek(0)
        return whole
    with open(place, "rb") as file:
        return is_plainly_whole(file)


@contextmanager
def _refusing(name: str) -> Generator[None]:
    """What polars says of a file is an error that names it."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        require_no_limit(error)
        _refuse(name, str(error))


# In a process of its own --------------------------------------------------------------


def _parts_of_process(
    file: File, place: str | io.BytesIO, rows: int
) -> Iterator[pl.DataFrame]:
    require_room(0, f"reading {file.name}")
    with _reader(place, rows) as (process, complaints):
        _send(place, process)
        while True:
            kind, content = _message(process, file.name)
            if kind == PART:
                with _refusing(file.name):
                    part = pl.read_ipc_stream(io.BytesIO(content))
                yield part
            elif kind == ERROR:
                _refuse(file.name, content.decode())
            elif kind == END:
                return
            else:
                _explain(file.name, process.wait(), complaints)


@contextmanager
def _reader(
    place: str | io.BytesIO, rows: int
) -> Generator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The process that reads, which ends with the block; and what it complains of."""
    path = [place] if isinstance(place, str) else []
    command = [sys.executable, "-P", parquet_process.__file__, str(rows), *path]
    paths = os.pathsep.join(path for path in sys.path if path)
    # One arena, as `load_libraries` has it, since each reserves 64 MiB.
    arenas = {"MALLOC_ARENA_MAX": "1"} if is_limited() else {}
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, "PYTHONPATH": paths, **arenas},
        ) as process,
    ):
        try:
            yield process, complaints
        finally:
            process.kill()


def _send(place: str | io.BytesIO, process: subprocess.Popen[bytes]) -> None:
    """The bytes, where there is no path."""
    assert process.stdin is not None
    try:
        with process.stdin as pipe:
            if isinstance(place, io.BytesIO):
                pipe.write(place.getbuffer())
    except OSError as error:
        # One that has ended doesn't read; why, is seen where its answer is awaited.
        if error.errno not in NOT_READ:
            raise


def _message(process: subprocess.Popen[bytes], name: str) -> tuple[bytes, bytes]:
    """The next message; one without a kind if the process has ended."""
    assert process.stdout is not None
    head = process.stdout.read(1 + LENGTH)
    length = int.from_bytes(head[1:], "big")
    require_room(COPIES * length, f"reading {name}")
    content = process.stdout.read(length)
    whole = len(head) == 1 + LENGTH and len(content) == length
    return (head[:1], content) if whole else (b"", b"")


def _explain(name: str, status: int, complaints: IO[bytes]) -> NoReturn:
    """Say why the process has ended.

    Raises:
        MemoryError, DataError, FileError: whatever it was.
    """
    complaints.seek(0)
    said = complaints.read().decode(errors="replace")
    if is_limited() or status == KILLED < 0:
        raise MemoryError(f"reading {name} takes more memory than there is")
    if status < 0 or status >= CRASHED:
        found = NO_MEMORY.search(said)
        _refuse(name, found[0] if found else ending(status))
    reason = (said.splitlines() or [f"status {status}"])[-1]
    raise FileError(f"{name}: can't be read: the process for it failed: {reason}")


def ending(status: int) -> str:
    """What ended a process, by its status.

    >>> ending(-11), ending(0xC0000005)
    ('Segmentation fault', 'status 0xc0000005')
    """
    if status > 0:
        return f"status {status:#x}"
    return signal.strsignal(-status) or str(status)


def _refuse(name: str, reasons: str) -> NoReturn:
    reason = (reasons.splitlines() or ["unreadable"])[0]
    raise DataError(f"{name}: must be a Parquet file, but isn't a whole one ({reason})")
