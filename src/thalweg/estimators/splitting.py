"""Which rows are learned from and which choose the epoch; small data has no choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.checks import is_number, require
from thalweg.defaults import DOUBLE_ROWS, DTYPE, WHOLE_BATCH_ROWS
from thalweg.errors import ArgumentError
from thalweg.program.types import Dtype, NumpyArray
from thalweg.tables.splitting.shares import chosen_share


def dtype_for(asked: str | None, rows: int) -> Dtype:
    """float64 where rows are few, and float32 where speed begins to matter."""
    if asked is not None:
        return asked  # pyright: ignore[reportReturnType] - the network checks it
    return "float64" if rows < DOUBLE_ROWS else DTYPE


def fraction_for(validation: Any, rows: int, needed: bool) -> float | None:
    """The share to hold out; None where nothing is.

    Arguments:
        validation: what was asked for: a share, or None.
        rows: how many there are.
        needed: whether something else than the epoch hangs on held-out rows, so that
            few rows are no reason to do without.

    Raises:
        ArgumentError: it is no share, or rows are needed and there are to be none.
    """
    if validation is None:
        must = "a fraction, or rows of your own, as calibration needs them"
        require(not needed, "validation", must, validation)
        return None
    fits = is_number(validation) and 0 < validation < 1
    must = "a fraction between 0 and 1, (X, y), (X, y, sample_weight) or None"
    require(fits, "validation", must, validation)
    return float(validation) if needed or rows > WHOLE_BATCH_ROWS else None


@dataclass(frozen=True)
class ValidationSplit:
    """The numbers of rows to train and to validate on.

    Arguments:
        training, validating: shape (rows,) each.
        together: for each row to validate on a number, the same for rows of a group,
            or for copies; None where each is by itself.
    """

    training: NumpyArray
    validating: NumpyArray
    together: NumpyArray | None = None

    @classmethod
    def of(
        cls, rows: NumpyArray, chosen: NumpyArray, together: NumpyArray | None
    ) -> ValidationSplit:
        """Of some rows those that are chosen to validate on, and the others."""
        apart = None if together is None else together[chosen]
        return cls(rows[~chosen], rows[chosen], apart)


def held_out(
    strata: NumpyArray,
    weights: NumpyArray | None,
    fraction: float,
    seed: int,
    together: NumpyArray | None = None,
) -> NumpyArray:
    """Which rows to validate on: of the weight of each stratum the same share.

    Arguments:
        strata: a number a row, shape (rows,), such as its class.
        weights: one number a row, or None.
        fraction: the share of the weight to hold out.
        seed: of the draw.
        together: a number a row from 0 on, the same for rows of one stratum that stay
            on one side; None where each is by itself.

    Returns:
        A mask of shape (rows,).

    Raises:
        ArgumentError: one side would be empty.

    Example:
        >>> import numpy as np
        >>> classes = np.array([0] * 8 + [1] * 4)
        >>> np.bincount(classes[held_out(classes, None, 0.25, seed=0)]).tolist()
        [2, 1]
    """
    if together is not None:
        first = np.unique(together, return_index=True)[1]
        of_each = np.bincount(together, weights)
        return held_out(strata[first], of_each, fraction, seed)[together]
    rows = len(strata)
    chosen = chosen_share(strata, weights, fraction, seed)
    if not 0 < chosen.sum() < rows:
        raise ArgumentError(
            f"validation={fraction} of n_samples = {rows} leaves "
            f"{rows - chosen.sum()} to train and {chosen.sum()} to validate; give "
            "validation=(X, y) or validation=None"
        )
    return chosen
