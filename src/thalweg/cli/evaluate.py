"""``thalweg evaluate``: metrics on a table that has the target."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from thalweg.cli.failures import say_warning
from thalweg.cli.inputs import (
    Lenient,
    ModelFile,
    TableFile,
    Threads,
    execution_on,
    load_model,
)
from thalweg.cli.show import score_table, show
from thalweg.data.scores import finite


def evaluate(
    model: ModelFile,
    data: TableFile,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead.")
    ] = False,
    lenient: Lenient = False,
    threads: Threads = None,
) -> None:
    """Score a network on a table that has the target."""
    execution = execution_on(threads)
    metrics, report = load_model(model).evaluate_with_report(data, execution, lenient)
    for line in report.lines():
        say_warning(f"{data.name}: {line}")
    if as_json:
        print(json.dumps({**finite(metrics), "rows": report.rows}))
        return
    title = f"{report.rows:,} rows of {data.name}"
    show(score_table(title, [(model.name, metrics)]))
