"""What is kept of a run's images, so that one can go on with the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.images.image_set import ImageData, ImageSet
from thalweg.training.checkpoint import IMAGES, Checkpoint
from thalweg.vision.settings import ImageSettings, image_settings_from
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved


def fingerprint(data: ImageData, name: str) -> dict[str, Any]:
    """What tells some images from others: their form, and a hash of all there is."""
    found = {"name": name, **fingerprint_of(data.training)}
    return found if data.test is None else {**found, "test": fingerprint_of(data.test)}


def fingerprint_of(images: ImageSet) -> dict[str, Any]:
    """How many there are, of what form, and the SHA-256 of pixels and targets."""
    hashed = hashlib.sha256(np.ascontiguousarray(images.digests).tobytes())
    if images.targets is not None:
        hashed.update(repr(images.targets.tolist()).encode("utf-8", "backslashreplace"))
    return {
        "images": len(images),
        "form": list(images.form.shape),
        "sha256": hashed.hexdigest(),
    }


def noted(
    checkpoint: Checkpoint,
    source: Path | None,
    settings: ImageSettings,
    data: Mapping[str, Any],
) -> Checkpoint:
    """With the images' place, fingerprint and settings beside every checkpoint."""
    notes = {
        "source": None if source is None else str(source.absolute()),
        "settings": settings.to_dict(),
        "data": dict(data),
    }
    return replace(checkpoint, notes={**checkpoint.notes, IMAGES: notes})


@dataclass(frozen=True)
class BegunOnImages:
    """A run on images as a checkpoint has it.

    Arguments:
        source: what they were read from; None for arrays.
        settings: how.
    """

    source: Path | None
    settings: ImageSettings


def begun(saved: Saved[Any]) -> BegunOnImages:
    """What a checkpoint says of its images.

    Raises:
        ModelFileError: what it says is damaged.
    """
    try:
        images = saved.setup.notes[IMAGES]
        source = images["source"]
        if not isinstance(source, str | None):
            raise TypeError(source)
        settings = image_settings_from(images["settings"])
        images["data"]["sha256"]
    except (KeyError, TypeError, AttributeError, ArgumentError) as error:
        raise ModelFileError(
            f"{saved.path}: what it says of its images is damaged: {error!r}"
        ) from None
    return BegunOnImages(None if source is None else Path(source), settings)


def require_same_images(saved: Saved[Any], data: Mapping[str, Any]) -> None:
    """The images are those that the run had, to the pixel.

    Raises:
        DataError: they aren't; the message says what differs.
    """
    if why := difference(saved.setup.notes[IMAGES]["data"], data):
        raise DataError(
            f"{data['name']}: must be the images that the run in {saved.path} had, "
            f"but {why}"
        )


def difference(before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """In what images aren't those of before; nothing if they are.

    >>> one = {"images": 5, "form": [8, 8, 1], "sha256": "a"}
    >>> difference(one, one), difference(one, {**one, "images": 6})
    ('', 'there are 6 images, there were 5')
    """
    if before.get("images") != found["images"]:
        was = before.get("images")
        return f"there are {counted(found['images'], 'image')}, there were {was}"
    if before.get("form") != found["form"]:
        return "they have another size or other channels"
    if before.get("sha256") != found["sha256"]:
        return "a picture, or what it shows, was changed since"
    own, other = before.get("test"), found.get("test")
    if (own is None) != (other is None):
        return "there are no longer images to test on" if own else (
            "there were no images to test on"
        )  # fmt: skip
    if own is None:
        return ""
    why = difference(cast(Mapping[str, Any], own), cast(Mapping[str, Any], other))
    return why and f"of those to test on {why}"
