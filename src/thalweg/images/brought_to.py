"""Images of one form are brought to another, as files are when they are decoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import numpy as np

from thalweg.images.decode import pixels_of, scaled_to
from thalweg.images.digests import DIGEST_BYTES, digest_of
from thalweg.images.formats import pillow
from thalweg.images.image_set import GREY, ImageForm, ImageSet
from thalweg.images.storage import room_for
from thalweg.images.threads import in_threads

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray


def brought_to(images: ImageSet, form: ImageForm) -> ImageSet:
    """The same images in another form, scaled to cover it; what juts out is cut off.

    Arguments:
        images: of one form.
        form: what they are brought to.

    Raises:
        ArgumentError: Pillow isn't installed.
    """
    if images.form == form:
        return images
    rows = len(images)
    pixels = room_for((rows, *form.shape), Path(gettempdir()))
    digests = np.zeros(rows, f"S{DIGEST_BYTES}")

    def bring(row: int) -> None:
        pixels[row] = image_in(images.pixels[row], form)
        digests[row] = digest_of(pixels[row])

    for _ in in_threads(bring, rows):
        pass
    said = f"each is brought from {images.form} to {form}"
    notes = (*images.notes, said)
    return replace(images, form=form, pixels=pixels, digests=digests, notes=notes)


def image_in(pixels: NumpyArray, form: ImageForm) -> NumpyArray:
    """One image in another form.

    >>> image_in(np.full((4, 4, 1), 7, np.uint8), ImageForm(2, 2, 3)).tolist()[0]
    [[7, 7, 7], [7, 7, 7]]
    """
    grey = pixels.shape[-1] == GREY
    image = pillow().fromarray(pixels[..., 0] if grey else pixels)
    return pixels_of(scaled_to(image, form.height, form.width)[0], form)
