"""How a network is trained, whatever it learns from: rule, batches, penalties, end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, fields, replace
from inspect import signature
from typing import Any, Self, cast

import thalweg.defaults as defaults
from thalweg.checks import (
    is_number,
    look_up,
    require,
    require_fraction,
    require_instance,
    require_non_negative,
    require_positive,
    require_seed,
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
from thalweg.training.stopping import EarlyStopping

# Each takes the learning rate and the number of steps in all.
SCHEDULES: Mapping[str, Callable[[float, int], Schedule]] = {
    "plateau": lambda rate, steps: ReduceOnPlateau(rate, defaults.PLATEAU_FACTOR),
    "constant": lambda rate, steps: Constant(rate),
    "step": lambda rate, steps: StepDecay(rate, every=max(steps // 3, 1)),
    "exponential": lambda rate, steps: ExponentialDecay(rate, 0.01 ** (1 / steps)),
    "cosine": lambda rate, steps: CosineWithWarmup(rate),
    "one_cycle": lambda rate, steps: OneCycle(rate),
}
DECAYING = tuple(
    name
    for name, rule in OPTIMIZERS.items()
    if "weight_decay" in signature(rule).parameters
)
"""Rules that have decoupled weight decay."""


class Regimen(ABC):
    """What settings for tables, images and texts share; each has the fields."""

    layers: tuple[int, ...]
    loss: str | None
    optimizer: str
    learning_rate: float
    schedule: str
    batch_size: int | str | None
    dropout: float
    l1: float
    l2: float
    weight_decay: float | None
    clip_norm: float | None
    patience: int
    min_delta: float
    seed: int
    group_by_length: bool = False  # of rows that have lengths

    @classmethod
    def by_name(cls, given: Mapping[str, Any], beside: Collection[str] = ()) -> Self:
        """Settings by name; a name that isn't one gets the nearest suggested.

        Arguments:
            given: the settings.
            beside: names of other arguments, which a misspelled one can have meant.

        Raises:
            ArgumentError: there is no such setting, or it can't have this value.
        """
        own = fields(cls)  # pyright: ignore[reportArgumentType] - each is a dataclass
        names = dict.fromkeys([*(each.name for each in own), *beside])
        for name in given:
            look_up("setting", name, names)
        return cls(**{name: cls.plain(name, value) for name, value in given.items()})

    @staticmethod
    def plain(name: str, value: Any) -> Any:
        """A setting as it is kept: lists as tuples.

        >>> Regimen.plain("layers", [64, 64])
        (64, 64)
        """
        return tuple(cast(list[Any], value)) if isinstance(value, list) else value

    def require_usable(self) -> None:
        """Every one of these fields can be what it is.

        Raises:
            ArgumentError: one can't; the message says what it must be.
        """
        for units in self.layers:
            require_whole("layers", units, least=1)
        if self.loss is not None:
            Loss.of(self.loss)
        look_up("optimizer", self.optimizer, OPTIMIZERS)
        look_up("schedule", self.schedule, SCHEDULES)
        require_positive("learning_rate", self.learning_rate)
        require_seed(self.seed)
        require_fraction("dropout", self.dropout)
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

    def require_share(self, name: str, share: Any, rows: str) -> None:
        """A share of rows lies between 0 and 1.

        Raises:
            ArgumentError: it doesn't.
        """
        fits = is_number(share) and 0 < share < 1
        require(fits, name, f"a share of the {rows}, between 0 and 1", share)

    @abstractmethod
    def most_epochs(self, training_rows: int) -> int:
        """How often a number of training rows is used, at most."""

    def rows_a_step(self, training_rows: int) -> int | str:
        """The batch size for a number of training rows."""
        if self.batch_size is not None:
            return self.batch_size
        small = training_rows < defaults.SMALL_TABLE
        return defaults.SMALL_BATCH if small else defaults.LARGE_BATCH

    def rule(self, training_rows: int) -> Optimizer:
        """The optimizer with its schedule."""
        size = self.rows_a_step(training_rows)
        rows = training_rows if isinstance(size, str) else size
        steps = self.most_epochs(training_rows) * -(-training_rows // rows)
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

    def with_values(self, **values: Any) -> Self:
        """The settings with other values of some.

        Raises:
            ArgumentError: one can't be used.
        """
        return replace(self, **values)  # pyright: ignore[reportArgumentType, reportUnknownVariableType] - each is a dataclass

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)  # pyright: ignore[reportArgumentType] - each is a dataclass


class PredictionRegimen(Regimen):
    """What settings for tables and for images have beside: what is predicted, and how
    hidden layers look at it."""

    task: str | None
    activation: str

    def require_usable(self) -> None:
        """Every one of these fields can be what it is.

        Raises:
            ArgumentError: one can't; the message says what it must be.
        """
        super().require_usable()
        activation(self.activation)
        if self.task is not None:
            require_instance("task", self.task, str, "classes or number")
