"""One file becomes the pixels of one image, or an error that says why it can't.

Pillow reads the formats. What a file claims is looked at before any pixel is decoded,
and a file from a stranger can raise whatever it likes in there: all of it becomes an
`UnreadableError`.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from thalweg.errors import DataError
from thalweg.images.formats import FORMATS, pillow
from thalweg.images.image_set import COLOR, GREY, ImageForm

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

MOST_PIXELS = 2**26
"""How many pixels an image may have: 8192 × 8192."""

MOST_SIDE = 2**16
"""How high and how wide it may be, as each line of pixels takes room beside them."""

LARGE = 2**23
"""Images of more pixels than this are decoded one at a time, whatever the threads."""

GREYS = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "I;16N")
COLORS = ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
PALETTES = ("P", "PA")

TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""What turns an image upright, by the number that EXIF has for how it was taken."""

ORIENTATION = 0x0112

REMARKS = {
    "alpha": "transparent pixels are shown on white",
    "turned": "turned upright, as EXIF says",
    "palette": "the colors of a palette are read",
    "bilevel": "black and white alone, read as 0 and 255",
    "deep": "16 bits a pixel, of which the upper 8 are read",
    "inks": "inks (CMYK) are converted to red, green and blue",
    "frames": "of several frames or pages the first is read",
    "misnamed": "another format than the name says, read as what it is",
}
"""What is said of images that aren't just what they seem, before how many they are."""

BROUGHT = {
    "scaled": "of another size than {form.height} × {form.width}, scaled to it",
    "greyed": "in color, read in grey",
    "colored": "grey, read in color",
}
"""What is said of images that weren't of the form that they were brought to."""

_one_large = Lock()


class UnreadableError(DataError):
    """A file isn't an image that can be read; the message is the reason alone."""


@dataclass(frozen=True)
class Seen:
    """What an image's header says, before a pixel is decoded.

    Arguments:
        height: in pixels, once it's upright.
        width: the same.
        channels: 1 where it's grey, 3 where it's in color.
        remarks: keys of `REMARKS`.
    """

    height: int
    width: int
    channels: int
    remarks: frozenset[str]


@dataclass(frozen=True)
class Facts:
    """What was seen while an image was decoded.

    Arguments:
        remarks: keys of `REMARKS`.
        cut: the share of the image that was cut off.
        colorless: whether it is in color, and all of it is grey.
        brought: keys of `BROUGHT`.
    """

    remarks: frozenset[str]
    cut: float
    colorless: bool
    brought: frozenset[str]


def look(file: BinaryIO, name: str) -> Seen:
    """What the header of an image says.

    Raises:
        UnreadableError: it isn't an image, or claims what can't be read.
    """
    with _opened(file) as image:
        return _seen(image, name)


def decode(
    file: BinaryIO, name: str, form: ImageForm | None = None
) -> tuple[NumpyArray, Facts]:
    """The pixels of an image, in its own form or brought to another, and what was seen.

    Arguments:
        file: the image's, at its start.
        name: of the file.
        form: what it is brought to; None for what it is.

    Raises:
        UnreadableError: it isn't an image that can be read.
    """
    with _opened(file) as image:
        seen = _seen(image, name)
        form = form or ImageForm(seen.height, seen.width, seen.channels)
        scale = max(form.height / seen.height, form.width / seen.width)
        if image.format in ("JPEG", "MPO") and scale < 1:
            # Twice the size that is needed is enough to scale it well.
            image.draft(None, tuple(int(2 * scale * side) + 1 for side in image.size))
        if image.width * image.height <= LARGE:
            return _decoded(image, seen, form)
        with _one_large:
            return _decoded(image, seen, form)


