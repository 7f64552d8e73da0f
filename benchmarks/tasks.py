"""The tasks, and for each the figures to reach: the one list of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.data import MAKERS, Rows, first_parameters, mnist
from benchmarks.layers import Network
from benchmarks.networks import FORD_A, KERAS_MNIST, LENET, perceptron
from benchmarks.work import Work

RIVALS = ("PyTorch", "JAX", "scikit-learn", "Keras")
# Relative, between mean losses of the first 100 steps, or between predictions. Orders
# of addition differ, so float32 losses drift apart. On real images they do so a lot
# faster: pixels that are nearly always black have gradients near the rounding error,
# which Adam scales up to whole steps.
TOLERANCE, TOLERANCE_ON_IMAGES = 5e-4, 5e-3
# They learn their rows by heart within 100 steps: in float32 the losses of the engine
# and of NumPy then lie up to 8e-3 from those in float64, each on its own side.
TOLERANCE_OF_LARGE = 2e-2
SWEPT_RATES = (3e-4, 1e-3, 3e-3, 1e-2)


@dataclass(frozen=True)
class Target:
    """A figure to reach.

    Arguments:
        against: a family of contenders, "rivals" for the best of all, the name of one
            contender, "floor", or "Adam" for the time of an operation.
        factor: thalweg is at least so many times as fast; for floor and Adam, it takes
            at most so many times as long.
    """

    against: str
    factor: float

    @property
    def is_limit(self) -> bool:
        """Whether the figure must stay below the factor."""
        return self.against in ("floor", "Adam")


@dataclass(frozen=True)
class Task:
    """What is trained, predicted or swept.

    Arguments:
        kind: train, predict (batch_size rows a call) or sweep.
        epochs: of a timed run, after a first one that is timed apart (a sweep: all of
            them; predict: calls).
        networks: how many a sweep trains.
        rounds: at most so many, where a run is long.
        tolerance: how far losses may differ, relatively.
    """

    name: str
    title: str
    network: Network
    batch_size: int
    rows: int
    epochs: int
    targets: tuple[Target, ...]
    kind: str = "train"
    loss: str = "classes"
    rule: str = "adam"
    alpha: float = 0.0
    learning_rate: float = 0.001
    networks: int = 1
    rounds: int = 99
    note: str = ""
    tolerance: float = TOLERANCE

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch_size)

    def made_rows(self) -> Rows:
        """Rows by a rule."""
        sizes = self.network.sizes
        X, y = MAKERS[self.loss](self.rows, sizes[0], sizes[-1])
        return X.reshape(-1, *self.network.shape), y

    def read_rows(self, folder: Path) -> Rows:
        """Rows of MNIST, if the task is about it."""
        if self.name not in ON_MNIST:
            return self.made_rows()
        X, digits = mnist(folder, "train")
        return X[: self.rows].reshape(-1, *self.network.shape), digits[: self.rows]

    def work(self, mnist_folder: Path | None = None) -> Work:
        """The rows and the first parameters."""
        X, y = (
            self.made_rows() if mnist_folder is None else self.read_rows(mnist_folder)
        )
        rates = SWEPT_RATES if self.kind == "sweep" else (self.learning_rate,)
        starts = [
            first_parameters(self.network, seed, rates[seed % len(rates)])
            for seed in range(self.networks)
        ]
        return Work(
            np.ascontiguousarray(X),
            y,
            starts,
            self.network,
            self.loss,
            self.batch_size,
            self.rule,
            self.alpha,
        )


SMALL = Task(
    "small",
    "20-64-64-2, batch 32",
    perceptron(20, 64, 64, 2),
    batch_size=32,
    rows=3200,
    epochs=4,
    loss="binary",
    targets=(
        Target("PyTorch", 50),
        Target("JAX", 4),
        Target("scikit-learn", 40),
        Target("floor", 2),
    ),
)

LENET_BATCH_64 = Task(
    "lenet",
    "LeNet-5, batch 64",
    LENET,
    batch_size=64,
    rows=3200,
    epochs=1,
    targets=(Target("rivals", 4),),
    tolerance=TOLERANCE_ON_IMAGES,
)

ALL = (
    SMALL,
    Task(
        "medium",
        "64-128-128-10, batch 64",
        perceptron(64, 128, 128, 10),
        batch_size=64,
        rows=6400,
        epochs=4,
        targets=(Target("PyTorch", 20), Target("JAX", 3)),
    ),
    Task(
        "mnist",
        "784-256-128-10, batch 256",
        perceptron(784, 256, 128, 10),
        batch_size=256,
        rows=25_600,
        epochs=1,
        targets=(Target("rivals", 2.2),),
    ),
    Task(
        "large",
        "1024-1024-1024-10, batch 1024",
        perceptron(1024, 1024, 1024, 10),
        batch_size=1024,
        rows=10_240,
        epochs=1,
        rounds=5,
        targets=(Target("rivals", 1.2),),
        tolerance=TOLERANCE_OF_LARGE,
    ),
    Task(
        "matrix_exponential",
        "4-32-16-4 tanh, full batch of 10,000",
        perceptron(4, 32, 16, 4, activation="tanh"),
        batch_size=10_000,
        rows=10_000,
        epochs=100,
        loss="squares",
        learning_rate=0.01,
        targets=(Target("PyTorch", 5), Target("JAX", 3)),
        note="SimpleChains' task; time of a step from 100 steps (--full: 10,000)",
    ),
    Task(
        "scikit_learn_mnist",
        "784-100-100-10, batch 200, α 1e-4",
        perceptron(784, 100, 100, 10),
        batch_size=200,
        rows=60_000,
        epochs=2,
        alpha=1e-4,
        rounds=3,
        targets=(Target("scikit-learn", 8),),
        note="made data of MNIST's shape unless --mnist gives its folder",
    ),
    replace(
        SMALL,
        name="tanh",
        title="20-64-64-2 tanh, batch 32",
        network=perceptron(20, 64, 64, 2, activation="tanh"),
        targets=(Target("JAX", 3),),
    ),
    replace(
        SMALL,
        name="own_activation",
        title="20-64-64-2 z σ(1.7 z), batch 32",
        network=perceptron(20, 64, 64, 2, activation="own"),
        targets=(Target("JAX", 3),),
        note="the activation is written by a user, in each framework's words",
    ),
    Task(
        "own_optimizer",
        "32-256-256-10, batch 1, own rule",
        perceptron(32, 256, 256, 10),
        batch_size=1,
        rows=400,
        epochs=4,
        rule="own",
        targets=(Target("Adam", 1.3),),
        note="at batch 1 the update is nearly all of a step",
    ),
    Task(
        "predict_one",
        "20-64-64-2, predict 1 row",
        perceptron(20, 64, 64, 2),
        batch_size=1,
        rows=1,
        epochs=500,
        kind="predict",
        loss="binary",
        targets=(Target("PyTorch", 10),),
    ),
    Task(
        "predict_one_mnist",
        "784-256-128-10, predict 1 row",
        perceptron(784, 256, 128, 10),
        batch_size=1,
        rows=1,
        epochs=500,
        kind="predict",
        targets=(Target("PyTorch", 10),),
    ),
    Task(
        "predict_many",
        "784-256-128-10, predict 100,000 rows",
        perceptron(784, 256, 128, 10),
        batch_size=100_000,
        rows=100_000,
        epochs=1,
        kind="predict",
        rounds=5,
        targets=(Target("rivals", 1.2),),
    ),
    Task(
        "sweep",
        "200 × 20-64-64-2, 20 epochs of 2,000 rows",
        perceptron(20, 64, 64, 2),
        batch_size=32,
        rows=2000,
        epochs=20,
        kind="sweep",
        loss="binary",
        networks=200,
        rounds=1,
        targets=(Target("loops", 20), Target("JAX vmap of all", 3)),
        note="every network has its own seed, and one of four learning rates",
    ),
    LENET_BATCH_64,
    replace(
        LENET_BATCH_64,
        name="lenet_256",
        title="LeNet-5, batch 256",
        batch_size=256,
        rows=7680,
    ),
    Task(
        "keras_mnist",
        "Keras' network for MNIST, batch 128",
        KERAS_MNIST,
        batch_size=128,
        rows=1920,
        epochs=1,
        targets=(Target("rivals", 4),),
        tolerance=TOLERANCE_OF_LARGE,
        note="losses are compared without its dropout",
    ),
    Task(
        "ford_a",
        "three convolutions of 64 over 500 times, batch 32",
        FORD_A,
        batch_size=32,
        rows=480,
        epochs=1,
        targets=(Target("rivals", 2.5),),
        tolerance=TOLERANCE_ON_IMAGES,
    ),
    Task(
        "predict_image",
        "LeNet-5, predict 1 image",
        LENET,
        batch_size=1,
        rows=1,
        epochs=500,
        kind="predict",
        targets=(Target("rivals", 20),),
    ),
    Task(
        "predict_images",
        "LeNet-5, predict 10,000 images",
        LENET,
        batch_size=10_000,
        rows=10_000,
        epochs=1,
        kind="predict",
        targets=(Target("rivals", 8),),
    ),
)
TASKS = {task.name: task for task in ALL}
WITH_WINDOWS = tuple(task.name for task in ALL if task.network.has_windows)
OF_DENSE_LAYERS = tuple(name for name in TASKS if name not in WITH_WINDOWS)
ON_MNIST = (
    "mnist",
    "scikit_learn_mnist",
    *(name for name in WITH_WINDOWS if name != "ford_a"),
)


def quick(task: Task) -> Task:
    """The same task, scaled down; nothing is extrapolated from it."""
    if task.kind == "sweep":
        return replace(
            task,
            title="16 × 20-64-64-2, 20 epochs of 2,000 rows",
            networks=16,
            note="scaled down by --quick: nothing is extrapolated to 200 networks",
        )
    if task.name == "predict_many":
        return replace(
            task,
            title="784-256-128-10, predict 10,000 rows",
            batch_size=10_000,
            rows=10_000,
            note="scaled down by --quick",
        )
    if task.name == "scikit_learn_mnist":
        return replace(task, rows=20_000, epochs=1, note=f"{task.note}; 20,000 rows")
    return replace(task, epochs=min(task.epochs, 200))


def on_images(task: Task) -> Task:
    """The task as it is with MNIST's own images."""
    if task.name not in ON_MNIST:
        return task
    return replace(task, note="on MNIST", tolerance=TOLERANCE_ON_IMAGES)


def full(task: Task) -> Task:
    """The task at its whole length."""
    if task.name == "matrix_exponential":
        return replace(task, epochs=10_000, rounds=2, note="SimpleChains' task")
    if task.name == "scikit_learn_mnist":
        return replace(task, epochs=9)
    return task
