"""Fused kernels, in blocks of rows: engine and interpreter."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from support.engine import (
    COUNT,
    CUTS,
    assert_same,
    by_engine,
    every_dtype,
    every_isa,
    sized,
    values_for,
)
from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.sizes import ROWS
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, Dtype

Build = Callable[[dict[str, Tracer]], dict[str, Any]]


def logits(a: dict[str, Tracer]) -> Tracer:
    return a["X"] @ a["W"] + a["b"]


def slope_of_sigmoid(a: dict[str, Tracer]) -> dict[str, Any]:
    y = 1 / (1 + ops.exp(-logits(a)))
    return {"y": y, "slope": y * (1 - y), "z": logits(a)}


def cross_entropy(a: dict[str, Tracer]) -> dict[str, Any]:
    z = logits(a)
    e = ops.exp(z - ops.max(z, axis=1, keepdims=True))
    total = ops.sum(e, axis=1, keepdims=True)
    chosen = ops.one_hot(a["labels"], 4, z.type.dtype)
    losses = ops.log(total) - ops.sum(
        (z - z.max(axis=1, keepdims=True)) * chosen, 1, True
    )
    right = ops.equal(ops.argmax(z, axis=1), a["labels"])
    return {
        "p": e / total,
        "loss": ops.sum(losses),
        "right": ops.sum(ops.cast(right, "int32")),
        "gradient": a["X"].T @ (e / total - chosen),
        "bias": ops.sum(e / total - chosen, axis=0),
    }


def batched(a: dict[str, Tracer]) -> dict[str, Any]:
    """Products of a matrix for each row, read every way."""
    x = ops.reshape(a["Z"], (ROWS, 2, 2))
    w = ops.broadcast_to(ops.reshape(a["W"][:4], (1, 4, 4))[:, :2, :2], (ROWS, 2, 2))
    swap = (0, 2, 1)
    return {
        "plain": x @ w,
        "left": ops.transpose(x, swap) @ w,
        "right": x @ ops.transpose(w, swap),
        "both": ops.tanh(ops.transpose(x, swap) @ ops.transpose(x + 1, swap)),
    }


def pads_and_joins(a: dict[str, Tracer]) -> dict[str, Any]:
    x, z = a["X"], a["Z"]
    wide = ops.concatenate([x, z * 2, x[:, ::2]], axis=1)
    padded = x.trace.emit("pad", (x,), starts=(0, 2), steps=(1, 2), shape=(ROWS, 13))
    high = ops.concatenate([a["W"], ops.exp(a["W"])], axis=0)
    return {"wide": wide, "padded": padded * 1.5, "by": wide[:, :10] @ high + 1}


def steps_in_weights(a: dict[str, Tracer]) -> dict[str, Any]:
    """Parts along every axis, where nothing has rows."""
    w = a["W"]
    tall = w.trace.emit("pad", (w,), starts=(1, 0), steps=(2, 1), shape=(11, 4))
    return {
        "tall": ops.concatenate([tall, w], axis=0),
        "broad": ops.concatenate([w, -w, w], axis=1),
        "x": a["X"] * 2,
    }


def sums_read_again(a: dict[str, Tracer]) -> dict[str, Any]:
    """Sums over rows that are outputs, and that other outputs follow from."""
    x, z = ops.sum(a["X"], axis=0), ops.sum(a["Z"], axis=0, keepdims=True)
    return {
        "x": x,
        "again": x,
        "z": z,
        "flat": z.reshape(-1),
        "turned": z.T,
        "joined": ops.concatenate([x, x]),
        "both": ops.concatenate([x, z.reshape(-1)]),
        "other": ops.concatenate([ops.sum(a["X"] ** 2, axis=0), x]),
        "size": ops.sqrt(ops.sum(x * x)),
    }


FUSED: dict[str, Build] = {
    "bias and relu": lambda a: {"y": ops.maximum(logits(a), 0.0)},
    "bias first": lambda a: {"y": ops.tanh(a["b"] + a["X"] @ a["W"])},
    "bias taken off": lambda a: {"y": ops.tanh(a["X"] @ a["W"] - a["b"])},
    "bias of one number": lambda a: {"y": ops.tanh(a["X"] @ a["W"] + a["c"])},
    "bias of a row's own": lambda a: {"y": ops.exp(a["X"] @ a["W"] + a["Z"])},
    "no bias": lambda a: {"y": ops.sin(a["X"] @ a["W"])},
    "bias alone": lambda a: {"y": logits(a)},
    "nothing after": lambda a: {"y": a["X"] @ a["W"]},
    "one column": lambda a: {"y": ops.tanh(a["X"] @ a["W"][:, :1] + a["b"][:1])},
    "the product, too": lambda a: {"p": a["X"] @ a["W"], "y": ops.tanh(logits(a))},
    "twice the product": lambda a: {
        "y": (a["X"] @ a["W"]) * 3.0 + (a["X"] @ a["W"]) + a["b"]
    },
    "squared": lambda a: {"y": (a["X"] @ a["W"]) * (a["X"] @ a["W"])},
    "several outputs": slope_of_sigmoid,
    "bool only": lambda a: {"y": logits(a) > 0.1},
    "bool and number": lambda a: {"y": logits(a) > 0.1, "z": ops.exp(logits(a))},
    "whole numbers": lambda a: {"y": ops.cast(ops.floor(logits(a) * 3), "int32")},
    "another precision": lambda a: {"y": ops.cast(logits(a), "float32") * 2},
    "a choice": lambda a: {"y": ops.where(logits(a) > a["Z"], a["Z"], logits(a))},
    "two layers": lambda a: {"y": ops.tanh(logits(a)) @ a["W"].T},
    "a row's norm": lambda a: {
        "y": a["X"] / ops.sqrt(ops.sum(a["X"] ** 2, axis=1, keepdims=True) + 1)
    },
    "softmax cross-entropy": cross_entropy,
    "batched products": batched,
    "pads and joins": pads_and_joins,
    "parts of weights": steps_in_weights,
    "sums read again": sums_read_again,
    "sums of columns": lambda a: {"y": ops.sum(a["X"] * a["X"], axis=0)},
    "a reshape that copies": lambda a: {
        "y": ops.reshape(ops.reshape(a["Z"], (ROWS, 2, 2)).T.T[:, :, ::2], (ROWS, 2)),
        "w": ops.reshape(a["W"].T, (2, 10)) * 2,
        "v": ops.reshape(
            ops.transpose(a["Z"].reshape(ROWS, 2, 2), (0, 2, 1)), (ROWS, 4)
        )
        + a["b"],
    },
    "a table's rows": lambda a: {
        "y": ops.take(a["W"], a["labels"]) * 2,
        "turned": ops.take(a["W"].T, a["labels"]),
    },
    "an axis of rows inside": lambda a: {"y": (ops.exp(a["X"].T) + 1).T * 2},
    "rows that meet": lambda a: {"y": logits(a) - ops.mean(logits(a), axis=0)},
}


def program_of(build: Build, dtype: Dtype) -> Program:
    shapes = {"X": (ROWS, 5), "Z": (ROWS, 4), "W": (5, 4), "b": (4,), "c": ()}
    types = {name: ArrayType(shape, dtype) for name, shape in shapes.items()}
    return simplify(trace(build, {**types, "labels": ArrayType((ROWS,), "int32")}))


@every_isa
@every_dtype
@pytest.mark.parametrize("name", FUSED)
def test_fused_kernels_in_blocks(name: str, dtype: Dtype, isa: str) -> None:
    program = program_of(FUSED[name], dtype)
    values = values_for(program)
    expected = interpret(sized(program), values)
    for blocks in CUTS:
        assert_same(by_engine(program, values, blocks, isa), expected)


@every_dtype
@pytest.mark.parametrize("name", ["several outputs", "pads and joins", "two layers"])
def test_a_row_has_the_same_bits_in_every_block(name: str, dtype: Dtype) -> None:
    program = program_of(FUSED[name], dtype)
    values = values_for(program)
    whole = by_engine(program, values, CUTS[0])
    for blocks in CUTS[1:]:
        for output, array in by_engine(program, values, blocks).items():
            assert_array_equal(array, whole[output])


@pytest.mark.parametrize("operation", [0, 7])
def test_random_bits_are_the_interpreters_in_every_block(operation: int) -> None:
    def build(a: dict[str, Tracer]) -> dict[str, Any]:
        shape = (ROWS, 3)
        bits = a["X"].trace.emit(
            "random_bits", (a["seed"], a["step"]), operation=operation, shape=shape
        )
        return {"y": a["X"] + ops.cast(bits, "float64")}

    types = {
        "X": ArrayType((ROWS, 3), "float64"),
        "seed": ArrayType((), "uint32"),
        "step": ArrayType((), "int32"),
    }
    program = trace(build, types)
    values = {**values_for(program), "X": np.zeros((COUNT, 3))}
    for seed in (0, 5, 2**32 - 1):
        values["seed"] = np.array(seed, np.uint32)
        expected = interpret(sized(program), values)["y"]
        for blocks in CUTS:
            assert_array_equal(by_engine(program, values, blocks)["y"], expected)


@dataclass(frozen=True)
class Joined(tw.Layer):
    """Parts of which one kernel computes all, side by side along the last axis."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.concatenate([tw.sin(x), tw.tanh(x), tw.square(x)], axis=-1)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 2, 3)])
def test_parts_that_one_kernel_computes_are_joined(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype("float32")
    network = tw.Network([Joined()]).initialize(shape)
    by_hand = np.concatenate([np.sin(x), np.tanh(x), x**2], axis=-1)
    np.testing.assert_allclose(network.predict(x), by_hand, rtol=1e-5, atol=1e-6)
