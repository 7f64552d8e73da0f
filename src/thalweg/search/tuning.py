"""Settings for a table, found by successive halving with cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import thalweg.defaults as defaults
from thalweg.checks import require_whole
from thalweg.errors import ArgumentError
from thalweg.kinds.learn import learn
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.parts import Parts
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.search.folds import folds_of
from thalweg.search.image_folds import image_folds
from thalweg.search.journal import Journal
from thalweg.search.queue import Queue
from thalweg.search.samplers import Sampler, sampler_named
from thalweg.search.space import Space, image_space_for, settings_at, space_for
from thalweg.search.trials import DEFAULT, Trial, ranked, table_of
from thalweg.search.workers import Make, Workers
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.fingerprints import fingerprints
from thalweg.tabular.learn import TABLES, Trained, prepared_by
from thalweg.tabular.learn import build as build_for_table
from thalweg.tabular.own import Own
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.training.execution import Execution
from thalweg.vision.fingerprint import fingerprint
from thalweg.vision.learn import IMAGES, TrainedOnImages
from thalweg.vision.network import build
from thalweg.vision.own import read as read_images_of
from thalweg.vision.prepare import PreparedImages
from thalweg.vision.prepare import prepare as prepare_images
from thalweg.vision.settings import ImageSettings

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True)
class Request:
    """What a search was asked for.

    Arguments:
        seconds: how long it may take.
        folds: how many parts the rows are cut into.
        trials: how many settings are tried at most; None is any number.
        sampler: random, or optuna.
        storage: where Optuna keeps its trials.
        folder: where finished trials are kept.
        resume: go on with those that are there.
    """

    seconds: float
    folds: int = defaults.FOLDS
    trials: int | None = None
    sampler: str = defaults.SAMPLER
    storage: str | None = None
    folder: str | Path | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        require_whole("folds", self.folds, least=2)
        if self.trials is not None:
            require_whole("trials", self.trials, least=1)
        if self.resume and self.folder is None:
            raise ArgumentError("folder must be given to resume a search, got none")


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Arguments:
        trials: of each settings that of most epochs, the best first.
        settings: those with the lowest loss.
        best: their trial of most epochs; None if not even the defaults were finished.
        default: the trial of the settings that hold without tuning.
        trained: the network trained with the chosen settings, and its one test.
        stopped_because: why the search ended, as a sentence.

    Example:
        >>> import thalweg as tw
        >>> tuned = tw.tune("examples/penguins.csv", "species", trials=1, epochs=3)
        >>> isinstance(tuned, tw.Tuned), tuned.settings.epochs
        (True, 3)
        >>> len(tuned.trials) == tuned.table.height
        True
    """

    trials: tuple[Trial, ...]
    settings: Settings | ImageSettings
    best: Trial | None
    default: Trial | None
    trained: Trained | TrainedOnImages
    stopped_because: str

    @property
    def table(self) -> polars.DataFrame:
        """One row for each settings that were tried, the best first."""
        return table_of(self.trials)


Announce = Callable[[Table, Prepared, Space], object]


def tune_table(
    source: Any,
    target: str,
    base: Settings,
    fixed: frozenset[str],
    request: Request,
    execution: Execution = USUAL,
    announce: Announce | None = None,
    report: Callable[[Trial], object] = lambda trial: None,
    own: Sources = NO_SOURCES,
) -> Tuned:
    """Search for settings, train with the best, and test once.

    Arguments:
        source: a file's path, or a frame of pandas, polars or pyarrow.
        target: the column to predict.
        base: the settings that hold where nothing is chosen.
        fixed: names of settings that aren't to be chosen.
        request: how long, and how.
        execution: how many networks are trained at once; the last one may use as many
            threads.
        announce: called before the search with the table, what was found in it, and
            the space.
        report: called with each finished trial.
        own: tables of one's own to validate and to test on, as `learn` takes them.

    Raises:
        FileError, DataError: the table, or the folder, can't be used.
        ArgumentError: a setting can't be used with this table.
    """
    table = read(source, base.dialect)
    others = Own.read(own, base.dialect)
    prepared = prepared_by(table, target, base, others)
    space = space_for(base, len(prepared.training.X), fixed)
    sampler = sampler_named(request.sampler, space, base.seed, request.storage)
    folds = folds_of(table, prepared, base, request.folds)
    search = description(table, others, target, base, space, request)
    journal = Journal()
    if request.folder is not None:
        journal = Journal.open(request.folder, search, request.resume)
    if announce is not None:
        announce(table, prepared, space)
    how = (execution, journal, report)
    found, reason = searched(folds, base, sampler, request, *how)
    chosen = settings_at(base, found[0].point) if found else base
    return tuned(
        found,
        chosen,
        learn(TABLES, table, target, chosen, execution=execution, own=others.tables),
        reason,
    )


