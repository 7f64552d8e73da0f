"""What is kept of a run's images, so that one can go on with the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.images.image_set import ImageSet
from thalweg.kinds.own import Sources, own_paths, sources_again
from thalweg.training.checkpoint import IMAGES, Checkpoint
from thalweg.vision.own import PURPOSES, ReadImages
from thalweg.vision.settings import ImageSettings, image_settings_from
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved


def fingerprint(images: ReadImages) -> dict[str, Any]:
    """What tells some images from others: their form, and a hash of all there is."""
    found: dict[str, Any] = {"name": images.name}
    found |= fingerprint_of(images.data.training)
    for part, each in images.data.apart.items():
        found[part] = fingerprint_of(each)
        if part in images.own_names:
            found[part] |= {"name": images.own_names[part]}
    return found


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
    images: ReadImages,
    settings: ImageSettings,
    data: Mapping[str, Any],
) -> Checkpoint:
    """With the images' places, fingerprint and settings beside every checkpoint."""
    notes = {
        "source": place_of(images.path),
        "own": {part: place_of(path) for part, path in images.own_paths.items()},
        "settings": settings.to_dict(),
        "data": dict(data),
    }
    return replace(checkpoint, notes={**checkpoint.notes, IMAGES: notes})


def place_of(path: Path | None) -> str | None:
    """The whole path of images; None for arrays."""
    return None if path is None else str(path.absolute())


@dataclass(frozen=True)
class BegunOnImages:
    """A run on images as a checkpoint has it.

    Arguments:
        source: what they were read from; None for arrays.
        settings: how.
        own: for ``validation`` and ``test`` the same as `source`, where there were
            images of one's own.
    """

    source: Path | None
    settings: ImageSettings
    own: Mapping[str, Path | None]

    def own_sources(self, given: Sources) -> dict[str, Any]:
        """One's own images: those given now, or else where they were.

        Raises:
            ArgumentError: some are missing, or there were none.
        """
        return sources_again(self.own, given)


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
        own = own_paths(images.get("own", {}))
        for each in (images["data"], *(images["data"][part] for part in own)):
            each["sha256"]
    except (KeyError, TypeError, AttributeError, ArgumentError) as error:
        raise ModelFileError(
            f"{saved.path}: what it says of its images is damaged: {error!r}"
        ) from None
    return BegunOnImages(None if source is None else Path(source), settings, own)


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
    for part, purpose in PURPOSES.items():
        if why := difference_of_part(before.get(part), found.get(part), purpose):
            return why
    return ""


def difference_of_part(before: Any, found: Any, purpose: str) -> str:
    """The same of images that stand apart, if there were or are any."""
    if before is None and found is None:
        return ""
    if before is None:
        return f"there were no images to {purpose} on"
    if found is None:
        return f"there are no longer images to {purpose} on"
    why = difference(before, found)
    return why and f"of those to {purpose} on {why}"
