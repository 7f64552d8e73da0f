"""What the user may choose when a table is trained on; everything has a default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict, cast

import thalweg.defaults as defaults
from thalweg.checks import (
    require,
    require_instance,
    require_text,
    require_whole,
)
from thalweg.kinds.regimen import PredictionRegimen, Regimen
from thalweg.tables.choices import DECIMALS, LIMITS, TARGET_SCALES, THOUSANDS
from thalweg.tables.dialect import Dialect
from thalweg.tabular.class_weights import weights_by_label

LISTS = {
    **dict.fromkeys(("ignore", "category", "number"), "names of columns"),
    "date": "names of columns, each perhaps with =FORM",
    "missing": "texts, each perhaps after COLUMN=",
    "class_weight": "balanced, or labels each with =W",
}
CHOICES = {
    "decimal": DECIMALS,
    "thousands": (*THOUSANDS, "none"),
    "limits": LIMITS,
    "target_scale": TARGET_SCALES,
}


class TableRegimen(Regimen):
    """What settings for any data in tables have: how a file's text is written."""

    separator: str | None
    encoding: str | None
    skip_rows: int
    comment: str | None

    @property
    def dialect(self) -> Dialect:
        """How a file's text is written."""
        return Dialect(self.separator, self.encoding, self.skip_rows, self.comment)


@dataclass(frozen=True)
class Settings(PredictionRegimen, TableRegimen):
    """How a table is trained on.

    Arguments:
        task: "classes" or "number"; None goes by the target.
        target_scale: what of a number is learned: ``linear``, itself, which None is,
            too; or ``log``, its logarithm, for targets above 0. Predictions and scores
            are in the target's unit.
        layers: the units of each hidden layer; none is a linear model.
        activation: of the hidden layers.
        loss: None is cross_entropy for classes, mean_squared_error for a number.
        optimizer: the rule's name.
        learning_rate: at its highest.
        schedule: how it changes: plateau, constant, step, exponential, cosine or
            one_cycle.
        batch_size: rows of a step, or "all"; None is 32 below 2,000 training rows,
            else 128.
        epochs: at most.
        dropout: the share of hidden units switched off in a step.
        l1, l2: penalties on the weights, added to the loss.
        weight_decay: decoupled, for adamw and lion; None is the rule's own.
        clip_norm: the longest gradient allowed; None is any.
        patience: epochs without improvement after which training stops.
        min_delta: the improvement of the validation loss below which it doesn't count.
        validation, test: the shares of rows that choose the epoch, and that are scored
            once at the end.
        ignore: columns to set aside.
        category, number: columns that are categories, or numbers, whatever they look
            like; of a category every word is one, also such as NA.
        date: columns of dates, each with its form as strptime has it if it isn't
            plain: ``"day=%d/%m/%Y"``, or a mapping of columns to forms.
        missing: texts that mean "missing": in every column, or in one,
            ``"age=-9"``; or a mapping of columns to texts.
        decimal: what numbers have as their point, ``.`` or ``,``.
        thousands: what separates thousands: ``,``, ``.``, ``'``, ``space`` or ``none``.
        limits: what <0.5 is taken for: ``bound``, the number itself, or ``missing``;
            without it such a cell is an error.
        weights: the column with each row's weight.
        class_weight: what rows of a class count, times their own weight, while they
            are learned from: ``balanced``, which makes all classes count alike, or
            ``"yes=3"``, or a mapping of labels to weights; other classes have 1. The
            test's scores don't know of it.
        group: the column that tells which rows belong together, such as those of one
            patient; they stay in one part.
        time: the column by which rows are ordered; the last ones are tested on, and
            those before them validated on.
        seed: the same seed gives the same network.
        separator, encoding, skip_rows, comment: how a file's text is written, where
            that isn't to be found out; see `Dialect`.

    Raises:
        ArgumentError: a setting can't be used; the message says what it must be.

    Example:
        >>> import thalweg as tw
        >>> tw.Settings(layers=(8,)).rows_a_step(training_rows=100)
        32
        >>> tw.Settings(optimizer="adm")
        Traceback (most recent call last):
        thalweg.errors.ArgumentError: there is no optimizer 'adm': did you mean ...
    """

    task: str | None = None
    target_scale: str | None = None
    layers: tuple[int, ...] = defaults.LAYERS
    activation: str = defaults.ACTIVATION
    loss: str | None = None
    optimizer: str = defaults.OPTIMIZER
    learning_rate: float = defaults.LEARNING_RATE
    schedule: str = defaults.SCHEDULE
    batch_size: int | str | None = None
    epochs: int = defaults.EPOCHS
    dropout: float = defaults.DROPOUT
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
    weights: str | None = None
    class_weight: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    seed: int = defaults.SEED
    separator: str | None = None
    encoding: str | None = None
    skip_rows: int = 0
    comment: str | None = None

    @staticmethod
    def plain(name: str, value: Any) -> Any:
        """See `plain_setting`."""
        return plain_setting(name, value)

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        self.require_usable()
        require_whole("epochs", self.epochs, least=1)
        for what, must in LISTS.items():
            for name in getattr(self, what):
                require_instance(what, name, str, must)
        for what, known in CHOICES.items():
            value = getattr(self, what)
            fits = value is None or value in known
            require(fits, what, f"one of {' '.join(known)}", value)
        fits = self.target_scale != "log" or self.loss != "poisson"
        must = "another than log with the loss poisson, which learns the mean itself"
        require(fits, "target_scale", must, self.target_scale)
        fits = self.decimal is None or self.decimal != self.thousands
        require(fits, "thousands", "another separator than decimal", self.thousands)
        weights_by_label(self.class_weight)
        for what in ("weights", "group", "time"):
            name = getattr(self, what)
            if name is not None:
                require_instance(what, name, str, "a column's name")
        apart = self.group is None or self.time is None
        must = "left out with group, as rows are split by the one or by the other"
        require(apart, "time", must, self.time)
        for name in ("validation", "test"):
            self.require_share(name, getattr(self, name), "rows")
        _ = self.dialect  # it checks what it's made of

    def most_epochs(self, training_rows: int) -> int:
        """As it is set, whatever their number."""
        return self.epochs


