"""What follows from parameters alone, apart from what is computed each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.backends.numpy.interpret import interpret
from thalweg.model.once import MOST_SUMMED, cut
from thalweg.program.ir import Program
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

RANDOM = np.random.default_rng(0)


def looked_up(a: dict[str, Any]) -> dict[str, Any]:
    """A table's rows through weights, one of them twice, and something beside."""
    rows = tw.take(a["T"] * 2, a["i"])
    z = tw.reshape(rows, (-1, a["T"].shape[1])) @ a["W"]
    return {"y": tw.tanh(z) + a["b"], "rows": rows, "z": z}


def as_type(array: Any) -> ArrayType:
    return ArrayType(array.shape, array.dtype.name)


def program(numbers: int = 5, formula: Any = looked_up) -> tuple[Program, Any]:
    """A formula's program, and inputs for it."""
    inputs = {
        "T": RANDOM.normal(size=(7, numbers)),
        "W": RANDOM.normal(size=(numbers, 4)),
        "b": RANDOM.normal(size=4),
        "i": np.array([[3], [0]], np.int32),
    }
    types = {n: as_type(a) for n, a in inputs.items()}
    return trace(formula, types), inputs


def test_a_table_goes_through_weights_once() -> None:
    whole, inputs = program()
    parts = cut(whole, ["i"])
    assert parts.once is not None
    assert list(parts.once.inputs) == ["T", "W", "b"]
    assert [each.opcode for each in parts.once.instructions].count("matmul") == 1
    assert all(each.opcode != "matmul" for each in parts.rest.instructions)
    known = interpret(parts.once, inputs)
    found = interpret(parts.rest, {**inputs, **known})
    for name, array in interpret(whole, inputs).items():
        assert_allclose(found[name], array, rtol=1e-13)


def changing_weights(a: dict[str, Any]) -> dict[str, Any]:
    return {
        "y": tw.take(a["T"], a["i"][:, 0]) @ (a["W"] * a["i"][0, 0].astype("float64"))
    }


def changing_table(a: dict[str, Any]) -> dict[str, Any]:
    table = a["T"] + a["i"][0, 0].astype("float64")
    return {"y": tw.take(table, a["i"][:, 0]) @ a["W"]}


def plain(a: dict[str, Any]) -> dict[str, Any]:
    return {"y": tw.take(a["T"] @ a["W"], a["i"])}


@pytest.mark.parametrize("formula", [changing_weights, changing_table, plain])
def test_what_changes_stays_whole(formula: Any) -> None:
    whole, _ = program(formula=formula)
    parts = cut(whole, ["i"])
    assert (parts.once, parts.rest) == (None, whole)


def test_long_sums_stay_where_a_bias_may_be_added_to_their_first_part() -> None:
    assert cut(program(MOST_SUMMED)[0], ["i"]).once is not None
    assert cut(program(MOST_SUMMED + 1)[0], ["i"]).once is None
