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
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import polars as pl

from thalweg.data.csv_text import (
    Record,
    balanced,
    checked_names,
    line_count,
    lines_of,
    of_one_length,
    plainly_quoted,
    records,
    sniff_separator,
    text_columns,
    unusual,
    utf8,
)
from thalweg.data.forms.missing import MISSING_TEXTS
from thalweg.data.read import check_file, is_parquet, parquet_parts, read, readable
from thalweg.data.table import Lines, Table, cleaned
from thalweg.errors import DataError

BLOCK = 2**21
"""Bytes that are read at a time: few enough to stay in a processor's cache."""

HEADER = 2**16
"""Bytes in which the header's last line starts."""

MOST_ROWS = 2**15
"""Rows of a part, at most."""

CAREFUL_ROWS = 2**14
"""Rows of a part where every record is a list in Python."""

QUOTE = b'"'

Types: TypeAlias = Mapping[str, pl.DataType]


def read_batches(
    source: Any, types: Types, missing: Sequence[str] = MISSING_TEXTS
) -> Iterator[Table]:
    """The rows of a table in their order, some at a time.

    Args:
        source: as `read` takes it. Of a file, only a part is in memory at a time.
        types: the columns that are wanted, and what their cells are best read as:
            float64, a text, or one of some texts. Cells that can't be read as that are
            texts. Of columns that aren't wanted the names are kept, but their cells may
            be left out.
        missing: texts that mean "missing" in each of these columns; a cell of theirs
            may be null instead.

    Raises:
        FileError, DataError: as `read`, though possibly after some rows were given.

    >>> Path("ages.csv").write_text("age,name\\n31,Ada\\n?,Bo\\n")
    21
    >>> for part in read_batches("ages.csv", {"age": pl.Float64()}):
    ...     print(part.column("age").to_list(), part.where(1))
    [31.0, None] line 3
    """
    if not isinstance(source, str | os.PathLike):
        yield from parts_of(read(source))
        return
    path = Path(os.fspath(cast("str | os.PathLike[str]", source)))
    check_file(path)
    parts = (
        parquet_batches(path) if is_parquet(path) else csv_batches(path, types, missing)
    )
    first = None
    with readable(path):
        for part in parts:
            first = first or part
            yield from parts_of(part)
    if first is None:
        raise DataError(f"{path.name}: there must be at least one row below the header")


def parts_of(table: Table) -> Iterator[Table]:
    """The rows in parts of a size at which work doesn't take much memory."""
    for start in range(0, table.rows, MOST_ROWS):
        lines = table.lines and partial(shifted, table.lines, start)
        rows = table.frame.slice(start, MOST_ROWS)
        yield Table(table.name, rows, lines, table.before + start)


def shifted(lines: Lines, start: int, row: int) -> int:
    """The line of a row in a part that starts at a row."""
    return lines(start + row)


def parquet_batches(path: Path) -> Iterator[Table]:
    """A Parquet file's rows."""
    before = 0
    for frame in parquet_parts(path, MOST_ROWS):
        yield Table.of(path.name, frame, before=before, typed=True)
        before += frame.height


# CSV ----------------------------------------------------------------------------------


def csv_batches(path: Path, types: Types, missing: Sequence[str]) -> Iterator[Table]:
    """A CSV file's rows."""
    with path.open("rb") as file:
        blocks = text_blocks(file, path)
        first = first_of(blocks)
        separator = sniff_separator(first)
        header, size = header_of(first, separator, path.name)
        names = checked_names(f"{path.name}, line {header[0]}", header[1])
        reader = Reader(path.name, separator, header, names, types, missing)
        before = line_count(first[:size])
        yield from reader.tables(chain([first[size:]], blocks), before)


def first_of(blocks: Iterator[bytes]) -> bytes:
    """Blocks up to one that holds the header, and as much as tells the separator."""
    first = next(blocks, b"")
    while len(first) < HEADER or not first.decode().strip():
        following = next(blocks, b"")
        if not following:
            break
        first += following
    return first


def text_blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The file in blocks of whole lines, in UTF-8 without a byte order mark."""
    rest = b""
    for chunk in utf8_chunks(file, path):
        data = rest + chunk
        # A lone return may end a line too, unless the next block goes on with \n.
        end = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        rest = data[end:]
        if end:
            yield text_of(data[:end], path)
    if rest:
        yield text_of(rest, path)


def text_of(block: bytes, path: Path) -> bytes:
    """The block itself, if it is text."""
    try:
        if not block.isascii():
            block.decode()
        if b"\0" not in block:
            return block
    except UnicodeDecodeError:
        pass
    utf8(path)  # which says where in the file it isn't
    raise DataError(f"{path.name}: must be text in UTF-8")


def utf8_chunks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The file's bytes; UTF-16 is written in UTF-8."""
    chunks = iter(partial(file.read, BLOCK), b"")
    first = next(chunks, b"")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")()
        try:
            for chunk in chain([first], chunks):
                yield decoder.decode(chunk).encode()
            yield decoder.decode(b"", final=True).encode()
        except UnicodeDecodeError:
            utf8(path)  # which says where
            raise
        return
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from chunks


