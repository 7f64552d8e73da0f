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

from thalweg.data.packed import (
    PARQUET_START,
    START_BYTES,
    chunks_of,
    packing_of,
    require_table,
)
from thalweg.data.records import (
    header_names,
    lines_of,
    of_one_length,
    opening,
    records,
    utf8,
)
from thalweg.errors import DataError

Array = NDArray[Any]
Table = dict[str, Any] | list[dict[str, Any]]
MISSING: tuple[str, ...] = ()  # the file has its own
BOOLEANS: dict[str, str] = {}


# Reading cells ------------------------------------------------------------------------


def cells_of(rows: Table, name: str) -> list[Any]:
    """A column's cells; texts that say that nothing is known are None."""
    if isinstance(rows, dict):
        if name not in rows:
            raise KeyError(f"there must be a column {name!r}; there is {[*rows]}")
        cells = rows[name]
    else:
        for number, row in enumerate(rows, 1):
            if name not in row:
                raise KeyError(f"row {number} must have {name!r}; it has {[*row]}")
        cells = [row[name] for row in rows]
    return [None if is_missing(cell) else cell for cell in cells]


def is_missing(cell: Any) -> bool:
    """Whether a cell says that nothing is known."""
    if isinstance(cell, str):
        return cell.strip() in MISSING
    return cell is None or cell != cell


def as_number(cell: Any) -> float:
    """A cell as a number; NaN where it's none."""
    if isinstance(cell, datetime.timedelta):
        return cell.total_seconds()
    if isinstance(cell, str):
        text = cell.strip()
        usual = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
        return float(text) if usual else math.nan
    if cell is None or isinstance(cell, (datetime.date, datetime.time)):
        return math.nan
    return float(cell)


def as_category(cell: Any) -> str | None:
    """A cell as the text of its category; whole numbers as they are written."""
    if cell is None or isinstance(cell, str):
        return cell if cell is None else cell.strip()
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if np.asarray(cell).dtype.kind == "f":
        whole = float(cell).is_integer() and abs(cell) < 2**53
        return str(int(cell)) if whole else str(cell).replace("e-0", "e-")
    return str(cell)


def as_boolean(cell: Any) -> str | None:
    """A cell as "true" or "false"; None where it's neither."""
    text = as_category(cell)
    return None if text is None else BOOLEANS.get(text.lower())


def as_date(cell: Any) -> datetime.datetime | None:
    """A cell as a date and time without a zone, in UTC; None where it's none."""
    if isinstance(cell, datetime.datetime):
        aware = cell.tzinfo is not None
        in_utc = cell.astimezone(datetime.UTC) if aware else cell
        return in_utc.replace(tzinfo=None)
    if isinstance(cell, datetime.date):
        return datetime.datetime(cell.year, cell.month, cell.day)
    if not isinstance(cell, str):
        return None
    found = re.fullmatch(
        r"\+?(\d{1,4})-(\d\d?)-(\d\d?)"
        r"(?:(?:T|\s+)(\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d+))?)?"
        r"\s*(Z|[+-]\d\d(?::?\d\d)?)?)?",
        cell.strip(),
        re.ASCII,
    )
    if found is None:
        return None
    *parts, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    micros = int(f"{fraction or 0:0<6}"[:6])
    later = datetime.timedelta(seconds=1 if second == 60 else 0)
    try:
        moment = datetime.datetime(
            year, month, day, hour, minute, min(second, 59), micros
        )
        return moment + later - offset_of(zone)
    except (ValueError, OverflowError):
        return None


def offset_of(zone: str | None) -> datetime.timedelta:
    """How far a zone such as +02:00 is before UTC."""
    if zone in (None, "Z"):
        return datetime.timedelta(0)
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return datetime.timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def as_time(cell: Any) -> datetime.time | None:
    """A cell as a time of day; None where it's none."""
    if isinstance(cell, datetime.time):
        return cell
    if not isinstance(cell, str):
        return None
    form = r"(\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d+))?)?"
    found = re.fullmatch(form, cell.strip(), re.ASCII)
    if found is None:
        return None
    *parts, fraction = found.groups()
    hour, minute, second = (int(part or 0) for part in parts)
    try:
        return datetime.time(hour, minute, second, int(f"{fraction or 0:0<6}"[:6]))
    except ValueError:
        return None


# Rows of numbers ----------------------------------------------------------------------


def as_rows(X: Any, dtype: str, shape: tuple[int, ...]) -> Array:
    """Rows of numbers; of another shape they are an error."""
    rows = np.asarray(X, dtype)
    if rows.shape[1:] != shape or not rows.ndim:
        wanted = ", ".join(["rows", *map(str, shape)])
        raise ValueError(f"X must have shape ({wanted}), got {rows.shape}")
    return rows


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
) -> list[Array]:
    """The number standardized, its normal score, whether it is missing."""
    values = np.array([as_number(cell) for cell in cells], dtype=float)
    absent = ~np.isfinite(values)
    values[absent] = fill
    columns = [scaled(values, mean, deviation)]
    if knots is not None and scores is not None:
        columns.append(np.interp(values, knots, scores))
    return [*columns, absent] if missing else columns


def date(
    cells: list[Any],
    *,
    fill: float,
    mean: float,
    deviation: float,
    missing: bool,
    cycles: tuple[str, ...],
) -> list[Array]:
    """How far along a date is, where in year, week and day, whether it's missing."""
    start = datetime.datetime(1970, 1, 1)
    one_day = datetime.timedelta(days=1)
    moments = [as_date(cell) for cell in cells]
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
    cells: list[Any], categories: list[str], *, other: bool, missing: bool
) -> list[Array]:
    """For each category whether the cell holds it; the same for all others."""
    texts = np.array([as_category(cell) for cell in cells], dtype=object)
    return one_of(texts, categories, other, missing)


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


def code(cells: list[Any], categories: list[str]) -> list[Array]:
    """The category's number: 0 for those that have none, 1 where it's missing."""
    numbers = {name: place for place, name in enumerate(categories, 2)}
    texts = [as_category(cell) for cell in cells]
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
    if not any(math.isnan(as_number(cell)) for cell in first[1]):
        rows = [first[1], *rows]
    return np.array([[as_number(cell) for cell in cells] for cells in rows])


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
