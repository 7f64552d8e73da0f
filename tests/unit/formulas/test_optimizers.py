from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.calls import compile, gradient
from thalweg.errors import ArgumentError
from thalweg.formulas.optimizers import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Optimizer,
    RMSProp,
    optimizer,
)
from thalweg.formulas.penalties import L2
from thalweg.formulas.schedules import Constant
from thalweg.program import ops

CURVATURE = np.array([1.0, 0.3, 3.0])
LOWEST = np.array([1.0, -2.0, 0.5])


def quadratic(w: Any) -> Any:
    return ops.sum(CURVATURE * (w - LOWEST) ** 2) / 2


def run(
    rule: Optimizer, learning_rate: float, steps: int, function: Any = quadratic
) -> Any:
    parameters = np.zeros(3)
    state: dict[str, Any] = {name: np.zeros(3) for name in rule.state()}
    slope = compile(gradient(function))
    for step in range(1, steps + 1):
        parameters, state = rule.update(
            parameters, slope(parameters), state, learning_rate, float(step)
        )
        assert tuple(state) == rule.state()
    return parameters


@pytest.mark.parametrize(
    ("rule", "learning_rate", "steps", "tolerance"),
    [
        (SGD(), 0.5, 200, 1e-9),
        (SGD(momentum=0.8), 0.2, 200, 1e-6),
        (SGD(momentum=0.8, nesterov=True), 0.2, 200, 1e-6),
        (Adagrad(), 0.8, 300, 1e-3),
        (Adadelta(), 10.0, 900, 1e-2),
        (RMSProp(), 0.005, 900, 1e-2),
        (Adam(), 0.1, 600, 1e-3),
        (AdamW(weight_decay=0.0), 0.1, 600, 1e-3),
        (Lion(), 0.005, 900, 2e-2),
    ],
    ids=str,
)
def test_every_rule_finds_the_lowest_point(
    rule: Optimizer, learning_rate: float, steps: int, tolerance: float
) -> None:
    assert_allclose(run(rule, learning_rate, steps), LOWEST, atol=tolerance)


def test_every_rule_is_tried_on_the_quadratic() -> None:
    tried = {SGD, Adagrad, Adadelta, RMSProp, Adam, AdamW, Lion}
    assert set(OPTIMIZERS.values()) == tried


@pytest.mark.parametrize("rule", [rule() for rule in OPTIMIZERS.values()], ids=str)
def test_recorded_and_called_rules_are_the_same(rule: Optimizer) -> None:
    names = rule.state()

    def new_parameters(
        w: Any, g: Any, learning_rate: Any, step: Any, *slots: Any
    ) -> Any:
        state = dict(zip(names, slots, strict=True))
        return rule.update(w, g, state, learning_rate, step)[0]

    generator = np.random.default_rng(0)
    w, g = generator.normal(size=(2, 3))
    slots = generator.uniform(0.1, 1, (len(names), 3))
    arguments = (w, g, np.array(0.1), np.array(3.0), *slots)
    recorded = compile(new_parameters)(*arguments)
    assert_allclose(recorded, new_parameters(*arguments), rtol=1e-13)
    # The rule works on each parameter alone, so a part of them moves the same.
    part = compile(new_parameters)(
        w[1:], g[1:], np.array(0.1), np.array(3.0), *(slot[1:] for slot in slots)
    )
    assert_allclose(part, recorded[1:], rtol=1e-13)


@pytest.mark.parametrize("rule", [Adam(), AdamW(weight_decay=0)])
def test_adams_first_step_is_the_learning_rate_whatever_the_gradient(
    rule: Optimizer,
) -> None:
    zeros = {name: np.zeros(3) for name in rule.state()}
    moved, _ = rule.update(np.zeros(3), np.array([1e3, -1.0, 1e-3]), zeros, 0.1, 1.0)
    assert_allclose(moved, [-0.1, 0.1, -0.1], rtol=1e-4)


