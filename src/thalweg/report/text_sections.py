"""The sections of a report on text, in their order."""

from __future__ import annotations

from typing import Any

from thalweg.language.ngrams import ORDERS
from thalweg.report.about_scores import recorded_scores_section
from thalweg.report.about_text import places_section, text_section, written_section
from thalweg.report.about_training import training_section
from thalweg.report.blocks import Block, Grid, Page, Paragraph, Section
from thalweg.report.formatting import cut, number, spaced
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.report.summary import recorded_facts, summary
from thalweg.report.text_evaluation import TextEvaluation

WITHOUT_TEXT = "Without the text there is no split, and no bits by context."
ABOUT = (
    "N-grams say how often characters followed each other in the training text: the "
    "unigram looks at no character before, the bigram at one, the 5-gram at four. They "
    "are interpolated after Witten and Bell (1991)."
)


def page_of(evaluation: TextEvaluation) -> Page:
    """All that can be said of a model of text."""
    source = f" of {cut(evaluation.data_name)}" if evaluation.data_name else ""
    prepared = evaluation.rows
    middle = [] if prepared is None else [places_section(evaluation, prepared)]
    return Page(
        f"Predicting the {cut(evaluation.model.target)}{source}",
        "A neural network, what it learned from, and how well it does.",
        [
            summary(evaluation, recorded_facts(evaluation, "text"), WITHOUT_TEXT),
            text_section(evaluation),
            training_section(evaluation),
            recorded_scores_section(evaluation, "character", "test_characters"),
            comparison_section(evaluation),
            *middle,
            written_section(evaluation),
            formulas_section(evaluation),
            repeat_section(evaluation),
        ],
    )


def comparison_section(evaluation: TextEvaluation) -> Section:
    """The network beside n-grams, by bits."""
    baselines = evaluation.recorded("baselines")
    models: dict[str, Any] = {"network": evaluation.recorded("test"), **baselines}
    metrics = [evaluation.recorded("compared_by").get("metric", ""), "perplexity"]
    rows = [
        [name, *(number(models[name].get(metric)) for metric in metrics)]
        for name in ("network", *reversed(ORDERS))
        if hasattr(models.get(name), "get")
    ]
    heads = ["Model", *map(spaced, metrics)]
    blocks: list[Block] = [
        Grid("Scores on the same characters", heads, rows),
        Paragraph(ABOUT),
    ]
    return Section("comparison", "Was a network worth it?", blocks)