def tune_images(
    source: Any,
    base: ImageSettings,
    fixed: frozenset[str],
    request: Request,
    execution: Execution = USUAL,
    announce: Callable[[PreparedImages, Space], object] | None = None,
    report: Callable[[Trial], object] = lambda trial: None,
) -> Tuned:
    """Search for settings for images, train with the best, and test once.

    Arguments:
        source: the path of images, or images that were read.
        base: the settings that hold where nothing is chosen.
        fixed: names of settings that aren't to be chosen.
        request: how long, and how.
        execution: how many networks are trained at once; the last one may use as many
            threads.
        announce: called before the search with what was found in the images, and the
            space.
        report: called with each finished trial.

    Raises:
        FileError, DataError: the images, or the folder, can't be used.
        ArgumentError: a setting can't be used with these images.
    """
    images = read_images_of(source, base)
    parts = prepare_images(images.data, images.name, base)
    rows = len(parts.training.X)
    # A fold has fewer images, but isn't to have more epochs for that.
    base = replace(base, epochs=base.most_epochs(rows))
    space = image_space_for(base, parts.form, rows, fixed)
    sampler = sampler_named(request.sampler, space, base.seed, request.storage)
    folds = image_folds(parts, base, request.folds)
    search = {"data": fingerprint(images), **described(base, space, request)}
    journal = Journal()
    if request.folder is not None:
        journal = Journal.open(request.folder, search, request.resume)
    if announce is not None:
        announce(parts, space)
    how = (execution, journal, report, build_for_images)
    found, reason = searched(folds, base, sampler, request, *how)
    chosen = settings_at(base, found[0].point) if found else base
    trained = learn(IMAGES, source, "", chosen, execution=execution)
    return tuned(found, chosen, trained, reason)


def build_for_images(parts: PreparedImages, settings: ImageSettings) -> Network:
    """The network for images with some settings."""
    return build(parts.form, parts.targets, settings)


def searched(
    folds: Sequence[Parts],
    base: Settings | ImageSettings,
    sampler: Sampler,
    request: Request,
    execution: Execution,
    journal: Journal,
    report: Callable[[Trial], object],
    make: Make = build_for_table,
) -> tuple[list[Trial], str]:
    """The trials, the best first, and why there are no more."""
    epochs = base.most_epochs(len(folds[0].training.X))
    queue = Queue(epochs, request.folds, sampler, journal, request.trials)
    workers = Workers(folds, base, queue, report, make)
    reason = workers.work(execution.thread_count, request.seconds)
    return ranked(journal.trials, epochs), reason


def tuned(
    found: Sequence[Trial],
    chosen: Settings | ImageSettings,
    trained: Trained | TrainedOnImages,
    reason: str,
) -> Tuned:
    """What a search found."""
    return Tuned(
        tuple(found),
        chosen,
        found[0] if found else None,
        next((each for each in found if each.number == DEFAULT), None),
        trained,
        reason,
    )


def description(
    table: Table,
    own: Own,
    target: str,
    base: Settings,
    space: Space,
    request: Request,
) -> dict[str, Any]:
    """What makes two searches the same."""
    return {
        "data": fingerprints(table, own),
        "target": target,
        **described(base, space, request),
    }


def described(
    base: Settings | ImageSettings, space: Space, request: Request
) -> dict[str, Any]:
    """What makes two searches of the same data the same."""
    return {
        "settings": base.to_dict(),
        "space": {name: repr(dimension) for name, dimension in space.items()},
        "folds": request.folds,
        "sampler": request.sampler,
    }
