"""From data of any kind to a tested network, in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from thalweg.errors import DataError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.kinds.begun import noted, require_same
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.kind import FoundT, Kind, SettingsT, TrainedT
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.scores import finite
from thalweg.kinds.trained import ModelT, PartsT
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import read_curves
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store


def learn(
    kind: Kind[SettingsT, FoundT, PartsT, ModelT, TrainedT],
    source: Any,
    target: str,
    settings: SettingsT,
    callback: AfterEpoch | None = None,
    announce: Callable[[PartsT, Network], object] | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
    own: Sources = NO_SOURCES,
) -> TrainedT:
    """Read, split, train, and test once on what was never used.

    Arguments:
        kind: of data.
        source: where it is, or what was read.
        target: the column to predict; nothing for a kind without one.
        settings: how.
        callback: called after every epoch.
        announce: called with what was found in the data, and the network, before
            training starts.
        execution: what runs the network, and on how many threads; the saved file is
            the same for any number of them.
        callbacks: objects that follow the run.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
        own: for ``validation`` and ``test`` data of one's own, as `source`, instead of
            a part that is drawn.

    Raises:
        FileError, DataError: the data can't be used.
        ArgumentError: a setting can't be used with it.
        DivergenceError: the loss became NaN or infinite in the first epoch.
    """
    found = kind.read(source, settings, own)
    run = callback, announce, execution, callbacks, checkpoint, resumed
    return learn_from(kind, found, target, settings, *run)


def learn_from(
    kind: Kind[SettingsT, FoundT, PartsT, ModelT, TrainedT],
    found: FoundT,
    target: str,
    settings: SettingsT,
    callback: AfterEpoch | None = None,
    announce: Callable[[PartsT, Network], object] | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
) -> TrainedT:
    """Split, train, and test once what was read; see `learn`."""
    data = kind.fingerprint(found)
    if resumed is not None:
        require_same(kind, resumed[1], data)
    if checkpoint is not None:
        checkpoint = noted(checkpoint, kind, found, target, settings, data)
    parts = kind.prepare(found, target, settings)
    if resumed is None:
        network = kind.build(parts, settings)
        require_savable(kind, network, parts, settings, found.name)
    else:
        network = resumed[1].network
    if announce is not None:
        announce(parts, network)
    context = RunContext(callback, callbacks, execution, checkpoint, resumed)
    diverged = train_network(network, parts, settings, context)
    return trained(kind, network, parts, settings, data, diverged, execution)


def require_savable(
    kind: Kind[SettingsT, Any, PartsT, ModelT, Any],
    network: Network,
    parts: PartsT,
    settings: SettingsT,
    name: str,
) -> None:
    """See before hours of training that there can be a file of what comes of it.

    Raises:
        DataError: a size is beyond what a file may have.
    """
    same = unfilled(network, kind.shape(parts, settings))
    try:
        model = kind.model(same, parts, settings)
        replace(model, results={"settings": settings.to_dict()}).require_savable()
    except ModelFileError as error:
        raise DataError(
            f"{name}: a model of the {kind.noun} couldn't be saved: {error}"
        ) from error


def trained(
    kind: Kind[SettingsT, Any, PartsT, ModelT, TrainedT],
    network: Network,
    parts: PartsT,
    settings: SettingsT,
    data: dict[str, Any],
    diverged: str,
    execution: Execution,
) -> TrainedT:
    """The network with its one test, and what a file is to say of both."""
    model = kind.model(network, parts, settings)
    tested = kind.tested(model, parts, settings, execution)
    if tested.guess is not None and math.isfinite(tested.guess):
        network.history.constant_loss = tested.guess
    reading = read_curves(network.history)
    results: dict[str, Any] = {
        "test": finite(tested.metrics),
        "test_rows": len(parts.test.X),
        "baselines": {name: finite(each) for name, each in tested.baselines.items()},
        "compared_by": parts.compared_by,
        **tested.results,
        "notes": list(tested.notes),
        "reading": reading.text,
        "settings": settings.to_dict(),
        "data": data,
    }
    return kind.trained(
        replace(model, results=results),
        network.history,
        parts,
        tested.metrics,
        tested.baselines,
        reading,
        tested.notes,
        diverged,
        **tested.beside,
    )
