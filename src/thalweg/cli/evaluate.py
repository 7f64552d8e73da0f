"""``thalweg evaluate``: metrics on a table that has the target."""

from __future__ import annotations

from typing import Annotated, Any

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
from thalweg.cli.options import chosen_dialect, with_dialect
from thalweg.cli.show import score_table, show, tell_json
from thalweg.tables.source import name_of
from thalweg.tabular.scores import finite


@with_dialect
def evaluate(
    model: ModelFile,
    data: TableFile,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead.")
    ] = False,
    lenient: Lenient = False,
    threads: Threads = None,
    **given: Any,
) -> None:
    """Score a network on a table that has the target."""
    execution = execution_on(threads)
    found, name = load_model(model), name_of(data)
    dialect = chosen_dialect(given, found.dialect)
    metrics, report = found.evaluate_with_report(data, execution, dialect, lenient)
    for line in report.lines():
        say_warning(f"{name}: {line}")
    if as_json:
        tell_json({**finite(metrics), "rows": report.rows})
        return
    title = f"{report.rows:,} rows of {name}"
    show(score_table(title, [(model.name, metrics)]))
