"""Training: epochs of steps, validation after each, and the reason to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError, DivergenceError
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.schedules import schedule
from thalweg.program.compile import make_executable
from thalweg.program.interpret import Executable
from thalweg.program.types import Dtype, NumpyArray
from thalweg.training.history import EpochRecord, History, Metrics
from thalweg.training.interrupts import Interrupt, watch
from thalweg.training.metrics import Metric, metric_for
from thalweg.training.rows import Rows, shuffled_batches
from thalweg.training.stack import Shapes
from thalweg.training.step import Task, scoring_program, step_programs
from thalweg.training.stopping import EarlyStopping

SCORING_ROWS = 1024
Callback = Callable[[EpochRecord], object]


@dataclass(frozen=True)
class Memory:
    """The arrays that all programs of a network share: θ and the layers' state."""

    parameters: NumpyArray
    state: Mapping[str, NumpyArray]

    def buffers(self) -> dict[str, NumpyArray]:
        """The arrays by the names that programs have for them."""
        return {"parameters": self.parameters, **self.state}

    def copy(self) -> Memory:
        """A snapshot."""
        state = {name: array.copy() for name, array in self.state.items()}
        return Memory(self.parameters.copy(), state)

    def restore(self, snapshot: Memory) -> None:
        """Back to a snapshot, in place."""
        np.copyto(self.parameters, snapshot.parameters)
        for name, array in self.state.items():
            np.copyto(array, snapshot.state[name])


@dataclass(frozen=True)
class Plan:
    """How a run is set up."""

    task: Task
    epochs: int
    batch_size: int
    early_stopping: EarlyStopping | None
    seed: int


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

    def score(self) -> tuple[float, Metrics]:
        """The mean loss and the metrics with the parameters as they are now."""
        total = Sums(self._metric)
        for start in range(0, len(self._rows), SCORING_ROWS):
            count = min(SCORING_ROWS, len(self._rows) - start)
            executable = self._executables[count]
            for name, array in self._rows.arrays().items():
                np.copyto(executable.inputs[name], array[start : start + count])
            with np.errstate(all="ignore"):
                executable.run()
            weights = executable.inputs.get("sample_weight")
            total.add(executable, count if weights is None else float(weights.sum()))
        return total.figures()


def chunk_sizes(rows: int) -> set[int]:
    """The sizes of the chunks in which rows are scored."""
    return {size for size in (min(rows, SCORING_ROWS), rows % SCORING_ROWS) if size}


