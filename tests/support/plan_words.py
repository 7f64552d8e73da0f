"""Plans written down word by word, as `engine/core/plan.h` has them."""

import math
from collections.abc import Sequence

import numpy as np

from thalweg import _engine
from thalweg.backends.engine.encode import (
    DTYPE_NUMBERS,
    KINDS,
    MAGIC,
    OPCODES,
    STEPS,
    VERSION,
)
from thalweg.errors import ProgramError
from thalweg.program.types import ITEMSIZE

Words = list[int]
Shape = tuple[int, ...]


def buffer(kind: str, shape: Shape, dtype: str = "float64", offset: int = 0) -> Words:
    return [KINDS[kind], DTYPE_NUMBERS[dtype], len(shape), *shape, offset]


def place(
    number: int,
    shape: Shape,
    dtype: str = "float64",
    *,
    rows: int = -1,
    strides: Shape | None = None,
    offset: int = 0,
) -> Words:
    """A place in the buffer of that number; 0 is the arena."""
    if strides is None:
        sizes = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        strides = tuple(size * ITEMSIZE[dtype] for size in sizes)
    return [number, offset, DTYPE_NUMBERS[dtype], len(shape), rows, *shape, *strides]


def moving(start: Words, move: int, times: int) -> Words:
    """A buffer that is a place at time 0, and moves by so many bytes a time."""
    return [KINDS["moving"], *start, move, times]


def loop(
    turns: Words,
    times: int,
    buffers: Sequence[int],
    steps: Sequence[Words],
    reverse: bool = False,
) -> Words:
    head = [int(reverse), times, len(buffers), *buffers, len(steps)]
    return step("loop", turns, head, *steps)


def step(kind: str, *parts: Words) -> Words:
    words = [word for part in parts for word in part]
    return [STEPS[kind], len(words), *words]


def line(opcode: str, *operands: int, dtype: str = "float64") -> Words:
    return [OPCODES[opcode], DTYPE_NUMBERS[dtype], len(operands), *operands]


def map_step(
    shape: Shape,
    inputs: Sequence[Words],
    lines: Sequence[Words],
    outputs: Sequence[tuple[int, Words]],
    *,
    rows: int = -1,
    tail: bool = False,
) -> Words:
    head = [int(tail), len(shape), rows, *shape]
    written = [[number, *where] for number, where in outputs]
    counts = [[len(inputs)], *inputs, [len(lines)], *lines, [len(outputs)], *written]
    return step("map", head, *counts)


def plan(
    steps: Sequence[Words], buffers: Sequence[Words] = (), rows: int = 0, arena: int = 0
) -> Words:
    constants = sum(
        ITEMSIZE[list(DTYPE_NUMBERS)[each[1]]] * math.prod(each[3 : 3 + each[2]])
        for each in buffers
        if each[0] == KINDS["constant"]
    )
    head = [MAGIC, VERSION, arena, rows, len(buffers), len(steps), constants]
    return [*head, *(word for part in (*buffers, *steps) for word in part)]


def numbers(*shapes: Shape, kind: str = "whole", dtype: str = "float64") -> list[Words]:
    return [buffer(kind, shape, dtype) for shape in shapes]


def refusal(words: Sequence[int]) -> str:
    """What the engine says against a plan; nothing if it takes it."""
    array = np.array(words, np.int64)
    buffers, constants = int(array[4]), int(array[6])
    names = tuple(f"b{number}" for number in range(min(max(buffers, 0), 99)))
    room = np.zeros(constants if 0 <= constants < 2**16 else 0, np.uint8)
    try:
        _engine.Program(None, (array, room, names), None)
    except ProgramError as error:
        return str(error)
    except MemoryError:
        return ""
    return ""
