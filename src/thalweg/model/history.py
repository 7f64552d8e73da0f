"""What happened while a network was trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from thalweg.model.constant_guess import GUESSES
from thalweg.model.epochs import OF_METRICS, EpochRecord, Epochs, Metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DIVERGED", "EpochRecord", "History", "Metrics", "Rise"]

DIVERGED = "diverged"
SURE = 2.0  # standard errors


@dataclass(frozen=True)
class Rise:
    """How much more the same rows lose with some weights than with others.

    Arguments:
        mean: the mean over the rows of how much more each loses.
        standard_error: of that mean, by how the rows differ in it.

    Example:
        >>> Rise.between([1.0, 2.0], [1.5, 3.5], [1.0, 1.0])
        Rise(mean=1.0, standard_error=0.5)
    """

    mean: float
    standard_error: float

    @property
    def is_sure(self) -> bool:
        """Whether it is more than twice its standard error."""
        return self.mean > SURE * self.standard_error

    @classmethod
    def between(
        cls,
        before: ArrayLike,
        after: ArrayLike,
        weights: ArrayLike,
    ) -> Rise:
        """The rise of rows, or of parts of some rows each.

        d̄ = Σ wᵢdᵢ / Σ wᵢ, d = after − before; its standard error is
        √(n/(n − 1) Σ wᵢ²(dᵢ − d̄)²) / Σ wᵢ

        Arguments:
            before, after: the mean loss of each.
            weights: how much each counts.
        """
        w, d = np.asarray(weights, np.float64), np.subtract(after, before)
        mean, count = float(w @ d / w.sum()), len(d)
        spread = math.sqrt(float(w**2 @ (d - mean) ** 2) * count / max(count - 1, 1))
        return cls(mean, spread / float(w.sum()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rise:
        """A rise from plain data.

        Raises:
            KeyError, TypeError, ValueError: the data isn't one.
        """
        names = ("mean", "standard_error")
        return cls(*(real_and_finite(data[name]) for name in names))


@dataclass(init=False)
class History:
    """The losses and metrics of every epoch, the best epoch, and why training stopped.

    The training loss is the mean over the epoch's batches while the weights moved and
    dropout was on, without penalties; so it can start above the validation loss.

    Arguments:
        epochs: one record for each epoch that was finished. They are kept as an array,
            and behave as a list of which nothing is replaced.
        best_epoch: the epoch with the lowest validation loss (without validation rows
            the last one), counted from 1; 0 before any epoch was finished.
        stopped_because: a sentence.
        settings: how the run was set up: loss, optimizer, batch size, seed, rows.
        constant_loss: what the best constant guess of the training rows, such as the
            classes' shares, loses on the validation rows, or without any on those
            rows themselves; None where that isn't known.
        rise: how much more the validation rows lost in the end than in the best epoch,
            where that could be overfitting; else None.

    Example:
        >>> record = EpochRecord(1, 0.7, 0.6, {"accuracy": 0.5}, {}, 0.01, 0.1)
        >>> history = History([record], best_epoch=1, stopped_because="1 epoch done")
        >>> history.training_loss, history.validation_loss
        ([0.7], [0.6])
        >>> History.from_dict(history.to_dict()) == history
        True
    """

    epochs: Epochs
    best_epoch: int
    stopped_because: str
    settings: dict[str, Any]
    constant_loss: float | None
    rise: Rise | None

    def __init__(
        self,
        epochs: Iterable[EpochRecord] = (),
        best_epoch: int = 0,
        stopped_because: str = "",
        settings: dict[str, Any] | None = None,
        constant_loss: float | None = None,
        rise: Rise | None = None,
    ) -> None:
        self.epochs = epochs if isinstance(epochs, Epochs) else Epochs(epochs)
        self.best_epoch, self.stopped_because = best_epoch, stopped_because
        self.settings = {} if settings is None else settings
        self.constant_loss, self.rise = constant_loss, rise

    @property
    def training_loss(self) -> list[float]:
        """The training loss of every epoch."""
        return self.epochs.figure("training_loss")

    @property
    def validation_loss(self) -> list[float]:
        """The validation loss of every epoch; empty without validation rows."""
        return self.epochs.figure("validation_loss")

    @property
    def training_metrics(self) -> dict[str, list[float]]:
        """Each training metric's value in every epoch."""
        return self._metrics("training_metrics.")

    @property
    def validation_metrics(self) -> dict[str, list[float]]:
        """Each validation metric's value in every epoch."""
        return self._metrics("validation_metrics.")

    def _metrics(self, group: str) -> dict[str, list[float]]:
        names = [name for name in self.epochs.names if name.startswith(group)]
        return {name.removeprefix(group): self.epochs.figure(name) for name in names}

    @property
    def learning_rate(self) -> list[float]:
        """The learning rate at the end of every epoch."""
        return self.epochs.figure("learning_rate")

    @property
    def seconds(self) -> list[float]:
        """The duration of every epoch."""
        return self.epochs.figure("seconds")

    @property
    def stopped_epoch(self) -> int:
        """The last epoch that was finished, counted from 1."""
        return len(self.epochs)

    @property
    def kept_epoch(self) -> int:
        """The epoch whose weights were kept.

        With early stopping, or where the run diverged, the best; else the last.
        """
        stops = self.settings.get("early_stopping", True)
        goes_back = stops or self.stopped_because == DIVERGED
        return self.best_epoch if goes_back else self.stopped_epoch

    @property
    def worse_than_constant(self) -> str:
        """Whether the weights that were kept lose more than the best constant guess.

        Returns:
            A few words with both losses; empty if they lose less, or it isn't known.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X, y = np.array([[1.0], [2.0], [3.0]]), [1, 0, 1]
            >>> network = tw.Network([tw.Dense(4, "tanh"), tw.Dense(1, "sigmoid")])
            >>> how = {"epochs": 5, "validation": None, "early_stopping": None}
            >>> history = network.fit(X, y, optimizer=tw.SGD(9.0), **how)
            >>> history.worse_than_constant
            "worse than always giving the classes' shares: ... against 0.637"
        """
        losses = self.validation_loss or self.training_loss
        if self.constant_loss is None or not self.kept_epoch:
            return ""
        loss = losses[self.kept_epoch - 1]
        if not loss > self.constant_loss:
            return ""
        guess = GUESSES.get(self.settings.get("loss", ""))
        words = "the same" if guess is None else guess.words
        found, guessed = told_apart(loss, self.constant_loss)
        return f"worse than always giving {words}: {found} against {guessed}"

    def plot(self, title: str = "Learning curves") -> Figure:
        """Draw the learning curves: training solid, validation dashed.

        Vertical lines mark the best epoch and the last. matplotlib is imported when
        this is called; a notebook shows the figure.

        Arguments:
            title: above the picture.

        Returns:
            A figure of matplotlib, the loss above and the metric below.

        Raises:
            ArgumentError: no epoch was finished.

        Example:
            >>> import numpy as np, thalweg as tw
            >>> X = np.linspace(-1, 1, 40).reshape(-1, 1)
            >>> history = tw.Network([tw.Dense(1)]).fit(X, 3 * X, epochs=5)
            >>> history.plot().savefig("curves.svg")
        """
        # Pictures are a room above this one, and what draws them takes long to import.
        curves = import_module("thalweg.figures.learning_curves")
        return curves.curves_of(self, title)

    def to_dict(self) -> dict[str, Any]:
        """The history as plain data, for JSON; a metric that isn't finite is None."""
        return {
            "epochs": [record_data(record) for record in self.epochs],
            "best_epoch": self.best_epoch,
            "stopped_because": self.stopped_because,
            "settings": copy.deepcopy(self.settings),
            "constant_loss": self.constant_loss,
            "rise": None if self.rise is None else asdict(self.rise),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """A history from what `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: the data isn't a history.
        """
        numbered = enumerate(cast(list[Mapping[str, Any]], data["epochs"]), 1)
        epochs = Epochs(record_from(number, each) for number, each in numbered)
        return cls.described(data, epochs)

    @classmethod
    def described(cls, data: Mapping[str, Any], epochs: Epochs) -> History:
        """A history of these epochs, of which the data says the rest.

        Raises:
            KeyError, TypeError, ValueError: the data isn't a history.
        """
        best, because = data["best_epoch"], data["stopped_because"]
        if best not in range(len(epochs) + 1) or not isinstance(because, str):
            raise ValueError(f"a history can't have {best=} and {because=}")
        # Older histories have neither of these.
        guessed, rise = data.get("constant_loss"), data.get("rise")
        return cls(
            epochs,
            int(best),
            because,
            dict(data["settings"]),
            None if guessed is None else real_and_finite(guessed),
            None if rise is None else Rise.from_dict(rise),
        )


def record_data(record: EpochRecord) -> dict[str, Any]:
    """An epoch's record as plain data."""
    data = asdict(record)
    for name in OF_METRICS:
        data[name] = {k: finite(v) for k, v in data[name].items()}
    return data


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


def real_and_finite(value: Any) -> float:
    """A finite number of plain data."""
    if not math.isfinite(number := real(value)):
        raise ValueError(f"must be finite, got {value!r}")
    return number


def told_apart(loss: float, other: float) -> tuple[str, str]:
    """Two numbers to three digits, or to as many as tell them apart.

    >>> told_apart(2.6, 0.6931), told_apart(0.69321, 0.69315)
    (('2.60', '0.693'), ('0.69321', '0.69315'))
    """
    texts = ("", "")
    for digits in range(3, 18):
        texts = (f"{loss:#.{digits}g}", f"{other:#.{digits}g}")
        if texts[0] != texts[1]:
            break
    return texts


def real(value: Any) -> float:
    """A number of plain data."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"must be a number, got {value!r}")
    return float(value)


def finite(value: float) -> float | None:
    """The number if JSON has it."""
    return value if math.isfinite(value) else None
