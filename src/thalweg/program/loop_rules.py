"""What a loop gives: the types and the numbers of a scan.

A scan holds a program, its body, over `ROWS` rows; the rows of a body are those of the
loop's first axis. An instruction reads

    turns, the states before the first turn, sequences, whole arrays

and its body the states, the sequences at one time, and the whole arrays. A state is
(rows, …), a sequence (rows, times, …). The value is the states after each time, side by
side: (rows, times, Σ numbers of a state), or (rows, times, …) where there is only one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.sizes import type_at
from thalweg.program.types import ArrayType, NumpyArray, Shape

BODY = ("body", "states", "sequences", "reverse")


def scan_type(
    turns: ArrayType,
    *types: ArrayType,
    body: Any,
    states: int,
    sequences: int,
    reverse: bool,
) -> ArrayType:
    """The states after each time, side by side."""
    if turns != ArrayType((), "int32"):
        raise DtypeError(f"the number of turns must be i32[], got {turns}")
    if states < 1 or sequences < 1 or len(types) < states + sequences:
        raise ShapeError("a scan has a state and a sequence at least")
    initial, moving, _ = parts_of(types, states, sequences)
    times = times_of(moving)
    rows = initial[0].shape[0] if initial[0].shape else 0
    require_types(body, slices_of(types, states, sequences), rows)
    given = [type_at(each, {"rows": rows}) for each in body.output_types().values()]
    if given != [*initial]:
        raise ShapeError(
            f"a step must give states of {shown(initial)}, it gives {shown(given)}"
        )
    if len({each.dtype for each in initial}) > 1:
        raise DtypeError(f"states must have one dtype, got {shown(initial)}")
    return ArrayType(side_by_side(rows, times, initial), initial[0].dtype)


def parts_of(values: Sequence[Any], states: int, sequences: int) -> Any:
    """First states, sequences and whole arrays, of what a scan reads but its turns."""
    start = states + sequences
    return values[:states], values[states:start], values[start:]


def times_of(moving: Sequence[ArrayType]) -> int:
    """The one number of times that sequences have."""
    if any(len(each.shape) < 2 for each in moving):
        raise ShapeError(f"a sequence is (rows, times, …), got {shown(moving)}")
    times = moving[0].shape[1]
    for each in moving:
        if each.shape[1] != times:
            raise ShapeError(f"sequences must be equally long, got {shown(moving)}")
    return times


def slices_of(
    types: Sequence[ArrayType], states: int, sequences: int
) -> list[ArrayType]:
    """The types that a body reads: of a sequence one time."""
    initial, moving, whole = parts_of(types, states, sequences)
    at_a_time = [
        ArrayType((each.shape[0], *each.shape[2:]), each.dtype) for each in moving
    ]
    return [*initial, *at_a_time, *whole]


def require_types(body: Any, types: Sequence[ArrayType], rows: int) -> None:
    """A body reads what it is given."""
    wanted = [type_at(each, {"rows": rows}) for each in body.inputs.values()]
    if wanted != [*types]:
        raise ShapeError(f"a body reads {shown(wanted)}, it is given {shown(types)}")


def shown(types: Sequence[ArrayType]) -> str:
    """Types as a message names them."""
    return ", ".join(map(str, types)) or "nothing"


def side_by_side(
    rows: int, times: int, states: Sequence[ArrayType] | Sequence[NumpyArray]
) -> Shape:
    """The shape of the states of all times: of one its own, of several in columns."""
    if len(states) == 1:
        return (rows, times, *states[0].shape[1:])
    return (rows, times, sum(map(width, states)))


def width(state: ArrayType | NumpyArray) -> int:
    """The numbers of a state's row."""
    return math.prod(state.shape[1:])


def scan_array(
    turns: NumpyArray,
    *arrays: NumpyArray,
    body: Any,
    states: int,
    sequences: int,
    reverse: bool,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """The states, one time after the other; 0 at times that have no turn."""
    current, moving, whole = parts_of(arrays, states, sequences)
    rows, times = moving[0].shape[:2]
    one = body.at(rows=rows)
    result = np.zeros(side_by_side(rows, times, current), current[0].dtype)
    for time in turns_of(int(turns), times, reverse):
        current = run(one, [*current, *(x[:, time] for x in moving), *whole])
        if states == 1:
            result[:, time] = current[0]
        else:
            flat = [x.reshape(rows, width(x)) for x in current]
            np.concatenate(flat, axis=1, out=result[:, time])
    if out is None:
        return result
    np.copyto(out, result)
    return out


def turns_of(turns: int, times: int, reverse: bool) -> Iterator[int]:
    """The times in the order in which they are gone through."""
    each = range(min(max(turns, 0), times))
    return iter(reversed(each) if reverse else each)


def run(program: Any, arrays: Sequence[NumpyArray]) -> list[NumpyArray]:
    """The outputs of a program, one primitive after the other."""
    values = [*arrays]
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            read: list[NumpyArray] = [values[v] for v in instruction.inputs]
            found = instruction.primitive.meaning(*read, **instruction.attributes)
            values.append(np.asarray(found))
    return [values[value] for value in program.outputs.values()]


def column_starts(types: Sequence[ArrayType]) -> list[int]:
    """Where each state begins among the numbers of a time, and where the last ends."""
    starts = [0]
    for each in types:
        starts.append(starts[-1] + width(each))
    return starts
