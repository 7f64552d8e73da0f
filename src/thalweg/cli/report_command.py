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
            help="The table that MODEL was trained on [the file of its recorded name "
            "in this folder]",
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
    intervals, the errors, and other models on the same rows. Without the table it
    shows what MODEL holds.
    """
    execution = execution_on(threads)
    page = output or Path(model.stem + PAGE)
    require_page("--output", page, model, *([] if data is None else [data]))
    found = load_model(model)
    from thalweg.report.evidence import evidence_of
    from thalweg.report.write import write

    evidence = evidence_of(found, data, execution)
    if evidence.rows is None:
        say_warning(f"{page} shows only what {model.name} holds: {evidence.missing}")
    replaced = ", replacing what was there" if page.exists() else ""
    write(evidence, page)
    say(f"report in {page}{replaced}")
