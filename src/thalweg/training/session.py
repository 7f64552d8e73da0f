"""A run of training that goes on when it's told to, and back where it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from thalweg.backends.alignment import aligned_copy
from thalweg.checks import require_instance
from thalweg.errors import DivergenceError
from thalweg.forks import WRITING
from thalweg.formulas.chain import Shapes
from thalweg.formulas.running_losses import Losses
from thalweg.interrupts import watch
from thalweg.model.epochs import Epochs
from thalweg.model.history import DIVERGED, EpochRecord, History
from thalweg.model.memory import Memory
from thalweg.model.record import AnyNetwork
from thalweg.model.state import OptimizerState, TrainingState
from thalweg.program.types import NumpyArray
from thalweg.training.fit import Trainer
from thalweg.training.rows import Rows
from thalweg.training.run import adopt

Pair = tuple[NumpyArray, NumpyArray]


@dataclass(frozen=True)
class Snapshot:
    """Where a session stood: all that its next step depends on.

    `Session.snapshot` makes one, and `Session.restore` goes back to it as often as one
    likes.

    Example:
        >>> import thalweg as tw
        >>> network = tw.Network([tw.Dense(1)])
        >>> session = network.session([[0.0], [1.0]], [0.0, 1.0], validation=None)
        >>> start = session.snapshot()
        >>> session.epoch().epoch, session.epochs_done
        (1, 1)
        >>> session.restore(start)
        >>> session.epochs_done
        0
    """

    memory: Memory
    slots: dict[str, NumpyArray]
    steps: int
    epochs: int
    records: Epochs
    best_epoch: int
    stopped_because: str
    best: Memory
    log: NumpyArray
    seconds: float
    learning_rate: float


class Session(Generic[AnyNetwork]):
    """A run of `Network.fit` that takes a step, or an epoch, when it's told to.

    θ ← update(θ, ∇J(θ)), as `fit` does it, to the bit

    `Network.session` begins one. The network's parameters are always those of now.

    Early stopping is told by `is_over` and nothing else: who goes on sees what would
    have come. The history then goes on too, and the best epoch can be a later one;
    `snapshot` at the stop, and `restore` before `finish`, give what `fit` gives.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 64).reshape(-1, 1)
        >>> network = tw.Network([tw.Dense(8, "tanh"), tw.Dense(1)])
        >>> session = network.session(X, X**2, epochs=20, batch_size=16)
        >>> session.epoch().epoch
        1
        >>> session.step() > 0, session.epochs_done, session.steps_done
        (True, 1, 1)
        >>> there = session.snapshot()
        >>> once = session.epoch().training_loss
        >>> session.restore(there)
        >>> session.epoch().training_loss == once
        True
        >>> other = session.branch()
        >>> other.run() is session.history, other.history.stopped_epoch
        (False, 20)
        >>> session.epochs_done
        2
    """

    def __init__(
        self,
        network: AnyNetwork,
        trainer: Trainer,
        shapes: Shapes,
    ) -> None:
        self.network = network
        self._trainer, self._shapes = trainer, shapes
        adopt(network, trainer, shapes)

    # Where it stands ------------------------------------------------------------------

    @property
    def history(self) -> History:
        """The epochs so far, the best of them, and why it is over, if it is."""
        return self._trainer.state.history

    @property
    def is_over(self) -> bool:
        """Whether `fit` would have ended here."""
        return bool(self.history.stopped_because)

    @property
    def epochs(self) -> int:
        """How many there are to be, at most."""
        return self._trainer.regime.epochs

    @property
    def epochs_done(self) -> int:
        """Whole epochs so far."""
        return self.history.stopped_epoch

    @property
    def steps_an_epoch(self) -> int:
        """How many batches the rows make."""
        return self._trainer.log_shape[0]

    @property
    def steps_done(self) -> int:
        """Steps of the epoch that has begun; 0 between two epochs."""
        return self._trainer.state.done

    @property
    def next_step(self) -> int:
        """The number of the next step, counted from 1 over all that the network took.

        What dropout draws goes by it, and by the seed.
        """
        return self._trainer.state.optimizer.steps + 1

    @property
    def next_rows(self) -> NumpyArray:
        """The rows of the next step: their places in `training`."""
        return self._trainer.next_places

    @property
    def seed(self) -> int:
        """Of the orders of rows, and of what dropout draws."""
        return self._trainer.regime.seed

    @property
    def learning_rate(self) -> float:
        """That of the next step."""
        return self._trainer.next_rate

    @property
    def patience(self) -> int | None:
        """Of early stopping; None without it."""
        stopping = self._trainer.regime.early_stopping
        return None if stopping is None else int(stopping.patience)

    @property
    def training(self) -> Pair:
        """The inputs and targets that are learned from, in the order of X."""
        return pair_of(self._trainer.given[0])

    @property
    def validation(self) -> Pair | None:
        """Those that are held out; None without any."""
        held_out = self._trainer.given[1]
        return None if held_out is None else pair_of(held_out)

    # On -------------------------------------------------------------------------------

    def step(self) -> float:
        """Take a batch; the last of an epoch ends it, as `epoch` does.

        Returns:
            The mean loss of its rows, by the parameters before the step.

        Raises:
            DivergenceError: the loss became NaN or infinite.
        """
        self._advance(1)
        return self._trainer.step_loss

    def epoch(self) -> EpochRecord:
        """Take all batches that the epoch has left, and score it.

        Returns:
            Its record, as the history has it.

        Raises:
            DivergenceError: the loss became NaN or infinite.
        """
        record = self._advance(None)
        assert record is not None
        return record

    def run(self) -> History:
        """Epoch after epoch until it is over, and the end.

        Raises:
            DivergenceError: the loss became NaN or infinite.
        """
        while not self.is_over:
            self.epoch()
        return self.finish()

    def _advance(self, steps: int | None) -> EpochRecord | None:
        """Steps of the epoch that is under way; what diverges is noted."""
        with watch() as interrupt:
            try:
                return self._trainer.advance(interrupt, steps)
            except DivergenceError:
                self.history.stopped_because = DIVERGED
                raise

    def finish(self) -> History:
        """End as `fit` does: with early stopping, or diverged, at the best weights.

        Returns:
            The history.
        """
        history = self.history
        if not history.stopped_because:
            history.stopped_because = f"ended after epoch {history.stopped_epoch}"
        if history.stopped_because == DIVERGED:
            self.network.optimizer_state = None  # its slots may hold NaN
        else:
            self._trainer.note_rise()
        self._trainer.go_back()
        return history

    # Back, and aside ------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Where it stands now."""
        state = self._trainer.state
        optimizer, history = state.optimizer, state.history
        return Snapshot(
            state.memory.copy(),
            {name: slot.copy() for name, slot in optimizer.slots.items()},
            optimizer.steps,
            optimizer.epochs,
            history.epochs.copy(),
            history.best_epoch,
            history.stopped_because,
            state.best,  # which is replaced, never changed
            state.log.copy(),
            state.seconds,
            self._trainer.learning_rate,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where it stood, or on to it.

        Arguments:
            snapshot: of this session, or of one that it is a branch of.

        Raises:
            ArgumentError: it is no snapshot.
        """
        require_instance("snapshot", snapshot, Snapshot, "what snapshot() gave")
        state = self._trainer.state
        state.memory.restore(snapshot.memory)
        with WRITING:
            for name, slot in state.optimizer.slots.items():
                np.copyto(slot, snapshot.slots[name])
        put(snapshot, state)
        self._trainer.learning_rate = snapshot.learning_rate
        self._trainer.losses = Losses(state.history.validation_loss)
        self.network.optimizer_state = state.optimizer

    def branch(self) -> Session[AnyNetwork]:
        """A second session at the same place, with a network of its own.

        What one does the other doesn't see.

        Returns:
            The session; its ``network`` is a copy.
        """
        here, state, network = self.snapshot(), self._trainer.state, self.network
        memory = here.memory.aligned()
        slots = {name: aligned_copy(slot) for name, slot in here.slots.items()}
        optimizer = OptimizerState(state.optimizer.rule, slots)
        history = History(
            settings=dict(state.history.settings),
            constant_loss=state.history.constant_loss,
        )
        own = TrainingState(memory, optimizer, history, here.best)
        put(here, own)
        trainer = self._trainer.from_state(own)
        trainer.learning_rate = here.learning_rate
        other = type(network)(network.layers)
        other.programs = network.programs
        return Session(other, trainer, self._shapes)


def pair_of(rows: Rows) -> Pair:
    """The inputs and targets of rows."""
    own = rows.copied()
    return own.X, own.y


def put(snapshot: Snapshot, state: TrainingState) -> None:
    """Everything of a snapshot but its arrays of parameters and slots."""
    state.optimizer.steps, state.optimizer.epochs = snapshot.steps, snapshot.epochs
    history = state.history
    history.epochs, history.best_epoch = snapshot.records.copy(), snapshot.best_epoch
    history.stopped_because, history.rise = snapshot.stopped_because, None
    state.best, state.log = snapshot.best, snapshot.log.copy()
    state.seconds = snapshot.seconds
