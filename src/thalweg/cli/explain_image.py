"""``thalweg explain MODEL --image FILE``: what a network sees in one image."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.cli.failures import say
from thalweg.cli.outputs import (
    PICTURE,
    require_other_file,
    require_suffix,
    require_writable,
)
from thalweg.cli.show import facts, show
from thalweg.errors import ArgumentError, DataError, FileError, ShapeError

if TYPE_CHECKING:
    from thalweg.network import Network
    from thalweg.program.types import NumpyArray

ARRAY = ".npy"
GREY_OR_COLOR = (1, 3)


def picture_beside(image: Path) -> Path:
    """Where the picture goes unless something else was asked for."""
    return Path(f"{image.stem}-seen{PICTURE}")


def explain_image(
    network: Network,
    model: Path,
    image: Path,
    figure: Path | None,
    classes: list[str] | None = None,
) -> None:
    """Read an image, say what the network takes it for, and draw what it sees.

    Raises:
        ArgumentError: the network takes no images, or the picture can't be called so.
        FileError, DataError: the image can't be read, or isn't one.
    """
    picture = figure or picture_beside(image)
    require_suffix("--figure", picture, (PICTURE,))
    require_other_file("--figure", picture, image, model)
    require_writable(picture)
    pixels = pixels_for(network, image)
    from thalweg.figures.explained_image import explained_image, found_in

    show(facts(said_of(network, model, image, found_in(network, pixels, classes))))
    path = explained_image(
        network,
        pixels,
        picture,
        f"{image.name}, as {model.name} sees it",
        classes=classes,
        source=image.name,
        command=shlex.join(["thalweg", *sys.argv[1:]]),
    )
    say(f"drew {path} and {path.with_suffix('.json').name}")


def pixels_for(network: Network, image: Path) -> NumpyArray:
    """The image as a row of the network: an array as it is, a picture brought to size.

    Raises:
        ArgumentError: the network takes no images.
        FileError, DataError: the file can't be read, or holds something else.
    """
    shape = network.shapes.outputs[0]
    is_image = len(shape) == 2 or (len(shape) == 3 and shape[2] in GREY_OR_COLOR)
    if not is_image:
        raise ArgumentError(
            "--image is for a network that takes images, (height, width, 1 or 3 "
            f"channels); this one takes rows of shape {shape}"
        )
    if image.suffix.lower() == ARRAY:
        return array_in(image, shape)
    from thalweg.images import ImageForm, read_image

    height, width, channels = (*shape, 1)[:3]
    return read_image(image, ImageForm(height, width, channels)).reshape(shape)


def array_in(path: Path, shape: tuple[int, ...]) -> NumpyArray:
    """One image of a file of NumPy's own, in the shape that a network takes.

    Raises:
        FileError: it can't be read.
        DataError: it holds no array of that shape.
    """
    try:
        array: Any = np.load(path, allow_pickle=False)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{path}: can't be read: {reason}") from None
    except (ValueError, EOFError, MemoryError) as error:
        raise DataError(f"{path}: isn't an array that can be read: {error}") from None
    got: Any = getattr(array, "shape", "several arrays")
    if isinstance(got, str) or array.size != np.prod(shape):
        raise ShapeError(f"{path}: must hold one image of shape {shape}, got {got}")
    return array.reshape(shape)


def said_of(
    network: Network, model: Path, image: Path, found: list[tuple[str, float]]
) -> list[tuple[str, str]]:
    """What was read, and what the network takes it for."""
    shape = " × ".join(map(str, network.shapes.outputs[0]))
    pairs = [("Model", model.name), ("Image", f"{image.name}, as {shape} numbers")]
    values = ", ".join(f"{label} {value:.4g}" for label, value in found[:3])
    return [*pairs, ("Gives", values)]
