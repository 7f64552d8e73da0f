"""What the sequences are, whether their length matters, and which are most wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.bootstrap import NORMAL, Interval, wilson
from thalweg.kinds.row_errors import ClassErrors, NumberErrors
from thalweg.report import series_pictures
from thalweg.report.about_errors import labels_of
from thalweg.report.about_table import columns_blocks, size_facts, split_blocks
from thalweg.report.blocks import (
    Block,
    Facts,
    Grid,
    Paragraph,
    Picture,
    Pictures,
    Section,
)
from thalweg.report.formatting import between, cut, number
from thalweg.report.sequence_evaluation import EvaluatedSequences, SequenceEvaluation
from thalweg.report.svg import svg
from thalweg.tables.encodings import NumberEncoding
from thalweg.words import counted

MOST_GROUPS, FEWEST_IN_GROUP = 6, 5
MOST_WRONG = 6
MOST_DRAWN = 4
"""Columns of a sequence; more lines couldn't be told apart."""

# What they are ------------------------------------------------------------------------


def sequences_section(evaluation: SequenceEvaluation) -> Section:
    """Which rows are a sequence, how long they are, and what each column became."""
    model, rows = evaluation.model, evaluation.rows
    ordered = "as they stand" if model.order is None else f"by {cut(model.order.name)}"
    pairs = [
        *size_facts(evaluation),
        ("A sequence", f"the rows with one {cut(model.sequence)}, {ordered}"),
    ]
    if rows is not None:
        pairs.append(("Sequences", lengths_of(rows)))
    features = counted(len(model.encoder.features), "number")
    pairs.append(("Features", f"{features} a row for the network"))
    report = None if rows is None else rows.prepared.report
    blocks: list[Block] = [Facts(pairs), *columns_blocks(model.encoder, report)]
    return Section("sequences", "The sequences, and what each column became", blocks)


def lengths_of(rows: EvaluatedSequences) -> str:
    """How many sequences there are, and of how many rows."""
    lengths = rows.prepared.sequences.lengths
    count = counted(len(lengths), "sequence")
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest == longest:
        return f"{count} of {counted(shortest, 'row')} each"
    middle = f"{np.median(lengths):,.10g}"
    return f"{count} of {shortest:,} to {longest:,} rows, their median {middle}"


def split_section(evaluation: SequenceEvaluation, rows: EvaluatedSequences) -> Section:
    """How many sequences are for what, and the target in each part."""
    settings = evaluation.settings
    alike = ", of each class the same share" if rows.classes else ""
    drawn = (
        ""
        if settings is None
        else f"Whole sequences were drawn at random by seed {settings.seed}{alike}."
    )
    return Section("split", "The split", split_blocks(rows, drawn))


# By length ----------------------------------------------------------------------------


@dataclass(frozen=True)
class LengthGroup:
    """Test sequences of about the same length.

    Arguments:
        low, high: the shortest and the longest.
        mean: the mean length.
        value: the share that is right, or the mean absolute error.
        interval: where that probably lies.
        count: how many they are.
    """

    low: int
    high: int
    mean: float
    value: float
    interval: Interval
    count: int


def length_section(rows: EvaluatedSequences) -> Section | None:
    """The error of short sequences and of long ones; None where all are alike."""
    groups = length_groups(rows)
    if len(groups) < 2:
        return None
    metric = "share that is right" if rows.classes else "mean absolute error"
    points = [(each.mean, each.value, each.interval) for each in groups]
    ends = [(value, each.low, each.high) for _, value, each in points]
    plot = partial(series_pictures.metric_by_length, metric, points)
    told = "; ".join(
        f"{each.low:,} to {each.high:,} rows {number(each.value)}" for each in groups
    )
    caption = (
        f"{metric.capitalize()} by length, in groups of about as many test sequences. "
        "Lines up and down are 95% intervals."
    )
    picture = Picture(svg("lengths", plot, ends), caption, f"{metric}: {told}.")
    grid = [
        [
            f"{each.low:,} to {each.high:,}",
            number(each.value),
            between(each.interval),
            f"{each.count:,}",
        ]
        for each in groups
    ]
    heads = ["Rows", metric.capitalize(), "95% interval", "Test sequences"]
    label = "Test sequences grouped by length"
    blocks: list[Block] = [Pictures([picture]), Grid(label, heads, grid)]
    return Section("lengths", "Does length matter?", blocks)


