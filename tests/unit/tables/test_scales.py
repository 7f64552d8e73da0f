from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, rankdata

from thalweg.errors import ModelFileError
from thalweg.tables.scales import FARTHEST, NormalScores, Scale, interpolated

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(np.float64, st.integers(1, 40), elements=finite))
def test_a_scale_gives_finite_numbers_whatever_it_is_fitted_on(
    values: np.ndarray,
) -> None:
    scaled = Scale.fit(values)(values)
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= FARTHEST


def test_a_scale_standardizes() -> None:
    values = np.random.default_rng(0).normal(50, 7, 1000)
    scaled = Scale.fit(values)(values)
    np.testing.assert_allclose(scaled, (values - values.mean()) / values.std())


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300, -5e-324])
def test_a_constant_is_0(value: float) -> None:
    values = np.full(7, value)
    np.testing.assert_allclose(Scale.fit(values)(values), 0, atol=1e-12)


def test_normal_scores_are_those_of_ranks() -> None:
    values = np.random.default_rng(0).lognormal(0, 2, 10_000)
    scores = NormalScores.fit(values)
    assert scores is not None
    oracle = norm.ppf((rankdata(values) - 0.5) / len(values)).clip(-3, 3)
    common = np.abs(oracle) < 2
    np.testing.assert_allclose(
        scores(values)[common], (oracle / oracle.std())[common], atol=0.03
    )
    assert scores(values).std() == pytest.approx(1)


def test_normal_numbers_and_few_values_have_no_scores() -> None:
    random = np.random.default_rng(0)
    assert NormalScores.fit(random.normal(0, 1, 1000)) is None
    assert NormalScores.fit(np.arange(1000.0) % 20) is None


@given(arrays(np.float64, st.integers(40, 80), elements=finite))
def test_normal_scores_increase_and_are_finite(values: np.ndarray) -> None:
    scores = NormalScores.fit(values)
    if scores is not None:
        assert np.isfinite(scores(values)).all()
        assert (np.diff(scores(np.sort(values))) >= 0).all()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Scale, {"deviation": 0.0}),
        (Scale, {"mean": float("inf")}),
        (Scale, {"mean": True}),
        (NormalScores, {"knots": [1.0, 1.0]}),
        (NormalScores, {"scores": [1.0]}),
        (NormalScores, {"knots": [], "scores": []}),
        (NormalScores, {"knots": "ab"}),
    ],
)
def test_altered_ones_are_refused(
    kind: type[Scale | NormalScores], change: dict[str, object]
) -> None:
    scores = NormalScores(np.array([0.0, 1.0]), np.array([-1.0, 1.0]))
    good = Scale(1.0, 2.0) if kind is Scale else scores
    stored = {key: np.asarray(each).tolist() for key, each in asdict(good).items()}
    assert kind.from_dict(stored) == good
    with pytest.raises(ModelFileError):
        kind.from_dict(stored | change)


@st.composite
def knots_and_values(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Knots from one on, however far apart; values at, between and beyond them."""
    knots = np.array(sorted(draw(st.sets(finite, min_size=1, max_size=20))))
    places = st.one_of(finite, st.sampled_from(knots.tolist()))
    return knots, np.array(draw(st.lists(places, max_size=40)))


@example((np.array([-2.43056944e16, 1.0]), np.array([0.0])))
@given(knots_and_values())
def test_interpolated_is_what_numpy_interpolates(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    knots, values = drawn
    scores = np.linspace(-3, 3, len(knots))
    found = interpolated(values, knots, scores)
    # NumPy rounds a little beyond the last score where knots are far apart.
    meant = np.clip(np.interp(values, knots, scores), scores[0], scores[-1])
    assert found.tobytes() == meant.tobytes()


def test_interpolated_is_so_for_many_numbers() -> None:
    draw = np.random.default_rng(0)
    for values in (draw.normal(size=9_999), draw.lognormal(0, 9, 9_999)):
        knots = np.unique(draw.choice(values, 257))
        scores = np.sort(draw.normal(size=len(knots)))
        meant = np.interp(values, knots, scores)
        assert interpolated(values, knots, scores).tobytes() == meant.tobytes()
