"""What happened while a network was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, cast

Metrics = dict[str, float]


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
        """The history as plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """A history from what `to_dict` gave.

        Raises:
            KeyError, TypeError: the data isn't a history.
        """
        names = [f.name for f in fields(EpochRecord)]
        records = cast(list[Mapping[str, Any]], data["epochs"])
        epochs = [
            EpochRecord(**{name: record[name] for name in names}) for record in records
        ]
        return cls(
            epochs, data["best_epoch"], data["stopped_because"], dict(data["settings"])
        )


def columns(rows: list[Metrics]) -> dict[str, list[float]]:
    """Rows of named values as named columns."""
    names = rows[0] if rows else {}
    return {name: [row[name] for row in rows] for name in names}
