"""The same training by thalweg, scikit-learn and PyTorch, each at its best.

A small network with two sigmoid outputs and the summed binary cross-entropy: the one
form that all three train alike (scikit-learn gives two classes a single output).
Same initial weights, same order of rows, same Adam; losses are compared.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Work:
    """What everyone trains.

    Arguments:
        X, Y: inputs (rows, features) and targets (rows, outputs) of 0 and 1, float32.
        weights, biases: first values, a pair a layer.
        batch_size, epochs: how long a run is.
        learning_rate: Adam's.
    """

    X: np.ndarray
    Y: np.ndarray
    weights: Arrays
    biases: Arrays
    batch_size: int
    epochs: int
    learning_rate: float = 0.001

    @property
    def steps(self) -> int:
        """Steps of a whole run."""
        return self.epochs * -(-len(self.X) // self.batch_size)


@dataclass(frozen=True)
class Run:
    """One timed run: seconds of training alone, and the mean loss of every epoch."""

    seconds: float
    losses: tuple[float, ...]


def make_work(
    sizes: Sequence[int], rows: int, batch_size: int, epochs: int, seed: int
) -> Work:
    """Rows by a stated rule, and Glorot's first weights."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, sizes[0])).astype(np.float32)
    rule = generator.normal(size=(sizes[0], sizes[-1]))
    Y = (np.tanh(X) @ rule + X[:, :1] * X[:, 1:2] > 0).astype(np.float32)
    pairs = list(itertools.pairwise(sizes))
    limits = [np.sqrt(6 / (a + b)) for a, b in pairs]
    weights = [
        generator.uniform(-limit, limit, pair).astype(np.float32)
        for limit, pair in zip(limits, pairs, strict=True)
    ]
    biases = [np.zeros(b, np.float32) for _, b in pairs]
    return Work(X, Y, weights, biases, batch_size, epochs)


def by_thalweg(work: Work) -> Run:
    """`Network.fit` as a user calls it; tracing and planning are timed apart."""
    import thalweg as tw

    def summed_cross_entropy(p, y):
        return -tw.sum(y * tw.log(p) + (1 - y) * tw.log(1 - p), axis=-1)

    *hidden, last = [w.shape[1] for w in work.weights]
    layers = [*(tw.Dense(n, "relu") for n in hidden), tw.Dense(last, "sigmoid")]
    network = tw.Network(layers).initialize(work.X.shape[1])
    for number, (w, b) in enumerate(zip(work.weights, work.biases, strict=True), 1):
        network.set_parameters({f"{number}.weights": w, f"{number}.bias": b})
    history = network.fit(
        work.X,
        work.Y,
        loss=summed_cross_entropy,
        optimizer=tw.Adam(work.learning_rate),
        epochs=work.epochs,
        batch_size=work.batch_size,
        validation=None,
        shuffle=False,
        warm_start=True,
    )
    return Run(sum(history.seconds), tuple(history.training_loss))


def by_scikit_learn(work: Work) -> Run:
    """`MLPClassifier.fit`, which keeps float32 when it is given it."""
    from sklearn.neural_network import MLPClassifier

    classifier: Any = MLPClassifier  # its annotations lack what its docs allow
    model = classifier(
        hidden_layer_sizes=tuple(w.shape[1] for w in work.weights[:-1]),
        learning_rate_init=work.learning_rate,
        batch_size=work.batch_size,
        max_iter=1,
        alpha=0.0,
        shuffle=False,
        warm_start=True,
        tol=0.0,
        n_iter_no_change=work.epochs + 1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that max_iter was reached, as meant
        model.fit(work.X, work.Y.astype(np.int64))
        model.coefs_ = [w.copy() for w in work.weights]
        model.intercepts_ = [b.copy() for b in work.biases]
        model.set_params(max_iter=work.epochs)
        started = time.perf_counter()
        model.fit(work.X, work.Y.astype(np.int64))
        seconds = time.perf_counter() - started
    return Run(seconds, tuple(model.loss_curve_[-work.epochs :]))


def by_torch(threads: int) -> Callable[[Work], Run]:
    """A plain training loop with fused Adam, on a number of threads."""

    def run(work: Work) -> Run:
        import torch

        torch.set_num_threads(threads)
        layers: list[torch.nn.Module] = []
        for w, b in zip(work.weights, work.biases, strict=True):
            linear = torch.nn.Linear(*w.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w.T.copy()))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, torch.nn.ReLU()]
        network = torch.nn.Sequential(*layers[:-1])
        optimizer = torch.optim.Adam(
            network.parameters(), lr=work.learning_rate, fused=True
        )
        X, Y = torch.from_numpy(work.X), torch.from_numpy(work.Y)
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
        losses: list[float] = []
        started = time.perf_counter()
        for _ in range(work.epochs):
            total = torch.zeros(())
            for start in range(0, len(X), work.batch_size):
                x, y = (
                    X[start : start + work.batch_size],
                    Y[start : start + work.batch_size],
                )
                optimizer.zero_grad(set_to_none=True)
                loss = cross_entropy(network(x), y, reduction="sum") / len(x)
                loss.backward()
                optimizer.step()
                total += loss.detach() * len(x)
            losses.append(float(total) / len(X))
        return Run(time.perf_counter() - started, tuple(losses))

    return run


CONTENDERS: dict[str, Callable[[Work], Run]] = {
    "thalweg": by_thalweg,
    "scikit-learn": by_scikit_learn,
    "PyTorch, 1 thread": by_torch(1),
    "PyTorch, 2 threads": by_torch(2),
}
