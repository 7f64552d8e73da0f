"""What the user may choose when a table is trained on; everything has a default."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from thalweg.checks import (
    is_number,
    is_whole,
    look_up,
    require,
    require_fraction,
    require_instance,
    require_non_negative,
    require_positive,
    require_text,
    require_whole,
)
from thalweg.formulas.activations import activation
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import OPTIMIZERS, Optimizer
from thalweg.formulas.penalties import L1, L2, Penalty
from thalweg.formulas.schedules import (
    Constant,
    CosineWithWarmup,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)
from thalweg.tables.choices import DECIMALS, LIMITS, TARGET_SCALES, THOUSANDS
from thalweg.tables.dialect import Dialect
from thalweg.tabular.class_weights import weights_by_label
from thalweg.training.stopping import EarlyStopping

SMALL_BATCH = 32
LARGE_BATCH = 128
SMALL_TABLE = 2_000  # training rows below which small batches are taken
SEEDS = range(2**32)  # those that scikit-learn takes, too

# Each takes the learning rate and the number of steps in all.
SCHEDULES: Mapping[str, Callable[[float, int], Schedule]] = {
    "plateau": lambda rate, steps: ReduceOnPlateau(rate, factor=0.3, patience=5),
    "constant": lambda rate, steps: Constant(rate),
    "step": lambda rate, steps: StepDecay(rate, every=max(steps // 3, 1)),
    "exponential": lambda rate, steps: ExponentialDecay(rate, 0.01 ** (1 / steps)),
    "cosine": lambda rate, steps: CosineWithWarmup(rate),
    "one_cycle": lambda rate, steps: OneCycle(rate),
}
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
DECAYING = ("adamw", "lion")  # rules that have decoupled weight decay


@dataclass(frozen=True)
class Settings:
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
        >>> Settings(optimizer="adm")
        Traceback (most recent call last):
        thalweg.errors.ArgumentError: there is no optimizer 'adm': did you mean ...
    """

    task: str | None = None
    target_scale: str | None = None
    layers: tuple[int, ...] = (128, 64)
    activation: str = "silu"
    loss: str | None = None
    optimizer: str = "adam"
    learning_rate: float = 0.003
    schedule: str = "plateau"
    batch_size: int | str | None = None
    epochs: int = 200
    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float | None = None
    clip_norm: float | None = None
    patience: int = 12
    min_delta: float = 0.0
    validation: float = 0.2
    test: float = 0.2
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
    seed: int = 0
    separator: str | None = None
    encoding: str | None = None
    skip_rows: int = 0
    comment: str | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        for units in self.layers:
            require_whole("layers", units, least=1)
        activation(self.activation)
        if self.loss is not None:
            Loss.of(self.loss)
        look_up("optimizer", self.optimizer, OPTIMIZERS)
        look_up("schedule", self.schedule, SCHEDULES)
        require_positive("learning_rate", self.learning_rate)
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
        if self.task is not None:
            require_instance("task", self.task, str, "classes or number")
        require_whole("epochs", self.epochs, least=1)
        # A range is searched for what isn't an int, from one end to the other.
        fits = is_whole(self.seed) and int(self.seed) in SEEDS
        require(fits, "seed", f"a whole number, 0 to {SEEDS[-1]}", self.seed)
        require_fraction("dropout", self.dropout)
        for name in ("validation", "test"):
            share = getattr(self, name)
            fits = is_number(share) and 0 < share < 1
            require(fits, name, "a share of the rows, between 0 and 1", share)
        require_non_negative("l1", self.l1)
        require_non_negative("l2", self.l2)
        if self.clip_norm is not None:
            require_positive("clip_norm", self.clip_norm)
        if self.batch_size not in (None, "all"):
            whole = not isinstance(self.batch_size, str)
            must = 'a whole number of at least 1, or "all"'
            require(whole, "batch_size", must, self.batch_size)
            require_whole("batch_size", self.batch_size, least=1)  # pyright: ignore[reportArgumentType]
        if self.weight_decay is not None:
            require_non_negative("weight_decay", self.weight_decay)
            fits = self.optimizer in DECAYING
            must = f"used with {' or '.join(DECAYING)}; for adam and others there is l2"
            require(fits, "weight_decay", must, self.optimizer)
        EarlyStopping(self.patience, self.min_delta)
        _ = self.dialect  # it checks what it's made of

    @property
    def dialect(self) -> Dialect:
        """How a file's text is written."""
        return Dialect(self.separator, self.encoding, self.skip_rows, self.comment)

    def rows_a_step(self, training_rows: int) -> int | str:
        """The batch size for a number of training rows."""
        if self.batch_size is not None:
            return self.batch_size
        return SMALL_BATCH if training_rows < SMALL_TABLE else LARGE_BATCH

    def rule(self, training_rows: int) -> Optimizer:
        """The optimizer with its schedule."""
        size = self.rows_a_step(training_rows)
        rows = training_rows if isinstance(size, str) else size
        steps = self.epochs * -(-training_rows // rows)
        schedule = SCHEDULES[self.schedule](self.learning_rate, steps)
        rule = OPTIMIZERS[self.optimizer]
        if self.weight_decay is None:
            return rule(learning_rate=schedule)
        return rule(learning_rate=schedule, weight_decay=self.weight_decay)

    def penalty(self) -> Penalty | None:
        """The penalties on the weights, if there are any."""
        parts: list[Penalty] = [L1(self.l1)] if self.l1 else []
        parts += [L2(self.l2)] if self.l2 else []
        return sum(parts[1:], parts[0]) if parts else None

    def early_stopping(self) -> EarlyStopping:
        """The rule that ends training."""
        return EarlyStopping(self.patience, self.min_delta)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)


def settings_from(given: Mapping[str, Any], beside: Collection[str] = ()) -> Settings:
    """Settings by name; a name that isn't one gets the nearest suggested.

    Arguments:
        given: the settings.
        beside: names of other arguments, which a misspelled one can have meant.

    Raises:
        ArgumentError: there is no such setting, or it can't have this value.
    """
    names = dict.fromkeys([*(each.name for each in fields(Settings)), *beside])
    for name in given:
        look_up("setting", name, names)
    return Settings(**{name: _plain(name, value) for name, value in given.items()})


def _plain(name: str, value: Any) -> Any:
    """A setting as it is kept: lists and mappings of names as tuples of texts.

    >>> _plain("missing", {"age": [-9, "?"], "sex": "n/k"})
    ('age=-9', 'age=?', 'sex=n/k')
    >>> _plain("date", "born"), _plain("date", {"born": None})
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
