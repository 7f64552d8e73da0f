"""What a network for images has to beat on the same test images.

A guess, the nearest neighbor, a linear model and a dense network. They get pixels, of
large images means of some; where there are very many images some of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thalweg.defaults as defaults
from thalweg.errors import DivergenceError
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.schedules import OneCycle
from thalweg.kinds.baseline import Baseline
from thalweg.kinds.constant import class_count, constant_guess
from thalweg.kinds.last_layer import output_layer
from thalweg.kinds.limited import limited
from thalweg.kinds.row_errors import Outputs, RowErrors, errors_of
from thalweg.kinds.scores import parts_of, repeated
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.training.execution import Execution
from thalweg.vision.network import BYTE
from thalweg.vision.prepare import PreparedImages
from thalweg.vision.settings import ImageSettings
from thalweg.words import counted

MOST_NUMBERS = 32 * 32 * 3
"""Of an image, after which it is shrunk."""

MOST_PRODUCTS = 2**37
"""Of all distances together, which take some seconds."""

MOST_LEARNED = 2**31
"""Numbers that a network looks at in all its epochs, which takes about as long."""

FEWEST_EPOCHS = 2
LEAST_UNITS = 2
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Flat:
    """The images as rows of numbers from 0 to 1, float32.

    Arguments:
        training, validation, test: shape (rows, numbers).
        note: into what they were shrunk, if they were.
    """

    training: NDArray[np.float32]
    validation: NDArray[np.float32]
    test: NDArray[np.float32]
    note: str

    @classmethod
    def of(cls, parts: PreparedImages) -> Flat:
        """Rows of numbers; of a large image means of squares."""
        form = parts.form
        size = shrinking(math.prod(form.shape))
        note = f"{form.height // size} × {form.width // size} means of pixels"
        every = parts.training, parts.validation, parts.test
        flat = (flattened(each.X, size) for each in every)
        return cls(*flat, note=note if size > 1 else "")


def shrinking(numbers: int) -> int:
    """The side of the squares whose means are taken, of images of so many numbers.

    >>> shrinking(28 * 28), shrinking(224 * 224 * 3)
    (1, 7)
    """
    return math.ceil(math.sqrt(numbers / MOST_NUMBERS))


def flattened(pixels: NDArray[Any], size: int) -> NDArray[np.float32]:
    """Means of squares of pixels, from 0 to 1, a row an image.

    >>> flattened(np.full((1, 5, 4, 1), 255, np.uint8), 2).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """
    rows, height, width, channels = pixels.shape
    squares = min(size, height), min(size, width)
    high, wide = height // squares[0], width // squares[1]
    found = np.empty((rows, high * wide * channels), np.float32)
    for part in parts_of(rows, height * width * channels):
        whole = pixels[part, : high * squares[0], : wide * squares[1]]
        cut = whole.reshape(-1, high, squares[0], wide, squares[1], channels)
        means = cut.mean((2, 4), dtype=np.float32)
        found[part] = means.reshape(len(means), -1) / np.float32(BYTE)
    return found


def baselines(
    parts: PreparedImages,
    settings: ImageSettings,
    network: Network,
    execution: Execution,
) -> list[Baseline]:
    """A guess, the nearest neighbor, a linear model and a dense network, in turn.

    Arguments:
        parts: the images; validation images choose the epochs here, too.
        settings: loss and seed.
        network: the trained one; the dense one gets as many parameters.
        execution: what runs them.
    """
    flat = Flat.of(parts)
    parameters = sum(each.size for each in network.parameters.values())
    units = units_for(parameters, flat.training.shape[1], max(class_count(parts), 1))
    hidden = Dense(units, defaults.IMAGE_ACTIVATION)
    last = output_layer(parts.targets, settings.loss)
    how = Learning(parts, flat, settings, network.history, execution)
    models: Mapping[str, Callable[[], tuple[Outputs, str] | None]] = {
        "constant guess": lambda: (constant(parts), ""),
        "nearest neighbor": lambda: nearest_neighbor(parts, flat, execution.threads),
        "linear model": lambda: how.outputs([last]),
        f"dense network ({units})": lambda: how.outputs([hidden, last]),
    }
    found: list[Baseline] = []
    for name, model in models.items():
        started = time.perf_counter()
        given = model()
        if given is not None:
            errors = errors_on_test(parts, given[0])
            seconds = time.perf_counter() - started
            found.append(Baseline(name, errors, seconds, given[1]))
    return found


def errors_on_test(parts: PreparedImages, outputs: Outputs) -> RowErrors:
    """What outputs for the test images got wrong."""
    known = parts.test.truth, None, parts.deciding.positive
    return errors_of(parts.targets, outputs, *known)


def constant(parts: PreparedImages) -> Outputs:
    """The classes' shares or the mean, whatever an image shows."""
    return repeated(constant_guess(parts), len(parts.test.X))


