"""What an exported file of Python needs beside its formulas, over NumPy alone.

The functions are written out into the file, those that it needs, and so stand by
themselves: they use each other, those that read tables (`records`, `packed` and `words`
of `thalweg.data`), NumPy and the standard library.
"""

from __future__ import annotations

import base64
import datetime
import io
import math
import re
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import DataError
from thalweg.tables.packed import (
    PARQUET_START,
    START_BYTES,
    chunks_of,
    packing_of,
    require_table,
)
from thalweg.tables.records import (
    header_names,
    lines_of,
    of_one_length,
    opening,
    records,
    utf8,
)

Array = NDArray[Any]
Table = dict[str, Any] | list[dict[str, Any]]
MISSING: tuple[str, ...] = ()  # the file has its own constants
BOOLEANS: dict[str, str] = {}
NUMBER = DATE = TIME = DURATION = ""
DATE_PARTS: tuple[str, ...] = ()


# Reading cells ------------------------------------------------------------------------


def cells_of(rows: Table, name: str) -> list[Any]:
    """A column's cells, stripped; None where there is nothing."""
    if isinstance(rows, dict):
        if name not in rows:
            raise KeyError(f"there must be a column {name!r}; there is {[*rows]}")
        cells = rows[name]
    else:
        for number, row in enumerate(rows, 1):
            if name not in row:
                raise KeyError(f"row {number} must have {name!r}; it has {[*row]}")
        cells = [row[name] for row in rows]
    stripped = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    return [None if is_nothing(cell) else cell for cell in stripped]


def is_nothing(cell: Any) -> bool:
    """Whether a cell holds nothing at all."""
    if cell is None or cell is np.ma.masked:
        return True
    return cell != cell if not isinstance(cell, str) else not cell


def without(cells: list[Any], absent: tuple[str, ...]) -> list[Any]:
    """The cells, None where they hold a text that means "missing", or its number."""
    numbers = [as_plain_number(text) for text in absent]

    def is_absent(cell: Any) -> bool:
        number = math.nan if isinstance(cell, str) else as_plain_number(cell)
        return as_category(cell) in absent or any(number == each for each in numbers)

    return [None if is_absent(cell) else cell for cell in cells]


def as_plain_number(cell: Any) -> float:
    """A cell as Python reads it; NaN where that is no number."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan


def as_number(
    cell: Any, pattern: str, between: str = "", skip: str = "", words: bool = False
) -> float:
    """A cell as a number; NaN where it's none.

    Of a text the pattern finds (, two signs, whole, rest, rest, exponent, minus, );
    and nothing of a bare zero.
    """
    if isinstance(cell, datetime.timedelta):
        return cell.total_seconds()
    if not isinstance(cell, str):
        moment = isinstance(cell, (datetime.date, datetime.time))
        return math.nan if cell is None or moment else float(cell)
    found = re.fullmatch(pattern, cell)
    if found is None or (skip and re.match(skip, cell)):
        said = {"false": 0.0, "true": 1.0}.get(BOOLEANS.get(cell.lower(), ""))
        return math.nan if said is None or not words else said
    opened, first, second, whole, rest, alone, exponent, behind, closed = found.groups()
    digits = re.sub(between, "", whole or "0") if between else whole or "0"
    size = float(f"{digits}.{rest or alone or 0}{exponent or ''}")
    signs = [sign for sign in (opened, first, second, behind) if sign and sign != "+"]
    if len(signs) > 1 or bool(opened) != bool(closed):
        return math.nan
    return -size if signs else size


def as_duration(cell: Any) -> float:
    """Hours, minutes and seconds, perhaps after days, as seconds; NaN for others."""
    if not isinstance(cell, str):
        return as_number(cell, NUMBER)
    found = re.fullmatch(DURATION, cell)
    if found is None:
        return math.nan
    sign, *given = found.groups()
    days, hours, minutes, seconds = (
        float((part or "0").replace(",", ".")) for part in given
    )
    size = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return -size if sign and sign != "+" else size


def as_category(cell: Any) -> str | None:
    """A cell as the text of its category; whole numbers as they are written."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if np.asarray(cell).dtype.kind == "f":
        whole = float(cell).is_integer() and abs(cell) < 2**53
        return str(int(cell)) if whole else str(cell).replace("e-0", "e-")
    if type(cell).__name__ == "Decimal":
        text = f"{cell:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(cell)


