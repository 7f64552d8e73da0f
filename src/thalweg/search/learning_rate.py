"""A learning rate for a network, found by a range test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

import thalweg.defaults as defaults
from thalweg.checks import require_positive, require_seed, require_whole, seed_after
from thalweg.errors import ArgumentError, NotFittedError, ShapeError
from thalweg.formulas.chain import shapes_of
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss, LossFunction
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.programs import Programs
from thalweg.model.step import Objective
from thalweg.network import Network
from thalweg.program.types import Dtype, NumpyArray
from thalweg.search.range_test import FEW, ExponentialGrowth, losses_of_steps
from thalweg.training.arguments import require_dtype
from thalweg.training.execution import Execution
from thalweg.training.fit import batch_rows
from thalweg.training.given import Given
from thalweg.training.named import with_shapes_of
from thalweg.training.objective import objective_of_rows
from thalweg.training.rows import Rows

LOWEST, HIGHEST = 1e-6, 10.0
STEPS, STARTS = 200, 5
LEAST_STEPS = 50
MEMORY = 0.9  # β of the smoothing: about the last 10 steps count
SHARE = 0.9  # of the whole fall of the loss, which is over at the chosen rate
REASON = f"where {SHARE:.0%} of the fall of the smoothed loss are over"
CLEAR = 3.0  # times the spread before the fall: a fall of less may be chance


@dataclass(frozen=True)
class RangeTest:
    """What a range test gave: a loss for every learning rate, and the one to take.

    Arguments:
        learning_rates: of every step, rising.
        losses: of every step's batch; the median of the starts.
        smoothed: the same without most of the noise.
        chosen: the learning rate to train with.
        reason: why that one, as a sentence.
        ended: why the test ended, as a sentence.
        settings: how it was set up, as plain data.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
        >>> found = tw.find_learning_rate([tw.Dense(1)], X, 3 * X, optimizer="sgd")
        >>> len(found.learning_rates) == len(found.losses) == len(found.smoothed)
        True
    """

    learning_rates: list[float]
    losses: list[float]
    smoothed: list[float]
    chosen: float
    reason: str
    ended: str
    settings: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return asdict(self)


def find_learning_rate(
    network: Network | Sequence[Layer],
    X: Any,
    y: Any,
    *,
    loss: str | Loss | LossFunction | None = None,
    optimizer: str | Optimizer = defaults.OPTIMIZER,
    batch_size: int | str = defaults.FIT_BATCH_SIZE,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
    starts: int = STARTS,
    seed: int = defaults.SEED,
    sample_weight: Any = None,
    penalty: Penalty | None = None,
    clip_norm: float | None = None,
    dtype: Dtype = defaults.DTYPE,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
) -> RangeTest:
    """Find a learning rate by training while it grows.

    ηₜ = η₀ (η₁ / η₀)^(t / (T − 1));  sₜ = β sₜ₋₁ + (1 − β) ℓₜ;  ŝₜ = sₜ / (1 − βᵗ)

    ℓₜ is the loss of step t's batch before the step, the median of several starts. A
    start ends where its loss isn't finite or has blown up. The rate to take is the one
    at which nine tenths of the whole fall of ŝ are over: a lower one learns more slowly
    for nothing, and a higher one gains little until the loss blows up.

    Arguments:
        network: layers, which get new parameters; or a network, whose own are where
            the test starts. The network itself is left as it is.
        X: inputs, shape (rows, features): training rows, without those held out. Rows
            of different lengths are a list of arrays (times, …).
        y: targets as in `Network.fit`.
        loss, optimizer, batch_size, sample_weight, penalty, clip_norm, dtype: as in
            `Network.fit`. The learning rate of the optimizer isn't used, and a network
            that has parameters keeps its dtype.
        lowest, highest: η₀ and η₁.
        steps: T. With more of them more is learned on the way, so that the loss falls
            at lower rates.
        starts: each with first parameters, an order of rows and dropout of its own.
        seed: of the first start.
        engine: ``native``, or ``interpreter``, which is NumPy.
        threads: at most; None for as many as are fastest.

    Returns:
        The rates, their losses, and the rate to take.

    Raises:
        ArgumentError, ShapeError, DtypeError: an argument can't be used.
        ArgumentError: the loss fell at none of the rates.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
        >>> found = tw.find_learning_rate([tw.Dense(8, "tanh"), tw.Dense(1)], X, X**2)
        >>> 0.001 < found.chosen < 1
        True

    Source: Smith, "Cyclical learning rates for training neural networks", 2017.
    """
    require_seed(seed)
    require_dtype(dtype)
    require_whole("steps", steps, least=LEAST_STEPS)
    require_whole("starts", starts, least=1)
    growth = ExponentialGrowth(lowest, highest)
    rates = growth.learning_rates(range(steps), steps, [])
    execution = Execution(engine, threads, Programs())
    if isinstance(network, Network) and is_fitted(network):
        dtype = network.dtype
    if isinstance(network, Network):
        if not is_fitted(network):
            network = with_shapes_of(network.layers, X)
    else:
        network = with_shapes_of(network, X)
    layers = network.layers if isinstance(network, Network) else network
    given = Given(layers, partial(shapes_of, layers), dtype)
    rows = given.rows(X, y, sample_weight, None)
    size = batch_rows(batch_size, len(rows))
    objective = objective_of(
        start_of(network, rows, int(seed), dtype),
        *(rows, loss, optimizer, penalty, clip_norm),
    )
    runs: list[NumpyArray] = []
    for own in (seed_after(int(seed), k) for k in range(starts)):
        start = start_of(network, rows, own, dtype)
        runs.append(
            losses_of_steps(start, rows, objective, size, rates, own, execution)
        )
    losses: list[float] = np.median(runs, axis=0).tolist()
    test = settings_of(objective, rows, size, seed, starts)
    return conclusion(rates, losses, test)


def start_of(
    network: Network | Sequence[Layer], rows: Rows, seed: int, dtype: Dtype
) -> Network:
    """The network to start from: one's own, or a new one."""
    if isinstance(network, Network) and is_fitted(network):
        wanted = network.shapes.outputs[0]
        if rows.X.shape[1:] != wanted:
            raise ShapeError(
                f"X must have shape (rows, {', '.join(map(str, wanted))}) as the "
                f"network has it, got {rows.X.shape}"
            )
        return network
    layers = network.layers if isinstance(network, Network) else network
    return Network(layers).initialize(rows.X.shape[1:], seed, dtype)


