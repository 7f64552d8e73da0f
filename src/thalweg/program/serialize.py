"""Programs as plain data, for files, and back through the checker.

A program has static shapes, but a formula in a file must work for any number of rows.
So it is traced at three numbers of rows: a size (or a single constant) that differs is
written as a·rows + b from two of them, and must agree with the third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from thalweg.errors import ProgramError
from thalweg.program.ir import Instruction, Program, verify
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import DTYPES, ArrayType, NumpyArray

ROW_COUNTS = (1009, 1013, 1021)  # that no formula has as a number of its own
LARGEST_ROWS = 2**40
LARGEST_SIZE = 2**28  # elements of one value for a single row
LARGEST_RANK = 8
MOST_INSTRUCTIONS = 10_000
MOST_AXES = 32
MOST_COMPUTED = 2**28  # elements, whatever the number of rows
MOST_COMPUTED_A_ROW = 2**24  # and besides for every row
PRODUCTS_AN_ELEMENT = 64  # multiplications that count as one element

Data = dict[str, Any]


def to_data(
    program_for: Callable[[int], Program],
) -> tuple[Data, dict[str, NumpyArray]]:
    """A formula's program for any number of rows, and its constants by name.

    Arguments:
        program_for: gives the program for a number of rows.

    Returns:
        Plain data for JSON, and the arrays to which it refers by ``c0``, ``c1``, ….

    Raises:
        ProgramError: the program depends on the number of rows in a way that isn't
            linear.
    """
    programs = [program_for(rows) for rows in ROW_COUNTS]
    first = programs[0]
    require_length(first.instructions)
    require_bounded(first, ROW_COUNTS[0])
    if any(wiring(p) != wiring(first) for p in programs):
        raise ProgramError("the formula's instructions depend on the number of rows")
    constants: dict[str, NumpyArray] = {}
    instructions = [
        instruction_data([p.instructions[i] for p in programs], constants)
        for i in range(len(first.instructions))
    ]
    opcodes = sorted({i.opcode for i in first.instructions})
    data: Data = {
        "opcodes": {name: PRIMITIVES[name].version for name in opcodes},
        "inputs": {
            name: type_data([p.inputs[name] for p in programs]) for name in first.inputs
        },
        "instructions": instructions,
        "outputs": dict(first.outputs),
    }
    return data, constants


def wiring(program: Program) -> Any:
    """What of a program must be the same for every number of rows."""
    inputs = [(name, type.dtype) for name, type in program.inputs.items()]
    steps = [(i.opcode, i.inputs, i.type.dtype) for i in program.instructions]
    return inputs, steps, program.outputs


def instruction_data(
    versions: Sequence[Instruction], constants: dict[str, NumpyArray]
) -> list[Any]:
    """One instruction, traced at three numbers of rows."""
    first = versions[0]
    if first.opcode == "constant":
        values = [cast(NumpyArray, v.attributes["value"]) for v in versions]
        attributes: Data = {"value": constant_data(values, constants)}
    else:
        attributes = {
            name: linear([v.attributes[name] for v in versions])
            for name in first.attributes
        }
    return [
        first.opcode,
        list(first.inputs),
        attributes,
        type_data([v.type for v in versions]),
    ]


def constant_data(
    values: Sequence[NumpyArray], constants: dict[str, NumpyArray]
) -> Any:
    """The name of a constant's array, or how a single number follows from the rows."""
    first = values[0]
    if all(np.array_equal(v, first, equal_nan=v.dtype.kind == "f") for v in values):
        name = f"c{len(constants)}"
        constants[name] = first
        return name
    if any(v.size != 1 or v.shape != first.shape for v in values):
        raise ProgramError(
            "the formula has an array that depends on the number of rows"
        )
    slope, offset = coefficients([v.item() for v in values])
    return {"rows": [slope, offset], "dtype": first.dtype.name, "rank": first.ndim}


def type_data(types: Sequence[ArrayType]) -> list[Any]:
    """A dtype and a shape, of which some sizes may depend on the rows."""
    return [types[0].dtype, linear([t.shape for t in types])]


def linear(versions: Sequence[Any]) -> Any:
    """An attribute at three numbers of rows as one: equal, or a·rows + b."""
    first = versions[0]
    if isinstance(first, tuple):
        parts = [cast(tuple[Any, ...], v) for v in versions]
        if any(len(p) != len(parts[0]) for p in parts):
            raise ProgramError("the formula's axes depend on the number of rows")
        return [linear(list(part)) for part in zip(*parts, strict=True)]
    if all(v == first for v in versions):
        return first
    if not all(type(v) is int for v in versions):
        raise ProgramError("the formula's attributes depend on the number of rows")
    slope, offset = coefficients(versions)
    return {"rows": [slope, offset]}


def coefficients(values: Sequence[Any]) -> tuple[int, int]:
    """Whole a and b with value = a·rows + b at all three numbers of rows."""
    a, b, c = ROW_COUNTS
    slope = (values[1] - values[0]) / (b - a)
    offset = values[0] - slope * a
    whole_numbers = math.isfinite(offset) and slope == int(slope)
    if not whole_numbers or offset != int(offset) or slope * c + offset != values[2]:
        raise ProgramError(
            f"the formula has {list(values)} for {list(ROW_COUNTS)} rows: they must be "
            "a·rows + b, with whole numbers a and b"
        )
    return int(slope), int(offset)


