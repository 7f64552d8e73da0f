"""Where the network goes wrong, and how far its word can be taken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import (
    ClassCounts,
    ClassErrors,
    Floats,
    NumberErrors,
    RowErrors,
    ratio,
)
from thalweg.kinds.targets import ClassTargets
from thalweg.report import pictures
from thalweg.report.blocks import (
    Block,
    Cell,
    Grid,
    Paragraph,
    Picture,
    Pictures,
    Section,
    Shaded,
)
from thalweg.report.evaluation import Evaluated
from thalweg.report.formatting import between, cut, number, percent
from thalweg.report.importance import mean_and_deviation
from thalweg.report.reliability import (
    ReliabilityBin,
    calibration_error,
    number_groups,
    probability_groups,
)
from thalweg.report.svg import can_be_drawn, svg
from thalweg.words import counted

MOST_CLASSES = 12  # of a confusion matrix in numbers
MOST_CLASS_ROWS = 60
MOST_PAIRS = 20


def error_sections(rows: Evaluated[Parts], errors: RowErrors) -> list[Section]:
    """Which errors there are, and how reliable predictions are."""
    if isinstance(errors, ClassErrors):
        return [confusion_section(rows, errors), probability_section(rows, errors)]
    assert isinstance(errors, NumberErrors)
    return [residual_section(rows, errors), number_section(rows, errors)]


def labels_of(rows: Evaluated[Parts]) -> list[str]:
    """The classes as they are shown."""
    targets = rows.prepared.targets
    assert isinstance(targets, ClassTargets)
    return [cut(label, 40) or "(empty)" for label in targets.labels]


# Classes ------------------------------------------------------------------------------


def confusion_section(rows: Evaluated[Parts], errors: ClassErrors) -> Section:
    """Which classes are taken for which."""
    labels = labels_of(rows)
    blocks: list[Block] = [class_grid(labels, errors, rows.noun)]
    if len(labels) <= MOST_CLASSES:
        blocks.insert(0, confusion_grid(labels, confusion(errors), rows.noun))
    else:
        blocks += [pairs_grid(labels, errors, rows.noun)]
        if len(labels) <= 500:
            blocks.append(Pictures([confusion_picture(errors, rows.noun)]))
    return Section("errors", "Which classes are mistaken", blocks)


def confusion(errors: ClassErrors) -> Floats:
    """Rows by true class and predicted class, shape (classes, classes); by weight."""
    cells = errors.truth.astype(np.int64) * errors.classes + errors.predicted
    counts = np.bincount(cells, errors.weights, errors.classes**2)
    return counts.reshape(errors.classes, errors.classes).astype(np.float64)


def confusion_grid(labels: Sequence[str], counts: Floats, noun: str) -> Grid:
    """True classes down, predicted ones across; shaded by share of the true class."""
    shares = shares_of(counts)
    rows: list[Sequence[Cell]] = [
        [
            label,
            *(
                Shaded(count_text(count), float(share))
                for count, share in zip(counts[i], shares[i], strict=True)
            ),
        ]
        for i, label in enumerate(labels)
    ]
    caption = (
        f"Confusion matrix: {noun}s of the test by true class (down) and predicted "
        "class (across); a stronger ground is a larger share of the true class"
    )
    return Grid(caption, ["True class", *(f"as {label}" for label in labels)], rows)


def shares_of(counts: Floats) -> Floats:
    """Each row divided by its sum, 0 where that is 0."""
    return ratio(counts, np.broadcast_to(counts.sum(axis=1)[:, None], counts.shape))


def count_text(count: float) -> str:
    """A number of rows, or a sum of weights."""
    return f"{count:,.0f}" if count == round(count) else number(float(count))


def class_grid(labels: Sequence[str], errors: ClassErrors, noun: str) -> Grid:
    """Precision, recall and f1 of each class."""
    truth, classes = errors.truth, errors.classes
    found = ClassCounts.of(truth, errors.predicted, errors.weights, classes)
    precision, recall, f1 = found.precision, found.recall, found.f1
    rows = np.bincount(truth, minlength=classes)
    # Where there are many, those that are recognized worst.
    order = sorted(range(len(labels)), key=lambda i: (rows[i] == 0, f1[i]))
    few = len(labels) <= MOST_CLASS_ROWS
    chosen = range(len(labels)) if few else order[:MOST_CLASS_ROWS]
    grid = [
        [
            labels[i] if len(labels) <= MOST_CLASSES else f"{i + 1}. {labels[i]}",
            *(
                number(float(each[i])) if rows[i] else "none"
                for each in (precision, recall, f1)
            ),
            f"{rows[i]:,}",
        ]
        for i in chosen
    ]
    which = "Each class" if few else f"The {MOST_CLASS_ROWS} classes with the lowest f1"
    caption = (
        f"{which}: of the {noun}s predicted as it, how many are (precision); of "
        f"the {noun}s that are it, how many were predicted so (recall); and their "
        "harmonic mean (f1)"
    )
    return Grid(caption, ["Class", "Precision", "Recall", "f1", f"Test {noun}s"], grid)


def pairs_grid(labels: Sequence[str], errors: ClassErrors, noun: str) -> Grid:
    """The mistakes made most often."""
    wrong = errors.truth != errors.predicted
    pairs = np.stack([errors.truth[wrong], errors.predicted[wrong]], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PAIRS]
    grid: list[Sequence[str]] = []
    for i in order.tolist():
        truth, predicted = map(int, found[i])
        grid.append([labels[truth], labels[predicted], f"{counts[i]:,}"])
    caption = "The mistakes made most often"
    return Grid(caption, ["True class", "Predicted as", f"Test {noun}s"], grid, 2)


def confusion_picture(errors: ClassErrors, noun: str) -> Picture:
    """All classes at a glance."""
    counts = confusion(errors)
    shares = shares_of(counts)
    drawing = svg("confusion", lambda: pictures.confusion_map(shares))
    caption = (
        "Confusion matrix: each line is a true class, each column a predicted one, "
        "numbered as in the table of the classes; the stronger, the larger the share."
    )
    right = float((errors.truth == errors.predicted).mean())
    told = (
        f"Confusion matrix of {errors.classes} classes. {percent(right)} of the test "
        f"{noun}s are on the diagonal, where the prediction is right; the tables list "
        "the mistakes made most often."
    )
    return Picture(drawing, caption, told)


def probability_section(rows: Evaluated[Parts], errors: ClassErrors) -> Section:
    """Whether a probability of 0.8 comes true in 8 of 10 rows."""
    noun = rows.noun
    if errors.classes == 2:
        second = labels_of(rows)[1]
        promised = f"predicted probability of {pictures.short(second)}"
        seen = f"share of {pictures.short(second)}"
        assert errors.of_both is not None
        said, came = errors.of_both[1], errors.truth == 1
        intro = f"Test {noun}s grouped by the probability of {second}. If it can be "
        intro += f"believed, as large a share of each group is {second}."
    else:
        promised, seen = "probability of the predicted class", "share that is right"
        said, came = errors.of_predicted, errors.truth == errors.predicted
        intro = f"Test {noun}s grouped by the probability of the predicted class. "
        intro += "If it can be believed, as large a share of each group is right."
    groups = probability_groups(said, came, errors.weights)
    mean = f"On average the two differ by {number(calibration_error(groups))} (the "
    mean += "expected calibration error)."
    drawing = svg(
        "reliability", lambda: pictures.reliability(groups, promised, seen, noun)
    )
    caption = (
        "Reliability diagram: points on the dashed line are as promised, below it the "
        f"network is too sure. Lines up and down are 95% intervals; bars are {noun}s."
    )
    picture = Picture(drawing, caption, told_of(groups, promised, seen, rows.noun))
    blocks: list[Block] = [
        Paragraph(f"{intro} {mean}"),
        Pictures([picture]),
        groups_grid(groups, promised, seen, rows.noun),
    ]
    return Section("reliability", "Can its probabilities be believed?", blocks)


def told_of(
    groups: Sequence[ReliabilityBin], promised: str, seen: str, noun: str
) -> str:
    """The groups in words."""
    points = "; ".join(
        f"{number(each.promised)} promised, {number(each.seen)} seen, "
        f"{counted(each.rows, noun)}"
        for each in groups
    )
    return f"{cut(seen)} against {cut(promised)}: {points}."


def groups_grid(
    groups: Sequence[ReliabilityBin], promised: str, seen: str, noun: str
) -> Grid:
    """The groups in numbers."""
    grid = [
        [
            f"{number(each.low)} to {number(each.high)}",
            number(each.promised),
            number(each.seen),
            between(each.interval),
            f"{each.rows:,}",
        ]
        for each in groups
    ]
    heads = ["Predictions", f"Mean {cut(promised)}", cut(seen).capitalize()]
    return Grid(
        f"Test {noun}s grouped by prediction",
        [*heads, "95% interval", f"Test {noun}s"],
        grid,
    )


# Numbers ------------------------------------------------------------------------------


def residual_section(rows: Evaluated[Parts], errors: NumberErrors) -> Section:
    """How far off predictions are."""
    target = cut(rows.prepared.targets.name)
    count = len(errors.truth)
    drawn = len(pictures.drawn_rows(count))
    some = (
        f" {drawn:,} of {count:,} {rows.noun}s, drawn at random."
        if drawn < count
        else ""
    )
    residuals = errors.residuals
    mean, deviation = mean_and_deviation(residuals)
    with np.errstate(invalid="ignore"):
        quarters = np.quantile(residuals, [0, 0.25, 0.75, 1]).tolist()
    both = np.concatenate([errors.predicted, residuals])
    drawable = residuals if can_be_drawn(both) else np.full(1, np.inf)
    points = Picture(
        svg("residuals", lambda: pictures.residual_points(errors, target), drawable),
        f"Residuals: what is left of {target} after the prediction. A band around the "
        f"dashed line that is even everywhere is good.{some}",
        f"Residuals against predictions, for predictions from "
        f"{number(float(errors.predicted.min()))} to "
        f"{number(float(errors.predicted.max()))}: mean residual {number(mean)}, "
        f"standard deviation {number(deviation)}.",
    )
    counts = Picture(
        svg(
            "residual-counts",
            lambda: pictures.residual_counts(errors, rows.noun),
            drawable,
        ),
        f"How many test {rows.noun}s are off by how much.",
        f"Histogram of residuals from {number(quarters[0])} to {number(quarters[3])}, "
        f"half of them between {number(quarters[1])} and {number(quarters[2])}.",
    )
    blocks: list[Block] = [Pictures([points, counts]), size_grid(errors, rows.noun)]
    if infinite := int(np.count_nonzero(~np.isfinite(errors.predicted))):
        text = f"{infinite:,} of {counted(count, 'prediction')} aren't finite numbers."
        blocks.insert(0, Paragraph(text, note=True))
    return Section("errors", "How far off it is", blocks)


def size_grid(errors: NumberErrors, noun: str) -> Grid:
    """What share of the rows is off by no more than what."""
    shares = (0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
    with np.errstate(invalid="ignore"):
        most = np.quantile(errors.error, shares).tolist()
    grid = [
        [percent(share), number(each)] for share, each in zip(shares, most, strict=True)
    ]
    return Grid(
        f"Absolute errors of test {noun}s",
        [f"Share of {noun}s", "Off by at most"],
        grid,
    )


def number_section(rows: Evaluated[Parts], errors: NumberErrors) -> Section:
    """Whether predictions are right on average, high ones and low ones."""
    target = rows.prepared.targets.name
    groups = number_groups(errors)
    ends = [(g.promised, g.seen, g.interval.low, g.interval.high) for g in groups]
    plot = partial(pictures.number_reliability, groups, target, rows.noun)
    drawing = svg("reliability", plot, ends)
    promised, seen = f"prediction of {cut(target)}", "mean true number"
    caption = (
        f"Test {rows.noun}s in groups of about the same size, by prediction. Points on "
        "the dashed line are right on average; lines up and down are 95% intervals."
    )
    blocks: list[Block] = [
        Pictures(
            [Picture(drawing, caption, told_of(groups, promised, seen, rows.noun))]
        ),
        groups_grid(groups, promised, seen, rows.noun),
    ]
    return Section("reliability", "Is it right on average?", blocks)
