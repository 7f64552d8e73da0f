"""Windows of a series, as views of the arrays that they look at."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


def history_windows(features: NDArray[np.float32], history: int) -> NDArray[np.float32]:
    """The last rows before each forecast, a view: no row is copied.

    x_i = features[i : i + history]

    Arguments:
        features: shape (times, features), rows contiguous.
        history: the rows of a window.

    Returns:
        Shape (times − history + 1, history, features); two windows that follow each
        other share all rows but one. It can't be written to.

    >>> table = np.arange(8, dtype=np.float32).reshape(4, 2)
    >>> history_windows(table, 3)[1].tolist()
    [[2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]
    """
    return sliding_window_view(features, history, axis=0).transpose(0, 2, 1)


def target_windows(
    values: NDArray[np.float64], history: int, ahead: int
) -> NDArray[np.float64]:
    """What is to be forecast from each window, a view.

    y_i = values[i + history : i + history + ahead]

    Arguments:
        values: shape (times,).
        history: the rows that a window looks at.
        ahead: how many values come after.

    Returns:
        Shape (times − history − ahead + 1, ahead).

    >>> target_windows(np.arange(6.0), history=2, ahead=3).tolist()
    [[2.0, 3.0, 4.0], [3.0, 4.0, 5.0]]
    """
    return sliding_window_view(values[history:], ahead)


def moved_back(
    known: NDArray[np.float32], history: int, ahead: int
) -> NDArray[np.float32]:
    """What is known ahead, moved to rows of the history, so that windows hold it.

    moved_t = known_{t + ahead}, known_{t + ahead − history}, … as many as it takes

    A window of the history's rows then holds what is known of all times ahead.

    Arguments:
        known: shape (times + ahead, columns), those of times ahead included.
        history: the rows of a window.
        ahead: how many times are forecast.

    Returns:
        Shape (times, columns · ⌈ahead / history⌉).

    >>> known = np.arange(5, dtype=np.float32).reshape(5, 1)
    >>> moved_back(known, history=2, ahead=2)[:, 0].tolist()
    [2.0, 3.0, 4.0]
    """
    times = len(known) - ahead
    starts = starts_ahead(history, ahead)
    return np.concatenate([known[start : start + times] for start in starts], axis=1)


def starts_ahead(history: int, ahead: int) -> range:
    """How far ahead of its row each copy is of what is known, in `moved_back`.

    >>> [*starts_ahead(history=2, ahead=5)]
    [5, 3, 1]
    """
    return range(ahead, 0, -history)