def is_fitted(network: Network) -> bool:
    """Whether a network has parameters."""
    try:
        return bool(network.shapes)
    except NotFittedError:
        return False


def objective_of(
    network: Network,
    rows: Rows,
    loss: str | Loss | LossFunction | None,
    optimizer: str | Optimizer,
    penalty: Penalty | None,
    clip_norm: float | None,
) -> Objective:
    """What the network is to learn, checked as `Network.fit` does it."""
    if clip_norm is not None:
        require_positive("clip_norm", clip_norm)
    known = loss or network.loss
    return objective_of_rows(network, rows, known, optimizer, penalty, clip_norm)


# The choice ---------------------------------------------------------------------------


def conclusion(
    rates: list[float], losses: list[float], settings: dict[str, Any]
) -> RangeTest:
    """The rate to take, from the loss of every step.

    Raises:
        ArgumentError: the loss didn't fall.
    """
    kept = [loss for loss in losses if math.isfinite(loss)]
    smooth, tried = smoothed(kept), rates[: len(kept)]
    ended = f"all learning rates up to {rates[-1]:.2g} were tried"
    if len(kept) < len(rates):
        ended = f"the loss blew up at learning rate {rates[len(kept)]:.2g}"
    require_fall(kept, smooth, rates, ended)
    chosen = choice(tried, kept, smooth)
    return RangeTest(tried, kept, smooth, chosen, REASON, ended, settings)


def require_fall(
    losses: list[float], smooth: list[float], rates: list[float], ended: str
) -> None:
    """The loss fell by more than chance would have it."""
    calm = smooth[FEW : max(len(rates) // 4, 2 * FEW)]
    fall = start_level(losses) - min(smooth, default=math.inf)
    if not (calm and fall > CLEAR * float(np.std(calm))):
        raise ArgumentError(
            "a range test must find the loss falling, but from learning rate "
            f"{rates[0]:g} on it didn't; {ended}. Try a wider range, more starts, or "
            "inputs scaled to about −1…1"
        )


def start_level(losses: list[float]) -> float:
    """The loss before anything is learned."""
    return float(np.median(losses[:FEW])) if losses else math.nan


def choice(rates: list[float], losses: list[float], smooth: list[float]) -> float:
    """The rate at which most of the fall is over, to two digits."""
    start, lowest = start_level(losses), min(smooth)
    level = start - SHARE * (start - lowest)
    first = next(step for step, loss in enumerate(smooth) if loss <= level)
    return float(f"{rates[first]:.2g}")


def smoothed(losses: Sequence[float], memory: float = MEMORY) -> list[float]:
    """Exponential moving averages without the pull of their start.

    sₜ = β sₜ₋₁ + (1 − β) ℓₜ;  ŝₜ = sₜ / (1 − βᵗ)

    Arguments:
        losses: ℓ, one a step.
        memory: β; the last 1 / (1 − β) losses are most of an average.

    Example:
        >>> smoothed([2.0, 2.0, 2.0])
        [2.0, 2.0, 2.0]

    Source: Kingma and Ba, "Adam: A method for stochastic optimization", 2015.
    """
    averages: list[float] = []
    total = 0.0
    for step, loss in enumerate(losses, 1):
        total = memory * total + (1 - memory) * loss
        averages.append(total / (1 - memory**step))
    return averages


def settings_of(
    objective: Objective, rows: Rows, batch_size: int, seed: int, starts: int
) -> dict[str, Any]:
    """How a test was set up, as plain data."""
    return {
        "loss": objective.loss.name,
        "optimizer": type(objective.optimizer).__name__,
        "batch_size": batch_size,
        "seed": int(seed),
        "starts": starts,
        "rows": len(rows),
        "smoothing": MEMORY,
    }
