"""Random compositions of primitives: gradients, plans, passes and refusals.

A composition is a list of steps, each an operation and the positions of what it reads
and how. Every operation fits its operands to each other, so every list is a program.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.errors import ProgramError
from thalweg.program import ops
from thalweg.program.differentiate import differentiate
from thalweg.program.fuse import fuse
from thalweg.program.interpret import Executable, interpret
from thalweg.program.ir import Instruction, Program, verify
from thalweg.program.layout import ARENA, Location, Plan, Step, check
from thalweg.program.plan import plan, plan_singly
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.simplify import simplify
from thalweg.program.stabilize import stabilize
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

Choice = tuple[str, int, int, int]
Recipe = list[Choice]
Operation = Callable[[Tracer, Tracer, int], Tracer]

SHAPES = {"a": (3,), "b": (2, 3), "c": (), "d": (3, 1, 2), "e": (2, 3), "f": (3, 3)}
INPUTS = {name: ArrayType(shape, "float64") for name, shape in SHAPES.items()}
LARGEST = 96


# Operations that take any operands ---------------------------------------------------


def fits(x: Tracer, y: Tracer) -> bool:
    try:
        return math.prod(np.broadcast_shapes(x.shape, y.shape)) <= LARGEST
    except ValueError:
        return False


def meeting(function: Callable[[Any, Any], Any]) -> Operation:
    """A function of two arrays, of which the second is summed up if it doesn't fit."""
    return lambda x, y, k: function(x, y if fits(x, y) else ops.mean(y))


def axis_of(x: Tracer, k: int) -> int | None:
    return k % x.ndim if x.ndim else None


def grown(x: Tracer, _: Tracer, k: int) -> Tracer:
    times = 1 + k % 3
    fits = x.size * times <= LARGEST and x.ndim < 5
    return ops.broadcast_to(x, (times, *x.shape)) if fits else x


def opened(x: Tracer, _: Tracer, k: int) -> Tracer:
    if x.ndim >= 5:
        return x
    return x[..., None] if k % 2 else x[None]


def sliced(x: Tracer, _: Tracer, k: int) -> Tracer:
    if not x.ndim:
        return x
    axis = k % x.ndim
    size = x.shape[axis]
    keys: list[Any] = [slice(None)] * x.ndim
    keys[axis] = (slice(0, -(-size // 2)), slice(k % size, None), slice(None, None, 2))[
        k % 3
    ]
    return x[tuple(keys)]


def picked(x: Tracer, _: Tracer, k: int) -> Tracer:
    return x[k % x.shape[0]] if x.ndim else x


def turned(x: Tracer, _: Tracer, k: int) -> Tracer:
    orders = list(itertools.permutations(range(x.ndim)))
    return ops.transpose(x, orders[k % len(orders)])


def multiplied(x: Tracer, y: Tracer, k: int) -> Tracer:
    """x or its transpose by y if they fit, else by a matrix of the right size."""
    if x.ndim == 0:
        return x
    if x.ndim >= 2 and k % 2:
        x = ops.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))
    if y.ndim == 2 and y.shape[0] == x.shape[-1]:
        return x @ ops.tanh(y)
    if y.ndim == 2 and y.shape[1] == x.shape[-1]:
        return ops.tanh(x) @ y.T
    rows = x.shape[-1]
    return x @ np.cos(np.arange(2.0 * rows)).reshape(rows, 2)


def joined(x: Tracer, y: Tracer, k: int) -> Tracer:
    """Along an axis if they fit, else flat; sometimes the same value twice."""
    if x.size + y.size > LARGEST:
        return x
    if k % 5 == 0:
        y = x
    if x.ndim and x.shape == y.shape:
        return ops.concatenate([x, y], axis=k % x.ndim)
    return ops.concatenate([ops.reshape(x, (-1,)), ops.reshape(y, (-1,))])


def rows_taken(x: Tracer, _: Tracer, k: int) -> Tracer:
    if not x.ndim or 3 * x.size // x.shape[0] > LARGEST:
        return x
    last = x.shape[0] - 1
    return ops.take(x, [[0, last, 0], [last, k % (last + 1)]][k % 2])


def chosen(x: Tracer, y: Tracer, k: int) -> Tracer:
    y = y if fits(x, y) else ops.mean(y)
    shape = np.broadcast_shapes(x.shape, y.shape)
    mask = np.arange(math.prod(shape)).reshape(shape) % (2 + k % 2) == 0
    return ops.where(mask, x, y)


