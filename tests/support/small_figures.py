"""Every figure at reduced settings: real runs that take a moment."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from thalweg.figures import (
    activation_functions,
    attention_map,
    augmentation,
    autoencoder,
    batch_sizes,
    checkerboard,
    confusions,
    context,
    decision_boundary,
    dropout,
    edge_filter,
    feature_maps,
    free_running,
    gradient_descent,
    language_models,
    learned_filters,
    learning_rate_effects,
    loss_surface,
    lstm_gates,
    optimizers,
    overfitting_regularization,
    perceptron,
    pooling,
    positions,
    receptive_field,
    shifted_digits,
    temperature,
    training_run,
    unrolled_network,
    vanishing_gradients,
    weight_sharing,
    what_counts,
    windows_seen,
)
from thalweg.figures.draw import figure_module
from thalweg.figures.languages import Learner


class Clock:
    """Tells a second more each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


LSTM, TRANSFORMER = (
    Learner(kind, 8, 1, 2, characters=3000, times=16, epochs=2)
    for kind in ("LSTM", "transformer")
)

SMALL: dict[str, Any] = {
    "training_run": training_run.Settings(
        rows=120, training_rows=60, units=4, epochs=40, patience=5, points=9
    ),
    "perceptron": perceptron.Settings(epochs=300),
    "activation_functions": activation_functions.Settings(points=82),
    "decision_boundary": decision_boundary.Settings(
        rows=200, training_rows=100, hidden=((), (4,)), epochs=30, points=9
    ),
    "gradient_descent": gradient_descent.Settings(steps=4, points=17),
    "loss_surface": loss_surface.Settings(steps=20, points=9),
    "learning_rate_effects": learning_rate_effects.Settings(
        rates=(0.001, 0.1, 3.0), shown=(0.001, 0.1, 3.0), steps=30, seeds=3, units=4
    ),
    "optimizers": optimizers.Settings(rows=200, units=8, epochs=3, seeds=2, rates=2),
    "batch_sizes": batch_sizes.Settings(
        batches=(("all", 12), (64, 4), (16, 2)), units=4, seeds=2
    ),
    "overfitting_regularization": overfitting_regularization.Settings(
        epochs=40, units=64, patience=3, learning_rate=0.01
    ),
    "dropout": dropout.Settings(rates=(0.0, 0.5), units=16, epochs=10, seeds=2),
    "edge_filter": edge_filter.Settings(step=16),
    "windows_seen": windows_seen.Settings(side=6),
    "weight_sharing": weight_sharing.Settings(sides=(8, 28)),
    "learned_filters": learned_filters.Settings(
        filters=3, epochs=(0, 1, 2), training_rows=300
    ),
    "feature_maps": feature_maps.Settings(
        filters=4, training_rows=300, epochs=2, maps=4
    ),
    "receptive_field": receptive_field.Settings(seeds=8),
    "pooling": pooling.Settings(step=16),
    "shifted_digits": shifted_digits.Settings(
        shifts=(0, 3), filters=4, training_rows=200, epochs=2, seeds=2
    ),
    "what_counts": what_counts.Settings(
        digits=(0, 3), filters=4, training_rows=300, epochs=3
    ),
    "augmentation": augmentation.Settings(
        pictures=4, shifts=(0, 2), filters=4, training_rows=500, epochs=6, seeds=2
    ),
    "confusions": confusions.Settings(training_rows=150, epochs=3, pairs=2),
    "checkerboard": checkerboard.Settings(),
    "autoencoder": autoencoder.Settings(
        filters=8, training_rows=600, epochs=6, shown=4, steps=4
    ),
    "unrolled_network": unrolled_network.Settings(),
    "vanishing_gradients": vanishing_gradients.Settings(
        units=6, times=12, rows=4, steps=8
    ),
    "lstm_gates": lstm_gates.Settings(learner=LSTM, length=16),
    "attention_map": attention_map.Settings(
        learner=TRANSFORMER, line="What was your", rows=3
    ),
    "positions": positions.Settings(
        learner=replace(TRANSFORMER, positions="learned"), time=8
    ),
    "language_models": language_models.Settings(
        orders=(1, 2), learners=(LSTM, TRANSFORMER), characters=3000, clock=Clock()
    ),
    "context": context.Settings(learners=(LSTM, TRANSFORMER), step=16, orders=(1, 2)),
    "temperature": temperature.Settings(
        learner=LSTM, length=12, likeliest=6, start="We are "
    ),
    "free_running": free_running.Settings(
        units=4, told=30, ahead=28, apart=24, epochs=3
    ),
}


@cache
def data_of(name: str) -> Any:
    return figure_module(name).run(SMALL[name])  # pyright: ignore[reportCallIssue]


@cache
def figure_of(name: str) -> Any:
    return figure_module(name).plot(data_of(name))
