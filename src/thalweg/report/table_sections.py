"""The sections of a report on a table, in their order."""

from __future__ import annotations

from thalweg.report.about_errors import error_sections
from thalweg.report.about_rows import importance_section, worst_section
from thalweg.report.about_scores import (
    comparison_section,
    contenders,
    recorded_comparison_section,
    recorded_scores_section,
    scores_section,
)
from thalweg.report.about_table import split_section, table_section
from thalweg.report.about_training import training_section
from thalweg.report.baselines import about_baselines, baselines
from thalweg.report.blocks import Page, Section
from thalweg.report.formatting import cut
from thalweg.report.importance import importances
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.report.summary import computed_facts, recorded_facts, summary
from thalweg.report.table_evaluation import EvaluatedRows, TableEvaluation

WITHOUT_ROWS = (
    "Without the table there are no confidence intervals, no split, no confusion "
    "matrix or residuals, no reliability diagram, no importance of columns, no rows, "
    "and no comparison with boosted trees."
)


def page_of(evaluation: TableEvaluation) -> Page:
    """All that can be said of a table's model."""
    rows = evaluation.rows
    middle = recorded(evaluation) if rows is None else computed(evaluation, rows)
    source = f" from {cut(evaluation.data_name)}" if evaluation.data_name else ""
    return Page(
        f"Predicting {cut(evaluation.model.target)}{source}",
        "A neural network, what it learned from, and how well it does.",
        [*middle, formulas_section(evaluation), repeat_section(evaluation)],
    )


def computed(evaluation: TableEvaluation, rows: EvaluatedRows) -> list[Section]:
    """What can be said with the table."""
    others = baselines(rows, evaluation.execution.threads)
    found = contenders(evaluation.history, rows, others)
    ranked = importances(evaluation, rows)
    return [
        summary(evaluation, computed_facts(found, rows), WITHOUT_ROWS),
        table_section(evaluation),
        split_section(evaluation, rows),
        training_section(evaluation),
        scores_section(rows, found[0]),
        comparison_section(found, about_baselines(rows)),
        *error_sections(rows, rows.errors),
        importance_section(rows, ranked),
        worst_section(rows, [each.column for each in ranked]),
    ]


def recorded(evaluation: TableEvaluation) -> list[Section]:
    """What can be said without it."""
    return [
        summary(evaluation, recorded_facts(evaluation, "rows"), WITHOUT_ROWS),
        table_section(evaluation),
        training_section(evaluation),
        recorded_scores_section(evaluation),
        recorded_comparison_section(evaluation),
    ]
