"""Training: epochs of steps, validation after each, and the reason to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from thalweg.errors import DivergenceError
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.names import is_whole, require
from thalweg.formulas.schedules import schedule
from thalweg.program.ir import Program
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution
from thalweg.training.history import DIVERGED, EpochRecord, History, Metrics
from thalweg.training.interrupts import Interrupt, watch
from thalweg.training.memory import Memory
from thalweg.training.metrics import metric_for
from thalweg.training.rows import Rows, shuffled_order
from thalweg.training.stack import Shapes
from thalweg.training.step import Task, scoring_program, step_programs
from thalweg.training.steps import Steps
from thalweg.training.stopping import EarlyStopping

Callback = Callable[[EpochRecord], object]


@dataclass(frozen=True)
class Plan:
    """How a run is set up."""

    task: Task
    epochs: int
    batch_size: int
    early_stopping: EarlyStopping | None
    seed: int
    shuffle: bool = True


class Scorer:
    """Loss and metrics of rows, as in prediction."""

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: Shapes,
        loss: Loss,
        rows: Rows,
        memory: Memory,
        execution: Execution,
    ) -> None:
        self._rows = rows.copied()
        outputs = shapes.outputs[-1][0]
        metric = metric_for(loss, outputs, self._rows.y, self._rows.weights)
        self._metric = metric
        dtype = memory.dtype

        def program_for(count: int) -> Program:
            types = rows.types(count)
            return scoring_program(layers, shapes, loss, metric, types, dtype)

        types = tuple(rows.types(1).items())
        key = ("scores", layers, shapes.outputs[0], loss, type(metric), types, dtype)
        self._forward = execution.forward(
            program_for, tuple(rows.arrays()), memory.buffers(), key
        )

    def score(self, interrupt: Interrupt | None = None) -> tuple[float, Metrics]:
        """The mean loss and the metrics with the parameters as they are now."""
        loss, metric = 0.0, np.zeros((), np.float64)
        arrays = self._rows.arrays()
        for part in self._forward.chunks(len(self._rows)):
            if interrupt is not None:
                interrupt.check()
            rows = {name: array[part] for name, array in arrays.items()}
            outputs = self._forward.run(rows)
            loss += float(outputs["loss_sum"])
            metric = metric + outputs["metric_sum"]
        weight = self._rows.total_weight
        return loss / weight, self._metric.figures(metric / weight)


class Trainer:
    """One run of training, epoch by epoch."""

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: Shapes,
        memory: Memory,
        training: Rows,
        validation: Rows | None,
        plan: Plan,
        execution: Execution,
    ) -> None:
        self._memory = memory
        self._plan = plan
        self._best = memory.copy()
        self._lowest = math.inf
        self._losses: list[float] = []
        self._rows = with_mean_weight_one(training)
        self._schedule = schedule(plan.task.optimizer.learning_rate)
        self._step = 0
        self._steps = self._training_steps(layers, shapes, execution)
        self._weight = self._rows.total_weight
        self._learning_rate = 0.0
        self._scorer = None
        if validation is not None:
            loss = plan.task.loss
            self._scorer = Scorer(layers, shapes, loss, validation, memory, execution)

    def _training_steps(
        self, layers: tuple[Layer, ...], shapes: Shapes, execution: Execution
    ) -> Steps:
        """The steps on these rows, with a program for each size of a batch."""
        task, dtype = self._plan.task, self._memory.dtype

        def program_for(count: int) -> Program:
            types = self._rows.types(count)
            return step_programs(layers, shapes, task, types, dtype)["step"]

        size, seed = self._plan.batch_size, self._plan.seed
        buffers = self._memory.buffers()
        types = tuple(self._rows.types(1).items())
        key = ("step", layers, shapes.outputs[0], task.shared, types, dtype)
        return execution.steps(program_for, self._rows, size, seed, buffers, key)

    def run(self, history: History, callback: Callback | None) -> None:
        """Train until an epoch says stop; the history fills as it goes.

        Raises:
            DivergenceError: the loss became NaN or infinite; the best parameters so far
                are kept.
        """
        try:
            with watch() as interrupt:
                while not history.stopped_because:
                    interrupt.check()
                    self._finish(self._epoch(history, interrupt), history, callback)
        except KeyboardInterrupt:
            history.stopped_because = self._interrupted(history)
        except DivergenceError:
            history.stopped_because = DIVERGED
            raise
        except BaseException as error:
            history.stopped_because = f"ended by a {type(error).__name__}"
            raise
        finally:
            if self._goes_back(history):
                self._memory.restore(self._best)

    def _epoch(self, history: History, interrupt: Interrupt) -> EpochRecord:
        """One epoch: every row in a step, then the validation rows."""
        started = time.perf_counter()
        epoch = history.stopped_epoch + 1
        first, rates, log = self._step, self._rates(), self._steps.log()
        order, asked = self._order(epoch), interrupt.asked
        for done in self._steps.train(order, rates, first, log, asked):
            self._step, self._learning_rate = first + done, float(rates[done - 1])
            self._require_finite(float(log.losses[done - 1]), "training loss", epoch)
            interrupt.check()
        self._require_finite_memory(epoch)
        training_loss = float(log.losses.sum(dtype=np.float64)) / self._weight
        metric = log.metrics.sum(axis=0, dtype=np.float64) / self._weight
        validation_loss, validation_metrics = None, {}
        if self._scorer is not None:
            validation_loss, validation_metrics = self._scorer.score(interrupt)
            self._require_finite(validation_loss, "validation loss", epoch)
        return EpochRecord(
            epoch,
            training_loss,
            validation_loss,
            self._plan.task.metric.figures(metric),
            validation_metrics,
            self._learning_rate,
            time.perf_counter() - started,
        )

    def _finish(
        self, record: EpochRecord, history: History, callback: Callback | None
    ) -> None:
        """Enter an epoch in the history, and see whether it was the last."""
        history.epochs.append(record)
        loss = record.validation_loss
        if loss is not None:
            self._losses.append(loss)
        if loss is None or loss < self._lowest:
            self._lowest = math.inf if loss is None else loss
            self._best = self._memory.copy()
            history.best_epoch = record.epoch
        if callback is not None:
            callback(record)
        history.stopped_because = self._reason_to_stop(history)

    def _order(self, epoch: int) -> NumpyArray | None:
        """The row numbers of an epoch, in the order in which they are taken."""
        numbers = self._rows.numbers
        if not self._plan.shuffle:
            return numbers
        order = shuffled_order(len(self._rows), self._plan.seed, epoch)
        return order if numbers is None else numbers[order]

    def _rates(self) -> NumpyArray:
        """The learning rate of every step of the next epoch."""
        count = self._steps.count
        rates = self._schedule.learning_rates(
            range(self._step, self._step + count),
            self._plan.epochs * count,
            self._losses,
        )
        return np.array(rates, np.float64)

    def _require_finite(self, loss: float, which: str, epoch: int) -> None:
        if not math.isfinite(loss):
            raise self._divergence(f"the {which} became {loss}", epoch)

    def _require_finite_memory(self, epoch: int) -> None:
        """A step can leave NaN behind that only the next one's loss would show."""
        for array in self._memory.buffers().values():
            if not np.isfinite(array).all():
                raise self._divergence("the weights became NaN or infinite", epoch)

    def _divergence(self, what: str, epoch: int) -> DivergenceError:
        kept = (
            "the best weights so far are kept"
            if epoch > 1
            else "the weights are as before"
        )
        return DivergenceError(
            f"{what} in epoch {epoch}, step {self._step}, at learning rate "
            f"{self._learning_rate:g}; {kept}. Try a learning rate a tenth of that, "
            "clip_norm=1.0, or inputs scaled to about −1…1"
        )

    def _goes_back(self, history: History) -> bool:
        """Early stopping, and a run that diverged, go back to the best epoch."""
        if history.stopped_because == DIVERGED:
            return True
        return self._plan.early_stopping is not None and math.isfinite(self._lowest)

    def _interrupted(self, history: History) -> str:
        """In which epoch, or after which, training was interrupted."""
        finished = history.stopped_epoch
        midway = self._step > finished * self._steps.count
        where = f"in epoch {finished + 1}" if midway else f"after epoch {finished}"
        return f"interrupted {where}"

    def _reason_to_stop(self, history: History) -> str:
        """Why training ends after this epoch; empty if it goes on."""
        stopping = self._plan.early_stopping
        if stopping is not None and stopping.should_stop(self._losses):
            return stopping.reason(self._losses)
        if history.stopped_epoch >= self._plan.epochs:
            epochs = self._plan.epochs
            done = "the only epoch was" if epochs == 1 else f"all {epochs} epochs were"
            return f"{done} done"
        return ""


def with_mean_weight_one(rows: Rows) -> Rows:
    """The rows with weights that average 1, so that they don't change a step's size."""
    if rows.weights is None:
        return rows
    mean = rows.total_weight / len(rows)
    return replace(rows, weights=(rows.weights / mean).astype(rows.weights.dtype))


def batch_rows(batch_size: int | str, rows: int) -> int:
    """The number of rows a step takes: ``"all"`` is full-batch gradient descent."""
    if isinstance(batch_size, str) and batch_size == "all":
        return rows
    fits = is_whole(batch_size) and int(batch_size) >= 1
    require(fits, "batch_size", 'a whole number, 1 or more, or "all"', batch_size)
    return min(int(batch_size), rows)
