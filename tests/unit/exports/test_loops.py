"""Loops in ONNX and in Python: any number of rows and of turns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from support.backends import graph_of, run_python
from support.exported import assert_near, outputs
from support.loops import CELLS, TIMES, Recurrent, arrays, types
from thalweg.backends.numpy.interpret import interpret
from thalweg.exports.traced import Traced
from thalweg.program import ops
from thalweg.program.compile import make_safe
from thalweg.program.loops import scan
from thalweg.program.passes.simplify import simplify
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


def assert_exports(traced: Traced, given: dict[str, Any]) -> None:
    """ONNX and Python give what the interpreter gives."""
    inputs = {name: given[name] for name in traced.program.inputs}
    rows = len(given["x"])
    meant = interpret(traced.program.at(rows=rows), inputs)
    for found in (
        outputs(graph_of(traced, rows_from="x"), inputs),
        run_python(traced, {"x": inputs.pop("x"), **inputs}),
    ):
        for array, (name, wanted) in zip(found, meant.items(), strict=True):
            assert np.shape(array) == wanted.shape, name
            assert_near(array, wanted, 1e-9)


@pytest.mark.parametrize("rows", [0, 1, 2, 50])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_the_number_of_turns_is_an_input(name: str, reverse: bool, rows: int) -> None:
    cell, count = CELLS[name]

    def formula(a: Any) -> Any:
        states, options = (a["s"], a["m"])[:count], {"reverse": reverse}
        by_number = scan(cell(a), states, a["x"], turns=a["turns"], **options)
        every = scan(cell(a), states, a["x"], **options)
        some = scan(cell(a), states, a["x"], turns=3, **options)
        found = {"by_number": by_number, "every": every, "some": some}
        return {f"{k}{n}": s for k, v in found.items() for n, s in enumerate(v)}

    known = {"turns": ArrayType((), "int32"), **types(ROWS)}
    traced = Traced(simplify(make_safe(trace(formula, known))), {})
    for turns in (0, 1, 3, TIMES, TIMES + 2, -1):
        given = {**arrays(4, rows), "turns": np.array(turns, np.int32)}
        assert_exports(traced, given)


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_rows_may_be_in_the_times_and_among_the_units(rows: int) -> None:
    """A loop over twice as many rows, a state of two axes, and one that stays."""

    def formula(a: Any) -> Any:
        x = ops.concatenate([a["x"], a["x"]], axis=0)
        start = ops.reshape(ops.concatenate([a["s"], a["m"]], axis=0), (-1, 3, 1))

        def step(s: Any, kept: Any, x: Any) -> Any:
            return s * 0.5 + ops.reshape(x[:, :1], (x.shape[0], 1, 1)), kept

        found, kept = scan(step, (start, x[:, 0]), x)
        return {"found": found, "kept": kept}

    traced = Traced(simplify(make_safe(trace(formula, types(ROWS)))), {})
    assert_exports(traced, arrays(5, rows))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_networks_compute_the_same(
    tmp_path: Path, exported: Callable[[Any], Any], cell: str, reverse: bool
) -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 7, 2)), random.normal(size=60)
    network = tw.Network([Recurrent(cell, reverse), tw.Dense(1)])
    network.fit(X, y, epochs=2)
    network.save(tmp_path / "network.thalweg")
    tw.export(network, tmp_path / "network.onnx")
    loaded, predict = tw.load(tmp_path / "network.thalweg"), exported(network)
    for rows in (1, 2, 50):
        some = X[:rows].astype(np.float32)
        meant = np.asarray(network.predict(some))
        assert np.asarray(loaded.predict(some)).tobytes() == meant.tobytes()
        assert_near(outputs(tmp_path / "network.onnx", {"X": some})[0], meant)
        assert_near(predict["predict"](some), meant)
    assert isinstance(loaded, tw.Network)
    tw.export(loaded, tmp_path / "loaded.onnx")
    assert_near(outputs(tmp_path / "loaded.onnx", {"X": some})[0], meant)
