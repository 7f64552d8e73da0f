"""Vectors in the place of whole numbers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.exported import asked_of_python, assert_near, outputs
from thalweg.backends.numpy.calls import gradient
from thalweg.errors import ModelFileError, ShapeError
from thalweg.files.modelfile import read_model, write_model
from thalweg.formulas.embedding import JoinedEmbedding

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(7, 3)).astype(np.float32)


def looked_up(x: Any, table: Any = TABLE) -> Any:
    return tw.Embedding(*table.shape).forward(x, SimpleNamespace(table=table))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
def test_there_is_a_vector_at_every_position(positions: tuple[int, ...]) -> None:
    x = RANDOM.integers(0, 7, (5, *positions))
    network = tw.Network([tw.Embedding(7, 3)]).initialize(positions)
    table = network.parameters["1.table"]
    assert_array_equal(network.predict(x), table[x])
    assert_array_equal(network.predict(x.astype(np.uint8)), table[x])
    assert_array_equal(looked_up(x), TABLE[x])
    assert_array_equal(looked_up(x.astype(float)), TABLE[x])


def test_an_embedding_is_a_dense_layer_on_one_hot_rows() -> None:
    numbers = np.array([[4, 0], [0, 1]])
    dense = tw.Dense(3, bias=False)
    p: Any = SimpleNamespace(weights=TABLE)
    assert_array_equal(looked_up(numbers), dense.forward(np.eye(7)[numbers], p))


def test_rows_looked_up_twice_add_their_gradients() -> None:
    def total(table: Any) -> Any:
        return looked_up(np.array([[1.0, 1.0], [3.0, 0.0]]), table)

    slope = gradient(total)(np.zeros((4, 2)))
    assert_array_equal(slope, [[1, 1], [2, 2], [0, 0], [1, 1]])


def test_networks_learn_from_positions(tmp_path: Path) -> None:
    X = RANDOM.integers(0, 7, (60, 5))
    y = (X == 3).sum(axis=1)
    network = tw.Network([tw.Embedding(7, 2), tw.Dense(3, "relu"), tw.GlobalMean()])
    network = tw.Network([*network.layers, tw.Dense(1)])
    network.fit(X, y, epochs=200, optimizer=tw.Adam(0.02))
    assert network.evaluate(X, y)["r2"] > 0.9
    tw.export(network, tmp_path / "network.onnx")
    (found,) = outputs(tmp_path / "network.onnx", {"X": X.astype(np.float32)})
    assert_near(found, network.predict(X))
    tw.export(network, tmp_path / "network.py")
    found = asked_of_python(tmp_path / "network.py", X)["predict"]
    assert_allclose(found.reshape(60, 1), network.predict(X), rtol=1e-5, atol=1e-6)


def test_columns_put_the_vectors_of_a_row_side_by_side() -> None:
    layer = tw.Columns(((0, 1, None), (1, 3, tw.Embedding(7, 3))))
    x = np.array([[0.5, 6, 2], [1.5, 0, 0]])
    p: Any = SimpleNamespace(part2_table=TABLE)
    wanted = np.column_stack([x[:, 0], TABLE[[6, 0]], TABLE[[2, 0]]])
    assert_array_equal(layer.forward(x, p), wanted)
    assert_array_equal(layer.training_forward(x, p, p)[0], wanted)


# Files of 0.4.0 and before --------------------------------------------------------


def file_of_before(folder: Path) -> tuple[Path, tw.Network]:
    """A network whose vectors stand side by side, as it was written up to 0.4.0."""
    layers = [tw.Embedding(7, 3), tw.Flatten(), tw.Dense(2)]
    network = tw.Network(layers).initialize(2, seed=1)
    network.save(folder / "new.thalweg")
    tensors, document = read_model(folder / "new.thalweg")
    embedding, _, dense = document["network"]["layers"]
    assert document["required_features"] == ["convolutions", "embeddings", "times"]
    document["required_features"] = ["times"]
    document["network"]["layers"] = [{**embedding, "type": "Embedding"}, dense]
    moved = {name.replace("/3.", "/2."): array for name, array in tensors.items()}
    write_model(folder / "old.thalweg", moved, document)
    return folder / "old.thalweg", network


def test_old_files_put_vectors_side_by_side(tmp_path: Path) -> None:
    path, network = file_of_before(tmp_path)
    old = tw.load(path)
    assert isinstance(old, tw.Network)
    assert old.layers == (JoinedEmbedding(7, 3), tw.Dense(2))
    x = RANDOM.integers(0, 7, (5, 2))
    assert_array_equal(old.predict(x), network.predict(x))
    old.save(tmp_path / "again.thalweg")
    assert (tmp_path / "again.thalweg").read_bytes() == path.read_bytes()
    old.fit(x, np.zeros((5, 2)), epochs=1, warm_start=True, validation=None)
    with pytest.raises(ShapeError, match=r"\(rows, features\), got \(rows, 2, 2\)"):
        JoinedEmbedding(7, 3).forward(np.zeros((1, 2, 2)), SimpleNamespace(table=TABLE))


def embeddings_in(described: dict[str, Any]) -> list[str]:
    """What the embeddings of Columns are called in a file."""
    return [part["object"]["type"] for _, _, part in described["parts"] if part]


def test_columns_are_written_as_before(tmp_path: Path) -> None:
    # In them both embeddings mean the same, and 0.4.0 knows only one.
    parts = ((0, 1, None), (1, 3, tw.Embedding(7, 3)), (2, 3, JoinedEmbedding(7, 2)))
    network = tw.Network([tw.Columns(parts), tw.Dense(2)]).initialize(3)
    network.save(tmp_path / "columns.thalweg")
    tensors, document = read_model(tmp_path / "columns.thalweg")
    (columns, _) = document["network"]["layers"]
    assert embeddings_in(columns) == ["Embedding", "Embedding"]
    assert document["required_features"] == ["times"]
    columns["parts"][1][2]["object"]["type"] = "Embedding 2"  # which is read, too
    write_model(tmp_path / "other.thalweg", tensors, document)
    for name in ("columns", "other"):
        loaded = tw.load(tmp_path / f"{name}.thalweg")
        assert isinstance(loaded, tw.Network)
        usual = (*parts[:2], (2, 3, tw.Embedding(7, 2)))
        assert loaded.layers == (tw.Columns(usual), tw.Dense(2))
        x = np.array([[0.5, 6, 2], [1.5, 0, 0]])
        assert_array_equal(loaded.predict(x), network.predict(x))


class Doubled(tw.Embedding):
    """An embedding of a user's own."""

    def forward(self, x: Any, p: Any) -> Any:
        return 2 * super().forward(x, p)


def test_ones_own_in_columns_stays_so(tmp_path: Path) -> None:
    layers = [tw.Columns(((0, 1, tw.Embedding(2, 3)), (1, 2, Doubled(7, 3))))]
    network = tw.Network(layers).initialize(2)
    network.save(tmp_path / "own.thalweg")
    loaded = tw.load(tmp_path / "own.thalweg")
    assert isinstance(loaded, tw.Network)
    x = np.array([[1, 6], [0, 2]])
    assert_array_equal(loaded.predict(x), network.predict(x))


def test_a_file_with_both_keeps_them_apart(tmp_path: Path) -> None:
    layers = (JoinedEmbedding(7, 1), tw.Embedding(2, 3), tw.Flatten())
    network = tw.Network(layers).initialize(2)
    network.save(tmp_path / "both.thalweg")
    loaded = tw.load(tmp_path / "both.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.layers == layers
    tensors, document = read_model(tmp_path / "both.thalweg")
    document["network"]["layers"][1]["type"] = "Embedding 3"
    write_model(tmp_path / "later.thalweg", tensors, document)
    with pytest.raises(ModelFileError, match="'Embedding 3' isn't known"):
        tw.load(tmp_path / "later.thalweg")
