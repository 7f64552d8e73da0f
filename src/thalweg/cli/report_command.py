"""``thalweg report``: a saved network as one page, for a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.failures import say, say_warning
from thalweg.cli.inputs import ModelFile, Threads, execution_on, load_model
from thalweg.cli.outputs import PAGE, require_page


def report(
    model: ModelFile,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The table, images or text that MODEL was trained on [what has the "
            "recorded name in this folder]",
        ),
    ] = None,
    validation_data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The table, images or text that chose its epoch [looked for likewise]",
        ),
    ] = None,
    test_data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The table, images or text that tested it [looked for likewise]",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Write here [MODEL's name with {PAGE}, in this folder]",
        ),
    ] = None,
    threads: Threads = None,
) -> None:
    """Write a report: one page for a browser, which needs no network.

    It shows what each column became, the learning curves, the test with confidence
    intervals, the errors, and other models on the same rows; of images the pictures
    that it gets most wrong, of text how far it looks back and what it writes, of a
    forecast the test period with forecasts of it, of sequences the error by length.
    Without what it was trained on it shows what MODEL holds.
    """
    execution = execution_on(threads)
    page = output or Path(model.stem + PAGE)
    given = (data, validation_data, test_data)
    require_page("--output", page, model, *(each for each in given if each is not None))
    found = load_model(model)
    from thalweg.kinds.own import own_sources
    from thalweg.report.evaluate import evaluated
    from thalweg.report.write import write

    own = own_sources(validation_data, test_data, {})
    evaluation = evaluated(found, data, execution, own)
    if evaluation.missing:
        say_warning(f"{page} shows only what {model.name} holds: {evaluation.missing}")
    replaced = ", replacing what was there" if page.exists() else ""
    write(evaluation, page)
    say(f"report in {page}{replaced}")
