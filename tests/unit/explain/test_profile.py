"""The table of kernels: counts that are right, times that are of real runs."""

import math
import re
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.backends.engine import costs
from thalweg.explain.lines import PAGE_WIDTH
from thalweg.explain.plans import subject_of
from thalweg.explain.profile import HEADER, cost_in, measured, scaled

generator = np.random.default_rng(0)


def fitted(layers: list[tw.Layer], rows: int = 40, **settings: Any) -> tw.Network:
    network = tw.Network(layers)
    X, y = generator.random((rows, 4)), generator.integers(0, 3, rows)
    network.fit(X, y, validation=None, epochs=1, early_stopping=None, **settings)
    return network


def profile_of(network: tw.Network) -> list[str]:
    return network.explain(profile=True).split("\n\nProfile of ")[1].splitlines()


SMALL: list[tw.Layer] = [tw.Dense(8, "tanh"), tw.Dense(3, "softmax")]
LARGE: list[tw.Layer] = [tw.Dense(64, "silu"), tw.Dense(3, "softmax")]
KINDS: dict[str, tuple[list[tw.Layer], dict[str, Any]]] = {
    "one block": (SMALL, {"batch_size": 16}),
    "shards": (LARGE, {"batch_size": "all", "rows": 5000}),
    "rows that meet": ([tw.Dense(4), tw.BatchNorm(), *SMALL], {"batch_size": 20}),
    "categories": ([tw.Embedding(5, 2), tw.Flatten(), *SMALL], {"batch_size": 20}),
    "random bits": ([tw.Dense(4), tw.Dropout(0.5), *SMALL], {"batch_size": 20}),
    "clipping": (SMALL, {"clip_norm": 1.0, "penalty": tw.L2(0.1)}),
}


def network_of(kind: str) -> tw.Network:
    layers, settings = KINDS[kind]
    return fitted(layers, **settings)


# Counting -----------------------------------------------------------------------------


def test_a_step_in_shards_does_the_operations_of_its_products() -> None:
    network = network_of("shards")
    subject = subject_of(network)
    assert subject.shards > 1
    assert subject.blocks > subject.shards or subject.rows % subject.block_rows
    found = sum(
        costs.operations_of(step, step.lines[0]) * subject.rows / subject.block_rows
        for step in subject.compiled.block.plan.steps
        if step.opcode == "matmul"
    )
    forward = 2 * 5000 * (4 * 64 + 64 * 3)
    assert found == pytest.approx(2 * forward + 2 * 5000 * 64 * 3)  # no dx of the first
    products = [s for s in subject.compiled.block.plan.steps if s.opcode == "matmul"]
    assert sum(cost_in(subject, "block", s).operations for s in products) >= found


# Measuring ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kernel_that_runs_has_a_time(kind: str) -> None:
    network = network_of(kind)
    subject = subject_of(network)
    found = measured(subject, network)
    for name, part in subject.compiled.parts.items():
        numbers = {number for where, number in found.seconds if where == name}
        left_out = set(part.encoded.kernels) - numbers
        assert numbers <= set(part.encoded.kernels)
        assert {part.plan.steps[n].opcode for n in left_out} <= {"stop_gradient"}
    assert all(0 <= s < 1 for s in found.seconds.values())
    assert math.fsum(found.seconds.values()) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kernel_has_a_line_that_fits_the_page(kind: str) -> None:
    network = network_of(kind)
    lines = profile_of(network)
    parts = subject_of(network).compiled.parts.values()
    steps = [step for part in parts for step in part.plan.steps]
    kernels = [line for line in lines if re.match(r"^  .*%$", line)]
    working = [step for step in steps if step.opcode != "stop_gradient"]
    assert len(working) + 1 <= len(kernels) <= len(steps) + 1  # the last is all
    assert max(map(len, lines)) <= PAGE_WIDTH
    assert not any(line != line.rstrip() for line in lines)
    shares = [float(line.split()[-1][:-1]) for line in kernels[:-1]]
    assert sum(shares) == pytest.approx(100, abs=0.051 * len(shares))
    assert lines[2].split() == list(HEADER)
    assert any(
        re.match(r"^[\d.]+ .?FLOP/s with \w+, \d+ threads? at most$", x) for x in lines
    )


def test_prediction_is_measured_where_training_isnt_known() -> None:
    network = tw.Network([tw.Dense(2, "relu")]).initialize(3)
    lines = profile_of(network)
    assert lines[0].startswith("prediction")
    assert any("matmul add maximum" in line for line in lines)


def test_prediction_over_rows_that_meet() -> None:
    class Centered(tw.Layer):
        def forward(self, x: Any, p: Any) -> Any:
            return x - tw.mean(x, axis=0)

    network = tw.Network([Centered(), tw.Dense(1)]).initialize(3)
    assert any("matmul" in line for line in profile_of(network))


def test_measuring_learns_nothing() -> None:
    network = fitted([tw.Dense(4), tw.BatchNorm(), *SMALL], batch_size=20)
    before = {**network.parameters, **network.state}
    network.explain(profile=True)
    for name, array in {**network.parameters, **network.state}.items():
        assert (array == before[name]).all()


def test_without_being_asked_nothing_is_measured() -> None:
    assert "Profile of" not in fitted(SMALL).explain()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (999.6, "1 kB"), (1e6, "1 MB"), (2.5e-10, "0.25 nB")],
)
def test_three_digits_and_a_prefix(value: float, text: str) -> None:
    assert scaled(value, "B") == text
