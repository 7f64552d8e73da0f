"""The first section of every report: the most important in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.kinds.parts import Parts
from thalweg.report.about_scores import SURE, Contender, verdict
from thalweg.report.about_training import ended
from thalweg.report.blocks import Block, Facts, Paragraph, Section
from thalweg.report.evaluation import Evaluated, Recorded
from thalweg.report.formatting import between, cut, number, spaced
from thalweg.words import counted


def summary(
    evaluation: Recorded, facts: Sequence[tuple[str, str]], without: str
) -> Section:
    """The target, how good it is, how training went, and what should be known.

    Arguments:
        evaluation: of any kind of data.
        facts: how good it is.
        without: what isn't said where the data isn't there.
    """
    model = evaluation.model
    pairs = [("Target", f"{cut(model.target)}, as {model.task.line()}"), *facts]
    reading = evaluation.results.get("reading")
    if isinstance(reading, str):
        pairs.append(("Curves", cut(reading, 1_000)))
    pairs.append(("Training", ended(evaluation.history)))
    blocks: list[Block] = [Facts(pairs)]
    blocks += [Paragraph(f"{text}.", note=True) for text in evaluation.notes]
    if evaluation.missing:
        text = f"{cut(evaluation.missing, 500)}. {without}"
        blocks.append(Paragraph(text, note=True))
    return Section("summary", "In short", blocks)


def computed_facts(
    found: Sequence[Contender], rows: Evaluated[Parts]
) -> list[tuple[str, str]]:
    """The deciding metric with its interval, and against other models."""
    network = found[0]
    metric = network.deciding.metric
    count = counted(len(rows.prepared.test.X), rows.noun)
    value = (
        f"{number(network.metrics[metric])} ({SURE} interval "
        f"{between(network.interval(metric))}) on {count} never used"
    )
    return [
        (spaced(metric).capitalize(), value),
        ("Compared", verdict(network, found[1:])),
    ]


def recorded_facts(evaluation: Recorded, never_used: str) -> list[tuple[str, str]]:
    """The deciding metric, as it was recorded after training.

    Arguments:
        evaluation: of any kind of data.
        never_used: what was tested on, such as ``rows``.
    """
    test = evaluation.recorded("test")
    metric = evaluation.recorded("compared_by").get("metric")
    return [
        (spaced(name).capitalize(), f"{number(test[name])} on {never_used} never used")
        for name in ([each for each in test if each == metric] or [*test])[:1]
    ]
