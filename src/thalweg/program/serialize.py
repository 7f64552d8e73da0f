"""Programs as plain data, for files, and back through the checker.

A formula in a file works for any number of rows: a size, or a single constant, that
follows from it is written as a and b of a·rows + b.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from thalweg.errors import ProgramError
from thalweg.program.ir import Instruction, Program, verify
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import ROWS, Number, RecipeArray, Size, names_in
from thalweg.program.types import COMPUTED, ArrayType, NumpyArray

LARGEST_ROWS = 2**40
LARGEST_SIZE = 2**28  # elements of one value for a single row
LARGEST_RANK = 8
MOST_INSTRUCTIONS = 10_000
MOST_AXES = 32
DEEPEST = 5  # programs within programs
MOST_COMPUTED = 2**28  # elements, whatever the number of rows
MOST_COMPUTED_A_ROW = 2**24  # and besides for every row
PRODUCTS_AN_ELEMENT = 64  # multiplications that count as one element
SLICE_BACKWARDS = 2  # the version of slices of which some steps are negative
TYPICAL_ROWS = 1009  # for which a program's work is bounded when it is written

Data = dict[str, Any]


def to_data(program: Program) -> tuple[Data, dict[str, NumpyArray]]:
    """A formula's program for any number of rows, and its constants by name.

    Arguments:
        program: over `ROWS` rows.

    Returns:
        Plain data for JSON, and the arrays to which it refers by ``c0``, ``c1``, ….

    Raises:
        ProgramError: the program depends on the number of rows in a way that isn't
            linear.
    """
    require_length(length_of(program))
    require_bounded(program.at(rows=TYPICAL_ROWS), TYPICAL_ROWS)
    constants: dict[str, NumpyArray] = {}
    opcodes = sorted(opcodes_of(program))
    versions = {name: PRIMITIVES[name].version for name in opcodes}
    if slices_backwards(program):
        versions["slice"] = SLICE_BACKWARDS
    return {"opcodes": versions, **program_data(program, constants)}, constants


def program_data(program: Program, constants: dict[str, NumpyArray]) -> Data:
    """Inputs, instructions and outputs, those of bodies nested."""
    return {
        "inputs": {name: type_data(type) for name, type in program.inputs.items()},
        "instructions": [
            instruction_data(each, constants) for each in program.instructions
        ],
        "outputs": dict(program.outputs),
    }


def bodies_of(program: Program) -> list[Program]:
    """The bodies of a program's loops."""
    attributes = [each.attributes for each in program.instructions]
    return [each["body"] for each in attributes if "body" in each]


def opcodes_of(program: Program) -> set[str]:
    """The primitives that a program uses, within its loops too."""
    own = {each.opcode for each in program.instructions}
    return own.union(*map(opcodes_of, bodies_of(program)))


def slices_backwards(program: Program) -> bool:
    """Whether a slice has a negative step, within loops too."""
    steps = (each.attributes.get("steps", ()) for each in program.instructions)
    own = any(step < 0 for each in steps for step in each)
    return own or any(map(slices_backwards, bodies_of(program)))


def length_of(program: Program) -> int:
    """How many instructions there are, within loops too."""
    return len(program.instructions) + sum(map(length_of, bodies_of(program)))


def instruction_data(
    instruction: Instruction, constants: dict[str, NumpyArray]
) -> list[Any]:
    """One instruction: its opcode, inputs, attributes and type."""
    if instruction.opcode == "constant":
        value = instruction.attributes["value"]
        attributes: Data = {"value": constant_data(value, constants)}
    else:
        attributes = {
            name: program_data(value, constants)
            if isinstance(value, Program)
            else size_data(value)
            for name, value in instruction.attributes.items()
        }
    inputs, type = list(instruction.inputs), type_data(instruction.type)
    return [instruction.opcode, inputs, attributes, type]


def constant_data(
    value: NumpyArray | RecipeArray, constants: dict[str, NumpyArray]
) -> Any:
    """The name of a constant's array, or how a single number follows from the rows."""
    if isinstance(value, RecipeArray):
        rows = {"rows": list(linear(value.recipe))}
        return {**rows, "dtype": value.type.dtype, "rank": len(value.shape)}
    name = f"c{len(constants)}"
    constants[name] = value
    return name


def type_data(type: ArrayType) -> list[Any]:
    """A dtype and a shape, of which some sizes may depend on the rows."""
    return [type.dtype, size_data(type.shape)]


