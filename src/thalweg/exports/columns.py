"""A table's columns as ONNX takes them, and their encodings in its operators.

Cells come as they are meant: numbers as float64 with NaN where missing, texts as
strings, moments as microseconds. What an encoding makes of a category is asked of the
encoding itself, category by category, and stands in the graph as a table.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.exports.graph import LEARNED, Graph
from thalweg.tables.categories import CategoryEncoding, CodeEncoding
from thalweg.tables.encode import Encoder
from thalweg.tables.encodings import Encoding, MomentEncoding, NumberEncoding
from thalweg.tables.forms import ColumnKind
from thalweg.tables.forms.texts import SAID, WordForm
from thalweg.tables.scales import FARTHEST, NormalScores, Scale
from thalweg.tables.table import Table

MISSING_MOMENT = np.iinfo(np.int64).min
"""How NumPy writes a moment that isn't known (NaT)."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
UNNAMED = "column 1"
OUTPUTS = ("prediction", "probabilities", "quantiles")

DTYPES: Mapping[ColumnKind, str] = {
    "number": "float64",
    "category": "string",
    "boolean": "string",
    "date": "int64",
    "time": "int64",
}


@dataclass(frozen=True)
class RawColumn:
    """A column of the table, and the graph's input that takes it."""

    input: str
    column: str
    kind: ColumnKind

    @property
    def dtype(self) -> str:
        """The dtype of the input."""
        return DTYPES[self.kind]


def raw_columns(encodings: Sequence[Encoding]) -> list[RawColumn]:
    """The input for each encoding: named as its column, if no output has that name.

    A column that can't give its name gets one that no column has.
    """
    taken = {*OUTPUTS, *(encoding.name for encoding in encodings)}
    return [
        RawColumn(input_name(encoding.name, taken), encoding.name, encoding.kind)
        for encoding in encodings
    ]


def input_name(column: str, taken: set[str]) -> str:
    """The name of a column's input; a new one is added to those that are taken.

    >>> input_name("age", {"age"}), input_name("prediction", {"prediction"})
    ('age', 'column prediction')
    >>> input_name("", {"", "column 1"})
    'column 1 2'
    """
    if column and column not in OUTPUTS:
        return column
    wanted = f"column {column}" if column else UNNAMED
    numbered = (f"{wanted} {count}" for count in itertools.count(2))
    name = next(n for n in itertools.chain([wanted], numbered) if n not in taken)
    taken.add(name)
    return name


# The cells ----------------------------------------------------------------------------


def cells_of(encoder: Encoder, table: Table) -> dict[str, NDArray[Any]]:
    """The cells of a table for each input of the graph."""
    encodings = encoder.encodings
    return {
        raw.input: raw_cells(encoding.form.understood(table.column(encoding.name)))
        for raw, encoding in zip(raw_columns(encodings), encodings, strict=True)
    }


def raw_cells(cells: pl.Series) -> NDArray[Any]:
    """Cells that a form understood, as an array."""
    if cells.dtype == pl.String:
        return np.array(cells.fill_null("").to_list(), dtype=object)
    if cells.dtype.is_float():
        return cells.fill_null(np.nan).to_numpy()
    microseconds = cells.cast(pl.Int64)
    if cells.dtype == pl.Time:
        microseconds = microseconds // 1_000
    return microseconds.fill_null(MISSING_MOMENT).to_numpy()


# The encodings ------------------------------------------------------------------------


def encoded_columns(graph: Graph, encoder: Encoder) -> str:
    """X, shape (rows, features), float32."""
    encodings = encoder.encodings
    parts = [
        part
        for raw, encoding in zip(raw_columns(encodings), encodings, strict=True)
        for part in ENCODINGS[type(encoding)](graph, encoding, raw.input)
    ]
    return graph.add("Concat", *parts, axis=1, named="X")


def number_features(graph: Graph, encoding: NumberEncoding, cells: str) -> list[str]:
    """Standardized, its normal score, whether it is missing."""
    absent = graph.add("Or", graph.add("IsNaN", cells), graph.add("IsInf", cells))
    filled = graph.add("Where", absent, number(graph, encoding.fill), cells)
    columns = [scaled(graph, encoding.scale, filled)]
    if encoding.scores is not None:
        columns.append(interpolated(graph, encoding.scores, filled))
    if encoding.missing:
        columns.append(absent)
    return [as_feature(graph, column) for column in columns]