def as_boolean(cell: Any) -> str | None:
    """A cell as "true" or "false"; None where it's neither."""
    text = as_category(cell)
    return None if text is None else BOOLEANS.get(text.lower())


def as_date(
    cell: Any, pattern: str, parts: tuple[str, ...]
) -> datetime.datetime | None:
    """A cell as a date and time without a zone, in UTC; None where it's none."""
    if isinstance(cell, datetime.datetime):
        aware = cell.tzinfo is not None
        in_utc = cell.astimezone(datetime.UTC) if aware else cell
        return in_utc.replace(tzinfo=None)
    if isinstance(cell, datetime.date):
        return datetime.datetime(cell.year, cell.month, cell.day)
    if np.asarray(cell).dtype.kind in "iu" and pattern != DATE:
        cell = str(cell)
    if not isinstance(cell, str):
        return None
    found = re.fullmatch(pattern, cell)
    if found is None:
        return None
    there = {
        name: text for name, text in zip(parts, found.groups(), strict=True) if text
    }
    try:
        day = day_of(there)
        hour, minute, second, micros = clock_of(there)
        clock = datetime.time(hour, minute, min(second, 59), micros)
        later = datetime.timedelta(seconds=1 if second == 60 else 0)
        moment = datetime.datetime.combine(day, clock) + later
        return moment - offset_of(there.get("zone"))
    except (ValueError, OverflowError):
        return None


def day_of(parts: dict[str, str]) -> datetime.date:
    """The day of a date's parts."""
    if "year" in parts:
        year = int(parts["year"])
    else:
        short = int(parts["short_year"])
        year = short + (1900 if short >= 69 else 2000)
    if "day_of_year" in parts:
        days = datetime.timedelta(days=int(parts["day_of_year"]) - 1)
        day = datetime.date(year, 1, 1) + days
        if day.year != year:
            raise ValueError(parts["day_of_year"])
        return day
    month = int(parts.get("month", 1))
    if "month_name" in parts:
        names = [
            "jan",
            "feb",
            "mar",
            "apr",
            "may",
            "jun",
            "jul",
            "aug",
            "sep",
            "oct",
            "nov",
            "dec",
        ]
        month = names.index(parts["month_name"][:3].lower()) + 1
    return datetime.date(year, month, int(parts.get("day", 1)))


def clock_of(parts: dict[str, str]) -> tuple[int, int, int, int]:
    """Hour, minute, second and microsecond of a time's parts."""
    hour = int(parts.get("hour", 0))
    if "half" in parts:
        if not 1 <= hour <= 12:
            raise ValueError(parts["hour"])
        hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
    fraction = int(f"{parts.get('fraction', '0'):0<6}"[:6])
    return hour, int(parts.get("minute", 0)), int(parts.get("second", 0)), fraction


def offset_of(zone: str | None) -> datetime.timedelta:
    """How far a zone such as +02:00 is before UTC."""
    if zone is None or zone[0] not in "+-":
        return datetime.timedelta(0)
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return datetime.timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def as_time(cell: Any) -> datetime.time | None:
    """A cell as a time of day; None where it's none."""
    if isinstance(cell, datetime.time):
        return cell
    found = re.fullmatch(TIME, cell) if isinstance(cell, str) else None
    if found is None:
        return None
    names = ("hour", "minute", "second", "fraction", "half")
    parts = {n: text for n, text in zip(names, found.groups(), strict=True) if text}
    try:
        hour, minute, second, micros = clock_of(parts)
        return datetime.time(hour, minute, min(second, 59), micros)
    except ValueError:
        return None


# Rows of numbers ----------------------------------------------------------------------


def as_rows(X: Any, dtype: str, shape: tuple[int, ...]) -> Array:
    """Rows of numbers; of another shape, or with a masked cell, they are an error."""
    rows = np.ma.asarray(X, np.dtype(dtype))
    if np.ma.is_masked(rows):
        raise ValueError("X must have no masked cell: leave such rows out, or fill in")
    rows = rows.data
    if rows.shape[1:] != shape or not rows.ndim:
        wanted = ", ".join(["rows", *map(str, shape)])
        raise ValueError(f"X must have shape ({wanted}), got {rows.shape}")
    return rows


