"""Estimators predict the same in ONNX, in Python by itself, and here."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

import thalweg as tw
from support.exported import (
    asked_of_python,
    assert_near,
    outputs,
    run_python,
    session,
)
from thalweg.exports import onnx_inputs
from thalweg.exports.labels import known_labels
from thalweg.program.types import Dtype

QUICK: dict[str, Any] = {"layers": (12,), "epochs": 4}
Rows = tuple[np.ndarray, np.ndarray]
ROWS = 300
FAR = 20
METHODS = {
    "predict": ("predict", "prediction"),
    "probabilities": ("predict_proba", "probabilities"),
    "quantiles": ("predict_quantiles", "quantiles"),
}
"""Of each function in Python, the estimator's method and the graph's output."""

# Arrays -------------------------------------------------------------------------------


def numbers(rows: int = ROWS, columns: int = 3) -> np.ndarray:
    """Columns of very different scales; the first rows are far away from the others."""
    random = np.random.default_rng(0)
    X = random.normal([1.7e9, -3.0, 1e-4][:columns], [1e4, 50, 1e-6], (rows, columns))
    X[:FAR] += 500 * random.normal(0, [1e4, 50, 1e-6], (FAR, columns))
    return X


def signal(X: np.ndarray) -> np.ndarray:
    """What there is to learn."""
    return (X[:, 0] - 1.7e9) / 1e4 + np.abs(X[:, 1] + 3) / 50


def classes(labels: Any) -> Rows:
    X = numbers()
    cuts = np.quantile(signal(X), np.linspace(0, 1, len(labels) + 1)[1:-1])
    return X, np.asarray(labels)[np.digitize(signal(X), cuts)]


def several_labels() -> Rows:
    X = numbers()
    return X, np.column_stack([signal(X) > 1, X[:, 1] > 0, X[:, 2] > 1e-4]).astype(int)


def one_number() -> Rows:
    X = numbers()
    return X, 5000 + 300 * signal(X)


def two_numbers() -> Rows:
    X, y = one_number()
    return X, np.column_stack([y, -1e-3 * y])


def counts() -> Rows:
    X, y = one_number()
    return X, np.abs(y).round()


def codes() -> Rows:
    """Category numbers, which keep their scale, beside a number that doesn't."""
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(50, 9, ROWS), random.integers(0, 40, ROWS)])
    X[:FAR, 0] *= 100
    return X, np.where(X[:, 1] % 3 == 0, 1.0, 2.0) * X[:, 0]


def small() -> Rows:
    X = np.random.default_rng(0).normal(size=(ROWS, 2))
    return X, np.where(X[:, 0] > 0, "many", "few")


def swish(z: Any) -> Any:
    """A user's own formula."""
    return z * tw.sigmoid(z)


WORDS = ["no", "ja", "ça va"]
EMBEDDED = tw.Columns(((0, 1, None), (1, 2, tw.Embedding(40, 3))))
CLASSIFIERS: dict[str, tuple[dict[str, Any], Callable[[], Rows]]] = {
    "texts": ({}, lambda: classes(WORDS)),
    "objects": ({}, lambda: classes(np.array(WORDS, object))),
    "integers": ({}, lambda: classes([-7, 0, 2**40])),
    "large integers": ({}, lambda: classes([2**53 + 1, 2**53 + 2, 2**53 + 3])),
    "largest integers": ({}, lambda: classes(np.array([2**64 - 2, 2**64 - 1]))),
    "digits": ({}, lambda: classes(["7", "07", "007"])),
    "small integers": ({}, lambda: classes(np.array([3, 4], np.uint8))),
    "floats": ({}, lambda: classes([1.0, 2.0, 5.0])),
    "booleans": ({}, lambda: classes([False, True])),
    "one output": ({"loss": "binary_cross_entropy"}, lambda: classes(["a", "b"])),
    "calibrated": ({"calibrate": True}, lambda: classes(WORDS)),
    "calibrated, one output": (
        {"calibrate": True, "loss": "binary_cross_entropy"},
        lambda: classes([0, 1]),
    ),
    "labels": ({}, several_labels),
    "calibrated labels": ({"calibrate": True}, several_labels),
    "classes as they are": ({"standardize": False}, small),
    "own formula": ({"activation": swish}, lambda: classes(WORDS)),
}
REGRESSORS: dict[str, tuple[dict[str, Any], Callable[[], Rows]]] = {
    "number": ({}, one_number),
    "numbers": ({}, two_numbers),
    "column": ({}, lambda: (one_number()[0], one_number()[1].reshape(-1, 1))),
    "counts": ({"loss": "poisson"}, counts),
    "numbers as they are": ({"standardize": False}, codes),
    "quantiles": ({"quantiles": (0.45, 0.05, 0.55, 0.95)}, one_number),
    "quantiles of numbers": ({"quantiles": (0.1, 0.9)}, two_numbers),
    "codes": ({"layers": (EMBEDDED, 8)}, codes),
}


