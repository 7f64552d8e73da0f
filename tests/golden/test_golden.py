"""Our formulas against the numbers that PyTorch gave (`generate.py` wrote them)."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.backends.numpy.calls import value_and_gradient
from thalweg.formulas.activations import activation, softmax
from thalweg.formulas.chain import LayerValues
from thalweg.formulas.losses import Loss
from thalweg.formulas.normalization import BatchNorm, LayerNorm, RMSNorm
from thalweg.formulas.optimizers import OPTIMIZERS
from thalweg.formulas.schedules import (
    CosineWithWarmup,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)


def golden(group: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / f"{group}.json").read_text())


ACTIVATIONS = golden("activations")
LOSSES = golden("losses")
CONVOLUTIONS = golden("convolutions")
RECURRENCE = golden("recurrence")
TRANSFORMERS = golden("transformers")
OPTIMIZER_RUNS = golden("optimizers")
SCHEDULES = golden("schedules")


def label(case: dict[str, Any]) -> str:
    name = case.get("loss") or case["optimizer"]
    return "-".join([name, *map(str, case["parameters"])])


@pytest.mark.parametrize("name", ACTIVATIONS["elementwise"])
def test_activation_and_derivative(name: str) -> None:
    points = np.array(ACTIVATIONS["points"])
    value, derivative = value_and_gradient(activation(name))(points)
    theirs = ACTIVATIONS["elementwise"][name]
    assert_allclose(value, theirs["value"], rtol=1e-13, atol=1e-16)
    assert_allclose(derivative, theirs["gradient"], rtol=1e-12, atol=1e-15)


def test_softmax_and_gradient() -> None:
    theirs = ACTIVATIONS["softmax"]
    weigh = np.array(theirs["cotangent"])
    value, gradient = value_and_gradient(lambda z: softmax(z) * weigh)(
        np.array(theirs["logits"])
    )
    assert_allclose(value, theirs["value"], rtol=1e-13)
    assert_allclose(gradient, theirs["gradient"], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("case", LOSSES["cases"], ids=label)
def test_loss_and_gradient(case: dict[str, Any]) -> None:
    loss = Loss.of(case["loss"]).with_parameters(**case["parameters"])
    predictions, targets = np.array(case["predictions"]), np.array(case["targets"])
    value, gradient = value_and_gradient(loss)(predictions, targets)
    assert_allclose(value, case["value"], rtol=1e-13)
    assert_allclose(gradient, case["gradient"], rtol=1e-12, atol=1e-16)
    assert_allclose(loss(predictions, targets), case["value"], rtol=1e-13)


@pytest.mark.parametrize("case", LOSSES["cases_of_logits"], ids=label)
def test_loss_of_softmax_and_gradient_by_logits(case: dict[str, Any]) -> None:
    loss = Loss.of(case["loss"]).with_parameters(**case["parameters"])
    logits, classes = np.array(case["predictions"]), np.array(case["targets"])
    value, gradient = value_and_gradient(lambda z, y: loss(softmax(z), y))(
        logits, classes
    )
    assert_allclose(value, case["value"], rtol=1e-13)
    assert_allclose(gradient, case["gradient"], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("case", OPTIMIZER_RUNS["cases"], ids=label)
def test_optimizer_path(case: dict[str, Any]) -> None:
    rule = OPTIMIZERS[case["optimizer"]](**case["parameters"])
    parameters = np.array(OPTIMIZER_RUNS["start"])
    state: dict[str, Any] = {name: np.zeros(4) for name in rule.state()}
    for step, gradient in enumerate(OPTIMIZER_RUNS["gradients"], 1):
        parameters, state = rule.update(
            parameters, np.array(gradient), state, case["learning_rate"], float(step)
        )
        if str(step) in case["after"]:
            assert_allclose(parameters, case["after"][str(step)], rtol=1e-11)


@pytest.mark.parametrize("name", ["adagrad", "adadelta", "rmsprop", "adam", "adamw"])
def test_default_learning_rate(name: str) -> None:
    case = next(c for c in OPTIMIZER_RUNS["cases"] if c["optimizer"] == name)
    assert OPTIMIZERS[name]().learning_rate == case["learning_rate"]


@pytest.mark.parametrize(
    ("schedule", "total_steps"),
    [
        (StepDecay(initial=0.5, every=7, factor=0.3), 40),
        (ExponentialDecay(initial=0.5, factor=0.9), 40),
        (CosineWithWarmup(peak=0.5, warmup=0.0, final=0.1), 40),
        (OneCycle(peak=0.5), 41),
    ],
)
def test_schedule(schedule: Schedule, total_steps: int) -> None:
    ours = [schedule.learning_rate(step, total_steps, []) for step in range(40)]
    assert_allclose(ours, SCHEDULES[type(schedule).__name__], rtol=1e-10)


def test_reduce_on_plateau() -> None:
    schedule = ReduceOnPlateau(initial=0.5, factor=0.5, patience=2, min_delta=0.01)
    losses = SCHEDULES["losses"]
    ours = [schedule.learning_rate(0, 40, losses[:epoch]) for epoch in range(40)]
    assert_allclose(ours, SCHEDULES["ReduceOnPlateau"], rtol=1e-12)
    assert len(set(ours)) > 2


def test_normalizing_layers() -> None:
    theirs = golden("normalization")
    p = SimpleNamespace(
        scale=np.array(theirs["scale"]),
        shift=np.array(theirs["shift"]),
        running_mean=np.zeros(3),
        running_variance=np.ones(3),
    )
    x, batch = np.array(theirs["x"]), theirs["BatchNorm"]
    assert_allclose(LayerNorm().forward(x, p), theirs["LayerNorm"], rtol=1e-12)
    assert_allclose(RMSNorm().forward(x, p), theirs["RMSNorm"], rtol=1e-12)
    training, state = BatchNorm().training_forward(x, p, no_randomness)
    assert_allclose(training, batch["training"], rtol=1e-12)
    assert_allclose(state["running_mean"], batch["running_mean"], rtol=1e-12)
    assert_allclose(state["running_variance"], batch["running_variance"], rtol=1e-12)
    trained = SimpleNamespace(**{**vars(p), **state})
    assert_allclose(BatchNorm().forward(x, trained), batch["prediction"], rtol=1e-12)


def convolution_label(case: dict[str, Any]) -> str:
    return f"{case['layer']}-{len(np.shape(case['x'])) - 2}-{case['parameters']}"


@pytest.mark.parametrize("case", CONVOLUTIONS["cases"], ids=convolution_label)
def test_windows_and_their_gradients(case: dict[str, Any]) -> None:
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in case["parameters"].items()
    }
    layer = getattr(tw, case["layer"])(**settings)
    names = [name for name in ("x", "weights", "bias") if name in case]
    arrays = [np.array(case[name]) for name in names]

    def applied(*at: Any) -> Any:
        return layer.forward(
            at[0], SimpleNamespace(**dict(zip(names, at, strict=True)))
        )

    assert_allclose(applied(*arrays), case["value"], rtol=1e-13, atol=1e-14)
    weigh = np.array(case["cotangent"])
    for number, name in enumerate(names):
        slope = tw.gradient(lambda *at: tw.sum(applied(*at) * weigh), argument=number)
        theirs = case["gradients"][name]
        assert_allclose(slope(*arrays), theirs, rtol=1e-12, atol=1e-13)


def transformer_label(case: dict[str, Any]) -> str:
    return f"{case['layer']}-{case['parameters']}"


@pytest.mark.parametrize("case", TRANSFORMERS["cases"], ids=transformer_label)
def test_attention_blocks_and_their_gradients(case: dict[str, Any]) -> None:
    layer = getattr(tw, case["layer"])(**case["parameters"])
    names = list(case["arrays"])
    arrays = [np.array(case["arrays"][name]) for name in names]
    assert set(layer.parameters(arrays[0].shape[1:])) == {*names} - {"x"}

    @tw.formula
    def applied(*at: Any) -> Any:
        return layer.forward(
            at[0], SimpleNamespace(**dict(zip(names, at, strict=True)))
        )

    assert_allclose(applied(*arrays), case["value"], rtol=1e-12, atol=1e-13)
    weigh = np.array(case["cotangent"])
    slopes = tw.gradient(
        lambda *at: tw.sum(applied(*at) * weigh), argument=tuple(range(len(names)))
    )(*arrays)
    for name, slope in zip(names, slopes, strict=True):
        theirs = case["gradients"][name]
        assert_allclose(slope, theirs, rtol=1e-10, atol=1e-12, err_msg=name)


def cell_label(case: dict[str, Any]) -> str:
    return f"{case['cell']}-{case['way']}"


def recurrent_layer(case: dict[str, Any]) -> tw.Layer:
    cell = getattr(tw, case["cell"])(case["units"])
    if case["way"] == "both":
        return tw.Bidirectional(cell)
    return tw.Recurrent(cell, reverse=case["way"] == "backwards")


@pytest.mark.parametrize("case", RECURRENCE["cases"], ids=cell_label)
def test_cells_and_their_gradients(case: dict[str, Any]) -> None:
    layer, names = recurrent_layer(case), [*case["arrays"]]
    arrays = [np.array(array) for array in case["arrays"].values()]

    def applied(*at: Any) -> Any:
        p = LayerValues("a layer", dict(zip(names, at, strict=True)))
        return layer.forward(at[0], p)

    assert_allclose(applied(*arrays), case["value"], rtol=1e-12, atol=1e-14)
    weigh = np.array(case["cotangent"])
    for number, name in enumerate(names):
        slope = tw.gradient(lambda *at: tw.sum(applied(*at) * weigh), argument=number)
        theirs = case["gradients"][name]
        assert_allclose(slope(*arrays), theirs, rtol=1e-11, atol=1e-13)


class NoRandomness:
    def uniform(self, shape: tuple[int, ...], /) -> Any:
        raise AssertionError("no random number is needed")


no_randomness = NoRandomness()
