"""The bytes in an estimator's pickle: anything that doesn't fit is refused."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import thalweg as tw
from thalweg.errors import ModelFileError
from thalweg.estimators.frozen import frozen, thawed
from thalweg.files.modelfile import model_bytes, model_of

generator = np.random.default_rng(0)
X = generator.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame({"size": X[:, 0], "color": ["red", "blue", "green"] * 20})
Change = Callable[[Any, Any], object]


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """What an estimator has in its pickle, after an array and after a frame."""
    rows = {"array": X, "frame": FRAME}
    estimator = tw.NetworkClassifier(layers=(2,), epochs=1)
    return {n: estimator.fit(x, Y).__getstate__()["network_"] for n, x in rows.items()}


def test_the_bytes_are_read_back(contents: dict[str, bytes]) -> None:
    for content in contents.values():
        network, _ = thawed(content, tw.Adam())
        assert network.optimizer_state is not None
        assert network.optimizer_state.epochs == 1


def test_another_rule_starts_afresh(contents: dict[str, bytes]) -> None:
    network, _ = thawed(contents["array"], tw.SGD())
    assert network.optimizer_state is None


WRONG: list[tuple[str, Change]] = [
    ("array", lambda d, t: d.pop("features")),
    ("array", lambda d, t: d.update(features=[])),
    ("array", lambda d, t: d.update(features="array")),
    ("array", lambda d, t: d.update(features={})),
    ("array", lambda d, t: d["features"].update(kind="table")),
    ("array", lambda d, t: d["features"].update(kind="raw")),
    ("array", lambda d, t: d["features"].update(kind=["array"])),
    ("array", lambda d, t: t.pop("features/mean")),
    ("array", lambda d, t: t.update({"features/more": np.ones(3)})),
    ("array", lambda d, t: t.update({"features/mean": np.ones(4)})),
    ("array", lambda d, t: t.update({"features/mean": np.ones(3, np.float32)})),
    ("array", lambda d, t: t.update({"features/mean": np.array([0, np.nan, 0])})),
    ("array", lambda d, t: t.update({"features/deviation": np.zeros(3)})),
    ("array", lambda d, t: t.update({"optimizer/0": np.ones(3, np.float32)})),
    ("array", lambda d, t: d.update(position=5)),
    ("array", lambda d, t: d.update(position=[])),
    ("array", lambda d, t: d["position"].pop("steps")),
    ("array", lambda d, t: d["position"].update(steps="9")),
    ("array", lambda d, t: d["position"].update(steps=True)),
    ("array", lambda d, t: d["position"].update(epochs=-1)),
    ("array", lambda d, t: d["position"].update(epochs=10**9)),
    ("frame", lambda d, t: d["features"].update(kind="array")),
    ("frame", lambda d, t: d["features"].update(names=["size", "shape"])),
    ("frame", lambda d, t: d["features"].update(names=["size", "size", "color"])),
    ("frame", lambda d, t: d["features"].update(names=5)),
    ("frame", lambda d, t: d["features"].update(encoder=None)),
    ("frame", lambda d, t: d["features"]["encoder"]["encodings"].pop()),
    ("frame", lambda d, t: d["features"]["encoder"]["encodings"][1].update(other=True)),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_change_is_refused(contents: dict[str, bytes], number: int) -> None:
    name, change = WRONG[number]
    tensors, document = model_of(contents[name])
    changed = dict(tensors)
    document = copy.deepcopy(document)
    change(document, changed)
    with pytest.raises(ModelFileError, match="the estimator's network"):
        thawed(model_bytes(changed, document), tw.Adam())


def test_a_network_without_an_optimizers_state_is_read_back(
    contents: dict[str, bytes],
) -> None:
    network, features = thawed(contents["array"], tw.SGD())
    again, _ = thawed(frozen(network, features), tw.Adam())
    assert again.optimizer_state is None
