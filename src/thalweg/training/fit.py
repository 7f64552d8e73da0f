"""Training: epochs of steps, validation after each, and the reason to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from thalweg.checks import is_whole, require
from thalweg.errors import DivergenceError
from thalweg.formulas.chain import Shapes, lengths_through
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.running_losses import Losses
from thalweg.formulas.schedules import schedule
from thalweg.interrupts import Interrupt, Terminated, watch
from thalweg.model.history import DIVERGED, EpochRecord, Metrics, Rise
from thalweg.model.memory import Memory
from thalweg.model.metrics import Metric, metric_for
from thalweg.model.state import TrainingState
from thalweg.model.step import Objective
from thalweg.program.types import Dtype, NumpyArray
from thalweg.training.callbacks import Callbacks
from thalweg.training.checkpoint import CheckpointWriter
from thalweg.training.curves import may_overfit
from thalweg.training.execution import Execution
from thalweg.training.order import grouped_order, shuffled_order
from thalweg.training.rooms import scoring_rooms, training_rooms
from thalweg.training.rows import Rows
from thalweg.training.steps import Epoch, Log, Steps
from thalweg.training.stopping import EarlyStopping

MOST_PARTS = 200  # of validation rows, whose losses are compared one by one
MOST_STEPS = 2**31 - 1  # a program has the number of its step as an int32


@dataclass(frozen=True)
class Regime:
    """How a run learns: what, for how long, in which steps."""

    objective: Objective
    epochs: int
    batch_size: int
    early_stopping: EarlyStopping | None
    seed: int
    shuffle: bool = True
    group_by_length: bool = False


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
        outputs = shapes.outputs[-1]
        behind = lengths_through(layers, shapes.outputs, rows.own_lengths)
        metric = metric_for(loss, outputs, rows.targets, rows.own_weights, behind)
        self.metric = metric
        self._weight = rows.total_weight
        rooms = scoring_rooms(
            *(layers, shapes, loss, metric, rows, memory.dtype), execution.programs
        )
        self._parts = [
            (execution.forward(room.program, memory.buffers(), room.key), room.rows)
            for room in rooms.by_times()
        ]

    def score(self, interrupt: Interrupt | None = None) -> tuple[float, Metrics]:
        """The mean loss and the metrics with the parameters as they are now."""
        loss, metric = 0.0, np.zeros((), np.float64)
        for forward, own in self._parts:
            arrays = own.arrays()
            for part in forward.chunks(len(own)):
                if interrupt is not None:
                    interrupt.check()
                outputs = forward.run({name: a[part] for name, a in arrays.items()})
                loss += float(outputs["loss_sum"])
                metric = metric + outputs["metric_sum"]
        return loss / self._weight, self.metric.figures(metric / self._weight)

    def losses(self) -> tuple[list[float], list[float]]:
        """The mean loss of each row, or of each of some parts, and what it counts."""
        losses: list[float] = []
        weights: list[float] = []
        for forward, own in self._parts:
            arrays = own.arrays()
            step = min(forward.chunk_rows, math.ceil(len(own) / MOST_PARTS))
            for start in range(0, len(own), step):
                part = {n: a[start : start + step] for n, a in arrays.items()}
                counting = part.get("sample_weight")
                weight = len(part["X"]) if counting is None else float(counting.sum())
                if weight:
                    losses.append(float(forward.run(part)["loss_sum"]) / weight)
                    weights.append(float(weight))
        return losses, weights


class Trainer:
    """One run of training, epoch by epoch."""

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: Shapes,
        state: TrainingState,
        training: Rows,
        validation: Rows | None,
        regime: Regime,
        execution: Execution,
    ) -> None:
        self.layers = layers
        self.state = state
        self.regime = regime
        self._given = training, validation
        self._shapes, self._execution = shapes, execution
        self.losses = Losses(state.history.validation_loss)
        self._rows = with_mean_weight_one(training)
        self._schedule = schedule(regime.objective.optimizer.learning_rate)
        self._steps = self._training_steps(layers, shapes, execution)
        self._weight = self._rows.total_weight
        self.learning_rate = 0.0  # that of the last step
        self.step_loss = 0.0  # the mean of the last step's rows
        self.interrupted = False  # whether somebody asked to stop by Ctrl-C
        self._scorer = None
        if validation is not None:
            loss, memory = regime.objective.loss, state.memory
            self._scorer = Scorer(layers, shapes, loss, validation, memory, execution)

    def _training_steps(
        self, layers: tuple[Layer, ...], shapes: Shapes, execution: Execution
    ) -> Steps:
        """The steps on these rows, with a program for each size of a batch."""
        regime, memory = self.regime, self.state.memory
        rooms = training_rooms(
            *(layers, shapes, regime.objective, self._rows, memory.dtype),
            execution.programs,
        )
        buffers = {**memory.buffers(), **self.state.optimizer.slots}
        return execution.steps(rooms, regime.batch_size, regime.seed, buffers)

    def from_state(self, state: TrainingState) -> Trainer:
        """The same run from another state, with the same compiled programs."""
        return Trainer(
            *(self.layers, self._shapes, state, *self._given, self.regime),
            self._execution,
        )

    @property
    def given(self) -> tuple[Rows, Rows | None]:
        """The rows that are trained on, and those that are held out."""
        return self._given

    @property
    def next_rate(self) -> float:
        """The learning rate of the next step."""
        state = self.state
        return float(self._rates(state.optimizer.steps - state.done)[state.done])

    @property
    def input_dtype(self) -> Dtype:
        """Of the rows' inputs: the network's own, or uint8."""
        return self._rows.types(1)["X"].dtype

    @property
    def takes_lengths(self) -> bool:
        """Whether rows have lengths of their own."""
        return self._rows.lengths is not None

    @property
    def log_shape(self) -> tuple[int, int]:
        """The steps of an epoch, and the numbers that each leaves in the log."""
        return self._steps.count, 1 + math.prod(self._steps.metric_shape())

    @property
    def figures(self) -> tuple[set[str], set[str]]:
        """The names of the metrics of an epoch, in training and in validation."""
        scorer = self._scorer
        validation = set[str]() if scorer is None else names_of(scorer.metric)
        return names_of(self.regime.objective.metric), validation

    def run(self, callbacks: Callbacks, writer: CheckpointWriter | None = None) -> None:
        """Train until an epoch says stop; the history fills as it goes.

        Arguments:
            callbacks: told of every epoch.
            writer: writes checkpoints.

        Raises:
            DivergenceError: the loss became NaN or infinite; the best parameters so far
                are kept.
            Terminated: by SIGTERM or SIGHUP, which are watched if there is a writer.
        """
        history = self.state.history
        try:
            self._epochs(callbacks, writer)
            self.note_rise()
        except KeyboardInterrupt:
            self.interrupted = True
            history.stopped_because = f"interrupted {self._where()}"
        except Terminated:
            history.stopped_because = f"terminated {self._where()}"
            raise
        except DivergenceError:
            history.stopped_because = DIVERGED
            raise
        except BaseException as error:
            history.stopped_because = f"ended by a {type(error).__name__}"
            raise
        finally:
            self.go_back()

    def _epochs(self, callbacks: Callbacks, writer: CheckpointWriter | None) -> None:
        """Epoch after epoch; where it's asked to stop, the state is kept."""
        state = self.state
        with watch(termination=writer is not None) as interrupt:
            try:
                while not state.history.stopped_because:
                    interrupt.check()
                    record = self.advance(interrupt, writer=writer)
                    assert record is not None
                    asked = callbacks.reason_to_stop(record)
                    state.history.stopped_because = (
                        state.history.stopped_because or asked
                    )
                    if writer is not None:
                        writer.after_epoch(state)
            except (KeyboardInterrupt, Terminated) as asked:
                # Asked twice, a step may be half done.
                if writer is not None and not interrupt.urgent:
                    writer.before_end(state, asked)
                raise
            finally:
                # In the last epoch nobody looks any more, and it's over all the same.
                self.interrupted = interrupt.requested

    def advance(
        self,
        interrupt: Interrupt,
        steps: int | None = None,
        writer: CheckpointWriter | None = None,
    ) -> EpochRecord | None:
        """Take steps of the epoch that is under way; after its last, score it.

        Arguments:
            interrupt: whether somebody asks to stop.
            steps: how many at most; None for all that the epoch has left.
            writer: writes checkpoints.

        Returns:
            The epoch's record, which the history has then; None if there is more of it.

        Raises:
            DivergenceError: the loss became NaN or infinite.
            KeyboardInterrupt, Terminated: somebody asked to stop; what is done stays.
        """
        state = self.state
        started = time.perf_counter() - state.seconds
        number, log = state.epoch, self._take_steps(interrupt, steps, writer)
        if state.done < self._steps.count:
            return None
        self._require_finite_memory(number)
        training_loss = float(log.losses.sum(dtype=np.float64)) / self._weight
        metric = log.metrics.sum(axis=0, dtype=np.float64) / self._weight
        validation_loss, validation_metrics = None, {}
        if self._scorer is not None:
            validation_loss, validation_metrics = self._scorer.score(interrupt)
            self._require_finite(validation_loss, "validation loss", number)
        record = EpochRecord(
            number,
            training_loss,
            validation_loss,
            self.regime.objective.metric.figures(metric),
            validation_metrics,
            self.learning_rate,
            time.perf_counter() - started,
        )
        self._finish(record)
        return record

    def _take_steps(
        self,
        interrupt: Interrupt,
        steps: int | None,
        writer: CheckpointWriter | None,
    ) -> Log:
        """Steps of an epoch that aren't done yet; what all of them gave."""
        state, log, count = self.state, self._steps.log(), self._steps.count
        started = time.perf_counter() - state.seconds
        first, before = state.optimizer.steps - state.done, state.done
        last, must = first + count, f"at most {MOST_STEPS:,}"
        require(last <= MOST_STEPS, "the steps of a network in all", must, last)
        if before:
            log.every[:before] = state.log
        rates = self._rates(first)
        until = count if steps is None else min(before + steps, count)
        epoch = Epoch(self._order(), rates, first, log, before, until)
        self.learning_rate = float(rates[max(before - 1, 0)])
        with asking(interrupt):
            for done in self._steps.train(epoch, interrupt.asked):
                seconds = time.perf_counter() - started
                state.advance(first + done, log.every[:done], seconds)
                self.learning_rate = float(rates[done - 1])
                loss = float(log.losses[done - 1])
                self.step_loss = loss / self._steps.rows_in(done - 1)
                self._require_finite(loss, "training loss", state.epoch)
                interrupt.check()
                if writer is not None:
                    writer.between_steps(state)
        return log

    def _finish(self, record: EpochRecord) -> None:
        """Enter an epoch in the history, and see whether it was the last."""
        self.state.finish(record)
        if record.validation_loss is not None:
            self.losses.append(record.validation_loss)
        self.state.history.stopped_because = self._reason_to_stop()

    def _order(self) -> NumpyArray | None:
        """The row numbers of an epoch, in the order in which they are taken."""
        numbers, places = self._rows.numbers, self._places()
        return places if numbers is None or places is None else numbers[places]

    def _places(self) -> NumpyArray | None:
        """The same, counted among the training rows; None for one after the other."""
        regime, count = self.regime, len(self._rows)
        if not regime.shuffle:
            return None if self._rows.numbers is None else np.arange(count)
        seed, epoch = regime.seed, self.state.optimizer.epochs + 1
        lengths = self._rows.own_lengths
        if regime.group_by_length and lengths is not None:
            return grouped_order(lengths, regime.batch_size, seed, epoch)
        return shuffled_order(count, seed, epoch)

    @property
    def next_places(self) -> NumpyArray:
        """The training rows of the next step, by their places among them."""
        places, size = self._places(), self.regime.batch_size
        every = np.arange(len(self._rows)) if places is None else places
        return every[self.state.done * size : (self.state.done + 1) * size]

    def _rates(self, first: int) -> NumpyArray:
        """The learning rate of every step of the epoch that has this first step."""
        count = self._steps.count
        rates = self._schedule.learning_rates(
            range(first, first + count),
            self.state.steps_before(count) + self.regime.epochs * count,
            self.losses,
        )
        return np.array(rates, np.float64)

    def _require_finite(self, loss: float, which: str, epoch: int) -> None:
        if not math.isfinite(loss):
            raise self._divergence(f"the {which} became {loss}", epoch)

    def _require_finite_memory(self, epoch: int) -> None:
        """A step can leave NaN behind that only the next one's loss would show."""
        for array in self.state.memory.buffers().values():
            if not np.isfinite(array).all():
                raise self._divergence("the weights became NaN or infinite", epoch)

    def _divergence(self, what: str, epoch: int) -> DivergenceError:
        kept = (
            "the best weights so far are kept"
            if epoch > 1
            else "the weights are as before"
        )
        return DivergenceError(
            f"{what} in epoch {epoch}, step {self.state.optimizer.steps}, at learning "
            f"rate {self.learning_rate:g}; {kept}. Try a learning rate a tenth of "
            "that, clip_norm=1.0, or inputs scaled to about −1…1"
        )

    def note_rise(self) -> None:
        """How much more the validation rows lose now than with the best weights.

        Where that could be overfitting; the weights stay as they are.
        """
        state = self.state
        if self._scorer is None or not may_overfit(state.history):
            return
        ended, weights = self._scorer.losses()
        last = state.memory.copy()
        state.memory.restore(state.best)
        best, _ = self._scorer.losses()
        state.memory.restore(last)
        if len(ended) > 1:
            state.history.rise = Rise.between(best, ended, weights)

    def go_back(self) -> None:
        """To the best epoch, after early stopping or where the run diverged."""
        if self._goes_back():
            self.state.memory.restore(self.state.best)

    def _goes_back(self) -> bool:
        if self.state.history.stopped_because == DIVERGED:
            return True
        stops = self.regime.early_stopping is not None
        return stops and math.isfinite(self.state.lowest)

    def _where(self) -> str:
        """In which epoch, or after which, training stands."""
        epoch = self.state.epoch
        return f"in epoch {epoch}" if self.state.done else f"after epoch {epoch - 1}"

    def _reason_to_stop(self) -> str:
        """Why training ends after this epoch; empty if it goes on."""
        stopping = self.regime.early_stopping
        if stopping is not None and stopping.should_stop(self.losses):
            return stopping.reason(self.losses)
        if self.state.history.stopped_epoch >= self.regime.epochs:
            epochs = self.regime.epochs
            done = "the only epoch was" if epochs == 1 else f"all {epochs} epochs were"
            return f"{done} done"
        return ""


@contextmanager
def asking(interrupt: Interrupt) -> Generator[None]:
    """A step that was left undone, for what it was that somebody asked."""
    try:
        yield
    except KeyboardInterrupt:
        interrupt.check()
        raise


def names_of(metric: Metric) -> set[str]:
    """The names of a metric's figures."""
    return set(metric.figures(np.ones(())))


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