@cache
def fitted(name: str, dtype: Dtype = "float32") -> tuple[Any, Any]:
    """An estimator, and rows of which it hasn't seen those that are far away."""
    settings, rows = (CLASSIFIERS | REGRESSORS)[name]
    kind = tw.NetworkClassifier if name in CLASSIFIERS else tw.NetworkRegressor
    X, y = rows()
    estimator = kind(**{**QUICK, **settings}, dtype=dtype).fit(X[FAR:], y[FAR:])
    # Of a sigmoid that is all but 1, a temperature makes something of the last bit.
    return estimator, X[FAR:] if "calibrated" in name else X


def assert_same(found: Any, meant: np.ndarray, tolerance: float = 3e-6) -> None:
    """Labels equal, numbers within rounding."""
    found = np.asarray(found)
    assert found.shape == meant.shape
    if meant.dtype.kind != "f" or set(np.unique(meant)) <= {1.0, 2.0, 5.0}:
        assert_array_equal(found, meant)
        return
    scale = np.abs(meant).max()
    assert_near(found / scale, meant / scale, tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*CLASSIFIERS, *REGRESSORS])
def test_arrays(tmp_path: Path, name: str, dtype: Dtype) -> None:
    model, X = fitted(name, dtype)
    tw.export(model, tmp_path / "model.onnx")
    tw.export(model, tmp_path / "model.py")
    python = asked_of_python(tmp_path / "model.py", X)
    graph = outputs(tmp_path / "model.onnx", {"X": X})
    tolerance = {"float32": 1e-5, "float64": 1e-12}
    names = [port.name for port in session(tmp_path / "model.onnx").get_outputs()]
    assert [METHODS[function][1] for function in python] == names
    for (function, given), of_graph in zip(python.items(), graph, strict=True):
        meant = getattr(model, METHODS[function][0])(X)
        assert_same(given, meant, tolerance[dtype])
        assert_same(of_graph, meant, tolerance[dtype])
        assert given.dtype == meant.dtype
        assert of_graph.dtype == (meant.dtype if meant.dtype.kind != "U" else object)
    assert len(np.unique(python["predict"])) > 1


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("number", ["prediction"]),
        ("quantiles", ["prediction", "quantiles"]),
        ("texts", ["prediction", "probabilities"]),
    ],
)
def test_each_method_has_its_answer(
    tmp_path: Path, name: str, answers: list[str]
) -> None:
    tw.export(fitted(name)[0], tmp_path / "model.onnx")
    found = session(tmp_path / "model.onnx").get_outputs()
    assert [port.name for port in found] == answers


