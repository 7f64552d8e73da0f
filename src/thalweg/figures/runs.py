"""Real runs, and what figures need of them as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.errors import DivergenceError
from thalweg.figures.samples import Sample
from thalweg.formulas.layers import Layer
from thalweg.network import Network


@dataclass(frozen=True)
class Curve:
    """Points joined by a line."""

    label: str
    x: list[float]
    y: list[float]


@dataclass(frozen=True)
class Band:
    """What several runs did: the median at every x, the lowest and the highest."""

    label: str
    x: list[float]
    median: list[float]
    low: list[float]
    high: list[float]


def trained(layers: Sequence[Layer], rows: Sample, **options: Any) -> Network:
    """A network after `fit`, also where it diverged: its history tells.

    Arguments:
        layers: of the network.
        rows: to train on.
        options: of `Network.fit`; every epoch is run and no rows are held out unless
            they say otherwise.
    """
    network = Network(layers)
    alone: dict[str, Any] = {"validation": None, "early_stopping": None}
    with suppress(DivergenceError):
        network.fit(rows.X, rows.y, **{**alone, **options})
    return network


def diverged(network: Network) -> bool:
    """Whether the last fit ended with a `DivergenceError`."""
    return network.history.stopped_because == "diverged"


def band(label: str, x: Sequence[float], runs: Sequence[Sequence[float]]) -> Band:
    """The median, lowest and highest of runs of the same length."""
    values = np.asarray(runs, np.float64)
    middle = np.median(values, axis=0)
    low, high = values.min(axis=0), values.max(axis=0)
    return Band(
        label, list(map(float, x)), middle.tolist(), low.tolist(), high.tolist()
    )
