"""Models from their files, and runs from their checkpoints.

This file stays light: polars and scikit-learn are imported when a table is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.files.document import ESTIMATOR
from thalweg.tabular.libraries import load_libraries

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store
    from thalweg.files.modelfile import Content
    from thalweg.forecasting.learn import TrainedForecast
    from thalweg.forecasting.model import ForecastModel
    from thalweg.formulas.optimizers import Optimizer
    from thalweg.formulas.penalties import Penalty
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
    from thalweg.training.checkpoint import IMAGES, SEQUENCES, SERIES, TABLE, TEXT
    from thalweg.training.execution import Execution

    with saved_run(folder, Network) as (store, saved):
        epochs = saved.setup.epochs
        told = callbacks_from(callback, callbacks, progress, epochs)
        if IMAGES in saved.setup.notes:
            own = validation_data, test_data
            return on_images((store, saved), data, told, threads, *own)
        if TEXT in saved.setup.notes:
            own = validation_data, test_data
            return on_text((store, saved), data, told, threads, *own)
        if SERIES in saved.setup.notes:
            own = validation_data, test_data
            return on_series((store, saved), data, told, threads, *own)
        if SEQUENCES in saved.setup.notes:
            own = validation_data, test_data
            return on_sequences((store, saved), data, told, threads, *own)
        if TABLE in saved.setup.notes:
            load_libraries()
            from thalweg.kinds.own import own_sources
            from thalweg.tabular.fingerprints import begun
            from thalweg.tabular.learn import learn

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
            lengths=lengths,
        )


def on_images(
    resumed: tuple[Store, Saved[Network]],
    data: Any,
    told: Callbacks,
    threads: int | None,
    validation_data: Any,
    test_data: Any,
) -> TrainedOnImages:
    """Go on with a run on images."""
    load_libraries()
    from thalweg.kinds.own import own_sources
    from thalweg.training.execution import Execution
    from thalweg.vision.fingerprint import begun
    from thalweg.vision.learn import learn

    run, setup = begun(resumed[1]), resumed[1].setup
    if data is None and run.source is None:
        raise ArgumentError("data must be given: the run had images that are no file")
    return learn(
        run.source if data is None else data,
        run.settings,
        execution=Execution(setup.engine, threads),
        callbacks=told.each,
        resumed=resumed,
        own=run.own_sources(own_sources(validation_data, test_data, {})),
    )


def on_text(
    resumed: tuple[Store, Saved[Network]],
    data: Any,
    told: Callbacks,
    threads: int | None,
    validation_data: Any,
    test_data: Any,
) -> TrainedOnText:
    """Go on with a run on a text."""
    load_libraries()
    from thalweg.kinds.own import own_sources
    from thalweg.language.fingerprint import begun
    from thalweg.language.learn import learn
    from thalweg.training.execution import Execution

    run, setup = begun(resumed[1]), resumed[1].setup
    if data is None and run.source is None:
        raise ArgumentError("data must be given: the run had a text that is no file")
    return learn(
        run.source if data is None else data,
        run.settings,
        execution=Execution(setup.engine, threads),
        callbacks=told.each,
        resumed=resumed,
        own=run.own_sources(own_sources(validation_data, test_data, {})),
    )


def on_series(
    resumed: tuple[Store, Saved[Network]],
    data: Any,
    told: Callbacks,
    threads: int | None,
    validation_data: Any,
    test_data: Any,
) -> TrainedForecast:
    """Go on with a run that learns to forecast."""
    load_libraries()
    from thalweg.forecasting.fingerprint import begun
    from thalweg.forecasting.learn import learn
    from thalweg.kinds.own import own_sources
    from thalweg.training.execution import Execution

    run, setup = begun(resumed[1]), resumed[1].setup
    if data is None and run.source is None:
        raise ArgumentError("data must be given: the run had a table that is no file")
    return learn(
        run.source if data is None else data,
        run.target,
        run.settings,
        execution=Execution(setup.engine, threads),
        callbacks=told.each,
        resumed=resumed,
        own=own_sources(validation_data, test_data, {}),
    )


def on_sequences(
    resumed: tuple[Store, Saved[Network]],
    data: Any,
    told: Callbacks,
    threads: int | None,
    validation_data: Any,
    test_data: Any,
) -> TrainedOnSequences:
    """Go on with a run on sequences."""
    load_libraries()
    from thalweg.kinds.own import own_sources
    from thalweg.sequences.fingerprint import begun
    from thalweg.sequences.learn import learn
    from thalweg.training.execution import Execution

    run, setup = begun(resumed[1]), resumed[1].setup
    if data is None and run.source is None:
        raise ArgumentError("data must be given: the run had a table that is no file")
    return learn(
        run.source if data is None else data,
        run.target,
        run.settings,
        execution=Execution(setup.engine, threads),
        callbacks=told.each,
        resumed=resumed,
        own=own_sources(validation_data, test_data, {}),
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
    if kind == "table":
        load_libraries()
        from thalweg.tabular.model import model_from

        return model_from(content)
    if kind == "images":
        load_libraries()
        from thalweg.vision.model import model_from as images_from

        return images_from(content)
    if kind == "text":
        load_libraries()
        from thalweg.language.model import model_from as text_from

        return text_from(content)
    if kind == "sequences":
        load_libraries()
        from thalweg.sequences.model import model_from as sequences_from

        return sequences_from(content)
    if kind == "forecast":
        load_libraries()
        from thalweg.forecasting.model import model_from as forecast_from

        return forecast_from(content)
    from thalweg.files.network_codec import network_from
    from thalweg.network import Network

    return network_from(content, Network)
