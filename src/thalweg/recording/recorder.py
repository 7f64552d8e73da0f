"""What a page shows of a network at one moment of its training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from thalweg.checks import is_whole, require
from thalweg.model.history import EpochRecord, History
from thalweg.model.metrics import CLASS_LOSSES
from thalweg.network import Network
from thalweg.program.types import NumpyArray
from thalweg.recording.columns import Column, columns_of, curves_of
from thalweg.recording.plane import Plane
from thalweg.training.session import Session

BINS = 16
LOW, HIGH = -4.0, 4.0
"""Of the sums z that are counted; those outside are in the first bin or the last."""

MOST_DIFFERENCES = 1_000
"""Parameters whose slopes are checked by finite differences: each takes two losses."""

Arrays = dict[str, NumpyArray]


@dataclass
class Recorder:
    """Looks at a session between two steps.

    Arguments:
        session: what trains.
        row: the number of the training row that is followed through the network.
        axes: the two features that pictures go along.

    Raises:
        ArgumentError: the network isn't one of dense layers, or there is no such row
            or feature.
    """

    session: Session[Network]
    row: int = 0
    axes: tuple[int, int] = (0, 1)
    columns: list[Column] = field(init=False)
    first_rate: float = field(init=False)  # the learning rate of the first step

    def __post_init__(self) -> None:
        self.columns = columns_of(self.network)
        self.first_rate = self.session.learning_rate
        rows, features = self.X.shape
        for name, chosen, count in (
            ("row", self.row, rows),
            ("axes", self.axes[0], max(features, 2)),
            ("axes", self.axes[1], max(features, 2)),
        ):
            fits = is_whole(chosen) and 0 <= chosen < count
            require(fits, name, f"a number from 0 to {count - 1}", chosen)

    @property
    def network(self) -> Network:
        """With the parameters of now."""
        return self.session.network

    @property
    def history(self) -> History:
        """What happened so far."""
        return self.session.history

    @property
    def X(self) -> NumpyArray:  # noqa: N802 - its name in formulas
        """The training rows' inputs, shape (rows, features)."""
        return self.session.training[0]

    @property
    def y(self) -> NumpyArray:
        """The training rows' targets: class numbers or numbers."""
        return self.session.training[1]

    @property
    def task(self) -> str:
        """What is told of a row: ``binary``, ``classes`` or ``numbers``."""
        loss = self.network.loss
        assert loss is not None
        if loss.name not in CLASS_LOSSES:
            return "numbers"
        return "binary" if self.network.shapes.outputs[-1][-1] == 1 else "classes"

    @property
    def metric(self) -> str:
        """The one that is shown beside the loss."""
        return "r2" if self.task == "numbers" else "accuracy"

    @cached_property
    def plane(self) -> Plane | None:
        """What pictures go along; None where there are fewer than two features."""
        if self.X.shape[1] < 2:
            return None
        low, high = (0.0, 1.0)
        if self.task == "numbers":
            low, high = float(self.y.min()), float(self.y.max())
        held_out = self.session.validation
        X = self.X if held_out is None else np.concatenate([self.X, held_out[0]])
        return Plane.around(X, self.axes, low, high if high > low else low + 1)

    # What stays -----------------------------------------------------------------------

    def fixed(self) -> Arrays:
        """The rows, and the curves of the activations."""
        session = self.session
        parts = {"training": session.training, "validation": session.validation}
        rows = {
            f"{name}.{which}": np.asarray(part[place], np.float32)
            for name, part in parts.items()
            if part is not None
            for place, which in enumerate("Xy")
        }
        return rows | curves_of(self.columns)

    # What moves -----------------------------------------------------------------------

    def frame(self, record: EpochRecord | None = None) -> Arrays:
        """Everything that a page shows of this moment.

        Arguments:
            record: of the epoch that is just over; None before the first step, where
                losses and metrics are those of prediction.
        """
        return {**self.figures(record), **self.followed(), **self._pictures()}

    def figures(self, record: EpochRecord | None = None) -> Arrays:
        """Losses, metrics, parameters, and what all training rows make of the units."""
        return {
            **(self._start() if record is None else self._of_epoch(record)),
            "parameters": self.network.memory.parameters.astype(np.float32),
            **self._rows(),
        }

    def _start(self) -> Arrays:
        """Losses and metrics before the first step."""
        training, validation = (
            {} if part is None else self.network.evaluate(*part)
            for part in (self.session.training, self.session.validation)
        )
        return self._named(
            training.get("loss"),
            validation.get("loss"),
            training.get(self.metric),
            validation.get(self.metric),
            self.session.learning_rate,
        )

    def _of_epoch(self, record: EpochRecord) -> Arrays:
        """Losses and metrics of an epoch."""
        return self._named(
            record.training_loss,
            record.validation_loss,
            record.training_metrics.get(self.metric),
            record.validation_metrics.get(self.metric),
            record.learning_rate,
        )

    def _named(self, *figures: float | None) -> Arrays:
        return {
            name: np.array(math.nan if figure is None else figure, np.float64)
            for name, figure in zip(FIGURES, figures, strict=True)
        }

    def _rows(self) -> Arrays:
        """Of all training rows: how long each layer's gradient is, and the sums z."""
        found = self.network.backpropagation(self.X, self.y)
        norms = [
            np.linalg.norm(
                np.concatenate(
                    [
                        found.gradients[f"{column.number}.{own}"].ravel().astype(float)
                        for own in column.places
                    ]
                )
            )
            for column in self.columns
        ]
        sums = [found.layers[column.number].z for column in self.columns]
        return {
            "gradient_norms": np.array(norms, np.float32),
            "z_counts": counts(np.concatenate(sums, axis=1)),
        }

    def followed(self) -> Arrays:
        """Of the one row that is followed: z, a, δ, its gradient, its loss."""
        X, y = self.X[[self.row]], self.y[[self.row]]
        found = self.network.backpropagation(X, y)
        parts = [found.layers[column.number] for column in self.columns]
        numbers = {
            "row.z": side_by_side([part.z for part in parts]),
            "row.a": side_by_side([part.a for part in parts]),
            "row.delta": side_by_side([part.delta for part in parts]),
            "row.slope": side_by_side(
                [c.slope(part.z) for c, part in zip(self.columns, parts, strict=True)]
            ),
            "row.gradient": found.gradient.astype(np.float32),
            "row.loss": np.array(found.losses[0], np.float64),
        }
        if found.gradient.size <= MOST_DIFFERENCES:
            slopes = self.network.finite_differences(X, y)
            numbers["row.difference"] = slopes.astype(np.float32)
        return numbers

    def _pictures(self) -> Arrays:
        """What the network and its units give on the plane."""
        if self.plane is None:
            return {}
        hidden = self.columns[:-1]
        found: Arrays = {"map": self.plane.outputs(self.network)}
        if hidden:
            found["units"], found["units_scale"] = self.plane.units(
                self.network,
                [column.number for column in hidden],
                [column.is_bounded for column in hidden],
            )
        return found

    def describe_row(self) -> dict[str, Any]:
        """Which row is followed, as plain data."""
        target: Any = self.y[self.row].tolist()
        return {"number": self.row, "part": "training", "target": target}


class FiguresRecorder(Recorder):
    """Looks at figures alone, where nobody looks at pictures: it takes less time."""

    def frame(self, record: EpochRecord | None = None) -> Arrays:
        """Those of `Recorder.figures`."""
        return self.figures(record)


FIGURES = (
    *("training_loss", "validation_loss", "training_metric", "validation_metric"),
    "learning_rate",
)
"""The numbers of a frame that curves are drawn of."""


def side_by_side(parts: Sequence[NumpyArray]) -> NumpyArray:
    """What the units of all columns give for one row, shape (units,)."""
    return np.concatenate([part[0] for part in parts]).astype(np.float32)


def counts(z: NumpyArray) -> NumpyArray:
    """How many rows have a sum in each bin, for each unit: (units, BINS)."""
    bins = np.clip((z - LOW) * (BINS / (HIGH - LOW)), 0, BINS - 1).astype(int)
    return np.stack(
        [(bins == each).sum(axis=0) for each in range(BINS)], axis=1
    ).astype(np.int32)
