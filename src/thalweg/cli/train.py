"""``thalweg train``: from a table to a tested network, with nothing to configure."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.failures import (
    BAD_INPUT,
    INTERRUPTED,
    checkpoint_warnings,
    say,
    say_error,
    say_warning,
)
from thalweg.cli.inputs import (
    DataToTrainOn,
    Target,
    TestData,
    Threads,
    ValidationData,
    execution_on,
)
from thalweg.cli.jobs import (
    LOG,
    Job,
    chosen_checkpoint,
    chosen_logs,
    new_job,
    resumed_job,
)
from thalweg.cli.options import with_settings
from thalweg.cli.outputs import (
    MODEL,
    PAGE,
    PICTURE,
    require_other_file,
    require_page,
    require_suffix,
    require_writable,
)
from thalweg.cli.show import tell, tell_json
from thalweg.cli.told import told_of
from thalweg.interrupts import Terminated, watch
from thalweg.kinds.scores import finite
from thalweg.tables.source import name_of
from thalweg.training.progress import Progress

if TYPE_CHECKING:
    from thalweg.cli.jobs import AnyTrained
    from thalweg.kinds.parts import Parts
    from thalweg.model.history import EpochRecord
    from thalweg.network import Network


@with_settings
def train(
    data: DataToTrainOn = None,
    target: Target = None,
    validation_data: ValidationData = None,
    test_data: TestData = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Save the network here [DATA's name with {MODEL}, in this folder]",
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"Draw the learning curves, a {PICTURE} [not drawn]"
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Write a report for a browser, a {PAGE} [not written]",
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"Add a line for every epoch, a {LOG} [no log]"
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write event files of TensorBoard [none]"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write down where the run stands, to resume it [never]"
        ),
    ] = None,
    checkpoint_epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="How often [after every epoch, unless minutes are given]"
        ),
    ] = None,
    checkpoint_minutes: Annotated[
        float | None,
        typer.Option(metavar="X", help="How often, within an epoch too [not by time]"),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Go on with the run of this --checkpoint, as if it had never stopped",
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
    """Train a network on a table, images or a text, test it, and save it.

    The test is on rows never used, beside a constant guess and a linear model; of
    images also beside the nearest neighbor and a dense network, of a text on its last
    part beside unigram, bigram and 5-gram. With --time, --history and --ahead a table
    is a series, which is forecast beside its last value, the season before and a linear
    autoregression; with --sequence its rows are sequences, each with a class or a
    number. Ctrl-C ends training
    early; what was learned until then is scored and saved.
    """
    often = checkpoint_minutes, checkpoint_epochs
    kept = chosen_checkpoint(checkpoint, resume, *often)
    logs, execution = chosen_logs(log, tensorboard), execution_on(threads)
    from thalweg.kinds.own import own_sources

    own = own_sources(validation_data, test_data, given)
    with ExitStack() as held:
        if resume is None:
            job = new_job(data, own, target, output, given, execution, logs, kept)
        else:
            asked = (resume, data, own, target, output, given, execution, logs)
            job = held.enter_context(resumed_job(*asked))
        check_picture(job.data, figure)
        if report is not None:
            require_page("--report", report, *job.sources, job.saved)
        return done(job, figure, report, as_json, quiet)


# Before -------------------------------------------------------------------------------


def check_picture(data: Path, figure: Path | None) -> None:
    """What would be lost after training is found before."""
    if figure is not None:
        require_suffix("--figure", figure, (PICTURE,))
        require_other_file("--figure", figure, data)
        require_writable(figure)


def done(
    job: Job, figure: Path | None, report: Path | None, as_json: bool, quiet: bool
) -> int:
    """Train, save, and say what came of it."""
    started = time.perf_counter()
    saved, replaced = job.saved, job.saved.exists()
    try:
        trained = trained_on(job, described=not (as_json or quiet), quiet=quiet)
    except Terminated as asked:
        asked.words += f"; {how_to_go_on(job.folder)}"
        raise
    trained.model.save(saved)
    seconds = time.perf_counter() - started
    if as_json:
        tell_json(as_plain(trained, saved, seconds))
    else:
        if not quiet:
            tell()
        # What makes a test too easy is said, though the start isn't shown.
        notes = trained.prepared.notes if quiet else ()
        told_of(job.kind.name).results(trained, saved, replaced, seconds, notes)
    if figure is not None:
        draw_curves(trained, job.data, figure)
    if report is not None:
        write_page(trained, report, job)
    return status(trained, saved, job.folder)


# While --------------------------------------------------------------------------------


def trained_on(job: Job, described: bool, quiet: bool) -> AnyTrained:
    """Learn, and show how it goes."""
    progress: Progress | None = None
    found: Parts | None = None
    with ExitStack() as stack:

        def announce(
            parts: Parts, network: Network, show_start: Callable[[], None]
        ) -> None:
            nonlocal found, progress
            found = parts
            if described:
                show_start()
                say("")
            if job.resumed is not None and not quiet:
                say(f"goes on after epoch {network.history.stopped_epoch}")
            if not quiet:
                progress = Progress(job.settings.most_epochs(len(parts.training.X)))
            # From here on Ctrl-C must not lose what was learned.
            stack.enter_context(watch())

        def after_epoch(record: EpochRecord) -> None:
            if progress is not None:
                progress(record if found is None else found.in_unit(record))

        stack.enter_context(checkpoint_warnings())
        try:
            return job.learn(after_epoch, announce)
        finally:
            if progress is not None:
                progress.close()


# After --------------------------------------------------------------------------------


def draw_curves(trained: AnyTrained, data: Path, figure: Path) -> None:
    """The run's own learning curves, as a picture."""
    if not trained.history.epochs:
        say_warning(f"{figure} isn't drawn, as no epoch was finished")
        return
    from thalweg.figures.learning_curves import learning_curves

    target = trained.model.target
    path = learning_curves(
        trained.history,
        figure,
        f"{name_of(data)}: {target}",
        source=name_of(data),
        command=shlex.join(["thalweg", *sys.argv[1:]]),
        unit=f"standard deviations of {trained.prepared.targets.learned_name}",
    )
    say(f"drew {path} and {path.with_suffix('.json').name}")


