"""CSV: polars reads the plain ones fast; the rest is read record by record.

polars fills a row that is too short with empty cells and says nothing. So its result
is believed only where the separators in the file are as many as its cells need;
otherwise every record is read again by the standard library's parser, which knows
the line it stands on.
"""

import codecs
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
from polars import selectors

from thalweg.tables.dialect import Dialect
from thalweg.tables.records import (
    SNIFFED_BYTES,
    header_names,
    lines_of,
    of_one_length,
    opening,
    records,
    sniffed,
    utf8,
)
from thalweg.tables.room import require_room
from thalweg.tables.source import File

BYTES_A_BYTE, BYTES_A_CELL = 8, 256
"""What reading takes for each byte of a file, and for each of its cells."""

Record = tuple[int, list[str]]
"""The line a record starts on, and its cells."""


def read_csv(file: File, dialect: Dialect) -> pl.DataFrame:
    """The cells of a CSV file, all as text, under the names in its header.

    Raises:
        DataError: it isn't text, holds nothing, or its rows differ in length.
    """
    data = text_of(file, dialect)
    layout = Layout.of(data, file.name, dialect)
    rows = data[layout.at :]
    require_room(memory_for(rows, layout.separator), f"reading {file.name}")
    columns = None
    if layout.suits_polars(rows):
        columns = layout.parsed(whole_lines(rows))
    if columns is None:
        found = layout.rows(lines_of(rows), layout.before)
        columns = text_columns([cells for _, cells in found], len(layout.names))
    return pl.DataFrame(dict(zip(layout.names, columns, strict=True)))


def memory_for(rows: bytes, separator: str) -> int:
    """What reading such lines takes: the texts, and what points to each cell's."""
    characters = np.frombuffer(rows, np.uint8)
    # Any of its bytes, since a separator may be several.
    ends = np.isin(characters, np.frombuffer(f"\n{separator}".encode(), np.uint8))
    return BYTES_A_BYTE * len(rows) + BYTES_A_CELL * int(np.count_nonzero(ends))


@dataclass
class StartLines:
    """The line, counted from 1, on which a row (counted from 0) starts.

    Rows are gone through again from the first one, so what is found is kept: a wide
    table may be asked for a row of each column.

    Arguments:
        rows: how many lines come before the first row, and the records from there on.
    """

    rows: Callable[[], tuple[int, Iterator[Record]]]
    # How many rows were gone through, the lines before them, and theirs; put in its
    # place at once, as another thread may ask.
    _found: "tuple[int, int, array[int]]" = field(default=(0, 0, array("q")))

    def __call__(self, row: int) -> int:
        """The line of a row."""
        count, before, known = self._found
        if row >= count:
            count = max(row + 1, 2 * count)
            before, rows = self.rows()
            known = array("q", (line for line, _ in islice(rows, count)))
            self._found = count, before, known
        return known[row] if row < len(known) else before + row + 1


def rows_of(file: File, dialect: Dialect) -> tuple[int, Iterator[Record]]:
    """How many lines come before a file's rows, and its rows."""
    data = text_of(file, dialect)
    layout = Layout.of(data, file.name, dialect)
    return layout.before, layout.records(lines_of(data[layout.at :]), layout.before)


def text_of(file: File, dialect: Dialect) -> bytes:
    """A file's text as UTF-8.

    Raises:
        DataError: it isn't text in its encoding.
    """
    file.require_text()
    return utf8(file.content(), file.name, dialect.encoding)


def sniff_separator(data: bytes) -> str:
    r"""The separator that cuts the first lines into rows of one length, the longest.

    >>> sniff_separator(b"name;price\nbread;1,20\nmilk;0,90\n")
    ';'
    """
    return sniffed(data[:SNIFFED_BYTES])