def scaled(graph: Graph, scale: Scale, values: str) -> str:
    """(x − mean) / deviation, limited."""
    centered = graph.add("Sub", values, number(graph, scale.mean))
    quotient = graph.add("Div", centered, number(graph, scale.deviation))
    limits = number(graph, -FARTHEST), number(graph, FARTHEST)
    return graph.add("Clip", quotient, *limits)


def interpolated(graph: Graph, scores: NormalScores, values: str) -> str:
    """Between the knots a line, beyond them what is at the last one."""
    knots, heights = scores.knots, scores.scores
    with np.errstate(over="ignore"):
        slopes = np.append(np.diff(heights) / np.diff(knots), 0.0)
    slopes = np.minimum(slopes, np.finfo(np.float64).max)
    limits = number(graph, knots[0]), number(graph, knots[-1])
    inside = graph.add("Clip", values, *limits)
    column = graph.add("Unsqueeze", inside, graph.integers(1))
    above = graph.add("LessOrEqual", graph.constant(knots[1:]), column)
    counted = graph.add("Cast", above, to="int32")
    place = graph.add("ReduceSum", counted, graph.integers(1), keepdims=0)
    at = [
        graph.add("Gather", graph.constant(a), place) for a in (knots, slopes, heights)
    ]
    rise = graph.add("Mul", graph.add("Sub", inside, at[0]), at[1])
    ends = number(graph, heights[0]), number(graph, heights[-1])
    return graph.add("Clip", graph.add("Add", rise, at[2]), *ends)


def moment_features(graph: Graph, encoding: MomentEncoding, cells: str) -> list[str]:
    """How far along, sine and cosine of each cycle, whether it is missing."""
    absent = graph.add("Equal", cells, whole(graph, MISSING_MOMENT))
    known = graph.add("Where", absent, whole(graph, 0), cells)
    days = graph.add("Cast", known, to="float64")
    days = graph.add("Div", days, number(graph, DAY))
    filled = graph.add("Where", absent, number(graph, encoding.fill), days)
    columns = [scaled(graph, encoding.scale, filled)]
    for cycle in encoding.cycles:
        angle = graph.add("Mul", PHASES[cycle](graph, known), number(graph, 2 * np.pi))
        for wave in ("Sin", "Cos"):
            found = graph.add(wave, angle)
            columns.append(graph.add("Where", absent, number(graph, 0), found))
    if encoding.missing:
        columns.append(absent)
    return [as_feature(graph, column) for column in columns]


def category_features(
    graph: Graph, encoding: CategoryEncoding | CodeEncoding, cells: str
) -> list[str]:
    """A row of a table for each category, for missing cells and for all others."""
    known = spellings(encoding)
    assert isinstance(encoding.form, WordForm)
    absent = [text for text in encoding.form.missing_texts if text not in known]
    unknown = "".join(known) + "?"
    meant = [unknown, *known, *[None] * len(absent)]
    cells_of_each = encoding.form.understood(pl.Series(meant, dtype=pl.String))
    rows = encoding.encode(cells_of_each).astype(np.float32)
    place = graph.add(
        "LabelEncoder",
        cells,
        domain=LEARNED,
        keys_strings=[*known, *absent],
        values_int64s=list(range(1, len(meant))),
        default_int64=0,
    )
    return [graph.add("Gather", graph.constant(rows), place, axis=0)]


def spellings(encoding: CategoryEncoding | CodeEncoding) -> list[str]:
    """Each text that isn't taken for missing or unknown."""
    if encoding.kind != "boolean":
        return list(encoding.categories)
    return [
        "".join(letters)
        for word in SAID
        for letters in itertools.product(*(dict.fromkeys((c, c.upper())) for c in word))
    ]


def as_feature(graph: Graph, values: str) -> str:
    """A column of X, shape (rows, 1)."""
    return graph.add(
        "Unsqueeze", graph.add("Cast", values, to="float32"), graph.integers(1)
    )


def number(graph: Graph, value: float) -> str:
    """A number of float64."""
    return graph.constant(np.asarray(value, np.float64))


def whole(graph: Graph, value: int) -> str:
    """A number of int64."""
    return graph.constant(np.asarray(value, np.int64))


