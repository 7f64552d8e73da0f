"""How a table's columns become features, as calls of Python."""

from __future__ import annotations

import textwrap
from typing import Any

from thalweg.exports.python_literals import call_text, literal
from thalweg.program.types import Dtype
from thalweg.tables.categories import CategoryEncoding, CodeEncoding
from thalweg.tables.encode import Encoder
from thalweg.tables.encodings import Encoding, MomentEncoding, NumberEncoding
from thalweg.tables.forms import USUAL, CategoryForm, DateForm, Form, NumberForm
from thalweg.tables.forms.numbers import LIMIT


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
        function = encoding.form.name
        given = {**moments_of(encoding), "missing": encoding.missing}
        if encoding.scores is not None:
            given |= {
                "knots": encoding.scores.knots.tolist(),
                "scores": encoding.scores.scores.tolist(),
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
    given |= form_arguments(encoding.form)
    texts = [cells_text(encoding), *map(literal, positional)]
    texts += [f"{name}={literal(value)}" for name, value in given.items()]
    return call_text(function, texts)


def cells_text(encoding: Encoding) -> str:
    """The cells of a column, without those that were declared to be missing."""
    cells = f"cells_of(rows, {encoding.name!r})"
    absent = encoding.form.missing
    if not absent or isinstance(encoding.form, CategoryForm):
        return cells
    return f"without({cells}, {literal(absent)})"


def form_arguments(form: Form) -> dict[str, Any]:
    """How cells are read, where that isn't as usual."""
    usual = arguments_of(USUAL[form.kind])
    return {name: v for name, v in arguments_of(form).items() if v != usual[name]}


def arguments_of(form: Form) -> dict[str, Any]:
    """How cells are read."""
    if isinstance(form, NumberForm):
        return {
            "pattern": form.pattern,
            "between": form.between,
            "skip": f"^{LIMIT}" if form.limits == "missing" else "",
            "words": form.words,
        }
    if isinstance(form, DateForm):
        return {"pattern": form.pattern, "parts": form.parts}
    return {"absent": form.missing_texts} if isinstance(form, CategoryForm) else {}


def moments_of(encoding: NumberEncoding | MomentEncoding) -> dict[str, float]:
    """What fills a missing cell, and the scale."""
    scale = encoding.scale
    return {"fill": encoding.fill, "mean": scale.mean, "deviation": scale.deviation}
