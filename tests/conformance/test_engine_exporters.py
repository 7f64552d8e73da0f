"""Whatever exports memory gives the bits that NumPy's reading of it gives."""

import array
import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from support.exporters import MATRICES, Export, of_ctypes, unaligned, view
from support.plans import Buffer, Line, Map, Plan, dense
from thalweg import _engine
from thalweg.errors import DtypeError, ThalwegError
from thalweg.program.types import NumpyArray

ROWS, COLUMNS = 7, 3

every_export = pytest.mark.parametrize("export", MATRICES.values(), ids=MATRICES)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
REFUSALS = (ValueError, TypeError, BufferError)  # of what the engine alone is given
Answer = tuple[type[BaseException] | None, Any]


def matrix(dtype: str = "float32") -> NumpyArray:
    return np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(dtype)


def network(dtype: Any = "float32") -> tw.Network:
    """One that has learned a little, and has predicted: the shortest way is open."""
    made = tw.Network([tw.Dense(4, "tanh"), tw.Dense(2)])
    made.fit(matrix(dtype), np.ones((ROWS, 2)), epochs=1, validation=None, dtype=dtype)
    made.predict(matrix(dtype))
    return made


def answer(call: Callable[[], Any]) -> Answer:
    """What a call gives, or the kind of its error, which must be thalweg's."""
    try:
        return None, call()
    except ThalwegError as error:
        return type(error), None


def assert_same(got: Answer, expected: Answer) -> None:
    """The same bits, or an error of the same kind."""
    assert got[0] == expected[0]
    assert_array_equal(got[1], expected[1])


# What people call ---------------------------------------------------------------------


@every_export
@every_dtype
def test_predictions_are_those_of_the_array(export: Export, dtype: str) -> None:
    exported, plain = export(matrix(dtype)), network(dtype)
    expected = answer(lambda: plain.predict(np.array(np.asarray(exported))))
    assert_same(answer(lambda: plain.predict(exported)), expected)
    assert_same(answer(lambda: plain.predict(exported, threads=1)), expected)


@every_export
def test_scores_are_those_of_the_array(export: Export) -> None:
    plain, targets = network(), np.ones((ROWS, 2), np.float32)

    def evaluate(x: Any, y: Any) -> list[float]:
        return list(plain.evaluate(x, y).values())

    exported = export(matrix())
    expected = answer(lambda: evaluate(np.array(np.asarray(exported)), targets))
    assert_same(answer(lambda: evaluate(exported, of_ctypes(targets))), expected)


@every_export
def test_training_is_that_on_the_array(export: Export) -> None:
    targets = np.linspace(0, 1, ROWS).astype(np.float32)

    def fit(x: Any, y: Any, weights: Any) -> NumpyArray:
        made = tw.Network([tw.Dense(4, "tanh"), tw.Dense(1)])
        made.fit(x, y, epochs=2, sample_weight=weights, validation=None)
        return made.predict(matrix())

    exported = export(matrix())
    weights = np.ones(ROWS, np.float32)
    columns = (array.array("f", targets), view(weights)[::-1])
    expected = answer(lambda: fit(np.array(np.asarray(exported)), targets, weights))
    assert_same(answer(lambda: fit(exported, *columns)), expected)


