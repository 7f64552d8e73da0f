"""What a contender is asked to do, and what it answers: plain data for a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.layers import Network

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Start:
    """Where training starts from: weights (…, inputs, outputs) and a bias a layer.

    A layer that normalizes has its scale and its shift there. The learning rate is part
    of it, because a sweep varies it.
    """

    weights: Arrays
    biases: Arrays
    learning_rate: float = 0.001

    @property
    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weights and bias of each layer."""
        return list(zip(self.weights, self.biases, strict=True))


@dataclass(frozen=True)
class Work:
    """What everyone trains, or predicts with.

    Arguments:
        X: inputs (rows, features) or (rows, places…, channels), float32.
        y: class numbers (rows,), or numbers (rows, outputs) in float32.
        starts: first parameters; more than one in a sweep.
        network: its layers; an activation is relu, tanh or own, z σ(1.7 z).
        loss: "binary" (sigmoid outputs, summed binary cross-entropy), "classes"
            (softmax, cross-entropy) or "squares" (half of the mean squared error).
        rule: adam, own or sgd; own is in each framework's file.
        alpha: the penalty α/2B Σ w², as scikit-learn has it.
        batch_size: rows of a step, or of a call where predictions are asked for.
    """

    X: np.ndarray
    y: np.ndarray
    starts: list[Start] = field(repr=False)
    network: Network
    loss: str
    batch_size: int
    rule: str = "adam"
    alpha: float = 0.0

    @property
    def sizes(self) -> list[int]:
        """Features, units of each dense layer, outputs."""
        return self.network.sizes

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-len(self.X) // self.batch_size)

    @property
    def without_dropout(self) -> Work:
        """The same, with losses that can be compared."""
        return replace(self, network=self.network.without_dropout)

    @property
    def penalty(self) -> float:
        """What Σ w² is multiplied with in the objective."""
        return self.alpha / (2 * self.batch_size)


@dataclass(frozen=True)
class Run:
    """One run from the first parameters, or some calls of predict.

    Arguments:
        first: seconds until the first epoch (or call) was done, with what it compiles.
        rest: seconds of all that followed.
        steps: how many steps (or calls) the rest holds.
        values: the mean loss of every epoch, or some predictions: they must agree.
    """

    first: float
    rest: float
    steps: int
    values: list[float]

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return self.rest / self.steps


@dataclass(frozen=True)
class Timed:
    """A run, and how many cores were busy on average: CPU seconds a second."""

    run: Run
    cores: float


@dataclass(frozen=True)
class Opened:
    """A contender that is ready.

    Arguments:
        choice: which of its ways was the fastest in a short trial, and so was taken.
        trials: seconds of a step in the trial, or why a way could not be taken.
        cold: seconds to build, trace, compile and do a first epoch, in that way.
        compile: the part of cold that a second run doesn't need.
    """

    choice: str
    trials: dict[str, float | str]
    cold: float
    compile: float


@dataclass(frozen=True)
class Failure:
    """Why a contender can't take part."""

    reason: str