@contextmanager
def without_warnings() -> Generator[None]:
    """What Pillow warns of is damage beside the pixels, file after file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _opened(file: BinaryIO) -> Generator[Any]:
    """An image that is open, of one of the formats."""
    try:
        with pillow().open(file, formats=tuple(FORMATS)) as image:
            yield image
    except UnreadableError:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them
        raise UnreadableError(_reason(error)) from None


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    if kind == "DecompressionBombError":
        return f"claims more than the {MOST_PIXELS:,} pixels that an image may have"
    if kind == "UnidentifiedImageError":
        return f"isn't an image in one of the formats {', '.join(FORMATS)}"
    if isinstance(error, MemoryError):
        return "takes more memory than there is"
    return f"can't be decoded: {error or kind}"


def _seen(image: Any, name: str) -> Seen:
    """What a header says, if it can be read.

    Raises:
        UnreadableError: it can't.
    """
    width, height = image.size
    if not width or not height:
        raise UnreadableError(f"has {height} × {width} pixels")
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
        raise UnreadableError(
            f"claims {height} × {width} pixels, of {MOST_PIXELS:,} at most, and "
            f"{MOST_SIDE:,} on a side"
        )
    channels = GREY if _is_grey(image) else COLOR
    turn = _orientation(image)
    if turn > 4:
        height, width = width, height
    return Seen(height, width, channels, frozenset(_remarks(image, name, turn)))


def _is_grey(image: Any) -> bool:
    """Whether an image's pixels are a number each, or its palette has greys alone.

    Raises:
        UnreadableError: they are something that isn't read.
    """
    known = (*GREYS, *COLORS, *PALETTES)
    if image.mode not in known or (image.mode == "I" and image.format != "PPM"):
        raise UnreadableError(
            f"has pixels of the kind {image.mode!r}, which doesn't say what is white"
        )
    if image.mode not in PALETTES:
        return image.mode in GREYS
    red, green, blue = (image.getpalette()[channel::3] for channel in range(3))
    return red == green == blue


def _orientation(image: Any) -> int:
    """How EXIF says that the image was taken: 1 upright, up to 8.

    Pillow turns a TIFF itself.
    """
    if image.format == "TIFF":
        return 1
    try:
        found = image.getexif().get(ORIENTATION)
    except Exception:  # what EXIF says beside the pixels may be broken alone
        return 1
    return found if isinstance(found, int) and found in TURNS else 1


def _remarks(image: Any, name: str, turn: int) -> Generator[str]:
    """What is to be said of an image; whether it's transparent its pixels tell."""
    if turn != 1:
        yield "turned"
    if image.mode in PALETTES:
        yield "palette"
    if image.mode == "1":
        yield "bilevel"
    if image.mode.startswith("I"):
        yield "deep"
    if image.mode == "CMYK":
        yield "inks"
    if getattr(image, "is_animated", False) and image.format != "MPO":
        yield "frames"
    of_format = FORMATS["JPEG" if image.format == "MPO" else image.format]
    if not name.lower().endswith(of_format):
        yield "misnamed"


# Pixels -------------------------------------------------------------------------------


def _decoded(image: Any, seen: Seen, form: ImageForm) -> tuple[NumpyArray, Facts]:
    """Pixels and facts; an image is made small before all else, which costs by size."""
    image.load()  # some formats say only here what is transparent
    transparent, turn = _is_transparent(image), _orientation(image)
    size = (form.height, form.width) if turn <= 4 else (form.width, form.height)
    scaled, cut = scaled_to(_scalable(image, transparent), *size)
    if transparent:
        white = pillow().new("RGBA", scaled.size, "white")
        scaled = pillow().alpha_composite(white, scaled)
    if turn != 1:
        scaled = scaled.transpose(pillow().Transpose[TURNS[turn]])
    pixels = pixels_of(scaled, form)
    in_color = seen.channels == form.channels == COLOR
    colorless = in_color and bool((pixels == pixels[..., :1]).all())
    remarks = seen.remarks | ({"alpha"} if transparent else set[str]())
    return pixels, Facts(remarks, cut, colorless, frozenset(_brought(seen, form)))


def _brought(seen: Seen, form: ImageForm) -> Generator[str]:
    """In what an image isn't of a form."""
    if (seen.height, seen.width) != (form.height, form.width):
        yield "scaled"
    if seen.channels != form.channels:
        yield "greyed" if form.channels == GREY else "colored"


def _is_transparent(image: Any) -> bool:
    """Whether something behind an image would be seen."""
    if not image.has_transparency_data:
        return False
    whole = image if "A" in image.getbands() else image.convert("RGBA")
    return whole.getextrema()[-1][0] < 255


def _scalable(image: Any, transparent: bool) -> Any:
    """An image whose pixels are numbers of 8 bits, of which means can be taken."""
    if transparent:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode.startswith("I"):
        return pillow().fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode in GREYS else "RGB")


def scaled_to(image: Any, height: int, width: int) -> tuple[Any, float]:
    """An image scaled to cover a size, of which what juts out is cut off.

    Both sides lose the same. Where there are fewer pixels than before, each is a mean
    of those that it stands for.

    Arguments:
        image: of Pillow's.
        height: in pixels.
        width: in pixels.

    Returns:
        The scaled image, and the share of it that was cut off.
    """
    wide, high = image.size
    if (high, wide) == (height, width):
        return image, 0.0
    scale = max(height / high, width / wide)
    across, down = min(width / scale, wide), min(height / scale, high)
    left, top = (wide - across) / 2, (high - down) / 2
    box = (left, top, left + across, top + down)
    scaled = image.resize((width, height), pillow().Resampling.BILINEAR, box=box)
    return scaled, 1 - across * down / (wide * high)


def pixels_of(image: Any, form: ImageForm) -> NumpyArray:
    """The pixels of an image that has the form's size already, grey or in color."""
    converted = image.convert("L" if form.channels == GREY else "RGB")
    return np.array(converted, np.uint8).reshape(form.shape)