def as_sequences(X: Any, dtype: str, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Arrays of different lengths as one with zeros behind them, and their lengths."""
    rows = [np.asarray(row, np.dtype(dtype)) for row in X]
    result = np.zeros((len(rows), *shape), np.dtype(dtype))
    for number, row in enumerate(rows):
        if not 1 <= len(row) <= shape[0] or row.shape[1:] != shape[1:]:
            wanted = ", ".join(["times", *map(str, shape[1:])])
            raise ValueError(
                f"X[{number}] must have shape ({wanted}) with 1 to {shape[0]} times, "
                f"got {row.shape}"
            )
        result[number, : len(row)] = row
    return result, np.array([len(row) for row in rows], np.int32)


def all_finite(rows: Array) -> Array:
    """The rows; a missing or infinite number is an error."""
    wrong = ~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1)
    if wrong.any():
        raise ValueError(f"X must hold finite numbers: row {wrong.argmax()} doesn't")
    return rows


# Features -----------------------------------------------------------------------------


def scaled(values: Array, mean: float, deviation: float) -> Array:
    """(x − mean) / deviation, limited to ±10."""
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / deviation, -10, 10)


def number(
    cells: list[Any],
    *,
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
    knots: list[float] | None = None,
    scores: list[float] | None = None,
    pattern: str = NUMBER,
    between: str = "",
    skip: str = "",
    words: bool = False,
) -> list[Array]:
    """The number standardized, its normal score, whether it is missing."""
    how = (pattern, between, skip, words)
    numbers = [as_number(cell, *how) for cell in cells]
    return number_columns(numbers, fill, mean, deviation, missing, knots, scores)


def duration(
    cells: list[Any],
    *,
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
    knots: list[float] | None = None,
    scores: list[float] | None = None,
) -> list[Array]:
    """The same for how long something took, in seconds."""
    numbers = [as_duration(cell) for cell in cells]
    return number_columns(numbers, fill, mean, deviation, missing, knots, scores)


def number_columns(
    numbers: list[float],
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
    knots: list[float] | None,
    scores: list[float] | None,
) -> list[Array]:
    """Numbers standardized, their normal scores, whether they are missing."""
    values = np.array(numbers, dtype=float)
    absent = ~np.isfinite(values)
    values[absent] = fill
    columns = [scaled(values, mean, deviation)]
    if knots is not None and scores is not None:
        columns.append(np.clip(np.interp(values, knots, scores), scores[0], scores[-1]))
    return [*columns, absent] if missing else columns


def date(
    cells: list[Any],
    *,
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
    cycles: tuple[str, ...],
    pattern: str = DATE,
    parts: tuple[str, ...] = DATE_PARTS,
) -> list[Array]:
    """How far along a date is, where in year, week and day, whether it's missing."""
    start = datetime.datetime(1970, 1, 1)
    one_day = datetime.timedelta(days=1)
    moments = [as_date(cell, pattern, parts) for cell in cells]
    known = [start if moment is None else moment for moment in moments]
    phases = {
        "year": [moment.timetuple().tm_yday / 365.25 for moment in known],
        "week": [moment.isoweekday() / 7 for moment in known],
        "day": [day_phase(moment) for moment in known],
    }
    days = [(moment - start) / one_day for moment in known]
    angles = [phases[cycle] for cycle in cycles]
    return moment_columns(moments, days, angles, fill, mean, deviation, missing)


def time(
    cells: list[Any],
    *,
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
    cycles: tuple[str, ...],
) -> list[Array]:
    """How far along a time of day is, as it is and as a phase, whether it's missing."""
    moments = [as_time(cell) for cell in cells]
    known = [datetime.time() if moment is None else moment for moment in moments]
    days = [day_phase(moment) + moment.microsecond / 86_400e6 for moment in known]
    angles = [[day_phase(moment) for moment in known] for _ in cycles]
    return moment_columns(moments, days, angles, fill, mean, deviation, missing)


def day_phase(moment: Any) -> float:
    """How far the day is, from 0 to 1, to the second."""
    return (moment.hour + moment.minute / 60 + moment.second / 3600) / 24


def moment_columns(
    moments: list[Any],
    days: list[float],
    phases: list[list[float]],
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
) -> list[Array]:
    """The moment standardized, sine and cosine of each phase, whether it's missing."""
    absent = np.array([moment is None for moment in moments], dtype=bool)
    columns = [scaled(np.where(absent, fill, np.array(days, float)), mean, deviation)]
    for phase in phases:
        angle = 2 * np.pi * np.array(phase, float)
        columns.append(np.where(absent, 0, np.sin(angle)))
        columns.append(np.where(absent, 0, np.cos(angle)))
    return [*columns, absent] if missing else columns


def category(
    cells: list[Any],
    categories: list[str],
    *,
    other: bool,
    missing: bool,
    absent: tuple[str, ...] = MISSING,
) -> list[Array]:
    """For each category whether the cell holds it; the same for all others."""
    texts = np.array([known(as_category(cell), absent) for cell in cells], dtype=object)
    return one_of(texts, categories, other, missing)


def known(text: str | None, absent: tuple[str, ...]) -> str | None:
    """The text, None where it means "missing"."""
    return None if text in absent else text


def boolean(
    cells: list[Any], categories: list[str], *, other: bool, missing: bool
) -> list[Array]:
    """Whether the cell says no, whether it says yes."""
    texts = np.array([as_boolean(cell) for cell in cells], dtype=object)
    return one_of(texts, categories, other, missing)


def one_of(
    texts: Array, categories: list[str], other: bool, missing: bool
) -> list[Array]:
    """For each category whether a text is it, then others and missing ones."""
    absent = np.array([text is None for text in texts], dtype=bool)
    columns: list[Array] = [texts == name for name in categories]
    known = np.any([absent, *columns], axis=0)
    return [*columns, *([~known] if other else []), *([absent] if missing else [])]


def code(
    cells: list[Any], categories: list[str], *, absent: tuple[str, ...] = MISSING
) -> list[Array]:
    """The category's number: 0 for those that have none, 1 where it's missing."""
    numbers = {name: place for place, name in enumerate(categories, 2)}
    texts = [known(as_category(cell), absent) for cell in cells]
    return [np.array([1 if t is None else numbers.get(t, 0) for t in texts], float)]


def boolean_code(cells: list[Any], categories: list[str]) -> list[Array]:
    """The same for cells that say yes or no."""
    return code([as_boolean(cell) for cell in cells], categories)


# Functions that NumPy lacks -----------------------------------------------------------


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^−x)."""
    return 1 / (1 + np.exp(-x))


def softplus(x: Array) -> Array:
    """log(1 + e^x), which never overflows."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: Array) -> Array:
    """2/√π ∫ e^(−t²) dt from 0 to x."""
    return np.array([math.erf(v) for v in x.ravel()], x.dtype).reshape(x.shape)


