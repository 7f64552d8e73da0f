"""The history of a training as plain data and arrays, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from thalweg.errors import ModelFileError
from thalweg.files.bounds import with_escapes
from thalweg.files.document import TIMES
from thalweg.model.epochs import OF_METRICS, SECONDS, Epochs
from thalweg.model.history import History
from thalweg.program.types import NumpyArray

Data = dict[str, Any]
Tensors = dict[str, NumpyArray]

HISTORY = "history"
FIGURES = {"epoch", "training_loss", "validation_loss", "learning_rate", *OF_METRICS}
AT_ONCE = 2**16  # epochs that are looked at together


def history_data(history: History, tensors: Tensors, *beside: float) -> Data:
    """The history as plain data, with the figures of all epochs in two arrays.

    Arguments:
        history: to be described.
        tensors: where the arrays go.
        beside: seconds of something else, which follow those of the epochs.
    """
    epochs = history.epochs
    names = [name for name in epochs.names if name != SECONDS]
    tensors[HISTORY] = epochs.array(names)
    tensors[TIMES] = np.append(epochs.array([SECONDS])[:, 0], beside)
    described: Data = {
        "best_epoch": history.best_epoch,
        "stopped_because": history.stopped_because,
        "settings": history.settings,
        "columns": names,
    }
    if history.constant_loss is not None:
        described["constant_loss"] = history.constant_loss
    if history.rise is not None:
        described["rise"] = asdict(history.rise)
    return with_escapes(described)


def decode_history(data: Data, tensors: Tensors) -> History:
    """The history, from its description and the arrays of its figures."""
    names, figures = [str(name) for name in data["columns"]], tensors[HISTORY]
    if figures.dtype != np.float64 or figures.shape != (len(figures), len(names)):
        raise ModelFileError(
            f"{HISTORY} must be float64 with {len(names)} columns, "
            f"got {figures.dtype} of {figures.shape}"
        )
    if SECONDS in names:  # as it was written once, among the others
        if names.pop() != SECONDS:
            raise ModelFileError(f"{HISTORY} must have {SECONDS} last")
        figures, seconds = figures[:, :-1], figures[:, -1]
    else:
        seconds = seconds_in(tensors)[: len(figures)]
    return History.described(data, epochs_of(names, figures, seconds))


def seconds_in(tensors: Tensors) -> NumpyArray:
    """How long each epoch took, and what stands behind that."""
    seconds = tensors[TIMES]
    if seconds.dtype != np.float64 or seconds.ndim != 1:
        raise ModelFileError(f"{TIMES} must be a vector of float64")
    return seconds


def epochs_of(names: list[str], figures: NumpyArray, seconds: NumpyArray) -> Epochs:
    """The records of these figures, which count from 1.

    A validation loss that is NaN in every epoch stands for none.
    """
    known = [name for name in names if name.partition(".")[0] in FIGURES]
    if len({*names}) < len(names) or known != names or len(seconds) != len(figures):
        raise ModelFileError(f"{HISTORY} can't have the columns {names}")
    if not len(figures):
        return Epochs()
    columns = dict(zip(names, figures.T, strict=True))
    if not counts_from_one(columns["epoch"]):
        raise ModelFileError(f"{HISTORY} must count its epochs from 1")
    for each in (columns["training_loss"], columns["learning_rate"], seconds):
        if np.isnan(each).any():
            raise ModelFileError(f"{HISTORY} must have every loss, rate and duration")
    if np.isnan(columns.get("validation_loss", 0.0)).all():
        names = ["" if name == "validation_loss" else name for name in names]
    return Epochs.of(names, figures, seconds)


def counts_from_one(numbers: NumpyArray) -> bool:
    """Whether they are 1, 2, 3, …; a part at a time, as they may be many."""
    return all(
        np.array_equal(part, np.arange(start + 1, start + 1 + len(part)))
        for start in range(0, len(numbers), AT_ONCE)
        if len(part := numbers[start : start + AT_ONCE])
    )
