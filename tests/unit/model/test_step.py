from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ShapeError
from thalweg.formulas.chain import shapes_of
from thalweg.model.metrics import Accuracy
from thalweg.model.step import (
    Objective,
    prediction_program,
    require_outputs,
    scoring_program,
    step_programs,
)
from thalweg.program.types import ArrayType

generator = np.random.default_rng(0)
LAYERS = (tw.Dense(5, "tanh"), tw.Dropout(0.5), tw.BatchNorm(), tw.Dense(3, "softmax"))
SHAPES = shapes_of(LAYERS, (4,), "float64")
SIZE = sum(int(np.prod(p.shape)) for p in SHAPES.parameters.values())
BATCH = {
    "X": ArrayType((6, 4), "float64"),
    "y": ArrayType((6,), "int32"),
    "sample_weight": ArrayType((6,), "float64"),
}
GIVEN: dict[str, Any] = {
    "parameters": generator.normal(size=SIZE),
    "3.running_mean": generator.normal(size=5),
    "3.running_variance": generator.uniform(0.5, 2, 5),
    "X": generator.normal(size=(6, 4)),
    "y": np.array([0, 1, 2, 2, 1, 0]),
    "sample_weight": generator.uniform(0, 2, 6),
    "learning_rate": 0.1,
    "step": 3,
    "seed": 8,
}


def learned(**options: Any) -> Objective:
    chosen: dict[str, Any] = {"optimizer": tw.SGD(), "penalty": None, "clip_norm": None}
    return Objective(tw.cross_entropy, Accuracy(), **{**chosen, **options})


def step(given: Any = GIVEN, **options: Any) -> dict[str, Any]:
    program = step_programs(LAYERS, SHAPES, learned(**options), BATCH, "float64")[
        "step"
    ]
    return interpret(program, {name: given[name] for name in program.inputs})


def objective(parameters: Any, penalty: tw.Penalty | None = None) -> float:
    """What a step reports as its loss, with its penalty, by running it."""
    results = step({**GIVEN, "parameters": parameters})
    total = results["loss_sum"] / 6
    if penalty is not None:
        weights = np.concatenate([parameters[:20], parameters[-18:-3]])
        total = total + penalty(weights)
    return float(total)


@pytest.mark.parametrize("penalty", [None, tw.L2(0.3), tw.L1(0.1) + tw.L2(0.2)])
def test_a_step_goes_down_the_gradient_of_mean_loss_and_penalty(
    penalty: tw.Penalty | None,
) -> None:
    """By finite differences in random directions; dropout's draws stay the same."""
    moved = step(penalty=penalty)["parameters"]
    gradient = (GIVEN["parameters"] - moved) / 0.1
    for _ in range(10):
        direction = generator.normal(size=SIZE)
        ends = [
            objective(GIVEN["parameters"] + h * direction, penalty)
            for h in (1e-6, -1e-6)
        ]
        assert_allclose(
            gradient @ direction, (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-7
        )


def test_clipping_comes_before_the_rule() -> None:
    free, clipped = step(), step(clip_norm=0.01)
    moved = clipped["parameters"] - GIVEN["parameters"]
    assert_allclose(np.linalg.norm(moved), 0.1 * 0.01, rtol=1e-12)
    full = free["parameters"] - GIVEN["parameters"]
    assert_allclose(moved / 0.001, full / np.linalg.norm(full), rtol=1e-9)


def test_random_draws_depend_on_seed_and_step() -> None:
    seen = [
        step({**GIVEN, "seed": seed, "step": number})["loss_sum"].tobytes()
        for seed, number in ((8, 3), (8, 4), (9, 3), (8, 3))
    ]
    assert len(set(seen)) == 3
    assert seen[0] == seen[3]


def test_the_slots_of_the_rule_are_outputs_that_become_inputs() -> None:
    programs = step_programs(
        LAYERS, SHAPES, learned(optimizer=tw.Adam()), BATCH, "float64"
    )
    slots = [f"state.{slot}" for slot in tw.Adam().state()]
    assert slots
    for name in (*slots, "3.running_mean", "3.running_variance", "parameters"):
        program = programs["step"]
        assert program.output_types()[name] == program.inputs[name]


def test_every_pass_is_there_in_order() -> None:
    programs = step_programs(LAYERS, SHAPES, learned(), BATCH, "float64")
    assert list(programs) == ["trace", "stabilize", "differentiate", "step"]
    assert all(str(program) for program in programs.values())


def predictions() -> Any:
    program = prediction_program(LAYERS, SHAPES, 6, "float64")
    given = {name: GIVEN[name] for name in program.inputs}
    return interpret(program, given)["predictions"]


def test_prediction_needs_nothing_of_training() -> None:
    program = prediction_program(LAYERS, SHAPES, 6, "float64")
    assert set(program.inputs) == {
        "parameters", "3.running_mean", "3.running_variance", "X",
    }  # fmt: skip
    assert not any(i.opcode == "random_bits" for i in program.instructions)
    assert_allclose(predictions().sum(axis=1), np.ones(6), rtol=1e-14)


def test_scores_are_weighted_sums() -> None:
    program = scoring_program(
        LAYERS, SHAPES, tw.cross_entropy, Accuracy(), BATCH, "float64"
    )
    found = interpret(program, {name: GIVEN[name] for name in program.inputs})
    p, w, y = predictions(), GIVEN["sample_weight"], GIVEN["y"]
    losses = -np.log(p[np.arange(6), y])
    assert_allclose(found["loss_sum"], w @ losses, rtol=1e-12)
    assert_array_equal(found["metric_sum"], w[p.argmax(1) == y].sum())


@dataclass(frozen=True)
class First(tw.Layer):
    """One number a row."""

    def forward(self, x: Any, p: Any) -> Any:
        return x[:, 0]


def test_a_network_that_ends_in_one_number_can_not_be_scored() -> None:
    with pytest.raises(
        ShapeError, match=r"must give \(rows, outputs\) or .*got \(rows,"
    ):
        require_outputs(shapes_of([First()], (3,), "float32"))
    assert require_outputs(shapes_of([tw.LayerNorm()], (2, 3), "float32")) == (2, 3)
    assert require_outputs(SHAPES) == (3,)
