"""A range test: real training steps while the learning rate grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.checks import require, require_positive
from thalweg.formulas.schedules import Schedule
from thalweg.interrupts import watch
from thalweg.model.memory import memory_of
from thalweg.model.step import Objective
from thalweg.network import Network
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution
from thalweg.training.fit import with_mean_weight_one
from thalweg.training.order import shuffled_order
from thalweg.training.rooms import training_rooms
from thalweg.training.rows import Rows
from thalweg.training.steps import Epoch, Steps

BLOWN_UP = 4.0  # times the loss of the first steps
FEW = 10  # steps, whose median is a loss without much noise


@dataclass(frozen=True)
class ExponentialGrowth(Schedule):
    """Higher by the same factor from every step to the next.

    ηₜ = η₀ (η₁ / η₀)^(t / (T − 1)), with T the number of steps

    Arguments:
        lowest: η₀, of the first step, greater than 0.
        highest: η₁, of the last step, greater than η₀.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> growth = ExponentialGrowth(0.001, 1.0)
        >>> [round(rate, 6) for rate in growth.learning_rates(range(4), 4, [])]
        [0.001, 0.01, 0.1, 1.0]

    Source: Smith, "Cyclical learning rates for training neural networks", 2017.
    """

    lowest: float
    highest: float

    def __post_init__(self) -> None:
        require_positive("lowest", self.lowest)
        require_positive("highest", self.highest)
        must = f"greater than lowest, which is {self.lowest:g}"
        require(self.highest > self.lowest, "highest", must, self.highest)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """η₀ (η₁ / η₀)^(t / (T − 1))."""
        share = step / max(total_steps - 1, 1)
        return float(self.lowest * (self.highest / self.lowest) ** share)


def losses_of_steps(
    network: Network,
    rows: Rows,
    objective: Objective,
    batch_size: int,
    rates: Sequence[float],
    seed: int,
    execution: Execution,
) -> NumpyArray:
    """The mean loss of every batch, each before the step that it leads to.

    From where the loss isn't finite, or has blown up, it is infinite. Training ends
    soon after.

    Arguments:
        network: where training starts; it is left as it is.
        rows: to train on, in another order each time they are used up.
        objective: loss, optimizer and penalties.
        batch_size: the rows of a step.
        rates: the learning rate of every step.
        seed: of the order of rows, and of dropout.
        execution: what runs the steps.

    Returns:
        As many losses as rates.

    Raises:
        KeyboardInterrupt: a user asked to stop.
    """
    order = repeated_order(len(rows), len(rates) * batch_size, seed)
    taken = with_mean_weight_one(rows.take(order))
    steps = steps_of(network, taken, objective, batch_size, seed, execution)
    log = steps.log()
    every = np.array(rates, np.float64)
    epoch = Epoch(taken.numbers, every, 0, log, 0, steps.count)
    losses = np.full(len(rates), np.inf)
    with watch() as interrupt:
        for done in steps.train(epoch, interrupt.asked):
            end = end_of(log.losses[:done])
            losses[:end] = log.losses[:end] / batch_size
            if end < done:
                break
    return losses


def repeated_order(rows: int, count: int, seed: int) -> NumpyArray:
    """So many row numbers: all rows in one order, then all in another."""
    epochs = range(1, -(-count // rows) + 1)
    orders = [shuffled_order(rows, seed, epoch) for epoch in epochs]
    return np.concatenate(orders)[:count]


def steps_of(
    network: Network,
    rows: Rows,
    objective: Objective,
    batch_size: int,
    seed: int,
    execution: Execution,
) -> Steps:
    """The steps of training, as `Network.fit` has them, on a copy of all parameters."""
    shapes, dtype = network.shapes, network.dtype
    memory = memory_of({**network.parameters, **network.state}, shapes, dtype)
    rooms = training_rooms(network.layers, shapes, objective, rows, dtype)
    return execution.steps(rooms, batch_size, seed, memory.buffers())


def end_of(losses: NumpyArray) -> int:
    """How many steps it took until the loss was bad, or all there are.

    It is bad where it isn't finite, and where the median of the last few is far above
    that of the first few. Nothing depends on when one looks.
    """
    for step in range(len(losses)):
        if not np.isfinite(losses[step]):
            return step
        recent = losses[max(step + 1 - FEW, 0) : step + 1]
        if step >= FEW and np.median(recent) > BLOWN_UP * np.median(losses[:FEW]):
            return step
    return len(losses)