def write_page(trained: AnyTrained, page: Path, job: Job) -> None:
    """The report, with the rows that are still there."""
    from thalweg.report import write_report

    write_report(trained, page, threads=job.execution.threads)
    say(f"report in {page}")


def status(trained: AnyTrained, saved: Path, folder: Path | None) -> int:
    """The exit status; a run that ended before its time says so."""
    best = trained.history.best_epoch
    if trained.diverged:
        say_error(f"{trained.diverged}. {saved} holds the weights of epoch {best}")
        return BAD_INPUT
    if interrupted(trained):
        what = (
            f"the weights of epoch {best}" if best else "weights of a part of an epoch"
        )
        say(f"{trained.history.stopped_because}; {saved} holds {what}")
        if folder is not None:
            say(how_to_go_on(folder))
        return INTERRUPTED
    return 0


def how_to_go_on(folder: Path | None) -> str:
    """The command that goes on with a run."""
    return f"to go on: thalweg train --resume {shlex.quote(str(folder))}"


def interrupted(trained: AnyTrained) -> bool:
    """Whether Ctrl-C ended training."""
    return trained.history.stopped_because.startswith("interrupted")


def as_plain(trained: AnyTrained, saved: Path, seconds: float) -> dict[str, Any]:
    """The results for programs."""
    history, prepared = trained.history, trained.prepared
    return {
        "task": trained.model.task.kind,
        "target": trained.model.target,
        "model": str(saved),
        "test": finite(trained.test),
        "baselines": {name: finite(m) for name, m in trained.baselines.items()},
        "compared_by": trained.model.results["compared_by"],
        "best_epoch": history.best_epoch,
        "epochs": history.stopped_epoch,
        "stopped_because": history.stopped_because,
        "verdict": trained.reading.verdict,
        "reading": trained.reading.text,
        "rows": {
            "training": len(prepared.training.X),
            "validation": len(prepared.validation.X),
            "test": len(prepared.test.X),
        },
        **told_of(trained.model.kind).plain_facts(prepared),
        "notes": [*prepared.notes, *trained.notes],
        "seconds": round(seconds, 3),
    }