def test_lion_as_written_out_by_hand() -> None:
    rule = Lion(beta1=0.9, beta2=0.5)
    first, state = rule.update(
        np.array([1.0]), np.array([2.0]), {"mean": 0.0}, 0.1, 1.0
    )
    assert first == pytest.approx(0.9)
    assert state["mean"] == pytest.approx(1.0)
    # 0.9 · 1 + 0.1 · (−8) is above 0: the mean outweighs the newest gradient.
    second, state = rule.update(first, np.array([-8.0]), state, 0.1, 2.0)
    assert second == pytest.approx(0.8)
    assert state["mean"] == pytest.approx(-3.5)
    third, _ = rule.update(second, np.array([1.0]), state, 0.1, 3.0)
    assert third == pytest.approx(0.9)


@pytest.mark.parametrize("rule", [AdamW(weight_decay=0.5), Lion(weight_decay=0.5)])
def test_decoupled_decay_shrinks_without_a_gradient(rule: Optimizer) -> None:
    zeros = {name: np.zeros(3) for name in rule.state()}
    moved, _ = rule.update(LOWEST, np.zeros(3), zeros, 0.1, 1.0)
    assert_allclose(moved, 0.95 * LOWEST, rtol=1e-14)


def test_decay_and_penalty_are_the_same_under_plain_descent_and_not_under_adam() -> (
    None
):
    w, decay = LOWEST, 0.2
    pull = gradient(lambda w: quadratic(w))(w)
    by_penalty = pull + gradient(L2(decay / 2))(w)
    descended, _ = SGD().update(w, by_penalty, {}, 0.1, 1.0)
    assert_allclose(descended, (1 - 0.1 * decay) * w - 0.1 * pull, rtol=1e-14)
    decayed = run(AdamW(weight_decay=0.5), 0.05, 500)
    penalized = run(Adam(), 0.05, 500, lambda w: quadratic(w) + L2(0.25)(w))
    assert abs(decayed - penalized).max() > 0.05


def test_momentum_remembers() -> None:
    rule = SGD(momentum=0.5)
    _, state = rule.update(np.zeros(1), np.array([4.0]), {"velocity": 0.0}, 0.1, 1.0)
    moved, _ = rule.update(np.zeros(1), np.array([1.0]), state, 0.1, 2.0)
    assert_array_equal(moved, [-0.1 * (1 + 0.5 * 4)])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: SGD(learning_rate=0),
            "learning_rate must be .* greater than 0, got 0",
        ),
        (lambda: Adam(learning_rate="fast"), "learning_rate must be .*, got 'fast'"),  # pyright: ignore
        (lambda: SGD(momentum=1), r"momentum must be in \[0, 1\), got 1"),
        (lambda: SGD(nesterov=True), "nesterov needs a momentum"),
        (lambda: Adam(beta1=1.0), r"beta1 must be in \[0, 1\), got 1.0"),
        (lambda: RMSProp(rho=-0.1), r"rho must be in \[0, 1\), got -0.1"),
        (lambda: Adagrad(epsilon=0), "epsilon must be .* greater than 0, got 0"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be .*, got -1"),
        (lambda: optimizer(Adam), "a name or an optimizer such as Adam"),  # pyright: ignore
    ],
)
def test_arguments_that_cannot_be(build: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        build()


def test_a_learning_rate_may_be_a_schedule() -> None:
    assert Adam(learning_rate=Constant(0.1)).learning_rate == Constant(0.1)


def test_names_give_the_defaults() -> None:
    for name, rule in OPTIMIZERS.items():
        assert optimizer(name) == rule()
    assert optimizer(SGD(0.3)) == SGD(0.3)


def test_ones_own_rule_needs_update_alone() -> None:
    @dataclass(frozen=True)
    class Normalized(Optimizer):
        def update(
            self,
            parameters: Any,
            gradient: Any,
            state: Any,
            learning_rate: Any,
            step: Any,
        ) -> Any:
            size = ops.sqrt(ops.sum(gradient**2)) + 1e-12
            return parameters - learning_rate / step * gradient / size, {}

    assert_allclose(run(Normalized(0.1), 2.0, 400), LOWEST, atol=0.05)
