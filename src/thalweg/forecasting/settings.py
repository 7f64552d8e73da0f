"""What the user may choose when a series is forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

import thalweg.defaults as defaults
from thalweg.checks import (
    look_up,
    require,
    require_instance,
    require_text,
    require_whole,
)
from thalweg.errors import ArgumentError
from thalweg.formulas.recurrence import GRU, LSTM, RNN
from thalweg.series.lengths import length_from
from thalweg.tabular.settings import (
    CHOICES,
    LISTS,
    Declarations,
    Names,
    TableRegimen,
    plain_setting,
)

NO_CELL = "none"
CELLS: Mapping[str, type[RNN] | type[LSTM] | type[GRU] | None] = {
    "gru": GRU,
    "lstm": LSTM,
    "rnn": RNN,
    NO_CELL: None,
}
"""What goes through the history; without one all of it is given to dense layers."""

NEEDED = {
    "time": "the column by which rows are ordered",
    "history": "how much it looks at, in rows or as a duration such as 7d",
    "ahead": "how far it goes, in rows or as a duration such as 12h",
}
OF_COLUMNS = ("ignore", "category", "number", "date", "missing")
MARKS = ("decimal", "thousands", "limits")
FORECAST_LOSSES = ("mean_squared_error", "mean_absolute_error", "huber")
"""Losses of numbers that may have any sign, as standardized ones do."""


@dataclass(frozen=True)
class SeriesRegimen(TableRegimen):
    """What is chosen of every network that goes through times; see `ForecastSettings`.

    Raises:
        ArgumentError: a setting can't be used.
    """

    cell: str = defaults.FORECAST_CELL
    units: int = defaults.FORECAST_UNITS
    layers: tuple[int, ...] = ()
    activation: str = defaults.ACTIVATION
    loss: str | None = None
    optimizer: str = defaults.OPTIMIZER
    learning_rate: float = defaults.LEARNING_RATE
    schedule: str = defaults.SCHEDULE
    batch_size: int | str | None = None
    epochs: int = defaults.FORECAST_EPOCHS
    dropout: float = defaults.FORECAST_DROPOUT
    l1: float = defaults.L1
    l2: float = defaults.L2
    weight_decay: float | None = None
    clip_norm: float | None = None
    patience: int = defaults.PATIENCE
    min_delta: float = defaults.MIN_DELTA
    validation: float = defaults.VALIDATION
    test: float = defaults.TEST
    ignore: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None
    limits: str | None = None
    seed: int = defaults.SEED
    separator: str | None = None
    encoding: str | None = None
    skip_rows: int = 0
    comment: str | None = None

    def require_series(self, rows: str) -> None:
        """Every one of these fields can be what it is.

        Arguments:
            rows: what shares are of.

        Raises:
            ArgumentError: one can't; the message says what it must be.
        """
        self.require_usable()
        look_up("cell", self.cell, CELLS)
        require_whole("units", self.units, least=1)
        require_whole("epochs", self.epochs, least=1)
        for name in OF_COLUMNS:
            for text in getattr(self, name):
                require_instance(name, text, str, LISTS[name])
        for name in MARKS:
            value = getattr(self, name)
            fits = value is None or value in CHOICES[name]
            require(fits, name, f"one of {' '.join(CHOICES[name])}", value)
        fits = self.decimal is None or self.decimal != self.thousands
        require(fits, "thousands", "another separator than decimal", self.thousands)
        for name in ("validation", "test"):
            self.require_share(name, getattr(self, name), rows)
        both = self.validation + self.test
        require(both < 1, "validation and test together", "below 1", both)
        _ = self.dialect  # it checks what it's made of

    def most_epochs(self, training_rows: int) -> int:
        """As it is set, whatever their number."""
        return self.epochs


@dataclass(frozen=True)
class ForecastSettings(SeriesRegimen):
    """How a series is learned and forecast.

    Arguments:
        time: the column by which rows are ordered; the last ones are tested on, and
            those before them validated on.
        history: how much a forecast looks at: rows, or a duration such as ``"7d"``.
        ahead: how far it goes: rows, or a duration such as ``"12h"``.
        known_ahead: columns that are known of the times ahead, too, such as holidays.
        cell: what goes through the history: gru, lstm or rnn; ``none`` gives all of it
            to dense layers.
        units: of the cell.
        layers: the units of each hidden layer after it; none is usual.
        activation: of hidden layers.
        loss: None is mean_squared_error.
        optimizer: the rule's name.
        learning_rate: at its highest.
        schedule: how it changes: plateau, constant, step, exponential, cosine or
            one_cycle.
        batch_size: windows of a step, or "all"; None is 32 below 2,000 training
            windows, else 128.
        epochs: at most.
        dropout: the share of the last layer's inputs switched off in a step.
        l1, l2: penalties on the weights, added to the loss.
        weight_decay: decoupled, for adamw and lion; None is the rule's own.
        clip_norm: the longest gradient allowed; None is any.
        patience: epochs without improvement after which training stops.
        min_delta: the improvement of the validation loss below which it doesn't count.
        validation, test: the shares of times that choose the epoch, and that are scored
            once at the end.
        ignore, category, number, date, missing, decimal, thousands, limits: what
            columns are and what their cells mean; see `Settings`.
        seed: the same seed gives the same network.
        separator, encoding, skip_rows, comment: how a file's text is written, where
            that isn't to be found out; see `Dialect`.

    Raises:
        ArgumentError: a setting can't be used; the message says what it must be.

    Example:
        >>> import thalweg as tw
        >>> tw.ForecastSettings(time="date", history="7d", ahead=24).cell
        'gru'
        >>> tw.ForecastSettings(time="date", history="7 days", ahead=24)
        Traceback (most recent call last):
        thalweg.errors.ArgumentError: history must be a number of rows, 1 or more, ...
    """

    time: str | None = None
    history: int | str | None = None
    ahead: int | str | None = None
    known_ahead: tuple[str, ...] = ()
    task = "number"

    @staticmethod
    def plain(name: str, value: Any) -> Any:
        """A setting as it is kept: one name of a column as one of several.

        >>> ForecastSettings.plain("known_ahead", "holiday")
        ('holiday',)
        """
        one = name == "known_ahead" and isinstance(value, str)
        return (value,) if one else plain_setting(name, value)

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        for name, what in NEEDED.items():
            if getattr(self, name) is None:
                raise ArgumentError(f"{name} must be given for a forecast: {what}")
        require_instance("time", self.time, str, "a column's name")
        for name in ("history", "ahead"):
            length_from(name, getattr(self, name))
        for name in self.known_ahead:
            require_instance("known_ahead", name, str, "names of columns")
        self.require_series("times")
        if self.loss is not None:
            look_up("loss of a forecast", self.loss, dict.fromkeys(FORECAST_LOSSES))


class SeriesTrainSettings(TypedDict, total=False):
    """What settings of forecasts and of sequences have in common, by name."""

    cell: str
    units: int
    layers: Sequence[int]
    activation: str
    loss: str | None
    optimizer: str
    learning_rate: float
    schedule: str
    batch_size: int | str | None
    epochs: int
    dropout: float
    l1: float
    l2: float
    weight_decay: float | None
    clip_norm: float | None
    patience: int
    min_delta: float
    validation: float
    test: float
    ignore: Names
    category: Names
    number: Names
    date: Declarations
    missing: Declarations
    decimal: str | None
    thousands: str | None
    limits: str | None
    seed: int
    separator: str | None
    encoding: str | None
    skip_rows: int
    comment: str | None


class ForecastTrainSettings(SeriesTrainSettings, total=False):
    """The settings of a forecast as `train` takes them; see `ForecastSettings`.

    Those that must be given are arguments of `train`.
    """

    known_ahead: Names
