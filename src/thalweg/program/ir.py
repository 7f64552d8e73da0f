"""Programs: straight-line lists of instructions in SSA form, with a checker.

Values are numbered: the inputs first, then one for every instruction, so an
instruction may only read numbers smaller than its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from thalweg.cached import cached_property
from thalweg.errors import ProgramError, ThalwegError
from thalweg.program.primitives import PRIMITIVES, Primitive
from thalweg.program.sizes import RecipeArray, Size, at, type_at
from thalweg.program.types import ArrayType, NumpyArray


@dataclass(frozen=True)
class Instruction:
    """One primitive applied to earlier values."""

    opcode: str
    inputs: tuple[int, ...]
    attributes: Mapping[str, Any]
    type: ArrayType

    @property
    def primitive(self) -> Primitive:
        """The row of the table that says what this does."""
        return PRIMITIVES[self.opcode]

    def reading(self, inputs: tuple[int, ...]) -> Instruction:
        """The same of other values, which have the types of those that it reads."""
        return Instruction(self.opcode, inputs, self.attributes, self.type)


@dataclass(frozen=True)
class Program:
    """Named inputs, instructions, named outputs. Printing it shows its text."""

    inputs: Mapping[str, ArrayType]
    instructions: tuple[Instruction, ...]
    outputs: Mapping[str, int]

    def __str__(self) -> str:
        names = ", ".join(f"{name}: {kind}" for name, kind in self.inputs.items())
        lines = [f"program({names}) {{"]
        lines += [f"  {line(self, value)}" for value in self.computed()]
        results = ", ".join(f"{k}={self.name(v)}" for k, v in self.outputs.items())
        return "\n".join([*lines, f"  return {results}", "}"])

    def computed(self) -> Iterator[int]:
        """The numbers of the values that instructions compute."""
        return iter(range(len(self.inputs), len(self.inputs) + len(self.instructions)))

    def name(self, value: int) -> str:
        """An input's own name, or ``%7``."""
        return list(self.inputs)[value] if value < len(self.inputs) else f"%{value}"

    def instruction(self, value: int) -> Instruction | None:
        """The instruction that computes a value; None for an input."""
        place = value - len(self.inputs)
        return self.instructions[place] if place >= 0 else None

    @cached_property
    def types(self) -> tuple[ArrayType, ...]:
        """The type of every value, by its number."""
        return (*self.inputs.values(), *(each.type for each in self.instructions))

    def type(self, value: int) -> ArrayType:
        """The type of a value."""
        return self.types[value]

    def is_input_as_numbers(self, value: int) -> bool:
        """Whether a value is bytes, which only inputs hold, as numbers."""
        found = self.instruction(value)
        if found is None or found.opcode != "cast":
            return False
        return self.type(found.inputs[0]).dtype == "uint8"

    def at(self, **sizes: int) -> Program:
        """The program where the names in its sizes stand for numbers.

        Values keep their numbers. What is known already stays as it is.
        """
        inputs = {name: type_at(type, sizes) for name, type in self.inputs.items()}
        instructions = tuple(
            Instruction(
                each.opcode,
                each.inputs,
                {name: at(value, sizes) for name, value in each.attributes.items()},
                type_at(each.type, sizes),
            )
            for each in self.instructions
        )
        return Program(inputs, instructions, self.outputs)

    def counting(self, **sizes: int) -> Program:
        """The program where constants follow from these sizes, and shapes from others.

        A block of rows has fewer of them, but divides by all: the mean is the batch's.
        """
        instructions = tuple(
            replace(each, attributes={"value": at(each.attributes["value"], sizes)})
            if each.opcode == "constant"
            else each
            for each in self.instructions
        )
        return replace(self, instructions=instructions)

    def output_types(self) -> dict[str, ArrayType]:
        """The type of every output, by its name."""
        return {name: self.type(value) for name, value in self.outputs.items()}


def line(program: Program, value: int) -> str:
    """One instruction as text: ``%5 f32[32,64] = add(%3, bias)``."""
    instruction = program.instruction(value)
    assert instruction is not None
    arguments = [program.name(v) for v in instruction.inputs]
    arguments += [f"{k}={show(v)}" for k, v in instruction.attributes.items()]
    return f"%{value} {instruction.type} = {instruction.opcode}({', '.join(arguments)})"


def show(attribute: Any) -> str:
    """An attribute as short text; a large constant by its type alone."""
    if isinstance(attribute, Program):
        return f"{{{len(attribute.instructions)} instructions}}"
    if not isinstance(attribute, np.ndarray):
        return str(attribute)
    constant = cast(NumpyArray, attribute)
    return str(constant.tolist()) if constant.size <= 8 else f"<{constant.shape}>"


