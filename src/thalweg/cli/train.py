"""``thalweg train``: from a table to a tested network, with nothing to configure."""

from __future__ import annotations

import json
import shlex
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.failures import BAD_INPUT, INTERRUPTED, say, say_error, say_warning
from thalweg.cli.inputs import TableFile, Threads, execution_on
from thalweg.cli.options import chosen_settings, with_settings
from thalweg.cli.outputs import require_other_file, require_suffix, require_writable
from thalweg.data.scores import finite
from thalweg.data.settings import Settings
from thalweg.errors import ArgumentError, FileError
from thalweg.training.execution import Execution
from thalweg.training.history import EpochRecord
from thalweg.training.interrupts import watch
from thalweg.training.network import Network
from thalweg.training.progress import Progress

if TYPE_CHECKING:
    from thalweg.data.learn import Trained
    from thalweg.data.prepare import Prepared
    from thalweg.data.table import Table

MODEL, PICTURE = ".thalweg", ".png"


@with_settings
def train(
    data: TableFile,
    target: Annotated[
        str | None,
        typer.Option(
            "--target", "-t", metavar="COLUMN", help="The column to predict [required]"
        ),
    ] = None,
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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON object.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the results alone.")
    ] = False,
    threads: Threads = None,
    **given: Any,
) -> int:
    """Train a network on a table, test it, and save it.

    The test is on rows never used, beside a constant guess and a linear model. Ctrl-C
    ends training early; what was learned until then is scored and saved.
    """
    require_target(data, target)
    settings, execution = chosen_settings(given), execution_on(threads)
    saved = output or Path(data.stem + MODEL)
    check_outputs(data, saved, figure)
    started = time.perf_counter()
    replaced = saved.exists()
    described = not (as_json or quiet)
    trained = trained_on(data, str(target), settings, execution, described, quiet)
    trained.model.save(saved)
    seconds = time.perf_counter() - started
    if as_json:
        print(json.dumps(as_plain(trained, saved, seconds), ensure_ascii=False))
    else:
        print(end="" if quiet else "\n")
        show_results(trained, saved, replaced, seconds)
    sys.stdout.flush()
    if figure is not None:
        draw_curves(trained, data, figure)
    return status(trained, saved)


# Before -------------------------------------------------------------------------------


def require_target(data: Path, target: str | None) -> None:
    """A target was given; otherwise the error says what it could be."""
    if target is not None:
        return
    from thalweg.data.read import read
    from thalweg.data.words import listed

    table = read(data)
    raise ArgumentError(
        f"target must name the column to predict; {table.name} has "
        f"{listed(table.columns, most=30)}"
    )


def check_outputs(data: Path, saved: Path, figure: Path | None) -> None:
    """What would be lost after training is found before."""
    require_writable(saved)
    if saved.exists() and saved.suffix.lower() != MODEL:
        raise FileError(
            f"{saved}: exists and doesn't end in {MODEL}, so it isn't replaced"
        )
    if figure is not None:
        require_suffix("--figure", figure, (PICTURE,))
        require_other_file("--figure", figure, data)
        require_writable(figure)


# While --------------------------------------------------------------------------------


def trained_on(
    data: Path,
    target: str,
    settings: Settings,
    execution: Execution,
    described: bool,
    quiet: bool,
) -> Trained:
    """Learn, and show how it goes."""
    from thalweg.data.learn import learn

    progress = None if quiet else Progress(settings.epochs)
    unit = 1.0
    with ExitStack() as stack:

        def announce(table: Table, prepared: Prepared, network: Network) -> None:
            nonlocal unit
            unit = unit_of(prepared)
            if described:
                show_start(table, prepared, network, settings)
                say("")
            # From here on Ctrl-C must not lose what was learned.
            stack.enter_context(watch())

        def after_epoch(record: EpochRecord) -> None:
            if progress is not None:
                progress(in_unit(record, unit))

        try:
            return learn(data, target, settings, after_epoch, announce, execution)
        finally:
            if progress is not None:
                progress.close()


def unit_of(prepared: Prepared) -> float:
    """What one of the numbers that the network learns is in the target's unit."""
    scale = getattr(prepared.targets, "scale", None)
    return 1.0 if scale is None else scale.deviation


def in_unit(record: EpochRecord, unit: float) -> EpochRecord:
    """The record with its errors in the target's unit."""
    metrics = {
        name: value * unit if name == "rmse" else value
        for name, value in record.validation_metrics.items()
    }
    return replace(record, validation_metrics=metrics)


def show_start(
    table: Table, prepared: Prepared, network: Network, settings: Settings
) -> None:
    """What was found in the table, and what will be trained."""
    from thalweg.cli.report import start

    start(table, prepared, network, settings)
    sys.stdout.flush()


# After --------------------------------------------------------------------------------


def show_results(trained: Trained, saved: Path, replaced: bool, seconds: float) -> None:
    """Scores, the learning curves in words, and the file."""
    from thalweg.cli.report import results

    results(trained, saved, replaced, seconds)


def draw_curves(trained: Trained, data: Path, figure: Path) -> None:
    """The run's own learning curves, as a picture."""
    if not trained.history.epochs:
        say_warning(f"{figure} isn't drawn, as no epoch was finished")
        return
    from thalweg.figures.learning_curves import learning_curves

    target = trained.model.target
    path = learning_curves(
        trained.history,
        figure,
        f"{data.name}: {target}",
        source=data.name,
        command=shlex.join(["thalweg", *sys.argv[1:]]),
        unit=f"standard deviations of {target}",
    )
    say(f"drew {path} and {path.with_suffix('.json').name}")


def status(trained: Trained, saved: Path) -> int:
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
        return INTERRUPTED
    return 0


def interrupted(trained: Trained) -> bool:
    """Whether Ctrl-C ended training."""
    return trained.history.stopped_because.startswith("interrupted")


def as_plain(trained: Trained, saved: Path, seconds: float) -> dict[str, Any]:
    """The results for programs."""
    history, prepared = trained.history, trained.prepared
    return {
        "task": trained.model.task.kind,
        "target": trained.model.target,
        "model": str(saved),
        "test": finite(trained.test),
        "baselines": {name: finite(m) for name, m in trained.baselines.items()},
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
        "set_aside": [column.name for column in prepared.schema.set_aside],
        "notes": list(prepared.notes),
        "seconds": round(seconds, 3),
    }
