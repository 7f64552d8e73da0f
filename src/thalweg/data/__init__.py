"""A person's table becomes arrays, and arrays a tested network.

This file stays light: polars and scikit-learn are imported when a table is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg.data.learn import Trained
    from thalweg.data.model import TableModel
    from thalweg.training.fit import Callback
    from thalweg.training.network import Network


def train(
    source: Any,
    target: str,
    *,
    callback: Callback | None = None,
    engine: str = "native",
    threads: int | None = None,
    **settings: Any,
) -> Trained:
    """Train a network on a table, and test it on rows never used.

    Arguments:
        source: a file's path (CSV or Parquet), or a frame of pandas, polars or pyarrow.
        target: the column to predict.
        callback: called with an `EpochRecord` after every epoch.
        engine: ``native``, or ``interpreter``, which is NumPy.
        threads: at most; None for as many as the work is worth. The network is the same
            to the bit for any number.
        settings: any field of `thalweg.data.settings.Settings`, such as
            ``layers=(64, 64)`` or ``epochs=50``.

    Returns:
        The trained model with its history, test metrics, baselines, and the learning
        curves read in plain words.

    Raises:
        FileError, DataError: the table can't be used; the message names row and column.
        ArgumentError: a setting can't be used.
        DivergenceError: the loss became NaN or infinite in the first epoch.

    Example:
        >>> import thalweg as tw
        >>> trained = tw.train("examples/penguins.csv", target="species")
        >>> trained.test["accuracy"] > 0.9
        True
    """
    from thalweg.data.learn import learn
    from thalweg.data.settings import settings_from
    from thalweg.training.execution import Execution

    chosen = settings_from(settings, beside=("callback", "engine", "threads"))
    execution = Execution(engine, threads)
    return learn(source, target, chosen, callback, execution=execution)


def load(path: str | Path) -> Network | TableModel:
    """Read a network, or a table's model, from a file.

    Nothing in the file is run or imported, and every size and shape is checked first.

    Arguments:
        path: a file that `Network.save`, `TableModel.save` or ``thalweg train`` wrote.

    Returns:
        A `Network`; or a `TableModel`, which takes tables, if one was saved.

    Raises:
        FileError: the file can't be read.
        ModelFileError: the file breaks a rule of the format.

    Example:
        >>> import thalweg as tw
        >>> tw.Network([tw.Dense(3, "softmax")]).initialize(4).save("iris.thalweg")
        >>> tw.load("iris.thalweg")
        Network([Dense(3, activation='softmax')])
    """
    from thalweg.training.checkpoint import network_from
    from thalweg.training.modelfile import read_model

    tensors, document = read_model(path)
    if document.get("kind") != "table":
        return network_from(document, tensors, str(path))
    from thalweg.data.model import model_from

    return model_from(document, tensors, str(path))
