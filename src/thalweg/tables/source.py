"""A table's file, which can be read as often as it is needed, however it comes.

What comes through a pipe comes once, so it is kept in a temporary file; what is packed
is unpacked anew each time.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from thalweg.cached import cached_property
from thalweg.checks import nearest
from thalweg.errors import FileError
from thalweg.tables.packed import (
    PARQUET_START,
    START_BYTES,
    chunks_of,
    packing_of,
    require_table,
)

if TYPE_CHECKING:
    from _typeshed import HasFileno, WriteableBuffer

STANDARD_INPUT, STANDARD_INPUT_NAME = "-", "standard input"

CHUNK = 2**20
"""Bytes that are read at a time where nothing else asks for another number."""

PARQUET = ".parquet"

PACKED_SUFFIXES = (".gz", ".xz", ".zip", ".zst")
"""How names of packed files end; what a file is, its content says."""

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+", re.IGNORECASE)
"""How an address starts, also one that became a path, and so lost a slash."""

DOWNLOADED = ("http", "https", "ftp")
"""How addresses start that any downloader understands."""

DESCRIPTORS = re.compile(r"/dev/(stdin|fd/\d+)|/proc/\w+/fd/\d+")
"""Paths that are an open file of this process, and no names."""


@dataclass(frozen=True)
class File:
    """A table's file, which can be read again from its start.

    Arguments:
        name: what messages call it.
        place: its path; or what came through a pipe.
    """

    name: str
    place: Path | Kept

    @property
    def path(self) -> Path | None:
        """Where it is, unless it came through a pipe."""
        return self.place if isinstance(self.place, Path) else None

    @property
    def shown(self) -> str:
        """What errors of the operating system call it."""
        return self.name if self.path is None else str(self.path)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of its bytes as they are, packed or not, in hexadecimal."""
        if isinstance(self.place, Kept):
            return self.place.sha256
        with readable(self.place), self.place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def packing(self) -> str:
        """What packs it, by its first bytes; nothing if nothing does."""
        with self._opened() as file:
            return packing_of(file.read(START_BYTES))

    @cached_property
    def start(self) -> bytes:
        """What is in it, as far as that tells what it is."""
        return next(self.chunks(START_BYTES), b"")

    @property
    def is_parquet(self) -> bool:
        """Whether its content, or a name without that of a packing, says so."""
        named = self.path is not None and self.path.suffix.lower() == PARQUET
        return (named and not self.packing) or self.start.startswith(PARQUET_START)

    def require_text(self) -> None:
        """It isn't known to be something else than text.

        Raises:
            DataError: it is; the message says what, and what to do.
        """
        require_table(self.start, self.name)

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """What is in it, unpacked, so many bytes at a time.

        Raises:
            DataError: what is packed isn't whole, or is more than may be.
        """
        with self._opened() as file:
            if not self.packing:
                yield from iter(partial(file.read, size), b"")
                return
            packed = file.seek(0, os.SEEK_END)
            file.seek(0)
            yield from chunks_of(file, size, self.packing, packed, self.name)

    def content(self) -> bytes:
        """All that is in it, unpacked."""
        if self.path is not None and not self.packing:
            return self.path.read_bytes()
        return b"".join(self.chunks())

    def _opened(self) -> BinaryIO:
        place = self.place
        return place.open("rb") if isinstance(place, Path) else place.open()


def file_of(source: str | os.PathLike[str]) -> File:
    """The file of a path; ``-`` is standard input, which is read at once.

    Raises:
        FileError: there is no such file, or it can't be read.
    """
    text = os.fspath(source)
    name, path = name_of(text), Path(text)
    if text == STANDARD_INPUT:
        pipe = cast("BinaryIO | None", getattr(sys.stdin, "buffer", None))
        if pipe is None:
            raise FileError(f"{name}: can't be read, as there is none")
        let_ctrl_c_interrupt()
        with readable(name):
            return File(name, Kept(pipe, name))
    check_file(path)
    with readable(path):
        if path.is_file() and not is_descriptor(text):
            return File(name, path)
        let_ctrl_c_interrupt()
        with path.open("rb") as pipe:
            return File(name, Kept(pipe, name))


def name_of(source: str | os.PathLike[str]) -> str:
    """What messages call a file.

    >>> name_of("tables/iris.csv"), name_of("-"), name_of("/dev/fd/63")
    ('iris.csv', 'standard input', '/dev/fd/63')
    """
    text = os.fspath(source)
    if text in (STANDARD_INPUT, "/dev/stdin"):
        return STANDARD_INPUT_NAME
    return text if is_descriptor(text) else Path(text).name


