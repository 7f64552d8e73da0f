"""Fused kernels and whole training steps, in blocks of rows: engine and interpreter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg import _engine
from thalweg.errors import ArgumentError
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.formulas.losses import LOSSES
from thalweg.formulas.optimizers import OPTIMIZERS
from thalweg.program import ops
from thalweg.program.blocks import Blocks
from thalweg.program.compile import compile_parts
from thalweg.program.interpret import interpret
from thalweg.program.ir import Program
from thalweg.program.native import NativeProgram, clear_errors
from thalweg.program.simplify import simplify
from thalweg.program.split import split
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, Dtype, NumpyArray
from thalweg.training.metrics import Accuracy, Metric, SquaredError
from thalweg.training.step import Task, prediction_program, step_programs

Values = Mapping[str, NumpyArray]
Build = Callable[[dict[str, Tracer]], dict[str, Any]]

ROWS = 37
ROW_INPUTS = ("X", "Z", "labels", "y", "sample_weight")
CUTS = (Blocks(ROWS, 1), Blocks(16, 2), Blocks(5, 3), Blocks(2, 16), Blocks(3, 1))
TOLERANCE = {"float32": 3e-5, "float64": 1e-11}
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_isa = pytest.mark.parametrize("isa", _engine.available())


# Running -----------------------------------------------------------------------------


def bind(
    program: Program, values: Values, blocks: Blocks, isa: str | None = None
) -> tuple[NativeProgram, dict[str, NumpyArray]]:
    """A program cut into blocks, with copies of its inputs, and all its arrays."""
    names = [name for name in ROW_INPUTS if name in program.inputs]
    parts = split(program, names, blocks.rows)
    if parts.count is None:  # rows meet: one block
        blocks = Blocks(program.inputs[names[0]].shape[0])
    own = {name: np.array(values[name]) for name in program.inputs}
    bound = NativeProgram(compile_parts(parts, names, blocks), own, isa)
    rows = program.inputs[names[0]].shape[0]
    arrays = {**own, **bound.arrays, **bound.row_outputs(rows)}
    bound.bind_rows({name: arrays[name] for name in bound.engine.buffers})
    return bound, arrays


def by_engine(
    program: Program, values: Values, blocks: Blocks, isa: str | None = None
) -> dict[str, NumpyArray]:
    """What a program gives, cut into blocks."""
    bound, arrays = bind(program, values, blocks, isa)
    with clear_errors():
        bound.engine.run(ROWS, threads=2)
    return {name: arrays[name] for name in program.outputs}


def assert_same(got: Values, expected: Values) -> None:
    """Equal but for the rounding of real numbers."""
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert (got[name].dtype, got[name].shape) == (value.dtype, value.shape)
        if value.dtype.kind != "f":
            assert_array_equal(got[name], value, err_msg=name)
            continue
        close = TOLERANCE[value.dtype.name]
        scale = float(np.abs(value).max(initial=0))
        assert_allclose(got[name], value, close, close * scale, err_msg=name)


def values_for(program: Program) -> dict[str, NumpyArray]:
    """Numbers for every input: weights of both signs, an optimizer's state above 0."""
    random = np.random.default_rng(0)
    drawn: dict[str, NumpyArray] = {}
    for name, type in program.inputs.items():
        if not type.is_float:
            drawn[name] = random.integers(0, 3, type.shape).astype(type.dtype)
        elif name.startswith(("state.", "learning_rate", "sample_weight")):
            drawn[name] = random.uniform(0.1, 1.9, type.shape).astype(type.dtype)
        else:
            drawn[name] = random.normal(0, 0.7, type.shape).astype(type.dtype)
    return drawn | ({"step": np.array(3, np.int32)} if "step" in drawn else {})


