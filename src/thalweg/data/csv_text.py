"""CSV: polars reads the plain ones fast; the rest is read record by record.

polars fills a row that is too short with empty cells and says nothing. So its result
is believed only where the separators in the file are as many as its cells need;
otherwise every record is read again by the standard library's parser, which knows
the line it stands on.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
from polars import selectors

from thalweg.data.words import counted, listed
from thalweg.errors import DataError

SEPARATORS = ",\t;|"
SNIFFED_RECORDS = 50

Record = tuple[int, list[str]]
"""The line a record starts on, and its cells."""


def read_csv(path: Path) -> pl.DataFrame:
    """The cells of a CSV file, all as text, under the names in its first line.

    Raises:
        DataError: it isn't text, holds nothing, or its rows differ in length.
    """
    data = utf8(path)
    separator = sniff_separator(data)
    first = next(records(lines_of(data), separator, path.name), None)
    if first is None:
        raise DataError(f"{path.name}: there must be a header and rows; it is empty")
    line, header = first
    names = checked_names(f"{path.name}, line {line}", header)
    columns = _fast(data, separator, header)
    if columns is None:
        columns = _careful(data, separator, path.name)
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


def checked_names(where: str, header: Sequence[str]) -> list[str]:
    """Column names without the space around them.

    Raises:
        DataError: two columns share a name, or one other than the first has none.
    """
    names = [name.strip() for name in header]
    # pandas and R write row numbers as a first column without a name.
    if "" in names[1:]:
        position = names.index("", 1) + 1
        raise DataError(f"{where}: column {position} must have a name, but has none")
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        positions = [str(i) for i, name in enumerate(names, 1) if name == repeated]
        raise DataError(
            f"{where}: column names must differ, but {listed([repeated])} is the name "
            f"of columns {', '.join(positions[:-1])} and {positions[-1]}"
        )
    return names


def line_of(path: Path, row: int) -> int:
    """The line, counted from 1, on which a row of the table (counted from 0) starts."""
    data = utf8(path)
    found = records(lines_of(data), sniff_separator(data), path.name)
    lines = (line for line, _ in found)
    return next(islice(lines, row + 1, None), row + 2)


def sniff_separator(data: bytes) -> str:
    r"""The separator that cuts the first lines into rows of one length, the longest.

    >>> sniff_separator(b"name;price\nbread;1,20\nmilk;0,90\n")
    ';'
    """
    head = data[: 1 << 16].decode("utf-8", errors="ignore")
    return max(SEPARATORS, key=lambda separator: _fit(head, separator))


def _fit(head: str, separator: str) -> tuple[float, int]:
    """How well a separator fits: the share of rows as long as the first; its length."""
    try:
        records = csv.reader(
            io.StringIO(head, newline=""), delimiter=separator, skipinitialspace=True
        )
        widths = [len(cells) for cells in islice(records, SNIFFED_RECORDS) if cells]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]


def utf8(path: Path) -> bytes:
    """The file's bytes as UTF-8 without a byte order mark."""
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = decoded(data, "utf-16", path.name).encode()
    else:
        data = data.removeprefix(codecs.BOM_UTF8)
    require_text(data, path.name)
    return data


def require_text(data: bytes, name: str) -> None:
    """The bytes are UTF-8 without a zero byte.

    Raises:
        DataError: they aren't; the message names the line.
    """
    if not data.isascii():
        decoded(data, "utf-8", name)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise DataError(
            f"{name}, line {line}: must be text, but holds a zero byte "
            f"(a binary file, or UTF-16 without its mark?)"
        )


def decoded(data: bytes, encoding: str, name: str) -> str:
    """The text of some bytes.

    Raises:
        DataError: they aren't text in that encoding.
    """
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {line}: must be text in {encoding.upper()}, but byte "
            f"{data[error.start]:#04x} at offset {error.start} isn't; save it as UTF-8"
        ) from None


