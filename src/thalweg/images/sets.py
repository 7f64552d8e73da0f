"""The sets of images in a folder: those to learn from, and those to test on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thalweg.errors import DataError
from thalweg.images.image_set import LeftOut
from thalweg.images.labelled import Labelled, first_folder, is_image, labelled
from thalweg.images.labels import LABELS
from thalweg.printable import printable
from thalweg.words import counted, listed

if TYPE_CHECKING:
    from thalweg.images.trees import Tree

TRAINING, VALIDATION, TEST = "training", "validation", "test"

SETS = {
    "train": TRAINING,
    "training": TRAINING,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
"""What folders are called in which sets stand apart, in lower case, and what for."""


@dataclass(frozen=True)
class Sets:
    """What a folder or an archive holds.

    Arguments:
        training: the images to learn from.
        test: those of a folder for testing; None where there is none.
    """

    training: Labelled
    test: Labelled | None


def sets_of(tree: Tree) -> Sets:
    """The sets of images in a folder or an archive, with what they show.

    Raises:
        DataError: it holds no images, or a table of labels can't be used.
    """
    images, notes = _images(tree)
    top = _only_folder(tree, images)
    folders = _folders_of_sets(tree, images, top)
    if not folders:
        return Sets(labelled(tree, images, top).also(tree.left_out, notes), None)
    parts = {use: _part(tree, images, folder) for use, folder in folders.items()}
    training, test = parts[TRAINING], parts.get(TEST)
    if validation := parts.get(VALIDATION):
        count = counted(len(validation.files), "image")
        both = f"{folders[VALIDATION]!r} joins {folders[TRAINING]!r}"
        said = f"{both}, of which is drawn to validate: {count}"
        training = training.joined(validation, said)
    if test and not test.files:
        notes.append(f"no image of {folders[TEST]!r} has a label: it isn't tested on")
        test = None
    return Sets(training.also(_outside(tree, images, folders.values()), notes), test)


def _part(tree: Tree, images: Iterable[str], folder: str) -> Labelled:
    """The images of one set."""
    found = labelled(tree, [each for each in images if each.startswith(folder)], folder)
    return found.also(each for each in tree.left_out if each.name.startswith(folder))


def _outside(
    tree: Tree, images: Iterable[str], folders: Iterable[str]
) -> list[LeftOut]:
    """What is in none of the folders of sets."""
    used = tuple(folders)
    reason = f"stands in none of {listed(used)}"
    alone = [LeftOut(each, reason) for each in images if not each.startswith(used)]
    return [each for each in tree.left_out if not each.name.startswith(used)] + alone


# What there is ------------------------------------------------------------------------


def _images(tree: Tree) -> tuple[list[str], list[str]]:
    """The names of the images, and what is said of other files.

    Raises:
        DataError: there are no images.
    """
    images: list[str] = []
    others: list[str] = []
    for name in tree.files:
        if is_image(name):
            images.append(name)
        elif name.rpartition("/")[2] != LABELS:
            others.append(printable(name))
    said = [f"left out, as they are no images: {listed(others, 3)}"] if others else []
    if not images:
        reasons = "".join(f"; {each.name} {each.reason}" for each in tree.left_out[:1])
        raise DataError(f"{tree.path}: holds no images{_more(said)}{reasons}")
    return images, said


def _more(notes: Sequence[str]) -> str:
    return f" ({notes[0]})" if notes else ""


def _only_folder(tree: Tree, images: Sequence[str]) -> str:
    """The one folder that is around all the others, with a slash; or nothing."""
    top = ""
    while True:
        folders = {first_folder(name, top) for name in images}
        only = folders.pop()
        if folders or not only:
            return top
        inner = f"{top}{only}/"
        deeper = all(first_folder(name, inner) for name in images)
        own = not top and only == tree.path.stem and tree.path.is_file()
        if not (deeper or own or inner + LABELS in tree.files):
            return top
        top = inner


def _folders_of_sets(tree: Tree, images: Sequence[str], top: str) -> dict[str, str]:
    """The folders in which sets stand apart, by what they are for; none by default.

    A folder ``train`` is one if classes or a table are in it, or all others are such
    folders; else it's a class, as that of railways is.

    Raises:
        DataError: two are for the same.
    """
    folders = {first_folder(name, top) for name in images}
    found: dict[str, str] = {}
    for name in sorted(folders):
        use = SETS.get(name.lower())
        if use in found:
            raise DataError(
                f"{tree.path}: must hold one folder of {use} images, but holds "
                f"{found[use]!r} and {name!r}"
            )
        if use:
            found[use] = f"{top}{name}/"
    if found and TRAINING not in found and len(found) == len(folders):
        raise DataError(
            f"{tree.path}: must hold a folder 'train', beside {listed(sorted(folders))}"
        )
    if TRAINING not in found:
        return {}
    train = found[TRAINING]
    own = [name for name in images if name.startswith(train)]
    inside = any(first_folder(name, train) for name in own)
    if inside or train + LABELS in tree.files or len(found) == len(folders):
        return found
    return {}
