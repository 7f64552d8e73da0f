"""Whole training steps, in blocks of rows: engine and interpreter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from support.engine import (
    COUNT,
    CUTS,
    Values,
    assert_same,
    bind,
    every_dtype,
    every_isa,
    sized,
    values_for,
)
from thalweg.backends.engine.blocks import Blocks
from thalweg.backends.engine.native import clear_errors
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ArgumentError
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.formulas.losses import LOSSES
from thalweg.formulas.optimizers import OPTIMIZERS
from thalweg.model.metrics import Accuracy, Metric, SquaredError
from thalweg.model.step import Objective, prediction_program, step_programs
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.sizes import ROWS
from thalweg.program.types import ArrayType, Dtype, NumpyArray


@dataclass(frozen=True)
class Halving(tw.Optimizer):
    """A user's own rule, with a state that remembers the largest gradient."""

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
    row: tuple[int, ...] = (5,),
) -> Program:
    """The whole step of a network with 5 features, unless told, and 3 outputs."""
    network = tw.Network(layers).initialize(row, dtype=dtype)
    batch = {"X": ArrayType((ROWS, *row), dtype), "y": ArrayType((ROWS, 3), dtype)}
    metric: Metric = SquaredError((1.0, 2.0, 3.0))
    if loss == "cross_entropy":
        batch["y"] = ArrayType((ROWS,), "int32")
        metric = Accuracy()
    if weighted:
        batch["sample_weight"] = ArrayType((ROWS,), dtype)
    rule = optimizer or tw.SGD()
    objective = Objective(tw.Loss.of(loss), metric, rule, penalty, clip_norm)
    return step_programs(network.layers, network.shapes, objective, batch, dtype)[
        "step"
    ]


def assert_step_conforms(
    program: Program, values: Values, isa: str | None = None
) -> None:
    """One step and another, however cut, give what the interpreter gives."""
    first = interpret(sized(program), values)
    carried = {name: first[name] for name in program.inputs if name in first}
    second = interpret(sized(program), {**values, **carried, "step": np.int32(4)})
    for blocks in CUTS:
        bound, arrays = bind(program, values, blocks, isa)
        for expected, step in ((first, 3), (second, 4)):
            if "step" in arrays:
                arrays["step"][...] = step
            bound.engine.run(COUNT, threads=2)
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
    "a user's own": Halving(),
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
    values["X"][:, :2] = np.random.default_rng(1).integers(0, 3, (COUNT, 2))
    return values


@every_isa
@every_dtype
@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_with_every_layer(name: str, dtype: Dtype, isa: str) -> None:
    program = step_of(NETWORKS[name], dtype, optimizer=tw.Adam())
    assert_step_conforms(program, numbered(program), isa)


@every_isa
@every_dtype
@pytest.mark.parametrize("row", [(4, 5, 2), (6, 2)])
def test_a_step_with_rows_that_are_augmented(
    row: tuple[int, ...], dtype: Dtype, isa: str
) -> None:
    image = len(row) == 3
    augment = tw.Augment(1, "both" if image else "horizontal", 120 if image else 0, 0.1)
    layers = [tw.Rescale(0.5, (0.1, 0.2)), augment, tw.Flatten(), tw.Dense(3)]
    program = step_of(layers, dtype, row=row)
    assert_step_conforms(program, values_for(program), isa)


@every_isa
@every_dtype
@pytest.mark.parametrize("row", [(5, 2), (3, 4, 2), (2, 3, 2, 2)])
def test_a_step_with_norms_and_dropout_at_every_position(
    row: tuple[int, ...], dtype: Dtype, isa: str
) -> None:
    norms = [tw.BatchNorm(), tw.Dropout(0.3), tw.Dense(3), tw.LayerNorm()]
    layers = [*norms, tw.Flatten(), tw.Dense(3)]
    program = step_of(layers, dtype, optimizer=tw.Adam(), row=row)
    assert_step_conforms(program, values_for(program), isa)


def with_head(*layers: tw.Layer) -> list[tw.Layer]:
    return [*layers, tw.Flatten(), tw.Dense(3)]


