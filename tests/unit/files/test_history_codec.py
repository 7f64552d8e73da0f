"""Histories in files: what their arrays must hold."""

from typing import Any

import numpy as np
import pytest

from thalweg.errors import ModelFileError
from thalweg.files.document import TIMES
from thalweg.files.history_codec import HISTORY, decode_history

NAMES = ["epoch", "training_loss", "validation_loss", "learning_rate"]
FIGURES = np.array([[1, 0.9, 0.8, 0.1], [2, 0.7, 0.6, 0.1]])
SECONDS = np.array([3.0, 4.0])
DATA = {"best_epoch": 1, "stopped_because": "done", "settings": {}, "columns": NAMES}


def read(
    figures: Any = FIGURES, seconds: Any = SECONDS, names: list[str] = NAMES
) -> Any:
    tensors = {HISTORY: np.array(figures), TIMES: np.array(seconds)}
    return decode_history({**DATA, "columns": names}, tensors)


def changed(row: int, column: int, value: float) -> Any:
    figures = FIGURES.copy()
    figures[row, column] = value
    return figures


def test_the_figures_are_read() -> None:
    history = read()
    assert history.training_loss == [0.9, 0.7]
    assert history.validation_loss == [0.8, 0.6]
    assert history.seconds == [3.0, 4.0]


def test_what_follows_the_seconds_of_the_epochs_is_not_of_them() -> None:
    assert read(seconds=[3.0, 4.0, 9.0]).seconds == [3.0, 4.0]


def test_seconds_stood_among_the_figures_once() -> None:
    figures = np.column_stack([FIGURES, SECONDS])
    history = read(figures, names=[*NAMES, "seconds"])
    assert history.seconds == [3.0, 4.0]
    assert history.learning_rate == [0.1, 0.1]


def test_a_validation_loss_that_is_nan_throughout_is_none() -> None:
    figures = changed(0, 2, np.nan)
    assert read(figures).epochs[1].validation_loss == 0.6
    figures[1, 2] = np.nan
    assert [each.validation_loss for each in read(figures).epochs] == [None, None]


def test_no_epochs_are_a_history() -> None:
    empty = {**DATA, "best_epoch": 0}
    tensors = {HISTORY: np.empty((0, 4)), TIMES: np.empty(0)}
    assert decode_history(empty, tensors).stopped_epoch == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another dtype": ({"figures": FIGURES.astype("float32")}, "must be float64"),
    "another width": ({"figures": FIGURES[:, :3]}, "with 4 columns"),
    "a vector": ({"figures": FIGURES[:, 0]}, "with 4 columns"),
    "seconds of another dtype": ({"seconds": SECONDS.astype("float32")}, "a vector"),
    "seconds in rows": ({"seconds": SECONDS.reshape(1, 2)}, "a vector"),
    "too few seconds": ({"seconds": SECONDS[:1]}, "can't have the columns"),
    "seconds before others": (
        {"figures": FIGURES, "names": ["epoch", "seconds", *NAMES[1:3]]},
        "must have seconds last",
    ),
    "a name twice": ({"names": [*NAMES[:3], "epoch"]}, "can't have the columns"),
    "an unknown name": ({"names": [*NAMES[:3], "mood"]}, "can't have the columns"),
    "another first epoch": ({"figures": changed(0, 0, 0)}, "count its epochs from 1"),
    "a skipped epoch": ({"figures": changed(1, 0, 3)}, "count its epochs from 1"),
    "no loss": ({"figures": changed(1, 1, np.nan)}, "must have every loss"),
    "no rate": ({"figures": changed(1, 3, np.nan)}, "must have every loss"),
    "no duration": ({"seconds": [3.0, np.nan]}, "must have every loss"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_history_that_is_none_is_refused(name: str) -> None:
    changes, reason = REFUSED[name]
    with pytest.raises(ModelFileError, match=reason):
        read(**changes)
