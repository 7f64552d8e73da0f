"""What images show, as classes or a number: inferred, encoded, compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, DataError
from thalweg.images.image_set import ImageSet
from thalweg.kinds.last_layer import POSITIVE, require_fitting
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.kinds.task import TASKS, Task
from thalweg.tables.forms import USUAL
from thalweg.tables.scales import Scale
from thalweg.training.rows import largest_target
from thalweg.words import counted, listed, shown

CLASS, NUMBER = "class", "number"
"""What a model of images calls what it predicts."""

MOST_CLASSES = 1_000
Targets = ClassTargets | NumberTargets


def targets_of(images: ImageSet, where: str) -> NDArray[Any]:
    """What the images show, which something must say.

    Raises:
        DataError: nothing does.
    """
    if images.targets is None:
        raise DataError(
            f"{where}: something must say what the images show: a folder for each "
            "class, a file of labels, or an array of them"
        )
    return images.targets


def task_of(given: NDArray[Any], where: str, asked: str | None) -> Task:
    """Whether images are of classes, or a number is predicted of them.

    Args:
        given: the targets of all images, texts or numbers.
        where: what was read, for messages.
        asked: "classes" or "number" overrides what they are.

    Raises:
        ArgumentError: something else was asked.
        DataError: there is one value alone, or there are as many classes as images.

    >>> task_of(np.array(["cat", "dog", "cat", "cat"]), "photos", None).line()
    "classes: there are 2, such as 'cat'"
    """
    if asked is not None and asked not in TASKS:
        raise ArgumentError(
            f"task must be classes or number, got {asked!r}{nearest(asked, TASKS)}"
        )
    values = np.unique(given)
    if len(values) == 1:
        raise DataError(
            f"{where}: images must be of at least two classes, or have different "
            f"numbers, but each of them is {shown(values.tolist()[0])}"
        )
    numbers = given.dtype.kind == "f"
    if (asked or ("number" if numbers else "classes")) == "number":
        reason = "as asked" if asked else f"there are {len(values):,} different ones"
        return Task("number", reason)
    if len(values) > max(2, len(given) // 2) or len(values) > MOST_CLASSES:
        classes = counted(len(values), "class", "classes")
        raise DataError(
            f"{where}: there must be at most {MOST_CLASSES:,} classes, with two images "
            f"or more on average, but there are {classes} of "
            f"{counted(len(given), 'image')}"
        )
    example = shown(labels_of(given)[0])
    return Task("classes", f"there are {len(values)}, such as {example}")


def labels_of(given: NDArray[Any]) -> tuple[str, ...]:
    """The classes, by their numbers if they are numbers; else by their names.

    >>> labels_of(np.array(["10", "9", "9"])), labels_of(np.array(["b", "10", "9"]))
    (('9', '10'), ('10', '9', 'b'))
    """
    names = sorted(set(texts(given)))
    try:
        return tuple(sorted(names, key=whole))
    except ValueError:
        return tuple(names)


def whole(name: str) -> int:
    """The number that a class is named by.

    Raises:
        ValueError: it has another name.
    """
    if not (name.isascii() and name.removeprefix("-").isdigit() and len(name) < 20):
        raise ValueError(name)
    return int(name)


def texts(given: NDArray[Any]) -> list[str]:
    """The names of classes; of numbers as short as tells them apart."""
    if given.dtype.kind != "f":
        return [str(each) for each in given.tolist()]
    return [repr(each).removesuffix(".0") for each in given.astype(float).tolist()]


def numbers(images: ImageSet, given: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Finite numbers, also where classes are named by some.

    Raises:
        DataError: one isn't a number.
    """
    found = np.empty(len(given))
    for row, value in enumerate(given.tolist()):
        try:
            found[row] = float(value)
        except ValueError:
            found[row] = math.nan
        if not math.isfinite(found[row]):
            raise DataError(
                f"{where}, {images.names[row]}: a target must be a finite number, got "
                f"{shown(value)}"
            )
    return found


def truth_of(images: ImageSet, where: str, targets: Targets) -> NDArray[Any]:
    """What predictions are compared with, shape (rows,): class numbers, or numbers.

    Raises:
        DataError: nothing says what images show, or one shows no class that is known.
    """
    given = targets_of(images, where)
    if isinstance(targets, NumberTargets):
        return numbers(images, given, where)
    places = {label: number for number, label in enumerate(targets.labels)}
    found = [places.get(name, -1) for name in texts(given)]
    codes = np.array(found, np.int32)
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        new = list(dict.fromkeys(n for n, code in zip(texts(given), found, strict=True)
                                 if code < 0))  # fmt: skip
        raise DataError(
            f"{where}, {images.names[row]}: a class must be one of "
            f"{listed(targets.labels)}, but {counted(int((codes < 0).sum()), 'image')} "
            f"are {listed(new)}"
        )
    return codes


def fit_targets(
    images: ImageSet, where: str, task: Task, training: NDArray[Any], loss: str | None
) -> Targets:
    """How what images show becomes what is learned.

    Args:
        images: all of them; every class among them gets a number.
        where: what was read, for messages.
        task: classes or number.
        training: the rows to learn from, whose mean and deviation are used.
        loss: of the training.

    Raises:
        ArgumentError: the loss doesn't go with the task.
        DataError: a number can't be learned.
    """
    given = targets_of(images, where)
    if task.kind == "classes":
        labels = labels_of(given)
        found: Targets = ClassTargets(CLASS, USUAL["category"], labels, labels)
    else:
        values = numbers(images, given, where)
        scale = Scale.fit(values[training])
        if loss == POSITIVE:
            require_counts(values, where)
            scale = Scale(0.0, scale.deviation)
        found = NumberTargets(NUMBER, scale)
        require_learnable(found.learned(values[training]), images, training, where)
    require_fitting(loss, found, task)
    return found


def require_counts(values: NDArray[np.float64], where: str) -> None:
    """Numbers are 0 or more, as the loss poisson takes them.

    Raises:
        DataError: some are negative.
    """
    if values.min() < 0:
        raise DataError(
            f"{where}: the loss poisson takes counts, 0 or more, but some are negative"
        )


def require_learnable(
    learned: NDArray[np.float64], images: ImageSet, rows: NDArray[Any], where: str
) -> None:
    """No number is so far off that a step with it has no loss.

    Raises:
        DataError: one is.
    """
    most = largest_target("float32", len(rows))
    for at in np.flatnonzero(~(np.abs(learned) <= most))[:1]:
        raise DataError(
            f"{where}, {images.names[int(rows[at])]}: a target must lie within "
            f"{most:.2g} standard deviations of the others to be learned in float32"
        )


def few_of(labels: Sequence[str], truth: NDArray[Any]) -> tuple[str, ...]:
    """A note on classes of which nothing is there to learn from."""
    counts = np.bincount(truth, minlength=len(labels))
    missing = [label for label, count in zip(labels, counts, strict=True) if not count]
    if not missing:
        return ()
    return (f"no image to learn from is of the class {listed(missing)}",)
