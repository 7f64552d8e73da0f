"""Cells in files, in ONNX and in Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

import thalweg as tw
from support.cells import CELLS, ROWS, WAYS, every_cell, every_way, fitted, series
from support.exported import assert_near, outputs
from thalweg.files.modelfile import read_model


@every_way
@every_cell
def test_it_is_saved_exported_and_loaded(
    cell: str, way: str, tmp_path: Path, exported: Callable[[Any], Any]
) -> None:
    X = series()[0].astype(np.float32)
    network = fitted(WAYS[way](CELLS[cell]))
    path = tmp_path / "network.thalweg"
    network.save(path)
    loaded = tw.load(path)
    assert isinstance(loaded, tw.Network)
    assert repr(loaded) == repr(network)
    assert_array_equal(loaded.predict(X), network.predict(X))
    assert str(loaded.explain()) == str(network.explain())
    loaded.save(tmp_path / "again.thalweg")
    assert (tmp_path / "again.thalweg").read_bytes() == path.read_bytes()
    assert read_model(path)[1]["required_features"][-2:] == ["recurrence", "times"]
    predict = exported(loaded)["predict"]
    tw.export(network, tmp_path / "network.onnx")
    for rows in (1, 2, ROWS):
        meant = network.predict(X[:rows])
        assert_near(predict(X[:rows]), meant)
        assert_near(outputs(tmp_path / "network.onnx", {"X": X[:rows]})[0], meant)
