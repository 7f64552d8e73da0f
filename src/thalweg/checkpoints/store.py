"""A folder of checkpoints: immutable files, and one pointer to those that count.

Files are named after the steps that were taken. The pointer is replaced atomically
after a file is whole on the disk; so whoever looks, even after a crash, finds in it
whole files alone. It holds the SHA-256 of each file's header, which holds that of the
rest. A run removes what it wrote itself and no longer counts, and nothing else.
"""

from __future__ import annotations

import json
import os
import secrets
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.checkpoints.step_files import (
    NAME,
    files_of,
    names_in,
    newest_whole,
    place,
    run_of,
    shown,
    signed,
)
from thalweg.errors import FileError, ModelFileError
from thalweg.files.atomic import open_without_waiting, write_atomically
from thalweg.files.atomic import sweep as sweep_temporary
from thalweg.files.document import DIGEST
from thalweg.files.locks import lock, open_folder
from thalweg.files.modelfile import header_digest, read_model, write_model
from thalweg.training.checkpoint import CheckpointWarning

POINTER = "latest.json"
POINTER_LIMIT = 2**16

Data = dict[str, Any]
Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint that counts: its file, and the SHA-256 of the file's header."""

    file: str
    header_sha256: str


class Store:
    """A folder of checkpoints that one process holds at a time.

    Arguments:
        folder: it may hold what is no checkpoint, or another run's: that stays.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run = secrets.token_hex(8)
        self._own: set[str] = set()  # the files that this run wrote

    def go_on(self, document: Mapping[str, Any], path: Path) -> None:
        """What is written from now on belongs to the run that wrote this checkpoint.

        Raises:
            FileError: the pointer, or the folder, can't be read.
        """
        self._run = run_of(document, path.name) or self._run
        counting = {entry.file for entry in self.entries()}
        self._own = counting | files_of(self.folder, self._run)

    def entries(self) -> list[CheckpointFile]:
        """The checkpoints that count, newest first.

        Raises:
            FileError: the pointer can't be read.
            ModelFileError: it holds something else.
        """
        pointer = self.folder / POINTER
        try:
            with open(pointer, "rb", opener=open_without_waiting) as file:
                content = file.read(POINTER_LIMIT + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FileError(f"{pointer}: can't be read: {error.strerror}") from error
        try:
            return decode_entries(content)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ModelFileError(
                f"{pointer}: must name checkpoints and their SHA-256, but is damaged"
            ) from None

    def newest(self) -> tuple[Tensors, Data, Path]:
        """The newest checkpoint that is whole, with its file's name.

        Raises:
            FileError: there is none that counts; the message says what is wrong with
                each, and which file is whole nevertheless.
        """
        faults: list[str] = []
        for entry in self._entries_or_offer():
            path = self.folder / entry.file
            try:
                if header_digest(path) != entry.header_sha256:
                    raise ModelFileError(f"{path}: its header was altered")
                tensors, document = read_model(path)
            except FileError as error:
                faults.append(str(error))
                continue
            for fault in faults:
                warnings.warn(
                    f"{fault}; the one before it is used",
                    CheckpointWarning,
                    stacklevel=2,
                )
            return tensors, document, path
        if faults:
            raise ModelFileError("; ".join(faults) + offer(newest_whole(self.folder)))
        self.require_none_lost()
        raise FileError(f"{self.folder}: holds no checkpoint")

    def require_none_lost(self, steps: int = 0) -> None:
        """No checkpoint is here that the pointer should have led to.

        Arguments:
            steps: those of fewer may be.

        Raises:
            FileError: one is; the message says what is there.
        """
        if self.entries():
            return
        whole = newest_whole(self.folder)
        if whole is not None and place(whole.name) >= (steps, 0):
            raise FileError(
                f"{self.folder}: lacks {POINTER}, which says what counts, but holds "
                f"{shown(names_in(self.folder))}{offer(whole)}"
            )

    def lead_to(self, path: Path) -> None:
        """Make the pointer anew where it was lost.

        Arguments:
            path: the checkpoint that counts from now on.

        Raises:
            FileError: the pointer leads to another one that is whole.
        """
        try:
            known = self.newest()[2]
        except FileError:
            entry = CheckpointFile(path.name, header_digest(path))
            write_atomically(self.folder / POINTER, encode_entries([entry]))
            return
        if known.name != path.name:
            raise FileError(
                f"{path}: can't be gone on from, as {self.folder / POINTER} leads to "
                f"{known.name}: resume {self.folder}"
            )

    def write(
        self, steps: int, tensors: Tensors, document: Data, keep: int, first: bool
    ) -> Path:
        """Write a checkpoint; the run's oldest go, and what it left when it was killed.

        Arguments:
            steps: the file's name says so.
            tensors, document: its content.
            keep: how many may count from now on.
            first: those that are there are of another run, and count no more.

        Raises:
            FileError: it can't be written; what counted counts still.
        """
        self.sweep()
        path = self._free(steps)
        self._own.add(path.name)
        try:
            digest = write_model(path, tensors, signed(document, self._run, path.name))
            entries = [
                CheckpointFile(path.name, digest),
                *([] if first else self.entries()),
            ]
            write_atomically(self.folder / POINTER, encode_entries(entries[:keep]))
        finally:
            self.sweep()
        return path

    def sweep(self) -> None:
        """Remove what this run wrote and doesn't count, and temporary files.

        Raises:
            FileError: the pointer can't be read, so that nothing is known.
        """
        for name in self._own - {entry.file for entry in self.entries()}:
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
                self._own.discard(name)
        with suppress(OSError):
            sweep_temporary(str(self.folder))

    def _free(self, steps: int) -> Path:
        """A name that no file has: those that are there stay as they are."""
        path, number = self.folder / f"step-{steps}.thalweg", 1
        while os.path.lexists(path):
            number += 1
            path = self.folder / f"step-{steps}-{number}.thalweg"
        return path

    def _entries_or_offer(self) -> list[CheckpointFile]:
        try:
            return self.entries()
        except ModelFileError as error:
            whole = newest_whole(self.folder)
            raise ModelFileError(f"{error}{offer(whole)}") from None


def offer(whole: Path | None) -> str:
    """What to do where the pointer leads to nothing; empty if nothing can be done."""
    return "" if whole is None else f"; {whole} is the newest whole one: resume that"


@contextmanager
def opened(folder: str | os.PathLike[str], create: bool = False) -> Generator[Store]:
    """A folder of checkpoints, held against other processes.

    Raises:
        FileError: there is no such folder, it can't be made, or another process writes
            checkpoints there.
    """
    path = Path(folder)
    try:
        if create:
            path.mkdir(parents=True, exist_ok=True)
        fd = open_folder(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{path}: can't hold checkpoints: {reason}") from error
    try:
        try:
            lock(fd)
        except BlockingIOError:
            raise FileError(
                f"{path}: another run writes its checkpoints there"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield Store(path)
    finally:
        os.close(fd)


def encode_entries(entries: list[CheckpointFile]) -> bytes:
    """The pointer's content."""
    data = {"format": 1, "checkpoints": [asdict(entry) for entry in entries]}
    return (json.dumps(data, indent=1) + "\n").encode()


def decode_entries(content: bytes) -> list[CheckpointFile]:
    """What the pointer says.

    Raises:
        KeyError, TypeError, ValueError: it isn't what `encode_entries` gave.
    """
    if len(content) > POINTER_LIMIT:
        raise ValueError(len(content))
    data = json.loads(content)
    if data["format"] != 1:
        raise ValueError(data["format"])
    described = cast(list[Data], data["checkpoints"])
    entries = [
        CheckpointFile(each["file"], each["header_sha256"]) for each in described
    ]
    for entry in entries:
        if not (NAME.fullmatch(entry.file) and DIGEST.fullmatch(entry.header_sha256)):
            raise ValueError(entry)
    return entries
