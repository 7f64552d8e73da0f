"""How a table's columns become features, as calls of Python."""

from __future__ import annotations

import textwrap
from typing import Any

from thalweg.data.categories import CategoryEncoding, CodeEncoding
from thalweg.data.encode import Encoder
from thalweg.data.encodings import Encoding, MomentEncoding, NumberEncoding
from thalweg.exports.python_literals import call_text, literal
from thalweg.program.types import Dtype


def columns_text(encoder: Encoder, dtype: Dtype) -> str:
    """A function that makes of the columns what the network takes."""
    count = len(encoder.features)
    calls = [encoding_text(encoding) for encoding in encoder.encodings]
    wider = "" if dtype == "float32" else f".astype({dtype!r})"
    return "\n".join(
        [
            "def features(rows: Table) -> Array:",
            f'    """What the network takes, shape (rows, {count})."""',
            "    columns = [",
            *(textwrap.indent(f"*{call},", " " * 8) for call in calls),
            "    ]",
            f"    return np.stack(columns, axis=1).astype('float32'){wider}",
        ]
    )


def encoding_text(encoding: Encoding) -> str:
    """A call of the function that does what an encoding does."""
    given: dict[str, Any] = {}
    positional: list[Any] = []
    function: str = encoding.kind
    if isinstance(encoding, NumberEncoding):
        given = {**moments_of(encoding), "missing": encoding.missing}
        if encoding.scores is not None:
            given |= {
                "knots": list(encoding.scores.knots),
                "scores": list(encoding.scores.scores),
            }
    elif isinstance(encoding, MomentEncoding):
        given = {
            **moments_of(encoding),
            "missing": encoding.missing,
            "cycles": encoding.cycles,
        }
    elif isinstance(encoding, CategoryEncoding):
        positional = [list(encoding.categories)]
        given = {"other": encoding.other, "missing": encoding.missing}
    elif isinstance(encoding, CodeEncoding):
        function = "code" if encoding.kind == "category" else "boolean_code"
        positional = [list(encoding.categories)]
    texts = [f"cells_of(rows, {encoding.name!r})", *map(literal, positional)]
    texts += [f"{name}={literal(value)}" for name, value in given.items()]
    return call_text(function, texts)


def moments_of(encoding: NumberEncoding | MomentEncoding) -> dict[str, float]:
    """What fills a missing cell, and the scale."""
    scale = encoding.scale
    return {"fill": encoding.fill, "mean": scale.mean, "deviation": scale.deviation}
