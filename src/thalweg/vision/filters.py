"""How many filters the convolutions for images have, by the size of the images."""

from __future__ import annotations

import math

import thalweg.defaults as defaults
from thalweg.errors import ArgumentError
from thalweg.images.image_set import ImageForm

SIDE = 7
"""Pools halve an image until its smaller side has about as many places."""

KERNEL, POOL = 3, 2
FEWEST, MOST, FEW = 2, 5, 3
LARGE = 20
"""From this side on convolutions leave out the border, as little is lost by it."""


def filters_for(form: ImageForm) -> tuple[int, ...]:
    """The filters of each convolution for images of a form.

    >>> filters_for(ImageForm(28, 28, 1)), filters_for(ImageForm(128, 96, 3))
    ((16, 32), (8, 16, 32, 64))
    """
    side = min(form.height, form.width)
    count = min(max(round(math.log2(max(side / SIDE, 1))), FEWEST), MOST)
    # Each place of a large image costs; its first filters are fewer.
    first = defaults.IMAGE_FILTERS if count <= FEW else defaults.IMAGE_FILTERS // 2
    while count > 1 and not has_places(side, count, padding_for(form)):
        count -= 1
    return doubling(first, count)


def doubling(first: int, count: int) -> tuple[int, ...]:
    """The filters of some convolutions, each with twice as many as the one before.

    >>> doubling(32, 4)
    (32, 64, 128, 128)
    """
    every = (first * 2**number for number in range(count))
    return tuple(min(each, defaults.MOST_FILTERS) for each in every)


def padding_for(form: ImageForm) -> str:
    """How convolutions treat the border."""
    return "same" if min(form.height, form.width) < LARGE else "valid"


def has_places(side: int, count: int, padding: str) -> bool:
    """Whether something is left of a side behind so many convolutions and pools."""
    for _ in range(count):
        side -= 0 if padding == "same" else KERNEL - 1
        if side < POOL:
            return False
        side //= POOL
    return True


def require_places(form: ImageForm, filters: tuple[int, ...]) -> None:
    """The images aren't too small for the convolutions.

    Raises:
        ArgumentError: they are.
    """
    side = min(form.height, form.width)
    if not has_places(side, len(filters), padding_for(form)):
        raise ArgumentError(
            f"filters must be fewer for images of {form}, as each pool halves them, "
            f"got {','.join(map(str, filters))}"
        )
