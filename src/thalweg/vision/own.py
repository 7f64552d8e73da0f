"""A user's own images to validate and to test on.

They are brought to the form of those to learn from; nothing is learned of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.errors import DataError
from thalweg.images import read_images
from thalweg.images.brought_to import brought_to
from thalweg.images.image_set import ImageData, ImageForm, ImageSet, LeftOut
from thalweg.images.pixels import targets_like
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.vision.settings import ImageSettings
from thalweg.vision.source import new_images
from thalweg.vision.truth import targets_of
from thalweg.words import counted

ARRAYS = "images"  # what arrays are called, which have no name
PAST = {"validation": "validated", "test": "tested"}
PURPOSES = {"validation": "validate", "test": "test"}


@dataclass(frozen=True)
class ReadImages:
    """Images as they were read, with what they are called, and where they are.

    Arguments:
        data: the images.
        name: what those to learn from are called.
        path: where they are; None for arrays.
        own_names: for ``validation`` and ``test``, where there are images of one's own,
            what they are called.
        own_paths: where they are.
    """

    data: ImageData
    name: str
    path: Path | None
    own_names: Mapping[str, str] = field(default_factory=dict[str, str])
    own_paths: Mapping[str, Path | None] = field(default_factory=dict[str, Path | None])


def read(source: Any, settings: ImageSettings, own: Sources = NO_SOURCES) -> ReadImages:
    """Images to learn from, and those of one's own beside them.

    Arguments:
        source: the path of images, or images that were read.
        settings: what each is brought to.
        own: for ``validation`` and ``test`` the same as `source`.

    Raises:
        FileError, DataError: they can't be used.
    """
    name, path = called(source, ARRAYS)
    if isinstance(source, ImageData):
        data = source
    else:
        size = {"height": settings.height, "width": settings.width}
        data = read_images(cast(Path, path), **size, color=settings.color)
    found = ReadImages(data, name, path)
    for part, each in own.items():
        found = with_own(found, part, each)
    return found


def called(source: Any, otherwise: str) -> tuple[str, Path | None]:
    """What images are called, and where they are; else they have a word for a name."""
    if not isinstance(source, str | os.PathLike):
        return otherwise, None
    path = Path(cast("str | os.PathLike[str]", source))
    return path.name or str(path), path


def with_own(found: ReadImages, part: str, source: Any) -> ReadImages:
    """With images of one's own to validate or to test on, and notes on them.

    Raises:
        FileError, DataError: they can't be used, or nothing says what they show.
    """
    data, (name, path) = found.data, called(source, f"the {part} set")
    images = own_images(source, data.training.form)
    given, known = targets_of(images, name), targets_of(data.training, found.name)
    try:
        images = replace(images, targets=targets_like(given, known))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    if path is not None:
        images = in_folder(images, name)
    said = [f"{PAST[part]} on {name}, {counted(len(images), 'image')}"]
    said += unused(data, part)
    shared = int(np.isin(images.digests, data.training.digests).sum())
    if shared:
        said.append(f"{counted(shared, 'image')} of {name} are in {found.name}, too")
    for other, others in data.apart.items():
        twice = int(np.isin(images.digests, others.digests).sum())
        if other != part and twice:
            where = found.own_names.get(other, f"the {other} images of {found.name}")
            said.append(f"{counted(twice, 'image')} of {name} are in {where}, too")
    training = replace(data.training, notes=(*data.training.notes, *said))
    return replace(
        found,
        data=replace(data, training=training, **{part: images}),
        own_names={**found.own_names, part: name},
        own_paths={**found.own_paths, part: path},
    )


def own_images(source: Any, form: ImageForm) -> ImageSet:
    """Images of one's own, brought to a form.

    Those that stand apart to test on are taken alone, as in `predict`.
    """
    if isinstance(source, ImageData):
        source = source.test or source.training
    if isinstance(source, ImageSet):
        return brought_to(source, form)
    return new_images(source, form)


def in_folder(images: ImageSet, name: str) -> ImageSet:
    """The same images, whose names say in which folder or file they are."""
    left_out = (LeftOut(f"{name}/{x.name}", x.reason) for x in images.left_out)
    names = [f"{name}/{each}" for each in images.names]
    return replace(images, names=names, left_out=tuple(left_out))


def unused(data: ImageData, part: str) -> list[str]:
    """A note on images that stood apart for the same, which aren't used then."""
    there = data.apart.get(part)
    if there is None:
        return []
    count = counted(len(there), "image")
    said = f"{count} to {PURPOSES[part]} on stood apart and aren't used"
    return [f"{said}, as others are given"]
