"""A landscape is exact where there are two parameters, and says how far off it is."""

from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.recording.landscape import POINTS, components, landscape

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > 0.2).astype(int)
HOW: dict[str, Any] = {"epochs": 20, "validation": None, "optimizer": tw.SGD(0.3)}


def walked(layers: list[Any], X: Any) -> tuple[tw.Network, Any]:
    network = tw.Network(layers)
    session = network.session(X, Y, **HOW)
    path = [network.memory.parameters.copy()]
    while not session.is_over:
        session.epoch()
        path.append(network.memory.parameters.copy())
    return network, np.stack(path)


def loss_at(network: tw.Network, parameters: Any, X: Any) -> float:
    before = network.memory.parameters.copy()
    network.memory.parameters[...] = parameters
    loss = network.evaluate(X, Y)["loss"]
    network.memory.parameters[...] = before
    return loss


def test_of_two_parameters_it_is_all_there_is() -> None:
    network, path = walked([tw.Dense(1, "sigmoid")], X[:, :1])
    found = landscape(network, X[:, :1], Y, path)
    assert found is not None
    assert found.share.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.on_plane, found.true, atol=1e-6)
    middle = path.mean(axis=0, dtype=np.float64)
    directions, _ = components(path - middle)
    for i, j in ((0, 0), (5, 30), (POINTS - 1, 7)):
        point = middle + np.array([found.across[j], found.up[i]]) @ directions
        expected = loss_at(network, point, X[:, :1])
        assert found.losses[i, j] == pytest.approx(expected, abs=1e-6)


def test_of_more_it_says_what_it_leaves_out() -> None:
    network, path = walked([tw.Dense(4, "tanh"), tw.Dense(1, "sigmoid")], X)
    before = network.memory.parameters.copy()
    found = landscape(network, X, Y, path)
    assert found is not None
    np.testing.assert_array_equal(network.memory.parameters, before)
    spread = (path - path.mean(axis=0)).var(axis=0).sum()
    assert found.path.var(axis=0) / spread == pytest.approx(found.share, rel=1e-3)
    assert found.share[0] >= found.share[1] > 0
    for frame in (0, 7, 20):
        expected = loss_at(network, path[frame], X)
        assert found.true[frame] == pytest.approx(expected, abs=1e-6)
    assert np.abs(found.on_plane - found.true).max() > 1e-6
    inside = (found.across[0] < found.path[:, 0]) & (
        found.path[:, 0] < found.across[-1]
    )
    assert inside.all()


def test_a_path_that_stands_still_has_a_share_of_nothing() -> None:
    network, path = walked([tw.Dense(2, "tanh"), tw.Dense(1, "sigmoid")], X)
    still = np.repeat(path[:1], 5, axis=0)
    for rows in (still, still[:1]):
        found = landscape(network, X, Y, rows)
        assert found is not None
        assert found.share.tolist() == [0, 0]
        assert np.isfinite(found.losses).all()


def test_one_parameter_spans_no_plane() -> None:
    network, path = walked([tw.Dense(1, "sigmoid", bias=False)], X[:, :1])
    assert landscape(network, X[:, :1], Y, path) is None
