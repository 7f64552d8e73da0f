"""The user's table becomes arrays, and arrays a tested network.

This file stays light: polars and scikit-learn are imported when a table is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thalweg.errors import ArgumentError
from thalweg.tabular.libraries import load_libraries

if TYPE_CHECKING:
    from thalweg.tabular.inspection import Inspection
    from thalweg.tabular.learn import Trained
    from thalweg.training.callbacks import AfterEpoch, Callback
    from thalweg.training.checkpoint import Checkpoint


def train(
    source: Any,
    target: str,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = "native",
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
    **settings: Any,
) -> Trained:
    """Train a network on a table, and test it on rows never used.

    Arguments:
        source: a file's path (CSV or Parquet), or a frame of pandas, polars or pyarrow.
        target: the column to predict.
        callback: called with an `EpochRecord` after every epoch.
        callbacks: objects that follow the run and may end it; see `Callback`.
        checkpoint: where and how often to write what `resume` goes on from.
        engine: ``native``, or ``interpreter``, which is NumPy.
        threads: at most; None for as many as are fastest. The network is the same
            to the bit for any number.
        validation_data, test_data: tables of one's own to choose the epoch by, and to
            test on, as `source`; no rows of that are drawn for it then.
        settings: any field of `thalweg.tabular.settings.Settings`, such as
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
    load_libraries()
    from thalweg.tabular.learn import learn
    from thalweg.tabular.own import own_sources
    from thalweg.tabular.settings import settings_from
    from thalweg.training.execution import Execution

    target = target_name(source, target)
    running = ("callback", "callbacks", "checkpoint", "engine", "threads")
    beside = (*running, "validation_data", "test_data")
    chosen = settings_from(settings, beside=beside)
    return learn(
        source,
        target,
        chosen,
        callback,
        execution=Execution(engine, threads),
        callbacks=callbacks,
        checkpoint=checkpoint,
        own=own_sources(validation_data, test_data, settings),
    )


def inspect(source: Any, target: str | None = None, **declared: Any) -> Inspection:
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
    from thalweg.tabular.settings import settings_from

    name = None if target is None else target_name(source, target)
    return inspect_table(source, name, settings_from(declared))


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
