"""The commands together, and how they end."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer
import typer.main

import thalweg
from thalweg.cli.evaluate import evaluate
from thalweg.cli.explain import explain
from thalweg.cli.export import export
from thalweg.cli.failures import failure
from thalweg.cli.figures import figures
from thalweg.cli.grouped import GroupedCommand
from thalweg.cli.inspect_command import inspect
from thalweg.cli.learning_rate import learning_rate
from thalweg.cli.play import play
from thalweg.cli.predict import predict
from thalweg.cli.report_command import report
from thalweg.cli.show import tell
from thalweg.cli.streams import prepare
from thalweg.cli.train import train
from thalweg.cli.tune import tune
from thalweg.cli.write import write

DEBUG = "THALWEG_DEBUG"

app = typer.Typer(
    help="Trains neural networks on tables, and shows the formulas that ran.",
    epilog="Start with: thalweg train DATA --target COLUMN",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
for command in (
    inspect,
    train,
    tune,
    learning_rate,
    predict,
    write,
    evaluate,
    explain,
    export,
    report,
    figures,
    play,
):
    app.command(cls=GroupedCommand)(command)


def show_version(asked: bool) -> None:
    """Print the version, and end."""
    if asked:
        tell(f"thalweg {thalweg.__version__}")
        raise typer.Exit


def ask_for_traceback(asked: bool) -> None:
    """From now on an error is raised as it is."""
    if asked:
        os.environ[DEBUG] = "1"


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option(
            "--traceback",
            callback=ask_for_traceback,
            is_eager=True,
            help=f"Show the whole of an error, as {DEBUG}=1 does.",
        ),
    ] = False,
) -> None:
    """What can be asked before a command."""


def run(arguments: Sequence[str]) -> int:
    """Run a command; an error becomes one line on standard error.

    Arguments:
        arguments: what is typed after ``thalweg``.

    Returns:
        The exit status: 0; 1 for data and files that can't be used, and for training
        that diverged; 2 for a command that can't be understood; 70 for a mistake of
        thalweg's own; 130 after Ctrl-C; 141 when nobody reads the output; 143 after
        SIGTERM, when a checkpoint was written.

    Example:
        >>> run(["train", "examples/penguins.csv", "--target", "specie"])
        2
    """
    command = typer.main.get_command(app)
    try:
        with command.make_context("thalweg", list(arguments) or ["--help"]) as context:
            status = command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except BaseException as error:
        if os.environ.get(DEBUG):
            raise
        return failure(error)
    return status or 0


def main() -> int:
    """The command ``thalweg``; its exit status, as of `run`."""
    prepare()
    # What libraries warn of is for programmers: thalweg's own warnings are printed.
    if not (sys.warnoptions or os.environ.get(DEBUG)):
        warnings.simplefilter("ignore")
    return run(sys.argv[1:])
