"""The networks that tasks are about."""

from __future__ import annotations

from benchmarks.layers import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalMean,
    Layer,
    MaxPool,
    Network,
)


def perceptron(*sizes: int, activation: str = "relu") -> Network:
    """Dense layers of so many units, after so many features."""
    features, *hidden, outputs = sizes
    layers = [Dense(units, activation) for units in hidden]
    return Network((features,), (*layers, Dense(outputs)))


LENET = Network(
    (28, 28, 1),
    (
        Conv(6, (5, 5), "relu"),
        MaxPool(2),
        Conv(16, (5, 5), "relu"),
        MaxPool(2),
        Flatten(),
        Dense(120, "relu"),
        Dense(84, "relu"),
        Dense(10),
    ),
)

# Keras' example of MNIST.
KERAS_MNIST = Network(
    (28, 28, 1),
    (
        Conv(32, (3, 3), "relu"),
        MaxPool(2),
        Conv(64, (3, 3), "relu"),
        MaxPool(2),
        Flatten(),
        Dropout(0.5),
        Dense(10),
    ),
)


def normalized_convolution() -> tuple[Layer, ...]:
    """Of a series: 64 filters over three times."""
    return Conv(64, (3,), padding="same"), BatchNorm("relu")


# Keras' example of the series FordA.
FORD_A = Network(
    (500, 1),
    (
        *normalized_convolution(),
        *normalized_convolution(),
        *normalized_convolution(),
        GlobalMean(),
        Dense(2),
    ),
)
