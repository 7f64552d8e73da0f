"""The folder of a search: what is searched, and every trial that is finished."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from thalweg.errors import ArgumentError, FileError
from thalweg.files.atomic import open_without_waiting, write_atomically
from thalweg.search.trials import Trial
from thalweg.training.checkpoint import CheckpointWarning

SEARCH, TRIALS = "search.json", "trials.jsonl"


class Journal:
    """The finished trials of a search, each on the disk as soon as it is there.

    Arguments:
        folder: where they are kept; None keeps them in memory alone.

    Files appear whole or not at all, so a search that was killed at any moment loses
    what was under way and nothing else. Where they can't be written, as on a full disk,
    that is a warning: the search goes on, and the next trial's turn writes them all.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self._written = True  # all of them, where there is a folder
        self.trials: list[Trial] = []

    @classmethod
    def open(
        cls, folder: str | Path, search: Mapping[str, Any], resume: bool
    ) -> Journal:
        """A new folder, or one in which the same search goes on.

        Arguments:
            folder: made where it's missing.
            search: what is searched, as plain data.
            resume: go on with the trials that are there.

        Raises:
            ArgumentError: the folder holds a search that isn't to be resumed, or one
                that isn't the same; or there is none to resume.
            FileError: a file can't be read or written, or is damaged.
        """
        path = Path(folder)
        journal = cls(path)
        if (path / SEARCH).exists():
            require_same(path, search, resume)
            journal._read()
            return journal
        if resume:
            raise ArgumentError(f"resume must be of a search, but {path} holds none")
        make_folder(path)
        write_atomically(path / SEARCH, (json.dumps(search, indent=1) + "\n").encode())
        return journal

    def add(self, trial: Trial) -> None:
        """Keep a finished trial; on the disk, if it can be written there."""
        self.trials.append(trial)
        line = json.dumps(trial.to_dict(), ensure_ascii=False, allow_nan=False)
        self._lines.append(line.encode() + b"\n")
        if self._folder is not None:
            self._write(self._folder / TRIALS)

    def _write(self, path: Path) -> None:
        try:
            write_atomically(path, b"".join(self._lines))
        except FileError as error:
            if self._written:  # said once until it can be written again
                warnings.warn(
                    f"{error}; the search goes on, with its trials in memory",
                    CheckpointWarning,
                    stacklevel=2,
                )
            self._written = False
        else:
            self._written = True

    def _read(self) -> None:
        assert self._folder is not None
        path = self._folder / TRIALS
        for number, line in enumerate(lines_of(path), 1):
            try:
                self.trials.append(Trial.from_dict(json.loads(line)))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise FileError(
                    f"{path}, line {number}: must be a trial, but isn't ({error!r})"
                ) from None
            self._lines.append(line + b"\n")


def lines_of(path: Path) -> list[bytes]:
    """The lines of a file; none if there is no file."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(f"{path}: can't be read: {error.strerror or error}") from None


def require_same(folder: Path, search: Mapping[str, Any], resume: bool) -> None:
    """The folder's search is to be resumed, and is the one that is asked for."""
    if not resume:
        raise ArgumentError(
            f"folder must be new, but {folder} holds a search: resume it, or give "
            "another folder"
        )
    path = folder / SEARCH
    try:
        before = dict(json.loads(b"\n".join(lines_of(path))))
    except (TypeError, ValueError) as error:
        raise FileError(f"{path}: must be a search, but isn't ({error!r})") from None
    now = flat(json.loads(json.dumps(search)))
    for name, value in flat(before).items():
        if now.get(name) != value:
            raise ArgumentError(
                f"resume must be of the same search, but {name} was {value!r} in "
                f"{folder}, and is {now.get(name)!r}"
            )


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Entries, and the entries of entries, side by side."""
    entries: dict[str, Any] = {}
    for name, value in data.items():
        inner = isinstance(value, dict)
        entries |= cast(dict[str, Any], value) if inner else {name: value}
    return entries


def make_folder(folder: Path) -> None:
    """The folder, made where it's missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{folder}: the folder can't be made: {reason}") from error
