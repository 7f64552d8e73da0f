"""Standard output and standard error as they may be: closed, full, of another encoding.

What can't be written on standard output is an error like that of any other file. What
can't be said on standard error ends nothing: there is nobody to be told.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any

from thalweg.errors import FileError

INPUT, OUTPUT, ERROR = range(3)


class OutputBytes(io.FileIO):
    """The bytes of standard output; that they can't be written is said once."""

    failed = False

    def write(self, data: Any, /) -> int | None:
        """Write bytes.

        Raises:
            BrokenPipeError: nobody reads them any more.
            FileError: they can't be written.
        """
        if self.failed:  # Python tries again when the process ends
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            self.failed = True
            raise
        except OSError as error:
            self.failed = True
            if sys.platform == "win32" and error.errno == errno.EINVAL:
                raise BrokenPipeError from error  # as Windows has it
            reason = error.strerror or str(error)
            raise FileError(f"standard output can't be written: {reason}") from error


class ErrorBytes(io.FileIO):
    """The bytes of standard error, as far as they can be written."""

    def write(self, data: Any, /) -> int | None:
        """Write bytes, or leave it."""
        try:
            return super().write(data)
        except OSError:
            return len(data)


def prepare() -> None:
    """Make standard streams of the process that every command can use."""
    # A closed one's number would be given to the next file that is opened, and what is
    # printed would end up in it. Here it is one that can't be used the way it's meant.
    require_open(INPUT, os.O_WRONLY)
    require_open(OUTPUT, os.O_RDONLY)
    require_open(ERROR, os.O_WRONLY)
    sys.stdin = sys.stdin or os.fdopen(INPUT, closefd=False, encoding="utf-8")
    sys.stdout = text_stream(OutputBytes(OUTPUT, "wb", closefd=False), sys.stdout)
    sys.stderr = text_stream(ErrorBytes(ERROR, "wb", closefd=False), sys.stderr)


def require_open(number: int, flags: int) -> None:
    """Open nothing under the number of a stream that is closed."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, flags)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def text_stream(binary: io.FileIO, like: Any) -> io.TextIOWrapper:
    """A stream of text; what its encoding lacks is written as an escape."""
    if sys.platform == "win32" and like is not None and binary.isatty():
        # Bytes would be shown in the console's own encoding; Python writes its text.
        like.reconfigure(errors="backslashreplace")
        return like
    return io.TextIOWrapper(
        io.BufferedWriter(binary),
        encoding=getattr(like, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=binary.isatty() or binary.fileno() == ERROR,
    )
