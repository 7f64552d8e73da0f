"""How well the network did on rows never used, and against other models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from thalweg.kinds.baseline import Baseline
from thalweg.kinds.bootstrap import (
    CONFIDENCE,
    Interval,
    interval,
    resampled,
)
from thalweg.kinds.cautions import FEW_ROWS
from thalweg.kinds.deciding import Deciding
from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import Floats, RowErrors
from thalweg.kinds.targets import ClassTargets
from thalweg.model.history import History
from thalweg.report import pictures
from thalweg.report.blocks import Block, Grid, Paragraph, Picture, Pictures, Section
from thalweg.report.evaluation import Evaluated, Recorded
from thalweg.report.formatting import (
    between,
    cut,
    joined,
    metric_words,
    number,
    percent,
    seconds,
    spaced,
)
from thalweg.report.svg import svg
from thalweg.words import counted

SURE = f"{CONFIDENCE:.0%}"
NETWORK = "network"
TIMES = (
    "Their times are for training and predicting, measured when this report was made; "
    "the network's is that of its training, as it was recorded then."
)


@dataclass(frozen=True)
class Contender:
    """A model on the test rows.

    Arguments:
        name: what it is.
        metrics: on all of them.
        draws: the metrics on rows drawn anew.
        seconds: to train.
        deciding: the metric by which models are compared.
    """

    name: str
    metrics: dict[str, float]
    draws: dict[str, Floats]
    seconds: float
    deciding: Deciding

    @classmethod
    def of(
        cls, name: str, errors: RowErrors, seconds: float, deciding: Deciding
    ) -> Contender:
        """Score a model."""
        return cls(name, errors.every_metric, resampled(errors), seconds, deciding)

    def interval(self, metric: str) -> Interval:
        """Where a metric probably lies."""
        return interval(self.draws[metric])

    def gain_over(self, other: Contender) -> Interval:
        """By how much the deciding metric is probably better than another's."""
        metric = self.deciding.metric
        with np.errstate(invalid="ignore"):  # both may be infinite
            gain = self.deciding.gain(self.draws[metric], other.draws[metric])
        return interval(gain)


def contenders(
    history: History, rows: Evaluated[Parts], baselines: Sequence[Baseline]
) -> list[Contender]:
    """The network, then what it has to beat, the strongest first.

    Arguments:
        history: of its training.
        rows: what it gets wrong of the test.
        baselines: the others, the weakest first.
    """
    took, deciding = sum(history.seconds), rows.prepared.deciding
    network = Contender.of(NETWORK, rows.errors, took, deciding)
    others = [
        Contender.of(each.name, each.errors, each.seconds, deciding)
        for each in baselines
    ]
    return [network, *reversed(others)]


# The test -----------------------------------------------------------------------------


def scores_section(rows: Evaluated[Parts], network: Contender) -> Section:
    """Each metric with its interval."""
    count = len(rows.prepared.test.X)
    draws = len(network.draws[network.deciding.metric])
    grid = [
        [
            spaced(name),
            metric_words(name),
            number(value),
            number(network.interval(name).low),
            number(network.interval(name).high),
        ]
        for name, value in network.metrics.items()
    ]
    heads = ["Metric", "What it is", "Value", "Low", "High"]
    caption = f"{counted(count, rows.noun)} never used in training"
    how = (
        f"Low and High are the ends of the {SURE} confidence interval: the test "
        f"{rows.noun}s were drawn anew {draws:,} times, with replacement (the "
        "bootstrap)."
    )
    blocks: list[Block] = [Grid(caption, heads, grid, 2), Paragraph(how)]
    blocks += [Paragraph(text, note=True) for text in cautions(rows, network)]
    return Section("test", "The test", blocks)


def cautions(rows: Evaluated[Parts], network: Contender) -> list[str]:
    """Where the intervals say less than they seem to."""
    count = len(rows.prepared.test.X)
    found: list[str] = []
    if count < FEW_ROWS:
        found.append(
            f"With only {counted(count, f'test {rows.noun}')} the metrics are rough, "
            "and their intervals too narrow."
        )
    if network.metrics.get("accuracy") == 1:
        found.append(
            f"No test {rows.noun} was wrong, so neither is any that is drawn anew. The "
            f"share of wrong {rows.noun}s may still be up to "
            f"{percent(min(1, 3 / count))} (the rule of three: 3 / {count})."
        )
    targets = rows.prepared.targets
    if isinstance(targets, ClassTargets) and len(targets.labels) == 2:
        label = targets.labels[network.deciding.positive]
        found.append(f"Average precision is that of {cut(label)}.")
    if rows.weights is not None:
        found.append("Each row counts as much as its weight says.")
    return found


