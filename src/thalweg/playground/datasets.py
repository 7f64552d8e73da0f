"""Rows that are drawn by textbook recipes: moons, circles, xor, spirals, clouds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thalweg.program.types import NumpyArray

Recipe = Callable[[NumpyArray, NumpyArray], NumpyArray]
"""From class numbers, and two uniform numbers of each row, points without noise."""


@dataclass(frozen=True)
class Source:
    """Where rows come from.

    Arguments:
        label: what a page calls it.
        sentence: what is told of it.
        recipe: of points, where they are drawn for two classes.
    """

    label: str
    sentence: str
    recipe: Recipe | None = None


def moons(kind: NumpyArray, u: NumpyArray) -> NumpyArray:
    """Two half circles, each around an end of the other.

    (cos πu, sin πu) and (1 − cos πu, ½ − sin πu), around the origin
    """
    angle = np.pi * u[:, 0]
    one = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    other = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return 1.5 * (np.where(kind[:, None] == 0, one, other) - (0.5, 0.25))


def circles(kind: NumpyArray, u: NumpyArray) -> NumpyArray:
    """A ring around a disc.

    r (cos 2πu, sin 2πu) with r = 2 outside and 0 to 1 inside, evenly over the disc
    """
    angle, inside = 2 * np.pi * u[:, 0], np.sqrt(u[:, 1])
    radius = np.where(kind == 0, 2.0, inside)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def xor(kind: NumpyArray, u: NumpyArray) -> NumpyArray:
    """Class 1 where x₁ and x₂ have one sign, class 0 where they have two."""
    points = 4 * u - 2
    same = (points[:, 0] > 0) == (points[:, 1] > 0)
    turned = np.where(same == (kind == 1), 1.0, -1.0)
    return points * np.stack([np.ones_like(turned), turned], axis=1)


def spirals(kind: NumpyArray, u: NumpyArray) -> NumpyArray:
    """Two arms around each other.

    r = 2.4 √u, at the angle 3.5 r, for the other class half a turn further
    """
    radius = 2.4 * np.sqrt(u[:, 0])
    angle = 3.5 * radius + np.pi * kind
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def clouds(kind: NumpyArray, u: NumpyArray) -> NumpyArray:
    """Two clouds that a line parts: around (1.2, 0.8) and (−1.2, −0.8)."""
    radius, angle = np.sqrt(-2 * np.log1p(-u[:, 0])), 2 * np.pi * u[:, 1]
    around = 0.6 * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return around + np.where(kind == 1, 1.0, -1.0)[:, None] * np.array([1.2, 0.8])


def drawn(
    recipe: Recipe, count: int, noise: float, seed: int, part: int
) -> tuple[NumpyArray, NumpyArray]:
    """Rows of two classes in turn.

    The first rows stay the same when there are more.

    Arguments:
        recipe: of the points.
        count: how many rows.
        noise: the standard deviation of what is added to each coordinate.
        seed: of the rows.
        part: 0 for training, 1 for validation, 2 for the test: each its own rows.

    Returns:
        Points (count, 2) of float32, and their classes 0 and 1.
    """
    kind = np.arange(count) % 2
    places = np.random.Generator(np.random.Philox(key=[seed, 2 * part]))
    shifts = np.random.Generator(np.random.Philox(key=[seed, 2 * part + 1]))
    points = recipe(kind, places.random((count, 2)))
    points = points + noise * shifts.standard_normal((count, 2))
    return points.astype(np.float32), kind


DRAWN = "drawn anew from a seed, by thalweg"
SOURCES = {
    "moons": Source("moons", f"two half circles, {DRAWN}", moons),
    "circles": Source("circles", f"a ring around a disc, {DRAWN}", circles),
    "xor": Source("xor", f"four squares in two classes, {DRAWN}", xor),
    "spirals": Source("spirals", f"two arms around each other, {DRAWN}", spirals),
    "clouds": Source("clouds", f"two clouds, {DRAWN}", clouds),
    "formula": Source(
        "formula", "evenly in a square, classes by a formula of one's own"
    ),
    "drawn": Source("draw", "points drawn by hand"),
    "penguins": Source(
        "penguins",
        "Palmer penguins: Gorman, Williams and Fraser (2014), CC0 1.0",
    ),
    "digits": Source(
        "digits",
        "handwritten digits of 8 × 8 pixels: Alpaydin and Kaynak (1998), CC BY 4.0",
    ),
    "table": Source("your table", "the table that was given"),
}
"""Where rows come from, by name."""
