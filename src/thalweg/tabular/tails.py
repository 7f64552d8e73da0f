"""Whether a number has a heavy tail, as prices have."""

from __future__ import annotations

import numpy as np

from thalweg.tables.declared import way
from thalweg.tables.scales import Floats
from thalweg.tables.table import Table
from thalweg.tabular.settings import Settings

FEWEST_ROWS = 100
HEAVY = 4.0
"""How many times as far from the median the 99th percentile is than the 1st."""

LARGEST = np.finfo(np.float64).max.item()

LIGHT = 0.6
"""A logarithm whose upper tail is shorter than this has a heavy lower one instead."""


def tail_hint(
    table: Table, name: str, values: Floats, settings: Settings
) -> tuple[str, ...]:
    """A sentence on a target whose logarithm is easier to learn; mostly nothing.

    Arguments:
        table: whose options are named.
        name: the target's column.
        values: of the training rows.
        settings: where nothing is chosen that decides it.
    """
    chosen = settings.target_scale is not None or settings.loss == "poisson"
    if chosen or not has_heavy_tail(values):
        return ()
    high, median = np.quantile(values, [0.99, 0.5]).tolist()
    times = min(high / median, LARGEST)
    return (
        f"{name!r} has a heavy tail, its 99th percentile is {times:.2g} times its "
        f"median: {way(table, 'target_scale', 'log')} learns its logarithm",
    )


def has_heavy_tail(values: Floats) -> bool:
    """Whether numbers above 0 reach far up, and their logarithms hardly farther.

    What is compared are distances of the 99th and the 1st percentile from the median:
    no outlier has a part in them. Those of a normal and a uniform distribution are the
    same; those of a lognormal one have the ratio e^(2.33σ), and its logarithm's are the
    same.

    >>> normal = np.random.default_rng(0).normal(size=1_000)
    >>> has_heavy_tail(normal + 9), has_heavy_tail(np.exp(normal))
    (False, True)
    """
    if len(values) < FEWEST_ROWS or values.min() <= 0:
        return False
    ratio = tail_ratio(values)
    return ratio >= HEAVY and LIGHT <= tail_ratio(np.log(values)) <= ratio / 2


def tail_ratio(values: Floats) -> float:
    """The upper tail's length divided by the lower one's; 0 where there is none.

    >>> tail_ratio(np.linspace(0.0, 1.0, 101))
    1.0
    """
    low, middle, high = np.quantile(values, [0.01, 0.5, 0.99]).tolist()
    return (high - middle) / (middle - low) if middle > low else 0.0
