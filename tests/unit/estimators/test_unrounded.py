"""Labels, codes and identifiers stay what they are, from y to predictions and files."""

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import cross_val_score

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.estimators.unrounded import unrounded

random = np.random.default_rng(0)
ROWS = 90
PLACES = (np.arange(ROWS) % 3).tolist()
X = np.eye(3)[PLACES] + random.normal(0, 0.1, (ROWS, 3))
BIG = [2**53 + 1, 2**53 + 2, 2**53 + 3]
LARGEST = [2**64 - 3, 2**64 - 2, 2**64 - 1]
HUGE = [10**25 + 1, 10**25 + 2, 10**25 + 3]
MIXED = [-1, 2**53 + 1, 2**64 - 1]
DECIMALS = [Decimal(each) for each in HUGE]
TEXTS = ["007", "07", "7"]
CATEGORIES = pl.Enum(["7", "07", "007", "never"])


def a_row(labels: list[Any]) -> list[Any]:
    """A label for each row."""
    return [labels[place] for place in PLACES]


def series(labels: list[Any], dtype: Any) -> Any:
    return pd.Series(a_row(labels), dtype=dtype)


GIVEN: dict[str, tuple[list[Any], Any, str]] = {
    "int64": (BIG, np.array(a_row(BIG)), "int64"),
    "a list": (BIG, a_row(BIG), "int64"),
    "objects": (BIG, np.array(a_row(BIG), object), "int64"),
    "uint64": (LARGEST, np.array(a_row(LARGEST), np.uint64), "uint64"),
    "a list beyond int64": (LARGEST, a_row(LARGEST), "uint64"),
    "a list of both signs": (MIXED, a_row(MIXED), "object"),
    "a list beyond 64 bits": (HUGE, a_row(HUGE), "object"),
    "objects beyond 64 bits": (HUGE, np.array(a_row(HUGE), object), "object"),
    "decimals": (DECIMALS, a_row(DECIMALS), "object"),
    "pandas Int64": (BIG, series(BIG, "Int64"), "int64"),
    "pandas UInt64": (LARGEST, series(LARGEST, "UInt64"), "uint64"),
    "pandas Int8": ([0, 1, 2], series([0, 1, 2], "Int8"), "int8"),
    "pandas boolean": ([False, True], series([False, True, True], "boolean"), "bool"),
    "pandas category": (BIG, series(BIG, "int64").astype("category"), "int64"),
    "pandas Categorical": (BIG, pd.Categorical(a_row(BIG)), "int64"),
    "pandas category of Int64": (
        BIG,
        series(BIG, "Int64").astype("category"),
        "int64",
    ),
    "pandas frame": (BIG, pd.DataFrame({"y": series(BIG, "Int64")}), "int64"),
    "arrow in pandas": (BIG, series(BIG, pd.ArrowDtype(pa.int64())), "int64"),
    "arrow's decimals in pandas": (
        DECIMALS,
        series(DECIMALS, pd.ArrowDtype(pa.decimal128(30, 0))),
        "object",
    ),
    "polars": (BIG, pl.Series(a_row(BIG)), "int64"),
    "polars UInt64": (LARGEST, pl.Series(a_row(LARGEST), dtype=pl.UInt64), "uint64"),
    "polars Int128": (HUGE, pl.Series(a_row(HUGE), dtype=pl.Int128), "object"),
    "polars Decimal": (DECIMALS, pl.Series(a_row(DECIMALS)), "object"),
    "pyarrow": (BIG, pa.array(a_row(BIG)), "int64"),
    "pyarrow in parts": (BIG, pa.chunked_array([a_row(BIG)]), "int64"),
    "texts": (TEXTS, a_row(TEXTS), "<U3"),
    "NumPy's long texts": (
        TEXTS,
        np.array(a_row(TEXTS), np.dtypes.StringDType()),
        "object",
    ),
    "pandas texts": (TEXTS, series(TEXTS, "string"), "object"),
    "pandas category of texts": (TEXTS, series(TEXTS, "category"), "object"),
    "arrow's texts in pandas": (
        TEXTS,
        series(TEXTS, pd.ArrowDtype(pa.string())),
        "object",
    ),
    "polars Categorical": (
        TEXTS,
        pl.Series(a_row(TEXTS), dtype=pl.Categorical),
        "object",
    ),
    "polars Enum": (TEXTS, pl.Series(a_row(TEXTS), dtype=CATEGORIES), "object"),
    "pyarrow's dictionary": (
        TEXTS,
        pa.array(a_row(TEXTS)).dictionary_encode(),
        "object",
    ),
}
"""The labels, y, and the dtype of predictions."""


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_labels_of_every_kind_come_back(name: str, frame: bool, tmp_path: Path) -> None:
    labels, y, dtype = GIVEN[name]
    features: Any = pd.DataFrame(X, columns=list("abc")) if frame else X
    network = tw.NetworkClassifier(layers=(), epochs=200).fit(features, y)
    expected = [labels[min(place, len(labels) - 1)] for place in PLACES]
    network.save(tmp_path / "m.thalweg")
    loaded = tw.NetworkClassifier.load(tmp_path / "m.thalweg")
    for each in (network, pickle.loads(pickle.dumps(network)), loaded):
        assert each.classes_.tolist() == labels
        assert list(map(type, each.classes_.tolist())) == list(map(type, labels))
        assert each.predict(features).tolist() == expected
        assert each.predict(features).dtype == dtype
        assert each.score(features, y) == 1
    own = tw.NetworkClassifier(layers=(), epochs=1)
    own.fit(features, y, X_val=features, y_val=y)
    assert own.history_.settings["validation_rows"] == ROWS


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1))
def test_whole_numbers_of_any_size_are_exact_in_a_list_and_in_objects(
    values: list[int],
) -> None:
    for given_y in (values, np.array(values, object), pd.Series(values, dtype=object)):
        array = unrounded(given_y)
        assert array.tolist() == values
        fits = [d for d in ("int64", "uint64") if in_limits(values, np.iinfo(d))]
        assert array.dtype == (fits[0] if fits else object)


