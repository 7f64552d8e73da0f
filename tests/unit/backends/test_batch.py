"""One trace of a program for any number of rows, beside a trace for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.backends.engine.assemble import compile_any_rows, compile_rows
from thalweg.backends.engine.batch import Batch
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ShapeError
from thalweg.program import ops
from thalweg.program.compile import make_safe
from thalweg.program.ir import Program, verify
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.simplify import simplify
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

COUNTS = (2, 3, 31, 32, 33, 100)
WEIGHTS = np.random.default_rng(0).normal(size=(3, 4))


def noise(a: dict[str, Any]) -> Any:
    drawn = ops.random_uniform(a["seed"], a["step"], 1, a["x"].shape, "float64")
    return a["x"] * drawn


FORMULAS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a product": lambda a: tw.tanh(a["x"] @ WEIGHTS),
    "a mean": lambda a: a["x"] - tw.mean(a["x"], axis=0),
    "a variance": lambda a: (
        tw.sum((a["x"] - tw.mean(a["x"], axis=0)) ** 2, axis=0) / (a["x"].shape[0] - 1)
    ),
    "a mean of all": lambda a: tw.mean(a["x"]),
    "reshaped": lambda a: tw.reshape(a["x"], (-1, 1)) * 2,
    "flattened by what is known": lambda a: tw.reshape(a["x"], (a["x"].shape[0], -1)),
    "rows below rows": lambda a: tw.concatenate([a["x"], a["x"], WEIGHTS.T], axis=0),
    "neighbours": lambda a: a["x"][1:] - a["x"][:-1],
    "pairs": lambda a: a["x"] @ a["x"].T,
    "pairs of differences": lambda a: a["x"][:, None] - a["x"][None],
    "repeated": lambda a: tw.broadcast_to(a["x"][0], a["x"].shape),
    "noise": noise,
    "its square root": lambda a: a["x"] / a["x"].shape[0] ** 0.5,
    "its length": lambda a: tw.sum(a["x"], axis=0) / len(a["x"]),
    "a loop over rows": lambda a: sum(a["x"][i] for i in range(len(a["x"]))),
    "a choice by the number": lambda a: a["x"] * (2 if a["x"].shape[0] == 32 else 3),
    "NumPy's square root": lambda a: a["x"] / np.sqrt(len(a["x"])),
}
AT_EACH = (
    *("its length", "a loop over rows", "a choice by the number"),
    "NumPy's square root",
)
"""Formulas that need the number: they are traced for each."""


def program_of(name: str) -> Callable[[int], Program]:
    def make(rows: int) -> Program:
        types = {
            "x": ArrayType((rows, 3), "float64"),
            "seed": ArrayType((), "uint32"),
            "step": ArrayType((), "int32"),
        }
        safe = make_safe(trace(lambda a: {"y": FORMULAS[name](a)}, types))
        total = trace(lambda a: {"J": ops.sum(tw.sin(called(safe, a)))}, types)
        return simplify(differentiate(make_safe(total), "J", ["x"]))

    return make


def called(program: Program, arrays: dict[str, Any]) -> Any:
    from thalweg.program.trace import call

    return call(program, arrays)["y"]


@pytest.mark.parametrize("name", FORMULAS)
def test_one_trace_gives_what_a_trace_for_the_number_gives(name: str) -> None:
    """Value and gradient, to the bit: the same instructions, but for coincidences."""
    batch = Batch(program_of(name), ["x"])
    assert (batch.traced is None) == (name in AT_EACH)
    for rows in (1, *COUNTS):
        program, alone = batch.at(rows), program_of(name)(rows)
        verify(program)
        x = np.random.default_rng(rows).normal(size=(rows, 3))
        given = {"x": x, "seed": 3, "step": 4}
        found, expected = interpret(program, given), interpret(alone, given)
        for output, array in expected.items():
            assert_array_equal(found[output], array)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_traced_as_seldom_as_can_be(name: str) -> None:
    asked: list[Any] = []
    make = program_of(name)

    def counted(rows: int) -> Program:
        asked.append(rows)
        return make(rows)

    batch = Batch(counted, ["x"])
    for rows in COUNTS:
        batch.at(rows)
    if name in AT_EACH:
        assert set(COUNTS) <= set(asked)
    else:
        assert asked == [ROWS]
    batch.at(1)
    assert asked[-1] == 1


def test_what_is_wrong_for_any_number_is_told_of_the_number() -> None:
    types = {"x": (lambda rows: ArrayType((rows, 3), "float64"))}

    def make(rows: int) -> Program:
        return trace(lambda a: {"y": a["x"] @ np.ones((4, 2))}, {"x": types["x"](rows)})

    batch = Batch(make, ["x"])
    with pytest.raises(ShapeError, match=r"\(20, 3\)"):
        batch.at(20)


@pytest.mark.parametrize("units", [31, 32, 33])
@pytest.mark.parametrize("rows", [31, 32, 33, 64])
def test_noise_for_each_unit_is_the_same_in_every_row(units: int, rows: int) -> None:
    """An axis of units isn't one of rows, though there may be as many of them."""

    def make(count: int) -> Program:
        types = {
            "x": ArrayType((count, units), "float32"),
            "seed": ArrayType((), "uint32"),
            "step": ArrayType((), "int32"),
        }

        def apply(a: dict[str, Any]) -> dict[str, Any]:
            each = ops.random_uniform(a["seed"], a["step"], 1, (units,), "float32")
            return {"y": a["x"] + each, "total": tw.sum(a["x"] * each, axis=0)}

        return simplify(trace(apply, types))

    batch = Batch(make, ["x"])
    assert batch.parts is not None
    assert batch.parts.by_row == ("y",)
    assert compile_any_rows(batch) is not None
    compiled = compile_rows(batch, rows)
    assert compiled.any_rows
    assert compiled.before is not None  # it is drawn once, for all blocks


def test_a_block_divides_by_the_batch_s_rows() -> None:
    """A mean over rows that are worked on in blocks is the mean of all."""
    wide = np.random.default_rng(0).normal(size=(600, 40))
    y = wide @ np.arange(40.0)
    stack = [tw.Dense(64, "tanh"), tw.Dense(1)]
    settings: dict[str, Any] = {"epochs": 1, "batch_size": 300, "validation": None}
    found = []
    for engine in ("native", "interpreter"):
        network = tw.Network(stack)
        network.fit(wide, y, engine=engine, **settings)
        found.append(network.parameters)
    for name, array in found[0].items():
        assert_allclose(array, found[1][name], rtol=1e-3, atol=1e-5)
