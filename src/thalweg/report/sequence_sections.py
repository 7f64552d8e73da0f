"""The sections of a report on sequences, in their order."""

from __future__ import annotations

from thalweg.report.about_errors import error_sections
from thalweg.report.about_scores import (
    comparison_section,
    contenders,
    recorded_comparison_section,
    recorded_scores_section,
    scores_section,
)
from thalweg.report.about_sequences import (
    length_section,
    sequences_section,
    split_section,
    worst_section,
)
from thalweg.report.about_training import training_section
from thalweg.report.blocks import Page, Section
from thalweg.report.formatting import cut
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.report.sequence_evaluation import (
    NOUN,
    EvaluatedSequences,
    SequenceEvaluation,
)
from thalweg.report.summary import computed_facts, recorded_facts, summary

WITHOUT_TABLE = (
    "Without the table there are no confidence intervals, no split, no confusion "
    "matrix or residuals, no reliability diagram, nothing by length, and no sequences."
)
ABOUT = (
    "The other models learned from the same training sequences. The constant guess "
    "looks at no row; the nearest sequence has the target of the training sequence "
    "whose numbers differ least; random kernels are ridge regression on what random "
    "convolutions give (ROCKET, 2020). The last two get sequences that are brought to "
    "one length."
)


def page_of(evaluation: SequenceEvaluation) -> Page:
    """All that can be said of a model of sequences."""
    rows = evaluation.rows
    middle = recorded(evaluation) if rows is None else computed(evaluation, rows)
    source = f" from {cut(evaluation.data_name)}" if evaluation.data_name else ""
    return Page(
        f"Predicting {cut(evaluation.model.target)} of sequences{source}",
        "A neural network, what it learned from, and how well it does.",
        [*middle, formulas_section(evaluation), repeat_section(evaluation)],
    )


def computed(evaluation: SequenceEvaluation, rows: EvaluatedSequences) -> list[Section]:
    """What can be said with the table."""
    found = contenders(evaluation.history, rows, rows.others)
    limits = [f"The {each.name}: {each.note}." for each in rows.others if each.note]
    lengths = length_section(rows)
    return [
        summary(evaluation, computed_facts(found, rows), WITHOUT_TABLE),
        sequences_section(evaluation),
        split_section(evaluation, rows),
        training_section(evaluation),
        scores_section(rows, found[0]),
        comparison_section(found, " ".join([ABOUT, *limits]), NOUN),
        *error_sections(rows, rows.errors),
        *([] if lengths is None else [lengths]),
        worst_section(rows),
    ]


def recorded(evaluation: SequenceEvaluation) -> list[Section]:
    """What can be said without it."""
    return [
        summary(evaluation, recorded_facts(evaluation, "sequences"), WITHOUT_TABLE),
        sequences_section(evaluation),
        training_section(evaluation),
        recorded_scores_section(evaluation, NOUN),
        recorded_comparison_section(evaluation, NOUN),
    ]
