"""Random compositions of primitives: gradients, plans, passes and refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from support.compositions import (
    INPUTS,
    JAGGED,
    SHAPES,
    SMOOTH,
    Recipe,
    carries,
    forward,
    numbers,
    objective,
    recipes,
    seeds,
    stepping,
)
from thalweg.backends.engine.fuse import fuse
from thalweg.backends.layout import ARENA, Location, Plan, Step, check
from thalweg.backends.numpy.interpret import Executable, interpret
from thalweg.backends.plan import plan, plan_singly
from thalweg.errors import ProgramError
from thalweg.program import ops
from thalweg.program.ir import Instruction, Program, verify
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.simplify import simplify
from thalweg.program.passes.stabilize import stabilize
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray


def assert_same(
    got: Mapping[str, NumpyArray], expected: Mapping[str, NumpyArray]
) -> None:
    """Equal but for rounding; NaN and infinity where they belong."""
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert got[name].dtype == value.dtype
        assert got[name].shape == value.shape
        assert_allclose(got[name], value, 1e-8, 1e-8, err_msg=name)


# Gradients ---------------------------------------------------------------------------


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
