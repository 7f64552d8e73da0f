"""The rows of an experiment, and the seal on those of its test."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.figures.examples import example
from thalweg.figures.samples import digits
from thalweg.playground.datasets import SOURCES, drawn
from thalweg.playground.experiment import Experiment
from thalweg.playground.own_formula import of_points
from thalweg.program.types import NumpyArray

Pair = tuple[NumpyArray, NumpyArray]

TEST_ROWS = 200
SQUARE = 3.0
"""Rows of a formula lie between −3 and 3."""


@dataclass(frozen=True)
class Data:
    """Rows that are learned from, held out, and sealed.

    Arguments:
        training, validation, test: inputs (rows, features) and targets (rows,).
        features: names of the inputs; empty for the usual ones.
        classes: names of the classes; empty for their numbers, or without classes.
        target: what is told of a row.
        source: where the rows come from.
        class_count: how many classes there are; None where numbers are told.
        one_output: whether of two classes the probability of one is told, not of each.
    """

    training: Pair
    validation: Pair
    test: Pair
    features: tuple[str, ...]
    classes: tuple[str, ...]
    target: str
    source: str
    class_count: int | None
    one_output: bool = True


def data_of(experiment: Experiment) -> Data:
    """The rows of an experiment.

    Raises:
        ArgumentError: there are too few of them, or the formula can't be used.
    """
    source = SOURCES[experiment.data]
    recipe, noise, seed = source.recipe, experiment.noise, experiment.data_seed
    if experiment.data == "table":
        raise ArgumentError(
            "data must be other than table where none was given, got table: start with "
            "thalweg play TABLE --target COLUMN"
        )
    if recipe is None:
        return OTHERS[experiment.data](experiment)
    training, validation, test = (
        drawn(recipe, count, noise, seed, part)
        for part, count in enumerate(counts_of(experiment))
    )
    return Data(training, validation, test, (), (), "y", source.sentence, 2)


def counts_of(experiment: Experiment) -> tuple[int, int, int]:
    """How many rows there are to be to learn from, to hold out and to test with."""
    return experiment.training_rows, experiment.validation_rows, TEST_ROWS


def of_formula(experiment: Experiment) -> Data:
    """Points in a square, and what a formula says of them."""
    tell = of_points(experiment.formula)
    parts: list[Pair] = []
    for part, count in enumerate(counts_of(experiment)):
        key = [experiment.data_seed, 2 * part]
        random = np.random.Generator(np.random.Philox(key=key))
        X = random.uniform(-SQUARE, SQUARE, (count, 2)).astype(np.float32)
        parts.append((X, tell(X)))
    classes = parts[0][1].dtype == bool
    if classes:
        parts = [(X, y.astype(np.int64)) for X, y in parts]
        if len(np.unique(parts[0][1])) < 2:
            raise ArgumentError(
                f"formula must be true for some points and false for others, got "
                f"{experiment.formula!r}, which is one of both for all training rows"
            )
    count = 2 if classes else None
    sentence = f"evenly in a square; y by {experiment.formula}"
    training, validation, test = parts
    return Data(training, validation, test, (), (), "y", sentence, count)


def by_hand(experiment: Experiment) -> Data:
    """Points that were drawn: of four of a class one is held out, and one tests."""
    points = np.array(experiment.points, np.float64).reshape(-1, 3)
    X, y = points[:, :2].astype(np.float32), points[:, 2].astype(np.int64)
    least = min(int((y == kind).sum()) for kind in (0, 1))
    if least < 4:
        raise ArgumentError(
            f"points must be at least 4 of each class, got {least} of one: draw more"
        )
    turn = np.empty(len(y), int)
    for kind in (0, 1):
        own = y == kind
        turn[own] = np.arange(own.sum()) % 4
    training, validation, test = (
        (X[own], y[own]) for own in (turn < 2, turn == 2, turn == 3)
    )
    source = SOURCES["drawn"].sentence
    return Data(training, validation, test, (), (), "class", source, 2)


def of_penguins(experiment: Experiment) -> Data:
    """Four measurements of penguins, standardized, and their species."""
    names = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    with example("penguins.csv").open(encoding="utf-8", newline="") as file:
        whole = [row for row in csv.DictReader(file) if all(row[n] for n in names)]
    species = sorted({row["species"] for row in whole})
    X = np.array([[float(row[name]) for name in names] for row in whole])
    y = np.array([species.index(row["species"]) for row in whole])
    told = tuple(name.rsplit("_", 1)[0].replace("_", " ") for name in names)
    return parted(experiment, X, y, told, tuple(species), "species", True)


def of_digits(experiment: Experiment) -> Data:
    """64 pixels from 0 to 1, and the digit."""
    sample = digits()
    pixels = tuple(f"pixel {row}, {column}" for row in range(8) for column in range(8))
    classes = tuple(map(str, range(10)))
    return parted(experiment, sample.X, sample.y, pixels, classes, "digit", False)


def parted(
    experiment: Experiment,
    X: NumpyArray,
    y: NumpyArray,
    features: tuple[str, ...],
    classes: tuple[str, ...],
    target: str,
    standardize: bool,
) -> Data:
    """Rows that there are, in an order by a seed, as three parts."""
    order = np.random.Generator(np.random.Philox(key=[experiment.data_seed, 0]))
    shuffled = order.permutation(len(y))
    first, second, third = counts_of(experiment)
    most = len(y) - 50
    if first + second > most:
        raise ArgumentError(
            f"training_rows and validation_rows must be at most {most} together, as "
            f"{experiment.data} has {len(y)} rows, got {first} and {second}"
        )
    ends = np.split(shuffled[: first + second + third], [first, first + second])
    own = X[ends[0]]
    inputs = (X - own.mean(axis=0)) / own.std(axis=0) if standardize else X
    training, validation, test = (
        (inputs[part].astype(np.float32), y[part].astype(np.int64)) for part in ends
    )
    source = SOURCES[experiment.data].sentence
    told = features, classes, target, source, len(classes)
    return Data(training, validation, test, *told)


OTHERS: dict[str, Callable[[Experiment], Data]] = {
    "formula": of_formula,
    "drawn": by_hand,
    "penguins": of_penguins,
    "digits": of_digits,
}
"""Where there is no recipe."""
