"""Logs of a run: JSON lines, and the event files of TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thalweg.errors import ArgumentError, FileError
from thalweg.model.history import EpochRecord, History, finite
from thalweg.printable import json_text
from thalweg.training.callbacks import Callback, Run
from thalweg.training.growing_file import GrowingFile

EXTRA = "tensorboard"


class JSONLines(Callback):
    """Writes one JSON object a line: the start, every epoch, and the end.

    Each has an ``event``: ``start`` with the settings and ``epochs_done``, ``epoch``
    with what an `EpochRecord` has, ``end`` with ``best_epoch`` and ``stopped_because``.
    A metric that isn't finite is null. Every line is there before the next epoch; what
    a full disk doesn't take comes later, with a `CheckpointWarning`. An existing file
    is added to, so that a resumed run goes on in the log of the first; of an epoch that
    stands there twice the later line counts.

    Arguments:
        path: the file.

    Raises:
        FileError: it can't be written; found before the first step.

    Example:
        >>> import json, thalweg as tw
        >>> network = tw.Network([tw.Dense(1)])
        >>> options = {"epochs": 2, "validation": None}
        >>> history = network.fit(
        ...     [[0.0], [1.0]], [0, 1], callbacks=[tw.JSONLines("log.jsonl")], **options
        ... )
        >>> with open("log.jsonl") as lines:
        ...     [json.loads(line)["event"] for line in lines]
        ['start', 'epoch', 'epoch', 'end']
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file: GrowingFile | None = None

    def on_start(self, run: Run) -> None:
        """Open the file, and write how the run was set up."""
        self._file = GrowingFile(self.path)
        # A process that was killed can have left a part of a line.
        cut = self._file.last_byte() not in (b"", b"\n")
        start = {"settings": run.settings, "epochs_done": run.epochs_done}
        self._file.begin(b"\n" * cut + line("start", start))

    def on_epoch(self, record: EpochRecord) -> None:
        """Write the epoch."""
        if self._file is not None:
            self._file.add(line("epoch", plain(record)))

    def on_end(self, history: History) -> None:
        """Write how the run ended, and close the file."""
        if self._file is None:
            return
        names = ("best_epoch", "stopped_because")
        self._file.add(line("end", {name: getattr(history, name) for name in names}))
        self._file.close()
        self._file = None


def line(event: str, data: Mapping[str, Any]) -> bytes:
    """An event as a line of JSON."""
    return json_text({"event": event, **data}).encode() + b"\n"


def plain(record: EpochRecord) -> dict[str, Any]:
    """A record as plain data; what isn't finite is None."""
    (data,) = History([record]).to_dict()["epochs"]
    return data


class TensorBoard(Callback):
    """Writes losses, metrics and the learning rate as event files of TensorBoard.

    It needs the package tensorboardX: ``pip install 'thalweg[tensorboard]'``. Look at
    the folder with ``tensorboard --logdir FOLDER``.

    What a full disk doesn't take is written later, with a `CheckpointWarning`.

    Arguments:
        folder: where the event files go; one for each run keeps them apart.

    Raises:
        ArgumentError: tensorboardX isn't installed.
        FileError: the folder can't be written to; found before the first step.

    Example:
        >>> import thalweg as tw
        >>> tw.TensorBoard("runs/first").folder.name
        'first'

    Source: https://tensorboardx.readthedocs.io
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        from importlib.util import find_spec

        self.folder = Path(folder)
        self._file: GrowingFile | None = None
        if find_spec("tensorboardX") is None:
            raise ArgumentError(
                "TensorBoard needs the package tensorboardX, which isn't installed: "
                f"pip install 'thalweg[{EXTRA}]'"
            )

    def on_start(self, run: Run) -> None:
        """Begin an event file; epochs that a resumed run takes again are purged."""
        from thalweg.training.events import file_name, purge

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"{self.folder}: can't be written: {error.strerror}"
            ) from error
        self._file = GrowingFile(self.folder / file_name())
        self._file.begin(purge(run.epochs_done + 1))

    def on_epoch(self, record: EpochRecord) -> None:
        """Write the epoch's numbers, those of training and validation side by side."""
        from thalweg.training.events import numbers

        if self._file is not None:
            self._file.add(numbers(scalars(record), record.epoch))

    def on_end(self, history: History) -> None:
        """Close the event file."""
        if self._file is not None:
            self._file.close()
        self._file = None


def scalars(record: EpochRecord) -> dict[str, float]:
    """The numbers of an epoch by the tags that TensorBoard has for them."""
    found: dict[str, float | None] = {
        "loss/training": record.training_loss,
        "loss/validation": record.validation_loss,
        "learning_rate": record.learning_rate,
        "seconds": record.seconds,
    }
    found |= {f"{k}/training": v for k, v in record.training_metrics.items()}
    found |= {f"{k}/validation": v for k, v in record.validation_metrics.items()}
    return {
        name: value
        for name, value in found.items()
        if value is not None and finite(value) is not None
    }
