from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ArgumentError, DtypeError, ShapeError, ThalwegError
from thalweg.formulas.chain import LayerValues, describe, shapes_of
from thalweg.formulas.initializers import Initializer, normal, zeros
from thalweg.model.stack import StepRandom, initial_values, training_predictions_of
from thalweg.program import ops
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

HERE = Path(__file__).name


@dataclass(frozen=True)
class Own(tw.Layer):
    """A layer whose parts are given, right or wrong."""

    given: Any = None
    kept: Any = None
    training: Any = None
    computed: Any = None

    def parameters(self, input_shape: Any) -> Any:
        return {} if self.given is None else self.given

    def state(self, input_shape: Any) -> Any:
        return {} if self.kept is None else self.kept

    def forward(self, x: Any, p: Any) -> Any:
        return self.computed(x, p) if self.computed else x

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        return self.training(x, p) if self.training else (self.forward(x, p), {})


# Shapes -------------------------------------------------------------------------------


def test_shapes_are_found_from_layer_to_layer() -> None:
    layers = [tw.Embedding(5, 3), tw.BatchNorm(), tw.Dense(4), tw.Dense(2, bias=False)]
    shapes = shapes_of(layers, (2,), "float32")
    assert shapes.outputs == ((2,), (2, 3), (2, 3), (2, 4), (2, 2))
    assert {name: p.shape for name, p in shapes.parameters.items()} == {
        "1.table": (5, 3),
        "2.scale": (3,),
        "2.shift": (3,),
        "3.weights": (3, 4),
        "3.bias": (4,),
        "4.weights": (4, 2),
    }
    assert {name: p.shape for name, p in shapes.state.items()} == {
        "2.running_mean": (3,),
        "2.running_variance": (3,),
    }


P = tw.Parameter((2,), zeros)
WRONG: list[tuple[Any, type[Exception], list[str]]] = [
    (Own(computed=lambda x, p: x @ np.ones((5, 1))), ShapeError, ["5", "line"]),
    (Own(computed=lambda x, p: x[0]), ShapeError, ["axis of rows first", "(2, 4)"]),
    (Own(computed=lambda x, p: tw.sum(x)), ShapeError, ["axis of rows", "became ()"]),
    (Own(computed=lambda x, p: None), ThalwegError, ["must give an array"]),
    (Own(computed=lambda x, p: x if x else 0), ThalwegError, ["true or false", HERE]),
    (Own(computed=lambda x, p: p.wieghts), ArgumentError, ["no parameter 'wieghts'"]),
    (Own(given=[P]), ArgumentError, ["must be a dict of names and Parameter"]),
    (Own(given={"w": (2, 3)}), ArgumentError, ["w must be a Parameter"]),
    (Own(given={3: P}), ArgumentError, ["must be an identifier"]),
    (Own(given={"a b": P}), ArgumentError, ["must be an identifier", "'a b'"]),
    (Own(given={"x": P}), ArgumentError, ["none of x, y, seed, step"]),
    (Own(kept={"step": P}), ArgumentError, ["none of x, y, seed, step"]),
    (Own(given={"m": P}, kept={"m": P}), ArgumentError, ["both a parameter and"]),
    (tw.Columns(((0, 9, None),)), ShapeError, ["up to 9, got x of 4 features"]),
    (tw.Dense(3, lambda z: z @ z), ShapeError, ["matmul", HERE, "line"]),
    (tw.Dense(3, lambda z: z > 0), DtypeError, ["must give float32, got bool"]),
]


