"""Layers in JAX's words, in each order of axes and with each way of pooling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

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
    learns,
)
from benchmarks.work import Start


def own_activation(z):
    return z * jax.nn.sigmoid(1.7 * z)


ACTIVATIONS: dict[str, Any] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "own": own_activation,
    "identity": lambda z: z,
}


@dataclass(frozen=True)
class Form:
    """How a network with convolutions is written.

    Arguments:
        channels_last: NHWC, or NCHW.
        pooling: by `reduce_window`, or by a reshape and a maximum.
    """

    channels_last: bool = True
    pooling: str = "windows"

    def __str__(self) -> str:
        order = "channels last" if self.channels_last else "channels first"
        return f"{order}, pooling by {self.pooling}"


PLAIN = Form()


def forms(network: Network) -> tuple[Form, ...]:
    """The ways of writing it that can be tried."""
    if not network.has_windows:
        return (PLAIN,)
    pools = any(isinstance(layer, MaxPool) for layer in network.layers)
    poolings = ("windows", "reshape") if pools else ("windows",)
    return tuple(Form(last, by) for last in (True, False) for by in poolings)


def ordered(X: np.ndarray, form: Form) -> np.ndarray:
    """Rows with channels last, in the form's order of axes."""
    if X.ndim < 3 or form.channels_last:
        return X
    return np.ascontiguousarray(np.moveaxis(X, -1, 1))


def parameters_at(network: Network, start: Start, form: Form) -> list[tuple[Any, Any]]:
    """Weights and bias of each layer; what was flattened has the form's order."""
    found: list[tuple[Any, Any]] = []
    pairs = iter(start.pairs)
    flattened: tuple[int, ...] = ()
    for layer, given in network.walked:
        if isinstance(layer, Flatten):
            flattened = given
        if learns(layer):
            weights, bias = next(pairs)
            if flattened and not form.channels_last:
                apart = weights.reshape(*flattened, -1)
                rows = math.prod(flattened)
                weights = np.moveaxis(apart, -2, 0).reshape(rows, -1)
            found.append((jnp.array(weights), jnp.array(bias)))
            flattened = ()
    return found


def forward(network: Network, form: Form, parameters: Any, x: Any, key: Any) -> Any:
    """The last layer's logits; the key is for dropout."""
    own = iter(parameters)
    for number, layer in enumerate(network.layers):
        pair = next(own) if learns(layer) else ()
        if isinstance(layer, Dropout):
            kept = jax.random.bernoulli(
                jax.random.fold_in(key, number), 1 - layer.rate, x.shape
            )
            x = jnp.where(kept, x / (1 - layer.rate), 0)
        else:
            x = applied(layer, form, x, *pair)
    return x


def applied(layer: Layer, form: Form, x: Any, *pair: Any) -> Any:
    """One layer."""
    match layer:
        case Dense(_, activation):
            return ACTIVATIONS[activation](x @ pair[0] + pair[1])
        case Conv(_, _, activation, padding):
            z = convolved(x, pair[0], form, padding) + channels(pair[1], x, form)
            return ACTIVATIONS[activation](z)
        case BatchNorm(activation):
            return ACTIVATIONS[activation](normalized(x, pair[0], pair[1], form))
        case MaxPool(size):
            return pooled(x, size, form)
        case GlobalMean():
            return jnp.mean(x, places(x, form))
        case Flatten():
            return x.reshape(len(x), -1)
        case _:
            raise TypeError(layer)


def convolved(x: Any, weights: Any, form: Form, padding: str) -> Any:
    """Strides of 1."""
    axes = "HWD"[: x.ndim - 2]
    order = f"N{axes}C" if form.channels_last else f"NC{axes}"
    return lax.conv_general_dilated(
        x,
        weights,
        (1,) * len(axes),
        padding.upper(),
        dimension_numbers=(order, f"{axes}IO", order),
    )


def channels(values: Any, x: Any, form: Form) -> Any:
    """A number for each channel, to be added to x."""
    if form.channels_last:
        return values
    return values.reshape(-1, *(1,) * (x.ndim - 2))


def places(x: Any, form: Form) -> tuple[int, ...]:
    """The axes of places."""
    first = 1 if form.channels_last else 2
    return tuple(range(first, first + x.ndim - 2))


def normalized(x: Any, scale: Any, shift: Any, form: Form) -> Any:
    """By the batch's statistics; the running ones would cost JAX more, and are left."""
    axes = (0, *places(x, form))
    mean = jnp.mean(x, axes, keepdims=True)
    variance = jnp.mean(jnp.square(x - mean), axes, keepdims=True)
    normal = (x - mean) * lax.rsqrt(variance + 1e-5)
    return normal * channels(scale, x, form) + channels(shift, x, form)


def pooled(x: Any, size: int, form: Form) -> Any:
    """The largest of each window, side by side."""
    axes = places(x, form)
    if form.pooling == "windows":
        window = tuple(size if axis in axes else 1 for axis in range(x.ndim))
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
    shape: list[int] = []
    for axis, count in enumerate(x.shape):
        shape += [count // size, size] if axis in axes else [count]
    cut = tuple(
        slice(count // size * size) if axis in axes else slice(None)
        for axis, count in enumerate(x.shape)
    )
    windows = x[cut].reshape(shape)
    return windows.max(tuple(axis + number + 1 for number, axis in enumerate(axes)))
