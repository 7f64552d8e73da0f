"""From a table to a tested network, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ArgumentError, DataError, DivergenceError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer
from thalweg.formulas.losses import Loss
from thalweg.model.history import History
from thalweg.model.metrics import CLASS_LOSSES
from thalweg.network import Network
from thalweg.tables.encode import Encoder
from thalweg.tables.read import read
from thalweg.tables.scales import Scale
from thalweg.tables.table import Table
from thalweg.tabular.cautions import below_zero, few_rows
from thalweg.tabular.fingerprints import fingerprints, noted, require_same_tables
from thalweg.tabular.magnitude import near_one, weighted_mean
from thalweg.tabular.model import USUAL, TableModel
from thalweg.tabular.own import NO_OWN, NO_SOURCES, Own, Sources
from thalweg.tabular.prepare import prepare
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.row_errors import Outputs, errors_of
from thalweg.tabular.scores import (
    Metrics,
    constant_outputs,
    finite,
    linear_outputs,
    repeated,
)
from thalweg.tabular.settings import Settings
from thalweg.tabular.targets import ClassTargets, NumberTargets
from thalweg.tabular.worked import libraries_have_worked
from thalweg.training.callbacks import AfterEpoch, Callback, callbacks_from
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import CurveReading, read_curves
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store

Announce = Callable[[Table, Prepared, Network], object]
ONE_OUTPUT = "binary_cross_entropy"
POSITIVE = "poisson"


@dataclass(frozen=True)
class Trained:
    """A tested network, and how it came about.

    Arguments:
        model: the network with its table; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: what each column is, and how rows were split.
        test: metrics on rows that were never used.
        baselines: the same metrics on the same rows for ``constant guess`` and ``linear
            model``.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores: that few rows were tested, or
            predictions of a count are below 0.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
        table: the rows as they were read.

    Example:
        >>> import thalweg as tw
        >>> trained = tw.train("examples/penguins.csv", target="species", epochs=5)
        >>> isinstance(trained, tw.Trained), trained.history.stopped_epoch
        (True, 5)
        >>> list(trained.baselines)
        ['constant guess', 'linear model']
    """

    model: TableModel
    history: History
    prepared: Prepared
    test: Metrics
    baselines: dict[str, Metrics]
    reading: CurveReading
    notes: tuple[str, ...] = ()
    diverged: str = ""
    table: Table | None = None


@dataclass(frozen=True)
class RunContext:
    """What accompanies a run, and leaves its result as it is.

    Arguments:
        callback: called after every epoch.
        callbacks: follow the run.
        execution: what runs the network, and on how many threads.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
    """

    callback: AfterEpoch | None
    callbacks: Sequence[Callback]
    execution: Execution
    checkpoint: Checkpoint | None
    resumed: tuple[Store, Saved[Network]] | None


def learn(
    source: Any,
    target: str,
    settings: Settings,
    callback: AfterEpoch | None = None,
    announce: Callable[[Table, Prepared, Network], object] | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
    own: Sources = NO_SOURCES,
) -> Trained:
    """Read, infer, split, encode, train, and test once on rows never used.

    Arguments:
        source: a file's path, a frame of pandas, polars or pyarrow, or a table that
            was read.
        target: the column to predict.
        settings: how.
        callback: called after every epoch.
        announce: called with the table, what was found in it, and the network, before
            training starts.
        execution: what runs the network, and on how many threads; the saved file is
            the same for any number of them.
        callbacks: objects that follow the run.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
        own: for ``validation`` and ``test`` a table of one's own, as `source`, instead
            of rows that are drawn.

    Raises:
        FileError, DataError: the table can't be used.
        ArgumentError: a setting can't be used with this table.
        DivergenceError: the loss became NaN or infinite in the first epoch.
    """
    table = read(source, settings.dialect)
    others = Own.read(own, settings.dialect)
    data = fingerprints(table, others)
    if resumed is not None:
        require_same_tables(resumed[1], table, others, data)
    if checkpoint is not None:
        checkpoint = noted(checkpoint, table, target, settings, others, data)
    prepared = prepared_by(table, target, settings, others)
    network = build(prepared, settings) if resumed is None else resumed[1].network
    if resumed is None:
        require_savable(network, prepared, settings, table)
    if announce is not None:
        announce(table, prepared, network)
    context = RunContext(callback, callbacks, execution, checkpoint, resumed)
    diverged = train_network(network, prepared, settings, context)
    model = model_of(network, prepared, settings)
    trained = tested(model, table, prepared, settings, data, diverged, execution)
    libraries_have_worked()
    return trained


def model_of(network: Network, prepared: Prepared, settings: Settings) -> TableModel:
    """The network with what it needs to read tables."""
    return TableModel(
        network,
        prepared.encoder,
        prepared.targets,
        prepared.task,
        dialect=settings.dialect,
    )


def require_savable(
    network: Network, prepared: Prepared, settings: Settings, table: Table
) -> None:
    """See before hours of training that there can be a file of what comes of it.

    Raises:
        DataError: a size is beyond what a file may have.
    """
    same = unfilled(network, len(prepared.encoder.features))
    try:
        model = model_of(same, prepared, settings)
        replace(model, results={"settings": settings.to_dict()}).require_savable()
    except ModelFileError as error:
        raise DataError(
            f"{table.name}: a model of this table couldn't be saved: {error}"
        ) from error


def prepared_by(
    table: Table, target: str, settings: Settings, own: Own = NO_OWN
) -> Prepared:
    """The table split and encoded as the settings say.

    Raises:
        DataError: the table can't be used.
        ArgumentError: a setting can't be used with this table.
    """
    prepared = prepare(table, target, settings, own)
    return fitted_to_loss(table, prepared, settings)


# The network --------------------------------------------------------------------------


def build(prepared: Prepared, settings: Settings) -> Network:
    """Embeddings for columns of many categories, hidden layers, and an output."""
    layers = embedding_layers(prepared.encoder)
    for units in settings.layers:
        layers.append(Dense(units, settings.activation))
        if settings.dropout:
            layers.append(Dropout(settings.dropout))
    return Network([*layers, output_layer(prepared, settings)])


def embedding_layers(encoder: Encoder) -> list[Layer]:
    """A layer with an embedding for each column of codes, if there are any."""
    embedded = encoder.embedded
    if not embedded:
        return []
    first = embedded[0].position
    parts: list[tuple[int, int, Layer | None]] = [(0, first, None)] if first else []
    for each in embedded:
        layer = Embedding(each.categories, each.dimension)
        parts.append((each.position, each.position + 1, layer))
    return [Columns(tuple(parts))]


def output_layer(prepared: Prepared, settings: Settings) -> Layer:
    """A probability for each class, or one number."""
    if isinstance(prepared.targets, NumberTargets):
        return Dense(1, "softplus" if settings.loss == POSITIVE else "identity")
    if settings.loss == ONE_OUTPUT:
        return Dense(1, "sigmoid")
    return Dense(len(prepared.targets.labels), "softmax")


def fitted_to_loss(table: Table, prepared: Prepared, settings: Settings) -> Prepared:
    """Check that the loss goes with the task; Poisson's needs targets from 0 up."""
    loss, target = settings.loss, prepared.targets.name
    if loss is None:
        return prepared
    classes = isinstance(prepared.targets, ClassTargets)
    if classes != (Loss.of(loss).name in CLASS_LOSSES):
        fitting = "cross_entropy" if classes else "mean_squared_error"
        raise ArgumentError(
            f"loss {loss} doesn't go with {target!r}, which is {prepared.task.line()}; "
            f"one that does is {fitting}"
        )
    if isinstance(prepared.targets, ClassTargets):
        count = len(prepared.targets.labels)
        if loss == ONE_OUTPUT and count != 2:
            raise ArgumentError(
                f"loss {loss} needs two classes, {target!r} has {count}"
            )
        return prepared
    return from_zero(table, prepared) if loss == POSITIVE else prepared


