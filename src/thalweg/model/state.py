"""Where a run of training stands: all that its next step depends on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from thalweg.backends.alignment import aligned_copy
from thalweg.formulas.optimizers import Optimizer
from thalweg.model.history import EpochRecord, History
from thalweg.model.memory import Memory
from thalweg.program.types import NumpyArray


@dataclass
class OptimizerState:
    """How far an optimizer has come; a warm start goes on from here.

    Arguments:
        rule: the optimizer.
        slots: what it keeps between steps, such as Adam's moments, by the names that
            programs have for it; each shaped as the vector of all parameters.
        steps: t, the steps taken in all, which dropout's draws go by too.
        epochs: the whole epochs in all, which the order of rows goes by.
    """

    rule: Optimizer
    slots: dict[str, NumpyArray]
    steps: int = 0
    epochs: int = 0

    @classmethod
    def first(cls, rule: Optimizer, memory: Memory) -> OptimizerState:
        """Before the first step: every slot is zero."""
        zeros = np.zeros_like(memory.parameters)
        return cls(rule, {f"state.{s}": aligned_copy(zeros) for s in rule.state()})

    def serves(self, rule: Optimizer) -> bool:
        """Whether this rule can go on from here: the same, at any learning rate."""
        return type(rule) is type(self.rule) and besides_rate(rule) == besides_rate(
            self.rule
        )


def besides_rate(rule: Optimizer) -> list[Any]:
    """The numbers of a rule, such as β₁ of Adam."""
    names = [each.name for each in fields(rule)] if is_dataclass(rule) else []
    return [getattr(rule, name) for name in names if name != "learning_rate"]


def no_log() -> NumpyArray:
    """What the steps of an epoch gave that hasn't begun."""
    return np.empty((0, 0), np.float64)


@dataclass
class TrainingState:
    """Where one run stands, between two steps.

    Arguments:
        memory: the parameters, and what layers keep.
        optimizer: its slots, and its steps and epochs in all.
        history: the epochs that this run has finished.
        best: the parameters and state of the best epoch, or of the start.
        log: what the steps of the epoch that has begun gave; a row for each.
        seconds: how long that epoch has taken so far.
    """

    memory: Memory
    optimizer: OptimizerState
    history: History
    best: Memory
    log: NumpyArray = field(default_factory=no_log)
    seconds: float = 0.0

    @classmethod
    def first(
        cls, memory: Memory, optimizer: OptimizerState, history: History
    ) -> TrainingState:
        """Before a run's first step."""
        return cls(memory, optimizer, history, memory.copy())

    @property
    def done(self) -> int:
        """The steps of the epoch that has begun."""
        return len(self.log)

    @property
    def epoch(self) -> int:
        """The epoch of this run that is under way, counted from 1."""
        return self.history.stopped_epoch + 1

    @property
    def lowest(self) -> float:
        """The lowest validation loss; infinite before there is one."""
        best = self.history.best_epoch
        loss = self.history.epochs[best - 1].validation_loss if best else None
        return math.inf if loss is None else loss

    def steps_before(self, steps_an_epoch: int) -> int:
        """The steps that the optimizer had taken before this run."""
        own = self.history.stopped_epoch * steps_an_epoch + self.done
        return self.optimizer.steps - own

    def advance(self, steps: int, log: NumpyArray, seconds: float) -> None:
        """Steps of the epoch are done: so many in all, with what they gave."""
        self.optimizer.steps, self.log, self.seconds = steps, log, seconds

    def finish(self, record: EpochRecord) -> None:
        """The epoch is over; the best so far is kept."""
        loss, lowest = record.validation_loss, self.lowest
        if loss is None or loss < lowest:
            self.best = self.memory.copy()
            self.history.best_epoch = record.epoch
        self.history.epochs.append(record)
        self.optimizer.epochs += 1
        self.log, self.seconds = no_log(), 0.0