def size_data(value: Any) -> Any:
    """An attribute, with ``{"rows": [a, b]}`` for a size a·rows + b."""
    if isinstance(value, tuple):
        return [size_data(each) for each in cast(tuple[Any, ...], value)]
    return {"rows": list(linear(value))} if isinstance(value, Size) else value


def linear(value: Number) -> tuple[int, int]:
    """The whole numbers a and b of a·rows + b.

    >>> from thalweg.program.sizes import ROWS
    >>> linear(3 * ROWS + 1)
    (3, 1)

    Raises:
        ProgramError: it isn't that.
    """
    if not isinstance(value, Size):
        raise ProgramError(f"the formula has the number {value}, which isn't linear")
    terms = dict(value.terms)
    slope, offset = terms.pop(("rows",), 0), terms.pop((), 0)
    if terms:
        raise ProgramError(f"the formula has a size {value}, which isn't linear")
    return slope, offset


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
    if "body" in instruction.attributes:
        body = instruction.attributes["body"].at(rows=inputs[1].shape[0])
        a_turn = sum(work_of(body, each) for each in body.instructions)
        return instruction.type.size + instruction.type.shape[1] * a_turn
    if instruction.primitive.kind == "product":
        size = instruction.type.size
        cost = instruction.primitive.cost
        work = cost(inputs, instruction.attributes, instruction.type)
        inner = work // max(2 * size, 1)
        return size * (1 + inner // PRODUCTS_AN_ELEMENT)
    return max(each.size for each in [instruction.type, *inputs])


def decode(data: Data, constants: Mapping[str, NumpyArray], rows: int) -> Program:
    """The program, as the data says; not checked yet."""
    for name, version in data["opcodes"].items():
        if name not in PRIMITIVES or version not in versions_of(name):
            raise ProgramError(f"opcode {name}, version {version}, isn't known here")
    require_length(listed_length(data, DEEPEST))
    program = decode_program(data, data["opcodes"], constants, rows)
    if slices_backwards(program) and data["opcodes"]["slice"] != SLICE_BACKWARDS:
        raise ProgramError(f"a slice backwards has version {SLICE_BACKWARDS}")
    return program


def versions_of(name: str) -> tuple[int, ...]:
    """The versions of a primitive that can be read."""
    usual = PRIMITIVES[name].version
    return (usual, SLICE_BACKWARDS) if name == "slice" else (usual,)


def listed_length(data: Data, deepest: int) -> int:
    """How many instructions data lists, within loops too; bounded in depth."""
    if not deepest:
        raise ProgramError(f"loops in a file may be {DEEPEST} deep")
    count = len(data["instructions"])
    require_length(count)
    for _, _, attributes, _ in data["instructions"]:
        if "body" in attributes:
            count += listed_length(attributes["body"], deepest - 1)
    return count


def decode_program(
    data: Data, opcodes: Data, constants: Mapping[str, NumpyArray], rows: int
) -> Program:
    """Inputs, instructions and outputs; a body is over any number of rows."""
    inputs = {
        str(name): decode_type(type, rows) for name, type in data["inputs"].items()
    }
    instructions: list[Instruction] = []
    for opcode, arguments, attributes, type in data["instructions"]:
        if opcode not in opcodes:
            raise ProgramError(f"opcode {opcode!r} isn't listed")
        decoded = {
            k: decode_program(v, opcodes, constants, ROWS)
            if k == "body"
            else decode_attribute(opcode, k, v, constants, rows)
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


def require_length(count: int) -> None:
    """A program in a file takes bounded time to check."""
    if count > MOST_INSTRUCTIONS:
        raise ProgramError(
            f"a program in a file may have {MOST_INSTRUCTIONS:,} instructions, "
            f"this one has {count:,}"
        )


def decode_type(data: Any, rows: int) -> ArrayType:
    """A type whose size is bounded."""
    dtype, shape = data
    if dtype not in COMPUTED:
        raise ProgramError(f"dtype {dtype!r} isn't known")
    sizes = tuple(decode_number(n, rows) for n in shape)
    if names_in(sizes):
        return ArrayType(sizes, dtype)
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


def decode_scalar(data: Data, rows: int) -> NumpyArray | RecipeArray:
    """A constant of one element that follows from the number of rows."""
    dtype, rank = data["dtype"], whole(data["rank"])
    if dtype not in COMPUTED or not 0 <= rank <= LARGEST_RANK:
        raise ProgramError(f"there is no constant of {dtype!r} with {rank} axes")
    number = decode_number({"rows": data["rows"]}, rows)
    if isinstance(number, Size):
        return RecipeArray(number, ArrayType((1,) * rank, dtype))
    return np.full((1,) * rank, number, dtype)


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
