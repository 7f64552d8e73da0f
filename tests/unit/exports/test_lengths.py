"""Rows of different lengths, in ONNX and in Python."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from support.exported import session
from thalweg.exports import onnx_inputs
from thalweg.files.modelfile import read_model, write_model

LENGTHS = [5, 9, 3, 12, 7, 1, 8]
NETWORKS: dict[str, list[Any]] = {
    "both directions": [tw.Bidirectional(tw.LSTM(4)), tw.GlobalMean()],
    "attention": [tw.Dense(4), tw.Attention(2, causal=True), tw.BatchNorm(), tw.Last()],
    "each time": [tw.GRU(4)],
    "windows": [tw.Conv(3, 3, 2), tw.GRU(3)],
    "branches": [tw.Residual([tw.Conv(3, 3, padding="same")]), tw.GlobalMax()],
}


def sequences(least: int = 1) -> list[Any]:
    rng = np.random.default_rng(0)
    lengths = [max(n, least) for n in LENGTHS]
    return [rng.normal(size=(n, 3)).astype(np.float32) for n in lengths]


def fitted(name: str) -> tuple[tw.Network, list[Any]]:
    X = sequences(3)
    network = tw.Network([*NETWORKS[name], tw.Dense(2, "softmax")])
    y: Any = [0, 1, 0, 1, 0, 1, 1]
    if name == "each time":
        y = [(x[:, 0] > 0).astype(int) for x in X]
    if name == "windows":
        y = [np.zeros((len(x) - 3) // 2 + 1, int) for x in X]
    network.fit(X, y, epochs=1, validation=None, batch_size=4)
    return network, X


def assert_as_predicted(found: Any, predicted: Any) -> None:
    for one, other in zip(found, predicted, strict=True):
        there = one[: len(other)] if other.ndim > 1 else one
        np.testing.assert_allclose(there, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_they_see_no_padding(name: str, tmp_path: Path) -> None:
    network, X = fitted(name)
    predicted = network.predict(X)
    network.save(tmp_path / "network.thalweg")
    loaded: Any = tw.load(tmp_path / "network.thalweg")
    tw.export(loaded, tmp_path / "network.onnx")
    given = onnx_inputs(network, X)
    assert given["X"].shape == (7, 12, 3)
    given["X"][given["X"] == 0] = 1e6  # what lies in padding counts for nothing
    (found,) = session(tmp_path / "network.onnx").run(None, given)
    assert_as_predicted(found, predicted)
    tw.export(loaded, tmp_path / "network.py")
    written = runpy.run_path(str(tmp_path / "network.py"))
    assert_as_predicted(written["predict"](X), predicted)
    with pytest.raises(ValueError, match=r"X\[1\] .* 1 to 12 times"):
        written["predict"]([X[0], np.zeros((13, 3))])
    with pytest.raises(tw.ShapeError, match="12 times at most"):
        onnx_inputs(network, [X[0], np.zeros((13, 3))])


def test_estimators(tmp_path: Path) -> None:
    X, y = sequences(), np.array(list("abababb"))
    classifier = tw.NetworkClassifier(layers=[tw.GRU(3), tw.GlobalMean()], epochs=1)
    classifier.fit(X, y)
    tw.export(classifier, tmp_path / "c.onnx")
    given = onnx_inputs(classifier, X)
    found: Any
    (found,) = session(tmp_path / "c.onnx").run(["probabilities"], given)
    np.testing.assert_allclose(found, classifier.predict_proba(X), atol=1e-6)
    tw.export(classifier, tmp_path / "c.py")
    written = runpy.run_path(str(tmp_path / "c.py"))
    assert written["predict"](X).tolist() == classifier.predict(X).tolist()


def test_a_file_says_that_rows_have_lengths(tmp_path: Path) -> None:
    network, _ = fitted("each time")
    network.save(tmp_path / "network.thalweg")
    tensors, document = read_model(tmp_path / "network.thalweg")
    assert "lengths" in document["required_features"]
    document["network"]["lengths"] = 1
    write_model(tmp_path / "wrong.thalweg", tensors, document)
    with pytest.raises(tw.ModelFileError, match="lengths must be true"):
        tw.load(tmp_path / "wrong.thalweg")
    plain = tw.Network([tw.GRU(2)]).initialize((4, 3))
    plain.save(tmp_path / "plain.thalweg")
    _, document = read_model(tmp_path / "plain.thalweg")
    assert "lengths" not in document["required_features"]