def _fast(data: bytes, separator: str, header: list[str]) -> list[pl.Series] | None:
    """What polars reads, or None where it may differ from what the file says."""
    data = data.strip(b"\r\n")
    if len(header) < 2 or unusual(data, separator):
        return None
    try:
        frame = pl.read_csv(
            data + b"\n",
            separator=separator,
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if frame.width != len(header) or not balanced(data, separator, frame, header):
        return None
    return frame.get_columns()


def unusual(data: bytes, separator: str) -> bool:
    """Whether lines or quotes are such that parsers disagree about them."""
    # NumPy counts and compares bytes many times as fast as `bytes` does.
    characters = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    returned = np.zeros(len(ends), np.bool_)
    returns = 0
    if b"\r" in data:
        returns = np.count_nonzero(characters == ord("\r"))
        returned = (characters[ends - 1] == ord("\r")) & (ends > 0)
    lone_returns = returns != np.count_nonzero(returned)
    blank_lines = bool((np.diff(ends) - returned[1:] == 1).any())
    return lone_returns or blank_lines or not plainly_quoted(data, separator)


def plainly_quoted(data: bytes, separator: str) -> bool:
    """Whether quotes stand in pairs around whole cells, and nowhere else."""
    if b'"' not in data:
        return True
    characters = np.frombuffer(b"\n" + data + b"\n", np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    borders = np.frombuffer(b"\r\n" + separator.encode(), np.uint8)
    opened = np.isin(characters[quotes[0::2] - 1], borders)
    closed = np.isin(characters[quotes[1::2] + 1], borders)
    return len(opened) == len(closed) and bool(opened.all() and closed.all())


def balanced(
    data: bytes, separator: str, frame: pl.DataFrame, header: Sequence[str] = ()
) -> bool:
    """Whether there are just the separators that the cells need, and the header's.

    A longer row makes polars fail, so if none is missing in all, none is anywhere.
    """
    inside = 0
    if b'"' in data:
        # A number holds no separator.
        counts = frame.select(
            selectors.string().str.count_matches(separator, literal=True).sum()
        )
        inside = sum(count or 0 for count in counts.row(0)) if counts.width else 0
        inside += sum(cell.count(separator) for cell in header)
    needed = (frame.width - 1) * (frame.height + bool(header))
    separators = np.frombuffer(data, np.uint8) == ord(separator)
    return int(np.count_nonzero(separators)) - inside == needed


def _careful(data: bytes, separator: str, name: str) -> list[pl.Series]:
    """Every record by the standard library's parser, rows of one length only."""
    found = records(lines_of(data), separator, name)
    header = next(found)
    rows = [cells for _, cells in of_one_length(found, header, name)]
    return text_columns(rows, len(header[1]))


def of_one_length(
    found: Iterator[Record], header: Record, name: str
) -> Iterator[Record]:
    """The records, if each has as many cells as the header.

    Raises:
        DataError: one hasn't; the message names its line.
    """
    header_line, names = header
    for line, cells in found:
        if len(cells) != len(names):
            raise DataError(
                f"{name}, line {line}: must have {counted(len(names), 'cell')} like "
                f"the header on line {header_line}, but has {len(cells)}"
            )
        yield line, cells


def text_columns(rows: Sequence[Sequence[str]], width: int) -> list[pl.Series]:
    """Rows of texts as columns."""
    places = [str(position) for position in range(width)]
    return pl.DataFrame(
        rows, dict.fromkeys(places, pl.String), orient="row"
    ).get_columns()


def line_count(data: bytes) -> int:
    """How many lines end in the data: with \\n, \\r or both."""
    characters = np.frombuffer(data, np.uint8)
    count = int(np.count_nonzero(characters == ord("\n")))
    if b"\r" not in data:
        return count
    returns = np.count_nonzero(characters == ord("\r"))
    return count + int(returns) - data.count(b"\r\n")


def lines_of(data: bytes) -> Iterator[str]:
    """Lines of UTF-8, with whatever ends them."""
    return iter(io.StringIO(data.decode("utf-8"), newline=""))


def records(
    lines: Iterable[str], separator: str, name: str, before: int = 0
) -> Iterator[Record]:
    """The records that aren't blank, each with the line it starts on.

    Args:
        lines: with their ends.
        separator: between cells.
        name: the file's, for messages.
        before: how many lines of the file come before these.

    Raises:
        DataError: they break the rules of CSV.
    """
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    line = before + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{name}, line {line}: must follow the rules of CSV, "
                f"but the parser found: {error}"
            ) from None
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield line, cells
        line = before + reader.line_num + 1
