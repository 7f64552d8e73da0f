"""What tells images from others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.images.image_set import ImageSet
from thalweg.vision.own import PURPOSES, ReadImages
from thalweg.words import counted


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
