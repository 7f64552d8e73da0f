"""A run of training as plain data and tensors, and back.

A checkpoint is a model file of the network as it is between two steps, with everything
else beside that the next step depends on. So `load` reads it too, as a network.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import Any, Generic

import numpy as np

from thalweg.checks import is_number, require_seed, require_whole
from thalweg.errors import ModelFileError, ThalwegError
from thalweg.files.document import TIMES
from thalweg.files.history_codec import HISTORY, history_data, seconds_in
from thalweg.files.modelfile import Content
from thalweg.files.network_codec import (
    PARAMETER,
    Make,
    as_written,
    network_data,
    network_from,
)
from thalweg.formulas.optimizers import Optimizer
from thalweg.model.memory import Memory
from thalweg.model.record import AnyNetwork, NetworkRecord
from thalweg.model.state import OptimizerState, TrainingState
from thalweg.program.types import Dtype, NumpyArray
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.fit import Regime
from thalweg.training.rows import Rows
from thalweg.training.stopping import EarlyStopping

Data = dict[str, Any]
Tensors = dict[str, NumpyArray]
SLOT, BEST, BEST_STATE, LOG = "optimizer/", "best/parameters", "best/state/", "log"
OWN_ROWS = "own"  # a user's own validation rows
HASHED_ROWS = 4096  # at a time, which bounds the memory that bytes take as numbers


@dataclass(frozen=True)
class Setup:
    """How a run was set up, besides what a network knows of itself.

    Arguments:
        epochs, batch_size, seed, shuffle, clip_norm: as for `fit`.
        patience, min_delta: of early stopping; None without.
        validation: the fraction held out, ``own`` rows, or None.
        engine: what runs the steps.
        training_sha256, validation_sha256: of the rows.
        every_epochs, every_minutes, keep, notes: of the checkpoints.
        group_by_length: as for `fit`; older checkpoints don't say it.
    """

    epochs: int
    batch_size: int
    seed: int
    shuffle: bool
    clip_norm: float | None
    patience: int | None
    min_delta: float | None
    validation: float | str | None
    engine: str
    training_sha256: str
    validation_sha256: str | None
    every_epochs: int | None
    every_minutes: float | None
    keep: int
    notes: Data
    group_by_length: bool = False

    @property
    def early_stopping(self) -> EarlyStopping | None:
        """The rule that ends training."""
        if self.patience is None or self.min_delta is None:
            return None
        return EarlyStopping(self.patience, self.min_delta)


def setup_of(
    regime: Regime,
    checkpoint: Checkpoint,
    engine: str,
    rows: Rows,
    held_out: Rows | None,
    validation: float | tuple[Any, ...] | None,
    dtype: Dtype,
) -> Setup:
    """How a run is set up.

    Arguments:
        regime: of the run.
        checkpoint: how often it is written down.
        engine: what runs it.
        rows: all that were given, before some were held out.
        held_out: validation rows.
        validation: as `fit` got it.
        dtype: of the network.
    """
    stopping, clip_norm = (
        regime.early_stopping,
        regime.objective.clip_norm,
    )
    own = isinstance(validation, tuple | list)
    return Setup(
        regime.epochs,
        regime.batch_size,
        regime.seed,
        regime.shuffle,
        None if clip_norm is None else float(clip_norm),
        None if stopping is None else int(stopping.patience),
        None if stopping is None else float(stopping.min_delta),
        OWN_ROWS if own else None if validation is None else float(validation),
        engine,
        digest_of(rows, dtype),
        digest_of(held_out, dtype) if own and held_out is not None else None,
        checkpoint.every_epochs,
        checkpoint.every_minutes,
        checkpoint.keep,
        dict(checkpoint.notes),
        regime.group_by_length,
    )


def digest_of(rows: Rows, dtype: Dtype) -> str:
    """What tells rows from others: the SHA-256 of their arrays.

    Bytes count as the numbers of the network's dtype that they are computed with.
    """
    digest = hashlib.sha256()
    for name, array in rows.arrays().items():
        own = dtype if array.dtype == np.uint8 else array.dtype
        digest.update(f"{name} {own} {array.shape};".encode())
        for start in range(0, len(array), HASHED_ROWS):
            part = np.ascontiguousarray(array[start : start + HASHED_ROWS], own)
            digest.update(part.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


# To data ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Description:
    """What is the same in all checkpoints of a run: layers, loss, rules and setup."""

    document: Data
    tensors: Tensors

    @classmethod
    def of(cls, network: NetworkRecord, setup: Setup) -> Description:
        """Of a network that is about to be trained.

        Raises:
            ProgramError: a user's own formula can't be saved.
        """
        document, tensors = network_data(network)
        constants = {
            name: array
            for name, array in tensors.items()
            if name not in (HISTORY, TIMES) and not name.startswith(PARAMETER)
        }
        described = {"kind": "checkpoint", **document, "run": asdict(setup)}
        constants, described = as_written(described, constants)
        return cls(described, constants)

    def at(self, network: NetworkRecord, state: TrainingState) -> tuple[Data, Tensors]:
        """A checkpoint's document and tensors, at a moment between two steps."""
        optimizer, best = state.optimizer, state.best
        values = {**network.parameters, **network.state}
        tensors = self.tensors | {PARAMETER + k: v for k, v in values.items()}
        slots = optimizer.slots.values()
        tensors |= {f"{SLOT}{number}": slot for number, slot in enumerate(slots)}
        tensors |= {BEST: best.parameters, LOG: state.log}
        tensors |= {BEST_STATE + name: array for name, array in best.state.items()}
        position = {"steps": optimizer.steps, "epochs": optimizer.epochs}
        history = history_data(state.history, tensors, state.seconds)
        return self.document | {"history": history, "position": position}, tensors


