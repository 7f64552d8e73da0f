"""Attention against sums over times and heads, one number after the other."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.formulas.attention import Attention, attention

RANDOM = np.random.default_rng(0)


def by_sums(queries: Any, keys: Any, values: Any, mask: Any) -> Any:
    """One query after the other, one key after the other; of one sequence."""
    found = np.zeros((len(queries), values.shape[1]))
    for i, query in enumerate(queries):
        seen = [j for j in range(len(keys)) if mask[i, j]]
        powers = [math.exp(query @ keys[j] / math.sqrt(len(query))) for j in seen]
        for j, power in zip(seen, powers, strict=True):
            found[i] += power / sum(powers) * values[j]
    return found


sizes = st.integers(1, 5)


@given(sizes, sizes, sizes, sizes, st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_each_query_takes_a_mean_of_what_it_may_see(
    times: int, others: int, size: int, wide: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    queries, keys = (
        random.normal(size=(times, size)),
        random.normal(size=(others, size)),
    )
    values, mask = (
        random.normal(size=(others, wide)),
        random.random((times, others)) < 0.6,
    )
    mask[:, random.integers(others)] = True
    meant = by_sums(queries, keys, values, mask)
    assert_allclose(attention(queries, keys, values, mask), meant, rtol=1e-12)
    everything = by_sums(queries, keys, values, np.ones_like(mask))
    assert_allclose(attention(queries, keys, values, None), everything, rtol=1e-12)
    assert_allclose(attention(queries, keys, values), everything, rtol=1e-12)


def test_masks_are_of_rows_or_of_pairs_of_times() -> None:
    queries, keys, values = RANDOM.normal(size=(3, 4, 5, 2))
    lengths = np.array([5, 1, 3, 4])
    of_rows = (np.arange(5) < lengths[:, None])[:, None]  # (rows, 1, times)
    found = attention(queries, keys, values, of_rows)
    for row, length in enumerate(lengths):
        short = attention(queries[row], keys[row, :length], values[row, :length])
        assert_allclose(found[row], short, rtol=1e-12)
    of_pairs = np.tri(5, dtype=bool)  # (times, times)
    found = attention(queries, keys, values, of_pairs)
    assert_allclose(found[:, 0], values[:, 0], rtol=1e-12)
    both = attention(queries, keys, values, mask=of_rows & of_pairs)
    assert_allclose(both[1], np.tile(values[1, 0], (5, 1)), rtol=1e-12)


def test_a_query_that_may_see_none_sees_all_alike() -> None:
    queries, keys, values = RANDOM.normal(size=(3, 5, 2))
    found = attention(queries, keys, values, np.zeros((5, 5), dtype=bool))
    assert_allclose(found, np.tile(values.mean(axis=0), (5, 1)), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_of_any_size_are_safe(dtype: str) -> None:
    queries, keys, values = RANDOM.normal(size=(3, 4, 2)).astype(dtype)
    mask = np.tri(4, dtype=bool)

    def formula(queries: Any) -> Any:
        return tw.attention(1e6 * queries, keys, values, mask)

    found = tw.compile(formula)(queries)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= np.abs(values).max()
    assert np.isfinite(tw.gradient(formula)(queries)).all()
    assert found.dtype == dtype


def test_what_does_not_fit_is_refused() -> None:
    x = RANDOM.normal(size=(4, 6))
    with pytest.raises(ShapeError, match=r"matrix product of|don't fit"):
        attention(x, x[:, :5], x)
    with pytest.raises(ShapeError, match=r"\(3, 4\) and \(4, 4\) .*don't fit"):
        attention(x, x, x, np.ones((3, 4), dtype=bool))
    with pytest.raises(DtypeError, match=r"of dtype bool, got .*f64\[4,4\]"):
        attention(x, x, x, np.zeros((4, 4)))
    with pytest.raises(ShapeError, match=r"keys must be of shape .* got \(4,\)"):
        attention(x, x[:, 0], x)
    with pytest.raises(ArgumentError, match="heads must be a whole number, 1 or more"):
        Attention(0)
    with pytest.raises(ArgumentError, match="units must be a whole number, 1 or more"):
        Attention(2, units=0)
    with pytest.raises(ArgumentError, match=r"positions.*'rotor'.*rotary"):
        Attention(2, positions="rotor")
    with pytest.raises(ShapeError, match="units that 3 heads divide, got 8"):
        tw.Network([Attention(3)]).initialize((5, 8))
    with pytest.raises(ShapeError, match=r"heads of an even size, .* got 3"):
        tw.Network([Attention(2, positions="rotary")]).initialize((5, 6))
    for shape in ((), (4,), (5, 4, 4)):
        with pytest.raises(ShapeError, match=r"x of shape \(rows, times, features\)"):
            Attention(2).parameters(shape)


# The layer ----------------------------------------------------------------------------


@st.composite
def layers(draw: st.DrawFn) -> tuple[Attention, tuple[int, int]]:
    """A layer, and the shape of rows that it takes."""
    heads, size = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    positions = draw(st.sampled_from([None, "rotary"]))
    units = heads * size * (2 if positions else 1)
    layer = Attention(heads, draw(st.booleans()), units, positions, draw(st.booleans()))
    return layer, (draw(st.integers(1, 6)), draw(st.integers(1, 4)))


def values_of(layer: tw.Layer, shape: tuple[int, ...], seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    declared = layer.parameters(shape).items()
    return {name: random.normal(size=p.shape) for name, p in declared}


def turned(x: Any, times: Any) -> Any:
    """Each pair of numbers as a complex one, times e^(iφ)."""
    size = x.shape[-1]
    angle = times[:, None] * 10000 ** (-np.arange(0, size, 2) / size)
    points = (x[..., ::2] + 1j * x[..., 1::2]) * np.exp(1j * angle)
    return np.stack([points.real, points.imag], axis=-1).reshape(x.shape)


def by_heads(layer: Attention, x: Any, p: dict[str, Any]) -> Any:
    """One sequence after the other, one head after the other."""
    bias = {
        name: p.get(f"{name}_bias", 0) for name in ("query", "key", "value", "output")
    }
    found: list[Any] = []
    for sequence in x:
        q, k, v = (
            sequence @ p[f"{name}_weights"] + bias[name]
            for name in ("query", "key", "value")
        )
        times = np.arange(len(sequence))
        mask = times[:, None] >= times if layer.causal else np.ones((len(times),) * 2)
        heads: list[Any] = []
        for each in np.split(np.arange(q.shape[1]), layer.heads):
            a, b = q[:, each], k[:, each]
            if layer.positions:
                a, b = turned(a, times), turned(b, times)
            heads.append(by_sums(a, b, v[:, each], mask))
        found.append(np.hstack(heads) @ p["output_weights"] + bias["output"])
    return np.array(found)


@given(layers(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_heads_look_each_for_itself(
    drawn: tuple[Attention, tuple[int, int]], seed: int
) -> None:
    layer, shape = drawn
    p = values_of(layer, shape, seed)
    x = np.random.default_rng(seed).normal(size=(2, *shape))
    found = layer.forward(x, SimpleNamespace(**p))
    assert_allclose(found, by_heads(layer, x, p), rtol=1e-9, atol=1e-12)


@given(layers(), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_the_gradient_is_the_slope(
    drawn: tuple[Attention, tuple[int, int]], seed: int
) -> None:
    layer, shape = drawn
    random = np.random.default_rng(seed)
    p = values_of(layer, shape, seed)
    arrays = [random.normal(size=(2, *shape)), *p.values()]
    weigh = random.normal(size=(2, *shape))

    @tw.formula
    def formula(x: Any, *values: Any) -> Any:
        named = dict(zip(p, values, strict=True))
        return layer.forward(x, SimpleNamespace(**named)) * weigh

    slopes = tw.gradient(formula, argument=tuple(range(len(arrays))))(*arrays)
    for number, slope in enumerate(slopes):
        step = [0 * a for a in arrays]
        step[number] = 1e-5 * random.normal(size=arrays[number].shape)
        ahead = formula(*(a + s for a, s in zip(arrays, step, strict=True))).sum()
        behind = formula(*(a - s for a, s in zip(arrays, step, strict=True))).sum()
        assert (slope * step[number]).sum() == pytest.approx(
            (ahead - behind) / 2, rel=1e-6, abs=1e-10
        )


def drawn_network(*layers: tw.Layer, times: int = 7, features: int = 6) -> tw.Network:
    """Layers whose parameters are all drawn, biases and scales too."""
    network = tw.Network(layers).initialize((times, features), dtype="float64")
    random = np.random.default_rng(1)
    network.set_parameters(
        {name: random.normal(size=a.shape) for name, a in network.parameters.items()}
    )
    return network


BLINDLY = {
    "attention": Attention(3, bias=True),
    "block": tw.TransformerBlock(2, 5),
    "block with rms": tw.TransformerBlock(2, 5, norm="rms"),
}


@pytest.mark.parametrize("name", BLINDLY)
def test_without_positions_an_order_of_times_is_kept_and_means_nothing(
    name: str,
) -> None:
    x, order = RANDOM.normal(size=(4, 7, 6)), RANDOM.permutation(7)
    blind = drawn_network(BLINDLY[name])
    y = blind.predict(x)
    assert_allclose(blind.predict(x[:, order]), y[:, order], rtol=1e-9)
    for kind in ("learned", "sine"):
        seeing = drawn_network(tw.Positions(kind), BLINDLY[name])
        y = seeing.predict(x)
        assert np.abs(seeing.predict(x[:, order]) - y[:, order]).max() > 1e-3
    rotary = drawn_network(Attention(3, positions="rotary"))
    y = rotary.predict(x)
    assert np.abs(rotary.predict(x[:, order]) - y[:, order]).max() > 1e-3


CAUSALLY = {
    "attention": [Attention(2, causal=True)],
    "units": [Attention(2, causal=True, units=8, bias=True)],
    "rotary": [Attention(3, causal=True, positions="rotary")],
    "blocks": [tw.Positions(), *[tw.TransformerBlock(2, 5, causal=True)] * 2],
    "rms": [tw.TransformerBlock(1, 5, True, "rms", positions="rotary"), tw.RMSNorm()],
}


@pytest.mark.parametrize("times", [7, 70])  # a mask known while compiling, or computed
@pytest.mark.parametrize("name", CAUSALLY)
def test_what_is_causal_does_not_see_what_comes_later(name: str, times: int) -> None:
    network = drawn_network(*CAUSALLY[name], times=times)
    x = RANDOM.normal(size=(3, times, 6))
    y = network.predict(x)
    for time in (1, times // 2, times - 1):
        other = x.copy()
        other[:, time:] += 10 * RANDOM.normal(size=other[:, time:].shape)
        found = network.predict(other)
        assert_array_equal(found[:, :time], y[:, :time])
        assert np.abs(found[:, time:] - y[:, time:]).min(axis=(0, 2)).max() > 1e-6


def test_what_is_not_causal_sees_all_times() -> None:
    network = drawn_network(Attention(2))
    x = RANDOM.normal(size=(3, 7, 6))
    other = x.copy()
    other[:, 6] += 1
    assert (
        np.abs(network.predict(other) - network.predict(x)).max(axis=2) > 1e-6
    ).all()
