"""The sections of a report on images, in their order."""

from __future__ import annotations

from thalweg.kinds.row_errors import ClassErrors
from thalweg.report.about_errors import error_sections
from thalweg.report.about_images import (
    images_section,
    pairs_section,
    split_section,
    worst_section,
)
from thalweg.report.about_scores import (
    comparison_section,
    contenders,
    recorded_comparison_section,
    recorded_scores_section,
    scores_section,
)
from thalweg.report.about_training import training_section
from thalweg.report.blocks import Page, Section
from thalweg.report.formatting import cut
from thalweg.report.image_evaluation import EvaluatedImages, ImageEvaluation
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.report.summary import computed_facts, recorded_facts, summary

WITHOUT_IMAGES = (
    "Without the images there are no confidence intervals, no split, no confusion "
    "matrix or residuals, no reliability diagram, and no pictures."
)
ABOUT = (
    "The other models learned from the same training images as rows of pixels. The "
    "constant guess looks at no pixel; the nearest neighbor says what the training "
    "image shows whose pixels differ least (scikit-learn's); the linear model is a "
    "layer alone; the dense network has about as many parameters as this one."
)


def page_of(evaluation: ImageEvaluation) -> Page:
    """All that can be said of a model of images."""
    rows = evaluation.rows
    middle = recorded(evaluation) if rows is None else computed(evaluation, rows)
    source = f" of {cut(evaluation.data_name)}" if evaluation.data_name else ""
    return Page(
        f"Predicting the {cut(evaluation.model.target)} of images{source}",
        "A neural network, what it learned from, and how well it does.",
        [*middle, formulas_section(evaluation), repeat_section(evaluation)],
    )


def computed(evaluation: ImageEvaluation, rows: EvaluatedImages) -> list[Section]:
    """What can be said with the images."""
    found = contenders(evaluation.history, rows, rows.others)
    limits = [f"The {each.name}: {each.note}." for each in rows.others if each.note]
    errors = rows.errors
    confused = isinstance(errors, ClassErrors)
    return [
        summary(evaluation, computed_facts(found, rows), WITHOUT_IMAGES),
        images_section(evaluation),
        split_section(rows),
        training_section(evaluation),
        scores_section(rows, found[0]),
        comparison_section(found, " ".join([ABOUT, *limits])),
        *error_sections(rows, errors),
        *([pairs_section(rows, errors)] if confused else []),
        worst_section(rows),
    ]


def recorded(evaluation: ImageEvaluation) -> list[Section]:
    """What can be said without them."""
    return [
        summary(evaluation, recorded_facts(evaluation, "images"), WITHOUT_IMAGES),
        images_section(evaluation),
        training_section(evaluation),
        recorded_scores_section(evaluation),
        recorded_comparison_section(evaluation),
    ]
