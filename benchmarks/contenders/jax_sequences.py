"""Recurrent networks and a transformer in JAX's words, on thalweg's parameters."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

sigmoid = jax.nn.sigmoid


def forward(task: Any, p: dict[str, Any], x: Any) -> Any:
    """Logits of the next characters."""
    z = p["1.table"][x]
    if task.kind == "transformer":
        z, last = transformed(task, p, z), task.blocks + 4
    else:
        z, last = recurrent(task, p, z), 3
    return z @ p[f"{last}.weights"] + p[f"{last}.bias"]


def recurrent(task: Any, p: Any, x: Any) -> Any:
    """A scan over times, which come first; the inputs' product is one for all."""
    bias = 0.0 if task.kind == "own" else p["2.bias"]
    wide = (x @ p["2.weights"] + bias).swapaxes(0, 1)
    h = jnp.zeros((x.shape[0], task.units))
    start = (h, h) if task.kind in ("lstm", "own") else (h,)

    def step(state: Any, z: Any) -> Any:
        new = CELLS[task.kind](p, state, z)
        return new, new[0]

    return lax.scan(step, start, wide)[1].swapaxes(0, 1)


def rnn(p: Any, state: Any, z: Any) -> Any:
    (h,) = state
    return (jnp.tanh(z + h @ p["2.recurrent"]),)


def gru(p: Any, state: Any, z: Any) -> Any:
    (h,) = state
    x_r, x_z, x_n = jnp.split(z, 3, -1)
    h_r, h_z, h_n = jnp.split(h @ p["2.recurrent"], 3, -1)
    r, keep = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = jnp.tanh(x_n + r * (h_n + p["2.recurrent_bias"]))
    return ((1 - keep) * n + keep * h,)


def gates(z: Any, c: Any) -> Any:
    i, f, g, o = jnp.split(z, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def lstm(p: Any, state: Any, z: Any) -> Any:
    h, c = state
    return gates(z + h @ p["2.recurrent"], c)


def own(p: Any, state: Any, z: Any) -> Any:
    h, c = state
    z = z + h @ p["2.recurrent"]
    return gates(normal(z) * p["2.scale"] + p["2.bias"], c)


CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm, "own": own}


def normal(z: Any) -> Any:
    """Mean 0 and variance 1 along the last axis."""
    z = z - z.mean(-1, keepdims=True)
    return z * lax.rsqrt((z * z).mean(-1, keepdims=True) + 1e-5)


def transformed(task: Any, p: Any, x: Any) -> Any:
    """Positions, blocks with norms first, and a norm."""
    rows, times, width = x.shape
    x = x + p["2.table"]
    mask = jnp.tril(jnp.ones((times, times), bool))
    for number in range(3, 3 + task.blocks):
        own_of = {
            k.removeprefix(f"{number}."): v
            for k, v in p.items()
            if k.startswith(f"{number}.")
        }
        z = normal(x) * own_of["1.1.scale"] + own_of["1.1.shift"]
        q, k, v = (
            (z @ own_of[f"1.2.{name}_weights"]).reshape(rows, times, task.heads, -1)
            for name in ("query", "key", "value")
        )
        scores = jnp.einsum("rqhd,rkhd->rhqk", q, k) / jnp.sqrt(q.shape[-1])
        seen = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf))
        mixed = jnp.einsum("rhqk,rkhd->rqhd", seen, v).reshape(rows, times, width)
        x = x + mixed @ own_of["1.2.output_weights"]
        z = normal(x) * own_of["2.1.scale"] + own_of["2.1.shift"]
        z = z @ own_of["2.2.inner_weights"] + own_of["2.2.inner_bias"]
        z = jax.nn.gelu(z, approximate=False)
        x = x + z @ own_of["2.2.output_weights"] + own_of["2.2.output_bias"]
    end = 3 + task.blocks
    return normal(x) * p[f"{end}.scale"] + p[f"{end}.shift"]
