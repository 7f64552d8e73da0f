"""Encoded plans: what they hold, and that the engine refuses what they mustn't."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg import _engine
from thalweg.backends.engine.assemble import compile_parts
from thalweg.backends.engine.blocks import Blocks
from thalweg.backends.engine.encode import (
    DTYPE_NUMBERS,
    MAGIC,
    OPCODES,
    STEPS,
    VERSION,
    EncodedPlan,
    encode,
)
from thalweg.backends.engine.fuse import fuse
from thalweg.backends.engine.native import Compiled, NativeProgram, Part, clear_errors
from thalweg.backends.engine.split import split
from thalweg.backends.layout import ARENA, Location, single
from thalweg.backends.plan import plan
from thalweg.errors import ArgumentError, ProgramError
from thalweg.model.metrics import Accuracy
from thalweg.model.step import Objective, step_programs
from thalweg.program import ops, sizes
from thalweg.program.passes.simplify import simplify
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.row_axes import find_rows
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

ROWS = 6
HEADER = 7
MOST_BYTES = 1 << 20  # of a buffer of a mutated plan that is run


# Plans -------------------------------------------------------------------------------


def every_step(a: dict[str, Tracer]) -> dict[str, Any]:
    """A bit of everything that a plan can hold."""
    x, w = a["x"], a["w"]
    hidden = ops.tanh(x @ w + a["b"])
    bits = x.trace.emit(
        "random_bits", (a["seed"], a["step"]), operation=1, shape=(6, 3)
    )
    return {
        "product": hidden,
        "picked": ops.take(w.T, a["numbers"]),
        "added": x.trace.emit("scatter_add", (x, a["numbers"]), rows=4),
        "largest": ops.max(hidden, axis=1),
        "where": ops.argmax(hidden, axis=1),
        "padded": x.trace.emit("pad", (x,), starts=(1, 0), steps=(1, 2), shape=(8, 7)),
        "joined": ops.concatenate([hidden, hidden * 2, x[:, ::2]], axis=1),
        "chosen": ops.where(x > 0.5, x, ops.cast(bits, "float64")[:, :1]),
        "batch": ops.reshape(x, (2, 3, 4)) @ ops.reshape(x, (2, 4, 3)),
        **convolved(a["images"], a["filters"]),
        "total": ops.sum(x * np.arange(4.0), axis=0),
    }


def convolved(images: Tracer, filters: Tracer) -> dict[str, Tracer]:
    """A convolution and a pooling, and what their gradients are made of.

    The windows overlap, so that what is shared among them has to be added up.
    """
    seen = ops.windows(images, (1, 2), 2)
    hidden = ops.contract(seen, filters, summed=3)
    pooled = ops.windows(hidden, (1, 2), 2)
    largest = ops.max(pooled, axis=(3, 4))
    emit, ones = images.trace.emit, ops.ones_like(largest)
    by_window = emit(
        "share_max", (pooled, ops.reshape(ones, (ROWS, 2, 2, 1, 1, 3))), axes=(3, 4)
    )
    places = {"axes": (1, 2), "sizes": (2, 2), "steps": (1, 1), "spacing": (1, 1)}
    by_hidden = emit("add_windows", (by_window,), **places, shape=hidden.shape)
    turned = ops.transpose(filters, (3, 0, 1, 2))
    by_seen = ops.contract(by_hidden, turned)
    by_images = emit("add_windows", (by_seen,), **places, shape=images.shape)
    by_filters = ops.contract(ops.transpose(seen, (3, 4, 5, 0, 1, 2)), by_hidden, 0, 3)
    return {"pooled": largest, "by_images": by_images, "by_filters": by_filters}


def whole() -> Compiled:
    floats = {"x": (ROWS, 4), "w": (4, 3), "b": (3,)}
    floats |= {"images": (ROWS, 4, 4, 2), "filters": (2, 2, 2, 3)}
    types = {name: ArrayType(shape, "float64") for name, shape in floats.items()}
    types |= {"seed": ArrayType((), "uint32"), "step": ArrayType((), "int32")}
    types |= {"numbers": ArrayType((ROWS,), "int32")}
    program = simplify(trace(every_step, types))
    encoded_whole = plan(fuse(program, {}))
    return Compiled(
        None, Part(encoded_whole, encode(encoded_whole, {}, 0)), None, 1, any_rows=False
    )


def training(layers: Sequence[tw.Layer], row: tuple[int, ...]) -> Compiled:
    """Blocks of rows, a part before them and one after."""
    network = tw.Network(list(layers)).initialize(row)
    batch = {
        "X": ArrayType((sizes.ROWS, *row), "float32"),
        "y": ArrayType((sizes.ROWS,), "int32"),
    }
    objective = Objective(
        tw.Loss.of("cross_entropy"), Accuracy(), tw.Adam(), tw.L2(0.1), None
    )
    layers, shapes = network.layers, network.shapes
    program = step_programs(layers, shapes, objective, batch, "float32")["step"]
    found = find_rows(program)
    assert found is not None
    parts = split(program, found)
    assert parts is not None
    return compile_parts(parts.at(ROWS, 2), Blocks(2, 2), ("X", "y"))


def of_rows() -> Compiled:
    """The training of a perceptron."""
    layers = (tw.Dense(5, "relu"), tw.Dropout(0.5), tw.Dense(3, "softmax"))
    return training(layers, (4,))


def of_images() -> Compiled:
    """The training of convolutions: what the second is given has a gradient too."""
    convolutions = (tw.Conv(2, 2, activation="relu"), tw.MaxPool(2), tw.Conv(2, 2))
    return training((*convolutions, tw.Flatten(), tw.Dense(3, "softmax")), (5, 5, 1))


MAKERS: dict[str, Callable[[], Compiled]] = {
    "whole": whole,
    "training": of_rows,
    "images": of_images,
}


@cache
def compiled_of(name: str) -> Compiled:
    return MAKERS[name]()


every_plan = pytest.mark.parametrize("name", MAKERS)


def steps_in(
    words: Sequence[int], encoded: EncodedPlan
) -> Iterator[tuple[int, list[int]]]:
    """The kind and the words of every step."""
    at = HEADER
    for _ in encoded.names:
        at += 3 + words[at + 2] + 1
    for _ in range(words[5]):
        length = words[at + 1]
        yield words[at], list(words[at + 2 : at + 2 + length])
        at += 2 + length
    assert at == len(words)


# What is written ---------------------------------------------------------------------


@every_plan
def test_a_plan_begins_with_what_it_is_and_ends_with_its_last_step(name: str) -> None:
    for part in compiled_of(name).parts.values():
        words = part.encoded.words.tolist()
        assert words[:3] == [MAGIC, VERSION, part.plan.arena_bytes]
        assert words[4:7] == [
            len(part.encoded.names),
            len(part.encoded.kernels),
            len(part.encoded.constants),
        ]
        assert len(list(steps_in(words, part.encoded))) == words[5]


def kinds_in(name: str) -> set[int]:
    encoded = compiled_of(name).block.encoded
    return {kind for kind, _ in steps_in(encoded.words.tolist(), encoded)}


def test_a_plan_of_everything_has_every_kind_of_step() -> None:
    kinds = kinds_in("whole") | kinds_in("images")  # only rows are added as products
    assert kinds == set(STEPS.values()) - {STEPS["loop"]}  # test_engine_loops.py


def test_every_step_knows_its_kernel() -> None:
    part = compiled_of("whole").block
    kernels = part.encoded.kernels
    assert list(kernels) == sorted(kernels)
    assert set(kernels) == set(range(len(part.plan.steps)))


def test_a_bias_is_part_of_its_product_and_the_rest_its_tail() -> None:
    part = compiled_of("whole").block
    steps = list(steps_in(part.encoded.words.tolist(), part.encoded))
    at = [kind for kind, _ in steps].index(STEPS["product"])
    tail_kind, tail = steps[at + 1]
    assert (tail_kind, tail[0]) == (STEPS["map"], 1)


def test_a_place_of_a_buffer_that_does_not_exist_is_refused() -> None:
    planned = compiled_of("whole").block.plan
    place = Location("nowhere", 0, (), ArrayType((), "float64"))
    step = single("exp", {}, (place,), place)
    with pytest.raises(ProgramError, match="nowhere"):
        encode(replace(planned, steps=(step,)), {}, 0)


# What is refused ---------------------------------------------------------------------


def program_of(encoded: EncodedPlan) -> Any:
    constants = np.frombuffer(encoded.constants, np.uint8)
    return _engine.Program(None, (encoded.words, constants, encoded.names), None)


def changed(encoded: EncodedPlan, at: int, word: int) -> EncodedPlan:
    words = encoded.words.copy()
    words[at] = word
    return replace(encoded, words=words)


def test_another_magic_or_version_is_no_plan() -> None:
    encoded = compiled_of("whole").block.encoded
    with pytest.raises(ProgramError, match="no plan"):
        program_of(changed(encoded, 0, MAGIC + 1))
    with pytest.raises(ProgramError, match="version"):
        program_of(changed(encoded, 1, VERSION + 1))


@every_plan
def test_too_few_words_and_too_many_are_refused(name: str) -> None:
    for part in compiled_of(name).parts.values():
        words = part.encoded.words
        for length in range(len(words)):
            with pytest.raises(ProgramError):
                program_of(replace(part.encoded, words=words[:length].copy()))
        for extra in ([0], [1, 2, 3], [STEPS["zero"], 0]):
            longer = np.append(words, np.array(extra, np.int64))
            with pytest.raises(ProgramError):
                program_of(replace(part.encoded, words=longer))


def test_an_operation_that_is_none_is_refused() -> None:
    program = trace(lambda a: {"y": ops.exp(a["x"])}, {"x": ArrayType((3,), "float64")})
    encoded = encode(plan(fuse(program, {})), {}, 0)
    words = encoded.words.tolist()
    line = [OPCODES["exp"], DTYPE_NUMBERS["float64"], 1, 0]
    (at,) = [i for i in range(len(words)) if words[i : i + 4] == line]
    assert program_of(changed(encoded, at, OPCODES["tanh"]))
    wrong = [
        row.name
        for row in PRIMITIVES.values()
        if row.kind != "elementwise" or row.inputs != 1
    ]
    numbers = [OPCODES[name] for name in [*wrong, "logical_not"] if name in OPCODES]
    for number in (*numbers, -1, len(OPCODES), 2**31, 2**62, -(2**63)):
        with pytest.raises(ProgramError, match="step 0"):
            program_of(changed(encoded, at, number))


def test_names_and_constants_must_be_as_many_as_the_plan_has() -> None:
    encoded = compiled_of("whole").block.encoded
    with pytest.raises(ProgramError, match="names"):
        program_of(replace(encoded, names=encoded.names[1:]))
    with pytest.raises(ProgramError, match="bytes of constants"):
        program_of(replace(encoded, constants=encoded.constants[:-1]))


def test_a_place_outside_its_buffer_is_refused() -> None:
    """The arena and every buffer made a little smaller than what is used of it."""
    part = compiled_of("whole").block
    used = max(
        place.end
        for step in part.plan.steps
        for _, place in step.outputs
        if place.buffer == ARENA
    )
    with pytest.raises(ProgramError, match="leaves its buffer"):
        program_of(changed(part.encoded, 2, used - 1))


# Any words at all --------------------------------------------------------------------


def mutated(random: np.random.Generator, words: NumpyArray) -> NumpyArray:
    """Words of which one or a few are others, or that end early, or go on."""
    form = random.integers(0, 20)
    if form == 0:
        return words[: random.integers(0, len(words))].copy()
    if form == 1:
        return np.append(words, random.integers(-2, 9, random.integers(1, 9)))
    result = words.copy()
    for at in random.integers(2, len(words), 1 + (form == 2)):
        result[at] = replaced(random, int(words[at]))
    return result


def replaced(random: np.random.Generator, word: int) -> int:
    near = [0, -1, 1, word + 1, word - 1, 2 * word, word // 2, 8, 4, 2, 3]
    far = [2**62, -(2**63), 2**63 - 1, 2**31, 2**40 + 1, -(2**31)]
    drawn = [int(random.integers(0, 200)), int(random.integers(0, 12))]
    return int(random.choice(np.array([*near, *near, *far, *drawn, *drawn], np.int64)))


def with_words(compiled: Compiled, name: str, words: NumpyArray) -> Compiled:
    part = getattr(compiled, name)
    encoded = replace(part.encoded, words=words)
    return replace(compiled, **{name: replace(part, encoded=encoded)})


def is_modest(program: Any) -> bool:
    """Whether its arrays are small enough to be made for a test."""
    sizes = (math.prod(shape) for _, shape, _, _ in program.buffers.values())
    return all(8 * size <= MOST_BYTES for size in sizes)


def run_anyway(compiled: Compiled) -> bool:
    """Run what may be nonsense; whether it was accepted."""
    sources = {name: part.source for name, part in compiled.parts.items()}
    arguments = [sources.get(name) for name in ("before", "block", "after")]
    try:
        engine = _engine.Program(*arguments, shards=compiled.shards)
    except (ProgramError, MemoryError):
        return False
    if not is_modest(engine):
        return True
    try:
        bound = NativeProgram(compiled, {})
        rows = {
            name: np.ones((ROWS, *shape), dtype)
            for name, (dtype, shape, has_rows, _) in engine.buffers.items()
            if has_rows
        }
        bound.bind_rows(rows)
        with clear_errors():
            bound.engine.run(ROWS, threads=2)
    except (ArgumentError, ValueError, MemoryError):
        pass
    return True


def fuzz(name: str, seed: int, count: int) -> tuple[int, int]:
    """Run mutated plans; how many were refused, and accepted."""
    random = np.random.default_rng(seed)
    compiled = compiled_of(name)
    parts = list(compiled.parts)
    accepted = 0
    for _ in range(count):
        part = parts[random.integers(len(parts))]
        words = mutated(random, getattr(compiled, part).encoded.words)
        accepted += run_anyway(with_words(compiled, part, words))
    return count - accepted, accepted


@every_plan
def test_changed_words_are_refused_or_harmless(name: str) -> None:
    refused, accepted = fuzz(name, seed=0, count=5000)
    assert refused > accepted > 0
