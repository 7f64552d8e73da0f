from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ArgumentError, ProgramError, ShapeError
from thalweg.formulas.chain import LayerValues
from thalweg.formulas.initializers import Initializer, constant, he_normal, zeros
from thalweg.model.stack import StepRandom, training_predictions_of
from thalweg.model.traced import (
    TracedLayer,
    initializer_from,
    initializer_parameters,
    parameter_data,
    parameters_from,
    traced_layer,
    traced_loss,
)
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

generator = np.random.default_rng(0)
X = generator.normal(size=(7, 3))


@dataclass(frozen=True)
class Own(tw.Layer):
    """Its first draw of two is unused; what it keeps is the last row's mean."""

    def parameters(self, input_shape: Any) -> Any:
        return {"slope": tw.Parameter(input_shape, constant.with_parameters(value=2.0))}

    def state(self, input_shape: Any) -> Any:
        return {"last": tw.Parameter((), zeros)}

    def forward(self, x: Any, p: Any) -> Any:
        return x * p.slope + p.last

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        random.uniform((9, 9))
        return x + random.uniform(x.shape), {"last": tw.mean(x[-1])}


TYPES = {
    "x": ArrayType((7, 3), "float64"),
    "seed": ArrayType((), "uint32"),
    "step": ArrayType((), "int32"),
    "slope": ArrayType((3,), "float64"),
    "last": ArrayType((), "float64"),
}
GIVEN = {"x": X, "seed": 4, "step": 2, "slope": np.array([1.0, 2, 3]), "last": 0.5}


def in_training(layers: list[Any]) -> dict[str, Any]:
    """What layers of `Own`'s parameters give in a step of training."""

    def both(a: dict[str, Any]) -> dict[str, Any]:
        random = StepRandom(a["seed"], a["step"], "float64")
        names = ("slope", "last")
        arrays = {f"{n}.{k}": a[k] for n in range(1, 4) for k in names}
        y, state = training_predictions_of(layers, a["x"], arrays, random)
        return {"y": y, **state}

    return interpret(trace(both, TYPES), GIVEN)


def test_prediction_and_training_are_those_of_the_layer() -> None:
    saved = traced_layer(Own(), (3,), "float64")
    program = trace(
        lambda a: {"y": saved.forward(a["x"], LayerValues("Own", a))}, TYPES
    )
    assert_allclose(interpret(program, GIVEN)["y"], X * [1, 2, 3] + 0.5, rtol=1e-15)
    found, expected = in_training([saved]), in_training([Own()])
    assert list(found) == list(expected) == ["y", "1.last"]
    for name, array in expected.items():
        assert_array_equal(found[name], array)
    assert_allclose(found["1.last"], X[-1].mean(), rtol=1e-15)


def test_draws_keep_their_numbers_between_layers_saved_and_not() -> None:
    saved = traced_layer(Own(), (3,), "float64")
    expected = in_training([Own(), Own(), Own()])["y"]
    for layers in ([saved] * 3, [Own(), saved, Own()], [saved, Own(), saved]):
        assert_array_equal(in_training(layers)["y"], expected)
    apart = in_training([saved, saved])["y"] - in_training([saved])["y"]
    first = in_training([saved])["y"] - X
    assert not np.allclose(apart, first)


def test_a_layer_saved_from_a_layer_saved_is_the_same() -> None:
    saved = traced_layer(Own(), (3,), "float64")
    again = traced_layer(saved, (3,), "float64")
    assert again.prediction.data == saved.prediction.data
    assert_array_equal(in_training([again])["y"], in_training([saved])["y"])


def test_a_saved_layer_takes_what_it_was_saved_for() -> None:
    saved = traced_layer(Own(), (3,), "float64")
    types = {**TYPES, "x": ArrayType((7, 4), "float64")}
    with pytest.raises(ShapeError, match=r"x must be f64\[7,3\] as it was saved, got"):
        trace(lambda a: {"y": saved.forward(a["x"], LayerValues("Own", a))}, types)


def test_a_layer_without_its_training_says_so() -> None:
    saved = traced_layer(Own(), (3,), "float64")
    only = TracedLayer("Own()", saved.declared, saved.kept, saved.prediction, None)
    with pytest.raises(ArgumentError, match=r"Own\(\) was saved without its training"):
        in_training([only])


def weighted(predictions: Any, targets: Any, *, factor: float = 1.0) -> Any:
    return factor * tw.mean(tw.absolute(predictions - targets), axis=-1)


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_saved_loss_is_the_loss_with_its_parameters(factor: float) -> None:
    loss = tw.Loss.of(weighted).with_parameters(factor=factor)
    saved = traced_loss(loss, (3,), "float64")
    targets = generator.normal(size=(7, 3))
    expected = factor * np.abs(X - targets).mean(1)
    assert_allclose(saved(X, targets), expected, rtol=1e-14)
    types = {"p": TYPES["x"], "t": TYPES["x"]}
    program = trace(lambda a: {"losses": saved(a["p"], a["t"])}, types)
    found = interpret(program, {"p": X, "t": targets})["losses"]
    assert_allclose(found, expected, rtol=1e-14)


def test_a_loss_that_mixes_rows_in_a_way_that_depends_on_their_number() -> None:
    def odd(predictions: Any, targets: Any) -> Any:
        return tw.mean(predictions[: len(predictions) // 2])

    with pytest.raises(ProgramError, match="rows"):
        traced_loss(tw.Loss.of(odd), (3,), "float64")


def mine(shape: Any, fan_in: int, fan_out: int, generator: Any) -> Any:
    return np.ones(shape)


@pytest.mark.parametrize(
    "chosen", [he_normal, constant.with_parameters(value=3.0), zeros]
)
def test_initializers_of_thalwegs_own_come_back(chosen: Initializer) -> None:
    found = initializer_from(chosen.name, initializer_parameters(chosen))
    assert found == chosen


@pytest.mark.parametrize("name", ["mine", "zeros"])
def test_others_are_remembered_by_name_and_refuse(name: str) -> None:
    own = Initializer(name, mine)
    found = initializer_from(name, initializer_parameters(own))
    assert initializer_parameters(found) is None
    with pytest.raises(ArgumentError, match=f"initializer {name} was its author's own"):
        found((3,), 3, 1, generator)


def test_declarations_come_back() -> None:
    declared = {
        "weights": tw.Parameter((3, 4), he_normal, penalized=True),
        "bias": tw.Parameter((), zeros),
    }
    assert parameters_from(parameter_data(declared)) == declared


@pytest.mark.parametrize("shape", [[True], ["3"], [3.0], 3, [2**60]])
def test_declared_shapes_must_be_counts(shape: Any) -> None:
    data = parameter_data({"w": tw.Parameter((3,), zeros)})
    data["w"]["shape"] = shape
    with pytest.raises((ProgramError, TypeError)):
        parameters_from(data)