# Back ---------------------------------------------------------------------------------


def from_data(data: Data, constants: Mapping[str, NumpyArray], rows: int) -> Program:
    """The program for a number of rows, checked before it is returned.

    Raises:
        ProgramError: the data isn't a program that keeps every rule.
    """
    try:
        program = decode(data, constants, rows)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
    ) as error:
        raise ProgramError(f"this is no program: {error!r}") from None
    return require_bounded(verify(program), rows)


def require_bounded(program: Program, rows: int) -> Program:
    """The program itself, if it computes no more than takes bounded time and memory.

    Raises:
        ProgramError: it computes more.
    """
    if any(len(each.type.shape) > MOST_AXES for each in program.instructions):
        raise ProgramError(f"arrays in a program may have {MOST_AXES} axes")
    most = MOST_COMPUTED + MOST_COMPUTED_A_ROW * rows
    computed = sum(work_of(program, each) for each in program.instructions)
    if computed > most:
        raise ProgramError(
            f"a program in a file may compute {most:,} elements for {rows:,} "
            f"row{'s' * (rows != 1)}, "
            f"this one computes {computed:,}"
        )
    return program


def work_of(program: Program, instruction: Instruction) -> int:
    """The elements that an instruction computes, or adds up."""
    inputs = [program.type(value) for value in instruction.inputs]
    if instruction.opcode == "matmul":
        inner = inputs[0].shape[-2 if instruction.attributes["transpose_a"] else -1]
        products = inner // PRODUCTS_AN_ELEMENT
        return instruction.type.size * (1 + products)
    return max(each.size for each in [instruction.type, *inputs])


def decode(data: Data, constants: Mapping[str, NumpyArray], rows: int) -> Program:
    """The program, as the data says; not checked yet."""
    for name, version in data["opcodes"].items():
        if name not in PRIMITIVES or PRIMITIVES[name].version != version:
            raise ProgramError(f"opcode {name}, version {version}, isn't known here")
    require_length(data["instructions"])
    inputs = {
        str(name): decode_type(type, rows) for name, type in data["inputs"].items()
    }
    instructions: list[Instruction] = []
    for opcode, arguments, attributes, type in data["instructions"]:
        if opcode not in data["opcodes"]:
            raise ProgramError(f"opcode {opcode!r} isn't listed")
        decoded = {
            k: decode_attribute(opcode, k, v, constants, rows)
            for k, v in attributes.items()
        }
        instructions.append(
            Instruction(
                opcode,
                tuple(whole(a) for a in arguments),
                decoded,
                decode_type(type, rows),
            )
        )
    outputs = {str(name): whole(value) for name, value in data["outputs"].items()}
    return Program(inputs, tuple(instructions), outputs)


def require_length(instructions: Sequence[Any]) -> None:
    """A program in a file takes bounded time to check."""
    if len(instructions) > MOST_INSTRUCTIONS:
        raise ProgramError(
            f"a program in a file may have {MOST_INSTRUCTIONS:,} instructions, "
            f"this one has {len(instructions):,}"
        )


def decode_type(data: Any, rows: int) -> ArrayType:
    """A type whose size is bounded."""
    dtype, shape = data
    if dtype not in DTYPES:
        raise ProgramError(f"dtype {dtype!r} isn't known")
    sizes = tuple(decode_number(n, rows) for n in shape)
    if any(n < 0 for n in sizes) or math.prod(sizes) > LARGEST_SIZE * max(rows, 1):
        raise ProgramError(f"shape {sizes} is too large")
    return ArrayType(sizes, dtype)


def decode_attribute(
    opcode: str, name: str, data: Any, constants: Mapping[str, NumpyArray], rows: int
) -> Any:
    """An attribute's value; constants are looked up by name."""
    if opcode == "constant" and name == "value":
        if isinstance(data, str):
            return constants[data]
        return decode_scalar(data, rows)
    if isinstance(data, bool | str):
        return data
    if isinstance(data, list):
        return tuple(decode_number(each, rows) for each in cast(list[Any], data))
    return decode_number(data, rows)


def decode_scalar(data: Data, rows: int) -> NumpyArray:
    """A constant of one element that follows from the number of rows."""
    dtype, rank = data["dtype"], whole(data["rank"])
    if dtype not in DTYPES or not 0 <= rank <= LARGEST_RANK:
        raise ProgramError(f"there is no constant of {dtype!r} with {rank} axes")
    return np.full((1,) * rank, decode_number({"rows": data["rows"]}, rows), dtype)


def decode_number(data: Any, rows: int) -> int:
    """A whole number, or a·rows + b."""
    if isinstance(data, dict):
        slope, offset = cast(Data, data)["rows"]
        return whole(slope) * rows + whole(offset)
    return whole(data)


def whole(value: Any) -> int:
    """A whole number of bounded size; anything else is refused."""
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or abs(value) > LARGEST_ROWS
    ):
        raise ProgramError(f"must be a whole number, got {value!r}")
    return value
