"""Read a table part by part, so that it may be larger than the memory.

A CSV file is cut into blocks of whole records. In most blocks all cells are what their
columns are to be: polars reads those as numbers and texts at once. Any other block is
read as texts, and one whose lines or quotes aren't plain by the standard library's
parser, so that cells, messages and lines are those of `read`.
"""

from __future__ import annotations

import codecs
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, TypeAlias, cast

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.csv_text import (
    Layout,
    Record,
    StartLines,
    line_count,
    plainly_quoted,
    text_columns,
    whole_lines,
)
from thalweg.tables.dialect import USUAL_DIALECT, Dialect
from thalweg.tables.forms.missing import MISSING_TEXTS
from thalweg.tables.parquet import parquet_parts
from thalweg.tables.read import named, read
from thalweg.tables.records import (
    SNIFFED_BYTES,
    before_header,
    encoding_of,
    lines_of,
    utf8,
)
from thalweg.tables.source import File, file_of, readable
from thalweg.tables.table import Lines, Table, cleaned

BLOCK = 2**21
"""Bytes that are read at a time: few enough to stay in a processor's cache."""

MOST_HEADER = 2**24
"""Bytes in which a header ends, if its quotes are as they should be."""

MOST_ROWS = 2**15
"""Rows of a part, at most."""

CAREFUL_ROWS = 2**14
"""Rows of a part where every record is a list in Python."""

QUOTE = b'"'

Types: TypeAlias = Mapping[str, pl.DataType]


def read_batches(
    source: Any,
    types: Types,
    dialect: Dialect = USUAL_DIALECT,
    missing: Sequence[str] = MISSING_TEXTS,
) -> Iterator[Table]:
    """The rows of a table in their order, some at a time.

    Args:
        source: as `read` takes it. Of a file, only a part is in memory at a time.
        types: the columns that are wanted, and what their cells are best read as:
            float64, a text, or one of some texts. Cells that can't be read as that are
            texts. Of columns that aren't wanted the names are kept, but their cells may
            be left out.
        dialect: how a file's text is written, where that isn't to be found out.
        missing: texts that mean "missing" in each of these columns; a cell of theirs
            may be null instead.

    Raises:
        FileError, DataError: as `read`, though possibly after some rows were given.

    >>> from pathlib import Path
    >>> Path("ages.csv").write_text("age,name\\n31,Ada\\n?,Bo\\n")
    21
    >>> for part in read_batches("ages.csv", {"age": pl.Float64()}):
    ...     print(part.column("age").to_list(), part.where(1))
    [31.0, None] line 3
    """
    if not isinstance(source, str | os.PathLike):
        return parts_of(read(source, dialect))
    # What comes through a pipe is waited for here, where Ctrl-C ends that, and not
    # where the parts are read ahead.
    file = file_of(cast("str | os.PathLike[str]", source))
    return file_batches(file, types, dialect, missing)


def file_batches(
    file: File, types: Types, dialect: Dialect, missing: Sequence[str]
) -> Iterator[Table]:
    """A file's rows, whatever it is."""
    first = None
    with readable(file.shown):
        if file.is_parquet:
            parts = parquet_batches(file)
        else:
            parts = csv_batches(file, types, dialect, missing)
        for part in parts:
            first = first or part
            yield from parts_of(part)
    if first is None:
        raise DataError(f"{file.name}: there must be at least one row below the header")


def parts_of(table: Table) -> Iterator[Table]:
    """The rows in parts of a size at which work doesn't take much memory."""
    for start in range(0, table.rows, MOST_ROWS):
        lines = table.lines and partial(shifted, table.lines, start)
        rows = table.frame.slice(start, MOST_ROWS)
        before = table.before + start
        yield Table(table.name, rows, lines, before, table.typed)


def shifted(lines: Lines, start: int, row: int) -> int:
    """The line of a row in a part that starts at a row."""
    return lines(start + row)


