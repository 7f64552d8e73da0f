"""What runs or shows programs: whether it has a row, and gives the meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.exported import outputs
from support.formulas import read
from support.one_instruction import assert_conforms, interpreted
from thalweg import _engine
from thalweg.backends.engine.encode import OPCODES, encoder_of
from thalweg.backends.layout import ARENA
from thalweg.backends.numpy.interpret import Executable
from thalweg.backends.plan import plan_singly
from thalweg.backends.text.identifiers import Identifiers
from thalweg.backends.text.notation import notation_of
from thalweg.backends.text.render import formulas
from thalweg.exports import runtime
from thalweg.exports.graph import Graph, Port
from thalweg.exports.onnx_file import finish, made, sizes
from thalweg.exports.python_lines import WRITERS, Lines
from thalweg.exports.traced import Traced
from thalweg.exports.translation import TRANSLATIONS, translate
from thalweg.program.ir import Program
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ArrayType, NumpyArray

Values = Mapping[str, NumpyArray]


@dataclass(frozen=True)
class Backend:
    """One that gives what programs mean.

    Arguments:
        has: whether it has a row for a primitive; it may raise instead.
        conforms: asserts that the output y of a program of one instruction is right,
            of the primitive's name and the inputs.
    """

    name: str
    has: Callable[[str], Any]
    conforms: Callable[[Program, str, list[NumpyArray]], None]


# NumPy -------------------------------------------------------------------------------

# Bound to another of NumPy's functions where there are few elements.
ROUNDED = ("softplus", "sum")
PRODUCTS = ("contract", "matmul")


def run_planned(program: Program, arrays: Sequence[NumpyArray]) -> NumpyArray:
    """What a program gives when run from a plan, in memory that was all NaN."""
    executable = Executable(plan_singly(program))
    executable._buffers[ARENA][...] = 255
    for place, array in zip(executable.inputs.values(), arrays, strict=True):
        place[...] = array
    with np.errstate(all="ignore"):
        executable.run()
    return executable.outputs["y"]


def assert_planned(opcode: str, got: Any, expected: Any) -> None:
    """The same bits, or the same within rounding where another function gives them."""
    if (
        opcode in PRODUCTS
    ):  # NumPy's library adds in an order of its own, by where they lie
        close = 64 * np.finfo(got.dtype).eps
        assert_allclose(got, expected, close, close, strict=True)
    elif opcode in ROUNDED and got.dtype.kind == "f":
        assert_allclose(got, expected, rtol=4 * np.finfo(got.dtype).eps, strict=True)
    else:
        assert_array_equal(got, expected, strict=True)


def planned(program: Program, opcode: str, arrays: list[NumpyArray]) -> None:
    assert_planned(opcode, run_planned(program, arrays), interpreted(program, arrays))


# Text --------------------------------------------------------------------------------


def shown(program: Program, opcode: str, arrays: list[NumpyArray]) -> None:
    """The text, read back as Python over NumPy's functions; it may broadcast."""
    expected = interpreted(program, arrays)
    given = dict(zip(program.inputs, arrays, strict=True))
    text = [str(line) for line in formulas(program)]
    found = np.asarray(read(text, given)["y"])
    if found.dtype.kind in "iu":  # which NumPy adds up in more bits
        found = found.astype(expected.dtype)
    read_back = np.reshape if found.size == expected.size else np.broadcast_to
    # The sums of a product may be in another order, and cancel.
    close = 1e-6 if PRIMITIVES[opcode].kind == "product" else 0
    assert_allclose(read_back(found, expected.shape), expected, 2e-6, close)


# ONNX --------------------------------------------------------------------------------

TOLERANCE = {"float32": 2e-6, "float64": 1e-12}


