"""Many networks on the same rows: one for every combination of settings."""

from __future__ import annotations

import inspect
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

import thalweg.defaults as defaults
from thalweg.checks import nearest, require, require_instance
from thalweg.errors import ArgumentError, DivergenceError
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss, LossFunction
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.optimizers import optimizer as optimizer_named
from thalweg.formulas.penalties import Penalty
from thalweg.formulas.schedules import Schedule
from thalweg.interrupts import LOOK_SECONDS
from thalweg.model.history import EpochRecord, History
from thalweg.model.programs import Programs
from thalweg.network import Network
from thalweg.program.types import Dtype
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.execution import Execution
from thalweg.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    import polars

Layers = Sequence[Layer] | Callable[..., "Sequence[Layer] | Network"]
Settings = dict[str, Any]
Run = Callable[[Settings], "Network | None"]
NOT_OF_SWEEPS = ("self", "X", "y", "threads", "warm_start", "progress")
"""Arguments of `Network.fit` that a sweep has itself, or that mean nothing in one."""

LEARNING_RATE = "learning_rate"  # of the optimizer, whichever that is


class FitSettings(TypedDict, total=False):
    """The arguments of `Network.fit` that `sweep` takes for all runs."""

    loss: str | Loss | LossFunction | None
    optimizer: str | Optimizer
    learning_rate: float | Schedule  # of the optimizer
    epochs: int
    batch_size: int | str
    validation: float | tuple[Any, ...] | None
    early_stopping: EarlyStopping | None
    seed: int
    shuffle: bool
    sample_weight: Any
    penalty: Penalty | None
    clip_norm: float | None
    dtype: Dtype
    callback: AfterEpoch | None
    callbacks: Sequence[Callback]
    checkpoint: Checkpoint | None
    engine: str
    lengths: Any
    group_by_length: bool


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Arguments:
        settings: of every run, those that were varied.
        networks: as they were trained, in the order of the settings.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 60).reshape(-1, 1)
        >>> rates = {"learning_rate": [1e-6, 0.1]}
        >>> found = tw.sweep([tw.Dense(1)], X, 3 * X, over=rates, epochs=20)
        >>> found.best is found.networks[1]
        True
        >>> found.table["learning_rate"].to_list()
        [1e-06, 0.1]
    """

    settings: tuple[Settings, ...]
    networks: tuple[Network, ...]

    @property
    def histories(self) -> tuple[History, ...]:
        """What happened in every run."""
        return tuple(network.history for network in self.networks)

    @property
    def best(self) -> Network:
        """The network of the lowest validation loss; without one, of training loss.

        Raises:
            ArgumentError: no run finished an epoch.
        """
        finished = [n for n in self.networks if n.history.epochs]
        require(bool(finished), "best", "of runs that finished an epoch", "none")
        return min(finished, key=lambda n: loss_of(best_record(n.history)))

    @property
    def table(self) -> polars.DataFrame:
        """One row a run: its settings, and the figures of its best epoch."""
        import polars

        rows = [
            {**shown(settings), **figures(network.history)}
            for settings, network in zip(self.settings, self.networks, strict=True)
        ]
        return polars.DataFrame(rows, infer_schema_length=None)


def sweep(
    layers: Layers,
    X: Any,
    y: Any,
    *,
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    threads: int | None = None,
    **settings: Unpack[FitSettings],
) -> Sweep:
    """Train a network for every combination of settings, several at a time.

    Arguments:
        layers: a list of layers, or a function of settings that gives one, or that
            gives a network with parameters to start from.
        X: inputs, shape (rows, features).
        y: targets as in `Network.fit`.
        over: the values to try, by the name of a parameter of `layers`, of an argument
            of `Network.fit`, or ``learning_rate``; or a list of the settings of each
            run.
        threads: networks trained at once; None for one on each processor.
        settings: arguments of `Network.fit` that are the same for all.

    Returns:
        The networks, and a table of their settings and figures. Each network has the
        same weights, to the bit, as if it had been trained alone. Ctrl-C ends the runs
        that are under way, and leaves out those that didn't begin.

    Raises:
        ArgumentError: a name is no parameter of `layers` and no argument of `fit`.
        ArgumentError, ShapeError, DtypeError: as `Network.fit` has them.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 60).reshape(-1, 1)
        >>> found = tw.sweep(
        ...     lambda units: [tw.Dense(units, "tanh"), tw.Dense(1)],
        ...     X,
        ...     np.sin(3 * X),
        ...     over={"units": [2, 8], "seed": [0, 1]},
        ...     epochs=5,
        ... )
        >>> found.table.select("units", "seed").rows()
        [(2, 0), (2, 1), (8, 0), (8, 1)]

    Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012.
    """
    from concurrent.futures import ThreadPoolExecutor

    runs = combinations(over)
    for varied in runs:
        check_names(layers, [*varied, *settings])
    execution = Execution(threads=threads)
    programs, stop = Programs(), threading.Event()

    def callback(record: EpochRecord) -> None:
        if own is not None:
            own(record)
        if stop.is_set():
            raise KeyboardInterrupt

    own = settings.pop("callback", None)
    common = {**settings, "callback": callback, "threads": 1}

    def run(varied: Settings) -> Network | None:
        if stop.is_set():
            return None
        try:
            return trained(layers, X, y, {**common, **varied}, programs)
        except BaseException:
            stop.set()  # what the others would learn is lost with the sweep
            raise

    with ThreadPoolExecutor(execution.thread_count) as pool:
        networks = gathered(pool, run, runs, stop)
    done = [(v, n) for v, n in zip(runs, networks, strict=True) if n is not None]
    return Sweep(tuple(v for v, _ in done), tuple(n for _, n in done))


def combinations(
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
) -> list[Settings]:
    """The settings of every run."""
    if not isinstance(over, Mapping):
        return [dict(varied) for varied in over]
    values = cast(Mapping[str, Iterable[Any]], over)
    every = itertools.product(*map(list, values.values()))
    return [dict(zip(values, chosen, strict=True)) for chosen in every]


def gathered(
    pool: ThreadPoolExecutor, run: Run, runs: Sequence[Settings], stop: threading.Event
) -> list[Network | None]:
    """All results; Ctrl-C lets the runs under way end, and begins no others."""
    futures: list[Future[Network | None]] = []
    try:
        for varied in runs:
            futures.append(pool.submit(run, varied))
        return [settled(future) for future in futures]
    except KeyboardInterrupt:
        stop.set()
        results = [settled(future) for future in futures]
        return results + [None] * (len(runs) - len(results))
    except BaseException:
        stop.set()
        raise


def settled(future: Future[Network | None]) -> Network | None:
    """The result, when it's there.

    Python notices a signal in the instant before a wait only after it, so none is long.
    """
    from concurrent.futures import wait

    while not future.done():
        wait([future], LOOK_SECONDS)
    return future.result()


def trained(
    layers: Layers, X: Any, y: Any, settings: Settings, programs: Programs
) -> Network:
    """One network; one that diverges is kept with what it had learned."""
    own = {name: settings.pop(name) for name in parameters_of(layers) & set(settings)}
    built = layers(**own) if callable(layers) else layers
    if LEARNING_RATE in settings:
        rule = optimizer_named(settings.get("optimizer", defaults.OPTIMIZER))
        settings["optimizer"] = with_rate(rule, settings.pop(LEARNING_RATE))
    if isinstance(built, Network):
        network, settings = built, {**settings, "warm_start": True}
    else:
        network = Network(built)
    network.programs = programs
    try:
        network.fit(X, y, **settings)
    except DivergenceError:
        if not network.history.stopped_because:
            raise
    finally:
        network.programs = None
    return network


def with_rate(rule: Optimizer, rate: Any) -> Optimizer:
    """The same rule at another learning rate."""
    must = "an optimizer that is a dataclass, to vary its learning rate"
    require(is_dataclass(rule), "optimizer", must, rule)
    return replace(rule, learning_rate=rate)  # pyright: ignore[reportArgumentType]


def parameters_of(layers: Layers) -> set[str]:
    """The settings that a function of layers takes."""
    return set(inspect.signature(layers).parameters) if callable(layers) else set()


def check_names(layers: Layers, names: Sequence[str]) -> None:
    """Every setting is one of the layers' function, or of `fit`."""
    if not callable(layers):
        must = "a list of layers, or a function that gives one"
        require_instance("layers", layers, Sequence, must)
    fit = set(inspect.signature(Network.fit).parameters)
    known = {*parameters_of(layers), *fit, LEARNING_RATE} - set(NOT_OF_SWEEPS)
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"a sweep has no setting {name!r}{nearest(name, known)}; "
                f"there are {', '.join(sorted(known))}"
            )


# The table ---------------------------------------------------------------------------


def best_record(history: History) -> EpochRecord:
    """The epoch whose weights were kept."""
    return history.epochs[max(history.best_epoch, 1) - 1]


def loss_of(record: EpochRecord) -> float:
    """What an epoch is judged by."""
    loss = record.validation_loss
    return record.training_loss if loss is None else loss


def shown(settings: Settings) -> Settings:
    """Settings as a table can hold them."""
    plain = (int, float, str, bool, type(None))
    return {k: v if isinstance(v, plain) else str(v) for k, v in settings.items()}


def figures(history: History) -> dict[str, Any]:
    """The figures of a run's best epoch, and why it ended."""
    found: dict[str, Any] = {"epochs": history.stopped_epoch}
    if history.epochs:
        record = best_record(history)
        found["best_epoch"] = record.epoch
        found["training_loss"] = record.training_loss
        found["validation_loss"] = record.validation_loss
        for name, value in record.training_metrics.items():
            found[f"training_{name}"] = value
        for name, value in record.validation_metrics.items():
            found[f"validation_{name}"] = value
    found["seconds"] = sum(history.seconds)
    found["stopped_because"] = history.stopped_because
    return found
