"""What lies under a mask is never computed with: an array that has one is refused."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError

generator = np.random.default_rng(0)
X, Y = generator.normal(size=(40, 3)), generator.integers(0, 2, 40)
MASKED_X = np.ma.array(X, mask=X[5, 1] == X)
MASKED_Y = np.ma.array(Y, mask=np.arange(40) == 7)
WEIGHTS = np.ma.array(np.ones(40), mask=np.arange(40) == 7)
EPOCHS: dict[str, Any] = {"epochs": 1}


def network() -> tw.Network:
    return tw.Network([tw.Dense(2, "softmax")])


def trained() -> tw.Network:
    found = network()
    found.fit(X, Y, **EPOCHS)
    return found


def fitted() -> tw.NetworkClassifier:
    return tw.NetworkClassifier(epochs=1).fit(X, Y)


def exported(model: Any, folder: Path) -> dict[str, Any]:
    """What is in the file of Python that the model becomes."""
    tw.export(model, folder / "model.py")
    return runpy.run_path(str(folder / "model.py"))


CALLS: dict[str, Callable[[], object]] = {
    "fit X": lambda: network().fit(MASKED_X, Y, **EPOCHS),
    "fit rows": lambda: network().fit(list(MASKED_X), Y, **EPOCHS),
    "fit y": lambda: network().fit(X, MASKED_Y, **EPOCHS),
    "fit weights": lambda: network().fit(X, Y, sample_weight=WEIGHTS, **EPOCHS),
    "fit validation": lambda: network().fit(X, Y, validation=(MASKED_X, Y), **EPOCHS),
    "predict": lambda: trained().predict(MASKED_X),
    "evaluate X": lambda: trained().evaluate(MASKED_X, Y),
    "evaluate y": lambda: trained().evaluate(X, MASKED_Y),
    "parameters": lambda: trained().set_parameters(
        {"1.bias": np.ma.array([1.0, 2.0], mask=[True, False])}
    ),
    "sweep": lambda: tw.sweep([tw.Dense(2)], MASKED_X, Y, over={"seed": [1]}, **EPOCHS),
    "rate": lambda: tw.find_learning_rate(network(), MASKED_X, Y),
    "estimator X": lambda: tw.NetworkClassifier(epochs=1).fit(MASKED_X, Y),
    "estimator raw X": lambda: tw.NetworkClassifier(epochs=1, standardize=False).fit(
        MASKED_X, Y
    ),
    "estimator y": lambda: tw.NetworkClassifier(epochs=1).fit(X, MASKED_Y),
    "estimator number": lambda: tw.NetworkRegressor(epochs=1).fit(X, MASKED_Y),
    "estimator weights": lambda: tw.NetworkClassifier(epochs=1).fit(X, Y, WEIGHTS),
    "estimator predict": lambda: fitted().predict(MASKED_X),
    "estimator score": lambda: fitted().score(X, MASKED_Y),
    "exp": lambda: tw.exp(MASKED_X),
    "relu": lambda: tw.relu(MASKED_X),
    "sum": lambda: tw.sum(MASKED_X),
    "matmul": lambda: tw.matmul(X.T, MASKED_X),
    "where": lambda: tw.where(MASKED_Y == 1, 1.0, 0.0),
    "take": lambda: tw.take(X, MASKED_Y),
    "one_hot": lambda: tw.one_hot(MASKED_Y, 2),
    "concatenate": lambda: tw.concatenate([X, MASKED_X]),
    "reshape": lambda: tw.reshape(MASKED_X, (120,)),
    "loss": lambda: tw.mean_squared_error(X, MASKED_X),
    "gradient": lambda: tw.gradient(lambda w: tw.sum(w**2))(MASKED_X),
    "constant": lambda: tw.gradient(lambda w: tw.sum(tw.maximum(w, MASKED_X)))(X),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_masked_cell_is_an_error(call: str) -> None:
    with pytest.raises(ArgumentError, match="must have no masked cell, got one at"):
        CALLS[call]()


@pytest.mark.parametrize("rows", [MASKED_X, list(MASKED_X)])
def test_an_exported_file_refuses_it_too(tmp_path: Path, rows: Any) -> None:
    module = exported(trained(), tmp_path)
    with pytest.raises(ValueError, match="X must have no masked cell"):
        module["predict"](rows)
    module["predict"](np.ma.array(X, mask=False))


def test_a_masked_cell_of_a_column_is_missing_in_an_exported_file(
    tmp_path: Path,
) -> None:
    codes = np.arange(40) % 3
    columns = {"a": X[:, 0], "kind": np.array(["p", "q", "r"])[codes], "y": codes * 2.5}
    model = tw.train(pl.DataFrame(columns), "y", **EPOCHS).model
    module = exported(model, tmp_path)
    hidden = np.arange(40) == 4
    masked = {name: np.ma.array(cells, mask=hidden) for name, cells in columns.items()}
    missing = {
        name: [
            None if nothing else cell
            for cell, nothing in zip(cells, hidden, strict=True)
        ]
        for name, cells in columns.items()
    }
    expected = module["predict"](missing)
    assert str(module["predict"](masked)) == str(expected)


def test_it_is_named_with_its_place() -> None:
    with pytest.raises(ArgumentError, match=r"X must .* at index \(5, 1\)"):
        network().fit(MASKED_X, Y)
    with pytest.raises(ArgumentError, match=r"X must .* at index \(5, 1\)"):
        network().fit(list(MASKED_X), Y)


def test_a_mask_that_hides_nothing_is_none() -> None:
    bare = np.ma.array(X, mask=False)
    assert np.array_equal(trained().predict(bare), trained().predict(X))
    assert np.array_equal(tw.exp(bare), np.exp(X))


def test_a_masked_cell_of_a_frame_is_missing() -> None:
    """So pandas has it; a table may have missing cells."""
    pandas = pytest.importorskip("pandas")
    from thalweg.tables.read import read

    assert read(pandas.DataFrame({"a": MASKED_X[:, 1]})).frame["a"].is_null().sum() == 1
