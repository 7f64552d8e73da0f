"""Rows of a group, and copies of a row, are never on both sides of a split."""

import datetime
import itertools
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.estimators.held_out_groups import held_out_groups
from thalweg.estimators.out_of_fold import FOLDS, folds
from thalweg.estimators.splitting import held_out
from thalweg.estimators.together import copies, group_numbers

random = np.random.default_rng(0)
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 3}


class Watched:
    """Keeps the split of a fit."""

    def _split(self, *given: Any) -> Any:
        inherited: Any = super()
        self.split = inherited._split(*given)
        return self.split


class Classifier(Watched, tw.NetworkClassifier):
    """A classifier that is watched."""


class Regressor(Watched, tw.NetworkRegressor):
    """A regressor that is watched."""


def patients(rows: int = 400, count: int = 20) -> tuple[Any, Any, Any]:
    """Patients with features of their own, and a state that is drawn for each."""
    who = random.integers(0, count, rows)
    X = random.normal(size=(count, 5))[who] + random.normal(0, 0.1, (rows, 5))
    return X, random.permutation(np.arange(count) % 2)[who], who


def assert_apart(split: Any, groups: Any) -> None:
    groups = np.asarray(groups)
    held, kept = set(groups[split.validating]), set(groups[split.training])
    assert held
    assert not held & kept


# Which groups -------------------------------------------------------------------------

ROWS_IN_GROUPS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(1, 9)),
    min_size=2,
    max_size=60,
)


@given(ROWS_IN_GROUPS, st.floats(0.05, 0.6), st.integers(0, 3), st.booleans())
def test_no_group_is_on_both_sides_and_no_class_leaves_training(
    rows: list[tuple[int, int, int]], fraction: float, seed: int, complete: bool
) -> None:
    groups, strata, weights = np.array(rows).T
    asked = (groups, strata, weights.astype(float), fraction, seed, complete)
    having = [set(groups[strata == stratum]) for stratum in set(strata)]
    alone = {min(each) for each in having if len(each) == 1}
    if len(set(groups)) < 2 or (complete and alone == set(groups)):
        with pytest.raises(ArgumentError, match="groups must"):
            held_out_groups(*asked)
        return
    chosen = held_out_groups(*asked)
    assert set(groups[chosen]).isdisjoint(groups[~chosen])
    assert 0 < chosen.sum() < len(rows)
    if complete:
        assert set(strata) == set(strata[~chosen])