def stem_of(source: str | os.PathLike[str]) -> str:
    """A file's name without what says how it's written.

    >>> stem_of("tables/iris.csv.gz"), stem_of("iris.csv")
    ('iris', 'iris')
    """
    path = Path(source)
    packed = path.suffix.lower() in PACKED_SUFFIXES
    return Path(path.stem).stem if packed else path.stem


def is_descriptor(source: str | os.PathLike[str]) -> bool:
    """Whether it's an open file of this process, such as ``-``, and has no name.

    Opened once more, it goes on where it stands on some systems.
    """
    text = os.fspath(source)
    return text == STANDARD_INPUT or DESCRIPTORS.fullmatch(text) is not None


@contextmanager
def readable(path: Path | str) -> Generator[None]:
    """What the operating system refuses is an error that names the file."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path}: can't be read: {error.strerror or error}") from None


def check_file(path: Path) -> None:
    """The path is that of a file or a pipe.

    Raises:
        FileError: it isn't; a file of a similar name is suggested.
    """
    try:
        if path.is_dir():
            raise FileError(f"{path}: must be a file, but is a folder")
        if not path.exists():
            _refuse_address(str(path))
            raise FileError(f"{path}: there is no such file{_nearest_file(path)}")
        if _is_device(path):
            raise FileError(f"{path}: must be a file or a pipe, but is a device")
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: can't be a file's name: {error}") from None


def _is_device(path: Path) -> bool:
    """Whether it's a device, which may give bytes for ever; a terminal ends."""
    mode = path.stat().st_mode
    if is_descriptor(path) or not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
        return False
    return not str(path).startswith(("/dev/tty", "/dev/pts/"))


def _refuse_address(text: str) -> None:
    """What has the form of an address is an error that says what to do."""
    found = ADDRESS.match(text)
    if found is None:
        return
    scheme, rest = found[1].lower(), text[found.end() :]
    address, advice = f"{scheme}://{rest}", "copy it here, and give that file"
    if scheme == "file":
        path = rest.removeprefix("localhost/")
        address, advice = f"file:///{path}", f"give the path alone, /{path}"
    elif scheme in DOWNLOADED:
        advice = "download it (curl -LO does), and give that file"
    raise FileError(
        f"{address}: must be the path of a file, but is an address; {advice}"
    )


def _nearest_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (nor a folder {str(path.parent)!r})"
    return nearest(path.name, sorted(other.name for other in path.parent.iterdir()))


# What comes through a pipe ------------------------------------------------------------


class Kept:
    """What came through a pipe, in a temporary file without a name.

    It goes with the process, however that ends.

    Arguments:
        pipe: where the bytes come from, until they end.
        name: for messages.

    Raises:
        FileError: the temporary file can't be written.
    """

    def __init__(self, pipe: BinaryIO, name: str) -> None:
        digest = hashlib.sha256()
        with _keeping(name):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this block)
        for chunk in iter(partial(pipe.read, CHUNK), b""):
            digest.update(chunk)
            with _keeping(name):
                self._file.write(chunk)
        with _keeping(name):
            self._file.flush()
        self.sha256 = digest.hexdigest()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def open(self) -> BinaryIO:
        """All of it, from its start; several may read side by side."""
        return io.BufferedReader(_Again(self._file))


class _Again(io.RawIOBase):
    """A file that others read too, each at a place of its own.

    The file's own place is never moved: a forked child has the same one. Windows, which
    has no forks, moves it for one reader after the other.
    """

    _moving = threading.Lock()

    def __init__(self, file: HasFileno) -> None:
        self._file = file
        self._at: int = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        chunk = self._read(self._file.fileno(), len(memoryview(buffer)))
        memoryview(buffer)[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def _read(self, fd: int, size: int) -> bytes:
        if sys.platform != "win32":
            return os.pread(fd, size, self._at)
        with self._moving:
            os.lseek(fd, self._at, os.SEEK_SET)
            return os.read(fd, size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self._at
        elif whence == os.SEEK_END:
            offset += os.fstat(self._file.fileno()).st_size
        self._at = offset
        return offset


def let_ctrl_c_interrupt() -> None:
    """From now on Ctrl-C ends waiting for what comes through a pipe.

    So Python has it, but polars, where it is imported, has the system wait on.
    """
    if sys.platform != "win32":
        signal.siginterrupt(signal.SIGINT, True)


@contextmanager
def _keeping(name: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(
            f"{name}: can't be kept in a temporary file: {error.strerror or error}; "
            "TMPDIR may name another folder for it"
        ) from None
