"""Settings for any data, found by successive halving with cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import thalweg.defaults as defaults
from thalweg.checks import require_whole
from thalweg.errors import ArgumentError
from thalweg.kinds.kind import AnyKind, Kind, SettingsT
from thalweg.kinds.learn import learn_from
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.parts import Parts
from thalweg.kinds.regimen import Regimen
from thalweg.kinds.trained import PartsT, TrainedModel
from thalweg.kinds.usual import USUAL
from thalweg.search.journal import Journal
from thalweg.search.queue import Queue
from thalweg.search.samplers import Sampler, sampler_named
from thalweg.search.searched import searched
from thalweg.search.space import Space, left_of, settings_at
from thalweg.search.trials import DEFAULT, Trial, ranked, table_of
from thalweg.search.workers import Workers
from thalweg.training.execution import Execution

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
    settings: Regimen
    best: Trial | None
    default: Trial | None
    trained: TrainedModel[Any, Any]
    stopped_because: str

    @property
    def table(self) -> polars.DataFrame:
        """One row for each settings that were tried, the best first."""
        return table_of(self.trials)


def tune(
    kind: Kind[SettingsT, Any, PartsT, Any, Any],
    source: Any,
    target: str,
    base: SettingsT,
    fixed: frozenset[str],
    request: Request,
    execution: Execution = USUAL,
    announce: Callable[[PartsT, Space], object] | None = None,
    report: Callable[[Trial], object] = lambda trial: None,
    own: Sources = NO_SOURCES,
) -> Tuned:
    """Search for settings, train with the best, and test once.

    Arguments:
        kind: of data.
        source: where it is, or what was read.
        target: the column to predict; nothing for a kind without one.
        base: the settings that hold where nothing is chosen.
        fixed: names of settings that aren't to be chosen.
        request: how long, and how.
        execution: how many networks are trained at once; the last one may use as many
            threads.
        announce: called before the search with what was found in the data, and the
            space.
        report: called with each finished trial.
        own: data of one's own to validate and to test on, as `learn` takes it.

    Raises:
        FileError, DataError: the data, or the folder, can't be used.
        ArgumentError: a setting can't be used with it.
    """
    found = kind.read(source, base, own)
    parts = kind.prepare(found, target, base)
    # A fold has fewer rows, but isn't to have more epochs for that.
    base = base.with_values(epochs=base.most_epochs(len(parts.training.X)))
    of_kind = searched(kind.name)
    space = left_of(of_kind.space(base, parts), fixed)
    sampler = sampler_named(request.sampler, space, base.seed, request.storage)
    folds = of_kind.folds(found, parts, base, request.folds)
    journal = Journal()
    if request.folder is not None:
        predicted = {"target": target} if kind.has_target else {}
        search = {
            "data": kind.fingerprint(found),
            **predicted,
            **described(base, space, request),
        }
        journal = Journal.open(request.folder, search, request.resume)
    if announce is not None:
        announce(parts, space)
    how = request, execution, journal, report
    trials, reason = searched_through(kind, folds, base, sampler, *how)
    chosen = settings_at(base, trials[0].point) if trials else base
    return Tuned(
        tuple(trials),
        chosen,
        trials[0] if trials else None,
        next((each for each in trials if each.number == DEFAULT), None),
        learn_from(kind, found, target, chosen, execution=execution),
        reason,
    )


def searched_through(
    kind: AnyKind,
    folds: Sequence[Parts],
    base: Regimen,
    sampler: Sampler,
    request: Request,
    execution: Execution,
    journal: Journal,
    report: Callable[[Trial], object],
) -> tuple[list[Trial], str]:
    """The trials, the best first, and why there are no more."""
    epochs = base.most_epochs(len(folds[0].training.X))
    queue = Queue(epochs, request.folds, sampler, journal, request.trials)
    workers = Workers(kind, folds, base, queue, report)
    reason = workers.work(execution.thread_count, request.seconds)
    return ranked(journal.trials, epochs), reason


def described(base: Regimen, space: Space, request: Request) -> dict[str, Any]:
    """What makes two searches of the same data the same."""
    return {
        "settings": base.to_dict(),
        "space": {name: repr(dimension) for name, dimension in space.items()},
        "folds": request.folds,
        "sampler": request.sampler,
    }