def graph_of(traced: Traced, rows_from: str = "") -> bytes:
    """A program as a graph of ONNX, which finds its number of rows in an input."""
    program = traced.program
    names = {name: name for name in program.inputs}
    graph = Graph(taken=set(names))
    if rows_from:
        graph.rows = graph.add("Shape", rows_from, start=0, end=1)
    found = translate(graph, traced, names)
    finish(graph, {f"out {name}": value for name, value in found.items()})
    inputs = [port(name, type) for name, type in program.inputs.items()]
    results = [port(f"out {n}", type) for n, type in program.output_types().items()]
    return made(onnx, graph, inputs, results, {}).SerializeToString()


def port(name: str, type: ArrayType) -> Port:
    return Port(name, type.dtype, sizes(type.shape))


def run_onnx(program: Program, arrays: Values) -> NumpyArray:
    """What a runtime of ONNX gives for a program of one output."""
    (found,) = outputs(graph_of(traced_of(program)), dict(arrays))
    return found


def in_onnx(program: Program, opcode: str, arrays: list[NumpyArray]) -> None:
    expected = interpreted(program, arrays)
    if not expected.size and len(program.instructions) > 1:
        return  # ONNX Runtime leaves out an Expand to no elements of what it computed
    found = run_onnx(program, dict(zip(program.inputs, arrays, strict=True)))
    if expected.dtype.kind != "f":
        assert_array_equal(found, expected, strict=True)
        return
    # Runtimes have the error function in single precision alone.
    limit = TOLERANCE["float32" if opcode == "erf" else expected.dtype.name]
    assert_allclose(found, expected, rtol=limit, atol=limit, strict=True)


# Python source -----------------------------------------------------------------------


def traced_of(program: Program) -> Traced:
    """A program as the exports read it."""
    return Traced(program, {})


def lines_of(traced: Traced) -> tuple[list[str], list[str], dict[str, NumpyArray]]:
    """Lines of Python, the texts of the outputs, and large constants."""
    arrays: dict[str, NumpyArray] = {}

    def constant_name(array: NumpyArray) -> str:
        arrays[f"c{len(arrays)}"] = array
        return f"ARRAYS['c{len(arrays) - 1}']"

    program = traced.program
    names = {name: name for name in program.inputs}
    return *Lines(program, names, Identifiers(names), constant_name).run(), arrays


def run_python(traced: Traced, inputs: Values) -> list[Any]:
    """What the lines give, of as many rows as the first input has."""
    lines, results, arrays = lines_of(traced)
    first = next(iter(inputs.values()))
    space = {**vars(runtime), **inputs, "ARRAYS": arrays}
    space["rows"] = len(first) if first.ndim else 0
    with np.errstate(all="ignore"):
        exec("\n".join(lines), space)
        return [eval(text, space) for text in results]


def in_python(program: Program, opcode: str, arrays: list[NumpyArray]) -> None:
    given = dict(zip(program.inputs, arrays, strict=True))
    (found,) = run_python(traced_of(program), given)
    expected = interpreted(program, arrays)
    assert np.asarray(found).dtype == expected.dtype
    assert np.shape(found) == expected.shape
    # A sum is as exact as its terms are, which may be larger.
    large = np.abs(expected).max(initial=0) if opcode in PRODUCTS else 0
    assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * large)


# All of them -------------------------------------------------------------------------


def in_engine(
    isa: str, program: Program, opcode: str, arrays: list[NumpyArray]
) -> None:
    assert_conforms(program, opcode, arrays, isa)


def engine_has(opcode: str) -> bool:
    is_loop = PRIMITIVES[opcode].kind == "loop"  # no kernel, but steps of its body
    return (is_loop or opcode in OPCODES) and bool(encoder_of(opcode))


ENGINES = [
    Backend(f"engine-{isa}", engine_has, partial(in_engine, isa))
    for isa in _engine.available()
]
BACKENDS = [
    Backend("numpy", lambda opcode: PRIMITIVES[opcode].meaning, planned),
    Backend("text", lambda opcode: notation_of(opcode) is not None, shown),
    Backend("onnx", TRANSLATIONS.__contains__, in_onnx),
    Backend("python", WRITERS.__contains__, in_python),
]
every_backend = pytest.mark.parametrize(
    "backend", [*ENGINES, *BACKENDS], ids=lambda backend: backend.name
)
