"""The same experiment many times: from other seeds, or with other learning rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.errors import DivergenceError
from thalweg.playground.experiment import Experiment
from thalweg.playground.rows import Data
from thalweg.playground.setup import session_of
from thalweg.program.types import NumpyArray
from thalweg.recording.recorder import Arrays

SEEDS = 8
RATES = tuple(float(f"{10**power:.1g}") for power in np.arange(-3, 1.1, 0.5))
"""0.001, 0.003 and so on to 10."""

Answer = tuple[dict[str, Any], Arrays]


def curves(experiment: Experiment, data: Data) -> tuple[NumpyArray, str]:
    """The losses of an experiment's epochs, (2, epochs + 1): training, validation.

    From the epoch on in which it diverges they are NaN; the words of that error are the
    other result.
    """
    session = session_of(experiment, data)
    found = np.full((2, experiment.epochs + 1), math.nan, np.float32)
    try:
        while session.epochs_done < session.epochs:
            record = session.epoch()
            held_out = record.validation_loss
            found[:, record.epoch] = (
                record.training_loss,
                math.nan if held_out is None else held_out,
            )
    except DivergenceError as error:
        return found, str(error)
    return found, ""


def curves_of_seeds(experiment: Experiment, data: Data) -> Iterator[Answer]:
    """Eight runs from seeds of their own, beginning with the experiment's; the last
    answer has the median of all, epoch by epoch.
    """
    every: list[NumpyArray] = []
    for number in range(SEEDS):
        own = replace(experiment, seed=experiment.seed + number)
        found, diverged = curves(own, data)
        every.append(found)
        yield {"seed": own.seed, "diverged": diverged or None}, {"losses": found}
    yield {}, {"median": np.median(np.stack(every), axis=0).astype(np.float32)}


def curves_of_rates(experiment: Experiment, data: Data) -> Iterator[Answer]:
    """A run for each of some learning rates."""
    for rate in RATES:
        found, diverged = curves(replace(experiment, learning_rate=rate), data)
        told = {"rate": rate, "diverged": diverged or None}
        yield told, {"losses": found}
