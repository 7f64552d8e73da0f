"""A report's sections in their order."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.report.about_errors import error_sections
from thalweg.report.about_rows import importance_section, worst_section
from thalweg.report.about_scores import (
    SURE,
    Contender,
    comparison_section,
    contenders,
    recorded_comparison_section,
    recorded_scores_section,
    scores_section,
    verdict,
)
from thalweg.report.about_table import split_section, table_section
from thalweg.report.about_training import ended, training_section
from thalweg.report.baselines import about_baselines, baselines
from thalweg.report.blocks import Block, Facts, Page, Paragraph, Section
from thalweg.report.evaluation import EvaluatedRows, Evaluation
from thalweg.report.formatting import between, cut, number, spaced
from thalweg.report.importance import importances
from thalweg.report.recorded import Evaluated, Recorded
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.words import counted

WITHOUT_ROWS = (
    "Without the table there are no confidence intervals, no split, no confusion "
    "matrix or residuals, no reliability diagram, no importance of columns, no rows, "
    "and no comparison with boosted trees."
)


def page_of(evaluation: Evaluation) -> Page:
    """All that can be said of a model."""
    rows = evaluation.rows
    middle = recorded(evaluation) if rows is None else computed(evaluation, rows)
    source = f" from {cut(evaluation.data_name)}" if evaluation.data_name else ""
    return Page(
        f"Predicting {cut(evaluation.model.target)}{source}",
        "A neural network, what it learned from, and how well it does.",
        [*middle, formulas_section(evaluation), repeat_section(evaluation)],
    )


def computed(evaluation: Evaluation, rows: EvaluatedRows) -> list[Section]:
    """What can be said with the table."""
    others = baselines(rows, evaluation.execution.threads)
    found = contenders(evaluation.history, rows, others)
    ranked = importances(evaluation, rows)
    return [
        summary(evaluation, computed_facts(found, rows), []),
        table_section(evaluation),
        split_section(evaluation, rows),
        training_section(evaluation),
        scores_section(rows, found[0]),
        comparison_section(found, about_baselines(rows)),
        *error_sections(rows, rows.errors),
        importance_section(rows, ranked),
        worst_section(rows, [each.column for each in ranked]),
    ]


def recorded(evaluation: Evaluation) -> list[Section]:
    """What can be said without it."""
    test = evaluation.recorded("test")
    metric = evaluation.recorded("compared_by").get("metric")
    facts = [
        (spaced(name), f"{number(test[name])} on rows never used")
        for name in ([each for each in test if each == metric] or [*test])[:1]
    ]
    missing = Paragraph(f"{cut(evaluation.missing, 500)}. {WITHOUT_ROWS}", note=True)
    return [
        summary(evaluation, facts, [missing]),
        table_section(evaluation),
        training_section(evaluation),
        recorded_scores_section(evaluation),
        recorded_comparison_section(evaluation),
    ]


def summary(
    evaluation: Recorded, facts: Sequence[tuple[str, str]], notes: Sequence[Block]
) -> Section:
    """The most important in a few lines."""
    model = evaluation.model
    pairs = [("Target", f"{cut(model.target)}, as {model.task.line()}"), *facts]
    reading = evaluation.results.get("reading")
    if isinstance(reading, str):
        pairs.append(("Curves", cut(reading, 1_000)))
    pairs.append(("Training", ended(evaluation.history)))
    told = [Paragraph(f"{text}.", note=True) for text in evaluation.notes]
    return Section("summary", "In short", [Facts(pairs), *told, *notes])


def computed_facts(
    found: Sequence[Contender], rows: Evaluated
) -> list[tuple[str, str]]:
    """The deciding metric with its interval, and against other models."""
    network = found[0]
    metric = network.deciding.metric
    count = counted(len(rows.prepared.test.X), "row")
    value = (
        f"{number(network.metrics[metric])} ({SURE} interval "
        f"{between(network.interval(metric))}) on {count} never used"
    )
    return [
        (spaced(metric).capitalize(), value),
        ("Compared", verdict(network, found[1:])),
    ]