class Sums:
    """Weighted sums of loss and metric over batches."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._loss = 0.0
        self._sums: Any = 0.0
        self._weight = 0.0

    def add(self, executable: Executable, weight: float) -> float:
        """Add what a run has summed; the run's own loss."""
        loss = float(executable.outputs["loss_sum"])
        self._loss += loss
        self._sums = self._sums + executable.outputs["metric_sum"].astype(np.float64)
        self._weight += weight
        return loss

    def figures(self) -> tuple[float, Metrics]:
        """The mean loss and the metrics."""
        mean = np.asarray(self._sums / self._weight)
        return self._loss / self._weight, self._metric.figures(mean)


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
        self._rows = with_mean_weight_one(training)
        self._schedule = schedule(plan.task.optimizer.learning_rate)
        self._step = 0
        self._steps_per_epoch = -(-len(training) // plan.batch_size)
        self._executables = self._training_executables(layers, shapes, dtype)
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
        best = self._memory.copy()
        with watch() as interrupt:
            while not history.stopped_because:
                try:
                    record = self._epoch(history, interrupt)
                    if record is None:
                        raise KeyboardInterrupt
                    history.epochs.append(record)
                    if self._is_best(history):
                        history.best_epoch = record.epoch
                        best = self._memory.copy()
                    if callback is not None:
                        callback(record)
                    history.stopped_because = self._reason_to_stop(history)
                except KeyboardInterrupt:
                    history.stopped_because = f"interrupted in epoch {self._step // self._steps_per_epoch + 1}"
                except DivergenceError:
                    self._memory.restore(best)
                    history.stopped_because = "diverged"
                    raise
        if self._keeps_best(history):
            self._memory.restore(best)

    def _epoch(self, history: History, interrupt: Interrupt) -> EpochRecord | None:
        """One epoch; None if it was interrupted."""
        started = time.perf_counter()
        epoch = history.stopped_epoch + 1
        training = Sums(self._plan.task.metric)
        plan = self._plan
        with np.errstate(all="ignore"):
            for batch in shuffled_batches(
                len(self._rows), plan.batch_size, plan.seed, epoch
            ):
                self._train_on(batch, training, epoch, history.validation_loss)
                if interrupt.requested:
                    return None
        training_loss, training_metrics = training.figures()
        validation_loss, validation_metrics = None, {}
        if self._scorer is not None:
            validation_loss, validation_metrics = self._scorer.score()
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

    def _train_on(
        self, batch: NumpyArray, sums: Sums, epoch: int, losses: list[float]
    ) -> None:
        """One step on the rows of a batch."""
        executable = self._executables[len(batch)]
        inputs = executable.inputs
        for name, array in self._rows.arrays().items():
            np.take(array, batch, axis=0, out=inputs[name], mode="clip")
        total = self._plan.epochs * self._steps_per_epoch
        self._learning_rate = self._schedule.learning_rate(self._step, total, losses)
        self._step += 1
        inputs["learning_rate"][...] = self._learning_rate
        inputs["step"][...] = self._step
        executable.run()
        weights = inputs.get("sample_weight")
        loss = sums.add(
            executable, len(batch) if weights is None else float(weights.sum())
        )
        if not math.isfinite(loss):
            self._require_finite(loss, "training loss", epoch)

    def _require_finite(self, loss: float, which: str, epoch: int) -> None:
        if math.isfinite(loss):
            return
        kept = (
            "the best weights so far are kept"
            if epoch > 1
            else "the weights are as before"
        )
        raise DivergenceError(
            f"the {which} became {loss} in epoch {epoch}, step {self._step}, at learning "
            f"rate {self._learning_rate:g}; {kept}. Try a learning rate a tenth of that, "
            "clip_norm=1.0, or inputs scaled to about −1…1"
        )

    def _is_best(self, history: History) -> bool:
        """Whether the epoch just finished is the one to go back to."""
        *earlier, last = history.validation_loss or [0.0]
        return not history.validation_loss or all(last < loss for loss in earlier)

    def _keeps_best(self, history: History) -> bool:
        """Early stopping goes back to the best epoch; otherwise the last one stays."""
        return self._plan.early_stopping is not None and bool(history.validation_loss)

    def _reason_to_stop(self, history: History) -> str:
        """Why training ends after this epoch; empty if it goes on."""
        stopping = self._plan.early_stopping
        losses = history.validation_loss
        if stopping is not None and losses and stopping.should_stop(losses):
            return (
                f"the validation loss did not improve for {stopping.patience} epochs "
                f"after epoch {history.best_epoch}"
            )
        if history.stopped_epoch >= self._plan.epochs:
            return f"all {self._plan.epochs} epochs were done"
        return ""


def with_mean_weight_one(rows: Rows) -> Rows:
    """The rows with weights that average 1, so that they don't change the step's size."""
    if rows.weights is None:
        return rows
    mean = rows.weights.mean(dtype=np.float64)
    return replace(rows, weights=(rows.weights / mean).astype(rows.weights.dtype))


def batch_rows(batch_size: int | str, rows: int) -> int:
    """The number of rows a step takes: ``"all"`` is full-batch gradient descent."""
    if batch_size == "all":
        return rows
    if isinstance(batch_size, str) or isinstance(batch_size, bool) or batch_size < 1:
        raise ArgumentError(
            f'batch_size must be a whole number of at least 1, or "all", got {batch_size!r}'
        )
    return min(int(batch_size), rows)
