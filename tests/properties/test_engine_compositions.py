"""Random compositions of primitives by the engine: whole, in blocks, in shards."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from support import compositions
from support.compositions import Recipe
from support.engine import Values, by_engine, sized
from thalweg import _engine
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.blocks import Blocks
from thalweg.backends.engine.native import NativeProgram
from thalweg.backends.engine.row_axes import find_rows
from thalweg.backends.engine.split import rows_come_first
from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.simplify import simplify
from thalweg.program.passes.stabilize import stabilize
from thalweg.program.sizes import ROWS, at
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

# A jump turns a rounding error into another value, and so does a narrower type.
JUMPS = ("where", "count", "argmax", "narrow")
STEADY = {name: f for name, f in compositions.JAGGED.items() if name not in JUMPS}
COUNT = compositions.ROW_COUNT
ROW_SHAPES = {"X": (ROWS, 3), "w": (3,), "V": (3, 2), "u": (), "Z": (ROWS, 2)}
ROW_TYPES = {name: ArrayType(shape, "float64") for name, shape in ROW_SHAPES.items()}

isas = st.sampled_from(_engine.available())
recipes = compositions.recipes(STEADY)
seeds = compositions.seeds


def assert_near(got: Values, expected: Values) -> None:
    """Equal but for rounding, on the scale of each array."""
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert (got[name].dtype, got[name].shape) == (value.dtype, value.shape)
        scale = float(np.abs(value).max(initial=1, where=np.isfinite(value)))
        assert_allclose(got[name], value, 1e-9, 1e-9 * scale, err_msg=name)


# Whole arrays ------------------------------------------------------------------------


def assert_runs_conform(program: Program, inputs: Values, isa: str) -> None:
    """Two runs, the second from what the first carried, in memory that both share."""
    own = {name: np.array(array) for name, array in inputs.items()}
    bound = NativeProgram(compile_program(program), own, isa)
    expected = dict(inputs)
    for _ in range(2):
        bound.engine.run(threads=2)
        results = interpret(program, expected)
        assert_near({name: bound.arrays[name] for name in results}, results)
        expected |= {name: results[name] for name in expected if name in results}
        for name in set(inputs) - set(results):
            assert_array_equal(own[name], inputs[name])


@settings(max_examples=250)
@given(recipes, compositions.carries, st.integers(0, 11), seeds, isas)
def test_engine_gives_the_interpreters_values_twice(
    recipe: Recipe, carried: dict[str, int], extra: int, seed: int, isa: str
) -> None:
    program = compositions.stepping(recipe, carried, extra)
    assert_runs_conform(program, compositions.numbers(seed), isa)
    assert_runs_conform(simplify(program), compositions.numbers(seed), isa)


@settings(max_examples=100)
@given(compositions.recipes(compositions.SMOOTH), seeds, isas)
def test_engine_gives_the_interpreters_gradients(
    recipe: Recipe, seed: int, isa: str
) -> None:
    safe = stabilize(simplify(compositions.objective(recipe)))
    gradient = differentiate(safe, "sum", list(compositions.INPUTS))
    assert_runs_conform(simplify(gradient), compositions.numbers(seed), isa)


# Rows --------------------------------------------------------------------------------


def numbers(seed: int) -> dict[str, NumpyArray]:
    random = np.random.default_rng(seed)
    shapes = {name: at(shape, {"rows": COUNT}) for name, shape in ROW_SHAPES.items()}
    return {name: random.normal(0, 1, shape) for name, shape in shapes.items()}


def over_rows(recipe: Recipe) -> Program:
    """The last values of a recipe, and their sums by each column and altogether."""

    def build(arrays: dict[str, Tracer]) -> dict[str, Tracer]:
        values = compositions.cook(recipe, arrays)[-3:]
        columns = [ops.sum(v, axis=0) for v in values if v.ndim]
        total = sum(ops.mean(ops.sin(v)) for v in values)
        return {
            "y": values[-1],
            "columns": columns[0] if columns else values[-1],
            "sum": ops.multiply(total, 1.0),
        }

    return trace(build, ROW_TYPES)


cuts = st.builds(Blocks, st.integers(2, COUNT), st.integers(1, 4))


@settings(max_examples=300)
@example([("sum", 0, 0, 0)], Blocks(2, 1), 0, _engine.available()[0])
@example(
    [("broadcast", 0, 0, 0), ("matmul", 0, 0, 0), ("absolute", 2, 0, 0)],
    Blocks(2, 1),
    0,
    _engine.available()[0],
)
@given(recipes, cuts, seeds, isas)
def test_rows_in_blocks_give_the_interpreters_values(
    recipe: Recipe, blocks: Blocks, seed: int, isa: str
) -> None:
    program = simplify(over_rows(recipe))
    got = by_engine(program, numbers(seed), blocks, isa)
    assert_near(got, interpret(sized(program, COUNT), numbers(seed)))


@settings(max_examples=150)
@given(compositions.recipes(compositions.SMOOTH, 6), cuts, seeds, isas)
def test_gradients_in_blocks_are_the_interpreters(
    recipe: Recipe, blocks: Blocks, seed: int, isa: str
) -> None:
    safe = stabilize(simplify(over_rows(recipe)))
    program = simplify(differentiate(safe, "sum", ["w", "V", "u"]))
    got = by_engine(program, numbers(seed), blocks, isa)
    assert_near(got, interpret(sized(program, COUNT), numbers(seed)))


def test_recipes_over_rows_are_often_cut() -> None:
    """Else the properties above would say little."""
    random = np.random.default_rng(0)
    names = sorted(STEADY)
    cut = 0
    for _ in range(200):
        draw = random.integers(0, 12, (3, 3)).tolist()
        recipe = [(str(random.choice(names)), *numbers) for numbers in draw]
        program = simplify(over_rows(recipe))
        rows = find_rows(program)
        cut += rows is not None and rows_come_first(program, rows)
    assert cut > 20