def verify(program: Program) -> Program:
    """The program itself, if it keeps every rule; else a `ProgramError`.

    Opcodes are in the table, inputs are defined earlier, attributes are those of the
    primitive, and every type is what the shape rule gives.
    """
    for value in program.computed():
        instruction = program.instruction(value)
        assert instruction is not None
        try:
            verify_instruction(program, value, instruction)
        except (
            ThalwegError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
        ) as error:
            raise ProgramError(
                f"instruction %{value}, {instruction.opcode}: {error}"
            ) from error
    last = len(program.inputs) + len(program.instructions)
    for name, value in program.outputs.items():
        if not 0 <= value < last:
            raise ProgramError(f"output {name} names %{value}, which doesn't exist")
    return program


def verify_instruction(program: Program, value: int, instruction: Instruction) -> None:
    """Check one instruction against its primitive."""
    primitive = PRIMITIVES.get(instruction.opcode)
    if primitive is None:
        raise ProgramError("no such primitive")
    if primitive.inputs not in (None, len(instruction.inputs)) or (
        primitive.inputs is None and not instruction.inputs
    ):
        raise ProgramError(
            f"takes {primitive.inputs} inputs, got {len(instruction.inputs)}"
        )
    if any(not 0 <= v < value for v in instruction.inputs):
        raise ProgramError(
            f"reads {instruction.inputs}, not all of them defined earlier"
        )
    if tuple(instruction.attributes) != primitive.attributes:
        raise ProgramError(
            f"carries {tuple(instruction.attributes)}, "
            f"must carry {primitive.attributes}"
        )
    for name, attribute in instruction.attributes.items():
        if not has_right_form(name, attribute):
            raise ProgramError(f"{name} can't be {attribute!r}")
    if "body" in instruction.attributes:
        verify(instruction.attributes["body"])
    types = [program.type(v) for v in instruction.inputs]
    inferred = primitive.infer(*types, **instruction.attributes)
    if inferred != instruction.type:
        raise ProgramError(f"is said to be {instruction.type}, but gives {inferred}")


# All other attributes are tuples of whole numbers.
FORMS = {
    "value": (np.ndarray, RecipeArray),
    "dtype": (str,),
    "transpose_a": (bool,),
    "transpose_b": (bool,),
    "axis": (int,),
    "batch": (int,),
    "summed": (int,),
    "states": (int,),
    "sequences": (int,),
    "reverse": (bool,),
    "rows": (int, Size),
    "operation": (int,),
}


def has_right_form(name: str, attribute: Any) -> bool:
    """Whether an attribute is of the Python type that its primitive takes."""
    if name == "body":
        return type(attribute) is Program
    if name in FORMS:
        return type(attribute) in FORMS[name]
    if type(attribute) is not tuple:
        return False
    return all(type(n) in (int, Size) for n in cast(tuple[object, ...], attribute))


def without_dead_code(program: Program) -> Program:
    """The program without the instructions that no output needs."""
    first = len(program.inputs)
    needed = set(program.outputs.values())
    for offset, instruction in reversed([*enumerate(program.instructions)]):
        if first + offset in needed:
            needed.update(instruction.inputs)
    number = {value: value for value in range(first)}
    kept: list[Instruction] = []
    for value, instruction in enumerate(program.instructions, first):
        if value in needed:
            number[value] = first + len(kept)
            inputs = tuple(number[v] for v in instruction.inputs)
            same = inputs == instruction.inputs
            kept.append(instruction if same else instruction.reading(inputs))
    outputs = {name: number[value] for name, value in program.outputs.items()}
    return Program(program.inputs, tuple(kept), outputs)


def attribute_key(attributes: Mapping[str, Any]) -> Any:
    """Attributes as something that can be looked up; a constant by its bytes."""
    value = attributes.get("value")
    if isinstance(value, RecipeArray):
        return value.key
    if "body" in attributes:
        rest = {**attributes, "body": key_of(attributes["body"])}
        return tuple(rest.items())
    if isinstance(value, np.ndarray):
        constant = cast(NumpyArray, value)
        return constant.dtype, constant.shape, constant.tobytes()
    return tuple(attributes.items())


def key_of(program: Program) -> Any:
    """What two programs share if they do the same in the same order."""
    steps = [
        (each.opcode, each.inputs, attribute_key(each.attributes), each.type)
        for each in program.instructions
    ]
    return tuple(program.inputs.items()), tuple(steps), tuple(program.outputs.items())
