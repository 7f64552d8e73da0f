"""thalweg, through its public face alone.

Every run is a call of `Network.fit` as a user makes it: it traces and plans anew, and
the time from the call to the end of the first epoch is kept apart.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import thalweg as tw
from benchmarks import layers
from benchmarks.contenders.measure import Ready, Stamps, Ways, clock, timed_calls
from benchmarks.work import Arrays, Run, Start, Work
from thalweg.formulas.activations import activation


def own_activation(z):
    return z * tw.sigmoid(1.7 * z)


def summed_cross_entropy(p, y):
    return -tw.sum(y * tw.log(p) + (1 - y) * tw.log(1 - p), axis=-1)


def half_squared_error(p, y):
    return tw.mean((p - y) ** 2, axis=-1) / 2


@dataclass(frozen=True)
class OwnRule(tw.Optimizer):
    """A user's own: the step shrinks where a gradient comes as a surprise."""

    learning_rate: float = 0.001

    def state(self):
        return ("mean", "surprise")

    def update(self, parameters, gradient, state, learning_rate, step):
        mean = 0.9 * state["mean"] + 0.1 * gradient
        surprise = 0.99 * state["surprise"] + 0.01 * (gradient - mean) ** 2
        moved = parameters - learning_rate * mean / (tw.sqrt(surprise) + 1e-3)
        return moved, {"mean": mean, "surprise": surprise}


ACTIVATIONS: dict[str, Any] = {"own": own_activation}
LOSSES: dict[str, Any] = {
    "binary": ("sigmoid", summed_cross_entropy),
    "classes": ("softmax", "cross_entropy"),
    "squares": ("identity", half_squared_error),
}
PARTS = {"weights": ("weights", "bias"), "scale": ("scale", "shift")}
RULES: dict[str, Any] = {"adam": tw.Adam, "own": OwnRule, "sgd": tw.SGD}
# Elementwise operations on each parameter, counted in the rules as they are written.
OPERATIONS = {"adam": 14, "own": 13, "sgd": 2}


def ways(kind: str, work: Work, options: dict[str, Any]) -> Ways:
    """One way: as it comes."""
    build = predictor if kind == "predict" else trainer
    return {"as it comes": functools.partial(build, work, options)}


def network_at(work: Work, start: Start) -> tw.Network:
    """The network with its first parameters."""
    *hidden, last = work.network.layers
    assert isinstance(last, layers.Dense)
    last = replace(last, activation=LOSSES[work.loss][0])
    built = [layer for each in (*hidden, last) for layer in layers_of(each)]
    network = tw.Network(built).initialize(work.network.shape)
    pairs = iter(start.pairs)
    for number, layer in enumerate(built, 1):
        if isinstance(layer, tw.Dense | tw.Conv | tw.BatchNorm):
            names = PARTS["scale" if isinstance(layer, tw.BatchNorm) else "weights"]
            found = zip(names, next(pairs), strict=True)
            network.set_parameters({f"{number}.{name}": a for name, a in found})
    return network


@dataclass(frozen=True)
class Activation(tw.Layer):
    """An activation that doesn't belong to a product."""

    name: str

    def forward(self, x, p):
        return activation(self.name)(x)


def layers_of(layer: layers.Layer) -> list[tw.Layer]:
    """A layer in thalweg's words."""
    match layer:
        case layers.Dense(units, name):
            return [tw.Dense(units, ACTIVATIONS.get(name, name))]
        case layers.Conv(filters, size, name, padding):
            return [tw.Conv(filters, size, padding=padding, activation=name)]
        case layers.BatchNorm(name):
            return [tw.BatchNorm(), Activation(name)]
        case layers.MaxPool(size):
            return [tw.MaxPool(size)]
        case layers.GlobalMean():
            return [tw.GlobalMean()]
        case layers.Flatten():
            return [tw.Flatten()]
        case layers.Dropout(rate):
            return [tw.Dropout(rate)]
        case _:
            raise TypeError(layer)


def fit_settings(work: Work, options: dict[str, Any]) -> dict[str, Any]:
    """How all of a work's networks are trained."""
    return {
        "loss": LOSSES[work.loss][1],
        "batch_size": work.batch_size,
        "validation": None,
        "early_stopping": None,
        "shuffle": False,
        "warm_start": True,
        "penalty": tw.L2(work.penalty) if work.alpha else None,
        **options.get("fit", {}),
    }


def trainer(work: Work, options: dict[str, Any]) -> Ready:
    """`Network.fit`, again and again."""
    rule = RULES[options.get("rule", work.rule)]
    settings = fit_settings(work, options)
    last: list[tw.Network] = []

    def run(epochs: int, number: int) -> Run:
        start = work.starts[number]
        network = network_at(work, start)
        last[:] = [network]
        stamps = Stamps()
        history = network.fit(
            work.X,
            work.y,
            optimizer=rule(start.learning_rate),
            epochs=epochs,
            callback=stamps,
            **settings,
        )
        return stamps.run(work.steps, epochs, history.training_loss)

    every = functools.partial(sweep, work)
    return Ready(run, lambda: parameters_of(last[0]), every)


def parameters_of(network: tw.Network) -> Arrays:
    """Weights and bias of each layer in turn."""
    found = network.parameters
    return [
        found[f"{number}.{part}"]
        for number in range(1, len(network.layers) + 1)
        for part in ("weights", "bias")
    ]


def sweep(work: Work, epochs: int) -> Run:
    """All starts by `thalweg.sweep`, in one call."""
    settings = fit_settings(work, {})
    networks = [network_at(work, start) for start in work.starts]
    rules = [RULES[work.rule](start.learning_rate) for start in work.starts]
    started = clock()
    trained = sweep_call(networks, rules, work, epochs, settings)
    seconds = clock() - started
    losses = [history.training_loss[0] for history in trained]
    return Run(0.0, seconds, len(networks) * epochs * work.steps, losses)


def sweep_call(
    networks: Sequence[tw.Network],
    rules: Sequence[tw.Optimizer],
    work: Work,
    epochs: int,
    settings: dict[str, Any],
) -> list[tw.History]:
    """The call itself, the one place that knows how `thalweg.sweep` is called."""
    found = tw.sweep(
        lambda number: networks[number],
        work.X,
        work.y,
        over=[
            {"number": number, "optimizer": rule} for number, rule in enumerate(rules)
        ],
        epochs=epochs,
        **{k: v for k, v in settings.items() if k not in ("threads", "warm_start")},
    )
    return list(found.histories)


def predictor(work: Work, options: dict[str, Any]) -> Ready:
    """`Network.predict` on all rows."""
    network = network_at(work, work.starts[0])

    def run(count: int, number: int) -> Run:
        return timed_calls(lambda: network.predict(work.X), count, first_numbers)

    return Ready(run)


def first_numbers(predictions: Any) -> list[float]:
    """Some predictions, to be compared."""
    return predictions[:100].ravel().tolist()
