"""``thalweg evaluate``: metrics on a table that has the target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.failures import say_warning
from thalweg.cli.inputs import (
    Lenient,
    ModelFile,
    Threads,
    ToPredict,
    execution_on,
    load_model,
)
from thalweg.cli.options import chosen_dialect, require_no_dialect, with_dialect
from thalweg.cli.show import score_table, show, tell_json
from thalweg.kinds.scores import finite
from thalweg.tables.source import name_of
from thalweg.text import Text
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.forecasting.scores import ForecastErrors


@with_dialect
def evaluate(
    model: ModelFile,
    data: ToPredict,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead.")
    ] = False,
    lenient: Lenient = False,
    threads: Threads = None,
    **given: Any,
) -> None:
    """Score a network on a table that has the target, on known images, or on a text.

    Of a series every window is scored, over all times ahead and at each.
    """
    from thalweg.forecasting.model import ForecastModel
    from thalweg.language.model import LanguageModel
    from thalweg.sequences.model import SequenceModel
    from thalweg.tabular.model import TableModel
    from thalweg.vision.source import new_images, said_of

    execution = execution_on(threads)
    found, name = load_model(model), name_of(data)
    if isinstance(found, TableModel):
        dialect = chosen_dialect(given, found.dialect)
        metrics, report = found.evaluate_with_report(data, execution, dialect, lenient)
        lines, count, noun = report.lines(), report.rows, "row"
    elif isinstance(found, LanguageModel):
        require_no_dialect(given, lenient, "a text")
        text = found.text(data)
        metrics = found.scores(text, execution)
        lines, noun = text_lines(text), found.vocabulary.unit.removesuffix("s")
        count = len(text)
    elif isinstance(found, SequenceModel):
        dialect = chosen_dialect(given, found.dialect)
        wrong, lines = found.errors(data, execution, dialect, lenient)
        metrics, count, noun = wrong.every_metric, len(wrong.truth), "sequence"
    elif isinstance(found, ForecastModel):
        dialect = chosen_dialect(given, found.dialect)
        errors, lines = found.errors(data, execution, dialect, lenient)
        show_forecast(model, name, errors, lines, as_json)
        return
    else:
        require_no_dialect(given, lenient)
        images = new_images(data, found.form)
        metrics = found.errors(images, name, execution).every_metric
        lines, count, noun = said_of(images), len(images), "image"
    for line in lines:
        say_warning(f"{name}: {line}")
    if as_json:
        tell_json({**finite(metrics), f"{noun}s": count})
        return
    title = f"{counted(count, noun)} of {name}"
    show(score_table(title, [(model.name, metrics)]))


def text_lines(text: Text) -> list[str]:
    """What was changed of a text, and how much of it is unknown."""
    unknown = counted(text.unknown, "character")
    said = f"{unknown} that the model doesn't know, each as the unknown one"
    return [*text.notes, *([said] if text.unknown else [])]


def show_forecast(
    model: Path, name: str, errors: ForecastErrors, lines: list[str], as_json: bool
) -> None:
    """The scores of a forecast, over all times ahead and at each."""
    from thalweg.cli.forecast_report import horizon_table

    for line in lines:
        say_warning(f"{name}: {line}")
    windows, metrics = len(errors.truth), errors.every_metric
    if as_json:
        found = {**finite(metrics), "by_horizon": errors.by_horizon}
        tell_json({**found, "windows": windows})
        return
    title = f"{counted(windows, 'window')} of {name}"
    show(
        score_table(title, [(model.name, metrics)]),
        horizon_table({model.name: errors}),
    )