def length_groups(rows: EvaluatedSequences) -> list[LengthGroup]:
    """The test in groups of about as many sequences; none of one length is in two."""
    lengths, errors = rows.lengths, rows.errors
    wrong = errors.error
    if isinstance(errors, ClassErrors):
        wrong = (errors.truth == errors.predicted).astype(np.float64)
    count = min(MOST_GROUPS, max(1, len(lengths) // FEWEST_IN_GROUP))
    inner = np.quantile(lengths, np.arange(1, count) / count, method="lower")
    places = np.searchsorted(np.unique(inner), lengths, side="left")
    found: list[LengthGroup] = []
    for place in np.unique(places).tolist():
        own, values = lengths[places == place], wrong[places == place]
        value = float(values.mean())
        found.append(
            LengthGroup(
                int(own.min()),
                int(own.max()),
                float(own.mean()),
                value,
                wilson(value, len(own)) if rows.classes else around(values),
                len(own),
            )
        )
    return found


def around(values: NDArray[np.float64]) -> Interval:
    """Where a mean probably lies, by the normal distribution."""
    mean = float(values.mean())
    margin = NORMAL * float(values.std()) / len(values) ** 0.5
    return Interval(mean - margin, mean + margin)


# Which are wrong ----------------------------------------------------------------------


def worst_section(rows: EvaluatedSequences) -> Section:
    """The sequences that are furthest off, their numbers drawn."""
    errors = rows.errors
    worst = np.argsort(-errors.error, kind="stable")[:MOST_WRONG].tolist()
    grid = [[name_of(rows, each), *said_of(rows, each)] for each in worst]
    id = cut(rows.prepared.id, 40)
    heads = [id, *heads_of(rows), "Rows"]
    how = "whose true class it found least probable"
    caption = f"The {counted(len(worst), 'test sequence')} "
    caption += how if rows.classes else "that it is furthest off on"
    columns = drawn_columns(rows)
    text = "Look here for mistakes in the table, and for what the columns don't tell."
    if columns:
        text += (
            " Drawn are numbers of their rows, less the mean of the training rows and "
            "divided by the standard deviation, as the network sees them."
        )
        hidden = len(number_columns(rows)) - len(columns)
        if hidden > 0:
            text += f" {counted(hidden, 'more column')} of numbers aren't drawn."
    blocks: list[Block] = [Paragraph(text), Grid(caption, heads, grid, 3)]
    if columns:
        blocks.append(Pictures([drawn(rows, each, columns) for each in worst]))
    return Section("worst", "The sequences it got most wrong", blocks)


def name_of(rows: EvaluatedSequences, row: int) -> str:
    """The id of a test sequence."""
    parts = rows.prepared
    name = parts.sequences.names[int(parts.split.test[row])]
    return cut(str(name), 40) or "(empty)"


def heads_of(rows: EvaluatedSequences) -> list[str]:
    """What `said_of` gives, but for the length."""
    if rows.classes:
        return ["True class", "Predicted", "Probability of the true class"]
    return ["True", "Predicted", "Off by"]


def said_of(rows: EvaluatedSequences, row: int) -> list[str]:
    """What a sequence is, what was said of it, and its length."""
    errors, length = rows.errors, f"{len(rows.prepared.test.X[row]):,}"
    if isinstance(errors, ClassErrors):
        labels = labels_of(rows)
        truth, predicted = int(errors.truth[row]), int(errors.predicted[row])
        sure = number(float(errors.of_truth[row]))
        return [labels[truth], labels[predicted], sure, length]
    assert isinstance(errors, NumberErrors)
    found = errors.truth[row], errors.predicted[row], -errors.residuals[row]
    return [*(number(float(each)) for each in found), length]


def number_columns(rows: EvaluatedSequences) -> dict[str, int]:
    """The columns of numbers, and which feature of a row each is."""
    found: dict[str, int] = {}
    start = 0
    for encoding in rows.prepared.encoder.encodings:
        if isinstance(encoding, NumberEncoding):
            found[encoding.name] = start
        start += len(encoding.features)
    return found


def drawn_columns(rows: EvaluatedSequences) -> dict[str, int]:
    """Those that are drawn."""
    return dict([*number_columns(rows).items()][:MOST_DRAWN])


def drawn(rows: EvaluatedSequences, row: int, columns: dict[str, int]) -> Picture:
    """A test sequence as lines, with what it is and what was said of it."""
    X: NDArray[Any] = rows.prepared.test.X[row]
    values = {name: X[:, place] for name, place in columns.items()}
    order = rows.prepared.order
    plot = partial(series_pictures.sequence, values, order.name if order else "")
    every = np.concatenate([*values.values()])
    name, (truth, predicted, *_) = name_of(rows, row), said_of(rows, row)
    caption = f"{cut(rows.prepared.id, 40)} {name}: {truth}, predicted {predicted}."
    ends = "; ".join(ends_of(name, each) for name, each in values.items())
    told = f"{caption} {counted(len(X), 'row')}. {ends}."
    return Picture(svg(f"worst-{row}", plot, every), caption, told)


def ends_of(name: str, values: Sequence[Any] | NDArray[Any]) -> str:
    """A line in words."""
    low, high = float(np.min(values)), float(np.max(values))
    return f"{cut(name, 40)} from {number(low)} to {number(high)}"
