"""A perceptron with one weight and one bias: its exact loss, and paths down it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thalweg.backends.numpy.calls import compile
from thalweg.figures.samples import Sample
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import SGD
from thalweg.formulas.perceptron import Perceptron, perceptron
from thalweg.model.history import EpochRecord
from thalweg.network import Network

Surface = Callable[[float, float], float]


@dataclass(frozen=True)
class Path:
    """The parameters before the first step and after each, and the loss there."""

    learning_rate: float
    weight: list[float]
    bias: list[float]
    loss: list[float]


def loss_surface_of(rows: Sample, activation: str, loss: str) -> Surface:
    """The loss of all rows as a function of the weight and the bias."""
    mean_loss = Loss.of(loss)

    @compile
    def loss_at(weights: np.ndarray, bias: np.ndarray) -> object:
        return mean_loss(perceptron(rows.X, weights, bias, activation), rows.y)

    def surface(weight: float, bias: float) -> float:
        return float(loss_at(np.array([weight]), np.array(bias)))

    return surface


def descend(
    rows: Sample,
    activation: str,
    loss: str,
    start: tuple[float, float],
    learning_rate: float,
    steps: int,
) -> Path:
    """Train on all rows a step, and note where each step leads."""
    network = Network([Perceptron(activation)]).initialize(1, dtype="float64")
    network.set_parameters({"1.weights": [[start[0]]], "1.bias": [start[1]]})
    visited = [start]

    def note(record: EpochRecord) -> None:
        values = network.parameters
        visited.append((values["1.weights"].item(), values["1.bias"].item()))

    network.fit(
        rows.X,
        rows.y,
        loss=loss,
        optimizer=SGD(learning_rate),
        epochs=steps,
        batch_size="all",
        validation=None,
        early_stopping=None,
        dtype="float64",
        warm_start=True,
        callback=note,
    )
    surface = loss_surface_of(rows, activation, loss)
    weights, biases = map(list, zip(*visited, strict=True))
    return Path(learning_rate, weights, biases, [surface(*place) for place in visited])
