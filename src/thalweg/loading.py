"""Models from their files, and runs from their checkpoints.

This file stays light: polars and scikit-learn are imported when a table is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.every_kind import NAMED, kind_named, kind_noted
from thalweg.files.document import ESTIMATOR
from thalweg.kinds.own import Sources, own_sources

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store
    from thalweg.files.modelfile import Content
    from thalweg.forecasting.learn import TrainedForecast
    from thalweg.forecasting.model import ForecastModel
    from thalweg.formulas.optimizers import Optimizer
    from thalweg.formulas.penalties import Penalty
    from thalweg.kinds.kind import AnyKind
    from thalweg.language.learn import TrainedOnText
    from thalweg.language.model import LanguageModel
    from thalweg.network import Network
    from thalweg.sequences.learn import TrainedOnSequences
    from thalweg.sequences.model import SequenceModel
    from thalweg.tabular.learn import Trained
    from thalweg.tabular.model import TableModel
    from thalweg.training.callbacks import AfterEpoch, Callback, Callbacks
    from thalweg.vision.learn import TrainedOnImages
    from thalweg.vision.model import ImageModel

    AnyModel: TypeAlias = (
        Network
        | TableModel
        | ImageModel
        | LanguageModel
        | ForecastModel
        | SequenceModel
    )


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
    lengths: Any = None,
) -> (
    Network
    | Trained
    | TrainedOnImages
    | TrainedOnText
    | TrainedForecast
    | TrainedOnSequences
):
    """Go on with a run from its newest checkpoint, as if it had never stopped.

    Weights, the optimizer's state, counters and history become the same to the bit, for
    any number of threads; only the seconds differ. Checkpoints go on in that folder.

    Arguments:
        folder: that of the `Checkpoint` which `fit` or `train` was given; or a file in
            it, ``step-N.thalweg``, where ``latest.json`` was lost.
        data: for a network X, as `fit` had it. For a table the file or frame, for
            images their path; None for what was read then.
        y: for a network, as `fit` had it.
        sample_weight: the same.
        validation: rows of a user's own, as `fit` had them; a fraction is known.
        optimizer, penalty: only those of a user's own, which no file holds.
        progress: show both losses while training.
        callback: called with an `EpochRecord` after every epoch that is still to come.
        callbacks: objects that follow the run; see `Callback`.
        threads: at most; None for as many as are fastest.
        validation_data, test_data: for a table or images, as `train` had them; None for
            the files that they were read from.
        lengths: as `fit` had them.

    Returns:
        The `Network`, with its history; for a table or images what `train` returns.

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
    from thalweg.checkpoints.resume import go_on, saved_run
    from thalweg.network import Network
    from thalweg.training.callbacks import callbacks_from

    with saved_run(folder, Network) as (store, saved):
        epochs = saved.setup.epochs
        told = callbacks_from(callback, callbacks, progress, epochs)
        own = own_sources(validation_data, test_data, {})
        if kind := kind_noted(saved.setup.notes):
            return on_data(kind, (store, saved), data, told, threads, own)
        for name in own:
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
            lengths=lengths,
        )


def on_data(
    kind: AnyKind,
    resumed: tuple[Store, Saved[Network]],
    data: Any,
    told: Callbacks,
    threads: int | None,
    own: Sources,
) -> Any:
    """Go on with a run of `train`.

    Raises:
        ArgumentError: the data was no file, and isn't given.
    """
    from thalweg.kinds.begun import begun
    from thalweg.kinds.learn import learn
    from thalweg.training.execution import Execution

    run, setup = begun(kind, resumed[1]), resumed[1].setup
    if data is None and run.source is None:
        raise ArgumentError(f"data must be given: the run had {kind.what} from no file")
    return learn(
        kind,
        run.source if data is None else data,
        run.target,
        run.settings,
        execution=Execution(setup.engine, threads),
        callbacks=told.each,
        resumed=resumed,
        own=run.own_sources(own),
    )


def load(path: str | Path) -> AnyModel:
    """Read a network, or a model of a table, images, a text or a series, from a file.

    Nothing in the file is run or imported, and every size and shape is checked first.

    Arguments:
        path: a file that ``save`` or ``thalweg train`` wrote.

    Returns:
        A `Network`; or, if one was saved, a `TableModel`, which takes tables, an
        `ImageModel`, which takes images, a `LanguageModel`, which takes texts, a
        `ForecastModel`, which takes the last rows of a series, or a `SequenceModel`,
        which takes tables of sequences.

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
    from thalweg.files.modelfile import opened_model

    with opened_model(path) as content:
        return held_in(content)


def held_in(content: Content) -> AnyModel:
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
    if isinstance(kind, str) and kind in NAMED:
        return kind_named(kind).model_from(content)
    from thalweg.files.network_codec import network_from
    from thalweg.network import Network

    return network_from(content, Network)
