"""A few rows of each source, for the buttons that choose one."""

from __future__ import annotations

from functools import cache

from thalweg.playground.datasets import SOURCES
from thalweg.playground.experiment import Experiment
from thalweg.playground.rows import data_of

ROWS = 40
PLACES = 2  # behind the point


@cache
def thumbnails() -> dict[str, list[list[float]]]:
    """Of each source whose rows are points in a plane: x, y and class of some."""
    found: dict[str, list[list[float]]] = {}
    for name in [*SOURCES, "penguins"]:
        if SOURCES[name].recipe is not None or name in ("formula", "penguins"):
            X, y = data_of(Experiment(data=name, training_rows=ROWS)).training
            rows = zip(X[:, :2].tolist(), y.tolist(), strict=True)
            found[name] = [[*(round(v, PLACES) for v in at), kind] for at, kind in rows]
    return found
