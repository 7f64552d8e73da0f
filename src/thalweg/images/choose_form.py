"""The form that all images get: found by looking at all of them, or as it was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_low

from thalweg.checks import require, require_whole
from thalweg.images.decode import MOST_PIXELS, Seen
from thalweg.images.image_set import COLOR, GREY, ImageForm

MOST_KEPT = 256
"""Images of one size keep it if their shorter side has no more pixels than this."""

MOST_CHOSEN = 128
"""Else the shorter side gets no more pixels than this."""

Notes = tuple[str, ...]


def check_size(height: int | None, width: int | None) -> None:
    """What a user asked for can be an image's size.

    Raises:
        ArgumentError: it can't.
    """
    for name, value in (("height", height), ("width", width)):
        if value is not None:
            require_whole(name, value, 1)
    pixels = (height or 1) * (width or 1)
    must = f"at most {MOST_PIXELS:,} pixels"
    require(pixels <= MOST_PIXELS, "height × width", must, pixels)


def choose_form(
    seen: Sequence[Seen],
    height: int | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> tuple[ImageForm, Notes]:
    """The form that all images get, and what is said of it.

    Images of one size keep it, up to 256 pixels on the shorter side. Else the shorter
    side becomes the median of the shorter sides, at most 128: of images of one size
    both sides in proportion, and images of several sizes become squares. They are read
    in color if one of them is.

    Arguments:
        seen: what the header of each says, of one image at least.
        height: as asked; None for what is found.
        width: the same.
        color: the same.

    Example:
        >>> images = [Seen(30, 40, 1, frozenset()), Seen(50, 20, 3, frozenset())]
        >>> form, notes = choose_form(images)
        >>> str(form)
        '20 × 20, in color'
    """
    sizes = Counter((each.height, each.width) for each in seen)
    chosen, said = _size(sizes, height, width)
    channels, colors = _channels(seen, color)
    return ImageForm(*chosen, channels), (said, colors)


def _size(
    sizes: Counter[tuple[int, int]], height: int | None, width: int | None
) -> tuple[tuple[int, int], str]:
    """Height and width, and what is said of them."""
    if len(sizes) > 1:
        chosen = of_several(sizes, height, width)
        said = (
            f"{_span(sizes)}: each is scaled to cover {chosen[0]} × {chosen[1]}, and "
        )
        return chosen, said + "what juts out is cut off on both sides alike"
    found = next(iter(sizes))
    chosen = of_one_size(found, height, width)
    said = f"all have {found[0]} × {found[1]} pixels"
    scaled = f", scaled to {chosen[0]} × {chosen[1]}" if chosen != found else ""
    return chosen, said + scaled


def of_one_size(
    found: tuple[int, int], height: int | None, width: int | None
) -> tuple[int, int]:
    """Height and width for images of one size: what isn't given is in proportion.

    >>> of_one_size((300, 400), None, None), of_one_size((300, 400), None, 40)
    ((128, 171), (30, 40))
    """
    if height and width:
        return height, width
    scale = 1.0
    if height or width:
        scale = height / found[0] if height else (width or 1) / found[1]
    elif min(found) > MOST_KEPT:
        scale = MOST_CHOSEN / min(found)
    high, wide = (max(1, round(scale * side)) for side in found)
    return height or high, width or wide


def of_several(
    sizes: Counter[tuple[int, int]], height: int | None, width: int | None
) -> tuple[int, int]:
    """Height and width for images of several sizes: a square unless both are given."""
    shorter = median_low(min(size) for size in sizes.elements())
    side = height or width or min(shorter, MOST_CHOSEN)
    return height or side, width or side


def _span(sizes: Counter[tuple[int, int]]) -> str:
    """The smallest and the largest size, in words."""
    ordered = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    least, most = ordered[0], ordered[-1]
    return (
        f"they have {len(sizes):,} sizes, from {least[0]} × {least[1]} to {most[0]} × "
        f"{most[1]} pixels"
    )


def _channels(seen: Sequence[Seen], color: bool | None) -> tuple[int, str]:
    """Grey or color, and what is said of it."""
    in_color = sum(each.channels == COLOR for each in seen)
    grey = len(seen) - in_color
    channels = COLOR if in_color else GREY
    if color is not None:
        channels = COLOR if color else GREY
    if grey and in_color:
        said = f"{grey:,} {'is' if grey == 1 else 'are'} grey, {in_color:,} in color"
    else:
        said = f"all are {'in color' if in_color else 'grey'}"
    read = "in color" if channels == COLOR else "in grey"
    mixed = (grey and in_color) or (channels == COLOR) != bool(in_color)
    return channels, f"{said}: read {read}" if mixed else said
