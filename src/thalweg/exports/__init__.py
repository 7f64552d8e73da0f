"""A trained network in a form that runs without thalweg: ONNX, or Python over NumPy.

This file stays light: whatever writes a form is imported when a file of it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from thalweg.errors import ArgumentError
from thalweg.tabular.libraries import load_libraries
from thalweg.training.streams import Stream

if TYPE_CHECKING:
    from thalweg.kinds.pipeline import Described, Pipeline
    from thalweg.network import Network

FORMATS = {"onnx": ".onnx", "python": ".py"}
"""The forms there are, and how their files' names end."""


def export(model: Network | Stream | Described, path: str | Path) -> None:
    """Write a trained network so that it runs without thalweg.

    A name that ends in ``.onnx`` gets a graph for any ONNX runtime, which needs the
    extra ``onnx``; ``.py`` gets one file of Python that needs NumPy alone. Both hold
    what happens before the network and behind it: that of a table, or of an estimator
    that was fitted on a frame, takes raw columns; that of an estimator that was fitted
    on an array takes its numbers as they are, in float64. They give what ``predict``
    gives, for classes what ``predict_proba`` gives, and for a regressor with
    ``quantiles`` what ``predict_quantiles`` gives. That of sequences or of a series
    takes what its table becomes, numbers at each time, as `onnx_inputs` gives them.

    Of a `Stream` they hold the network at one time. In the graph what is kept between
    times are inputs such as ``kept.1.h`` and outputs such as ``new.1.h``; the file of
    Python has a class ``Stream`` that keeps it.

    Arguments:
        model: what `train` or `load` gave, a `Network`, what its ``stream`` gave, or a
            fitted `NetworkClassifier` or `NetworkRegressor`.
        path: the file; an existing one is replaced whole, or left whole.

    Raises:
        ArgumentError: the name ends otherwise, the extra isn't installed, or classes
            are neither texts, numbers nor booleans.
        NotFittedError: the network has no parameters yet; scikit-learn's, if the
            estimator wasn't fitted.
        ProgramError: a user's own formula depends on the number of rows in a way that
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
    if isinstance(model, Stream):
        _stream_writers()[form](model, path)
    else:
        _writers()[form](_pipeline_of(model), path)


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


def onnx_inputs(model: Network | Described, source: Any) -> dict[str, NDArray[Any]]:
    """What a model predicts from, as its graph takes it.

    Of a table's columns numbers are float64, NaN where missing. Texts are strings,
    empty where missing. Dates are the microseconds since 1970 and times of day those
    since midnight, int64, −2⁶³ where missing. Of a table of sequences X holds the
    numbers of each, zeros behind its end, and ``lengths`` how many times it has. Of one
    of a series X holds the window that the forecast is made from.

    Arguments:
        model: the one that was exported.
        source: what its ``predict`` takes: a file's path or a frame for the model of a
            table, of sequences or of a series, X for an estimator or a `Network`.

    Returns:
        An array of shape (rows,) for each column, by the name of the graph's input; of
        an array ``X`` alone, shape (rows, …), or with ``lengths``, shape (rows,).

    Raises:
        FileError, DataError: the table can't be read, or lacks a column.
        ShapeError: a sequence has more times than those that were learned from.
        ArgumentError, NotFittedError: as for `export`.

    Example:
        >>> import thalweg as tw
        >>> from thalweg.exports import onnx_inputs
        >>> table = "examples/penguins.csv"
        >>> model = tw.train(table, target="species", epochs=1).model
        >>> {k: v[0] for k, v in list(onnx_inputs(model, table).items())[:2]}
        {'island': 'Torgersen', 'bill_length_mm': np.float64(39.1)}
    """
    load_libraries()
    from thalweg.exports.entrances import entrance
    from thalweg.network import Network
    from thalweg.training.named import side_by_side

    if isinstance(model, Network):
        source = side_by_side(model.layers, source, model.dtype)
    return entrance(_pipeline_of(model).inputs).arrays(source)


def _pipeline_of(model: object) -> Pipeline:
    """What goes in, the network, and what comes out, as the model describes it.

    Raises:
        ArgumentError: it is nothing that can be exported.
    """
    from thalweg.kinds.pipeline import Pipeline
    from thalweg.network import Network

    if isinstance(model, Network):
        return Pipeline.of_network(model)
    # Asked of the type, as Python asks for such names: a class has no network.
    described = getattr(type(model), "__pipeline__", None)
    if described is None:
        raise ArgumentError(
            "model must be a Network, what thalweg.train gave as its model, or a "
            f"NetworkClassifier or NetworkRegressor, got {type(model).__name__}"
        )
    return described(model)


def _stream_writers() -> Mapping[str, Callable[[Stream, Any], None]]:
    load_libraries()
    from thalweg.exports.stream_onnx import write_onnx_stream
    from thalweg.exports.stream_python import write_python_stream

    return {"onnx": write_onnx_stream, "python": write_python_stream}


def _writers() -> Mapping[str, Callable[[Pipeline, Any], None]]:
    load_libraries()
    from thalweg.exports.onnx_file import write_onnx
    from thalweg.exports.python_file import write_python

    return {"onnx": write_onnx, "python": write_python}
