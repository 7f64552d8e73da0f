"""Programs: what `verify` refuses, and what dead code is."""

from typing import Any

import numpy as np
import pytest

from thalweg.errors import ProgramError
from thalweg.program.ir import Instruction, Program, verify, without_dead_code
from thalweg.program.types import ArrayType

F23 = ArrayType((2, 3), "float32")
F33 = ArrayType((3, 3), "float32")
I2 = ArrayType((2,), "int32")
INPUTS = {"x": F23, "i": I2}


def single(
    opcode: str, inputs: tuple[int, ...], attributes: dict[str, Any], type: ArrayType
) -> Program:
    return Program(INPUTS, (Instruction(opcode, inputs, attributes, type),), {"y": 2})


GOOD: list[tuple[str, tuple[int, ...], dict[str, Any], ArrayType]] = [
    ("constant", (), {"value": np.zeros(2, "i4")}, I2),
    ("sum", (0,), {"axes": (1,)}, ArrayType((2, 1), "float32")),
    ("argmax", (0,), {"axis": 1}, I2),
    ("reshape", (0,), {"shape": (6,)}, ArrayType((6,), "float32")),
    ("cast", (1,), {"dtype": "float32"}, ArrayType((2,), "float32")),
    ("concatenate", (1, 1), {"axis": 0}, ArrayType((4,), "int32")),
    (
        "matmul",
        (0, 0),
        {"transpose_a": False, "transpose_b": True},
        ArrayType((2, 2), "float32"),
    ),
    ("scatter_add", (0, 1), {"rows": 5}, ArrayType((5, 3), "float32")),
]
# What a file could hold in the place of an attribute, and compares equal or is true.
WRONG_FORMS: dict[str, list[Any]] = {
    "constant": [0.0, [0, 0], None],
    "sum": [1, [1], (1.0,), (True,), "1"],
    "argmax": [True, 1.0, (1,)],
    "reshape": [(6.0,), [6], 6],
    "cast": [np.dtype("float32"), ["float32"]],
    "concatenate": [False, 0.0],
    "matmul": [0, 1, "yes", None],
    "scatter_add": [5.0, (5,)],
}


@pytest.mark.parametrize(("opcode", "inputs", "attributes", "type"), GOOD)
def test_an_attribute_must_be_of_the_right_form(
    opcode: str, inputs: tuple[int, ...], attributes: dict[str, Any], type: ArrayType
) -> None:
    assert verify(single(opcode, inputs, attributes, type))
    name = next(iter(attributes))
    for wrong in WRONG_FORMS[opcode]:
        program = single(opcode, inputs, {**attributes, name: wrong}, type)
        with pytest.raises(ProgramError, match=f"%2, {opcode}: {name} can't be"):
            verify(program)


def test_refusals_say_which_instruction_and_why() -> None:
    right = ArrayType((6,), "float32")
    wrong = single("reshape", (0,), {"shape": (5,)}, right)
    with pytest.raises(ProgramError, match=r"%2, reshape: .*\(2, 3\).*\(5,\)"):
        verify(wrong)
    with pytest.raises(
        ProgramError, match=r"said to be f32\[6\], but gives f32\[3,2\]"
    ):
        verify(single("reshape", (0,), {"shape": (3, 2)}, right))
    with pytest.raises(ProgramError, match="takes 1 inputs, got 2"):
        verify(single("exp", (0, 0), {}, F23))
    with pytest.raises(ProgramError, match="not all of them defined earlier"):
        verify(single("exp", (2,), {}, F23))
    with pytest.raises(ProgramError, match="no such primitive"):
        verify(single("exec", (0,), {}, F23))


def test_a_join_of_nothing_is_refused() -> None:
    with pytest.raises(ProgramError, match="got 0"):
        verify(single("concatenate", (), {"axis": 0}, F23))


def test_attributes_come_in_the_order_of_the_table() -> None:
    attributes = {"transpose_b": True, "transpose_a": False}
    with pytest.raises(ProgramError, match="must carry"):
        verify(single("matmul", (0, 0), attributes, ArrayType((2, 2), "float32")))


def test_dead_code_goes_and_the_rest_is_numbered_anew() -> None:
    dead = Instruction("exp", (0,), {}, F23)
    program = Program(
        INPUTS,
        (
            dead,
            Instruction("sin", (0,), {}, F23),
            dead,
            Instruction("add", (3, 0), {}, F23),
            dead,
        ),
        {"y": 5, "x": 0},
    )
    kept = verify(without_dead_code(verify(program)))
    assert [(i.opcode, i.inputs) for i in kept.instructions] == [
        ("sin", (0,)),
        ("add", (2, 0)),
    ]
    assert kept.outputs == {"y": 3, "x": 0}
    assert kept.inputs == INPUTS


def test_a_program_tells_its_types() -> None:
    program = single("sum", (0,), {"axes": (1,)}, ArrayType((2, 1), "float32"))
    assert program.output_types() == {"y": ArrayType((2, 1), "float32")}
    assert [program.type(value) for value in (0, 1)] == [F23, I2]
    assert program.name(0) == "x"
    assert program.name(2) == "%2"
    assert program.instruction(1) is None


def test_a_program_prints_its_lines() -> None:
    large = Instruction("constant", (), {"value": np.zeros((3, 3), "f4")}, F33)
    small = Instruction("constant", (), {"value": np.array([1, 2], "i4")}, I2)
    total = Instruction("sum", (0,), {"axes": (1,)}, ArrayType((2, 1), "float32"))
    program = Program(INPUTS, (large, small, total), {"y": 4, "x": 0})
    assert str(program).splitlines() == [
        "program(x: f32[2,3], i: i32[2]) {",
        "  %2 f32[3,3] = constant(value=<(3, 3)>)",
        "  %3 i32[2] = constant(value=[1, 2])",
        "  %4 f32[2,1] = sum(x, axes=(1,))",
        "  return y=%4, x=x",
        "}",
    ]
