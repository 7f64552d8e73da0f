"""Files to be written, checked before anything is computed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from thalweg.errors import ArgumentError, FileError
from thalweg.tables.source import is_descriptor, name_of, stem_of

MODEL, PICTURE, PAGE = ".thalweg", ".png", ".html"


def model_beside(data: Path) -> Path:
    """Where the model of a table, or of images, goes unless asked for otherwise.

    Raises:
        ArgumentError: the table has no name.
    """
    if is_descriptor(data):
        raise ArgumentError(
            "--output must be given, the file to save the network in: "
            f"{name_of(data)} has no name to call it after"
        )
    return Path((data.resolve().name if data.is_dir() else stem_of(data)) + MODEL)


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


def require_model_file(path: Path) -> None:
    """A model can be saved there, and nothing else is lost by it.

    Raises:
        FileError: it can't.
    """
    require_writable(path)
    if path.exists() and path.suffix.lower() != MODEL:
        raise FileError(
            f"{path}: exists and doesn't end in {MODEL}, so it isn't replaced"
        )


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


def require_page(option: str, page: Path, *sources: Path) -> None:
    """A report can be written there.

    Raises:
        ArgumentError: its name doesn't say that it's a page, or it's a source.
        FileError: it can't be written.
    """
    require_suffix(option, page, (PAGE,))
    require_other_file(option, page, *sources)
    require_writable(page)
