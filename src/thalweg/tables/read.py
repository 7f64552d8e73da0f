"""Read a table: a CSV or Parquet file, or a frame of pandas, polars or pyarrow."""

import os
from functools import partial
from typing import Any, cast

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.csv_text import StartLines, read_csv, rows_of
from thalweg.tables.dialect import USUAL_DIALECT, Dialect
from thalweg.tables.frames import FRAME, polars_frame
from thalweg.tables.parquet import parquet_parts
from thalweg.tables.records import checked_names
from thalweg.tables.source import File, file_of, readable
from thalweg.tables.table import Table

PARQUET_ROWS = 2**17
"""Rows of a Parquet file that are handed over at a time."""


def read(source: Any, dialect: Dialect = USUAL_DIALECT) -> Table:
    """Read a table from a file or a frame.

    The cells of a CSV stay text, so that nothing is coerced before `infer` has seen
    all of a column. A frame keeps its types.

    Args:
        source: the path of a file of text or Parquet, packed by gzip, xz, zstd or zip
            or not; ``-`` for standard input; a frame of pandas, polars or pyarrow; or a
            table that was read.
        dialect: how a file's text is written, where that isn't to be found out.

    Returns:
        The table, with at least one row.

    Raises:
        FileError: there is no such file, or it can't be read.
        DataError: the content isn't a table; the message names line and column.
        ArgumentError: neither a path nor a frame.

    >>> read(pl.DataFrame({"age": [31, 42], "city": ["Ghent ", ""]})).frame.rows()
    [(31, 'Ghent'), (42, None)]
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | os.PathLike):
        return read_file(file_of(cast("str | os.PathLike[str]", source)), dialect)
    return _read_frame(source)


def read_file(file: File, dialect: Dialect = USUAL_DIALECT) -> Table:
    """Read a table from a file that was found.

    Raises:
        FileError: it can't be read.
        DataError: the content isn't a table; the message names line and column.
    """
    with readable(file.shown):
        if file.is_parquet:
            return Table.of(file.name, _read_parquet(file), file=file, typed=True)
        lines = StartLines(partial(rows_of, file, dialect))
        return Table.of(file.name, read_csv(file, dialect), lines, file=file)


def _read_parquet(file: File) -> pl.DataFrame:
    return named(file.name, pl.concat(parquet_parts(file, PARQUET_ROWS)))


def _read_frame(source: Any) -> Table:
    return Table.of(FRAME, named(FRAME, polars_frame(source)), typed=True)


def named(where: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame under the names that its columns have in tables.

    Raises:
        DataError: it has no column, or its names can't be used.
    """
    if frame.width == 0:
        raise DataError(f"{where}: there must be columns and rows; it is empty")
    names = checked_names(where, frame.columns)
    return frame.rename(dict(zip(frame.columns, names, strict=True)))