CONVOLUTIONS: dict[str, tuple[list[tw.Layer], tuple[int, ...]]] = {
    "a series": (
        with_head(tw.Conv(5, 3, activation="relu"), tw.MaxPool(2), tw.Conv(4, 2)),
        (14, 1),
    ),
    "a causal series": (
        with_head(*(tw.Conv(4, 2, padding="causal", dilation=d) for d in (1, 2, 4))),
        (9, 3),
    ),
    "strides and dilation": (
        with_head(
            tw.Conv(16, 3, stride=2, dilation=2, activation="relu"),
            tw.MaxPool(2),
            tw.Conv(3, (2, 1), stride=(1, 2)),
        ),
        (14, 17, 3),
    ),
    "poolings side by side": (
        with_head(
            tw.Conv(6, 3, padding="same", activation="relu"),
            tw.MaxPool(2),
            tw.Conv(7, (2, 3), activation="relu"),
            tw.MaxPool((1, 2)),
        ),
        (9, 10, 3),
    ),
    "poolings that overlap": (
        with_head(
            tw.Conv(3, 3, activation="relu"),
            tw.MaxPool(3, 2),
            tw.Conv(4, 2, activation="tanh"),
            tw.MaxPool(2, 1),
        ),
        (11, 10, 1),
    ),
    "poolings with gaps": (
        with_head(tw.Conv(4, 2), tw.MaxPool(2, 3), tw.Conv(2, 2)),
        (9, 12, 1),
    ),
    "poolings over edges": (
        with_head(
            tw.Conv(4, 3, padding="reflect", activation="relu"),
            tw.MaxPool(3, 2, "same"),
            tw.MeanPool(2, 2, "same"),
        ),
        (7, 6, 2),
    ),
    "many channels": (
        with_head(
            tw.Conv(33, 3, padding="same", activation="relu"),
            tw.MaxPool(2),
            tw.Conv(17, 3, bias=False, activation="relu"),
        ),
        (8, 7, 16),
    ),
    "groups": (
        with_head(tw.Conv(8, 3, groups=4), tw.MaxPool(2), tw.Conv(6, 2, groups=2)),
        (7, 6, 4),
    ),
    "backwards": (
        with_head(
            tw.Conv(4, 3, stride=2, activation="relu"),
            tw.ConvTranspose(3, 3, stride=2, activation="relu"),
            tw.MaxPool(2),
        ),
        (7, 7, 2),
    ),
    "the largest of all": (
        [tw.Conv(5, 3, activation="relu"), tw.GlobalMax(), tw.Dense(3)],
        (6, 7, 2),
    ),
    "voxels": (
        with_head(tw.Conv(4, 2, activation="relu"), tw.MaxPool(2), tw.Conv(3, 1)),
        (5, 4, 5, 2),
    ),
}


@every_isa
@every_dtype
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_step_with_convolutions(name: str, dtype: Dtype, isa: str) -> None:
    layers, row = CONVOLUTIONS[name]
    program = step_of(layers, dtype, optimizer=tw.SGD(0.1), row=row)
    assert_step_conforms(program, values_for(program), isa)


@pytest.mark.parametrize("channels", [1, 3, 16, 33])
@pytest.mark.parametrize("filters", [1, 3, 16, 33])
@pytest.mark.parametrize("pool", [(2, 2), (3, 2), (2, 1)])
def test_a_step_with_any_number_of_channels(
    pool: tuple[int, int], filters: int, channels: int
) -> None:
    pooled = (tw.Conv(filters, 3, activation="relu"), tw.MaxPool(*pool))
    layers = with_head(*pooled, tw.Conv(filters, 2, activation="relu"))
    program = step_of(layers, "float64", row=(8, 8, channels))
    assert_step_conforms(program, values_for(program))


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
    arrays["X"][COUNT // 2, 1] = bad
    with pytest.raises(ArgumentError, match="index"), clear_errors():
        bound.engine.run(COUNT, threads=2)
    assert_array_equal(arrays["parameters"], values["parameters"])
    arrays["X"][...] = values["X"]
    bound.engine.run(COUNT, threads=2)
    assert_same(
        {name: arrays[name] for name in program.outputs},
        interpret(sized(program), values),
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
    expected = interpret(sized(program), {**values, "X": X})
    made = prediction_program(network.layers, network.shapes, ROWS, dtype)
    bound, _ = bind(made, {**values, "X": np.zeros((COUNT, 5), dtype)}, Blocks(16, 256))
    predictions = np.empty((rows, 3), dtype)
    bound.bind_rows({"X": X, "predictions": predictions})
    bound.engine.run(rows)
    assert_same({"predictions": predictions}, expected)
