"""Writes a run's checkpoints while it trains."""

from __future__ import annotations

import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from thalweg.checkpoints.run_codec import Description, Setup, saved_from, setup_of
from thalweg.checkpoints.store import Store, opened
from thalweg.errors import FileError
from thalweg.files.modelfile import Content
from thalweg.interrupts import Terminated
from thalweg.model.record import NetworkRecord
from thalweg.model.state import TrainingState
from thalweg.printable import printable_lines
from thalweg.training.checkpoint import Checkpoint, CheckpointWarning
from thalweg.training.fit import Trainer
from thalweg.training.rows import Rows

SECONDS_A_MINUTE = 60.0


class Writer:
    """Decides when a checkpoint is due, and writes it.

    Arguments:
        store: where.
        setup: of the run, which says how often.
        resumed: whether the folder holds this run already.
    """

    def __init__(self, store: Store, setup: Setup, resumed: bool) -> None:
        self._store = store
        self._setup = setup
        self._resumed = resumed
        self._written: tuple[int, int, int, bool] | None = None
        self._last = time.monotonic()
        self.words = ""  # what came of the last attempt

    def begin(self, network: NetworkRecord, state: TrainingState) -> None:
        """Write the first checkpoint; that of a resumed run is there.

        Raises:
            FileError: it can't be written, so training had better not begin.
            ProgramError: a user's own formula can't be saved.
        """
        self._network = network
        self._description = Description.of(network, self._setup)
        if self._resumed:
            self._store.sweep()
            self._written = moment(state)
        else:
            self._write(state, first=True)

    def after_epoch(self, state: TrainingState) -> None:
        """Write if it's time, or if this was the last epoch."""
        every = self._setup.every_epochs
        due = every is not None and state.history.stopped_epoch % every == 0
        if due or state.history.stopped_because or self._minutes_are_over():
            self.save(state)

    def between_steps(self, state: TrainingState) -> None:
        """Write if it's time."""
        if self._minutes_are_over():
            self.save(state)

    def before_end(self, state: TrainingState, asked: BaseException) -> None:
        """Write what there is, when somebody asked to stop."""
        self.save(state)
        if isinstance(asked, Terminated):
            asked.words = self.words

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint; where that fails, warn and let training go on."""
        if moment(state) == self._written:
            return
        try:
            self._write(state, first=False)
        except FileError as error:
            self._last = time.monotonic()
            self.words = (
                f"no checkpoint could be written, the one before stays: {error}"
            )
            warnings.warn(printable_lines(self.words), CheckpointWarning, stacklevel=2)

    def _write(self, state: TrainingState, first: bool) -> None:
        document, tensors = self._description.at(self._network, state)
        steps, keep = state.optimizer.steps, self._setup.keep
        path = self._store.write(steps, tensors, document, keep, first)
        self._written, self._last = moment(state), time.monotonic()
        self.words = f"{path} holds the run"

    def _minutes_are_over(self) -> bool:
        minutes = self._setup.every_minutes
        if minutes is None:
            return False
        return time.monotonic() - self._last >= minutes * SECONDS_A_MINUTE


def moment(state: TrainingState) -> tuple[int, int, int, bool]:
    """What tells one moment of a run from another."""
    ended = bool(state.history.stopped_because)
    return state.optimizer.steps, state.optimizer.epochs, state.done, ended


@contextmanager
def writing(
    checkpoint: Checkpoint,
    trainer: Trainer,
    engine: str,
    rows: Rows,
    validation: float | tuple[Any, ...] | None,
) -> Generator[Writer]:
    """A writer for a new run; its folder is this process's own meanwhile.

    Raises:
        FileError: the folder can't be used, or holds a run that isn't finished.
    """
    dtype, (_, held_out) = trainer.state.memory.dtype, trainer.given
    setup = setup_of(
        trainer.regime, checkpoint, engine, rows, held_out, validation, dtype
    )
    with opened(checkpoint.folder, create=True) as store:
        require_finished(store)
        yield Writer(store, setup, resumed=False)


def require_finished(store: Store) -> None:
    """A run that could go on isn't written over.

    Raises:
        FileError: there is one, or there are checkpoints that nothing leads to.
    """
    store.require_none_lost(steps=1)
    if not store.entries():
        return
    tensors, document, path = store.newest()
    if not saved_from(Content(str(path), document, tensors), NetworkRecord).finished:
        raise FileError(
            f"{store.folder}: holds a run that isn't finished: resume it, or take "
            "another folder"
        )
