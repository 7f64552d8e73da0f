"""Sentences on numbers: a heavy tail, and counts that are predicted below 0."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import thalweg as tw
from thalweg.tables.read import read
from thalweg.tabular.prepare import prepare
from thalweg.tabular.settings import Settings
from thalweg.tabular.tails import has_heavy_tail, tail_ratio

random = np.random.default_rng(0)
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 5}
SHARES = (np.arange(2_000) + 0.5) / 2_000


def notes(y: Any, **settings: Any) -> tuple[str, ...]:
    frame = pl.DataFrame({"x": random.normal(size=len(y)), "y": y})
    return prepare(read(frame), "y", Settings.by_name(settings)).notes


@pytest.mark.parametrize("deviation", [0.3, 0.5, 0.7, 1.0, 2.0])
def test_the_ratio_of_a_lognormal_is_known(deviation: float) -> None:
    values = stats.lognorm(deviation).ppf(SHARES)
    expected = np.exp(stats.norm.ppf(0.99) * deviation)
    assert tail_ratio(values) == pytest.approx(expected, rel=0.03)
    assert tail_ratio(np.log(values)) == pytest.approx(1, rel=0.01)
    assert has_heavy_tail(values) == (expected > 4)


@pytest.mark.parametrize(
    ("distribution", "heavy"),
    [
        (stats.norm(9, 1), False),
        (stats.norm(0, 1), False),
        (stats.uniform(0.001, 1), False),
        (stats.beta(1, 5), False),
        (stats.gamma(2), False),
        (stats.expon(), False),
        (stats.expon(1e4, 1), False),
        (stats.pareto(1.5), True),
        (stats.lognorm(1.5), True),
        (stats.poisson(3, loc=1), False),
    ],
    ids=lambda each: "" if isinstance(each, bool) else each.dist.name,
)
def test_light_tails_are_no_heavy_ones(distribution: Any, heavy: bool) -> None:
    assert has_heavy_tail(distribution.ppf(SHARES).astype(float)) == heavy


@given(st.floats(0.001, 1000))
def test_the_unit_has_no_part_in_it(unit: float) -> None:
    for deviation, heavy in ((0.3, False), (1.0, True)):
        values = stats.lognorm(deviation).ppf(SHARES)
        assert has_heavy_tail(unit * values) == heavy


def test_a_few_outliers_have_no_part_in_it() -> None:
    values = random.normal(9, 1, 2_000)
    values[:9] = 1e9
    assert not has_heavy_tail(values)


def test_one_number_for_nearly_all_rows_has_no_tail() -> None:
    assert not has_heavy_tail(np.append(np.ones(1_990), np.full(10, 9.0)))


def test_a_heavy_tail_is_said_with_the_option_before_training() -> None:
    y = np.exp(random.normal(size=600))
    (note,) = notes(y)
    said = re.fullmatch(
        r"'y' has a heavy tail, its 99th percentile is (\d+\.?\d*) times its median: "
        r"target_scale='log' learns its logarithm",
        note,
    )
    assert said is not None
    # The training rows are most of them.
    expected = np.quantile(y, 0.99) / np.median(y)
    assert float(said[1]) == pytest.approx(expected, rel=0.3)


def test_a_file_gets_the_option_as_it_is_typed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    y = np.exp(random.normal(size=600))
    pl.DataFrame({"x": random.normal(size=600), "y": y}).write_csv(path)
    assert "--target-scale log learns" in prepare(read(path), "y").notes[0]


@pytest.mark.parametrize(
    "chosen",
    [{"target_scale": "log"}, {"target_scale": "linear"}, {"loss": "poisson"}],
)
def test_who_has_chosen_is_told_nothing(chosen: dict[str, Any]) -> None:
    assert notes(np.exp(random.normal(size=600)), **chosen) == ()


# Counts below 0 -----------------------------------------------------------------------


def counts(rows: int = 400) -> pl.DataFrame:
    """Mostly 0 on one side of a line, so that a line of best fit goes below."""
    x = random.uniform(-1, 1, rows)
    return pl.DataFrame({"x": x, "y": random.poisson(np.exp(4 * x))})


def test_counts_below_zero_are_said_with_share_lowest_and_option() -> None:
    frame = counts()
    trained = tw.train(frame, "y", layers=(), epochs=30)
    parts = trained.prepared.split
    rows = frame[np.concatenate([parts.validation, parts.test]).tolist()]
    predicted = trained.model.predict(rows)["prediction"].to_numpy()
    share, lowest = 100 * (predicted < 0).mean(), predicted.min()
    assert share > 5
    assert trained.notes == (
        f"'y' is whole numbers, 0 or more, but {share:.2g}% of predictions are below "
        f"0, the lowest {lowest:#.4g}: loss='poisson' gives none",
    )
    assert trained.model.results["notes"] == [*trained.notes]


@pytest.mark.parametrize(
    ("shift", "settings"),
    [(0, {"loss": "poisson"}), (-1, {}), (0.5, {}), (1, {"target_scale": "log"})],
)
def test_what_has_no_counts_below_zero_is_told_nothing(
    shift: float, settings: dict[str, Any]
) -> None:
    frame = counts().with_columns(pl.col("y") + shift)
    trained = tw.train(frame, "y", task="number", layers=(), epochs=30, **settings)
    assert trained.notes == ()
