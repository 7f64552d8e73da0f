"""The loss on the plane that holds most of a run's path through its parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thalweg.network import Network
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution
from thalweg.training.fit import Scorer
from thalweg.training.rows import rows_from

POINTS = 36
MARGIN = 0.25
"""Around the path, as a share of its longer side."""

MANY = 1e-12
"""Of the path's movement: less of it in a direction is rounding."""


@dataclass(frozen=True)
class Landscape:
    """The training loss J on a plane through the parameters, and a path over it.

    Arguments:
        across, up: the coordinates of the grid, shape (POINTS,) each.
        losses: J at the grid's points, shape (POINTS, POINTS); ``losses[i, j]`` is at
            ``up[i]``, ``across[j]``.
        path: where the run was, in the plane's coordinates, shape (frames, 2).
        on_plane: J at the points of the plane that are nearest to the path, (frames,).
        true: J where the run really was, shape (frames,).
        share: how much of the path's variance each of both directions holds, (2,).
    """

    across: NumpyArray
    up: NumpyArray
    losses: NumpyArray
    path: NumpyArray
    on_plane: NumpyArray
    true: NumpyArray
    share: NumpyArray

    def arrays(self) -> dict[str, NumpyArray]:
        """By the names that a recording has for them."""
        return {
            f"landscape.{name}": np.asarray(each, np.float32)
            for name, each in vars(self).items()
        }


def landscape(
    network: Network, X: NumpyArray, y: NumpyArray, path: NumpyArray
) -> Landscape | None:
    """The loss around a path of parameters.

    θ = θ̄ + u a + v b, where u and v are the first two principal components of the path
    and θ̄ is its mean

    Of a network with two parameters the plane is all there is: it shows every loss
    as it is.

    Arguments:
        network: of the run; it stays as it is.
        X, y: the rows that it learned from.
        path: the parameters of every frame, shape (frames, parameters).

    Returns:
        The landscape; None for a single parameter, which spans no plane.

    Source: Li, Xu, Taylor, Studer and Goldstein, "Visualizing the loss landscape of
    neural nets", 2018.
    """
    if path.shape[1] < 2:
        return None
    middle = path.mean(axis=0, dtype=np.float64)
    moved = path - middle
    directions, share = components(moved)
    at = moved @ directions.T
    across, up = grid_around(at)
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    every = np.concatenate([points, at])
    losses = losses_at(network, X, y, np.vstack([middle + every @ directions, path]))
    whole, on_plane, true = np.split(losses, [len(points), len(every)])
    shape = len(up), len(across)
    return Landscape(across, up, whole.reshape(shape), at, on_plane, true, share)


def components(moved: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
    """The two directions that a path moves along most, and their shares.

    Arguments:
        moved: the path around its mean, shape (frames, parameters).

    Returns:
        Directions of length 1, shape (2, parameters), and their shares of the path's
        variance. A path that doesn't move so far has a share of 0 in any direction.
    """
    # Of the small side: as many directions as there are frames, at most.
    _, lengths, directions = np.linalg.svd(moved, full_matrices=len(moved) < 2)
    squares = np.zeros(max(2, len(lengths)))
    squares[: len(lengths)] = lengths**2
    total = squares.sum()
    share = squares[:2] / total if total > MANY else np.zeros(2)
    return directions[:2], share


def grid_around(path: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
    """The grid's coordinates: the path's, with a margin."""
    low, high = path.min(axis=0), path.max(axis=0)
    margin = MARGIN * float((high - low).max()) or 1.0
    starts, ends = (low - margin).tolist(), (high + margin).tolist()
    across, up = map(axis, starts, ends)
    return across, up


def axis(start: float, end: float) -> NumpyArray:
    """Evenly spaced coordinates."""
    return np.linspace(start, end, POINTS)


def losses_at(
    network: Network, X: NumpyArray, y: NumpyArray, points: NumpyArray
) -> NumpyArray:
    """The loss of rows with each of some parameters, shape (points,)."""
    loss, rows = network.loss, rows_from(X, y, None, network.dtype)
    assert loss is not None
    memory = network.memory.copy()
    scorer = Scorer(network.layers, network.shapes, loss, rows, memory, Execution())
    losses = np.empty(len(points))
    for number, point in enumerate(points):
        memory.parameters[...] = point
        losses[number], _ = scorer.score()
    return losses
