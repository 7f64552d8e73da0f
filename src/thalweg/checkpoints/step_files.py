"""The files of a folder of checkpoints: which are there, and which run wrote them.

A checkpoint says in its document which run wrote it, and under which name. So a run
knows its own files among those of other runs, and among copies that a user made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from thalweg.errors import FileError
from thalweg.files.modelfile import read_document, read_model

NAME = re.compile(r"step-([0-9]{1,18})(?:-([0-9]{1,9}))?\.thalweg")
WRITTEN, CHECKPOINT = "written", "checkpoint"
SHOWN = 5  # names in an error

Data = dict[str, Any]


def signed(document: Mapping[str, Any], run: str, name: str) -> Data:
    """A checkpoint's document with the run that writes it, and the file's name."""
    return {**document, WRITTEN: {"run": run, "file": name}}


def run_of(document: Mapping[str, Any], name: str) -> str:
    """The run that wrote a file; empty if it isn't known, or the file is a copy."""
    written = document.get(WRITTEN)
    if not isinstance(written, dict):
        return ""
    run, file = (cast(Data, written).get(key) for key in ("run", "file"))
    return run if isinstance(run, str) and file == name else ""


def files_of(folder: Path, run: str) -> set[str]:
    """The names of the files that a run wrote."""
    return {
        path.name
        for path, document in documents_in(folder)
        if run and run_of(document, path.name) == run
    }


def names_in(folder: Path) -> list[str]:
    """What is called like a checkpoint.

    Raises:
        FileError: the folder can't be read.
    """
    try:
        return sorted(filter(NAME.fullmatch, os.listdir(folder)), key=place)
    except OSError as error:
        raise FileError(f"{folder}: can't be read: {error.strerror}") from error


def documents_in(folder: Path) -> list[tuple[Path, Data]]:
    """The files that are checkpoints by their headers, and their documents."""
    found: list[tuple[Path, Data]] = []
    for path in (folder / name for name in names_in(folder)):
        try:
            document = read_document(path)
        except FileError:
            continue
        if document.get("kind") == CHECKPOINT:
            found.append((path, document))
    return found


def newest_whole(folder: Path) -> Path | None:
    """The checkpoint that is best gone on from where nothing says which one counts.

    Of the runs that didn't come to their end before those that did, the one of most
    steps; files that can't be read to their last byte are passed over.
    """
    found = [
        (path, run_of(document, path.name), is_finished(document))
        for path, document in documents_in(folder)
    ]
    finished = {run for _, run, ended in found if ended}
    for path, *_ in sorted(
        found, key=lambda each: (each[1] not in finished, place(each[0].name))
    )[::-1]:
        try:
            read_model(path)
        except FileError:
            continue
        return path
    return None


def is_finished(document: Mapping[str, Any]) -> bool:
    """Whether the run had come to its end."""
    history = document.get("history")
    return isinstance(history, dict) and bool(
        cast(Data, history).get("stopped_because")
    )


def place(name: str) -> tuple[int, int]:
    """Where a file stands among others: its steps, and which of as many it is."""
    match = NAME.fullmatch(name)
    assert match is not None
    return int(match[1]), int(match[2] or 1)


def shown(names: list[str]) -> str:
    """Names for an error, the last ones if there are many."""
    more = len(names) - SHOWN
    listed = ", ".join(names[-SHOWN:])
    return f"{listed} and {more} more" if more > 0 else listed