SMOOTH: dict[str, Operation] = {
    "add": meeting(ops.add),
    "subtract": meeting(ops.subtract),
    "multiply": meeting(lambda x, y: ops.tanh(x) * y),
    "divide": meeting(lambda x, y: x / (1.5 + ops.sin(y))),
    "power": meeting(lambda x, y: (1.5 + ops.sin(x)) ** ops.tanh(y)),
    "negative": lambda x, y, k: -x,
    "scale": lambda x, y, k: x * (0.5, -2.0, 1.0, -1.0)[k % 4] * 0.25,
    "shift": lambda x, y, k: (x + 1, 1 - x, x - 0.0, 0 - x)[k % 4],
    "exponent": lambda x, y, k: ops.sin(x) ** (k % 4),
    "root": lambda x, y, k: (1 + x * x) ** (0.5, -1.0, -0.5)[k % 3],
    "exp": lambda x, y, k: ops.exp(ops.tanh(x)),
    "expm1": lambda x, y, k: ops.expm1(ops.sin(x)),
    "log": lambda x, y, k: ops.log(1 + ops.square(x)),
    "log1p": lambda x, y, k: ops.log1p(ops.square(x)),
    "sin": lambda x, y, k: ops.sin(x),
    "cos": lambda x, y, k: ops.cos(x),
    "sqrt": lambda x, y, k: ops.sqrt(1 + x * x),
    "erf": lambda x, y, k: ops.erf(x),
    "sigmoid": lambda x, y, k: 1 / (1 + ops.exp(-x)),
    "softplus": lambda x, y, k: ops.log(1 + ops.exp(x)),
    "softmax": lambda x, y, k: ops.exp(x) / ops.sum(ops.exp(x), axis_of(x, k), True),
    "sum": lambda x, y, k: ops.sum(x, axis_of(x, k), k % 2 == 0),
    "mean": lambda x, y, k: ops.mean(x, axis_of(x, k), k % 2 == 0),
    "max": lambda x, y, k: ops.max(x, axis_of(x, k), k % 2 == 0),
    "transpose": turned,
    "flatten": lambda x, y, k: ops.reshape(x, (-1,)),
    "open": opened,
    "slice": sliced,
    "pick": picked,
    "broadcast": grown,
    "matmul": multiplied,
    "concatenate": joined,
    "take": rows_taken,
    "select": chosen,
    "stop": lambda x, y, k: x + ops.stop_gradient(y.sum() * 0 + 1.0),
}
JAGGED: dict[str, Operation] = {
    **SMOOTH,
    "maximum": meeting(ops.maximum),
    "minimum": meeting(ops.minimum),
    "absolute": lambda x, y, k: ops.absolute(x),
    "where": lambda x, y, k: ops.where(ops.greater(x, 0.5), x, -1.0),
    "narrow": lambda x, y, k: ops.cast(ops.cast(x, "float32"), "float64"),
    "count": lambda x, y, k: ops.cast(ops.cast(x > 0.1, "int32"), "float64"),
    "argmax": lambda x, y, k: ops.cast(ops.argmax(x.reshape(-1)), "float64") + x,
}


def recipes(operations: Mapping[str, Operation], most: int = 10) -> st.SearchStrategy:
    numbers = st.integers(0, 11)
    step = st.tuples(st.sampled_from(sorted(operations)), numbers, numbers, numbers)
    return st.lists(step, min_size=1, max_size=most)


def cook(recipe: Recipe, arrays: Mapping[str, Tracer]) -> list[Tracer]:
    """All values that a recipe makes, inputs first; low positions are late values."""
    values = list(arrays.values())
    for name, i, j, k in recipe:
        x, y = values[-1 - i % len(values)], values[-1 - j % len(values)]
        values.append(JAGGED[name](x, y, k))
    return values


def forward(recipe: Recipe) -> Program:
    return trace(lambda arrays: {"y": cook(recipe, arrays)[-1]}, INPUTS)


def numbers(seed: int, special: bool = False) -> dict[str, NumpyArray]:
    random = np.random.default_rng(seed)
    drawn = {name: random.normal(0, 1, shape) for name, shape in SHAPES.items()}
    if special:
        for array in drawn.values():
            mask = random.random(array.shape) < 0.3
            chosen = random.choice([math.nan, math.inf, -math.inf, 0.0], array.shape)
            array[...] = np.where(mask, chosen, array)
    return drawn


