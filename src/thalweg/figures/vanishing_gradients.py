"""How gradients change on their way back through time, and what clipping does."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from thalweg.backends.numpy.calls import gradient
from thalweg.errors import DivergenceError
from thalweg.figures.examples import shakespeare
from thalweg.figures.pixels import rounded
from thalweg.figures.samples import Sample
from thalweg.figures.style import SERIES, EndLabel, label_ends, new_figure
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import SGD
from thalweg.formulas.recurrence import LSTM, RNN
from thalweg.network import Network
from thalweg.program import ops
from thalweg.program.loops import scan
from thalweg.program.types import NumpyArray

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Settings:
    """The states' size, the windows of text, and the runs with and without clipping."""

    radii: tuple[float, ...] = (0.5, 1.0, 1.5)
    units: int = 32
    times: int = 50
    rows: int = 32
    clip_norm: float = 0.3
    clipped_radius: float = 1.5
    learning_rate: float = 3.0
    steps: int = 200
    seed: int = 0


@dataclass(frozen=True)
class Reach:
    """‖∂L/∂h_t‖ from the last time back to the first, the mean over windows."""

    label: str
    norms: list[float]


@dataclass(frozen=True)
class Descent:
    """The loss before each step, in bits, and how long the step's gradient was."""

    label: str
    bits: list[float]
    norms: list[float]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    back: list[int]
    reaches: list[Reach]
    steps: list[int]
    descents: list[Descent]


def run(settings: Settings | None = None) -> Data:
    """Gradients of a loss at the last time, then runs with and without clipping."""
    chosen = settings or Settings()
    text = shakespeare()
    windows = text.windows(chosen.times).first(chosen.rows)
    x = np.eye(len(text.alphabet))[windows.X]
    reaches = [linear(x, radius, chosen) for radius in chosen.radii]
    reaches.append(gated(x, chosen))
    rows = Sample(x, windows.y, text.source)
    descents = [descent(rows, clip, chosen) for clip in (None, chosen.clip_norm)]
    return Data(
        title_of(reaches),
        f"{chosen.rows} windows of {chosen.times} characters of {text.source}",
        [chosen.seed],
        list(range(chosen.times)),
        reaches,
        list(range(1, chosen.steps + 1)),
        descents,
    )


def recurrent(units: int, radius: float, seed: int) -> NumpyArray:
    """A random matrix whose largest eigenvalue has this absolute value."""
    drawn = np.random.default_rng(seed).normal(size=(units, units))
    return drawn * (radius / np.abs(np.linalg.eigvals(drawn)).max())


def linear(x: NumpyArray, radius: float, settings: Settings) -> Reach:
    """Of h_t = x_t W + h_{t−1} U, U with a spectral radius."""
    units = settings.units
    cell = RNN(units, "identity")
    p = values_for(cell, x, settings.seed)
    p.recurrent = recurrent(units, radius, settings.seed)

    def step(h: Any, x: Any) -> Any:
        return cell.step(x, h, p)

    norms = norms_of(lambda e: scan(added(step), start(e), (x, e)), x, settings)
    return Reach(f"radius {radius:g}", norms)


def gated(x: NumpyArray, settings: Settings) -> Reach:
    """Of an LSTM as it is drawn."""
    cell = LSTM(settings.units)
    p = values_for(cell, x, settings.seed)

    def step(h: Any, c: Any, x: Any, e: Any) -> Any:
        h, c = cell.step(x, (h, c), p)
        return h + e, c

    def states(e: Any) -> Any:
        return scan(step, (start(e), start(e)), (x, e))[0]

    return Reach("LSTM", norms_of(states, x, settings))


def values_for(cell: Any, x: NumpyArray, seed: int) -> SimpleNamespace:
    """The first parameters of a cell."""
    network = Network([cell]).initialize(x.shape[1:], seed, "float64")
    named = network.parameters.items()
    return SimpleNamespace(**{name.removeprefix("1."): a for name, a in named})