def recorded_scores_section(
    evaluation: Recorded, noun: str = "row", counted_as: str = "test_rows"
) -> Section:
    """What the model's file holds of the test.

    Arguments:
        evaluation: of any kind of data.
        noun: what there was one prediction of.
        counted_as: where their number is recorded.
    """
    metrics = evaluation.recorded("test")
    grid = [
        [spaced(name), metric_words(name), number(value)]
        for name, value in metrics.items()
    ]
    heads = ["Metric", "What it is", "Value"]
    count = evaluation.results.get(counted_as)
    rows = counted(count, noun) if isinstance(count, int) else f"{noun}s".capitalize()
    caption = f"{rows} never used in training, as recorded then"
    blocks: list[Block] = [Grid(caption, heads, grid, 2)]
    return Section("test", "The test", blocks)


# Against other models -----------------------------------------------------------------


def comparison_section(
    found: Sequence[Contender], about: str, noun: str = "row"
) -> Section:
    """The same rows, other models, and their times.

    Arguments:
        found: the network, then the others.
        about: what the others are, as sentences.
        noun: what a row is.
    """
    network, others = found[0], found[1:]
    grid = [
        [
            each.name,
            *(number(value) for value in each.metrics.values()),
            "" if each is network else between(network.gain_over(each)),
            seconds(each.seconds),
        ]
        for each in found
    ]
    heads = [
        "Model",
        *(spaced(name) for name in network.metrics),
        f"Network better in {network.deciding.name} by ({SURE} interval)",
        "Seconds",
    ]
    blocks: list[Block] = [
        Paragraph(verdict(network, others)),
        Grid(f"Scores on the same test {noun}s", heads, grid),
        Pictures([comparison_picture(found)]),
        Paragraph(f"{about} {TIMES}"),
    ]
    return Section("comparison", "Was a network worth it?", blocks)


def verdict(network: Contender, others: Sequence[Contender]) -> str:
    """Which models the network beats, by the intervals of the differences."""
    better = [each.name for each in others if network.gain_over(each).low > 0]
    worse = [each.name for each in others if network.gain_over(each).high < 0]
    same = [each.name for each in others if each.name not in (*better, *worse)]
    parts = [
        f"{how} the {joined(names)}"
        for how, names in (
            ("is better than", better),
            ("is worse than", worse),
            ("can't be told apart from", same),
        )
        if names
    ]
    on = "" if network.deciding.why else " on these rows"
    return f"By {network.deciding.words}{on}, the network {joined(parts)}."


def comparison_picture(found: Sequence[Contender]) -> Picture:
    """The deciding metric of each."""
    metric = found[0].deciding.metric
    points = [
        (each.name, each.metrics[metric], each.interval(metric)) for each in found
    ]
    ends = [(value, where.low, where.high) for _, value, where in points]
    plot = partial(pictures.metric_by_model, spaced(metric), points)
    drawing = svg("rivals", plot, ends)
    caption = (
        f"{spaced(metric)} with its {SURE} interval: the network a filled circle on a "
        "solid line, the others squares on dashed lines."
    )
    told = "; ".join(
        f"{name} {number(value)}, {between(where)}" for name, value, where in points
    )
    return Picture(drawing, caption[:1].upper() + caption[1:], f"{told}.")


def recorded_comparison_section(evaluation: Recorded, noun: str = "row") -> Section:
    """What the model's file holds of other models."""
    test, baselines = evaluation.recorded("test"), evaluation.recorded("baselines")
    models: dict[str, Any] = {NETWORK: test, **baselines}
    grid = [
        [name, *(number(found.get(metric)) for metric in test)]
        for name, found in models.items()
        if hasattr(found, "get")
    ]
    heads = ["Model", *map(spaced, test)]
    blocks: list[Block] = [Grid(f"Scores on the same test {noun}s", heads, grid)]
    return Section("comparison", "Was a network worth it?", blocks)