def assert_same(
    got: Mapping[str, NumpyArray], expected: Mapping[str, NumpyArray]
) -> None:
    """Equal but for rounding; NaN and infinity where they belong."""
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert got[name].dtype == value.dtype
        assert got[name].shape == value.shape
        assert_allclose(got[name], value, 1e-8, 1e-8, err_msg=name)


seeds = st.integers(0, 2**16)


# Gradients ---------------------------------------------------------------------------


def objective(recipe: Recipe) -> Program:
    """Σ sin of the last three values, which keeps it of the order of 1."""
    return trace(
        lambda arrays: {
            "sum": sum(ops.mean(ops.sin(v)) for v in cook(recipe, arrays)[-3:])
        },
        INPUTS,
    )


def slope(f: Callable[[float], float], step: float) -> float:
    return (f(-2 * step) - 8 * f(-step) + 8 * f(step) - f(2 * step)) / (12 * step)


def assert_is_slope(found: float, f: Callable[[float], float]) -> None:
    """What was found is the derivative, where five points can tell it.

    They can't where two distances disagree: at a kink of max, or where f swings.
    """
    wide, narrow = slope(f, 2e-3), slope(f, 1e-3)
    scale = max(1, abs(narrow))
    assume(abs(wide - narrow) <= 1e-8 * scale)
    assert abs(found - narrow) <= 1e-7 * scale


@settings(max_examples=150)
@given(recipes(SMOOTH), seeds)
def test_gradient_is_the_slope(recipe: Recipe, seed: int) -> None:
    # What stop_gradient stops is no slope.
    recipe = [step for step in recipe if step[0] != "stop"] or [("sin", 0, 0, 0)]
    program = stabilize(simplify(objective(recipe)))
    differentiated = verify(simplify(differentiate(program, "sum", list(INPUTS))))
    at, random = numbers(seed), np.random.default_rng(seed + 1)
    results = interpret(differentiated, at)
    for _ in range(2):
        way = {name: random.normal(0, 0.3, v.shape) for name, v in at.items()}

        def along(t: float, way: dict[str, NumpyArray] = way) -> float:
            moved = {name: v + t * way[name] for name, v in at.items()}
            return float(interpret(program, moved)["sum"])

        found = sum(float(np.vdot(results[f"gradient.{n}"], way[n])) for n in at)
        assert_is_slope(found, along)


@settings(max_examples=60)
@given(recipes(SMOOTH, 6), seeds)
def test_gradient_of_the_gradient_is_its_slope(recipe: Recipe, seed: int) -> None:
    recipe = [step for step in recipe if step[0] not in ("stop", "max")]
    first = differentiate(objective(recipe or [("sin", 0, 0, 0)]), "sum", ["b"])

    def squared(arrays: dict[str, Tracer]) -> dict[str, Tracer]:
        from thalweg.program.trace import call

        return {"sum": ops.sum(ops.square(call(first, arrays)["gradient.b"]))}

    program = simplify(trace(squared, INPUTS))
    second = simplify(differentiate(program, "sum", ["b"]))
    at = numbers(seed)
    way = np.random.default_rng(seed).normal(0, 0.3, SHAPES["b"])

    def along(t: float) -> float:
        return float(interpret(program, {**at, "b": at["b"] + t * way})["sum"])

    assert_is_slope(float(np.vdot(interpret(second, at)["gradient.b"], way)), along)


@settings(max_examples=60)
@given(recipes(SMOOTH), seeds)
def test_passes_keep_the_gradient(recipe: Recipe, seed: int) -> None:
    plain = differentiate(objective(recipe), "sum", list(INPUTS))
    safe = stabilize(simplify(objective(recipe)))
    passed = simplify(differentiate(safe, "sum", list(INPUTS)))
    assert_same(interpret(passed, numbers(seed)), interpret(plain, numbers(seed)))


# Plans -------------------------------------------------------------------------------


def stepping(recipe: Recipe, carried: Mapping[str, int], extra: int) -> Program:
    """A program with outputs that become the next run's inputs, and some that don't."""

    def build(arrays: dict[str, Tracer]) -> dict[str, Tracer]:
        values = cook(recipe, arrays)
        outputs = {"y": values[-1], "z": values[-1 - extra % len(values)]}
        for name, position in carried.items():
            fitting = [v for v in values if v.shape == SHAPES[name]]
            outputs[name] = fitting[position % len(fitting)]
        return outputs

    return trace(build, INPUTS)


