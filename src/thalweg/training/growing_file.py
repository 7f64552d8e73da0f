"""A file that is added to while a network trains."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from thalweg.errors import FileError
from thalweg.printable import printable
from thalweg.training.checkpoint import CheckpointWarning


class GrowingFile:
    """A file that grows with a run, which doesn't end if it can't be written.

    What a full disk doesn't take is kept, and stands before what is added next; one
    warning says so until it could be written again.

    Arguments:
        path: made where it's missing, added to where it's there.

    Raises:
        FileError: it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = b""  # what is still to be written
        self._warned = False
        with self._refusing():
            self._file = path.open("a+b", buffering=0)

    def last_byte(self) -> bytes:
        """What it ends with; nothing if it's empty.

        Raises:
            FileError: it can't be read.
        """
        with self._refusing():
            if not self._file.seek(0, os.SEEK_END):
                return b""
            self._file.seek(-1, os.SEEK_END)
            return self._file.read(1)

    def begin(self, content: bytes) -> None:
        """Write what must stand there before training begins.

        Raises:
            FileError: it can't be written.
        """
        with self._refusing():
            self._write(content)

    def add(self, content: bytes) -> None:
        """Write more, or keep it for later with a warning."""
        with self._warning():
            self._write(content)

    def close(self) -> None:
        """No more is added."""
        with self._warning():
            self._file.close()

    def _write(self, content: bytes) -> None:
        self._left += content
        while self._left:
            self._left = self._left[self._file.write(self._left) :]

    @contextmanager
    def _refusing(self) -> Generator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise FileError(f"{self._path}: {fault(error)}") from error

    @contextmanager
    def _warning(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            if not self._warned:
                words = f"{self._path}: {fault(error)}; training goes on without it"
                warnings.warn(printable(words), CheckpointWarning, stacklevel=2)
            self._warned = True
        else:
            self._warned = bool(self._left)


def fault(error: Exception) -> str:
    """What the system says."""
    reason = getattr(error, "strerror", None) or error
    return f"can't be written: {reason}"