def take(table: Array, indices: Array) -> Array:
    """Rows of a table; a number outside it is an error, never a wrong row."""
    if indices.size and (indices.min() < 0 or indices.max() >= len(table)):
        raise IndexError(
            f"row numbers must lie in 0..{len(table) - 1}, "
            f"got {indices.min()}..{indices.max()}"
        )
    return table[indices]


def pad(x: Array, starts: Any, steps: Any, shape: Any) -> Array:
    """The array set into zeros, from start by step along each axis."""
    result = np.zeros(shape, x.dtype)
    sizes = zip(starts, steps, x.shape, strict=True)
    result[tuple(slice(a, a + s * n, s) for a, s, n in sizes)] = x
    return result


def windows(
    x: Array, axes: Any, sizes: Any, steps: Any, spacing: Any, written: bool = False
) -> Array:
    """All parts of x of these sizes along axes, their own axes behind the last."""
    reach = [(n - 1) * apart + 1 for n, apart in zip(sizes, spacing, strict=True)]
    sliding = np.lib.stride_tricks.sliding_window_view
    seen = sliding(x, reach, axes, writeable=written)
    kept = [slice(None)] * x.ndim
    for axis, step in zip(axes, steps, strict=True):
        kept[axis] = slice(None, None, step)
    seen = seen[(*kept, *(slice(None, None, apart) for apart in spacing))]
    behind = range(axes[-1] + 1, axes[-1] + 1 + len(axes))
    return np.moveaxis(seen, range(x.ndim, seen.ndim), behind)