def added(step: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """The step with something added to its state: by that, a gradient can be taken."""
    return lambda h, x, e: step(h, x) + e


def start(e: Any) -> Any:
    """The state before the first time."""
    return np.zeros((e.shape[0], e.shape[2]))


def norms_of(
    states: Callable[[Any], Any], x: NumpyArray, settings: Settings
) -> list[float]:
    """‖∂L/∂h_t‖ of a loss L that reads the last state alone, as a random sum."""
    shape = (*x.shape[:2], settings.units)
    readout = np.random.default_rng(settings.seed).normal(size=settings.units)
    readout /= np.linalg.norm(readout)

    def last(e: Any) -> Any:
        return ops.sum(states(e)[:, -1] @ readout)

    slopes = gradient(last)(np.zeros(shape))
    return np.linalg.norm(slopes, axis=2).mean(0)[::-1].tolist()


def descent(rows: Sample, clip_norm: float | None, settings: Settings) -> Descent:
    """Plain gradient descent on all windows at once, an epoch a step."""
    classes = rows.X.shape[-1]
    layers = [RNN(settings.units), Dense(classes, "softmax")]
    network = Network(layers).initialize(rows.X.shape[1:], settings.seed)
    U = recurrent(settings.units, settings.clipped_radius, settings.seed)
    network.set_parameters({"1.recurrent": U})
    steps = [parameters_of(network)]
    bits: list[float] = []

    def note(record: Any) -> None:
        bits.append(record.training_loss / np.log(2))
        steps.append(parameters_of(network))

    with suppress(DivergenceError):
        network.fit(
            rows.X,
            rows.y,
            optimizer=SGD(settings.learning_rate),
            epochs=settings.steps,
            batch_size="all",
            validation=None,
            early_stopping=None,
            clip_norm=clip_norm,
            warm_start=True,
            seed=settings.seed,
            callback=note,
        )
    moved = np.linalg.norm(np.diff(steps, axis=0), axis=1) / settings.learning_rate
    label = "as they are" if clip_norm is None else f"clipped to {clip_norm:g}"
    return Descent(label, rounded(np.array(bits)), rounded(moved))


def parameters_of(network: Network) -> NumpyArray:
    """All parameters as one vector."""
    return np.concatenate([a.ravel() for a in network.parameters.values()], dtype=float)


def title_of(reaches: list[Reach]) -> str:
    """The statement, where the runs bear it out."""
    first = [reach.norms[-1] for reach in reaches]
    if first[0] < 1e-6 and first[2] > 1e6:
        return (
            "Back through time, gradients vanish below a spectral radius of 1 and "
            "explode above"
        )
    return "The length of gradients on their way back through time"


def plot(data: Data) -> Figure:
    """The gradients at each time, and beside them two runs."""
    figure = new_figure(4.9, data.title)
    left, right = cast(Any, figure.subfigures(1, 2, width_ratios=[1.3, 1]))
    draw_reaches(left.subplots(), data)
    above, below = right.subplots(2, 1, sharex=True)
    for each, look in zip(data.descents, SERIES, strict=False):
        above.plot(data.steps[: len(each.bits)], each.bits, **look, label=each.label)
        below.plot(data.steps[: len(each.norms)], each.norms, **look)
    above.set_ylabel("bits per character")
    above.legend(title="gradients")
    powers_of_ten(below.yaxis)
    below.set_ylabel("length that is used")
    below.set_xlabel("step of a tanh network, radius 1.5")
    return figure


def draw_reaches(axes: Axes, data: Data) -> None:
    """A line for each network, from the last time backwards."""
    powers_of_ten(axes.yaxis)
    for reach, look in zip(data.reaches, SERIES, strict=True):
        axes.plot(data.back, reach.norms, **look)
    axes.set_ylabel("‖∂L/∂h‖")
    axes.set_xlabel("times back from the state that L reads")
    axes.set_xlim(0, data.back[-1])
    labels = [
        EndLabel(reach.norms[-1], reach.label, look["color"])
        for reach, look in zip(data.reaches, SERIES, strict=True)
    ]
    label_ends(axes, labels)


def powers_of_ten(axis: Axis) -> None:
    """A logarithmic axis whose ticks are 10⁻³, 1, 10³."""
    axis.axes.set_yscale("log")
    axis.set_major_formatter(lambda value, _: power_of_ten(value))
    axis.set_minor_formatter("")


def power_of_ten(value: float) -> str:
    """A power of ten as it is written.

    >>> power_of_ten(1e-12), power_of_ten(10), power_of_ten(1)
    ('10⁻¹²', '10', '1')
    """
    exponent = round(np.log10(value))
    if exponent in (0, 1):
        return f"{10**exponent}"
    return "10" + str(exponent).translate(RAISED)
