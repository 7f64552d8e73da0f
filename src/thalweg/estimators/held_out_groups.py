"""Rows of a group stay on one side: whole groups are held out."""

from __future__ import annotations

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.program.types import NumpyArray
from thalweg.tables.splitting.groups import chosen_groups

INSTEAD = "give validation=(X, y), or validation=None"


def held_out_groups(
    groups: NumpyArray,
    strata: NumpyArray,
    weights: NumpyArray | None,
    fraction: float,
    seed: int,
    complete: bool,
) -> NumpyArray:
    """Which rows to validate on: of whole groups, the share nearest to what is asked.

    Arguments:
        groups: the number of each row's group, shape (rows,).
        strata: a number a row, such as its class, shape (rows,).
        weights: one number a row, or None.
        fraction: the share of each stratum's weight to hold out.
        seed: of the orders in which groups are tried.
        complete: whether each stratum must stay among the other rows, too.

    Returns:
        A mask of shape (rows,).

    Raises:
        ArgumentError: no group can be held out.
    """
    found = len(np.unique(groups))
    if found < 2:
        raise ArgumentError(
            f"groups must be two or more, so that one can be held out, got 1; {INSTEAD}"
        )
    chosen = chosen_groups(groups, strata, weights, fraction, seed, complete)
    if chosen is None:
        raise ArgumentError(
            "groups must leave each class in two of them, so that one can be held "
            f"out, but each of the {found} has a class of its own; {INSTEAD}"
        )
    return chosen
