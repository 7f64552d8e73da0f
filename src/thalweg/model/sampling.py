"""Drawing a class by its probability, as a program."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.model.stack import RANDOM_INPUTS
from thalweg.program import ops
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.loops import scan
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype

LEAST = 2.0**-25  # of a uniform number: below all of them but 0
DRAW = 1  # which one this is, of a program's random draws


def drawn(
    probabilities: ops.Array,
    temperature: ops.Array,
    uniform: ops.Array,
    top_k: int | None,
) -> ops.Array:
    """The number of a class, each drawn as often as its probability p says.

    c = argmaxᵢ log pᵢ + τ gᵢ, with gᵢ = −log(−log uᵢ)

    So class i is drawn with probability pᵢ^(1/τ) / Σⱼ pⱼ^(1/τ), which takes no sum, and
    at τ = 0 the likeliest.

    Arguments:
        probabilities: p, shape (classes,).
        temperature: τ, shape ().
        uniform: u, numbers in [0, 1), shape (classes,).
        top_k: only the likeliest so many are drawn, and those as likely as the last of
            them; None for all.

    Source: Gumbel, "Statistical theory of extreme values", 1954; Maddison, Tarlow and
    Minka, "A* sampling", 2014. top_k: Fan, Lewis and Dauphin, "Hierarchical neural
    story generation", 2018.
    """
    scores = ops.log(probabilities)
    if top_k is not None and top_k < probabilities.shape[0]:
        least = among_largest(probabilities, top_k)
        scores = ops.where(ops.less(probabilities, least), -np.inf, scores)
    noise = -ops.log(-ops.log(ops.maximum(uniform, LEAST)))
    return ops.argmax(scores + temperature * noise)


def among_largest(x: ops.Array, count: int) -> ops.Array:
    """The smallest of so many of the largest probabilities, shape ().

    Each turn takes the next smaller number, while there are too few of those found.

    >>> among_largest(np.array([0.1, 0.3, 0.3, 0.2, 0.1]), 3).tolist()
    0.2
    """

    def step(least: ops.Array, _: ops.Array) -> ops.Array:
        enough = ops.sum(ops.greater_equal(x, least), -1, keepdims=True) >= count
        below = ops.where(ops.less(x, least), x, -1.0)
        return ops.where(enough, least, ops.max(below, -1, keepdims=True))

    start = ops.full_like(ops.reshape(x, (1, -1))[:, :1], 2.0)  # above all
    turns = ops.broadcast_to(ops.reshape(start, (1, 1)), (1, count))
    return scan(step, start, turns)[0, -1, 0]


def sampling_program(classes: int, top_k: int | None, dtype: Dtype) -> Program:
    """The next class, X, of a sequence by the predictions, temperature, seed and step.

    Arguments:
        classes: how many there are.
        top_k: as `drawn` takes it.
        dtype: of the network, which takes class numbers so.
    """
    types = {
        "predictions": ArrayType((1, classes), dtype),
        "temperature": ArrayType((), dtype),
        **RANDOM_INPUTS,
    }

    def sample(a: dict[str, Any]) -> dict[str, Any]:
        numbers = ops.random_uniform(a["seed"], a["step"], DRAW, (classes,), dtype)
        found = drawn(a["predictions"][0], a["temperature"], numbers, top_k)
        return {"X": ops.cast(ops.reshape(found, (1,)), dtype)}

    return finish(make_safe(trace(sample, types)))