def assert_plan_keeps_values(
    program: Program, inputs: Mapping[str, NumpyArray], runs: int = 2
) -> None:
    """The plan gives the interpreter's values, run after run, in poisoned memory."""
    for planned in (plan_singly(program), plan(fuse(program, {}))):
        assert_run_keeps_values(planned, program, inputs, runs)


def assert_run_keeps_values(
    planned: Plan, program: Program, inputs: Mapping[str, NumpyArray], runs: int
) -> None:
    executable = Executable(planned)
    expected = dict(inputs)
    for name, array in inputs.items():
        executable.inputs[name][...] = array
    for _ in range(runs):
        executable._buffers[ARENA][...] = 255
        with np.errstate(all="ignore"):
            executable.run()
        results = interpret(program, expected)
        assert_same(executable.outputs, results)
        for name in program.inputs:
            expected[name] = results.get(name, expected[name])
            assert_allclose(executable.inputs[name], expected[name], 1e-8, 1e-8)


carries = st.dictionaries(st.sampled_from(sorted(SHAPES)), st.integers(0, 20))


@settings(max_examples=200)
@given(recipes(JAGGED), carries, st.integers(0, 11), seeds)
def test_plan_gives_the_interpreters_values_twice(
    recipe: Recipe, carried: dict[str, int], extra: int, seed: int
) -> None:
    program = stepping(recipe, carried, extra)
    assert_plan_keeps_values(program, numbers(seed))
    assert_plan_keeps_values(simplify(program), numbers(seed))


@settings(max_examples=60)
@given(recipes(SMOOTH), seeds)
def test_plan_of_a_gradient_gives_the_interpreters_values(
    recipe: Recipe, seed: int
) -> None:
    gradient = differentiate(objective(recipe), "sum", list(INPUTS))
    assert_plan_keeps_values(simplify(gradient), numbers(seed))


def overlap(a: Location, b: Location) -> bool:
    return a.buffer == b.buffer and a.offset < b.end and b.offset < a.end


@settings(max_examples=60)
@given(recipes(JAGGED), carries, st.integers(0, 11))
def test_a_step_writes_over_what_it_reads_only_element_by_element(
    recipe: Recipe, carried: dict[str, int], extra: int
) -> None:
    program = stepping(recipe, carried, extra)
    for planned in (plan_singly(program), plan(fuse(program, {}))):
        for step in planned.steps:
            check_overlaps(step)


def check_overlaps(step: Step) -> None:
    written = [place for _, place in step.outputs if place.type.size]
    for number, output in enumerate(written):
        assert not any(overlap(output, other) for other in written[:number])
        for place in step.inputs:
            if overlap(place, output):
                assert PRIMITIVES[step.opcode].kind == "elementwise"
                assert place.offset == output.offset
                assert place.is_contiguous


def moved_place(plan: Plan, step: int, by: int) -> Plan:
    steps = list(plan.steps)
    (number, output), *others = steps[step].outputs
    moved = replace(output, offset=output.offset + by)
    steps[step] = replace(steps[step], outputs=((number, moved), *others))
    return replace(plan, steps=tuple(steps))


@settings(max_examples=40)
@given(recipes(JAGGED), st.integers(0, 100), st.booleans())
def test_check_refuses_places_outside_their_buffer(
    recipe: Recipe, which: int, behind: bool
) -> None:
    planned = plan_singly(forward(recipe))
    assume(planned.steps)
    which %= len(planned.steps)
    place = planned.steps[which].outputs[0][1]
    assume(place.buffer == ARENA)
    past = planned.arena_bytes - place.end + 1
    with pytest.raises(ProgramError, match="leaves its buffer"):
        check(moved_place(planned, which, past if behind else -place.offset - 8))
    assert check(moved_place(planned, which, 0)) == planned


# Passes ------------------------------------------------------------------------------


@settings(max_examples=200)
@given(recipes(JAGGED), seeds, st.booleans())
def test_simplify_keeps_values_nan_and_infinity_too(
    recipe: Recipe, seed: int, special: bool
) -> None:
    # A comparison turns a rounding error into another value.
    jumps = ("where", "count", "argmax")
    recipe = [step for step in recipe if step[0] not in jumps] or [("sin", 0, 0, 0)]
    program = forward(recipe)
    inputs = numbers(seed, special)
    assert_same(interpret(simplify(program), inputs), interpret(program, inputs))


