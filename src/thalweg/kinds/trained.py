"""A tested network, whatever kind of data it learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from thalweg.kinds.model import Model
from thalweg.kinds.parts import Parts
from thalweg.kinds.scores import Metrics
from thalweg.model.history import History
from thalweg.training.curves import CurveReading

ModelT = TypeVar("ModelT", bound=Model)
PartsT = TypeVar("PartsT", bound=Parts)


@dataclass(frozen=True)
class TrainedModel(Generic[ModelT, PartsT]):
    """A tested network, and how it came about.

    Arguments:
        model: the network with what it needs to read data; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the data in parts, encoded.
        test: metrics on what was never used.
        baselines: the same metrics on the same for simpler models.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
    """

    model: ModelT
    history: History
    prepared: PartsT
    test: Metrics
    baselines: dict[str, Metrics]
    reading: CurveReading
    notes: tuple[str, ...]
    diverged: str