def in_limits(values: list[int], limits: Any) -> bool:
    return limits.min <= min(values) and max(values) <= limits.max


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_floats_stay_floats(values: list[float]) -> None:
    for given_y in (values, np.array(values, object), pd.Series(values), [*values, 1]):
        array = unrounded(given_y)
        assert array.dtype == np.float64
        assert array.tolist()[: len(values)] == values


def test_a_weight_finds_its_label_beyond_2_53() -> None:
    weights = {BIG[0]: 1.0, BIG[1]: 0.0, np.uint64(BIG[2]): 1.0}
    network = tw.NetworkClassifier(layers=(), epochs=200, class_weight=weights)
    found = network.fit(X, series(BIG, "Int64")).predict(X)
    assert set(found.tolist()) == {BIG[0], BIG[2]}


@pytest.mark.parametrize("labels", [BIG, LARGEST, HUGE, DECIMALS, TEXTS])
def test_classes_are_foreseen_exactly(labels: list[Any]) -> None:
    network = tw.NetworkClassifier(layers=(8,), learning_rate=0.1)
    for _ in range(30):
        network.partial_fit(X, a_row(labels), classes=labels)
    assert network.classes_.tolist() == labels
    assert network.predict(X).tolist() == a_row(labels)


@pytest.mark.parametrize("labels", [HUGE, DECIMALS])
def test_numbers_that_scikit_learn_does_not_know_are_scored_in_folds(
    labels: list[Any],
) -> None:
    network = tw.NetworkClassifier(layers=(), epochs=200)
    y = np.array(a_row(labels), object)
    assert cross_val_score(network, X, y, cv=3).tolist() == [1, 1, 1]
    network.fit(X, y)
    assert network.score(X, y, sample_weight=np.arange(ROWS)) == 1
    assert network.score(X[:3], [labels[0], labels[0], 5]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "y",
    [
        pd.Series([*a_row(BIG)[:-1], None], dtype="Int64"),
        pd.Series([*a_row(TEXTS)[:-1], None], dtype="string"),
        pd.Series([*a_row(TEXTS)[:-1], None]).astype("category"),
        pd.Series([*[True, False] * 44, True, None], dtype="boolean"),
        pl.Series([*a_row(BIG)[:-1], None]),
        pl.Series([*a_row(TEXTS)[:-1], None]),
        pa.array([*a_row(BIG)[:-1], None]),
        np.array([*a_row(TEXTS)[:-1], None], object),
        [*a_row(TEXTS)[:-1], None],
        [*a_row(TEXTS)[:-1], np.nan],
        [*a_row(DECIMALS)[:-1], Decimal("NaN")],
        [*a_row(BIG)[:-1], np.nan],
    ],
)
@pytest.mark.parametrize("estimator", [tw.NetworkClassifier, tw.NetworkRegressor])
def test_a_missing_label_is_named_with_its_row(estimator: Any, y: Any) -> None:
    with pytest.raises(ArgumentError, match=r"must not be missing, got .* at row 89;"):
        estimator(epochs=1).fit(X, y)


