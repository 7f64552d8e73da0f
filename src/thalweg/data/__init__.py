"""A person's table becomes arrays, and arrays a tested network.

This file stays light: polars and scikit-learn are imported when a table is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.data.libraries import load_libraries
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.training.modeldocument import ESTIMATOR

if TYPE_CHECKING:
    from thalweg.data.inspection import Inspection
    from thalweg.data.learn import Trained
    from thalweg.data.model import TableModel
    from thalweg.formulas.optimizers import Optimizer
    from thalweg.formulas.penalties import Penalty
    from thalweg.training.callbacks import AfterEpoch, Callback
    from thalweg.training.checkpoints import Checkpoint
    from thalweg.training.modelfile import Content
    from thalweg.training.network import Network


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
    load_libraries()
    from thalweg.data.learn import learn
    from thalweg.data.own import own_sources
    from thalweg.data.settings import settings_from
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
    from thalweg.data.inspection import inspect_table
    from thalweg.data.settings import settings_from

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


def resume(
    folder: str | PathLike[str],
    data: Any = None,
    y: Any = None,
    *,
    sample_weight: Any = None,
    validation: tuple[Any, ...] | None = None,
    optimizer: Optimizer | None = None,
    penalty: Penalty | None = None,
    progress: bool = False,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
) -> Network | Trained:
    """Go on with a run from its newest checkpoint, as if it had never stopped.

    Weights, the optimizer's state, counters and history become the same to the bit, for
    any number of threads; only the seconds differ. Checkpoints go on in that folder.

    Arguments:
        folder: that of the `Checkpoint` which `fit` or `train` was given; or a file in
            it, ``step-N.thalweg``, where ``latest.json`` was lost.
        data: for a network X, as `fit` had it. For a table the file or frame; None for
            the file that it was read from.
        y: for a network, as `fit` had it.
        sample_weight: the same.
        validation: rows of a person's own, as `fit` had them; a fraction is known.
        optimizer, penalty: only those of a person's own, which no file holds.
        progress: show both losses while training.
        callback: called with an `EpochRecord` after every epoch that is still to come.
        callbacks: objects that follow the run; see `Callback`.
        threads: at most; None for as many as are fastest.
        validation_data, test_data: for a table, as `train` had them; None for the
            files that they were read from.

    Returns:
        The `Network`, with its history; for a table what `train` returns.

    Raises:
        FileError: there is no checkpoint that can be read, or none that is known to
            count; or another process writes there.
        DataError: the rows or the table aren't those of the run.
        ArgumentError: something is missing, or too much.
        DivergenceError: as `fit` raises it.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
        >>> def stop(record):
        ...     if record.epoch == 5:
        ...         raise KeyboardInterrupt
        >>> network = tw.Network([tw.Dense(1)])
        >>> history = network.fit(
        ...     X, 3 * X, epochs=8, checkpoint=tw.Checkpoint("slope"), callback=stop
        ... )
        >>> history.stopped_because
        'interrupted after epoch 5'
        >>> tw.resume("slope", X, 3 * X).history.stopped_because
        'all 8 epochs were done'
    """
    from thalweg.training.callbacks import callbacks_from
    from thalweg.training.checkpoints import TABLE
    from thalweg.training.execution import Execution
    from thalweg.training.resume import go_on, saved_run

    with saved_run(folder) as (store, saved):
        epochs = saved.setup.epochs
        told = callbacks_from(callback, callbacks, progress, epochs)
        if TABLE in saved.setup.notes:
            load_libraries()
            from thalweg.data.going_on import begun
            from thalweg.data.learn import learn
            from thalweg.data.own import own_sources

            run = begun(saved)
            source = run.source if data is None else data
            given = own_sources(validation_data, test_data, {})
            execution = Execution(saved.setup.engine, threads)
            return learn(
                source,
                run.target,
                run.settings,
                execution=execution,
                callbacks=told.each,
                resumed=(store, saved),
                own=run.own_sources(given),
            )
        for name, own in (("validation", validation_data), ("test", test_data)):
            if own is not None:
                raise ArgumentError(
                    f"{name}_data must be left out, as the run is that of a network"
                )
        return go_on(
            store,
            saved,
            data,
            y,
            sample_weight=sample_weight,
            validation=validation,
            optimizer=optimizer,
            penalty=penalty,
            callbacks=told,
            threads=threads,
        )


def load(path: str | Path) -> Network | TableModel:
    """Read a network, or a table's model, from a file.

    Nothing in the file is run or imported, and every size and shape is checked first.

    Arguments:
        path: a file that `Network.save`, `TableModel.save` or ``thalweg train`` wrote.

    Returns:
        A `Network`; or a `TableModel`, which takes tables, if one was saved.

    Raises:
        FileError: the file can't be read.
        ModelFileError: the file breaks a rule of the format, or holds an estimator,
            which its own ``load`` reads.

    Example:
        >>> import thalweg as tw
        >>> tw.Network([tw.Dense(3, "softmax")]).initialize(4).save("iris.thalweg")
        >>> tw.load("iris.thalweg")
        Network([Dense(3, activation='softmax')])
    """
    from thalweg.training.modelfile import opened_model

    with opened_model(path) as content:
        return held_in(content)


def held_in(content: Content) -> Network | TableModel:
    """What a file holds, of whatever the gate let in.

    Raises:
        ModelFileError: the file breaks a rule of the format, or holds an estimator,
            of which this room knows nothing.
    """
    kind = content.document.get("kind")
    if kind == ESTIMATOR:
        raise ModelFileError(
            f"{content.name}: holds an estimator; thalweg.NetworkClassifier.load or "
            "thalweg.NetworkRegressor.load reads it"
        )
    if kind == "table":
        load_libraries()
        from thalweg.data.model import model_from

        return model_from(content)
    from thalweg.training.networkdata import network_from

    return network_from(content)