@settings(max_examples=150)
@given(recipes(SMOOTH), seeds)
def test_stabilize_keeps_values(recipe: Recipe, seed: int) -> None:
    program = forward(recipe)
    expected = interpret(program, numbers(seed))
    assert_same(interpret(stabilize(program), numbers(seed)), expected)
    assert_same(interpret(stabilize(simplify(program)), numbers(seed)), expected)


@settings(max_examples=100)
@given(recipes(JAGGED))
def test_simplify_leaves_nothing_to_simplify(recipe: Recipe) -> None:
    once = simplify(forward(recipe))
    assert str(simplify(once)) == str(once)


@settings(max_examples=100)
@given(recipes(SMOOTH))
def test_every_pass_gives_a_program_that_verifies_and_prints(recipe: Recipe) -> None:
    program = objective(recipe)
    safe = stabilize(simplify(program))
    gradient = differentiate(safe, "sum", list(INPUTS))
    for each in (program, simplify(program), safe, gradient, simplify(gradient)):
        assert verify(each) is each
        lines = str(each).splitlines()
        assert len(lines) == len(each.instructions) + 3
        assert lines[0].startswith("program(a: f64[3], b: f64[2,3], c: f64[]")
        assert all(f"{name}=" in lines[-2] for name in each.outputs)
        for line, instruction in zip(lines[1:-2], each.instructions, strict=True):
            assert f" {instruction.type} = {instruction.opcode}(" in line
    planned = plan_singly(simplify(gradient))
    assert len(str(planned).splitlines()) == 1 + len(planned.steps) + len(
        planned.outputs
    )


# Refusals ----------------------------------------------------------------------------


def wrong_opcode(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, opcode="nonsense")


def forward_reference(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, inputs=(len(program.inputs) + at, *each.inputs[1:]))


def negative_reference(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, inputs=(-1, *each.inputs[1:]))


def wrong_shape(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, type=ArrayType((*each.type.shape, 2), each.type.dtype))


def wrong_dtype(program: Program, at: int, each: Instruction) -> Instruction:
    other = "float32" if each.type.dtype != "float32" else "float64"
    return replace(each, type=ArrayType(each.type.shape, other))


def missing_attribute(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, attributes=dict(list(each.attributes.items())[1:]))


def extra_attribute(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, attributes={**each.attributes, "surprise": 1})


def missing_input(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, inputs=())


def extra_input(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, inputs=(*each.inputs, 0))


def unfit_attribute(program: Program, at: int, each: Instruction) -> Instruction:
    return replace(each, attributes=dict.fromkeys(each.attributes, object()))


READS_INPUTS = (forward_reference, negative_reference, missing_input)
HAS_ATTRIBUTES = (missing_attribute, unfit_attribute)
MUTATIONS = (
    wrong_opcode,
    wrong_shape,
    wrong_dtype,
    extra_attribute,
    extra_input,
    *READS_INPUTS,
    *HAS_ATTRIBUTES,
)


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
@settings(max_examples=40)
@given(recipes(JAGGED, 5), st.integers(0, 100))
def test_verify_refuses_a_mutated_program(
    mutate: Callable[[Program, int, Instruction], Instruction], recipe: Recipe, at: int
) -> None:
    program = forward(recipe)
    assume(program.instructions)
    at %= len(program.instructions)
    each = program.instructions[at]
    assume(each.inputs or mutate not in READS_INPUTS)
    assume(each.attributes or mutate not in HAS_ATTRIBUTES)
    # One more part is no mistake for what takes any number of them.
    assume(each.opcode != "concatenate" or mutate is not extra_input)
    instructions = list(program.instructions)
    instructions[at] = mutate(program, at, each)
    with pytest.raises(ProgramError, match=f"%{len(program.inputs) + at}"):
        verify(Program(program.inputs, tuple(instructions), program.outputs))


@pytest.mark.parametrize("number", [-1, 100])
def test_verify_refuses_an_output_that_does_not_exist(number: int) -> None:
    program = forward([("sin", 0, 0, 0)])
    with pytest.raises(ProgramError, match="output y"):
        verify(Program(program.inputs, program.instructions, {"y": number}))


def test_every_operation_can_be_recorded() -> None:
    for name in JAGGED:
        result = interpret(forward([(name, 1, 4, 3)]), numbers(0))["y"]
        assert_array_equal(np.isfinite(result), True, err_msg=name)
