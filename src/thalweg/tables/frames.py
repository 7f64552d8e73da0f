"""A frame of pandas, polars or pyarrow as one of polars, its types kept.

What a frame's author declared by a type must not be lost on the way: categories stay
categories, also those of numbers, and whole numbers keep all their digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from thalweg.errors import ArgumentError, DataError
from thalweg.tables.forms.texts import written
from thalweg.words import listed

if TYPE_CHECKING:
    import narwhals as nw

FRAME = "the table"


def polars_frame(source: Any) -> pl.DataFrame:
    """The columns of a frame.

    Arguments:
        source: a frame of pandas, polars or pyarrow; names may be numbers in pandas.

    Raises:
        ArgumentError: it is no frame.
        DataError: two columns share a name, or one holds cells of several types.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"store": pd.Categorical([17, 4, 17])})
        >>> polars_frame(frame)["store"].cast(pl.String).to_list()
        ['17', '4', '17']
    """
    import narwhals as nw

    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    try:
        frame = nw.from_native(with_text_names(source), eager_only=True)
    except TypeError:
        raise ArgumentError(
            "a table must be the path of a file, or a frame of pandas, polars or "
            f"pyarrow, got {type(source).__name__}"
        ) from None
    except nw.exceptions.DuplicateError:
        names = [str(name) for name in source.columns]
        repeated = next(name for name in names if names.count(name) > 1)
        places = [str(i) for i, name in enumerate(names, 1) if name == repeated]
        raise DataError(
            f"{FRAME}: column names must differ, but {listed([repeated])} is the name "
            f"of columns {', '.join(places[:-1])} and {places[-1]}"
        ) from None
    if isinstance(frame.to_native(), pl.DataFrame):
        return frame.to_native()
    return _converted(frame)


def with_text_names(frame: Any) -> Any:
    """The frame; pandas also names columns by numbers."""
    names: Sequence[Any] = getattr(frame, "columns", ())
    if all(isinstance(name, str) for name in names) or not hasattr(frame, "set_axis"):
        return frame
    return frame.set_axis([str(name) for name in names], axis=1)


def _converted(frame: nw.DataFrame[Any]) -> pl.DataFrame:
    """All columns at once where none needs care, else one by one."""
    special = {
        name: reader
        for name in frame.columns
        if (reader := _reader_for(frame.get_column(name).to_native())) is not None
    }
    plain = [name for name in frame.columns if name not in special]
    try:
        columns = {column.name: column for column in _to_polars(frame, plain)}
    except Exception:  # whatever a library raises; said by column
        columns = {name: _one_column(frame, name) for name in plain}
    for name, reader in special.items():
        columns[name] = reader(frame.get_column(name).to_native())
    return pl.DataFrame({name: columns[name] for name in frame.columns})


def _to_polars(frame: nw.DataFrame[Any], names: list[str]) -> list[pl.Series]:
    return frame.select(names).to_polars().get_columns() if names else []


def _one_column(frame: nw.DataFrame[Any], name: str) -> pl.Series:
    """A column by itself; of long whole numbers of Python's the digits are kept."""
    try:
        return _to_polars(frame, [name])[0]
    except Exception as error:
        cells: list[Any] = frame.get_column(name).to_list()
        known = [cell for cell in cells if cell is not None and cell == cell]
        if known and all(type(cell) is int for cell in known):
            texts = [str(cell) if type(cell) is int else None for cell in cells]
            return pl.Series(name, texts, dtype=pl.String)
        raise DataError(
            f"{FRAME}, column {name!r}: must hold cells of one type, but doesn't "
            f"({error})"
        ) from None


# Types that need care -----------------------------------------------------------------


def _reader_for(column: Any) -> Callable[[Any], pl.Series] | None:
    """What reads a column of pandas or pyarrow whose type would be lost."""
    if type(column).__module__.startswith("pyarrow"):
        return _arrow_categories if _is_dictionary(column.type) else None
    dtype = getattr(column, "dtype", None)
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if arrow is not None:
        return _arrow_categories_of_pandas if _is_dictionary(arrow) else None
    return PANDAS.get(type(dtype).__name__)


def _is_dictionary(type_: Any) -> bool:
    return hasattr(type_, "index_type") and hasattr(type_, "value_type")


def _categories(codes: Any, values: Any) -> pl.Series:
    """Categories of any type as texts; a code below 0 is a missing cell."""
    texts = written(pl.Series(values)).to_list()
    if len(set(texts)) < len(texts):
        raise DataError(
            f"{FRAME}: categories must differ as texts, got {listed(texts)}"
        )
    cells = pl.Series(texts, dtype=pl.String).gather(
        pl.Series(codes).cast(pl.Int64).replace(-1, None)
    )
    return cells.cast(pl.Categorical)


def _pandas_categories(column: Any) -> pl.Series:
    values = column.cat.categories
    plain: list[Any] = values.tolist()
    if any(type(value) is not type(plain[0]) for value in plain):
        plain = [str(value) for value in plain]
    return _categories(column.cat.codes.to_numpy(), plain)


def _arrow_categories(column: Any) -> pl.Series:
    combined = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    array = combined.unify_dictionaries() if hasattr(combined, "chunks") else combined
    if hasattr(array, "chunks"):
        array = array.chunk(0)
    codes = array.indices.cast("int64").fill_null(-1).to_numpy()
    return _categories(codes, array.dictionary.to_pylist())


def _arrow_categories_of_pandas(column: Any) -> pl.Series:
    return _arrow_categories(column.array.__arrow_array__())


def _dense(column: Any) -> pl.Series:
    return pl.Series(column.sparse.to_dense().to_numpy())


def _periods(column: Any) -> pl.Series:
    """Where each period starts."""
    return pl.Series(column.dt.to_timestamp().to_numpy())


PANDAS: Mapping[str, Callable[[Any], pl.Series]] = {
    "CategoricalDtype": _pandas_categories,
    "SparseDtype": _dense,
    "PeriodDtype": _periods,
}
"""By the name of its dtype, how a column of pandas is read with care."""