@dataclass(frozen=True)
class Layout:
    """How a file's rows are written, and where they start.

    Arguments:
        name: the file's, for messages.
        separator: between cells.
        comment: what lines start with that are left out.
        header: the record of names, as it is in the file.
        names: of the columns.
        at: the byte at which the rows start.
        before: how many lines come before them.
    """

    name: str
    separator: str
    comment: str | None
    header: Record
    names: list[str]
    at: int
    before: int

    @classmethod
    def of(cls, data: bytes, name: str, dialect: Dialect) -> "Layout":
        """The layout of a text that starts so, in UTF-8.

        Raises:
            DataError: there is no header, or its names can't be used.
        """
        comment = dialect.comment
        separator, header, at, before = opening(
            data, name, dialect.separator, dialect.skip_rows, comment
        )
        names = header_names(name, header)
        return cls(name, separator, comment, header, names, at, before)

    def records(self, lines: Iterable[str], before: int) -> Iterator[Record]:
        """The records in lines, so many lines of the file before them."""
        return records(lines, self.separator, self.name, before, self.comment)

    def rows(self, lines: Iterable[str], before: int) -> Iterator[Record]:
        """The same, all as long as the header.

        Raises:
            DataError: one isn't, or they break the rules of CSV.
        """
        return of_one_length(self.records(lines, before), self.header, self.name)

    def suits_polars(self, data: bytes) -> bool:
        """Whether polars and Python agree on what separates cells, rows and texts."""
        return (
            len(self.names) > 1
            and len(self.separator.encode()) == 1
            and self.separator != " "
            and not has_comments(data, self.comment)
            and plain_lines(data, self.separator)
        )

    def parsed(
        self,
        data: bytes,
        types: Mapping[str, Any] | None = None,
        null_values: Sequence[str] = (),
    ) -> list[pl.Series] | None:
        """What polars reads, or None where it may differ from what the file says.

        Arguments:
            data: whole lines that suit it.
            types: what cells of some columns are read as; those of others stay text.
            null_values: what is missing in columns that aren't text.
        """
        schema = {name: (types or {}).get(name, pl.String) for name in self.names}
        try:
            frame = pl.read_csv(
                data,
                separator=self.separator,
                has_header=False,
                schema=schema,
                null_values=list(null_values) if types else None,
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        if frame.width != len(schema) or not balanced(data, self.separator, frame):
            return None
        return frame.get_columns()


def has_comments(data: bytes, comment: str | None) -> bool:
    """Whether a line starts as a comment does, be it within a cell."""
    if comment is None:
        return False
    mark = comment.encode()
    return data.startswith(mark) or any(end + mark in data for end in (b"\n", b"\r"))


def whole_lines(data: bytes) -> bytes:
    """The lines without blank ones first and last, all of which end."""
    return data if is_dense(data) else data.strip(b"\r\n") + b"\n"


def is_dense(data: bytes) -> bool:
    """Whether there are lines that aren't blank first and last, and all end."""
    tail = data[-4:].replace(b"\r", b"")
    ends = tail.endswith(b"\n") and not tail.endswith(b"\n\n")
    return ends and data[:1] not in (b"\r", b"\n") and len(data) > 4


def plain_lines(data: bytes, separator: str) -> bool:
    """Whether parsers agree about lines; that a blank one lacks separators is found.

    In the middle of a file a byte order mark is a character, which polars leaves out.
    """
    if data.startswith(codecs.BOM_UTF8):
        return False
    return (b'"' not in data and b"\r" not in data) or not unusual(data, separator)


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


def balanced(data: bytes, separator: str, frame: pl.DataFrame) -> bool:
    """Whether there are just the separators that the cells need.

    A longer row makes polars fail, so if none is missing in all, none is anywhere.
    """
    inside = 0
    if b'"' in data:
        # A number holds no separator.
        counts = frame.select(
            selectors.string().str.count_matches(separator, literal=True).sum()
        )
        inside = sum(count or 0 for count in counts.row(0)) if counts.width else 0
    needed = (frame.width - 1) * frame.height
    separators = np.frombuffer(data, np.uint8) == ord(separator)
    return int(np.count_nonzero(separators)) - inside == needed


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