# From data ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved(Generic[AnyNetwork]):
    """A run as a checkpoint has it.

    Arguments:
        network: with the parameters, layers' state and history of that moment.
        setup: of the run.
        position: the optimizer's steps and epochs, the seconds of the epoch begun.
        tensors: slots, the best epoch, the log.
        path: of the checkpoint.
    """

    network: AnyNetwork
    setup: Setup
    position: Data
    tensors: Tensors
    path: str

    @property
    def finished(self) -> bool:
        """Whether the run had come to its end."""
        return bool(self.network.history.stopped_because)

    def state(self, rule: Optimizer, memory: Memory) -> TrainingState:
        """Where the run stood, for its network's memory.

        Raises:
            ModelFileError: the tensors aren't those of the network and the rule.
        """
        state = TrainingState.first(
            memory, OptimizerState.first(rule, memory), self.network.history
        )
        optimizer = state.optimizer
        for number, slot in enumerate(optimizer.slots.values()):
            self._fill(slot, f"{SLOT}{number}")
        self._fill(state.best.parameters, BEST)
        for name, array in state.best.state.items():
            self._fill(array, BEST_STATE + name)
        state.log = self._log()
        optimizer.steps = self.position["steps"]
        optimizer.epochs = self.position["epochs"]
        state.seconds = self.position["seconds"]
        return state

    def _fill(self, place: NumpyArray, name: str) -> None:
        array = self.tensors.get(name)
        if array is None or (array.shape, array.dtype) != (place.shape, place.dtype):
            raise ModelFileError(
                f"{self.path}: {name} must be {place.dtype} of shape {place.shape}"
            )
        np.copyto(place, array)

    def _log(self) -> NumpyArray:
        log = self.tensors.get(LOG)
        if log is None or log.ndim != 2 or log.dtype != np.float64:
            raise ModelFileError(f"{self.path}: {LOG} must be float64 with two axes")
        return log


def saved_from(content: Content, make: Make[AnyNetwork]) -> Saved[AnyNetwork]:
    """A run from what a file holds.

    Arguments:
        content: of the file.
        make: a network of layers.

    Raises:
        ModelFileError: a part is missing or can't be.
    """
    network, path = network_from(content, make), content.name
    document, tensors = content.document, content.tensors
    try:
        setup, position = Setup(**document["run"]), dict(document["position"])
        if "seconds" not in position:  # they stand with those of the epochs
            position["seconds"] = float(
                seconds_in(tensors)[network.history.stopped_epoch]
            )
        require_possible(setup, position, network)
    except ThalwegError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelFileError(f"{path}: the run is damaged: {error!r}") from None
    return Saved(network, setup, position, tensors, path)


def require_possible(setup: Setup, position: Data, network: NetworkRecord) -> None:
    """Numbers of a run are of their kinds, and steps are those of the epochs."""
    steps, epochs, seconds = (position[k] for k in ("steps", "epochs", "seconds"))
    require_seed(setup.seed)
    require_whole("epochs", setup.epochs, least=1)
    require_whole("batch_size", setup.batch_size, least=1)
    require_whole("steps", steps, least=0)
    require_whole("the epochs that were done", epochs, least=0)
    if not network.history.stopped_epoch <= epochs <= steps:
        raise ValueError(position)
    if not 0 <= seconds < math.inf:
        raise ValueError(position)
    kinds: dict[str, type] = {
        "shuffle": bool,
        "group_by_length": bool,
        "engine": str,
        "notes": dict,
    }
    if not all(isinstance(getattr(setup, k), kind) for k, kind in kinds.items()):
        raise TypeError(setup)
    if setup.validation not in (None, OWN_ROWS) and not is_number(setup.validation):
        raise TypeError(setup.validation)
    Checkpoint("", setup.every_epochs, setup.every_minutes, setup.keep)
    setup.early_stopping  # noqa: B018 - its numbers are checked
