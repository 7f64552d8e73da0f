"""Rows drawn so that of each stratum the same share of the weight is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray


def orders(seed: int) -> np.random.Generator:
    """Where the orders come from in which rows are held out."""
    return np.random.Generator(np.random.Philox(key=[seed, 2**32]))


def chosen_share(
    strata: NumpyArray, weights: NumpyArray | None, fraction: float, seed: int
) -> NumpyArray:
    """Rows drawn at random: of the weight of each stratum the same share.

    Where strata of a row or two would make far too many or too few of it, strata don't
    count. One side may be empty where rows are few.

    Arguments:
        strata: a number a row, shape (rows,), such as its class.
        weights: one number a row, or None.
        fraction: the share of the weight to choose.
        seed: of the draw.

    Returns:
        A mask of shape (rows,).

    Example:
        >>> classes = np.array([0] * 8 + [1] * 4)
        >>> np.bincount(classes[chosen_share(classes, None, 0.25, seed=0)]).tolist()
        [2, 1]
    """
    rows = len(strata)
    weighted = np.ones(rows) if weights is None else weights
    order = orders(seed).permutation(rows)
    chosen = first_shares(strata, weighted, fraction, order)
    share = weighted[chosen].sum() / weighted.sum()
    if not fraction / 2 < share < (1 + fraction) / 2:  # strata of a row or two
        chosen = first_shares(np.zeros(rows, np.int64), weighted, fraction, order)
    return chosen


def first_shares(
    strata: NumpyArray, weights: NumpyArray, fraction: float, order: NumpyArray
) -> NumpyArray:
    """Of each stratum the first rows in an order, up to a share of its weight."""
    by_stratum = order[np.argsort(strata[order], kind="stable")]
    sorted_weights = weights[by_stratum]
    _, starts = np.unique(strata[by_stratum], return_index=True)
    totals = np.add.reduceat(sorted_weights, starts)
    sizes = np.diff(np.append(starts, len(strata)))
    before = np.cumsum(sorted_weights) - sorted_weights
    before -= np.repeat(before[starts], sizes)
    chosen = np.empty(len(strata), np.bool_)
    middles = before + sorted_weights / 2
    chosen[by_stratum] = middles < fraction * np.repeat(totals, sizes)
    return chosen