def parquet_batches(file: File) -> Iterator[Table]:
    """A Parquet file's rows."""
    before = 0
    for part in parquet_parts(file, MOST_ROWS):
        frame = named(file.name, part)
        if frame.height == 0:
            continue
        yield Table.of(file.name, frame, before=before, typed=True)
        before += frame.height


# CSV ----------------------------------------------------------------------------------


def csv_batches(
    file: File, types: Types, dialect: Dialect, missing: Sequence[str]
) -> Iterator[Table]:
    """A CSV file's rows."""
    file.require_text()
    blocks = text_blocks(file, dialect.encoding)
    first = first_of(blocks, dialect)
    layout = Layout.of(first, file.name, dialect)
    rows = chain([first[layout.at :]], blocks)
    yield from Reader(layout, types, missing).tables(rows, layout.before)


def first_of(blocks: Iterator[bytes], dialect: Dialect) -> bytes:
    """Blocks up to one that holds the header, and as much as tells the separator."""
    first = b""
    for block in blocks:
        first += block
        _, start, _ = before_header(first, dialect.skip_rows, dialect.comment)
        # A header's last line may be in a later block than its first.
        has_header = end_of_records(first) > start or len(first) > MOST_HEADER
        if has_header and len(first) - start >= SNIFFED_BYTES:
            break
    return first


def text_blocks(file: File, encoding: str | None) -> Iterator[bytes]:
    """The file in blocks of whole lines, in UTF-8 without a byte order mark."""
    rest = b""
    for chunk in utf8_chunks(file, encoding):
        data = rest + chunk
        # A lone return may end a line too, unless the next block goes on with \n.
        end = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        rest = data[end:]
        if end:
            yield text_of(data[:end], file, encoding)
    if rest:
        yield text_of(rest, file, encoding)


def text_of(block: bytes, file: File, encoding: str | None) -> bytes:
    """The block itself, if it is text."""
    try:
        if not block.isascii():
            block.decode()
        if b"\0" not in block:
            return block
    except UnicodeDecodeError:
        pass
    utf8(file.content(), file.name, encoding)  # which says where in the file it isn't
    raise DataError(f"{file.name}: must be text in UTF-8")


def utf8_chunks(file: File, encoding: str | None) -> Iterator[bytes]:
    """The file's text as UTF-8, without a byte order mark."""
    chunks = file.chunks(BLOCK)
    first = next(chunks, b"")
    codec = encoding_of(first, file.name, encoding)
    if codec == "utf-8":
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        yield decoder.decode(first).removeprefix("\ufeff").encode()
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        utf8(file.content(), file.name, encoding)  # which says where
        raise


