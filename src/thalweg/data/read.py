"""Read a table: a CSV or Parquet file, or a frame of pandas, polars or pyarrow."""

import io
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl

from thalweg.data.csv_text import line_of, read_csv
from thalweg.data.dialect import USUAL_DIALECT, Dialect
from thalweg.data.files import File, file_of, readable
from thalweg.data.frames import FRAME, polars_frame
from thalweg.data.records import checked_names
from thalweg.data.table import Table
from thalweg.errors import DataError


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
        return _read_file(file_of(cast("str | os.PathLike[str]", source)), dialect)
    return _read_frame(source)


def _read_file(file: File, dialect: Dialect) -> Table:
    with readable(file.shown):
        if file.is_parquet:
            return Table.of(file.name, _read_parquet(file), file=file, typed=True)
        lines = partial(line_of, file, dialect)
        return Table.of(file.name, read_csv(file, dialect), lines, file=file)


def _read_parquet(file: File) -> pl.DataFrame:
    with _whole_parquet(file.name):
        # A damaged file may also fail later, where its columns differ in length.
        return _named(file.name, pl.read_parquet(_bytes_of(file)))


def parquet_parts(file: File, rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file's rows in their order, so many at a time.

    Raises:
        DataError: it isn't a whole Parquet file.
    """
    with _whole_parquet(file.name):
        parts = pl.scan_parquet(_bytes_of(file)).collect_batches(
            chunk_size=rows, maintain_order=True
        )
        for part in parts:
            if part.height:
                yield _named(file.name, part)


def _bytes_of(file: File) -> Path | io.BytesIO:
    """Where polars reads: it goes back and forth, which packed files can't."""
    if file.path is not None and not file.packing:
        return file.path
    return io.BytesIO(file.content())


@contextmanager
def _whole_parquet(name: str) -> Generator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise DataError(
            f"{name}: must be a Parquet file, but isn't a whole one ({reason})"
        ) from None


def _read_frame(source: Any) -> Table:
    return Table.of(FRAME, _named(FRAME, polars_frame(source)), typed=True)


def _named(where: str, frame: pl.DataFrame) -> pl.DataFrame:
    if frame.width == 0:
        raise DataError(f"{where}: there must be columns and rows; it is empty")
    names = checked_names(where, frame.columns)
    return frame.rename(dict(zip(frame.columns, names, strict=True)))
