"""What the user wants to happen while a network trains."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import thalweg.defaults as defaults
from thalweg.checks import require, require_instance
from thalweg.formulas.layers import Layer
from thalweg.model.history import EpochRecord, History
from thalweg.model.state import OptimizerState
from thalweg.program.types import NumpyArray
from thalweg.training.progress import Progress

AfterEpoch = Callable[[EpochRecord], object]


class NetworkInTraining(Protocol):
    """What a callback may ask of the `Network` that trains."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """First to last."""
        ...

    @property
    def parameters(self) -> dict[str, NumpyArray]:
        """A copy of every parameter, by names such as ``1.weights``."""
        ...

    @property
    def optimizer_state(self) -> OptimizerState | None:
        """The optimizer's slots and its count of steps."""
        ...

    def predict(
        self, X: Any, *, engine: str = defaults.ENGINE, threads: int | None = None
    ) -> NumpyArray:
        """What the last layer gives, shape (rows, outputs)."""
        ...

    def evaluate(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> dict[str, float]:
        """The loss and the metrics on rows."""
        ...

    def save(self, path: str | Path) -> None:
        """Write the network to one safe file."""
        ...


@dataclass(frozen=True)
class Run:
    """A run of training that is about to start.

    Arguments:
        network: it trains.
        settings: how: loss, optimizer, epochs, batch size, seed, rows.
        epochs_done: 0; in a resumed run the epochs that were finished before.

    Example:
        >>> import thalweg as tw
        >>> class Announce(tw.Callback):
        ...     def on_start(self, run):
        ...         print(run.settings["loss"], run.epochs_done)
        >>> network = tw.Network([tw.Dense(1)])
        >>> options = {"epochs": 2, "validation": None, "callbacks": [Announce()]}
        >>> history = network.fit([[0.0], [1.0]], [0.0, 1.0], **options)
        mean_squared_error 0
    """

    network: NetworkInTraining
    settings: dict[str, Any]
    epochs_done: int


class Callback(Protocol):
    """What is called while a network trains; one's own needs only what it uses.

    It is called in the thread that trains, after the epoch was entered in the history;
    an error in it ends training. `on_end` is called however training ends.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> class StopBelow(tw.Callback):
        ...     def __init__(self, loss):
        ...         self.loss = loss
        ...     def on_epoch(self, record):
        ...         return record.training_loss < self.loss
        >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
        >>> network = tw.Network([tw.Dense(1)])
        >>> history = network.fit(
        ...     X, 3 * X + 1, optimizer=tw.Adam(0.1), callbacks=[StopBelow(0.1)]
        ... )
        >>> history.stopped_because
        'StopBelow said so after epoch ...'
    """

    def on_start(self, run: Run) -> object:
        """Before the first step."""

    def on_epoch(self, record: EpochRecord) -> bool | None:
        """After every epoch; True ends training."""

    def on_end(self, history: History) -> object:
        """When training has ended, with the weights that are kept."""


@dataclass(frozen=True)
class Function(Callback):
    """A plain function of the record, as a callback."""

    function: AfterEpoch

    def on_epoch(self, record: EpochRecord) -> None:
        """Call it; what it returns means nothing."""
        self.function(record)


class Shown(Callback):
    """Both losses on standard error."""

    def __init__(self, epochs: int) -> None:
        self._progress = Progress(epochs)

    def on_epoch(self, record: EpochRecord) -> None:
        """Show the epoch."""
        self._progress(record)

    def on_end(self, history: History) -> None:
        """Show the last epoch, if it wasn't yet, and what is wrong with it."""
        self._progress.close(history.worse_than_constant)


@dataclass(frozen=True)
class Callbacks:
    """All that is called in one run: progress first, then a user's own in order."""

    each: tuple[Callback, ...] = ()

    @contextmanager
    def around(self, run: Run, history: History) -> Generator[None]:
        """Start all of them; those that were started come to an end."""
        with ExitStack() as ends:
            for callback in self.each:
                callback.on_start(run)
                ends.callback(callback.on_end, history)
            yield

    def reason_to_stop(self, record: EpochRecord) -> str:
        """Tell all of them of the epoch; which ones want to stop, if any do."""
        told = [(callback, callback.on_epoch(record)) for callback in self.each]
        wanting = " and ".join(type(each).__name__ for each, stop in told if stop)
        return wanting and f"{wanting} said so after epoch {record.epoch}"


def callbacks_from(
    callback: AfterEpoch | None,
    callbacks: Sequence[Callback],
    progress: bool,
    epochs: int,
) -> Callbacks:
    """What `fit` was given, as one.

    Raises:
        ArgumentError: one of them isn't a callback.
    """
    if callback is not None:
        require(callable(callback), "callback", "a function or None", callback)
    must = "a list of objects with on_start, on_epoch and on_end"
    require_instance("callbacks", callbacks, Sequence, must)
    for each in callbacks:
        fits = not isinstance(each, type) and all(
            callable(getattr(each, name, None))
            for name in ("on_start", "on_epoch", "on_end")
        )
        require(fits, "callbacks", must, each)
    shown = (Shown(epochs),) if progress else ()
    functions = (Function(callback),) if callback is not None else ()
    return Callbacks((*shown, *functions, *callbacks))
