"""Shape rules refuse what doesn't fit; conformance/ checks what they give."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ArrayType

Attributes = Mapping[str, Any]
MATRIX = {"transpose_a": False, "transpose_b": False}
f32, f64 = (lambda *s: ArrayType(s, "float32")), (lambda *s: ArrayType(s, "float64"))
i32, b1 = (lambda *s: ArrayType(s, "int32")), (lambda *s: ArrayType(s, "bool"))
u8, u32 = (lambda *s: ArrayType(s, "uint8")), (lambda *s: ArrayType(s, "uint32"))
ARITHMETIC = ("add", "subtract", "multiply", "maximum", "minimum", "negative", "exp")
REFUSED: tuple[tuple[str, tuple[ArrayType, ...], Attributes, type[Exception]], ...] = (
    ("add", (f32(3), f32(4)), {}, ShapeError),
    ("add", (f32(3), f32(1)), {}, ShapeError),
    ("add", (f32(3), f64(3)), {}, DtypeError),
    ("add", (b1(3), b1(3)), {}, DtypeError),
    ("negative", (b1(3),), {}, DtypeError),
    ("divide", (i32(3), i32(3)), {}, DtypeError),
    ("exp", (i32(3),), {}, DtypeError),
    ("logical_and", (i32(3), i32(3)), {}, DtypeError),
    ("logical_not", (f32(3),), {}, DtypeError),
    ("equal", (f32(3), i32(3)), {}, DtypeError),
    ("select", (f32(3), f32(3), f32(3)), {}, DtypeError),
    ("select", (b1(3), f32(4), f32(4)), {}, ShapeError),
    ("select", (b1(3), f32(3), f64(3)), {}, DtypeError),
    ("cast", (f32(3),), {"dtype": "float16"}, DtypeError),
    ("constant", (), {"value": np.zeros(3, np.int64)}, DtypeError),
    ("sum", (f32(3),), {"axes": (1,)}, ShapeError),
    ("sum", (f32(3, 4),), {"axes": (1, 0)}, ShapeError),
    ("sum", (f32(3, 4),), {"axes": (0, 0)}, ShapeError),
    ("sum", (b1(3),), {"axes": (0,)}, DtypeError),
    ("max", (f32(0, 3),), {"axes": (0,)}, ShapeError),
    ("max", (b1(3),), {"axes": (0,)}, DtypeError),
    ("argmax", (f32(3, 0),), {"axis": 1}, ShapeError),
    ("argmax", (f32(3),), {"axis": -1}, ShapeError),
    ("reshape", (f32(6),), {"shape": (4,)}, ShapeError),
    ("reshape", (f32(6),), {"shape": (-2, -3)}, ShapeError),
    ("transpose", (f32(2, 3),), {"axes": (0, 0)}, ShapeError),
    ("transpose", (f32(2, 3),), {"axes": (0,)}, ShapeError),
    ("broadcast", (f32(2),), {"shape": (3,)}, ShapeError),
    ("broadcast", (f32(2, 3),), {"shape": (3,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (2,), "stops": (1,), "steps": (1,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (0,), "stops": (4,), "steps": (1,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (-1,), "stops": (3,), "steps": (1,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (0,), "stops": (3,), "steps": (0,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (), "stops": (), "steps": ()}, ShapeError),
    ("slice", (f32(3),), {"starts": (3,), "stops": (0,), "steps": (-1,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (2,), "stops": (-2,), "steps": (-1,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (1,), "stops": (1,), "steps": (-1,)}, ShapeError),
    ("slice", (f32(3),), {"starts": (0,), "stops": (2,), "steps": (-1,)}, ShapeError),
    *(
        (name, (u8(3),) * (PRIMITIVES[name].inputs or 1), {}, DtypeError)
        for name in (*ARITHMETIC, "equal", "less", "less_equal")
    ),
    ("sum", (u8(3),), {"axes": (0,)}, DtypeError),
    ("max", (u8(3),), {"axes": (0,)}, DtypeError),
    ("argmax", (u8(3),), {"axis": 0}, DtypeError),
    ("logical_not", (u8(3),), {}, DtypeError),
    ("matmul", (u8(3, 3), u8(3, 3)), MATRIX, DtypeError),
    ("contract", (u8(3, 3), u8(3, 3)), {"batch": 0, "summed": 1}, DtypeError),
    ("scatter_add", (u8(3), i32(3)), {"rows": 4}, DtypeError),
    (
        "add_windows",
        (u8(2, 2),),
        {"axes": (0,), "sizes": (2,), "steps": (1,), "spacing": (1,), "shape": (3,)},
        DtypeError,
    ),
    ("take", (f32(3), u8(3)), {}, DtypeError),
    ("take", (f32(3), u32(3)), {}, DtypeError),
    ("cast", (f32(3),), {"dtype": "uint8"}, DtypeError),
    ("constant", (), {"value": np.zeros(3, np.uint8)}, DtypeError),
    ("pad", (f32(3),), {"starts": (1,), "steps": (2,), "shape": (5,)}, ShapeError),
    ("pad", (f32(3),), {"starts": (-1,), "steps": (2,), "shape": (9,)}, ShapeError),
    ("pad", (f32(3),), {"starts": (0,), "steps": (0,), "shape": (9,)}, ShapeError),
    ("concatenate", (f32(3), f32(3, 1)), {"axis": 0}, ShapeError),
    ("concatenate", (f32(2, 3), f32(2, 4)), {"axis": 0}, ShapeError),
    ("concatenate", (f32(3), f32(3)), {"axis": 1}, ShapeError),
    ("concatenate", (f32(3), f64(3)), {"axis": 0}, DtypeError),
    ("matmul", (f32(3), f32(3)), MATRIX, ShapeError),
    ("matmul", (f32(3, 4), f32(3, 4)), MATRIX, ShapeError),
    ("matmul", (f32(2, 3, 4), f32(4, 5)), MATRIX, ShapeError),
    ("matmul", (f32(2, 3, 4), f32(3, 4, 5)), MATRIX, ShapeError),
    ("matmul", (f32(3, 4), f64(4, 5)), MATRIX, DtypeError),
    ("matmul", (i32(3, 4), i32(4, 5)), MATRIX, DtypeError),
    ("take", (f32(3), f32(2)), {}, DtypeError),
    ("take", (f32(), i32(2)), {}, ShapeError),
    ("take", (f32(0, 3), i32(2)), {}, ShapeError),
    ("scatter_add", (f32(3), f32(3)), {"rows": 2}, DtypeError),
    ("scatter_add", (f32(3), i32(2)), {"rows": 2}, ShapeError),
    ("scatter_add", (f32(3), i32(3)), {"rows": -1}, ShapeError),
    ("random_bits", (i32(), i32()), {"operation": 0, "shape": ()}, DtypeError),
)


@pytest.mark.parametrize(("opcode", "types", "attributes", "error"), REFUSED)
def test_shape_rule_refuses(
    opcode: str,
    types: tuple[ArrayType, ...],
    attributes: Attributes,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        PRIMITIVES[opcode].infer(*types, **attributes)
