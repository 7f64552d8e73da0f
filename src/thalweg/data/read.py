"""Read a table: a CSV or Parquet file, or a frame of pandas, polars or pyarrow."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl

from thalweg.data.csv_text import checked_names, line_of, read_csv
from thalweg.data.frames import FRAME, polars_frame
from thalweg.data.table import Table
from thalweg.errors import DataError, FileError
from thalweg.formulas.names import nearest


def read(source: Any) -> Table:
    """Read a table from a file or a frame.

    The cells of a CSV stay text, so that nothing is coerced before `infer` has seen
    all of a column. Its separator (comma, tab, semicolon or bar) is found from the
    first lines. A frame keeps its types.

    Args:
        source: the path of a .csv, .tsv, .txt or .parquet file; or a frame of pandas,
            polars or pyarrow.

    Returns:
        The table, with at least one row.

    Raises:
        FileError: there is no such file, or it can't be read.
        DataError: the content isn't a table; the message names line and column.
        ArgumentError: neither a path nor a frame.

    >>> read(pl.DataFrame({"age": [31, 42], "city": ["Ghent ", ""]})).frame.rows()
    [(31, 'Ghent'), (42, None)]
    """
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(os.fspath(cast("str | os.PathLike[str]", source))))
    return _read_frame(source)


def _read_file(path: Path) -> Table:
    check_file(path)
    with readable(path):
        if is_parquet(path):
            return _read_parquet(path)
        return Table.of(path.name, read_csv(path), partial(line_of, path))


def is_parquet(path: Path) -> bool:
    """Whether the file's name says that it is Parquet."""
    return path.suffix.lower() == ".parquet"


@contextmanager
def readable(path: Path) -> Generator[None]:
    """What the operating system refuses is an error that names the file."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path}: can't be read: {error.strerror or error}") from None


def check_file(path: Path) -> None:
    """The path is that of a file.

    Raises:
        FileError: it isn't; a file of a similar name is suggested.
    """
    try:
        if path.is_dir():
            raise FileError(f"{path}: must be a file, but is a folder")
        if not path.exists():
            raise FileError(f"{path}: there is no such file{_nearest_file(path)}")
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: can't be a file's name: {error}") from None


def _nearest_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (nor a folder {str(path.parent)!r})"
    return nearest(path.name, sorted(other.name for other in path.parent.iterdir()))


def _read_parquet(path: Path) -> Table:
    with _whole_parquet(path):
        # A damaged file may also fail later, where its columns differ in length.
        return Table.of(path.name, _named(path.name, pl.read_parquet(path)), typed=True)


def parquet_parts(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file's rows in their order, so many at a time.

    Raises:
        DataError: it isn't a whole Parquet file.
    """
    with _whole_parquet(path):
        parts = pl.scan_parquet(path).collect_batches(
            chunk_size=rows, maintain_order=True
        )
        for part in parts:
            if part.height:
                yield _named(path.name, part)


@contextmanager
def _whole_parquet(path: Path) -> Generator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise DataError(
            f"{path.name}: must be a Parquet file, but isn't a whole one ({reason})"
        ) from None


def _read_frame(source: Any) -> Table:
    return Table.of(FRAME, _named(FRAME, polars_frame(source)), typed=True)


def _named(where: str, frame: pl.DataFrame) -> pl.DataFrame:
    if frame.width == 0:
        raise DataError(f"{where}: there must be columns and rows; it is empty")
    names = checked_names(where, frame.columns)
    return frame.rename(dict(zip(frame.columns, names, strict=True)))