def from_zero(table: Table, prepared: Prepared) -> Prepared:
    """Targets divided by their deviation, with 0 kept at 0."""
    assert isinstance(prepared.targets, NumberTargets)
    targets = replace(
        prepared.targets, scale=Scale(0.0, prepared.targets.scale.deviation)
    )
    moved = {name: part.relearned(targets) for name, part in prepared.parts.items()}
    if min(part.truth.min(initial=0.0) for part in moved.values()) < 0:
        raise DataError(
            f"{table.name}, column {prepared.targets.name!r}: the loss poisson takes "
            "counts, 0 or more, but some are negative"
        )
    found = replace(prepared, targets=targets, **moved)
    found.require_learnable(table)
    return found


def train_network(
    network: Network, prepared: Prepared, settings: Settings, context: RunContext
) -> str:
    """Fit the network; why it diverged, if it did after a first whole epoch."""
    fit = fit_anew if context.resumed is None else fit_on
    try:
        fit(network, prepared, settings, context)
    except DivergenceError as error:
        if not network.history.epochs:
            raise
        return str(error)
    return ""


def fit_anew(
    network: Network, prepared: Prepared, settings: Settings, context: RunContext
) -> None:
    """Fit the network to the training rows."""
    training, validation = prepared.training, prepared.validation
    network.fit(
        training.X,
        training.y,
        loss=settings.loss,
        optimizer=settings.rule(len(training.X)),
        epochs=settings.epochs,
        batch_size=settings.rows_a_step(len(training.X)),
        validation=(validation.X, validation.y, validation.weights),
        early_stopping=settings.early_stopping(),
        seed=settings.seed,
        sample_weight=training.weights,
        penalty=settings.penalty(),
        clip_norm=settings.clip_norm,
        callback=context.callback,
        callbacks=context.callbacks,
        checkpoint=context.checkpoint,
        engine=context.execution.engine,
        threads=context.execution.threads,
    )