def test_sparse_rows_become_dense_ones(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    X = sparse.random_array((ROWS, 30), density=0.1, rng=random, format="csr")
    y = np.where(X[:, [0, 1]].sum(axis=1) > 0, "some", "none")
    model = tw.NetworkClassifier(**QUICK).fit(X, y)
    tw.export(model, tmp_path / "model.onnx")
    tw.export(model, tmp_path / "model.py")
    inputs = onnx_inputs(model, X)
    assert_array_equal(inputs["X"], X.toarray())
    found = asked_of_python(tmp_path / "model.py", X.toarray())
    _, probabilities = outputs(tmp_path / "model.onnx", inputs)
    assert_near(probabilities, model.predict_proba(X))
    assert_near(found["probabilities"], model.predict_proba(X))


def test_float32_is_given_as_float64(tmp_path: Path) -> None:
    model, X = fitted("number")
    narrow = X.astype(np.float32)
    tw.export(model, tmp_path / "model.onnx")
    inputs = onnx_inputs(model, narrow)
    assert inputs["X"].dtype == np.float64
    (found,) = outputs(tmp_path / "model.onnx", inputs)
    assert_same(found, model.predict(narrow))


@pytest.mark.parametrize("form", ["onnx", "py"])
def test_a_pickled_estimator_is_the_same_file(tmp_path: Path, form: str) -> None:
    model, _ = fitted("calibrated")
    tw.export(model, tmp_path / f"a.{form}")
    tw.export(pickle.loads(pickle.dumps(model)), tmp_path / f"b.{form}")
    files = [(tmp_path / f"{name}.{form}").read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_python_prints_what_is_predicted(tmp_path: Path) -> None:
    for name in ("calibrated", "labels", "quantiles of numbers"):
        model, X = fitted(name)
        pd.DataFrame(X).to_csv(tmp_path / "X.csv", index=False, header=["a", "b", "c"])
        tw.export(model, tmp_path / "model.py")
        header, *rows = run_python(tmp_path / "model.py", tmp_path / "X.csv")
        columns = model.__pipeline__().answers.columns
        assert header == [name for names in columns.values() for name in names]
        prediction = model.predict(X).reshape(len(X), -1)
        width = prediction.shape[1]
        printed = np.array(rows)
        found = printed[:, :width].astype(prediction.dtype)
        assert_same(found, prediction)
    quantiles = model.predict_quantiles(X).reshape(len(X), -1)
    assert header[2:5] == [
        "quantile 0.1 of 0",
        "quantile 0.5 of 0",
        "quantile 0.9 of 0",
    ]
    assert_same(printed[:, 2:].astype(float), quantiles)


def test_onnx_says_what_it_is(tmp_path: Path) -> None:
    said: list[dict[str, str]] = []
    for name in ("integers", "quantiles"):
        tw.export(fitted(name)[0], tmp_path / "model.onnx")
        about = session(tmp_path / "model.onnx").get_modelmeta()
        said.append(about.custom_metadata_map)
    assert [each["kind"] for each in said] == ["estimator", "estimator"]
    assert [each["estimator"] for each in said] == [
        "NetworkClassifier",
        "NetworkRegressor",
    ]
    assert json.loads(said[0]["classes"]) == [-7, 0, 2**40]
    assert json.loads(said[1]["levels"]) == [0.05, 0.45, 0.5, 0.55, 0.95]


# Frames -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def frame(table: Path) -> pl.DataFrame:
    """Every kind of column, a tenth of whose cells are missing."""
    return pl.read_csv(table, infer_schema=False)


FRAMES: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "classes": (tw.NetworkClassifier, {}, ["label"]),
    "calibrated": (tw.NetworkClassifier, {"calibrate": True}, ["label"]),
    "number": (tw.NetworkRegressor, {}, ["y"]),
    "quantiles": (tw.NetworkRegressor, {"quantiles": (0.1, 0.9)}, ["y"]),
    "numbers": (tw.NetworkRegressor, {}, ["y", "y"]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FRAMES)
def test_frames(tmp_path: Path, frame: pl.DataFrame, name: str, dtype: Dtype) -> None:
    estimator, settings, targets = FRAMES[name]
    X = frame.drop("label", "y")
    y = np.column_stack([frame[target].to_numpy() for target in targets]).squeeze()
    y = y if estimator is tw.NetworkClassifier else y.astype(float)
    model = estimator(**QUICK, **settings, dtype=dtype).fit(X, y)
    tw.export(model, tmp_path / "model.onnx")
    tw.export(model, tmp_path / "model.py")
    python = asked_of_python(tmp_path / "model.py", X.to_dict(as_series=False))
    graph = outputs(tmp_path / "model.onnx", onnx_inputs(model, X))
    for (function, given), of_graph in zip(python.items(), graph, strict=True):
        meant = getattr(model, METHODS[function][0])(X)
        assert_same(given, meant)
        assert_same(of_graph, meant)
    about = session(tmp_path / "model.onnx").get_modelmeta().custom_metadata_map
    columns = [each["column"] for each in json.loads(about["columns"])]
    assert sorted(columns) == sorted(X.columns[1:])  # the first one numbers the rows


def test_a_frame_of_pandas_with_its_own_types(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            0: random.normal(size=ROWS),
            1: pd.Categorical(random.choice(["a", "b", "c"], ROWS)),
            2: pd.date_range("2020-02-28", periods=ROWS, freq="7h"),
            "quantiles": random.choice([True, False], ROWS),
        }
    ).rename(columns=str)
    X.iloc[::7, 0], X.iloc[::5, 1], X.iloc[::9, 2] = np.nan, None, None
    y = np.nan_to_num(X["0"]) + (X["1"] == "a") + X["quantiles"]
    model = tw.NetworkRegressor(**QUICK, quantiles=(0.1, 0.9)).fit(X, y)
    tw.export(model, tmp_path / "model.onnx")
    tw.export(model, tmp_path / "model.py")
    inputs = onnx_inputs(model, X)
    assert {*inputs} == {"0", "1", "2", "column quantiles"}
    number, _ = outputs(tmp_path / "model.onnx", inputs)
    assert_same(number, model.predict(X))
    rows = pl.from_pandas(X).to_dicts()
    assert_same(
        asked_of_python(tmp_path / "model.py", rows)["predict"],
        model.predict(X),
    )


def test_names_that_are_numbers(tmp_path: Path) -> None:
    """pandas names columns so where nobody did."""
    X = pd.DataFrame({0: list("abca") * 20, 1: np.arange(80.0)})
    model = tw.NetworkClassifier(**QUICK).fit(X, X[0])
    tw.export(model, tmp_path / "model.onnx")
    prediction, _ = outputs(tmp_path / "model.onnx", onnx_inputs(model, X))
    assert_array_equal(prediction, model.predict(X))


# Bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["onnx", "py"])
@pytest.mark.parametrize("estimator", [tw.NetworkClassifier, tw.NetworkRegressor])
def test_an_estimator_that_was_not_fitted(
    tmp_path: Path, estimator: Any, form: str
) -> None:
    with pytest.raises(NotFittedError, match="not fitted"):
        tw.export(estimator(), tmp_path / f"model.{form}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [LinearRegression(), tw.NetworkClassifier])
def test_what_is_no_estimator_of_ours(tmp_path: Path, model: Any) -> None:
    with pytest.raises(tw.ArgumentError, match=f"got {type(model).__name__}"):
        tw.export(model, tmp_path / "model.py")
    with pytest.raises(tw.ArgumentError, match="NetworkClassifier or NetworkRegressor"):
        onnx_inputs(model, [[1.0]])


@pytest.mark.parametrize("labels", [[b"a"], [(1, 2), None], [10**25], [Decimal(1)]])
def test_classes_that_no_file_can_hold(labels: list[Any]) -> None:
    with pytest.raises(tw.ArgumentError, match="classes must be texts, booleans, or"):
        known_labels(np.array(labels, object))


def test_python_refuses_what_the_estimator_does(
    exported: Callable[[Any], Any],
) -> None:
    model, X = fitted("texts")
    predict = exported(model)["predict"]
    assert_array_equal(predict(X.tolist()), model.predict(X))
    for wrong in (X[0], X[:, :1], X[:, :, None], 1.0):
        with pytest.raises(ValueError, match=r"X must have shape \(rows, 3\), got"):
            predict(wrong)
    for number in (np.nan, np.inf):
        wrong = X.copy()
        wrong[5, 1] = number
        with pytest.raises(ValueError, match="X must hold finite numbers: row 5"):
            predict(wrong)


def test_onnx_says_that_a_number_is_missing(tmp_path: Path) -> None:
    """A graph can't refuse a number: its probabilities are NaN then."""
    model, X = fitted("calibrated")
    missing = X.copy()
    missing[5, 1] = np.nan
    tw.export(model, tmp_path / "model.onnx")
    _, probabilities = outputs(tmp_path / "model.onnx", {"X": missing})
    assert_array_equal(np.isnan(probabilities).any(axis=1), np.arange(len(X)) == 5)


def test_importing_exports_imports_no_other_package() -> None:
    code = "import sys, thalweg.exports; print(*{n.split('.')[0] for n in sys.modules})"
    run = [sys.executable, "-c", code]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert {"sklearn", "polars", "pandas", "onnx"}.isdisjoint(loaded.split())