def test_a_class_called_none_is_no_missing_one() -> None:
    labels = ["None", "mild", "severe"]
    network = tw.NetworkClassifier(layers=(), epochs=1).fit(X, a_row(labels))
    assert network.classes_.tolist() == labels


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, "1"] * 45, "must hold texts, or numbers, but not both"),
        ([1.5, "1.5"] * 45, "must hold texts, or numbers, but not both"),
        ([Decimal("0.5"), Decimal("0.1")] * 45, "continuous"),
        (np.array([0.5, 0.1] * 45, object), "continuous"),
        (np.array([True, 2, 1] * 30, object), "Unknown label type"),
        ([2**53 + 1, 0.0, 1.0] * 30, "Unknown label type"),
    ],
)
def test_what_is_no_class_is_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tw.NetworkClassifier(epochs=1).fit(X, y)


# Numbers to predict -------------------------------------------------------------------


@pytest.mark.parametrize(
    "y",
    [
        np.array(a_row(BIG)),
        series(BIG, "Int64"),
        a_row(HUGE),
        a_row(DECIMALS),
        np.stack([PLACES, a_row(BIG)], axis=1),
        np.full(ROWS, BIG[0]),
    ],
)
def test_numbers_that_float64_cannot_tell_apart_are_refused(y: Any) -> None:
    with pytest.raises(ArgumentError, match="must hold numbers that float64 can tell"):
        tw.NetworkRegressor(epochs=1).fit(X, y)


def test_numbers_too_large_for_float64_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"numbers of at most 1\.79"):
        tw.NetworkRegressor(epochs=1).fit(X, [10**400, *[1] * 89])


def test_large_numbers_whose_rounding_does_not_show_are_learned() -> None:
    """Nanoseconds since 1970, which float64 rounds to a quarter of a microsecond."""
    start, day = 1_700_000_000_000_000_001, 86_400 * 10**9
    times = start + day * np.array(PLACES)
    network = tw.NetworkRegressor(layers=(), epochs=300).fit(X, times)
    assert network.score(X, times) > 0.7
    exact = np.array(a_row([2**60, 2**61, 2**62]))
    assert tw.NetworkRegressor(layers=(), epochs=300).fit(X, exact).score(X, exact)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "UInt8"])
def test_pandas_own_numbers_are_learned_as_numpys(dtype: str) -> None:
    network = tw.NetworkRegressor(layers=(4,), epochs=3)
    expected = network.fit(X, np.array(PLACES)).predict(X)
    found = network.fit(X, pd.Series(PLACES, dtype=dtype)).predict(X)
    assert np.array_equal(found, expected)


def test_labels_of_pandas_are_learned_as_numpys() -> None:
    labels = random.integers(0, 2, (ROWS, 3))
    network = tw.NetworkClassifier(layers=(4,), epochs=3)
    expected = network.fit(X, labels).predict_proba(X)
    for dtype in ("Int64", "boolean", "UInt8"):
        frame = pd.DataFrame(labels, columns=list("abc")).astype(dtype)
        assert np.array_equal(network.fit(X, frame).predict_proba(X), expected)
        assert network.score(X, frame) >= 0


def test_a_range_is_a_list_of_its_numbers() -> None:
    found = unrounded(range(3))
    assert found.dtype == np.int64
    assert found.tolist() == [0, 1, 2]
    X, y = np.eye(3)[[0, 1, 2] * 10], np.arange(30) % 3
    classifier = tw.NetworkClassifier()
    assert classifier.partial_fit(X, y, classes=range(3)).classes_.tolist() == [0, 1, 2]
