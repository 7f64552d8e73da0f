"""The measures that hints go by, against SciPy's and by their properties."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.tabular.hints.alike import alike
from thalweg.tabular.hints.leaks import untold
from thalweg.tabular.hints.sample import ranks

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(2, 8), st.integers(2, 8), st.floats(0, 5))
def test_rows_of_a_value_are_as_alike_as_an_analysis_of_variance_says(
    seed: int, values: int, each: int, effect: float
) -> None:
    """For values with as many rows each ICC(1) is (F - 1) / (F + rows - 1)."""
    draw = np.random.default_rng(seed)
    codes = draw.permutation(np.repeat(np.arange(values), each))
    y = effect * draw.normal(size=values)[codes] + draw.normal(size=len(codes))
    stats: Any = import_module("scipy.stats")
    expected: Any = stats.f_oneway(*(y[codes == code] for code in range(values)))
    found = alike((y - y.mean())[:, None], codes)
    ratio = expected.statistic
    icc = (ratio - 1) / (ratio + each - 1)
    assert found.correlation == pytest.approx(icc, abs=1e-9)
    assert found.beyond_chance == (expected.pvalue < 1e-6)


@given(SEEDS, st.integers(30, 300))
def test_ranks_are_those_of_scipy(seed: int, rows: int) -> None:
    y = np.random.default_rng(seed).integers(0, rows, rows)
    stats: Any = import_module("scipy.stats")
    assert ranks(y).tolist() == (stats.rankdata(y) - 1).tolist()


@given(SEEDS, st.floats(0.01, 0.5))
def test_what_a_column_leaves_untold_is_the_share_of_the_noise(
    seed: int, share: float
) -> None:
    draw = np.random.default_rng(seed)
    x, noise = draw.uniform(size=2000), draw.uniform(size=2000)
    y = (1 - share) ** 0.5 * x + share**0.5 * noise
    left, pairs = untold(x[None], y, False, np.array([True]))
    assert left[0] == pytest.approx(share, rel=0.25)
    assert pairs[0] == 1999


@given(SEEDS, st.sampled_from(["rises", "falls"]))
def test_a_column_in_the_order_of_the_target_leaves_nothing(
    seed: int, way: str
) -> None:
    y = np.random.default_rng(seed).normal(size=100)
    x = np.exp(y if way == "rises" else -y)
    left, _ = untold(x[None], ranks(y), False, np.array([True]))
    assert left[0] == pytest.approx(0, abs=1e-12)


@given(SEEDS)
def test_missing_cells_are_left_out(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, y = draw.normal(size=(2, 100))
    some = draw.permutation(100) < 60
    with_gaps = np.where(some, x, np.nan)
    left, pairs = untold(with_gaps[None], y, False, np.array([True]))
    order = np.argsort(x[some])
    change = np.square(np.diff(y[some][order]))
    floor = np.square(np.diff(np.sort(y))).mean()
    expected = (change.mean() - floor) / (2 * y.var() - floor)
    assert left[0] == pytest.approx(max(expected, 0))
    assert pairs[0] == 59
