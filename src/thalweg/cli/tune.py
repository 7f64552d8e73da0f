"""``thalweg tune``: good settings for any data, within a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import thalweg.defaults as defaults
from thalweg.cli.asked import asked
from thalweg.cli.failures import (
    BAD_INPUT,
    INTERRUPTED,
    checkpoint_warnings,
    say,
    say_error,
)
from thalweg.cli.inputs import (
    Data,
    Target,
    TestData,
    Threads,
    ValidationData,
    execution_on,
    whole_number,
)
from thalweg.cli.options import with_settings
from thalweg.cli.outputs import MODEL, model_beside, require_model_file
from thalweg.cli.show import tell, tell_json
from thalweg.cli.told import told_of
from thalweg.errors import FileError
from thalweg.interrupts import watch
from thalweg.search.budget import seconds_of
from thalweg.search.samplers import SAMPLERS
from thalweg.tabular.command import train_command

if TYPE_CHECKING:
    from thalweg.kinds.parts import Parts
    from thalweg.search.space import Space
    from thalweg.search.trials import Trial
    from thalweg.search.tuning import Tuned


def option(metavar: str | None, text: str, *names: str) -> Any:
    """An option under the heading of the search."""
    return typer.Option(
        *names,
        metavar=metavar,
        help=text,
        show_default=False,  # the text says it, as in the other options
        rich_help_panel="Search",
    )


Budget = Annotated[
    str, option("TIME", f"How long to search: 30s, 5m or 1h [{defaults.BUDGET}]")
]
Folds = Annotated[
    str, option("N", f"Parts of the rows, each scored once [{defaults.FOLDS}]")
]
Trials = Annotated[
    str | None,
    option("N", "Settings to try, at most [as many as there is time for]"),
]
SamplerName = Annotated[
    str,
    option(
        "NAME",
        f"Where settings come from: {', '.join(SAMPLERS)} [{defaults.SAMPLER}]",
    ),
]
Storage = Annotated[
    str | None, option("URL", "Where optuna keeps its trials [in memory]")
]
Folder = Annotated[
    Path | None, option("DIR", "Keep every finished trial here [not kept]")
]
Resume = Annotated[
    bool, option(None, "Go on with the trials in the folder.", "--resume")
]


@with_settings
def tune(
    data: Data,
    target: Target = None,
    validation_data: ValidationData = None,
    test_data: TestData = None,
    budget: Budget = defaults.BUDGET,
    folds: Folds = str(defaults.FOLDS),
    trials: Trials = None,
    sampler: SamplerName = defaults.SAMPLER,
    storage: Storage = None,
    folder: Folder = None,
    resume: Resume = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Save the network here [DATA's name with {MODEL}, in this folder]",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON object.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the results alone.")
    ] = False,
    threads: Threads = None,
    **given: Any,
) -> int:
    """Find good settings for a table, images or a text, train with them, and test once.

    With --time, --history and --ahead a table is a series; with --sequence its rows are
    sequences. Settings that are given are kept; the others that shape training are
    tuned, by successive halving with cross-validation. What is for the test takes no
    part in that. Ctrl-C ends the search with the best so far.
    """
    from thalweg.kinds.own import own_sources

    execution = execution_on(threads)
    to_learn = asked(data, target, given)
    saved = output or model_beside(data)
    own = own_sources(validation_data, test_data, given)
    require_model_file(saved)
    from thalweg.cli.tune_report import SearchProgress, show_search, show_start
    from thalweg.search import tuning

    request = tuning.Request(
        seconds_of(budget),
        whole_number("folds", folds),
        None if trials is None else whole_number("trials", trials),
        sampler,
        storage,
        folder,
        resume,
    )
    kind, base = to_learn.kind, to_learn.settings
    fixed = frozenset(k for k, value in given.items() if value not in (None, []))
    started, replaced = time.perf_counter(), saved.exists()
    shown: list[SearchProgress] = []
    with ExitStack() as stack:

        def announce(parts: Parts, space: Space) -> None:
            epochs = base.most_epochs(len(parts.training.X))
            if not (as_json or quiet):
                show_start(told_of(kind.name).found(parts), space, epochs, request)
            progress = SearchProgress(request.seconds, epochs, quiet)
            shown.append(progress)
            # From here on Ctrl-C must not lose what was found.
            stack.enter_context(watch())
            stack.callback(progress.close)

        def report(trial: Trial) -> None:
            shown[0](trial)

        stack.enter_context(checkpoint_warnings())
        how = base, fixed, request, execution, announce, report, own
        tuned = tuning.tune(kind, data, to_learn.target, *how)
    # What was found is told though the network can't be saved, as on a full disk.
    unsaved = error_of_saving(tuned, saved)
    command = train_command(data, own, to_learn.target, tuned.settings)
    if as_json:
        model = None if unsaved else saved
        tell_json(as_plain(tuned, model, command))
    else:
        if not quiet:
            tell()
        show_search(tuned, base, command)
    if unsaved:
        raise unsaved
    if not as_json:
        notes = tuned.trained.prepared.notes if quiet else ()
        show_test(tuned, saved, replaced, time.perf_counter() - started, notes)
    return status(tuned, saved)


def error_of_saving(tuned: Tuned, saved: Path) -> FileError | None:
    """Save the network; why it couldn't be."""
    try:
        tuned.trained.model.save(saved)
    except FileError as error:
        return error
    return None


def show_test(
    tuned: Tuned, saved: Path, replaced: bool, seconds: float, notes: Sequence[str]
) -> None:
    """The test of the network that was trained in the end, and its file."""
    tell()
    trained = tuned.trained
    told_of(trained.model.kind).results(trained, saved, replaced, seconds, notes)


def as_plain(tuned: Tuned, saved: Path | None, command: str) -> dict[str, Any]:
    """The results for programs."""
    from thalweg.kinds.scores import finite

    trained = tuned.trained
    return {
        "target": trained.model.target,
        "model": saved and str(saved),
        "settings": tuned.settings.to_dict(),
        "command": command,
        "stopped_because": tuned.stopped_because,
        "best": tuned.best and tuned.best.to_dict(),
        "default": tuned.default and tuned.default.to_dict(),
        "trials": [trial.to_dict() for trial in tuned.trials],
        "test": finite(trained.test),
        "baselines": {name: finite(m) for name, m in trained.baselines.items()},
        "compared_by": trained.model.results["compared_by"],
        "notes": [*trained.prepared.notes, *trained.notes],
    }


def status(tuned: Tuned, saved: Path) -> int:
    """The exit status; a search that ended before its time says so."""
    if tuned.trained.diverged:
        say_error(f"{tuned.trained.diverged}. {saved} holds the best weights so far")
        return BAD_INPUT
    if "interrupted" in tuned.stopped_because:
        say(f"the search was interrupted; {saved} holds the best so far")
        return INTERRUPTED
    return 0