# The nearest neighbor -----------------------------------------------------------------


def nearest_neighbor(
    parts: PreparedImages, flat: Flat, threads: int | None
) -> tuple[Outputs, str]:
    """What the training image shows whose pixels differ least (scikit-learn's)."""
    neighbors: Any = import_module("sklearn.neighbors")
    kept = some_rows(len(flat.training), flat.test.size)
    X, y = flat.training[kept], parts.training.y[kept]
    search = neighbors.NearestNeighbors(n_neighbors=1, algorithm="brute")
    with limited(threads):
        nearest = search.fit(X).kneighbors(flat.test, return_distance=False)[:, 0]
    some = len(kept) < len(flat.training)
    looked = f"looked at {counted(len(kept), 'training image')} only" if some else ""
    notes = [each for each in (flat.note, looked) if each]
    return certain(y[nearest], class_count(parts)), ", ".join(notes)


def some_rows(rows: int, numbers: int) -> NDArray[np.int64]:
    """All rows, or as many at random as can be compared with so many numbers in all."""
    most = max(MOST_PRODUCTS // max(numbers, 1), 1)
    if rows <= most:
        return np.arange(rows)
    generator = np.random.Generator(np.random.Philox(key=[0, rows]))
    return np.sort(generator.choice(rows, most, replace=False))


def certain(learned: NDArray[Any], classes: int) -> Outputs:
    """Class numbers as probabilities of 0 and 1; numbers as they are; in parts."""
    for part in parts_of(len(learned), classes):
        if classes:
            yield np.eye(classes)[learned[part]]
        else:
            yield learned[part].reshape(-1, 1)


# Networks -----------------------------------------------------------------------------


def units_for(parameters: int, inputs: int, outputs: int) -> int:
    """How many hidden units come to about so many parameters.

    n · (inputs + 1) + outputs · (n + 1)

    >>> units_for(12_810, 784, 10)
    16
    """
    return max(round((parameters - outputs) / (inputs + 1 + outputs)), LEAST_UNITS)


@dataclass(frozen=True)
class Learning:
    """How the networks among the baselines learn.

    Arguments:
        parts: the images.
        flat: the same as rows of numbers.
        settings: loss and seed.
        history: of the network that they stand beside.
        execution: what runs them.
    """

    parts: PreparedImages
    flat: Flat
    settings: ImageSettings
    history: History
    execution: Execution

    @property
    def epochs(self) -> int:
        """As many as the network may have; fewer where there are many numbers.

        Who ended its training by Ctrl-C doesn't wait for more than it had.
        """
        own = self.settings.most_epochs(len(self.flat.training))
        if self.history.stopped_because.startswith(INTERRUPTED):
            own = max(self.history.stopped_epoch, 1)
        affordable = MOST_LEARNED // max(self.flat.training.size, 1)
        return min(max(affordable, FEWEST_EPOCHS), own)

    def outputs(self, layers: list[Layer]) -> tuple[Outputs, str] | None:
        """What a network gives for the test images; None if it couldn't learn."""
        network, execution = Network(layers), self.execution
        training, validation = self.parts.training, self.parts.validation
        how: dict[str, Any] = {
            "engine": execution.engine,
            "threads": execution.threads,
        }
        try:
            history = network.fit(
                self.flat.training,
                training.y,
                loss=self.settings.loss,
                optimizer=Adam(OneCycle(defaults.IMAGE_LEARNING_RATE)),
                epochs=self.epochs,
                batch_size=self.settings.rows_a_step(len(training.X)),
                validation=(self.flat.validation, validation.y),
                early_stopping=self.settings.early_stopping(),
                seed=self.settings.seed,
                **how,
            )
        except DivergenceError:
            return None
        if history.stopped_because.startswith(INTERRUPTED):
            return None  # it would look worse than it is
        return iter([network.predict(self.flat.test, **how)]), self.flat.note