# Fused kernels -----------------------------------------------------------------------


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
    expected = interpret(program, values)
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
    values = {**values_for(program), "X": np.zeros((ROWS, 3))}
    for seed in (0, 5, 2**32 - 1):
        values["seed"] = np.array(seed, np.uint32)
        expected = interpret(program, values)["y"]
        for blocks in CUTS:
            assert_array_equal(by_engine(program, values, blocks)["y"], expected)


# Whole training steps ----------------------------------------------------------------


@dataclass(frozen=True)
class Halving(tw.Optimizer):
    """A person's own rule, with a state that remembers the largest gradient."""

    learning_rate: float = 0.1

    def state(self) -> tuple[str, ...]:
        return ("largest",)

    def update(
        self, parameters: Any, gradient: Any, state: Any, learning_rate: Any, step: Any
    ) -> Any:
        largest = ops.maximum(0.5 * state["largest"], ops.absolute(gradient))
        size = learning_rate * gradient / (largest + 1 / step)
        return parameters - ops.where(largest > 0.2, size, gradient), {
            "largest": largest
        }


def swish(z: Any) -> Any:
    return z / (1 + ops.exp(-1.5 * z))


def step_of(
    layers: list[Any],
    dtype: Dtype,
    loss: str = "mean_squared_error",
    optimizer: Any = None,
    penalty: Any = None,
    clip_norm: float | None = None,
    weighted: bool = False,
) -> Program:
    """The whole step of a network with 5 features and 3 outputs."""
    network = tw.Network(layers).initialize(5, dtype=dtype)
    batch = {"X": ArrayType((ROWS, 5), dtype), "y": ArrayType((ROWS, 3), dtype)}
    metric: Metric = SquaredError((1.0, 2.0, 3.0))
    if loss == "cross_entropy":
        batch["y"] = ArrayType((ROWS,), "int32")
        metric = Accuracy()
    if weighted:
        batch["sample_weight"] = ArrayType((ROWS,), dtype)
    rule = optimizer or tw.SGD()
    task = Task(tw.Loss.of(loss), metric, rule, penalty, clip_norm)
    return step_programs(network.layers, network.shapes, task, batch, dtype)["step"]


def assert_step_conforms(
    program: Program, values: Values, isa: str | None = None
) -> None:
    """One step and another, however cut, give what the interpreter gives."""
    first = interpret(program, values)
    carried = {name: first[name] for name in program.inputs if name in first}
    second = interpret(program, {**values, **carried, "step": np.int32(4)})
    for blocks in CUTS:
        bound, arrays = bind(program, values, blocks, isa)
        for expected, step in ((first, 3), (second, 4)):
            if "step" in arrays:
                arrays["step"][...] = step
            bound.engine.run(ROWS, threads=2)
            assert_same({name: arrays[name] for name in expected}, expected)


@every_dtype
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_step_with_every_activation(name: str, dtype: Dtype) -> None:
    program = step_of([tw.Dense(7, name), tw.Dense(3)], dtype)
    assert_step_conforms(program, values_for(program))


@every_dtype
@pytest.mark.parametrize("name", LOSSES)
def test_a_step_with_every_loss(name: str, dtype: Dtype) -> None:
    last = "softmax" if name == "cross_entropy" else "sigmoid"
    layers = [tw.Dense(4, swish), tw.Dense(3, last)]
    program = step_of(layers, dtype, name, weighted=True)
    values = values_for(program)
    if name != "cross_entropy":
        values["y"] = np.abs(values["y"]) % 1  # a probability, or a count
    assert_step_conforms(program, values)


RULES: dict[str, Any] = {
    **{name: rule() for name, rule in OPTIMIZERS.items()},
    "momentum": tw.SGD(momentum=0.9),
    "nesterov": tw.SGD(momentum=0.9, nesterov=True),
    "a person's own": Halving(),
}


@every_dtype
@pytest.mark.parametrize("name", RULES)
def test_a_step_with_every_rule(name: str, dtype: Dtype) -> None:
    layers = [tw.Dense(4, "tanh"), tw.Dense(3, "softmax")]
    program = step_of(layers, dtype, "cross_entropy", RULES[name])
    assert_step_conforms(program, values_for(program))


