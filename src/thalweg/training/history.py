"""What happened while a network was trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

Metrics = dict[str, float]
DIVERGED = "diverged"


@dataclass(frozen=True)
class EpochRecord:
    """One epoch: its losses, metrics, learning rate and duration.

    Arguments:
        epoch: counted from 1.
        training_loss: mean over the epoch's batches, as each was met in training.
        validation_loss: on the validation rows after the epoch; None without any.
        training_metrics, validation_metrics: by name, such as ``accuracy``.
        learning_rate: that of the epoch's last step.
        seconds: how long the epoch took, validation included.

    Example:
        >>> EpochRecord(1, 0.7, 0.6, {"accuracy": 0.5}, {}, 0.01, 0.1).validation_loss
        0.6
    """

    epoch: int
    training_loss: float
    validation_loss: float | None
    training_metrics: Metrics
    validation_metrics: Metrics
    learning_rate: float
    seconds: float


@dataclass
class History:
    """The losses and metrics of every epoch, the best epoch, and why training stopped.

    The training loss is the mean over the epoch's batches while the weights moved and
    dropout was on, without penalties; so it can start above the validation loss.

    Arguments:
        epochs: one record for each epoch that was finished.
        best_epoch: the epoch with the lowest validation loss (without validation rows
            the last one), counted from 1; 0 before any epoch was finished.
        stopped_because: a sentence.
        settings: how the run was set up: loss, optimizer, batch size, seed, rows.

    Example:
        >>> record = EpochRecord(1, 0.7, 0.6, {"accuracy": 0.5}, {}, 0.01, 0.1)
        >>> history = History([record], best_epoch=1, stopped_because="1 epoch done")
        >>> history.training_loss, history.validation_loss
        ([0.7], [0.6])
        >>> History.from_dict(history.to_dict()) == history
        True
    """

    epochs: list[EpochRecord] = field(default_factory=list[EpochRecord])
    best_epoch: int = 0
    stopped_because: str = ""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def training_loss(self) -> list[float]:
        """The training loss of every epoch."""
        return [record.training_loss for record in self.epochs]

    @property
    def validation_loss(self) -> list[float]:
        """The validation loss of every epoch; empty without validation rows."""
        losses = [record.validation_loss for record in self.epochs]
        return [loss for loss in losses if loss is not None]

    @property
    def training_metrics(self) -> dict[str, list[float]]:
        """Each training metric's value in every epoch."""
        return columns([record.training_metrics for record in self.epochs])

    @property
    def validation_metrics(self) -> dict[str, list[float]]:
        """Each validation metric's value in every epoch."""
        return columns([record.validation_metrics for record in self.epochs])

    @property
    def learning_rate(self) -> list[float]:
        """The learning rate at the end of every epoch."""
        return [record.learning_rate for record in self.epochs]

    @property
    def seconds(self) -> list[float]:
        """The duration of every epoch."""
        return [record.seconds for record in self.epochs]

    @property
    def stopped_epoch(self) -> int:
        """The last epoch that was finished, counted from 1."""
        return len(self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """The history as plain data, for JSON; a metric that isn't finite is None."""
        data = asdict(self)
        for record in data["epochs"]:
            for name in ("training_metrics", "validation_metrics"):
                record[name] = {k: finite(v) for k, v in record[name].items()}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """A history from what `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: the data isn't a history.
        """
        epochs = [
            record_from(number, each) for number, each in numbered(data["epochs"])
        ]
        best, because = data["best_epoch"], data["stopped_because"]
        if best not in range(len(epochs) + 1) or not isinstance(because, str):
            raise ValueError(f"a history can't have {best=} and {because=}")
        return cls(epochs, int(best), because, dict(data["settings"]))


def numbered(records: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """Epochs as plain data, with their numbers from 1."""
    return list(enumerate(cast(list[Mapping[str, Any]], records), 1))


def record_from(number: int, data: Mapping[str, Any]) -> EpochRecord:
    """An epoch's record from plain data, if it is that of the epoch."""
    if data["epoch"] != number:
        raise ValueError(f"epoch {number} must come next, got {data['epoch']!r}")
    validation_loss = data["validation_loss"]
    return EpochRecord(
        number,
        real(data["training_loss"]),
        None if validation_loss is None else real(validation_loss),
        metrics_from(data["training_metrics"]),
        metrics_from(data["validation_metrics"]),
        real(data["learning_rate"]),
        real(data["seconds"]),
    )


def metrics_from(data: Mapping[str, Any]) -> Metrics:
    """Metrics by name; None stands for one that wasn't finite."""
    return {
        str(name): math.nan if value is None else real(value)
        for name, value in data.items()
    }


def real(value: Any) -> float:
    """A number of plain data."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"must be a number, got {value!r}")
    return float(value)


def finite(value: float) -> float | None:
    """The number if JSON has it."""
    return value if math.isfinite(value) else None


def columns(rows: list[Metrics]) -> dict[str, list[float]]:
    """Rows of named values as named columns."""
    names = rows[0] if rows else {}
    return {name: [row[name] for row in rows] for name in names}
