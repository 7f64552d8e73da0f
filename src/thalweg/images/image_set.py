"""What a reader of images gives: pixels of one form, what they show, and where from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from thalweg.images.storage import taken

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

GREY, COLOR = 1, 3
"""How many channels there are, and what they say."""


@dataclass(frozen=True)
class ImageForm:
    """What every image of a set is, and what a new one is brought to.

    Arguments:
        height: in pixels.
        width: in pixels.
        channels: 1 for grey; 3 for red, green and blue.

    Example:
        >>> str(ImageForm(28, 28, 1)), str(ImageForm(48, 64, 3))
        ('28 × 28, grey', '48 × 64, in color')
    """

    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        """Height and width, and whether in color."""
        said = "grey" if self.channels == GREY else "in color"
        return f"{self.height} × {self.width}, {said}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of an image's array."""
        return self.height, self.width, self.channels


@dataclass(frozen=True)
class LeftOut:
    """A file that isn't among the images.

    Arguments:
        name: of the file, in its folder.
        reason: why it isn't.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class ImageSet:
    """Images of one form, one a row.

    Arguments:
        form: what every image is.
        pixels: from 0, black, to 255; uint8 of shape (rows, height, width, channels);
            may be a memory map.
        targets: the class's name or a number of each, shape (rows,); None where nothing
            says.
        names: where each comes from: ``cats/tom.png``.
        digests: one a row, equal where the pixels are equal, shape (rows,).
        notes: what was seen while they were read, in sentences.
        left_out: files that couldn't be read.
    """

    form: ImageForm
    pixels: NumpyArray
    targets: NumpyArray | None
    names: Sequence[str]
    digests: NumpyArray
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: NumpyArray) -> ImageSet:
        """The images of some rows, by their numbers, in that order."""
        return replace(
            self,
            pixels=taken(self.pixels, rows),
            targets=None if self.targets is None else self.targets[rows],
            names=[self.names[row] for row in rows.tolist()],
            digests=self.digests[rows],
        )


@dataclass(frozen=True)
class ImageData:
    """The images to learn from, and those that stand apart.

    Arguments:
        training: the images to learn from.
        test: those of a folder ``test/`` or of t10k, or of one's own; None where they
            are drawn.
        validation: those of one's own that choose the epoch; None where they are drawn.
    """

    training: ImageSet
    test: ImageSet | None = None
    validation: ImageSet | None = None

    @property
    def apart(self) -> dict[str, ImageSet]:
        """Those that stand apart, by their part."""
        every = {"validation": self.validation, "test": self.test}
        return {part: images for part, images in every.items() if images is not None}

    @property
    def sets(self) -> list[ImageSet]:
        """Those to learn from, and those that stand apart."""
        return [self.training, *self.apart.values()]
