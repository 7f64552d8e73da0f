"""Files to be written, checked before anything is computed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from thalweg.errors import ArgumentError, FileError


def require_writable(path: Path) -> None:
    """A file can be written there, as far as can be known.

    Raises:
        FileError: it can't.
    """
    if path.is_dir():
        raise FileError(f"{path}: must be a file, but is a folder")
    if not path.parent.is_dir():
        raise FileError(
            f"{path}: can't be written: there is no folder {str(path.parent)!r}"
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{path}: can't be written: {reason}") from None


def require_suffix(option: str, path: Path, suffixes: Sequence[str]) -> None:
    """The file's name says what will be in it.

    Raises:
        ArgumentError: it doesn't.
    """
    if path.suffix.lower() not in suffixes:
        raise ArgumentError(
            f"{option} must be a file that ends in {' or '.join(suffixes)}, "
            f"got {str(path)!r}"
        )


def require_other_file(option: str, path: Path, *sources: Path) -> None:
    """What is read isn't written over.

    Raises:
        ArgumentError: it would be.
    """
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
            raise ArgumentError(f"{option} must be another file than {str(source)!r}")
