"""Values, calls, functions and arrays as texts of Python, in all their digits."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from thalweg.printable import printable
from thalweg.program.types import NumpyArray

FEW = 8  # numbers that stand in the text; more of them are base64


def literal(value: Any) -> str:
    """A value as Python writes it; long lists and dicts on several lines."""
    text = repr(value)
    if len(text) > 72 and isinstance(value, dict):
        pairs = cast("Mapping[object, object]", value).items()
        lines = [f"    {key!r}: {each!r}," for key, each in pairs]
        return "\n".join(["{", *lines, "}"])
    if len(text) <= 72 or not isinstance(value, list | tuple):
        return text
    items = cast("Sequence[object]", value)
    inner = ", ".join(map(repr, items))
    wrapped = textwrap.wrap(inner, 76, break_long_words=False, break_on_hyphens=False)
    # A text may hold the space at which a line was cut: then none is cut.
    whole = " ".join(wrapped) == inner and not any(isinstance(v, str) for v in items)
    lines = wrapped if whole else [f"{each!r}," for each in items]
    return "\n".join(["[", *(f"    {line}" for line in lines), "]"])


def definition(head: str, said: str, body: Sequence[str]) -> str:
    """A function's text."""
    lines = "\n".join([f'"""{docstring_text(said)}"""', *body])
    return f"def {head}:\n{textwrap.indent(lines, '    ')}"


def docstring_text(text: str) -> str:
    """A text on one line, as it can stand in a docstring and be shown by ``help``.

    >>> print(docstring_text('a"b\\\\c'))
    a'b/c
    """
    return printable(text.replace("\\", "/").replace('"', "'")).replace("\\", "\\\\")


def short(text: str) -> str:
    """A text that leaves a line of the file room."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 80 else f"{one_line[:79]}…"


def call_text(function: str, texts: Sequence[str]) -> str:
    """A call on one line, or with a line for each argument."""
    short = f"{function}({', '.join(texts)})"
    if len(short) <= 76 and "\n" not in short:
        return short
    inner = textwrap.indent("".join(f"{text},\n" for text in texts), "    ")
    return f"{function}(\n{inner})"


def array_text(array: NumpyArray) -> str:
    """An array's numbers if they are few, else its bytes."""
    if array.size <= FEW and np.isfinite(array).all():
        return f"np.array({literal_numbers(array)}, {array.dtype.name!r})"
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode()
    return (
        f'array({array.dtype.name!r}, {array.shape}, """\n'
        + "\n".join(text[start : start + 88] for start in range(0, len(text), 88))
        + '\n""")'
    )


def literal_numbers(array: NumpyArray) -> str:
    """Numbers in brackets, the shortest that read as the same."""
    if not array.ndim:
        return str(array[()])
    return f"[{', '.join(literal_numbers(np.asarray(part)) for part in array)}]"
