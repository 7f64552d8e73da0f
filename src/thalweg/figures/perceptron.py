"""One unit that tells two species of iris apart, with the formula that it learned."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.runs import Curve, trained
from thalweg.figures.samples import Sample, iris
from thalweg.figures.style import BLUE, INK, VERMILION, legible, new_figure
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.perceptron import Perceptron

PETAL = [2, 3]
VIRGINICA = 2
LOOKS = ((BLUE, "o"), (VERMILION, "s"))


@dataclass(frozen=True)
class Settings:
    """How long and from where to train."""

    learning_rate: float = 0.3
    epochs: int = 2000
    seed: int = 0


@dataclass(frozen=True)
class Points:
    """Flowers of one species; ``wrong`` are the numbers of those misjudged."""

    label: str
    x: list[float]
    y: list[float]
    wrong: list[int]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    weights: list[float]
    bias: float
    formula: str
    species: list[Points]
    line: Curve


def run(settings: Settings | None = None) -> Data:
    """Train one unit on all rows a step."""
    chosen = settings or Settings()
    rows = two_species()
    network = trained(
        [Perceptron()],
        rows,
        optimizer=Adam(chosen.learning_rate),
        epochs=chosen.epochs,
        batch_size="all",
        seed=chosen.seed,
    )
    weights = network.parameters["1.weights"][:, 0].tolist()
    bias = network.parameters["1.bias"].item()
    right = (network.predict(rows.X)[:, 0] >= 0.5) == rows.y
    return Data(
        f"A line tells {right.sum()} of {len(right)} flowers it was learned from apart "
        f"(○: the other {len(right) - right.sum()})",
        rows.source,
        [chosen.seed],
        weights,
        bias,
        formula_of(weights, bias),
        [points("versicolor", 0, rows, right), points("virginica", 1, rows, right)],
        decision_line(weights, bias, rows),
    )


def two_species() -> Sample:
    """Petal length and width in cm; 1 where the flower is a virginica."""
    rows = iris()
    kept = rows.y > 0
    source = f"{rows.source}; petals of versicolor and virginica"
    return Sample(
        rows.X[kept][:, PETAL], (rows.y[kept] == VIRGINICA).astype(int), source
    )


def formula_of(weights: list[float], bias: float) -> str:
    """The unit with the numbers that it learned."""
    signs = ["−" if value < 0 else "+" for value in (weights[1], bias)]
    return (
        f"z = {weights[0]:.2f} · length {signs[0]} {abs(weights[1]):.2f} · width "
        f"{signs[1]} {abs(bias):.2f},   a = sigmoid(z)\n"
        "line: z = 0, a = 0.5; above it a > 0.5: virginica"
    )


def points(label: str, species: int, rows: Sample, right: np.ndarray) -> Points:
    """The flowers of a species."""
    mine = rows.y == species
    wrong = np.flatnonzero(~right[mine]).tolist()
    return Points(label, rows.X[mine, 0].tolist(), rows.X[mine, 1].tolist(), wrong)


def decision_line(weights: list[float], bias: float, rows: Sample) -> Curve:
    """Where z = 0, for widths a little beyond those of the flowers."""
    widths = [float(rows.X[:, 1].min()) - 0.1, float(rows.X[:, 1].max()) + 0.1]
    lengths = [-(bias + weights[1] * width) / weights[0] for width in widths]
    return Curve("z = 0", lengths, widths)


def plot(data: Data) -> Figure:
    """The flowers, the line, and the formula."""
    figure = new_figure(6.4, data.title)
    axes = figure.subplots()
    axes.set_title(data.formula, fontsize=12.5)
    axes.set_xlabel("petal length (cm)")
    axes.set_ylabel("petal width (cm)")
    for species, (color, marker) in zip(data.species, LOOKS, strict=True):
        draw_species(axes, species, color, marker)
    lengths = [length for species in data.species for length in species.x]
    axes.set_xlim(min(lengths) - 0.3, max(lengths) + 0.3)
    axes.plot(data.line.x, data.line.y, color=INK)
    left, right = data.species
    corner(axes, (0.02, 0.03), f"● {left.label}", BLUE, "left")
    corner(axes, (0.98, 0.95), f"■ {right.label}", VERMILION, "right")
    return figure


def draw_species(axes: Axes, species: Points, color: str, marker: str) -> None:
    """Flowers, darker where several share a place; rings around the wrong ones."""
    axes.scatter(species.x, species.y, color=color, marker=marker, alpha=0.55)
    x = [species.x[i] for i in species.wrong]
    y = [species.y[i] for i in species.wrong]
    axes.scatter(x, y, s=140, facecolors="none", edgecolors=INK)


def corner(
    axes: Axes, place: tuple[float, float], text: str, color: str, side: str
) -> None:
    """A species' name where it has no flowers of the other."""
    axes.annotate(
        text,
        place,
        xycoords="axes fraction",
        color=legible(color),
        ha=side,
        fontsize=12,
    )
