"""A report's sections in their order."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.report.about_errors import error_sections
from thalweg.report.about_rows import importance_section, worst_section
from thalweg.report.about_scores import (
    SURE,
    Contender,
    contenders,
    recorded_rivals_section,
    recorded_scores_section,
    rivals_section,
    scores_section,
    verdict,
)
from thalweg.report.about_table import split_section, table_section
from thalweg.report.about_training import ended, training_section
from thalweg.report.blocks import Block, Facts, Page, Paragraph, Section
from thalweg.report.evaluation import Evidence, Rows
from thalweg.report.importance import importances
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.report.words import between, cut, number, spaced
from thalweg.words import counted

WITHOUT_ROWS = (
    "Without the table there are no confidence intervals, no split, no confusion "
    "matrix or residuals, no reliability diagram, no importance of columns, no rows, "
    "and no comparison with boosted trees."
)


def page_of(evidence: Evidence) -> Page:
    """All that can be said of a model."""
    rows = evidence.rows
    middle = recorded(evidence) if rows is None else computed(evidence, rows)
    source = f" from {cut(evidence.data_name)}" if evidence.data_name else ""
    return Page(
        f"Predicting {cut(evidence.model.target)}{source}",
        "A neural network, what it learned from, and how well it does.",
        [*middle, formulas_section(evidence), repeat_section(evidence)],
    )


def computed(evidence: Evidence, rows: Rows) -> list[Section]:
    """What can be said with the table."""
    found = contenders(evidence, rows)
    ranked = importances(evidence, rows)
    return [
        summary(evidence, computed_facts(found, rows), []),
        table_section(evidence),
        split_section(evidence, rows),
        training_section(evidence),
        scores_section(rows, found[0]),
        rivals_section(found, rows),
        *error_sections(rows, rows.errors),
        importance_section(rows, ranked),
        worst_section(rows, [each.column for each in ranked]),
    ]


def recorded(evidence: Evidence) -> list[Section]:
    """What can be said without it."""
    test = evidence.recorded("test")
    metric = evidence.recorded("compared_by").get("metric")
    facts = [
        (spaced(name), f"{number(test[name])} on rows never used")
        for name in ([each for each in test if each == metric] or [*test])[:1]
    ]
    missing = Paragraph(f"{cut(evidence.missing, 500)}. {WITHOUT_ROWS}", note=True)
    return [
        summary(evidence, facts, [missing]),
        table_section(evidence),
        training_section(evidence),
        recorded_scores_section(evidence),
        recorded_rivals_section(evidence),
    ]


def summary(
    evidence: Evidence, facts: Sequence[tuple[str, str]], notes: Sequence[Block]
) -> Section:
    """The most important in a few lines."""
    model = evidence.model
    pairs = [("Target", f"{cut(model.target)}, as {model.task.line()}"), *facts]
    reading = evidence.results.get("reading")
    if isinstance(reading, str):
        pairs.append(("Curves", cut(reading, 1_000)))
    pairs.append(("Training", ended(evidence.history)))
    told = [Paragraph(f"{text}.", note=True) for text in evidence.notes]
    return Section("summary", "In short", [Facts(pairs), *told, *notes])


def computed_facts(found: Sequence[Contender], rows: Rows) -> list[tuple[str, str]]:
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
