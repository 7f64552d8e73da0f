"""Positions: sines and cosines as the paper prints them, tables, and turns."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.positions import Positions, rotated

RANDOM = np.random.default_rng(0)
NOTHING: Any = None


@pytest.mark.parametrize(("times", "features"), [(1, 1), (5, 6), (9, 7), (300, 32)])
def test_sines_are_those_of_the_paper(times: int, features: int) -> None:
    x = RANDOM.normal(size=(2, times, features))
    table = np.zeros((times, features))
    for t in range(times):
        for j in range(features):
            angle = t / 10000 ** (j // 2 * 2 / features)
            table[t, j] = math.cos(angle) if j % 2 else math.sin(angle)
    sine = Positions("sine")
    assert sine.parameters((times, features)) == {}
    assert_allclose(sine.forward(x, NOTHING), x + table, rtol=1e-12, atol=1e-12)
    network = tw.Network([sine]).initialize((times, features))
    assert_allclose(network.predict(x), x + table, rtol=1e-4, atol=1e-4)


def test_a_learned_table_is_added_to_every_row() -> None:
    (table,) = Positions().parameters((5, 3)).values()
    assert table.shape == (5, 3)
    assert table.penalized
    drawn, x = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(4, 5, 3))
    found = Positions("learned").forward(x, SimpleNamespace(table=drawn))
    assert_allclose(found, x + drawn)


def test_a_table_learns_what_depends_on_the_time_alone() -> None:
    X, wanted = np.zeros((32, 6, 2)), RANDOM.normal(size=(6, 2))
    network = tw.Network([Positions()])
    network.fit(X, np.tile(wanted, (32, 1, 1)), epochs=200, optimizer=tw.Adam(0.05))
    assert_allclose(network.predict(X[:1])[0], wanted, atol=0.01)


def test_turned_products_depend_on_how_far_apart_times_are() -> None:
    query, key = RANDOM.normal(size=(2, 8))
    queries, keys = (np.tile(each, (20, 1)) for each in (query, key))
    products = rotated(queries) @ rotated(keys).T
    for apart in (-3, 0, 7):
        along = np.diagonal(products, apart)
        assert_allclose(along, along[0], rtol=1e-9)
    assert np.diagonal(products)[0] == pytest.approx(query @ key)
    assert np.ptp(products) > 0.1


def test_turning_keeps_lengths_and_moves_the_first_pair_by_one_radian() -> None:
    x = RANDOM.normal(size=(2, 3, 4, 6))
    y = rotated(x)
    assert_allclose(np.sum(y**2, axis=-1), np.sum(x**2, axis=-1), rtol=1e-12)
    angle = np.angle((y[..., 0] + 1j * y[..., 1]) / (x[..., 0] + 1j * x[..., 1]))
    assert_allclose(angle, np.broadcast_to([0, 1, 2, 3], angle.shape), atol=1e-9)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"rotary ones are Attention\(heads, posit"):
        Positions("rotary")
    with pytest.raises(ArgumentError, match=r"positions.*'sin'.*sine"):
        Positions("sin")
    with pytest.raises(ArgumentError, match="no positions 64; there are learned, sine"):
        Positions(64)  # pyright: ignore[reportArgumentType]
    for kind in ("learned", "sine"):
        for shape in ((), (4,), (5, 4, 4)):
            with pytest.raises(ShapeError, match=r"Positions must be given x of shape"):
                Positions(kind).parameters(shape)
