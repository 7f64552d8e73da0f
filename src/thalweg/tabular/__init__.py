"""The user's table becomes arrays, and arrays a tested network.

This file stays light: polars and scikit-learn are imported when a table is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from thalweg.errors import ArgumentError
from thalweg.tabular.libraries import load_libraries

if TYPE_CHECKING:
    from thalweg.tabular.inspection import Inspection
    from thalweg.tabular.settings import TrainSettings


def inspect(
    source: Any, target: str | None = None, **declared: Unpack[TrainSettings]
) -> Inspection:
    """What each column of a table would be taken for, why, and how to change it.

    Nothing is trained. A column that can't be used as it is has the kind ``error``, and
    a reason that says what decides.

    Arguments:
        source: a file's path (CSV or Parquet), or a frame of pandas, polars or pyarrow.
        target: the column to predict, if it is known.
        declared: what is said of columns, as `train` takes it: ``category``,
            ``number``, ``date``, ``missing``, ``decimal``, ``thousands``, ``limits``.

    Returns:
        The columns; printed, a line for each.

    Raises:
        FileError, DataError: the table can't be read.
        ArgumentError: there is no such column or setting.

    Example:
        >>> import thalweg as tw
        >>> found = tw.inspect("examples/penguins.csv", "species", category="year")
        >>> [column.kind for column in found.columns]
        ['category', 'number', 'number', 'number', 'number', 'category', 'category']
        >>> found.columns[-1].reason
        "as declared, 3 different texts such as '2007'"
    """
    load_libraries()
    from thalweg.tabular.inspection import inspect_table
    from thalweg.tabular.settings import Settings

    name = None if target is None else target_name(source, target)
    return inspect_table(source, name, Settings.by_name(declared))


def target_name(source: Any, target: Any) -> str:
    """The name of the column to predict; pandas names columns by numbers, too.

    Raises:
        ArgumentError: it is no name.
    """
    if isinstance(target, str):
        return target
    names: Any = getattr(source, "columns", ())
    if isinstance(target, int) and not isinstance(target, bool) and target in names:
        return str(target)
    raise ArgumentError(f"target must be a column's name, a text, got {target!r}")
