"""What a file says that its reader must know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ModelFileError
from thalweg.files.bounds import words_in
from thalweg.files.document import KNOWN_FEATURES
from thalweg.files.layer_codec import TRACED_CELL
from thalweg.files.modelfile import read_model, write_model
from thalweg.files.network_codec import NEEDED
from thalweg.files.registry import KNOWN
from thalweg.formulas.initializers import INITIALIZERS, initializer
from thalweg.program.primitives import PRIMITIVES


@dataclass(frozen=True)
class Own(tw.Layer):
    """A layer of a user's own, with parameters named as what a file has."""

    formula: Any
    drawn: str = "zeros"

    def parameters(self, input_shape: Any) -> dict[str, tw.Parameter]:
        names, drawn = ("opcodes", "type", "instructions"), initializer(self.drawn)
        return {name: tw.Parameter((4,), drawn) for name in names}

    def forward(self, x: Any, p: Any) -> Any:
        return self.formula(x) + p.opcodes + p.type + p.instructions


@dataclass(frozen=True)
class Leaky(tw.Cell):
    """A cell of a user's own."""

    units: int = 1

    def step(self, x: Any, state: Any, p: Any) -> Any:
        return state / 2 + x[:, :1]


def looped(x: Any) -> Any:
    return tw.scan(lambda s, x: s + x, x, x[:, None])[:, 0]


LAYERS: dict[str, tuple[tw.Layer, set[str]]] = {
    "nothing new": (tw.Dense(4), set()),
    "own": (Own(tw.tanh), set()),
    "a branch": (tw.Residual([tw.Dense(4)]), {"branches"}),
    "within a branch": (tw.Parallel([[Own(looped)], []]), {"branches", "loops"}),
    "a loop": (Own(looped), {"loops"}),
    "a product": (Own(lambda x: (x[:, None] @ np.eye(4))[:, 0]), {"contractions"}),
    "a slice": (Own(lambda x: x[:, ::2] @ np.eye(2, 4)), set()),
    "a slice backwards": (Own(lambda x: x[:, ::-1]), {"slices backwards"}),
    "within a loop": (
        Own(lambda x: tw.scan(lambda s, x: s + x[:, ::-1], x, x[:, None])[:, 0]),
        {"loops", "slices backwards"},
    ),
    "windows": (Own(lambda x: tw.max(tw.windows(x, 1, 1), axis=2)), {"convolutions"}),
    "frozen": (tw.Frozen(tw.Dense(4)), {"branches", "frozen layers"}),
    "an embedding": (
        tw.Residual([tw.Embedding(2, 1), tw.Flatten()]),
        {"branches", "convolutions", "embeddings"},
    ),
    "an embedding of a column": (
        tw.Columns(((0, 3, None), (3, 4, tw.Embedding(2, 1)))),
        set(),
    ),
    "columns within columns": (
        tw.Residual(tw.Columns(((0, 4, tw.Columns(((0, 2, tw.Embedding(2, 2)),))),))),
        {"branches"},
    ),
    "an embedding within a branch of columns": (
        tw.Columns(((0, 4, tw.Residual([tw.Embedding(2, 1), tw.Flatten()])),)),
        {"branches", "convolutions", "embeddings"},
    ),
    "a norm": (tw.RMSNorm(), {"transformers"}),
    "a block": (
        tw.Residual([tw.Reshape((2, 2)), tw.TransformerBlock(1, 2), tw.Flatten()]),
        {"branches", "convolutions", "preparation", "transformers"},
    ),
    "a scale": (tw.Rescale(0.5), {"preparation"}),
    "cells": (
        tw.Residual([tw.Reshape((2, 2)), tw.LSTM(3), tw.Last(), tw.Dense(4)]),
        {"branches", "preparation", "recurrence"},
    ),
    "a cell of one's own": (
        tw.Residual([tw.Reshape((4, 1)), Leaky(), tw.Recurrent(Leaky(4), True, False)]),
        {"branches", "preparation", "recurrence"},
    ),
    "orthogonal weights": (tw.Dense(4, initializer="orthogonal"), {"recurrence"}),
    "orthogonal weights by name": (
        tw.Dense(4, initializer=tw.initializers.orthogonal),
        {"recurrence"},
    ),
    "orthogonal weights of one's own": (Own(tw.tanh, "orthogonal"), {"recurrence"}),
    "a layer over places": (tw.Flatten(), {"convolutions"}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_file_says_what_its_reader_must_know(name: str, tmp_path: Path) -> None:
    layer, features = LAYERS[name]
    network = tw.Network([layer, tw.Dense(2)]).initialize(4)
    network.save(tmp_path / "network.thalweg")
    _, document = read_model(tmp_path / "network.thalweg")
    assert set(document["required_features"]) == {"times", *features}
    X = np.ones((3, 4))
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))


def test_a_file_says_that_its_network_takes_bytes(tmp_path: Path) -> None:
    X, path = np.arange(12, dtype=np.uint8).reshape(6, 2), tmp_path / "bytes.thalweg"
    network = tw.Network([tw.Dense(1)])
    network.fit(X, np.ones(6), epochs=1, validation=None)
    network.save(path)
    assert read_model(path)[1]["required_features"] == ["uint8 inputs", "times"]
    loaded = tw.load(path)
    assert isinstance(loaded, tw.Network)
    assert loaded.input_dtype == "uint8"
    for rows in (X, X.astype(np.float64)):
        np.testing.assert_array_equal(loaded.predict(rows), network.predict(X))
    loaded.save(tmp_path / "again.thalweg")
    assert (tmp_path / "again.thalweg").read_bytes() == path.read_bytes()
    loaded.fit(X.astype(np.float32), np.ones(6), epochs=1, validation=None)
    loaded.save(path)
    assert read_model(path)[1]["required_features"] == ["times"]


@pytest.mark.parametrize("inputs", ["float32", "int8", None, 8])
def test_inputs_of_another_dtype_are_refused(inputs: Any, tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(1)]).initialize(2)
    network.save(tmp_path / "network.thalweg")
    tensors, document = read_model(tmp_path / "network.thalweg")
    document["network"]["inputs"] = inputs
    write_model(tmp_path / "odd.thalweg", tensors, document)
    with pytest.raises(ModelFileError, match="inputs must be uint8"):
        tw.load(tmp_path / "odd.thalweg")


def test_every_word_is_one() -> None:
    words = {word for each in NEEDED.values() for word in each}
    of_ours = {f"initializer {name}" for name in INITIALIZERS} | {TRACED_CELL}
    assert {word.split()[0] for word in words - of_ours} <= {*KNOWN, *PRIMITIVES}
    assert {*NEEDED} <= KNOWN_FEATURES
    assert words_in({"type": ["no text"], "opcodes": {"scan": 1}}) == set()
