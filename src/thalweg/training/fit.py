"""Training: epochs of steps, validation after each, and the reason to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.errors import DivergenceError
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.names import is_whole, require
from thalweg.formulas.schedules import schedule
from thalweg.program.compile import make_executable
from thalweg.program.interpret import Executable
from thalweg.program.types import Dtype, NumpyArray
from thalweg.training.history import DIVERGED, EpochRecord, History, Metrics
from thalweg.training.interrupts import Interrupt, watch
from thalweg.training.memory import Memory
from thalweg.training.metrics import Metric, metric_for
from thalweg.training.rows import CHUNK_ROWS, Rows, batches, shuffled_order
from thalweg.training.stack import Shapes
from thalweg.training.step import Task, scoring_program, step_programs
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
        dtype: Dtype,
    ) -> None:
        self._metric = metric_for(loss, shapes.outputs[-1][0], rows.y, rows.weights)
        self._rows = rows
        self._executables: dict[int, Executable] = {}
        for count in chunk_sizes(len(rows)):
            program = scoring_program(
                layers, shapes, loss, self._metric, rows.types(count), dtype
            )
            self._executables[count] = make_executable(program, memory.buffers())

    def score(self, interrupt: Interrupt | None = None) -> tuple[float, Metrics]:
        """The mean loss and the metrics with the parameters as they are now."""
        total = Sums(self._metric)
        for start in range(0, len(self._rows), CHUNK_ROWS):
            if interrupt is not None:
                interrupt.check()
            count = min(CHUNK_ROWS, len(self._rows) - start)
            executable = self._executables[count]
            for name, array in self._rows.arrays().items():
                np.copyto(executable.inputs[name], array[start : start + count])
            with np.errstate(all="ignore"):
                executable.run()
            total.add(executable)
        return total.figures()


def chunk_sizes(rows: int) -> set[int]:
    """The sizes of the chunks in which rows are scored."""
    return {size for size in (min(rows, CHUNK_ROWS), rows % CHUNK_ROWS) if size}


class Sums:
    """Weighted sums of loss and metric over batches."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._loss = 0.0
        self._sums: Any = np.float64(0)
        self._weight = 0.0

    def add(self, executable: Executable) -> float:
        """Add what a run has summed; the run's own loss."""
        loss = float(executable.outputs["loss_sum"])
        self._loss += loss
        self._sums = self._sums + executable.outputs["metric_sum"]
        self._weight += weight_of(executable)
        return loss

    def figures(self) -> tuple[float, Metrics]:
        """The mean loss and the metrics."""
        mean = np.asarray(self._sums / self._weight)
        return self._loss / self._weight, self._metric.figures(mean)


def weight_of(executable: Executable) -> float:
    """The weight of the rows in an executable's inputs, each 1 unless told."""
    weights = executable.inputs.get("sample_weight")
    if weights is None:
        return len(executable.inputs["X"])
    return float(weights.sum(dtype=np.float64))


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
        dtype: Dtype,
    ) -> None:
        self._memory = memory
        self._plan = plan
        self._best = memory.copy()
        self._lowest = math.inf
        self._losses: list[float] = []
        self._rows = with_mean_weight_one(training)
        self._schedule = schedule(plan.task.optimizer.learning_rate)
        self._step = 0
        self._steps_per_epoch = -(-len(training) // plan.batch_size)
        self._executables = self._training_executables(layers, shapes, dtype)
        self._learning_rate = 0.0
        self._scorer = None
        if validation is not None:
            loss = plan.task.loss
            self._scorer = Scorer(layers, shapes, loss, validation, memory, dtype)

    def _training_executables(
        self, layers: tuple[Layer, ...], shapes: Shapes, dtype: Dtype
    ) -> dict[int, Executable]:
        """A program for full batches, and one for the smaller last batch."""
        size = self._plan.batch_size
        sizes = [n for n in (min(size, len(self._rows)), len(self._rows) % size) if n]
        buffers = self._memory.buffers()
        executables: dict[int, Executable] = {}
        for count in dict.fromkeys(sizes):
            types = self._rows.types(count)
            program = step_programs(layers, shapes, self._plan.task, types, dtype)[
                "step"
            ]
            executables[count] = make_executable(
                program, {k: v for k, v in buffers.items() if k in program.inputs}
            )
            inputs = executables[count].inputs
            buffers |= {k: v for k, v in inputs.items() if k.startswith("state.")}
            inputs["seed"][...] = self._plan.seed
        return executables

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
        training = Sums(self._plan.task.metric)
        with np.errstate(all="ignore"):
            for batch in batches(self._rows, self._order(epoch), self._plan.batch_size):
                interrupt.check()
                self._train_on(batch, training, epoch)
        self._require_finite_memory(epoch)
        training_loss, training_metrics = training.figures()
        validation_loss, validation_metrics = None, {}
        if self._scorer is not None:
            validation_loss, validation_metrics = self._scorer.score(interrupt)
            self._require_finite(validation_loss, "validation loss", epoch)
        return EpochRecord(
            epoch,
            training_loss,
            validation_loss,
            training_metrics,
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

    def _order(self, epoch: int) -> NumpyArray:
        """The row numbers of an epoch, in the order in which they are taken."""
        rows = len(self._rows)
        if not self._plan.shuffle:
            return np.arange(rows)
        return shuffled_order(rows, self._plan.seed, epoch)

    def _train_on(
        self, batch: Mapping[str, NumpyArray], sums: Sums, epoch: int
    ) -> None:
        """One step on the rows of a batch."""
        executable = self._executables[len(batch["X"])]
        inputs = executable.inputs
        for name, array in batch.items():
            inputs[name][...] = array
        total = self._plan.epochs * self._steps_per_epoch
        self._learning_rate = float(
            self._schedule.learning_rate(self._step, total, self._losses)
        )
        self._step += 1
        inputs["learning_rate"][...] = self._learning_rate
        inputs["step"][...] = self._step
        executable.run()
        self._require_finite(sums.add(executable), "training loss", epoch)

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
        midway = self._step > finished * self._steps_per_epoch
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
    mean = rows.weights.mean(dtype=np.float64)
    return replace(rows, weights=(rows.weights / mean).astype(rows.weights.dtype))


def batch_rows(batch_size: int | str, rows: int) -> int:
    """The number of rows a step takes: ``"all"`` is full-batch gradient descent."""
    if isinstance(batch_size, str) and batch_size == "all":
        return rows
    fits = is_whole(batch_size) and int(batch_size) >= 1
    require(fits, "batch_size", 'a whole number, 1 or more, or "all"', batch_size)
    return min(int(batch_size), rows)
