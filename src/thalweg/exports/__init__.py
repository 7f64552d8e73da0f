"""A trained network in a form that runs without thalweg: ONNX, or Python over NumPy.

This file stays light: the package onnx is imported when a file of it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from thalweg.errors import ArgumentError
from thalweg.training.network import Network

if TYPE_CHECKING:
    from thalweg.data.model import TableModel

FORMATS = {"onnx": ".onnx", "python": ".py"}
"""The forms there are, and how their files' names end."""


def export(model: Network | TableModel, path: str | Path) -> None:
    """Write a trained network so that it runs without thalweg.

    A name that ends in ``.onnx`` gets a graph for any ONNX runtime, which needs the
    extra ``onnx``; ``.py`` gets one file of Python that needs NumPy alone. Both hold
    the table's preprocessing if the model has one: they take raw columns.

    Arguments:
        model: what `train` or `load` gave, or a `Network`.
        path: the file; an existing one is replaced whole, or left whole.

    Raises:
        ArgumentError: the name ends otherwise, or the extra isn't installed.
        NotFittedError: the network has no parameters yet.
        ProgramError: a person's own formula depends on the number of rows in a way that
            can't be written down.
        FileError: the file can't be written.

    Example:
        >>> import thalweg as tw
        >>> network = tw.Network([tw.Dense(1, "sigmoid")]).initialize(2)
        >>> tw.export(network, "gate.py")
        >>> print(Path("gate.py").read_text(encoding="utf-8").splitlines()[0])
        \"""A network of 1 layer with 3 parameters, written by thalweg.
    """
    form = format_of(path)
    if not isinstance(model, Network | _table_model()):
        raise ArgumentError(
            "model must be a Network, or what thalweg.train gave as its model, "
            f"got {type(model).__name__}"
        )
    _writers()[form](model, path)


def format_of(path: str | Path) -> str:
    """The form that a file's name asks for.

    Raises:
        ArgumentError: it asks for none.

    >>> format_of("model.onnx")
    'onnx'
    """
    suffix = Path(path).suffix.lower()
    for form, ending in FORMATS.items():
        if suffix == ending:
            return form
    raise ArgumentError(
        f"path must end in {' or '.join(FORMATS.values())}, got {str(path)!r}"
    )


def onnx_inputs(model: TableModel, source: Any) -> dict[str, NDArray[Any]]:
    """A table's columns as the graph of a table's model takes them.

    Numbers are float64, NaN where missing. Texts are strings, empty where missing.
    Dates are the microseconds since 1970 and times of day those since midnight, int64,
    −2⁶³ where missing.

    Arguments:
        model: the one that was exported.
        source: a file's path, or a frame of pandas, polars or pyarrow.

    Returns:
        An array of shape (rows,) for each input of the graph, by its name.

    Raises:
        FileError, DataError: the table can't be read, or lacks a column.

    Example:
        >>> import thalweg as tw
        >>> from thalweg.exports import onnx_inputs
        >>> table = "examples/penguins.csv"
        >>> model = tw.train(table, target="species", epochs=1).model
        >>> {k: v[0] for k, v in list(onnx_inputs(model, table).items())[:2]}
        {'island': 'Torgersen', 'bill_length_mm': np.float64(39.1)}
    """
    from thalweg.exports.columns import raw_columns

    return raw_columns(model.encoder, source)


def _table_model() -> type:
    from thalweg.data.model import TableModel

    return TableModel


def _writers() -> Mapping[str, Callable[[Any, Any], None]]:
    from thalweg.exports.onnx_file import write_onnx
    from thalweg.exports.python_file import write_python

    return {"onnx": write_onnx, "python": write_python}