@given(ROWS_IN_GROUPS, st.integers(0, 3))
def test_a_weight_counts_as_so_many_rows(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    groups, strata, weights = np.array(rows).T
    many = np.repeat(np.arange(len(rows)), weights)
    if len(set(groups)) < 2:
        return
    found = held_out_groups(groups, strata, weights.astype(float), 0.2, seed, False)
    repeated = held_out_groups(groups[many], strata[many], None, 0.2, seed, False)
    assert np.array_equal(found[many], repeated)


def off_by(chosen: Any, strata: Any, fraction: float) -> float:
    """The root of the mean square, over rows, of what shares are off by."""
    shares = [chosen[strata == s].mean() for s in np.unique(strata)]
    sizes = np.bincount(strata)[np.unique(strata)]
    return np.average((np.array(shares) - fraction) ** 2, weights=sizes) ** 0.5


@pytest.mark.parametrize("seed", range(20))
def test_the_shares_are_about_as_near_as_any_choice_of_groups_gives(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(5, 60, 9)
    groups = np.repeat(np.arange(9), sizes)
    strata = generator.integers(0, 2, len(groups))
    found = off_by(held_out_groups(groups, strata, None, 0.3, 0, True), strata, 0.3)
    best = min(
        off_by(np.isin(groups, some), strata, 0.3)
        for count in range(1, 9)
        for some in itertools.combinations(range(9), count)
    )
    assert best <= found < best + 0.03


def test_of_many_groups_the_shares_are_those_asked_for() -> None:
    groups, strata = random.integers(0, 3000, 20_000), random.integers(0, 4, 20_000)
    weights = random.exponential(size=20_000)
    chosen = held_out_groups(groups, strata, weights, 0.2, 0, True)
    for each in range(4):
        share = weights[chosen & (strata == each)].sum() / weights[strata == each].sum()
        assert share == pytest.approx(0.2, abs=0.02)
    other = held_out_groups(groups, strata, weights, 0.2, 1, True)
    assert not np.array_equal(chosen, other)


def test_a_class_that_one_group_has_stays_in_training() -> None:
    groups = np.repeat(np.arange(10), 30)
    strata = np.where((groups == 3) & (np.arange(300) % 30 < 3), 1, 0)
    for seed in range(20):
        chosen = held_out_groups(groups, strata, None, 0.3, seed, True)
        assert not chosen[groups == 3].any()


# In estimators ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Classifier, Regressor])
@pytest.mark.parametrize("frame", [False, True])
def test_groups_are_apart_in_every_estimator(kind: Any, frame: bool) -> None:
    X, y, who = patients()
    features: Any = pd.DataFrame(X, columns=list("abcde")) if frame else X
    weights = random.uniform(0, 2, len(y)) * (who != 5)
    network = kind(**QUICK).fit(features, y, sample_weight=weights, groups=who)
    assert_apart(network.split, who)
    held = weights[network.split.validating].sum() / weights.sum()
    assert held == pytest.approx(0.2, abs=0.05)
    assert network.history_.settings["validation_rows"] == len(network.split.validating)
    together = network.split.together
    assert len(set(together)) == len(set(who[network.split.validating])) > 1


def test_the_validation_says_what_new_patients_will_say() -> None:
    X, y, who = patients(1200, 60)
    new = who >= 50
    options: dict[str, Any] = {"layers": (64,), "epochs": 60}
    apart = tw.NetworkClassifier(**options).fit(X[~new], y[~new], groups=who[~new])
    mixed = tw.NetworkClassifier(**options).fit(X[~new], y[~new])
    said = [
        max(each.history_.validation_metrics["accuracy"]) for each in (apart, mixed)
    ]
    assert said[1] > 0.95
    assert said[0] < 0.8
    assert apart.score(X[new], y[new]) < 0.8


@pytest.mark.parametrize("calibrate", [False, True])
def test_labels_and_calibration_take_groups(calibrate: bool) -> None:
    X, y, who = patients()
    labels = np.stack([y, random.integers(0, 2, len(y))], axis=1)
    network = Classifier(**QUICK, calibrate=calibrate).fit(X, labels, groups=who)
    assert_apart(network.split, who)
    few = Classifier(**QUICK, calibrate=calibrate).fit(X[:60], y[:60], groups=who[:60])
    assert len(few.split.validating) > 0 or not calibrate
    if calibrate:
        assert_apart(few.split, who[:60])


@pytest.mark.parametrize("quantiles", [None, (0.1, 0.9)])
def test_intervals_take_groups(quantiles: Any) -> None:
    X, y, who = patients()
    network = Regressor(**QUICK, quantiles=quantiles).fit(X, y, groups=who)
    assert_apart(network.split, who)
    assert network.predict_interval(X).shape == (400, 2)


def test_a_group_is_in_one_fold_of_those_that_choose_epochs_for_each_other() -> None:
    together = random.integers(0, 12, 200)
    fold = folds(200, together)
    assert all(len(set(fold[together == each])) == 1 for each in range(12))
    assert set(fold) == set(range(FOLDS))
    one = folds(200, np.zeros(200, int))
    assert np.array_equal(one, folds(200, None))
    assert np.ptp(np.bincount(one)) <= 1


KINDS: dict[str, Any] = {
    "texts": [f"patient {n}" for n in range(20)],
    "large": [2**53 + n for n in range(20)],
    "huge": [10**30 + n for n in range(20)],
    "digits": ["7", "07", "007", *map(str, range(10, 27))],
    "tuples": [(n // 5, n % 5) for n in range(20)],
    "dates": [datetime.date(2020, 1, 1 + n) for n in range(20)],
    "mixed": [1, "1", *range(10, 28)],
    "floats": [n / 7 for n in range(20)],
}


@pytest.mark.parametrize("name", KINDS)
def test_groups_are_of_any_type(name: str) -> None:
    who = random.integers(0, 20, 400)
    groups = [KINDS[name][each] for each in who]
    found = group_numbers(groups, 400)
    assert len(set(zip(found.tolist(), who.tolist(), strict=True))) == 20
    forms = [pd.Series(groups, dtype=object)]
    if name not in ("tuples", "mixed", "huge"):
        forms += [pd.Series(groups), pl.Series(groups), pa.array(groups)]
        forms += [pd.Series(groups).astype("category"), np.array(groups)]
    if name == "large":
        forms += [pd.Series(groups, dtype="Int64"), np.array(groups, np.uint64)]
    for form in forms:
        assert np.array_equal(group_numbers(form, 400), found)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1] * 399, r"as many as the rows, 400, got 399"),
        (["a"] * 399 + [None], "must not be missing, got None at row 399"),
        (np.r_[np.arange(399.0), np.nan], "must not be missing, got nan at row 399"),
        (pd.Series([1] * 399 + [None], dtype="Int64"), "must not be missing, got"),
        (pl.Series(["a"] * 399 + [None]), "must not be missing, got None at row 399"),
        ([[1]] * 400, "values that can be hashed"),
        (np.ones((400, 1)), r"one value a row, got shape \(400, 1\)"),
        ("patient", "one value a row, got 'patient'"),
        ({1: 2}, "one value a row, got {1: 2}"),
        (np.zeros(400), "groups must be two or more, so that one can be held out"),
        (np.arange(400) % 2 == 0, "each of the 2 has a class of its own"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: Any, message: str) -> None:
    X = random.normal(size=(400, 2))
    with pytest.raises(ArgumentError, match=message):
        tw.NetworkClassifier(**QUICK).fit(X, np.arange(400) % 2, groups=groups)


def test_groups_do_no_harm_where_nothing_is_held_out() -> None:
    X, y, who = patients()
    one = np.zeros(len(y))
    for options, more in [
        ({}, {"X_val": X, "y_val": y}),
        ({"validation": None}, {}),
    ]:
        network = tw.NetworkClassifier(**QUICK, **options)
        found = network.fit(X, y, **more).predict_proba(X)
        again = network.fit(X, y, groups=one, **more).predict_proba(X)
        assert np.array_equal(found, again)
    tw.NetworkClassifier(**QUICK).fit(X[:64], y[:64], groups=one[:64])
    with pytest.raises(ArgumentError, match="groups must be as many as the rows, 64"):
        tw.NetworkClassifier(**QUICK).fit(X[:64], y[:64], groups=who)


def test_groups_are_routed_where_they_are_asked_for() -> None:
    X, y, who = patients()

    class Apart(Classifier):
        """Says whether groups came here."""

        def _split(self, *given: Any) -> Any:
            split = super()._split(*given)
            assert_apart(split, given[0].groups)
            return split

    validate: Any = cross_validate
    given_params: dict[str, Any] = {"cv": GroupKFold(3), "error_score": "raise"}
    with sklearn.config_context(enable_metadata_routing=True):
        network = Apart(**QUICK)
        with pytest.raises(UnsetMetadataPassedError, match="groups"):
            validate(network, X, y, params={"groups": who}, **given_params)
        network.set_fit_request(groups=True)
        validate(network, X, y, params={"groups": who}, **given_params)
        pipeline = make_pipeline(StandardScaler(), network)
        validate(pipeline, X, y, params={"groups": who}, **given_params)


# Copies -------------------------------------------------------------------------------


def twice(rows: int = 200) -> tuple[Any, Any, Any]:
    """Rows that are there twice in some order, and a number for each pair."""
    X = random.normal(size=(rows, 3))
    which = random.permutation(np.repeat(np.arange(rows), 2))
    return X[which], X[which, 0] + random.normal(size=rows)[which], which


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, sparse.csr_array])
def test_copies_of_a_row_are_on_one_side(form: Any) -> None:
    X, y, which = twice()
    for network, target in [
        (Regressor(**QUICK), y),
        (Classifier(**QUICK), y > 0),
        (Regressor(**QUICK), np.stack([y, -y], axis=1)),
    ]:
        split = network.fit(form(X), target).split
        assert_apart(split, which)
        assert len(split.validating) == pytest.approx(80, abs=2)