@dataclass
class Reader:
    """How the blocks of a CSV file become tables.

    Args:
        layout: of the file.
        types: the columns that are wanted, and what their cells are best read as.
        missing: texts that mean "missing" in each of them.
        null_values: the texts found so far that say that a number is missing.
    """

    layout: Layout
    types: Types
    missing: Sequence[str] = MISSING_TEXTS
    null_values: tuple[str, ...] = ()

    def tables(self, blocks: Iterator[bytes], before: int) -> Iterator[Table]:
        """The rows, where so many lines come before the first block."""
        rest = b""
        for block in blocks:
            data = rest + block
            end = end_of_records(data)
            whole, rest = data[:end], data[end:]
            # A quote that nothing closes would keep all that follows waiting.
            if len(rest) > BLOCK or not plainly_quoted(whole, self.layout.separator):
                everything = chain([data], blocks)
                lines = chain.from_iterable(map(lines_of, everything))
                yield from self._record_by_record(lines, before)
                return
            count = line_count(whole)
            yield from self._block(whole, before, count)
            before += count
        if rest:
            yield from self._record_by_record(lines_of(rest), before)

    def _block(self, data: bytes, before: int, count: int) -> Iterator[Table]:
        """The rows of a block of so many lines in which no record is cut."""
        content = whole_lines(data)
        if content == b"\n":
            return
        columns = None
        if self.layout.suits_polars(content):
            columns = self._cells(content)
        if columns is None:
            yield from self._record_by_record(lines_of(data), before)
            return
        # Of lines that all end, else one more row than ends may have a line break.
        if content is data and len(columns[0]) == count:
            lines = partial(line_of_its_own, before)
        else:
            lines = StartLines(partial(rows_in, self.layout, data, before))
        yield self._table(columns, lines)

    def _cells(self, data: bytes) -> list[pl.Series] | None:
        """Numbers and texts; texts alone where a number isn't finite or isn't one.

        None where rows may differ in length.
        """
        columns = self._typed(data)
        if columns is not None:
            return columns
        texts = self.layout.parsed(data)
        if texts is None or not self._learn_null_values(texts):
            return texts
        return self._typed(data) or texts

    @property
    def _numbers(self) -> list[str]:
        """The columns whose cells are to be numbers."""
        return [
            name for name in self.layout.names if self.types.get(name) == pl.Float64
        ]

    def _learn_null_values(self, texts: list[pl.Series]) -> bool:
        """Whether cells of numbers are missing in a way that wasn't met before."""
        # polars compares each cell with each of them, so there are no more than needed.
        named = dict(zip(self.layout.names, texts, strict=True))
        numbers = [named[name] for name in self._numbers]
        new = tuple(
            text
            for text in self.missing
            if text not in self.null_values
            and any((column == text).any() for column in numbers)
        )
        self.null_values += new
        return bool(new)

    def _typed(self, data: bytes) -> list[pl.Series] | None:
        """Numbers and texts, or None where a cell isn't a finite number."""
        types = dict.fromkeys(self._numbers, pl.Float64)
        columns = self.layout.parsed(data, types, self.null_values)
        if columns is None or not all(map(is_finite, columns)):
            return None
        return columns

    def _record_by_record(self, lines: Iterator[str], before: int) -> Iterator[Table]:
        """The rows by the standard library's parser."""
        found = self.layout.rows(lines, before)
        while rows := list(islice(found, CAREFUL_ROWS)):
            columns = text_columns([cells for _, cells in rows], len(self.layout.names))
            yield self._table(columns, [line for line, _ in rows].__getitem__)

    def _table(self, columns: list[pl.Series], lines: Lines) -> Table:
        """The columns under their names, those that aren't wanted without cells."""
        # By names, since polars makes up one for a series without.
        frame = pl.DataFrame(
            {
                name: recognized(column, self.types[name], self.missing)
                if name in self.types
                else pl.repeat(None, len(column), dtype=pl.Null, eager=True)
                for name, column in zip(self.layout.names, columns, strict=True)
            }
        )
        return Table(self.layout.name, cleaned(frame), lines)


def recognized(
    column: pl.Series, wanted: pl.DataType, missing: Sequence[str]
) -> pl.Series:
    """Texts as the categories that are wanted, if each is one of them or missing."""
    if not isinstance(wanted, pl.Enum) or column.dtype != pl.String:
        return column
    known = column.cast(wanted, strict=False)
    unknown = known.null_count() - column.null_count()
    return known if unknown == int(column.alias("").is_in(missing).sum()) else column


def end_of_records(data: bytes) -> int:
    """Where the last record that is whole ends, if quotes are as they should be."""
    end = len(data)
    while QUOTE in data and data.count(QUOTE, 0, end) % 2:
        quote = data.rfind(QUOTE, 0, end)
        end = data.rfind(b"\n", 0, quote) + 1
    return end


def is_finite(column: pl.Series) -> bool:
    """Whether there is neither NaN nor infinity; False too if the sum overflows."""
    return not column.dtype.is_float() or math.isfinite(column.sum())


def line_of_its_own(before: int, row: int) -> int:
    """The line of a row where there are as many rows as lines."""
    return before + row + 1


def rows_in(layout: Layout, data: bytes, before: int) -> tuple[int, Iterator[Record]]:
    """How many lines come before a block, and its rows."""
    return before, layout.records(lines_of(data), before)
