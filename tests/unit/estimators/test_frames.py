"""Frames go in as they are, and the dtype of a column says what it holds."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import thalweg as tw

random = np.random.default_rng(0)
ROWS = 300
CODES = np.arange(ROWS) % 8
NUMBERS = random.normal(size=ROWS)
Y = np.isin(CODES, (0, 3, 4, 6)).astype(int)
GAPS = np.arange(ROWS) % 7 == 0
TEXTS = np.array(["7", "07", "007", "0.7", "1e3", "1000", "yes", "no"], object)
LINEAR: dict[str, Any] = {"layers": (), "epochs": 300, "learning_rate": 0.05}


def frame(column: Any) -> Any:
    """A column beside one of numbers."""
    library: Any = pl if isinstance(column, pl.Series) else pd
    return library.DataFrame({"code": column, "x": NUMBERS})


def probabilities(column: Any, **options: Any) -> Any:
    features = frame(column)
    network = tw.NetworkClassifier(**{"layers": (8,), "epochs": 3, **options})
    found = network.fit(features, Y).predict_proba(features)
    copy = pickle.loads(pickle.dumps(network))
    assert np.array_equal(copy.predict_proba(features), found)
    return found


def with_gaps(values: Any, dtype: Any) -> Any:
    return pd.Series(np.where(GAPS, None, values), dtype=dtype)


# Values that dtypes only store in other ways ------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["Int64", "UInt8", "Float64", "int64[pyarrow]", "double[pyarrow]"]
)
@pytest.mark.parametrize("missing", [False, True])
def test_numbers_of_any_dtype_are_the_same_numbers(dtype: str, missing: bool) -> None:
    if missing:
        expected = pd.Series(np.where(GAPS, np.nan, CODES))
        given = with_gaps(CODES, dtype)
    else:
        expected, given = pd.Series(CODES), pd.Series(CODES, dtype=dtype)
    assert np.array_equal(probabilities(given), probabilities(expected))


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]"])
@pytest.mark.parametrize("missing", [False, True])
def test_booleans_of_any_dtype_are_the_same(dtype: str, missing: bool) -> None:
    yes = CODES > 3
    expected = with_gaps(yes, object) if missing else pd.Series(yes, dtype=object)
    given = with_gaps(yes, dtype) if missing else pd.Series(yes, dtype=dtype)
    assert np.array_equal(probabilities(given), probabilities(expected))


WORDS = np.array(["oak", "elm", "ash", "fir", "yew", "box", "bay", "fig"], object)


@pytest.mark.parametrize(
    "dtype",
    ["string", "string[pyarrow]", pd.ArrowDtype(pa.string()), "category", "str"],
)
@pytest.mark.parametrize("missing", [False, True])
def test_texts_of_any_dtype_are_the_same_categories(dtype: Any, missing: bool) -> None:
    words = WORDS[CODES]
    expected = with_gaps(words, object) if missing else pd.Series(words, dtype=object)
    given = with_gaps(words, dtype) if missing else pd.Series(words, dtype=dtype)
    assert np.array_equal(probabilities(given), probabilities(expected))


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(sorted(WORDS)), pl.String])
def test_polars_categories_are_the_same(dtype: Any) -> None:
    words = WORDS[CODES].tolist()
    expected = probabilities(pd.Series(words, dtype=object))
    assert np.array_equal(probabilities(pl.Series(words, dtype=dtype)), expected)


def test_arrows_dictionaries_are_categories() -> None:
    coded = pa.array(WORDS[CODES]).dictionary_encode()
    given = pd.Series(pd.arrays.ArrowExtensionArray(coded))
    expected = probabilities(pd.Series(WORDS[CODES], dtype=object))
    assert np.array_equal(probabilities(given), expected)


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(TEXTS.tolist())])
def test_digits_in_polars_categories_are_texts(dtype: Any) -> None:
    given = pl.Series(TEXTS[CODES].tolist(), dtype=dtype)
    network = tw.NetworkClassifier(**LINEAR).fit(frame(given), Y)
    assert network.score(frame(given), Y) == 1


# What a dtype declares ----------------------------------------------------------------


def of_letters(dtype: Any = object) -> Any:
    """The codes as texts that are nothing but names, in the codes' order."""
    return pd.Series(np.array([f"code {n}" for n in range(8)])[CODES], dtype=dtype)


