"""A folder of image files, or an archive of one, becomes arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from thalweg.errors import DataError
from thalweg.images.choose_form import choose_form
from thalweg.images.decode import (
    BROUGHT,
    REMARKS,
    Facts,
    UnreadableError,
    decode,
    look,
    without_warnings,
)
from thalweg.images.digests import DIGEST_BYTES, digest_of
from thalweg.images.formats import pillow
from thalweg.images.image_set import ImageData, ImageForm, ImageSet, LeftOut
from thalweg.images.labelled import Labelled
from thalweg.images.sets import sets_of
from thalweg.images.storage import room_for, said_of_room
from thalweg.images.threads import in_threads
from thalweg.images.trees import Tree, reason_of
from thalweg.printable import printable
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

Found = TypeVar("Found")


def read_tree(
    tree: Tree,
    height: int | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> ImageData:
    """The images of a folder or an archive, in the form that fits those to learn from.

    Raises:
        DataError: there are no images that can be read.
        ArgumentError: Pillow isn't installed.
    """
    pillow()
    sets = sets_of(tree)
    labelled = sets.training
    found = _each(tree, labelled.files, lambda file, name, _: look(file, name))
    seen = [each for each in found if not isinstance(each, LeftOut)]
    if not seen:
        raise DataError(f"{tree.path}: {_none([*labelled.left_out, *found])}")
    form, notes = choose_form(seen, height, width, color)
    training = read_labelled(tree, labelled, form, notes)
    test = sets.test and read_labelled(tree, sets.test, form)
    return ImageData(training, test or None)


def read_new_tree(tree: Tree, form: ImageForm) -> ImageSet:
    """The images of a folder or an archive, brought to a form.

    Where those to test on stand apart, it's those alone. That nothing says what they
    show is nothing to say: a network will.

    Raises:
        DataError: there are no images that can be read.
        ArgumentError: Pillow isn't installed.
    """
    pillow()
    sets = sets_of(tree)
    labelled = sets.test or sets.training
    if labelled.targets is None:
        labelled = replace(labelled, notes=())
    return read_labelled(tree, labelled, form)


def read_labelled(
    tree: Tree,
    labelled: Labelled,
    form: ImageForm,
    notes: Sequence[str] | None = None,
) -> ImageSet:
    """Images with what they show, brought to a form.

    Arguments:
        tree: the files.
        labelled: which of them.
        form: what each is brought to.
        notes: what is said of the form that was chosen for them; None says of a form
            that others have how many had to be brought to it.

    Raises:
        DataError: none of them can be read.
    """
    files = labelled.files
    pixels = room_for((len(files), *form.shape), tree.path.parent)
    decoding = _Decoding(form, pixels, np.zeros(len(files), f"S{DIGEST_BYTES}"))
    found = _each(tree, files, decoding.decode)
    failed = [each for each in found if isinstance(each, LeftOut)]
    rows = np.flatnonzero([not isinstance(each, LeftOut) for each in found])
    if not len(rows):
        raise DataError(f"{tree.path}: {_none([*labelled.left_out, *found])}")
    brought = said_of_brought(found, form) if notes is None else notes
    said = (*labelled.notes, *brought, *said_of(found), *said_of_room(pixels))
    return ImageSet(
        form,
        _compacted(pixels, rows),
        None if labelled.targets is None else labelled.targets[rows],
        [printable(files[row]) for row in rows.tolist()],
        decoding.digests[rows],
        said,
        (*map(_shown, labelled.left_out), *failed),
    )


# One file after the other -------------------------------------------------------------


def _each(
    tree: Tree, files: Sequence[str], use: Callable[[BinaryIO, str, int], Found]
) -> list[Found | LeftOut]:
    """What is found in each file, or why it's left out, in their order."""

    def found_in(row: int) -> Found | LeftOut:
        name = files[row]
        try:
            with tree.open(name) as file:
                return use(file, name, row)
        except UnreadableError as error:
            return LeftOut(printable(name), str(error))
        except OSError as error:
            return LeftOut(printable(name), reason_of(error))

    with without_warnings():
        return list(in_threads(found_in, len(files)))


@dataclass(frozen=True)
class _Decoding:
    """Where pixels and digests of decoded images go, by their rows."""

    form: ImageForm
    pixels: NumpyArray
    digests: NumpyArray

    def decode(self, file: BinaryIO, name: str, row: int) -> Facts:
        """Decode an image into its row."""
        pixels, facts = decode(file, name, self.form)
        self.pixels[row], self.digests[row] = pixels, digest_of(pixels)
        return facts


def _compacted(pixels: NumpyArray, rows: NumpyArray) -> NumpyArray:
    """The rows that were decoded, moved up to where one wasn't; in place."""
    for to, row in enumerate(rows.tolist()):
        if to != row:
            pixels[to] = pixels[row]
    return pixels[: len(rows)]


# What is said -------------------------------------------------------------------------


def _none(found: Sequence[object]) -> str:
    """That no image can be used, and why the first can't."""
    failed = [each for each in found if isinstance(each, LeftOut)]
    first = f"{failed[0].name!r} {failed[0].reason}"
    return f"none of {counted(len(failed), 'image')} can be used: {first}"


def said_of_brought(found: Sequence[Facts | LeftOut], form: ImageForm) -> list[str]:
    """How many images weren't of the form that they were brought to."""
    kinds = [each.brought for each in found if isinstance(each, Facts)]
    words = {kind: said.format(form=form) for kind, said in BROUGHT.items()}
    return said_of_each(kinds, words)


def said_of_each(
    kinds: Sequence[frozenset[str]], words: Mapping[str, str]
) -> list[str]:
    """For each kind its words, and how many images are of it."""
    counts = Counter(kind for each in kinds for kind in each)
    return [
        f"{said}: {counted(counts[kind], 'image')}"
        for kind, said in words.items()
        if counts[kind]
    ]


def said_of(found: Sequence[Facts | LeftOut]) -> list[str]:
    """What is said of images that were decoded."""
    facts = [each for each in found if isinstance(each, Facts)]
    said = said_of_each([each.remarks for each in facts], REMARKS)
    most = max(each.cut for each in facts)
    if round(100 * most):
        said.append(f"up to {most:.0%} of an image is cut off")
    if all(each.colorless for each in facts):
        said.append("all are saved in color, but grey; color=False reads them as grey")
    return said


def _shown(left_out: LeftOut) -> LeftOut:
    """A file's name as it can be shown."""
    return LeftOut(printable(left_out.name), left_out.reason)
