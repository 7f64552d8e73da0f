"""From a table of sequences to a tested network, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.kinds.baseline import Baseline
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.constant import constant_loss
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.row_errors import RowErrors, errors_of
from thalweg.kinds.scores import Metrics, finite
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.sequences.baselines import baselines
from thalweg.sequences.fingerprint import noted, require_same_sequences
from thalweg.sequences.model import SequenceModel
from thalweg.sequences.network import build
from thalweg.sequences.prepare import PreparedSequences, prepare
from thalweg.sequences.settings import SequenceSettings
from thalweg.tables.read import read
from thalweg.tabular.fingerprints import fingerprint
from thalweg.tabular.model import USUAL
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import CurveReading, read_curves
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store


@dataclass(frozen=True)
class TrainedOnSequences:
    """A tested network for sequences, and how it came about.

    Arguments:
        model: the network with its table; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the sequences, and how they were split.
        test: metrics on sequences that were never used.
        baselines: the same metrics on the same sequences for ``constant guess``,
            ``nearest sequence`` and ``random kernels``.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
        errors: what the network got wrong of the test.
        others: what the baselines got wrong of it, and the time that each took.

    Example:
        >>> import polars as pl, thalweg as tw
        >>> rows = [
        ...     {"id": n, "t": t, "x": (n % 2) * t, "kind": ("flat", "up")[n % 2]}
        ...     for n in range(40) for t in range(3 + n % 3)
        ... ]
        >>> few = {"sequence": "id", "order": "t", "units": 4, "epochs": 2}
        >>> trained = tw.train(pl.DataFrame(rows), "kind", **few)
        >>> list(trained.baselines)
        ['constant guess', 'nearest sequence', 'random kernels']
    """

    model: SequenceModel
    history: History
    prepared: PreparedSequences
    test: Metrics
    baselines: dict[str, Metrics]
    reading: CurveReading
    notes: tuple[str, ...]
    diverged: str
    errors: RowErrors
    others: tuple[Baseline, ...]


Announce = Callable[[PreparedSequences, Network], object]


def learn(
    source: Any,
    target: str,
    settings: SequenceSettings,
    callback: AfterEpoch | None = None,
    announce: Announce | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
    own: Sources = NO_SOURCES,
) -> TrainedOnSequences:
    """Read, group, split, train, and test once on sequences never used.

    Arguments:
        source: a file's path, a frame of pandas, polars or pyarrow, or a table that
            was read.
        target: the column to predict.
        settings: how.
        callback: called after every epoch.
        announce: called with what was found, and the network, before training starts.
        execution: what runs the network, and on how many threads; the saved file is
            the same for any number of them.
        callbacks: objects that follow the run.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
        own: must be empty.

    Raises:
        FileError, DataError: the table can't be used.
        ArgumentError: a setting can't be used with this table.
        DivergenceError: the loss became NaN or infinite in the first epoch.
    """
    for part in own:
        raise ArgumentError(
            f"{part}_data must be left out with sequence: thalweg evaluate scores a "
            "model on another table"
        )
    table = read(source, settings.dialect)
    data = fingerprint(table)
    if resumed is not None:
        require_same_sequences(resumed[1], table, data)
    if checkpoint is not None:
        checkpoint = noted(checkpoint, table, target, settings, data)
    parts = prepare(table, target, settings)
    network = build(parts.targets, settings) if resumed is None else resumed[1].network
    if resumed is None:
        require_savable(network, parts, settings)
    if announce is not None:
        announce(parts, network)
    context = RunContext(callback, callbacks, execution, checkpoint, resumed)
    diverged = train_network(network, parts, settings, context)
    return tested(network, parts, settings, data, diverged, execution)


def model_of(
    network: Network, parts: PreparedSequences, settings: SequenceSettings
) -> SequenceModel:
    """The network with what it needs to read tables."""
    return SequenceModel(
        network,
        parts.encoder,
        parts.targets,
        parts.task,
        parts.id,
        parts.order,
        dialect=settings.dialect,
    )


def require_savable(
    network: Network, parts: PreparedSequences, settings: SequenceSettings
) -> None:
    """See before hours of training that there can be a file of what comes of it.

    Raises:
        DataError: a size is beyond what a file may have.
    """
    times = int(parts.sequences.lengths.max())
    same = unfilled(network, (times, len(parts.encoder.features)))
    results = {"settings": settings.to_dict()}
    try:
        replace(model_of(same, parts, settings), results=results).require_savable()
    except ModelFileError as error:
        raise DataError(
            f"{parts.table.name}: a model of these sequences couldn't be saved: {error}"
        ) from error


def tested(
    network: Network,
    parts: PreparedSequences,
    settings: SequenceSettings,
    data: dict[str, Any],
    diverged: str,
    execution: Execution,
) -> TrainedOnSequences:
    """Score the test sequences once, beside what the network has to beat."""
    model = model_of(network, parts, settings)
    outputs = model.outputs(list(parts.test.X), execution)
    known = parts.test.truth, None, parts.deciding.positive
    errors = errors_of(parts.targets, outputs, *known)
    metrics = errors.every_metric
    others = baselines(parts)
    scores = {each.name: each.errors.every_metric for each in others}
    said = (f"{each.name}: {each.note}" for each in others if each.note)
    notes = (*few_rows(parts, errors), *said)
    reading = read_curves(network.history, constant_loss(network, parts))
    results: dict[str, Any] = {
        "test": finite(metrics),
        "test_rows": len(parts.test.X),
        "baselines": {name: finite(each) for name, each in scores.items()},
        "compared_by": parts.deciding.to_dict(getattr(parts.targets, "labels", ())),
        "notes": list(notes),
        "reading": reading.text,
        "settings": settings.to_dict(),
        "data": data,
    }
    return TrainedOnSequences(
        replace(model, results=results),
        network.history,
        parts,
        metrics,
        scores,
        reading,
        notes,
        diverged,
        errors,
        tuple(others),
    )