def test_copies_of_a_frames_rows_are_on_one_side() -> None:
    _, y, which = twice()
    names = np.array([f"shop {n}" for n in range(200)], object)[which]
    known = np.where(which % 7, which / 3, np.nan)
    for frame in (
        pd.DataFrame({"shop": names, "x": known}),
        pl.DataFrame({"shop": names, "x": known}).cast({"shop": pl.Categorical}),
    ):
        assert_apart(Regressor(**QUICK).fit(frame, y).split, which)


def test_another_target_makes_another_row() -> None:
    X = np.repeat(np.arange(50.0), 2).reshape(-1, 1)
    rows = np.arange(100)
    assert copies(X, rows, rows) is None
    found = copies(X, rows // 2, rows)
    assert found is not None
    assert np.array_equal(found, rows // 2)
    assert copies(X, rows // 2, rows[::2]) is None


def test_minus_zero_is_zero() -> None:
    X = np.arange(40.0).reshape(-1, 1)
    X[20] = -0.0
    found = copies(X, np.zeros(40), np.arange(40))
    assert found is not None
    assert found[0] == found[20]


def test_rows_of_few_values_are_no_copies() -> None:
    """The truth table of xor: a corner that is held out would never be learned."""
    X = random.integers(0, 2, (1000, 2))
    y = X[:, 0] ^ X[:, 1]
    assert copies(X, y, np.arange(1000)) is None
    network = tw.NetworkClassifier(layers=(16,), epochs=60, learning_rate=0.01)
    assert network.fit(X, y).score(X, y) == 1


def test_a_usual_row_is_on_both_sides() -> None:
    X = random.normal(size=(1000, 3))
    X[:150] = 0
    X[150:200] = X[200:250]
    split = Regressor(**QUICK).fit(X, np.where(np.arange(1000) < 150, 0, X[:, 0])).split
    zeros = np.arange(1000) < 150
    assert zeros[split.validating].mean() == pytest.approx(0.15, abs=0.06)
    assert_apart(split, np.r_[-np.arange(150) - 1, 200:250, 200:1000])


@given(st.lists(st.integers(1, 2), min_size=70, max_size=200), st.integers(0, 9))
def test_a_row_twice_is_held_out_as_one_of_weight_2(
    counts: list[int], seed: int
) -> None:
    rows = len(counts)
    many = np.repeat(np.arange(rows), counts)
    strata = np.arange(rows) % 3
    weighted = held_out(strata, np.array(counts, float), 0.2, seed)
    together = copies(many.reshape(-1, 1), strata[many], np.arange(len(many)))
    repeated = held_out(strata[many], None, 0.2, seed, together)
    assert np.array_equal(weighted[many], repeated)


def test_copies_do_not_make_intervals_too_narrow() -> None:
    """Every row is there twice, and the network has learned it by heart."""
    inside: list[Any] = []
    for seed in (2, 3, 4):
        generator = np.random.default_rng(seed)
        X = generator.uniform(-2, 2, (400, 3))
        y = X[:, 0] + generator.normal(size=400)
        known, new = np.repeat(np.arange(200), 2), slice(200, 400)
        network = tw.NetworkRegressor(layers=(256, 256), early_stopping=False)
        network.set_params(epochs=300).fit(X[known], y[known])
        low, high = network.predict_interval(X[new], coverage=0.8).T
        inside.append((low <= y[new]) & (y[new] <= high))
    assert np.mean(inside) > 0.77