Names = str | Iterable[str]
Declarations = Names | Mapping[str, Any]  # of columns, what is said of each


class TrainSettings(TypedDict, total=False):
    """The settings as `train` and `tune` take them, by name; see `Settings`.

    Of what `Settings` keeps as texts it may be one text, several, or a mapping.
    """

    task: str | None
    target_scale: str | None
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
    weights: str | None
    class_weight: str | Iterable[str] | Mapping[Any, float]
    group: str | None
    time: str | None
    seed: int
    separator: str | None
    encoding: str | None
    skip_rows: int
    comment: str | None


def plain_setting(name: str, value: Any) -> Any:
    """A setting as it is kept: lists and mappings of names as tuples of texts.

    >>> plain_setting("missing", {"age": [-9, "?"], "sex": "n/k"})
    ('age=-9', 'age=?', 'sex=n/k')
    >>> plain_setting("date", "born"), plain_setting("date", {"born": None})
    (('born',), ('born',))
    """
    if name in LISTS:
        if isinstance(value, Mapping):
            return tuple(_declarations(cast(Mapping[Any, Any], value)))
        if isinstance(value, str):
            return (value,)
        require(isinstance(value, Iterable), name, LISTS[name], value)
    return tuple(cast(list[Any], value)) if isinstance(value, list) else value


def _declarations(value: Mapping[Any, Any]) -> Iterator[str]:
    """What is said of columns or classes, each as one text."""
    for column, rest in value.items():
        several = isinstance(rest, list | tuple | set | frozenset)
        for text in cast(list[Any], rest) if several else [rest]:
            yield str(column) if text is None else f"{column}={text}"
