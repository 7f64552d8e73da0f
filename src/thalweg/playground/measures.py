"""Numbers of a finished run that a question asks for, or a task sets a bound to."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.checks import look_up
from thalweg.errors import ArgumentError
from thalweg.playground.run import Run
from thalweg.program.types import NumpyArray

MANY = 0.9
"""The accuracy that counts as learned."""


def curve(run: Run, name: str) -> NumpyArray:
    """A number of every frame."""
    return np.array([float(frame[name]) for frame in run.film.frames])


def measures(run: Run) -> dict[str, float]:
    """All numbers of a run that is over."""
    validation, training = curve(run, "validation_loss"), curve(run, "training_loss")
    right, learned = curve(run, "validation_metric"), curve(run, "training_metric")
    best = int(run.standing()["best_epoch"])
    there = np.flatnonzero(right >= MANY)
    norms = run.film.frames[min(1, len(right) - 1)]["gradient_norms"]
    experiment = run.experiment
    return {
        "best_epoch": best,
        "stopped_epoch": run.standing()["stopped_epoch"] or len(right) - 1,
        "first_validation_loss": validation[0],
        "lowest_validation_loss": validation[best],
        "last_validation_loss": validation[-1],
        "last_training_loss": training[-1],
        "gap": validation[-1] - training[-1],
        "accuracy": right[best],
        "training_accuracy": learned[best],
        "epochs_to_90": float(there[0]) if len(there) else len(right),
        "diverged": float(bool(run.film.diverged)),
        "first_to_last_gradient": float(norms[0] / norms[-1]),
        "parameters": run.network.memory.parameters.size,
        "hidden_layers": len(experiment.layers),
        "units": sum(layer.units for layer in experiment.layers),
        "learning_rate": experiment.learning_rate,
        "dropped": max((layer.dropout for layer in experiment.layers), default=0.0),
        "batch_size": experiment.batch_size,
        "training_rows": len(run.data.training[0]),
    }


MEASURES = (
    *("best_epoch", "stopped_epoch", "first_validation_loss", "lowest_validation_loss"),
    *("last_validation_loss", "last_training_loss", "gap", "accuracy"),
    *("training_accuracy", "epochs_to_90", "diverged", "first_to_last_gradient"),
    *("parameters", "hidden_layers", "units", "learning_rate", "dropped"),
    *("batch_size", "training_rows"),
)
SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
CONDITION = re.compile(r"(\w+) (<=|>=|<|>|=) (-?[\d.]+)")


@dataclass(frozen=True)
class Condition:
    """A bound to one of the numbers, such as ``accuracy >= 0.95``."""

    measure: str
    sign: str
    bound: float

    @classmethod
    def read(cls, text: str) -> Condition:
        """From its text.

        Raises:
            ArgumentError: it is none.
        """
        found = CONDITION.fullmatch(text)
        if found is None:
            raise ArgumentError(f"a condition must be like gap <= 0.1, got {text!r}")
        look_up("measure", found[1], dict.fromkeys(MEASURES))
        return cls(found[1], found[2], float(found[3]))

    def __str__(self) -> str:
        return f"{self.measure.replace('_', ' ')} {self.sign} {self.bound:g}"

    def holds(self, numbers: Mapping[str, float]) -> bool:
        """Whether a run keeps it."""
        return SIGNS[self.sign](numbers[self.measure], self.bound)
