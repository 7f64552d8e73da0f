"""What the images are, which of them are confused, and which are most wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.kinds.row_errors import ClassErrors, NumberErrors
from thalweg.report.about_errors import labels_of
from thalweg.report.blocks import (
    Album,
    Block,
    Facts,
    Grid,
    Paragraph,
    Section,
    Shot,
)
from thalweg.report.formatting import cut, number
from thalweg.report.image_evaluation import EvaluatedImages, ImageEvaluation
from thalweg.report.shots import shot
from thalweg.words import counted

MOST_CLASSES = 60
MOST_SAMPLES = 12
MOST_PAIRS, MOST_OF_PAIR = 8, 6
MOST_WRONG = 24
MOST_FILES = 20

# What they are ------------------------------------------------------------------------


def images_section(evaluation: ImageEvaluation) -> Section:
    """How many there are, of what size, and what was seen while they were read."""
    model, rows = evaluation.model, evaluation.rows
    name = evaluation.data_name
    pairs = [("Images", cut(name))] if name else []
    seen = f"each {model.form}" if rows is None else rows.prepared.seen
    pairs += [("Seen", seen), ("Target", model.task.line())]
    blocks: list[Block] = [Facts(pairs)]
    if rows is not None:
        blocks += [
            Paragraph(f"{cut(note, 500)}.", note=True) for note in rows.prepared.notes
        ]
        blocks += [*left_out(rows), *sample(rows)]
    return Section("images", "The images", blocks)


def left_out(rows: EvaluatedImages) -> list[Block]:
    """The files that aren't among the images, and why."""
    sets = rows.prepared.data.sets
    every = [each for images in sets for each in images.left_out]
    if not every:
        return []
    hidden = len(every) - MOST_FILES
    more = f"; {counted(hidden, 'more file')} aren't listed" if hidden > 0 else ""
    grid = [[cut(each.name), cut(each.reason, 200)] for each in every[:MOST_FILES]]
    return [Grid(f"Files that are left out{more}", ["File", "Why"], grid, 2)]


def sample(rows: EvaluatedImages) -> list[Block]:
    """An image of each class, or some, as the network sees them."""
    training = rows.prepared.training
    if rows.classes:
        _, firsts = np.unique(training.truth, return_index=True)
    else:
        order = np.argsort(training.truth, kind="stable")
        places = np.linspace(0, len(order) - 1, min(MOST_SAMPLES, len(order)))
        firsts = order[places.round().astype(int)]
    shots = [
        shot(training.X[row], said, f"an image of {said}")
        for row in firsts[:MOST_SAMPLES].tolist()
        for said in [truth_words(rows, float(training.truth[row]))]
    ]
    return [Album("Some to learn from, as the network sees them", shots)]


def truth_words(rows: EvaluatedImages, truth: float) -> str:
    """A class by its name, or a number."""
    return labels_of(rows)[int(truth)] if rows.classes else number(truth)


def split_section(rows: EvaluatedImages) -> Section:
    """How many images each part has, and of each class."""
    parts = rows.prepared
    every = {
        "training": ("learned from", parts.training),
        "validation": ("chose the best epoch", parts.validation),
        "test": ("scored once, after training", parts.test),
    }
    drawn = "were drawn at random, of each class the same share"
    test, validation = (
        "stood apart" if part in parts.data.apart else drawn
        for part in ("test", "validation")
    )
    text = (
        f"The images to test on {test}; those to validate on {validation}. Copies of "
        "one picture are in one part, of those that were drawn."
    )
    grid = [[name, what, f"{len(part.X):,}"] for name, (what, part) in every.items()]
    blocks: list[Block] = [
        Paragraph(text),
        Grid("Images of each part", ["Part", "What for", "Images"], grid, 2),
    ]
    if rows.classes:
        labels = labels_of(rows)
        counts = [
            np.bincount(part.truth, minlength=rows.classes)
            for _, part in every.values()
        ]
        of_class = [
            [label, *(f"{each[place]:,}" for each in counts)]
            for place, label in enumerate(labels[:MOST_CLASSES])
        ]
        hidden = len(labels) - MOST_CLASSES
        more = (
            f"; {counted(hidden, 'more class', 'more classes')}" if hidden > 0 else ""
        )
        heads = ["Class", *(name.capitalize() for name in every)]
        blocks.append(Grid(f"Images of each class{more}", heads, of_class))
    return Section("split", "How they were split", blocks)


# Which are wrong ----------------------------------------------------------------------


def pairs_section(rows: EvaluatedImages, errors: ClassErrors) -> Section:
    """The classes that are confused most, with pictures."""
    wrong = np.flatnonzero(errors.truth != errors.predicted)
    cells = errors.truth[wrong].astype(np.int64) * errors.classes
    cells = cells + errors.predicted[wrong]
    pairs, counts = np.unique(cells, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PAIRS]
    of_class = np.bincount(errors.truth, minlength=errors.classes)
    labels, blocks = labels_of(rows), list[Block]()
    for place in order.tolist():
        truth, predicted = divmod(int(pairs[place]), errors.classes)
        count = counted(int(counts[place]), "image")
        label = (
            f"{labels[truth]} taken for {labels[predicted]}: {count} of "
            f"{of_class[truth]:,}"
        )
        mine = wrong[cells == pairs[place]]
        surest = mine[np.argsort(-errors.of_predicted[mine], kind="stable")]
        blocks.append(Album(label, wrong_shots(rows, surest[:MOST_OF_PAIR].tolist())))
    if not blocks:
        blocks.append(Paragraph("No image of the test was taken for another class."))
    return Section("pairs", "The classes it confuses", blocks)


def worst_section(rows: EvaluatedImages) -> Section:
    """The images that are furthest off."""
    errors = rows.errors
    worst = np.argsort(-errors.error, kind="stable")[:MOST_WRONG]
    if isinstance(errors, ClassErrors):
        worst = worst[errors.truth[worst] != errors.predicted[worst]]
    if not len(worst):
        text = "No image of the test was taken for another class."
        return Section("worst", "The images it got most wrong", [Paragraph(text)])
    how = "whose true class it found least probable"
    label = f"The {counted(len(worst), 'image')} "
    label += how if rows.classes else "that it is furthest off on"
    text = (
        "Look here for wrong labels, and for what pictures don't show. Below each "
        "stands what it is said to be, what the network says, and how probable it "
        "found that."
    )
    shots = wrong_shots(rows, worst.tolist())
    blocks: list[Block] = [Paragraph(text), Album(label, shots)]
    return Section("worst", "The images it got most wrong", blocks)


def wrong_shots(rows: EvaluatedImages, chosen: Sequence[int]) -> list[Shot]:
    """Images of the test, with what they are, what was said, and their files."""
    names, X = rows.prepared.test_names, rows.prepared.test.X
    return [
        shot(
            X[row], f"{said_of(rows, row)} ({cut(names[row], 40)})", said_of(rows, row)
        )
        for row in chosen
    ]


def said_of(rows: EvaluatedImages, row: int) -> str:
    """What an image is, and what the network said."""
    errors = rows.errors
    if isinstance(errors, ClassErrors):
        labels = labels_of(rows)
        truth, predicted = int(errors.truth[row]), int(errors.predicted[row])
        sure = number(float(errors.of_predicted[row]))
        return f"{labels[truth]}, predicted {labels[predicted]} with {sure}"
    assert isinstance(errors, NumberErrors)
    found = float(errors.truth[row]), float(errors.predicted[row])
    return f"{number(found[0])}, predicted {number(found[1])}"
