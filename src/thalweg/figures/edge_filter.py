"""Two filters written by hand, on a digit and on a photo: where they find edges."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.pixels import draw_image, draw_signed, rounded
from thalweg.figures.samples import digit_images, photo
from thalweg.figures.style import new_figure
from thalweg.formulas.convolution import Conv
from thalweg.network import Network
from thalweg.program.types import NumpyArray

UPRIGHT = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]
LEVEL = [list(row) for row in zip(*UPRIGHT, strict=True)]
SPACE = "\u2007"  # as wide as a digit; a page keeps each of them
DIGITS = 3  # of a number in the file: a gray is one of 256


@dataclass(frozen=True)
class Settings:
    """Which digit, and how many pixels of the photo become one."""

    digit: int = 0
    step: int = 4


@dataclass(frozen=True)
class Shown:
    """An image, and what each filter makes of it."""

    label: str
    pixels: list[list[float]]
    responses: list[list[list[float]]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    filters: list[list[list[float]]]
    images: list[Shown]


def run(settings: Settings | None = None) -> Data:
    """Put the filters into a convolution, and the images through it."""
    chosen = settings or Settings()
    rows, (scene, source) = digit_images(), photo(chosen.step)
    images = [
        shown("a digit, 8 × 8 pixels", rows.X[chosen.digit, :, :, 0]),
        shown(f"a photo, {scene.shape[0]} × {scene.shape[1]} pixels", scene),
    ]
    return Data(
        "One filter finds upright edges, the other level ones",
        f"{rows.source}; {source}",
        [],
        [UPRIGHT, LEVEL],
        images,
    )


def shown(label: str, pixels: NumpyArray) -> Shown:
    """An image through a layer whose filters are those above."""
    network = Network([Conv(2, 3, bias=False)]).initialize((*pixels.shape, 1))
    weights = np.stack([UPRIGHT, LEVEL], axis=-1)[:, :, np.newaxis]
    network.set_parameters({"1.weights": weights})
    responses = network.predict(pixels[np.newaxis, ..., np.newaxis])[0]
    return Shown(
        label, rounded(pixels, DIGITS), rounded(np.moveaxis(responses, -1, 0), DIGITS)
    )


def figure_of(number: float) -> str:
    """A whole number with its sign, as wide as any other."""
    return f"{number:.0f}".replace("-", "−").rjust(2, SPACE)


def plot(data: Data) -> Figure:
    """A row for each image: itself, and what each filter finds."""
    figure = new_figure(6.0, data.title)
    grid = figure.subplots(
        2, 3, gridspec_kw={"height_ratios": [1, 0.85], "width_ratios": [1, 1, 1]}
    )
    for row, image in zip(grid, data.images, strict=True):
        draw_image(row[0], image.pixels)
        row[0].set_xlabel(image.label)
        for axes, response in zip(row[1:], image.responses, strict=True):
            draw_signed(axes, response)
    for axes, kernel in zip(grid[0, 1:], data.filters, strict=True):
        lines = [SPACE.join(map(figure_of, line)) for line in kernel]
        axes.set_title("\n".join(lines), loc="center", fontsize=10)
    grid[1, 1].set_xlabel("upright: right − left of a pixel")
    grid[1, 2].set_xlabel("level: below − above a pixel")
    return figure