# The calendar -------------------------------------------------------------------------


def day_phase(graph: Graph, moments: str) -> str:
    """How far the day is, to the second."""
    time = graph.add("Mod", moments, whole(graph, DAY))
    parts: list[str] = []
    for seconds, cycle in ((3600, 24), (60, 60), (1, 60)):
        units = graph.add("Div", time, whole(graph, seconds * SECOND))
        part = graph.add("Mod", units, whole(graph, cycle))
        part = graph.add("Cast", part, to="float64")
        parts.append(graph.add("Div", part, number(graph, 3600 / seconds)))
    hours = graph.add("Add", graph.add("Add", parts[0], parts[1]), parts[2])
    return graph.add("Div", hours, number(graph, 24))


def week_phase(graph: Graph, moments: str) -> str:
    """The day of the week, of which 1970 began on the fourth."""
    later = graph.add("Add", day_number(graph, moments), whole(graph, 3))
    weekday = graph.add("Add", remainder(graph, later, 7), whole(graph, 1))
    return graph.add("Div", as_float(graph, weekday), number(graph, 7))


def year_phase(graph: Graph, moments: str) -> str:
    """The day of the year, counted in years that begin in March.

    An era has 400 years and 146,097 days; the one of 1970 began 719,468 days before.
    Whole years of an era are 365 days each, but for a day more every 4 years, a day
    less every 100.

    Source: Richards, "Mapping Time: The Calendar and Its History", 1998, chapter 25.
    """
    shifted = graph.add("Add", day_number(graph, moments), whole(graph, 719_468))
    day = remainder(graph, shifted, 146_097)
    leap_days = [quotient(graph, day, n) for n in (1_460, 36_524, 146_096)]
    even = graph.add("Sub", graph.add("Add", day, leap_days[1]), leap_days[0])
    year = quotient(graph, graph.add("Sub", even, leap_days[2]), 365)
    before = graph.add("Mul", year, whole(graph, 365))
    before = graph.add("Add", before, quotient(graph, year, 4))
    before = graph.add("Sub", before, quotient(graph, year, 100))
    since_march = graph.add("Sub", day, before)
    in_march = graph.add("Add", as_whole(graph, is_leap(graph, year)), whole(graph, 60))
    spring = graph.add("Add", since_march, in_march)
    winter = graph.add("Sub", since_march, whole(graph, 305))
    is_winter = graph.add("Less", whole(graph, 305), since_march)
    ordinal = graph.add("Where", is_winter, winter, spring)
    return graph.add("Div", as_float(graph, ordinal), number(graph, 365.25))


def is_leap(graph: Graph, year: str) -> str:
    """Whether a year of an era has 366 days."""
    by4, by100, by400 = (
        graph.add("Equal", remainder(graph, year, n), whole(graph, 0))
        for n in (4, 100, 400)
    )
    return graph.add("Or", graph.add("Xor", by4, by100), by400)


def day_number(graph: Graph, moments: str) -> str:
    """Whole days since 1970, which are negative before."""
    time = remainder(graph, moments, DAY)
    return quotient(graph, graph.add("Sub", moments, time), DAY)


def remainder(graph: Graph, values: str, divisor: int) -> str:
    """What is left, never negative."""
    return graph.add("Mod", values, whole(graph, divisor))


def quotient(graph: Graph, values: str, divisor: int) -> str:
    """The whole quotient."""
    return graph.add("Div", values, whole(graph, divisor))


def as_float(graph: Graph, values: str) -> str:
    """Whole numbers as float64."""
    return graph.add("Cast", values, to="float64")


def as_whole(graph: Graph, values: str) -> str:
    """Booleans as int64."""
    return graph.add("Cast", values, to="int64")


PHASES: Mapping[str, Callable[[Graph, str], str]] = {
    "year": year_phase,
    "week": week_phase,
    "day": day_phase,
}
"""How far a moment is in each of the cycles that `MomentEncoding` knows."""

ENCODINGS: Mapping[type[Encoding], Callable[[Graph, Any, str], list[str]]] = {
    NumberEncoding: number_features,
    MomentEncoding: moment_features,
    CategoryEncoding: category_features,
    CodeEncoding: category_features,
}
"""How each encoding is written in ONNX."""
