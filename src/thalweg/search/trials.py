"""Trials: some settings, and how they did on each fold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.search.halving import Outcome

if TYPE_CHECKING:
    import polars

DEFAULT = 0  # the number of the trial whose settings are those that hold without tuning


@dataclass(frozen=True)
class FoldRun:
    """Training without one fold, scored on it.

    Arguments:
        loss: on the fold; infinite if training diverged at once.
        metrics: on the fold, by name.
        best_epoch: the epoch whose weights were scored, from 1.
        ended: whether training stopped by itself before its epochs were over.
        seconds: how long it took.
    """

    loss: float
    metrics: Mapping[str, float]
    best_epoch: int
    ended: bool
    seconds: float


@dataclass(frozen=True)
class Trial:
    """Some settings, trained for some epochs on every fold.

    Arguments:
        number: of the settings; 0 are the defaults.
        point: what was chosen, by dimension.
        epochs: the most that each fold was trained.
        losses: on every fold.
        metrics: the mean over the folds, by name.
        best_epochs: those whose weights were scored.
        ended: whether training stopped by itself in every fold.
        seconds: of all folds together.
    """

    number: int
    point: dict[str, Any]
    epochs: int
    losses: tuple[float, ...]
    metrics: dict[str, float]
    best_epochs: tuple[int, ...]
    ended: bool
    seconds: float

    @classmethod
    def of(
        cls, number: int, point: Mapping[str, Any], epochs: int, runs: Sequence[FoldRun]
    ) -> Trial:
        """What the folds' runs come to."""
        names = set[str].intersection(*(set(run.metrics) for run in runs))
        return cls(
            number,
            dict(point),
            epochs,
            tuple(run.loss for run in runs),
            {n: float(np.mean([r.metrics[n] for r in runs])) for n in sorted(names)},
            tuple(run.best_epoch for run in runs),
            all(run.ended for run in runs),
            sum(run.seconds for run in runs),
        )

    @property
    def loss(self) -> float:
        """The mean over the folds."""
        return math.fsum(self.losses) / len(self.losses)

    def is_whole(self, epochs: int) -> bool:
        """Whether more epochs would change nothing."""
        return self.ended or self.epochs >= epochs

    @property
    def outcome(self) -> Outcome:
        """What successive halving has to know."""
        return Outcome(self.loss, self.ended)

    def to_dict(self) -> dict[str, Any]:
        """The trial as plain data, for JSON; a loss that isn't finite is None."""
        return {
            "number": self.number,
            "point": self.point,
            "epochs": self.epochs,
            "losses": [x if math.isfinite(x) else None for x in self.losses],
            "metrics": self.metrics,
            "best_epochs": list(self.best_epochs),
            "ended": self.ended,
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trial:
        """A trial from what `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: the data isn't a trial.
        """
        return cls(
            int(data["number"]),
            dict(data["point"]),
            int(data["epochs"]),
            tuple(math.inf if x is None else float(x) for x in data["losses"]),
            {str(k): float(v) for k, v in data["metrics"].items()},
            tuple(int(x) for x in data["best_epochs"]),
            bool(data["ended"]),
            float(data["seconds"]),
        )


def ranked(trials: Iterable[Trial], epochs: int) -> list[Trial]:
    """Of each settings the trial of most epochs; the lowest loss first.

    Those that weren't trained to the end come after those that were.

    Arguments:
        trials: all that there are.
        epochs: the most that a network is trained.
    """
    longest: dict[int, Trial] = {}
    for trial in sorted(trials, key=lambda each: each.epochs):
        longest[trial.number] = trial
    return sorted(
        longest.values(),
        key=lambda each: (not each.is_whole(epochs), each.loss, each.number),
    )


def table_of(trials: Iterable[Trial]) -> polars.DataFrame:
    """One row for each trial, in their order."""
    import polars

    every = list(trials)
    names = dict.fromkeys(name for each in every for name in each.point)
    rows = [
        {
            "trial": each.number,
            **names,
            **each.point,
            "epochs": each.epochs,
            "loss": each.loss,
            **each.metrics,
            "seconds": each.seconds,
        }
        for each in every
    ]
    return polars.DataFrame(rows, infer_schema_length=None)