@pytest.mark.parametrize(("layer", "error", "parts"), WRONG)
def test_a_wrong_layer_is_named_with_what_is_wrong(
    layer: Any, error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as raised:
        shapes_of([tw.Dense(4), layer, tw.Dense(1)], (3,), "float32")
    text = str(raised.value)
    for part in ["layer ", *parts]:
        assert part in text
    assert "layer 2" in text or "layer 3" in text


def test_a_formula_wrong_in_line_n_is_reported_with_that_line() -> None:
    def wrong(z: Any) -> Any:
        doubled = 2 * z
        return doubled + np.ones(7)  # this line

    line = 1 + Path(__file__).read_text().splitlines().index(
        "        return doubled + np.ones(7)  # this line"
    )
    with pytest.raises(ShapeError, match=rf"layer 1, Dense\(.*wrong.*line {line}\)"):
        shapes_of([tw.Dense(3, wrong)], (3,), "float32")


@pytest.mark.parametrize(
    ("training", "text"),
    [
        (lambda x, p: x, "must be two things, y and a dict of new state"),
        (lambda x, p: (x, {}, {}), "must be two things"),
        (lambda x, p: (x, x), "must be two things"),
        (lambda x, p: (x, {"mean": x[0]}), r"must be one of \['kept'\], got 'mean'"),
        (lambda x, p: (x, {"given": x[0]}), r"must be one of \['kept'\], got 'given'"),
        (lambda x, p: (x, {"kept": x}), r"must have shape \(2,\), got \(8, 2\)"),
    ],
)
def test_what_training_gives_is_checked(training: Any, text: str) -> None:
    layer = Own(given={"given": P}, kept={"kept": P}, training=training)
    with pytest.raises(ThalwegError, match=f"layer 1, Own.*{text}"):
        tw.Network([layer, tw.Dense(1)]).fit(
            np.ones((8, 2)), np.zeros(8), validation=None
        )


# First values -------------------------------------------------------------------------


def test_each_parameter_draws_its_own_numbers() -> None:
    drawn = tw.Parameter((4, 4), normal)
    both = initial_values({"a": drawn, "b": drawn}, 3, "float64")
    alone = initial_values({"a": drawn}, 3, "float64")
    assert not np.array_equal(both["a"], both["b"])
    assert_array_equal(both["a"], alone["a"])


def test_an_initializer_must_give_the_shape() -> None:
    flat = Initializer("flat", lambda shape, fan_in, fan_out, generator: np.ones(6))
    with pytest.raises(
        ShapeError, match=r"flat must give w the shape \(2, 3\), got \(6"
    ):
        initial_values({"w": tw.Parameter((2, 3), flat)}, 0, "float32")


# Random numbers -----------------------------------------------------------------------


def test_two_dropouts_drop_differently_and_each_step_anew() -> None:
    types = {
        "x": ArrayType((50, 8), "float32"),
        "seed": ArrayType((), "uint32"),
        "step": ArrayType((), "int32"),
    }

    def both(a: dict[str, Any]) -> dict[str, Any]:
        random = StepRandom(a["seed"], a["step"], "float32")
        first, _ = training_predictions_of([tw.Dropout(0.5)], a["x"], {}, random)
        second, _ = training_predictions_of([tw.Dropout(0.5)], a["x"], {}, random)
        return {"first": first, "second": second}

    program = trace(both, types)
    masks: set[bytes] = set()
    for seed, step in ((0, 1), (0, 2), (1, 1)):
        given = {"x": np.ones((50, 8)), "seed": seed, "step": step}
        for mask in interpret(program, given).values():
            assert abs((mask == 0).mean() - 0.5) < 0.15
            assert set(np.unique(mask)) == {0.0, 2.0}
            masks.add(mask.tobytes())
    assert len(masks) == 6


# Text ---------------------------------------------------------------------------------


def swish(z: Any) -> Any:
    return z * tw.sigmoid(z)


class Plain(tw.Layer):
    def forward(self, x: Any, p: Any) -> Any:
        return x


@dataclass(frozen=True)
class Fixed(tw.Layer):
    matrix: Any = None

    def forward(self, x: Any, p: Any) -> Any:
        return x @ self.matrix


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (tw.Dense(64, swish), "Dense(64, activation=swish)"),
        (tw.Dense(64), "Dense(64)"),
        (tw.Dense(64, "relu", bias=False), "Dense(64, activation='relu', bias=False)"),
        (tw.Dropout(0.2), "Dropout(0.2)"),
        (tw.BatchNorm(), "BatchNorm()"),
        (
            tw.Columns(((0, 2, None), (2, 3, tw.Embedding(4, 2)))),
            "Columns(((0, 2, None), (2, 3, Embedding(4, dimension=2))))",
        ),
        (Plain(), "Plain"),
        (Fixed(np.ones((3, 2))), "Fixed(array(3, 2))"),
        (Fixed(), "Fixed()"),
    ],
)
def test_a_layer_is_described_as_it_would_be_written(layer: Any, text: str) -> None:
    assert describe(layer) == text


def test_a_layer_may_hold_a_matrix() -> None:
    network = tw.Network([Fixed(np.eye(3)[:, :2]), tw.Dense(1)]).initialize(3)
    assert network.predict(np.ones((2, 3))).shape == (2, 1)


def test_values_are_reached_as_attributes() -> None:
    p = LayerValues("layer 1, Dense(3)", {"weights": ops.ones_like(np.zeros(2))})
    assert_array_equal(p.weights, [1, 1])
    with pytest.raises(ArgumentError, match=r"layer 1, Dense.* 'bias'; it has weights"):
        _ = p.bias
