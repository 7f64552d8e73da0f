"""From a table to a tested network, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from thalweg.errors import DataError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.constant import class_count, constant_guess, constant_loss
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.last_layer import POSITIVE, output_layer, require_fitting
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.row_errors import Outputs, errors_of
from thalweg.kinds.scores import (
    Metrics,
    finite,
    linear_outputs,
    repeated,
)
from thalweg.kinds.targets import NumberTargets
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.tables.encode import Encoder
from thalweg.tables.read import read
from thalweg.tables.scales import Scale
from thalweg.tables.table import Table
from thalweg.tabular.cautions import below_zero
from thalweg.tabular.fingerprints import fingerprints, noted, require_same_tables
from thalweg.tabular.model import USUAL, TableModel
from thalweg.tabular.own import NO_OWN, Own
from thalweg.tabular.prepare import prepare
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.tabular.worked import libraries_have_worked
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import CurveReading, read_curves
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store

Announce = Callable[[Table, Prepared, Network], object]


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
    same = unfilled(network, (len(prepared.encoder.features),))
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
    return Network([*layers, output_layer(prepared.targets, settings.loss)])


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


def fitted_to_loss(table: Table, prepared: Prepared, settings: Settings) -> Prepared:
    """Check that the loss goes with the task; Poisson's needs targets from 0 up."""
    require_fitting(settings.loss, prepared.targets, prepared.task)
    return from_zero(table, prepared) if settings.loss == POSITIVE else prepared


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
    reading = read_curves(history, constant_loss(model.network, prepared))
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