def header_of(block: bytes, separator: str, name: str) -> tuple[Record, int]:
    """The first record, and the number of bytes up to its end."""
    sizes: list[int] = []
    start = block[: block.find(b"\n", HEADER) + 1 or None]

    def measured() -> Iterator[str]:
        for line in lines_of(start):
            sizes.append(len(line.encode()))
            yield line

    header = next(records(measured(), separator, name), None)
    if header is None:
        raise DataError(f"{name}: there must be a header and rows; it is empty")
    return header, sum(sizes)


@dataclass
class Reader:
    """How the blocks of a CSV file become tables.

    Args:
        name: the file's.
        separator: between cells.
        header: the record of names, as it is in the file.
        names: of the columns.
        types: the columns that are wanted, and what their cells are best read as.
        missing: texts that mean "missing" in each of them.
        null_values: the texts found so far that say that a number is missing.
    """

    name: str
    separator: str
    header: Record
    names: list[str]
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
            if len(rest) > BLOCK or not plainly_quoted(whole, self.separator):
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
        content = data if is_dense(data) else data.strip(b"\r\n") + b"\n"
        if content == b"\n":
            return
        columns = None
        if len(self.names) > 1 and plain_lines(content, self.separator):
            columns = self._cells(content)
        if columns is None:
            yield from self._record_by_record(lines_of(data), before)
            return
        # Of lines that all end, else one more row than ends may have a line break.
        if content is data and len(columns[0]) == count:
            lines = partial(line_of_its_own, before)
        else:
            lines = partial(line_in, data, self.separator, self.name, before)
        yield self._table(columns, lines)

    def _cells(self, data: bytes) -> list[pl.Series] | None:
        """Numbers and texts; texts alone where a number isn't finite or isn't one.

        None where rows may differ in length.
        """
        columns = self._typed(data)
        if columns is not None:
            return columns
        texts = self._parsed(data, {})
        if texts is None or not self._learn_null_values(texts):
            return texts
        return self._typed(data) or texts

    @property
    def _numbers(self) -> list[str]:
        """The columns whose cells are to be numbers."""
        return [name for name in self.names if self.types.get(name) == pl.Float64]

    def _learn_null_values(self, texts: list[pl.Series]) -> bool:
        """Whether cells of numbers are missing in a way that wasn't met before."""
        # polars compares each cell with each of them, so there are no more than needed.
        named = dict(zip(self.names, texts, strict=True))
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
        columns = self._parsed(data, dict.fromkeys(self._numbers, pl.Float64))
        if columns is None or not all(map(is_finite, columns)):
            return None
        return columns

    def _parsed(
        self, data: bytes, types: Mapping[str, type[pl.DataType]]
    ) -> list[pl.Series] | None:
        """What polars reads, or None where it may differ from what the file says."""
        schema = {name: types.get(name, pl.String) for name in self.names}
        try:
            frame = pl.read_csv(
                data,
                separator=self.separator,
                has_header=False,
                schema=schema,
                null_values=list(self.null_values) if types else None,
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        if frame.width != len(schema) or not balanced(data, self.separator, frame):
            return None
        return frame.get_columns()

    def _record_by_record(self, lines: Iterator[str], before: int) -> Iterator[Table]:
        """The rows by the standard library's parser."""
        found = records(lines, self.separator, self.name, before)
        checked = of_one_length(found, self.header, self.name)
        while rows := list(islice(checked, CAREFUL_ROWS)):
            columns = text_columns([cells for _, cells in rows], len(self.names))
            yield self._table(columns, [line for line, _ in rows].__getitem__)

    def _table(self, columns: list[pl.Series], lines: Lines) -> Table:
        """The columns under their names, those that aren't wanted without cells."""
        # By names, since polars makes up one for a series without.
        frame = pl.DataFrame(
            {
                name: recognized(column, self.types[name], self.missing)
                if name in self.types
                else pl.repeat(None, len(column), dtype=pl.Null, eager=True)
                for name, column in zip(self.names, columns, strict=True)
            }
        )
        return Table(self.name, cleaned(frame), lines)


def recognized(
    column: pl.Series, wanted: pl.DataType, missing: Sequence[str]
) -> pl.Series:
    """Texts as the categories that are wanted, if each is one of them or missing."""
    if not isinstance(wanted, pl.Enum) or column.dtype != pl.String:
        return column
    known = column.cast(wanted, strict=False)
    unknown = known.null_count() - column.null_count()
    return known if unknown == int(column.alias("").is_in(missing).sum()) else column


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
    return (QUOTE not in data and b"\r" not in data) or not unusual(data, separator)


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


def line_in(data: bytes, separator: str, name: str, before: int, row: int) -> int:
    """The line on which a row of a block starts."""
    found = records(lines_of(data), separator, name, before)
    return next(islice(found, row, None))[0]