def fit_on(
    network: Network, prepared: Prepared, settings: Settings, context: RunContext
) -> None:
    """Go on fitting the network to the same rows."""
    from thalweg.checkpoints.resume import go_on

    assert context.resumed is not None
    training, validation = prepared.training, prepared.validation
    callback, callbacks = context.callback, context.callbacks
    go_on(
        *context.resumed,
        training.X,
        training.y,
        sample_weight=training.weights,
        validation=(validation.X, validation.y, validation.weights),
        callbacks=callbacks_from(callback, callbacks, False, settings.epochs),
        threads=context.execution.threads,
    )


# The test -----------------------------------------------------------------------------


def tested(
    model: TableModel,
    table: Table,
    prepared: Prepared,
    settings: Settings,
    data: dict[str, Any],
    diverged: str,
    execution: Execution,
) -> Trained:
    """Score the test rows once, beside a constant guess and a linear model."""
    test, deciding = prepared.test, prepared.deciding
    known = test.truth, test.weights, deciding.positive
    errors = errors_of(prepared.targets, model.outputs(test.X, execution), *known)
    metrics = errors.every_metric
    baselines = {
        name: errors_of(prepared.targets, each, *known).every_metric
        for name, each in baseline_outputs(prepared).items()
    }
    validated = model.outputs(prepared.validation.X, execution)
    notes = (
        *few_rows(prepared, errors),
        *below_zero(table, prepared, validated, errors),
    )
    history = model.network.history
    reading = read_curves(history, constant_loss(model, prepared))
    results: dict[str, Any] = {
        "test": finite(metrics),
        "test_rows": len(test.X),
        "baselines": {name: finite(each) for name, each in baselines.items()},
        "compared_by": deciding.to_dict(getattr(prepared.targets, "labels", ())),
        "notes": list(notes),
        "reading": reading.text,
        "settings": settings.to_dict(),
        "data": data,
    }
    return Trained(
        replace(model, results=results),
        history,
        prepared,
        metrics,
        baselines,
        reading,
        notes,
        diverged,
        table,
    )


def baseline_outputs(prepared: Prepared) -> dict[str, Outputs]:
    """What a constant guess and a linear model give on the test rows, in parts."""
    training, test = prepared.training, prepared.test
    codes = len(prepared.encoder.embedded)
    known = training.X, training.y, training.weights, class_count(prepared), codes
    return {
        "constant guess": repeated(constant_guess(prepared), len(test.X)),
        "linear model": linear_outputs(*known, test.X),
    }


def constant_guess(prepared: Prepared) -> NDArray[Any]:
    """The classes' shares, or the mean, of the training rows, shape (1, outputs).

    The mean is that in the target's unit, also where logarithms are learned: their mean
    would be a guess that is too low, and easily beaten.
    """
    training, targets = prepared.training, prepared.targets
    if isinstance(targets, NumberTargets) and targets.log:
        rows = len(training.truth)
        weights = np.ones(rows) if training.weights is None else training.weights
        mean = weighted_mean(training.truth, near_one(weights))
        return targets.learned(np.array([[mean]]))
    return constant_outputs(training.y, training.weights, class_count(prepared))


def class_count(prepared: Prepared) -> int:
    """The number of classes; 0 where a number is predicted."""
    targets = prepared.targets
    return len(targets.labels) if isinstance(targets, ClassTargets) else 0


def constant_loss(model: TableModel, prepared: Prepared) -> float:
    """The validation loss of the best constant guess of the training rows."""
    training, validation = prepared.training, prepared.validation
    classes, loss = class_count(prepared), model.network.loss
    assert loss is not None
    guess = constant_outputs(training.y, training.weights, classes)
    if classes and model.network.shapes.outputs[-1] == (1,):
        guess = guess[:, 1:]
    truths, places = validation.y, slice(None)
    if classes:  # rows of one class lose alike
        truths, places = np.unique(truths, return_inverse=True)
    start, losses = 0, np.empty(len(truths))
    for part in repeated(guess, len(losses)):
        rows = slice(start, start := start + len(part))
        losses[rows] = loss.per_row(part, truths[rows])
    return float(np.average(losses[places], weights=validation.weights))