NETWORKS: dict[str, list[Any]] = {
    "dropout": [tw.Dense(8, "relu"), tw.Dropout(0.4), tw.Dense(3)],
    "rows that meet": [tw.Dense(6), tw.BatchNorm(), tw.Dense(3)],
    "a layer's norm": [tw.Dense(6, "gelu"), tw.LayerNorm(), tw.Dense(3)],
    "embeddings": [
        tw.Columns(((0, 2, tw.Embedding(3, 4)), (2, 5, None))),
        tw.Dense(3, "tanh"),
    ],
    "parts": [
        tw.Columns(((0, 2, tw.Dense(2, "tanh")), (2, 4, tw.LayerNorm()), (4, 5, None))),
        tw.Dense(3),
    ],
    "one layer": [tw.Dense(3)],
    "no bias": [tw.Dense(4, "tanh", bias=False), tw.Dense(3, bias=False)],
    "deep": [*(tw.Dense(n, "tanh") for n in (1, 17, 2, 5)), tw.Dense(3)],
}


def numbered(program: Program) -> dict[str, NumpyArray]:
    """Values of which the first two features are categories, many of them the same."""
    values = values_for(program)
    values["X"][:, :2] = np.random.default_rng(1).integers(0, 3, (ROWS, 2))
    return values


@every_isa
@every_dtype
@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_with_every_layer(name: str, dtype: Dtype, isa: str) -> None:
    program = step_of(NETWORKS[name], dtype, optimizer=tw.Adam())
    assert_step_conforms(program, numbered(program), isa)


@every_dtype
def test_a_step_with_penalty_and_clipping(dtype: Dtype) -> None:
    penalty = tw.L2(0.1) + tw.L1(0.1)
    layers = [tw.Dense(4, "tanh"), tw.Dense(3)]
    program = step_of(layers, dtype, penalty=penalty, clip_norm=0.5, weighted=True)
    assert_step_conforms(program, values_for(program))


@pytest.mark.parametrize("bad", [-1.0, 3.0, 1e9])
@pytest.mark.parametrize("blocks", CUTS)
def test_a_category_that_does_not_exist_leaves_the_parameters(
    blocks: Blocks, bad: float
) -> None:
    program = step_of(NETWORKS["embeddings"], "float64")
    values = numbered(program)
    bound, arrays = bind(program, values, blocks)
    arrays["X"][ROWS // 2, 1] = bad
    with pytest.raises(ArgumentError, match="index"), clear_errors():
        bound.engine.run(ROWS, threads=2)
    assert_array_equal(arrays["parameters"], values["parameters"])
    arrays["X"][...] = values["X"]
    bound.engine.run(ROWS, threads=2)
    assert_same(
        {name: arrays[name] for name in program.outputs}, interpret(program, values)
    )


@every_dtype
@pytest.mark.parametrize("rows", [1, 2, 36, 37, 100])
def test_prediction_of_any_number_of_rows(rows: int, dtype: Dtype) -> None:
    """A program made for some rows runs on more, and on fewer."""
    network = tw.Network([tw.Dense(7, "gelu"), tw.Dense(3, "softmax")])
    network.initialize(5, dtype=dtype)
    X = np.random.default_rng(0).normal(size=(rows, 5)).astype(dtype)
    values = {
        "parameters": np.concatenate([v.ravel() for v in network.parameters.values()])
    }
    program = prediction_program(network.layers, network.shapes, rows, dtype)
    expected = interpret(program, {**values, "X": X})
    made = prediction_program(network.layers, network.shapes, ROWS, dtype)
    bound, _ = bind(made, {**values, "X": np.zeros((ROWS, 5), dtype)}, Blocks(16, 256))
    predictions = np.empty((rows, 3), dtype)
    bound.bind_rows({"X": X, "predictions": predictions})
    bound.engine.run(rows)
    assert_same({"predictions": predictions}, expected)
