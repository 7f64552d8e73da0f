"""Targets at each position of a row: as if every position were a row of its own."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from support.exported import assert_near, outputs
from thalweg.errors import ArgumentError, ShapeError

ROWS, TIMES, FEATURES = 40, 6, 3
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, TIMES, FEATURES))
CLASSES = (X[..., 0] > 0).astype(int) + (X[..., 1] > 0.5)
NUMBERS = X @ RANDOM.normal(size=(FEATURES, 2))
WEIGHTS = RANDOM.uniform(0.5, 2, ROWS)


def absolute(predictions: Any, targets: Any) -> Any:
    """A loss of a user's own."""
    return tw.mean(tw.absolute(predictions - targets), axis=-1)


TASKS: dict[str, tuple[list[tw.Layer], Any, Any]] = {
    "classes": ([tw.Dense(3, "softmax")], CLASSES, "cross_entropy"),
    "one-hot": ([tw.Dense(3, "softmax")], np.eye(3)[CLASSES], "cross_entropy"),
    "numbers": ([tw.Dense(2)], NUMBERS, "mean_squared_error"),
    "one number": ([tw.Dense(1)], NUMBERS[..., 0], "huber"),
    "yes or no": ([tw.Dense(2, "sigmoid")], NUMBERS > 0, "binary_cross_entropy"),
    "own loss": ([tw.Dense(2)], NUMBERS, absolute),
}
every_task = pytest.mark.parametrize("task", TASKS)


def fitted(task: str, apart: bool, **settings: Any) -> tw.Network:
    """A network of the task, on rows of positions or on the positions as rows."""
    last, y, loss = TASKS[task]
    given, batch, weights = X, 8, WEIGHTS
    if apart:
        given, y = X.reshape(-1, FEATURES), y.reshape(-1, *y.shape[2:])
        batch, weights = 8 * TIMES, np.repeat(WEIGHTS, TIMES)
    network = tw.Network([tw.Dense(7, "tanh"), tw.LayerNorm(), *last])
    network.fit(
        *(given, y),
        loss=loss,
        sample_weight=weights,
        epochs=3,
        batch_size=batch,
        shuffle=False,
        validation=None,
        dtype="float64",
        **settings,
    )
    return network


@every_task
@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_it_learns_as_from_rows_of_their_own(task: str, engine: str) -> None:
    rows, apart = fitted(task, False, engine=engine), fitted(task, True, engine=engine)
    for name, learned in rows.parameters.items():
        assert_allclose(learned, apart.parameters[name], 1e-9, 1e-12, err_msg=name)
    given = rows.predict(X)
    assert given.shape[:2] == (ROWS, TIMES)
    assert_allclose(given.reshape(ROWS * TIMES, -1), apart.predict(X.reshape(-1, 3)))


@every_task
def test_it_scores_as_rows_of_their_own(task: str) -> None:
    y = TASKS[task][1]
    rows, apart = fitted(task, False), fitted(task, True)
    found = rows.evaluate(X, y, WEIGHTS)
    y = y.reshape(-1, *y.shape[2:])
    wanted = apart.evaluate(X.reshape(-1, 3), y, np.repeat(WEIGHTS, TIMES))
    if rows.loss is not None and rows.loss.name == "cross_entropy":
        wanted["perplexity"] = np.exp(wanted["loss"])
    assert found == pytest.approx(wanted, rel=1e-9)


@every_task
def test_it_is_saved_shown_and_exported(task: str, tmp_path: Path) -> None:
    network = fitted(task, False)
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert_allclose(loaded.predict(X), network.predict(X))
    y = TASKS[task][1]
    assert loaded.evaluate(X, y) == pytest.approx(network.evaluate(X, y))
    assert "x @ weights" in network.explain()
    tw.export(network, tmp_path / "network.onnx")
    (found,) = outputs(tmp_path / "network.onnx", {"X": X})
    assert_near(found, network.predict(X))
    tw.export(network, tmp_path / "network.py")
    exported = runpy.run_path(str(tmp_path / "network.py"))
    assert_near(exported["predict"](X), network.predict(X))


def test_targets_that_do_not_go_with_positions_are_refused() -> None:
    network = tw.Network([tw.Dense(3, "softmax")])
    settings: dict[str, Any] = {"loss": "cross_entropy", "validation": None}
    with pytest.raises(ShapeError, match=r"y must have shape \(40, 6, 3\) or hold"):
        network.fit(X, CLASSES[:, 0], **settings)
    with pytest.raises(ArgumentError, match=r"class numbers in y must lie in 0\.\.2"):
        network.fit(X, CLASSES + 1, **settings)


@pytest.mark.parametrize("last", [tw.Dense(3, "softmax"), tw.Dense(1)])
def test_one_position_is_learned_as_two_are(last: tw.Layer) -> None:
    """A y of shape (rows, 1) is of one position where the network gives one."""
    X = np.random.default_rng(0).normal(size=(12, 1, 2))
    y = np.arange(12)[:, None] % 3
    y = y if last.units == 3 else y.astype(float)  # pyright: ignore[reportAttributeAccessIssue]
    network, rows = tw.Network([last]), tw.Network([last])
    network.fit(X, y, epochs=2, batch_size=12)
    rows.fit(X[:, 0], y[:, 0], epochs=2, batch_size=12)
    assert_allclose(
        network.history.training_loss, rows.history.training_loss, rtol=1e-6
    )
    scores = network.evaluate(X, y)["loss"], rows.evaluate(X[:, 0], y)["loss"]
    assert_allclose(*scores, rtol=1e-6)
    of_lists = network.evaluate(list(X), list(y))
    assert_allclose(of_lists["loss"], scores[0], rtol=1e-6)