@pytest.mark.parametrize(
    "codes",
    [CODES, CODES / 2, 2**53 + CODES, pd.Series(CODES, dtype="Int64")],
)
def test_categories_of_numbers_are_categories(codes: Any) -> None:
    given = pd.Series(codes).astype("category")
    assert np.array_equal(probabilities(given), probabilities(of_letters("category")))
    network = tw.NetworkClassifier(**LINEAR).fit(frame(given), Y)
    assert network.score(frame(given), Y) == 1


@pytest.mark.parametrize("missing", [False, True])
def test_categories_of_numbers_may_be_missing(missing: bool) -> None:
    given = pd.Series(np.where(GAPS & missing, np.nan, CODES)).astype("category")
    expected = of_letters().where(~(GAPS & missing)).astype("category")
    assert np.array_equal(probabilities(given), probabilities(expected))


@pytest.mark.parametrize(
    "dtype",
    [
        object,
        "str",
        "string",
        "string[pyarrow]",
        "category",
        pd.ArrowDtype(pa.string()),
    ],
)
def test_digits_in_a_frames_texts_are_texts(dtype: Any) -> None:
    given = pd.Series(TEXTS[CODES], dtype=dtype)
    network = tw.NetworkClassifier(**LINEAR).fit(frame(given), Y)
    assert network.score(frame(given), Y) == 1


def test_digits_in_polars_texts_are_texts() -> None:
    given = pl.Series(TEXTS[CODES].tolist())
    network = tw.NetworkClassifier(**LINEAR).fit(frame(given), Y)
    assert network.score(frame(given), Y) == 1


def test_what_was_a_category_stays_one_in_rows_of_another_dtype() -> None:
    given = pd.Series(CODES).astype("category")
    network = tw.NetworkClassifier(**LINEAR).fit(frame(given), Y)
    expected = network.predict_proba(frame(given))
    for dtype in ("int64", "Int64", "str"):
        column = pd.Series(CODES).astype(dtype)
        assert np.array_equal(network.predict_proba(frame(column)), expected)


# Sparse frames ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, int, bool, np.uint8])
def test_sparse_frames_are_learned_as_dense_ones(dtype: Any) -> None:
    words = pd.Series(WORDS[CODES])
    dense = pd.get_dummies(words, dtype=dtype)
    sparse = pd.get_dummies(words, sparse=True, dtype=dtype)
    network = tw.NetworkClassifier(**LINEAR).fit(dense, Y)
    expected = network.predict_proba(dense)
    found = tw.NetworkClassifier(**LINEAR).fit(sparse, Y)
    assert found.feature_names_in_.tolist() == list(dense.columns)
    for each in (dense, sparse):
        assert np.array_equal(found.predict_proba(each), expected)
        assert np.array_equal(network.predict_proba(each), expected)
    assert found.score(sparse, Y) == 1


def test_sparse_columns_stand_beside_others_and_hold_gaps() -> None:
    holes = np.where(GAPS, np.nan, CODES * 1.0)
    sparse = pd.Series(pd.arrays.SparseArray(holes))
    assert np.array_equal(probabilities(sparse), probabilities(pd.Series(holes)))
    words = pd.DataFrame({"word": WORDS[CODES], "n": sparse})
    dense = words.assign(n=holes)
    network = tw.NetworkClassifier(layers=(8,), epochs=3)
    expected = network.fit(dense, Y).predict_proba(dense)
    assert np.array_equal(network.fit(words, Y).predict_proba(words), expected)
