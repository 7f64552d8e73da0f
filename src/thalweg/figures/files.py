"""A figure as two files: the picture, and the numbers in it."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias, cast

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from thalweg.figures.style import textbook
from thalweg.files.atomic import write_atomically
from thalweg.printable import json_text, printable_lines

Data: TypeAlias = Mapping[str, Any]


def write_figure(
    path: Path, plot: Callable[[Any], Figure], data: Any, origin: Mapping[str, Any]
) -> Path:
    """Write a picture, and beside it the JSON of what is drawn and where it's from.

    Arguments:
        path: the PNG; the JSON gets the same stem.
        plot: draws the data.
        data: a dataclass of plain values.
        origin: what comes first in the JSON, such as the command that repeats it.

    Raises:
        FileError: a file can't be written.
    """
    with textbook():
        picture = png(plot(data))
    write_atomically(path.with_suffix(".json"), as_json({**origin, **asdict(data)}))
    write_atomically(path, picture)
    return path


def as_json(record: Mapping[str, Any]) -> bytes:
    """JSON with a line for each of the record's entries."""
    lines = [f"{json_text(k)}: {json_text(finite(v))}" for k, v in record.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def finite(value: Any) -> Any:
    """Plain values as JSON can hold them: it has neither NaN nor infinity.

    >>> finite({"maps": [[0.5, float("nan")]], "labels": ("a",)})
    {'maps': [[0.5, None]], 'labels': ['a']}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in cast(Data, value).items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in cast(list[Any], value)]
    return value


def png(figure: Figure) -> bytes:
    """The picture's bytes: the same for the same data, so without a date."""
    FigureCanvasAgg(with_plain_texts(figure))
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def with_plain_texts(figure: Figure) -> Figure:
    """The figure with its texts as they can be shown: no control characters, no TeX."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(printable_lines(text.get_text()))
        text.set_parse_math(False)  # a column may be called "$x"
    return figure