def add_windows(
    x: Array, axes: Any, sizes: Any, steps: Any, spacing: Any, shape: Any
) -> Array:
    """Zeros of a shape to which each window is added where it belongs."""
    result = np.zeros(shape, x.dtype)
    places = windows(result, axes, sizes, steps, spacing, written=True)
    behind = (slice(None),) * (axes[-1] + 1)
    for element in np.ndindex(*sizes):  # one after the other, since windows overlap
        places[(*behind, *element)] += x[(*behind, *element)]
    return result


def share_max(x: Array, part: Array, axes: Any) -> Array:
    """The part of each maximum, shared by the elements that are as large."""
    is_largest = x == np.max(x, axes, keepdims=True)
    count = np.sum(is_largest, axes, x.dtype, keepdims=True)
    return np.where(is_largest, part / count, x.dtype.type(0))


def scatter_add(x: Array, indices: Array, rows: int) -> Array:
    """Zeros, and each row of x added to the row that its index names."""
    result = np.zeros((rows, *x.shape[indices.ndim :]), x.dtype)
    np.add.at(result, indices, x)
    return result


def random_bits(seed: Any, step: Any, operation: int, shape: Any) -> Array:
    """Random words by counting: Philox4x32-10."""
    size = math.prod(shape)
    words = np.zeros((4, -(-size // 4)), np.uint64)
    words[0] = np.arange(words.shape[1])
    words[1], words[2] = operation, int(step) & 0xFFFFFFFF
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for turn in range(10):
        key0 = np.uint64((int(seed) + turn * 0x9E3779B9) & 0xFFFFFFFF)
        key1 = np.uint64((turn * 0xBB67AE85) & 0xFFFFFFFF)
        a, b = words[0] * np.uint64(0xD2511F53), words[2] * np.uint64(0xCD9E8D57)
        mixed = [(b >> half) ^ words[1] ^ key0, b & low, (a >> half) ^ words[3] ^ key1]
        words = np.stack([*mixed, a & low])
    return words.T.reshape(-1)[:size].astype(np.uint32).reshape(shape)


# Arrays -------------------------------------------------------------------------------


def array(dtype: str, shape: tuple[int, ...], text: str) -> Array:
    """An array from its bytes, lowest byte first, in base64."""
    numbers = np.frombuffer(base64.b64decode(text), np.dtype(dtype).newbyteorder("<"))
    return numbers.astype(dtype).reshape(shape)


# Files --------------------------------------------------------------------------------


def read_csv(
    path: str,
    separator: str | None = None,
    encoding: str | None = None,
    skip_rows: int = 0,
    comment: str | None = None,
) -> dict[str, list[str]]:
    """The cells of a CSV file as columns, a list of texts each.

    What is None is found out, by the first lines or by a mark at the start.
    """
    data = utf8(content_of(path), path, encoding)
    found, header, at, before = opening(data, path, separator, skip_rows, comment)
    names = header_names(path, header)
    cut = records(lines_of(data[at:]), found, path, before, comment)
    rows = [cells for _, cells in of_one_length(cut, header, path)]
    if not rows:
        raise DataError(f"{path}: there must be at least one row below the header")
    return {name: [cells[i] for cells in rows] for i, name in enumerate(names)}


def read_numbers(path: str) -> Array:
    """The numbers of a CSV file, shape (rows, columns), with or without a header."""
    data = utf8(content_of(path), path)
    separator, first, at, before = opening(data, path)
    cut = records(lines_of(data[at:]), separator, path, before)
    rows = [cells for _, cells in of_one_length(cut, first, path)]
    found = [
        [as_number(c.strip(), NUMBER) for c in cells] for cells in (first[1], *rows)
    ]
    header = any(math.isnan(number) for number in found[0])
    return np.array(found[1:] if header else found)


def content_of(path: str) -> bytes:
    """The text of a file, packed or not; of standard input where the path is -."""
    if path == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(path, "rb") as file:
            data = file.read()
    if packing := packing_of(data):
        size = len(data)
        data = b"".join(chunks_of(io.BytesIO(data), 2**20, packing, size, path))
    require_table(data[:START_BYTES], path)
    if data.startswith(PARQUET_START):
        raise DataError(f"{path}: must be text here, but is Parquet; save it as CSV")
    return data
