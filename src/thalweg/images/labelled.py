"""What images show, as a table says or the names of their folders do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from thalweg.errors import DataError
from thalweg.images.formats import is_image_name
from thalweg.images.image_set import LeftOut
from thalweg.images.labels import LABELS, NoFileNamedError, read_labels
from thalweg.printable import printable
from thalweg.words import counted, listed

if TYPE_CHECKING:
    from thalweg.images.trees import Tree
    from thalweg.program.types import NumpyArray

HIDDEN = (".", "__MACOSX")
"""How names start of what a system keeps for itself."""


@dataclass(frozen=True)
class Labelled:
    """Images with what they show, before any is opened.

    Arguments:
        files: their names in the tree.
        targets: the class's name or the number of each; None where nothing says.
        left_out: images that aren't among them.
        notes: what was seen.
    """

    files: tuple[str, ...]
    targets: NumpyArray | None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def also(self, left_out: Iterable[LeftOut], notes: Iterable[str] = ()) -> Labelled:
        """The same images, with more to be said before what is said."""
        return replace(
            self,
            left_out=(*left_out, *self.left_out),
            notes=(*notes, *self.notes),
        )

    def joined(self, other: Labelled, said: str) -> Labelled:
        """These and others, with a note on it.

        Raises:
            DataError: of some classes are known, of others numbers or nothing.
        """
        kinds = {
            None if t is None else t.dtype.kind for t in (self.targets, other.targets)
        }
        if len(kinds) > 1:
            raise DataError(
                f"{said}: both must say classes, or both numbers, but don't"
            )
        targets = None
        if self.targets is not None and other.targets is not None:
            targets = np.concatenate([self.targets, other.targets])
        return Labelled(
            (*self.files, *other.files),
            targets,
            (*self.left_out, *other.left_out),
            (*self.notes, *other.notes, said),
        )


def is_image(name: str) -> bool:
    """Whether a name is one of an image that no system keeps for itself.

    >>> is_image("cats/tom.png"), is_image("__MACOSX/tom.png"), is_image(".git/a.png")
    (True, False, False)
    """
    hidden = any(part.startswith(HIDDEN) for part in name.split("/"))
    return is_image_name(name) and not hidden


def labelled(tree: Tree, files: Sequence[str], top: str) -> Labelled:
    """The images below a folder, with what a table or the names of folders say.

    Raises:
        DataError: a table in the folder can't be used.
    """
    flat = not any(first_folder(name, top) for name in files)
    above = top.rstrip("/").rpartition("/")[0]
    beside = f"{above}/{LABELS}".lstrip("/")
    for name in (top + LABELS, *([beside] if flat else [])):
        if name in tree.files:
            with tree.open(name) as table:
                return _of_table(tree, files, table, name)
    if not flat:
        return _of_folders(tree, files, top)
    said = f"nothing says what they show: no folders of classes, and no {LABELS}"
    outside = tree.path.parent / LABELS
    if outside.is_file():
        try:
            with outside.open("rb") as table:
                return _of_table(tree, files, table, LABELS)
        except NoFileNamedError:
            said += " in the folder; the one beside it is about other files"
    return Labelled(tuple(files), None, notes=(said,))


def _of_table(tree: Tree, files: Sequence[str], table: BinaryIO, name: str) -> Labelled:
    """What a table says of some images; it may say something of others, too."""
    folder = tree.path.stem if tree.path.is_file() else tree.path.name
    found = read_labels(table, name, filter(is_image, tree.files), folder)
    wanted = set(files)
    kept = [row for row, file in enumerate(found.files) if file in wanted]
    return Labelled(
        tuple(found.files[row] for row in kept),
        found.targets[kept],
        tuple(each for each in found.left_out if each.name in wanted),
        found.notes,
    )


def _of_folders(tree: Tree, files: Sequence[str], top: str) -> Labelled:
    """Images whose first folder is their class."""
    classes = [first_folder(name, top) for name in files]
    kept = [row for row, name in enumerate(classes) if name]
    left_out = [
        LeftOut(file, "stands in no folder of a class")
        for file, name in zip(files, classes, strict=True)
        if not name
    ]
    notes = _of_empty(tree, top, set(classes))
    deeper = sum(
        bool(first_folder(files[row], f"{top}{classes[row]}/")) for row in kept
    )
    if deeper:
        said = "in a folder of their class's folder, of which the outer one counts: "
        notes.append(said + counted(deeper, "image"))
    targets = np.array([class_name(classes[row]) for row in kept], np.str_)
    return Labelled(
        tuple(files[row] for row in kept), targets, tuple(left_out), tuple(notes)
    )


def first_folder(name: str, top: str = "") -> str:
    """The first folder of a name below another, or nothing.

    >>> first_folder("photos/cats/a.png", "photos/"), first_folder("a.png")
    ('cats', '')
    """
    folder, slash, _ = name.removeprefix(top).partition("/")
    return folder if slash else ""


def class_name(folder: str) -> str:
    """What a class is called: its folder's name, as any system would write it.

    >>> class_name("cafe\\u0301") == class_name("caf\\u00e9")
    True
    """
    return printable(unicodedata.normalize("NFC", folder))


def _of_empty(tree: Tree, top: str, classes: set[str]) -> list[str]:
    """What is said of folders without an image."""
    folders = {first_folder(name, top) for name in tree.folders if name.startswith(top)}
    empty = [
        printable(name)
        for name in sorted(folders - classes)
        if name and not name.startswith(HIDDEN)
    ]
    if not empty:
        return []
    return [f"no image is in {listed(empty)}, so there is no class of that name"]
