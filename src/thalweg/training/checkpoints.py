"""A folder of checkpoints: immutable files, and one pointer to those that count.

Files are named after the steps that were taken. The pointer is replaced atomically
after a file is whole on the disk; so whoever looks, even after a crash, finds in it
whole files alone. It holds the SHA-256 of each file's header, which holds that of the
rest.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError, FileError, ModelFileError
from thalweg.formulas.names import require_positive, require_whole

TABLE = "table"  # the note that tells a table's run from a network's
POINTER = "latest.json"
POINTER_LIMIT = 2**16
NAME = re.compile(r"step-[0-9]{1,18}(-[0-9]{1,9})?\.thalweg")
DIGEST = re.compile(r"[0-9a-f]{64}")

Data = dict[str, Any]
Tensors = dict[str, np.ndarray]


class CheckpointWarning(UserWarning):
    """A checkpoint couldn't be written, or read; an older one is there."""


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often a run is written down, so that `resume` can go on with it.

    One is written before the first step, so that whatever stands in the way is found
    before training, and one when training has ended. One that can't be written later,
    as on a full disk, is a warning: the last good one stays, and training goes on.

    Arguments:
        folder: made if it isn't there. It must not hold a run that isn't finished.
        every_epochs: write after every so many epochs; None for never.
        every_minutes: write when so many minutes have passed since the last, in the
            middle of an epoch too; None for never.
        keep: how many to keep, 2 or more.
        notes: plain data to keep beside.

    Raises:
        ArgumentError: an argument can't be used.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
        >>> network = tw.Network([tw.Dense(1)])
        >>> checkpoint = tw.Checkpoint("slope", every_epochs=10)
        >>> history = network.fit(X, 3 * X + 1, epochs=25, checkpoint=checkpoint)
        >>> import os
        >>> sorted(os.listdir("slope"))
        ['latest.json', 'step-60.thalweg', 'step-75.thalweg']
    """

    folder: str | os.PathLike[str]
    every_epochs: int | None = 1
    every_minutes: float | None = None
    keep: int = 2
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def __post_init__(self) -> None:
        if self.every_epochs is None and self.every_minutes is None:
            raise ArgumentError("a checkpoint needs every_epochs or every_minutes")
        if self.every_epochs is not None:
            require_whole("every_epochs", self.every_epochs, least=1)
        if self.every_minutes is not None:
            require_positive("every_minutes", self.every_minutes)
        require_whole("keep", self.keep, least=2)

    def to_dict(self) -> Data:
        """All but the folder, as plain data."""
        data = asdict(self)
        del data["folder"]
        return data


@dataclass(frozen=True)
class Entry:
    """A checkpoint that counts: its file, and the SHA-256 of the file's header."""

    file: str
    header_sha256: str


class Store:
    """A folder of checkpoints that one process holds at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Entry]:
        """The checkpoints that count, newest first.

        Raises:
            FileError: the pointer can't be read.
            ModelFileError: it holds something else.
        """
        pointer = self.folder / POINTER
        try:
            with pointer.open("rb") as file:
                return decode_entries(file.read(POINTER_LIMIT + 1))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FileError(f"{pointer}: can't be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ModelFileError(
                f"{pointer}: must name checkpoints and their SHA-256, but is damaged"
            ) from None

    def newest(self) -> tuple[Tensors, Data, Path]:
        """The newest checkpoint that is whole, with its file's name.

        Raises:
            FileError: there is none; the message says what is wrong with each.
        """
        from thalweg.training.modelfile import header_digest, read_model

        faults: list[str] = []
        for entry in self.entries():
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
            raise ModelFileError("; ".join(faults))
        raise FileError(f"{self.folder}: holds no checkpoint")

    def write(
        self, steps: int, tensors: Tensors, document: Data, keep: int, first: bool
    ) -> Path:
        """Write a checkpoint; the oldest go, and what killed processes left behind.

        Arguments:
            steps: the file's name says so.
            tensors, document: its content.
            keep: how many may count from now on.
            first: those that are there are of another run, and go.

        Raises:
            FileError: it can't be written; what counted counts still.
        """
        from thalweg.training.modelfile import write_atomically, write_model

        self.sweep()
        path = self._free(steps)
        digest = write_model(path, tensors, document)
        entries = [Entry(path.name, digest), *([] if first else self.entries())][:keep]
        write_atomically(self.folder / POINTER, encode_entries(entries))
        self.sweep()
        return path

    def _free(self, steps: int) -> Path:
        """A name that no file has: those that are there stay as they are."""
        path, number = self.folder / f"step-{steps}.thalweg", 1
        while path.exists():
            number += 1
            path = self.folder / f"step-{steps}-{number}.thalweg"
        return path

    def sweep(self) -> None:
        """Remove what doesn't count: killed processes left it.

        Raises:
            FileError: the pointer can't be read, so that nothing is known.
        """
        from thalweg.training.atomic import sweep

        counting = {entry.file for entry in self.entries()}
        with suppress(OSError):
            for name in os.listdir(self.folder):
                if NAME.fullmatch(name) and name not in counting:
                    (self.folder / name).unlink()
            sweep(str(self.folder))


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
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{path}: can't hold checkpoints: {reason}") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileError(
                f"{path}: another run writes its checkpoints there"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield Store(path)
    finally:
        os.close(fd)


def encode_entries(entries: list[Entry]) -> bytes:
    """The pointer's content."""
    data = {"format": 1, "checkpoints": [asdict(entry) for entry in entries]}
    return (json.dumps(data, indent=1) + "\n").encode()


def decode_entries(content: bytes) -> list[Entry]:
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
    entries = [Entry(each["file"], each["header_sha256"]) for each in described]
    for entry in entries:
        if not (NAME.fullmatch(entry.file) and DIGEST.fullmatch(entry.header_sha256)):
            raise ValueError(entry)
    return entries