class Refusing:
    """Gives no array, as a tensor of PyTorch that has a gradient."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __array__(self, dtype: Any = None, copy: Any = None) -> NumpyArray:
        raise self.error


@pytest.mark.parametrize("kind", [RuntimeError, TypeError])
def test_what_gives_no_array_is_an_error_with_its_reason(kind: type[Exception]) -> None:
    refusing, plain = Refusing(kind("detach it")), network()
    with pytest.raises(DtypeError, match="X must be an array for NumPy: detach it"):
        plain.predict(refusing)
    with pytest.raises(DtypeError, match="y must be an array for NumPy: detach it"):
        plain.fit(matrix(), refusing)


def test_a_tensor_with_a_gradient_says_how_to_leave_it() -> None:
    tensor = pytest.importorskip("torch").zeros(ROWS, COLUMNS, requires_grad=True)
    with pytest.raises(DtypeError, match="detach"):
        network().predict(tensor)


# What the engine is called with -------------------------------------------------------


def doubling(kind: str) -> Plan:
    """y = x + x, in rows or whole."""
    axis = 0 if kind == "rows" else -1
    plan, shape = Plan(0, ROWS if kind == "rows" else 0), (ROWS, COLUMNS)
    plan.buffers += [Buffer(kind, "float32", shape, name) for name in ("x", "y")]
    x, y = (dense(i, 0, "float32", shape, axis) for i in (1, 2))
    lines = (Line("add", "float32", (0, 0)),)
    plan.steps.append(Map("map", (x,), (y,), shape, axis, lines, (1,)))
    return plan


def program(kind: str) -> _engine.Program:
    return _engine.Program(None, doubling(kind).source(), None)


@every_export
@pytest.mark.parametrize("kind", ["rows", "whole"])
def test_what_is_bound_is_read_as_it_lies_or_refused(export: Export, kind: str) -> None:
    exported = export(matrix())
    engine, out = program(kind), np.zeros((ROWS, COLUMNS), np.float32)
    try:
        engine.bind({"y": out})
        engine.bind({"x": exported})
        engine.run(ROWS)
    except REFUSALS:
        return
    assert_array_equal(out, 2 * np.asarray(exported))


@every_export
@pytest.mark.parametrize("kind", ["rows", "whole"])
def test_what_is_written_is_written_where_it_lies(export: Export, kind: str) -> None:
    exported = export(matrix())
    engine = program(kind)
    engine.bind({"x": matrix()})
    try:
        engine.bind({"y": exported})
        engine.run(ROWS)
    except REFUSALS:
        return
    assert_array_equal(np.asarray(exported), 2 * matrix())


@every_export
def test_quick_predictions_are_those_of_the_array_or_none(export: Export) -> None:
    exported, engine = export(matrix()), program("rows")
    got = engine.predict(exported)
    assert got is None or np.array_equal(got, 2 * np.asarray(exported))


def test_plans_are_read_from_any_memory_in_order() -> None:
    given: Any
    plan = doubling("whole")
    words, constants, names = plan.source()
    for given in (view(words), (ctypes.c_int64 * len(words))(*words)):
        source: Any = (given, bytearray(constants), names)
        _engine.Program(None, source, None)
    with pytest.raises(ValueError, match="words must be a contiguous and aligned"):
        _engine.Program(None, (np.repeat(words, 2)[::2], constants, names), None)
    with pytest.raises(ValueError, match="constants must be contiguous"):
        _engine.Program(None, (words, np.zeros(64, np.uint8)[::2], names), None)


@pytest.mark.parametrize(
    "order",
    [
        (ctypes.c_int64 * ROWS)(*range(ROWS)),
        array.array("q", range(ROWS)),
        view(np.arange(ROWS)),
        np.arange(ROWS)[::-1],
        np.arange(ROWS).astype(">i8"),
        np.arange(ROWS, dtype=np.int32),
        np.broadcast_to(np.int64(1), ROWS),
        unaligned(np.arange(2 * ROWS).reshape(2, ROWS))[0],
        np.arange(ROWS).reshape(1, ROWS),
        b"",
    ],
    ids=lambda order: type(order).__name__,
)
def test_an_order_of_rows_is_contiguous_and_aligned_or_refused(order: Any) -> None:
    plan = Plan(0, 2)
    plan.buffers.append(Buffer("rows", "float32", (2, 1), "x"))
    engine = _engine.Program(None, plan.source(), None)
    engine.bind({"x": np.zeros((ROWS, 1), np.float32)})
    log = np.zeros((1, 0))
    try:
        engine.train(order=order, batch_size=ROWS, batches=1, log=log, log_names=[])
    except (ValueError, TypeError):
        asked = np.asarray(order)
        is_right = asked.dtype == np.int64 and asked.shape == (ROWS,)
        assert not (is_right and asked.flags.c_contiguous and asked.flags.aligned)


def test_arrays_of_one_memory_are_not_written() -> None:
    engine, both = program("whole"), np.zeros((2 * ROWS, COLUMNS), np.float32)
    engine.bind({"x": both[:ROWS], "y": both[ROWS - 1 : -1]})
    with pytest.raises(ValueError, match="shares memory"):
        engine.run()
    engine.bind({"y": both[ROWS:]})
    engine.run()
