"""Networks given one time after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import thalweg as tw
from thalweg.program import ops

TIMES = 7
FEATURES = 4


def drawn(
    layers: Sequence[tw.Layer],
    shape: tuple[int, ...] = (TIMES, FEATURES),
    dtype: Any = "float32",
) -> tw.Network:
    """A network with any values, also where layers start with zeros."""
    network = tw.Network(layers).initialize(shape, dtype=dtype)
    random = np.random.default_rng(1)
    every = {**network.parameters, **network.state}
    network.set_parameters(
        {n: a + 0.3 * random.uniform(size=a.shape) for n, a in every.items()}
    )
    return network


def series(rows: int, shape: tuple[int, ...] = (TIMES, FEATURES)) -> Any:
    """Rows in the dtype of most networks."""
    return np.random.default_rng(2).normal(size=(rows, *shape)).astype(np.float32)


def streamed(stream: Callable[[Any], Any], X: Any) -> Any:
    """What a stream gives, at all times of rows."""
    return np.stack([stream(X[:, time]) for time in range(X.shape[1])], axis=1)


# Layers of one's own ------------------------------------------------------------------


@dataclass(frozen=True)
class Alone(tw.Layer):
    """A layer of one's own that works on each time alone."""

    units: int

    def parameters(self, input_shape: Any) -> Any:
        shape = (input_shape[-1], self.units)
        return {"weights": tw.Parameter(shape, tw.initializers.normal)}

    def forward(self, x: Any, p: Any) -> Any:
        z = tw.tanh(x @ p.weights)
        return tw.concatenate([z / (1 + tw.sum(z**2, -1, keepdims=True)), x], axis=-1)


MIXING = (
    *("mean", "before", "backwards", "number", "place", "scan", "softmax", "product"),
    *("flat", "contraction"),
)


@dataclass(frozen=True)
class Mixing(tw.Layer):
    """Looks at other times in one way or another."""

    how: str

    def forward(self, x: Any, p: Any) -> Any:
        times = x.shape[1]
        if self.how == "mean":
            return x - tw.mean(x, axis=1, keepdims=True)
        if self.how == "before":
            return tw.concatenate([x[:, :1], x[:, :-1]], axis=1)
        if self.how == "backwards":
            return x[:, ::-1]
        if self.how == "number":
            return x / times
        if self.how == "place":
            return x * np.arange(TIMES)[:, None]
        if self.how == "scan":
            return tw.scan(lambda s, x: s + x, 0 * x[:, 0], x)
        if self.how == "softmax":
            return tw.transpose(tw.softmax(tw.transpose(x, (0, 2, 1))), (0, 2, 1))
        if self.how == "product":
            return x @ tw.transpose(x, (0, 2, 1)) @ x
        if self.how == "contraction":
            pairs = ops.contract(x, tw.transpose(x, (0, 2, 1)), batch=1, summed=1)
            return x * tw.sum(pairs, -1, keepdims=True)
        if self.how == "flat":
            flat = tw.reshape(x, (x.shape[0], -1))
            return tw.reshape(flat - tw.max(flat, -1, True), x.shape)
        raise AssertionError


# Any layers ---------------------------------------------------------------------------


def any_layer(depth: int = 1) -> st.SearchStrategy[tw.Layer]:
    """A layer that takes four features and gives as many, at each time."""
    simple = st.one_of(
        st.sampled_from(
            [
                *(tw.LSTM(4), tw.GRU(4), tw.RNN(4, "relu"), tw.Recurrent(tw.RNN(4))),
                *(tw.Positions(), tw.Positions("sine"), tw.Rescale(0.5, 0.1)),
                *(tw.LayerNorm(), tw.RMSNorm(), tw.BatchNorm(), tw.Dropout(0.2)),
                *(tw.Dense(4, "tanh"), tw.FeedForward(9)),
            ]
        ),
        st.builds(
            tw.Attention,
            st.sampled_from([1, 2]),
            causal=st.just(True),
            positions=st.sampled_from([None, "rotary"]),
            bias=st.booleans(),
        ),
        st.builds(
            tw.Conv,
            st.just(4),
            st.integers(1, 4),
            padding=st.just("causal"),
            dilation=st.integers(1, 3),
            groups=st.sampled_from([1, 2]),
            activation=st.sampled_from(["identity", "relu"]),
        ),
        st.builds(
            tw.TransformerBlock,
            st.sampled_from([1, 2]),
            st.just(6),
            causal=st.just(True),
            norm=st.sampled_from(["layer", "rms"]),
            positions=st.sampled_from([None, "rotary"]),
        ),
    )
    if depth == 0:
        return simple
    chains = st.lists(any_layer(depth - 1), min_size=1, max_size=2)
    return st.one_of(
        simple,
        st.builds(tw.Residual, chains),
        st.builds(tw.Residual, chains, chains),
        st.builds(
            tw.Parallel, st.lists(chains, min_size=1, max_size=2), st.just("add")
        ),
        st.builds(tw.Frozen, chains),
    )


def any_layers() -> st.SearchStrategy[list[tw.Layer]]:
    """Layers one after the other."""
    return st.lists(any_layer(), min_size=1, max_size=3)
