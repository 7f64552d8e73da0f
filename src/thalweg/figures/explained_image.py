"""One image as a network sees it: its maps, what a unit can see, what counts."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from thalweg.errors import ArgumentError, ShapeError
from thalweg.figures.files import write_figure
from thalweg.figures.learning_curves import require_png
from thalweg.figures.pixels import BESIDE, bare, draw_image, draw_signed, rounded
from thalweg.figures.style import BLUE, GROUND, SERIES, new_figure
from thalweg.formulas.branches import Branching
from thalweg.formulas.places import Windowed
from thalweg.network import Network
from thalweg.program.types import NumpyArray

MOST_MAPS = 8  # of a layer
MOST_LAYERS = 5
MOST_BARS = 8
MOST_SIDE = 96  # numbers along a side: of more, some are left out


@dataclass(frozen=True)
class Layer:
    """The first maps of a layer, and what the unit in its middle sees, if known."""

    label: str
    maps: list[list[list[float]]]
    seen: list[int] | None


@dataclass(frozen=True)
class Data:
    """What is drawn; ``seen`` is first row, first column, height and width."""

    title: str
    source: str
    pixels: Any
    step: int
    labels: list[str]
    probabilities: list[float]
    saliency: list[list[float]] | None
    steepest: float
    layers: list[Layer]


def explained_image(
    network: Network,
    image: NumpyArray,
    path: str | Path,
    title: str = "One image as the network sees it",
    *,
    classes: Sequence[str] | None = None,
    source: str = "",
    command: str = "",
) -> Path:
    """Draw feature maps, receptive fields, saliency and probabilities of one image.

    Arguments:
        network: initialized, fitted or loaded.
        image: a row as the network takes it, (height, width, channels) or (height,
            width).
        path: a PNG; a JSON of the same stem, with the numbers, is written beside it.
        title: above the picture.
        classes: their names; None for their numbers.
        source: what the image is, for the JSON.
        command: what repeats the picture, for the JSON.

    Returns:
        The PNG's path.

    Raises:
        ArgumentError: the path doesn't end in .png.
        ShapeError: the image isn't what the network takes, or is no image.
        FileError: a file can't be written.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.figures.explained_image import explained_image
        >>> layers = [tw.Conv(4, 3), tw.Flatten(), tw.Dense(2, "softmax")]
        >>> network = tw.Network(layers).initialize((8, 8, 1))
        >>> explained_image(network, np.eye(8)[..., np.newaxis], "seen.png").name
        'seen.png'
    """
    target = require_png(path)
    data = data_of(network, image, title, classes, source)
    return write_figure(target, plot, data, {"figure": target.stem, "command": command})


def data_of(
    network: Network,
    image: NumpyArray,
    title: str,
    classes: Sequence[str] | None,
    source: str,
) -> Data:
    """What to draw of an image."""
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)):
        raise ShapeError(
            "an image must be (height, width), or (height, width, channels) with 1 or "
            f"3 channels, got {image.shape}"
        )
    row = image[np.newaxis]
    step = step_of(image)
    predictions = network.predict(row)[0]
    slopes = slopes_of(network, row)
    steepest = 0.0 if slopes is None else float(slopes.max())
    found = likeliest(predictions, classes, slopes is not None)
    return Data(
        title,
        source,
        rounded(shown(image)[::step, ::step], 3),
        step,
        [label for label, _ in found],
        [value for _, value in found],
        None if slopes is None else rounded(slopes[::step, ::step] / (steepest or 1)),
        steepest,
        layers_of(network, row),
    )


def found_in(
    network: Network, image: NumpyArray, classes: Sequence[str] | None
) -> list[tuple[str, float]]:
    """What the network gives an image: classes with their probabilities, or numbers."""
    row = image[np.newaxis]
    return likeliest(
        network.predict(row)[0], classes, slopes_of(network, row) is not None
    )


def step_of(image: NumpyArray) -> int:
    """Every how many pixels are drawn."""
    return -(-max(image.shape[:2]) // MOST_SIDE)


def shown(image: NumpyArray) -> NumpyArray:
    """An image's numbers between 0 and 1; those of one channel without its axis."""
    numbers = image.astype(np.float64)
    lowest, highest = min(numbers.min(), 0.0), numbers.max()
    scaled = (numbers - lowest) / ((highest - lowest) or 1.0)
    return scaled[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else scaled


def slopes_of(network: Network, row: NumpyArray) -> NumpyArray | None:
    """The largest slope of each pixel's channels; None where there are no classes."""
    try:
        slopes = network.saliency(row)[0]
    except ArgumentError:
        return None
    return slopes.max(-1) if slopes.ndim == 3 else slopes


def likeliest(
    predictions: NumpyArray, classes: Sequence[str] | None, has_classes: bool
) -> list[tuple[str, float]]:
    """The largest probabilities, the first the largest; or a few numbers as given."""
    values = np.atleast_1d(predictions).ravel()
    if has_classes and len(values) == 1:
        values = np.array([1 - values[0], values[0]])
    names = list(classes) if classes else [str(n) for n in range(len(values))]
    order = np.argsort(-values, kind="stable") if has_classes else range(len(values))
    return [(names[int(n)], float(values[n])) for n in order][:MOST_BARS]


def layers_of(network: Network, row: NumpyArray) -> list[Layer]:
    """The layers that look at windows, the first of them."""
    numbered = enumerate(network.layers, 1)
    numbers = [
        number
        for number, layer in numbered
        if isinstance(layer, Windowed | Branching)
        and len(network.shapes.outputs[number]) == 3
    ]
    return [layer_of(network, row, number) for number in numbers[:MOST_LAYERS]]


def layer_of(network: Network, row: NumpyArray, number: int) -> Layer:
    """A layer's first maps."""
    maps = network.feature_maps(row, number)[0]
    height, width, filters = maps.shape
    step = step_of(maps)
    name = type(network.layers[number - 1]).__name__
    return Layer(
        f"{number} {name}:\n{filters} of {height} × {width}",
        rounded(np.moveaxis(maps[::step, ::step, :MOST_MAPS], -1, 0)),
        seen_by_middle(network, number),
    )


def seen_by_middle(network: Network, number: int) -> list[int] | None:
    """Where the field of the unit in the middle lies, and how large it is."""
    try:
        field = network.receptive_field(number)
        parts = field.at(*(n // 2 for n in network.shapes.outputs[number][:-1]))
    except (ArgumentError, ShapeError):
        return None
    return [*(p.start for p in parts), *(p.stop - p.start for p in parts)]


def plot(data: Data) -> Figure:
    """The image, saliency and probabilities above, the maps of each layer below."""
    heights = [3.0, *([0.4 + 1.1 * len(data.layers)] if data.layers else [])]
    figure = new_figure(0.5 + sum(heights), data.title)
    parts: Any = figure.subfigures(
        len(heights), 1, height_ratios=heights, squeeze=False
    )
    above, *below = cast(list[Any], parts[:, 0].tolist())
    image, slopes, chart = above.subplots(1, 3, width_ratios=[1, 1, 0.8])
    draw_seen(image, data)
    draw_slopes(slopes, data)
    draw_likeliest(chart, data)
    if below:
        draw_maps(below[0], data.layers)
    return figure


def draw_seen(axes: Axes, data: Data) -> None:
    """The image, and what the units in the middle of layers see of it."""
    draw_image(axes, data.pixels)
    axes.set_xlabel("the image")
    known = [(layer, layer.seen) for layer in data.layers if layer.seen]
    for number, (layer, seen) in enumerate(known):
        look = SERIES[number % len(SERIES)]
        row, column, height, width = (n / data.step for n in seen)
        place = (column - 0.5, row - 0.5, height, width)
        axes.add_patch(outline(place, 3.0, {"edgecolor": GROUND}))
        drawn = {"edgecolor": look["color"], "linestyle": look["linestyle"]}
        axes.add_patch(outline(place, 1.5, drawn, layer.label.split(":")[0]))
    if known:
        axes.set_xlabel("the image, and what a unit sees of it:")
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=8
        )


def outline(
    place: tuple[float, ...], line: float, look: Mapping[str, Any], label: str = ""
) -> Rectangle:
    """The edge of a field: its left, its top, its height and its width."""
    left, top, height, width = place
    made = Rectangle((left, top), width, height, fill=False, linewidth=line, **look)
    made.set_label(label)
    return made


def draw_slopes(axes: Axes, data: Data) -> None:
    """Saliency as shares of the steepest."""
    if data.saliency is None:
        axes.set_visible(False)
        return
    draw_signed(axes, data.saliency, 1.0)
    axes.set_xlabel(f"|∂ log p / ∂ pixel|,\nup to {data.steepest:.2g}")


def draw_likeliest(axes: Axes, data: Data) -> None:
    """A bar for each class, the likeliest on top."""
    places = list(range(len(data.labels)))
    axes.barh(places, data.probabilities, color=BLUE)
    axes.set_yticks(places, data.labels)
    axes.invert_yaxis()
    if data.saliency is None:
        axes.set_xlabel("what the network gives")
        return
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability")


def draw_maps(part: Any, layers: Sequence[Layer]) -> None:
    """A row for each layer; black is zero or less, white the layer's largest."""
    grid = part.subplots(len(layers), MOST_MAPS, squeeze=False)
    for row, layer in zip(grid, layers, strict=True):
        most = max(float(np.max(layer.maps)), 0.0) or 1.0
        row[0].set_ylabel(layer.label, **BESIDE)
        for axes, pixels in zip(row, layer.maps, strict=False):
            draw_image(axes, pixels, 0.0, most)
        for axes in row[len(layer.maps) :]:
            bare(axes)
            axes.set_axis_off()
    part.supxlabel(f"feature maps, the first {MOST_MAPS} of each layer")
