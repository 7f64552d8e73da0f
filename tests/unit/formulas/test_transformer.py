"""Blocks of attention, and all that a network of them has to be able to do."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.exported import asked_of_python, assert_near, outputs
from thalweg.errors import ArgumentError, ModelFileError, ShapeError
from thalweg.files.modelfile import read_model, write_model
from thalweg.formulas.chain import describe

RANDOM = np.random.default_rng(0)


def test_a_feed_forward_layer_is_two_dense_ones() -> None:
    layer, x = tw.FeedForward(5, "tanh"), RANDOM.normal(size=(2, 3, 4))
    shapes = {name: p.shape for name, p in layer.parameters((3, 4)).items()}
    p = SimpleNamespace(**{n: RANDOM.normal(size=s) for n, s in shapes.items()})
    inner = SimpleNamespace(weights=p.inner_weights, bias=p.inner_bias)
    outer = SimpleNamespace(weights=p.output_weights, bias=p.output_bias)
    meant = tw.Dense(4).forward(tw.Dense(5, "tanh").forward(x, inner), outer)
    assert_allclose(layer.forward(x, p), meant, rtol=1e-12)
    declared = layer.parameters((4,))
    assert [declared[n].penalized for n in shapes] == [True, False, True, False]
    gelu = tw.FeedForward(3).parameters((4,))["inner_weights"]
    assert gelu.initializer.name == "he_uniform"


def test_a_block_is_residual_layers_of_norms_attention_and_dense_ones() -> None:
    block = tw.TransformerBlock(2, 7, True, "rms", 0.1, "rotary")
    meant = tw.Network(
        [
            tw.Residual(
                [
                    tw.RMSNorm(),
                    tw.Attention(2, True, positions="rotary"),
                    tw.Dropout(0.1),
                ]
            ),
            tw.Residual(
                [tw.RMSNorm(), tw.Dense(7, "gelu"), tw.Dense(4), tw.Dropout(0.1)]
            ),
        ]
    ).initialize((5, 4))
    ours = tw.Network([block]).initialize((5, 4))
    values = [RANDOM.normal(size=a.shape) for a in meant.parameters.values()]
    for network in (ours, meant):
        named = zip(network.parameters, values, strict=True)
        network.set_parameters({name: array.copy() for name, array in named})
    x = RANDOM.normal(size=(3, 5, 4))
    assert_allclose(ours.predict(x), meant.predict(x), rtol=1e-5, atol=1e-5)


def test_names_and_summary_say_what_is_inside() -> None:
    block = tw.TransformerBlock(2, 16, causal=True, dropout=0.1)
    assert describe(block) == "TransformerBlock(2, units=16, causal=True, dropout=0.1)"
    network = tw.Network([tw.Positions(), block]).initialize((5, 8))
    text = network.summary()
    for line in ("2.1.2      Attention(2, causal=True)", "2.2.2      FeedForward(16)"):
        assert line in text
    explained = network.explain()
    assert "z = where(mask, " in explained
    assert "_1_2_query_weights" in explained
    assert "table" not in explained.partition("Layer 2")[2]


def test_dropout_acts_in_training_alone() -> None:
    X, y = np.ones((40, 5, 4)), np.zeros((40, 5, 4))
    how: Any = {"epochs": 1, "validation": None, "optimizer": tw.SGD(1e-9)}
    losses: set[float] = set()
    for dropout in (0.0, 0.5):
        network = tw.Network([tw.TransformerBlock(2, 6, dropout=dropout)])
        losses.add(network.fit(X, y, **how).training_loss[0])
        assert_array_equal(network.predict(X), network.predict(X))
    assert len(losses) == 2


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no norm 'root'"):
        tw.TransformerBlock(2, 8, norm="root")
    with pytest.raises(ArgumentError, match=r"dropout must be in \[0, 1\), got 1"):
        tw.TransformerBlock(2, 8, dropout=1)
    with pytest.raises(ArgumentError, match="heads must be a whole number, 1 or more"):
        tw.TransformerBlock(0, 8)
    with pytest.raises(ArgumentError, match="units must be a whole number, 1 or more"):
        tw.TransformerBlock(2, 0)
    with pytest.raises(ArgumentError, match="no positions 'sine'"):
        tw.TransformerBlock(2, 8, positions="sine")
    with pytest.raises(ArgumentError, match="no activation 'gelo'"):
        tw.FeedForward(2, "gelo")
    with pytest.raises(ShapeError, match=r"layer 2, Attention\(3\).*3 heads divide"):
        tw.Network([tw.TransformerBlock(3, 8)]).initialize((5, 4))
    with pytest.raises(ShapeError, match=r"FeedForward must be given x of shape"):
        tw.FeedForward(2).parameters(())


# Networks of them ---------------------------------------------------------------------

TIMES = 6


def text() -> tuple[Any, Any]:
    """Codes, each of which follows from the one before it and from the first."""
    first, step = RANDOM.integers(0, 7, (2, 200))
    X = (first[:, None] + step[:, None] * np.arange(TIMES + 1)) % 7
    return X[:, :-1], X[:, 1:]


def network(**how: Any) -> tw.Network:
    """A small model of a language."""
    blocks = [tw.TransformerBlock(2, 16, causal=True, **how)] * 2
    layers = [tw.Embedding(7, 12), *blocks, tw.LayerNorm(), tw.Dense(7, "softmax")]
    return tw.Network(
        layers if "positions" in how else [layers[0], tw.Positions(), *layers[1:]]
    )


HOW: Any = {"validation": None, "batch_size": 50}


@pytest.mark.parametrize("how", [{}, {"norm": "rms", "positions": "rotary"}])
def test_it_learns_what_comes_next_and_is_kept(how: Any, tmp_path: Path) -> None:
    X, y = text()
    learned = network(**how)
    learned.fit(X, y, epochs=80, optimizer=tw.Adam(0.01), **HOW)
    # From the third code on, the two before it say what comes.
    right = learned.predict(X).argmax(-1) == y
    assert right[:, 2:].mean() > 0.95
    learned.save(tmp_path / "a.thalweg")
    loaded = tw.load(tmp_path / "a.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.layers == learned.layers
    assert_array_equal(loaded.predict(X), learned.predict(X))
    loaded.fit(X, y, epochs=1, warm_start=True, **HOW)
    tw.export(learned, tmp_path / "a.onnx")
    tw.export(learned, tmp_path / "a.py")
    few = X[:9].astype(np.float32)
    (found,) = outputs(tmp_path / "a.onnx", {"X": few})
    assert_near(found, learned.predict(few), 1e-4)
    assert_near(asked_of_python(tmp_path / "a.py", few)["predict"], found, 1e-4)


def test_longer_sequences_are_exported_alike(tmp_path: Path) -> None:
    """Masks and angles of more than 64 times are computed, not written down."""
    layers = [
        tw.Positions("sine"),
        tw.Attention(2, True, 4, "rotary", True),
        tw.TransformerBlock(1, 3, norm="rms"),
        tw.Positions(),
    ]
    made = tw.Network([*layers, tw.FeedForward(3, "relu")]).initialize((90, 6))
    x = RANDOM.normal(size=(5, 90, 6)).astype(np.float32)
    for name in ("a.onnx", "a.py"):
        tw.export(made, tmp_path / name)
    (found,) = outputs(tmp_path / "a.onnx", {"X": x})
    assert_near(found, made.predict(x), 1e-4)
    assert_near(asked_of_python(tmp_path / "a.py", x)["predict"], found, 1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_engine_does_what_the_interpreter_does(dtype: Any) -> None:
    X, y = text()
    both = [network(dropout=0.2) for _ in range(2)]
    for each, engine in zip(both, ("native", "interpreter"), strict=True):
        each.fit(X, y, epochs=3, dtype=dtype, engine=engine, **HOW)
    tolerance = {"float32": 2e-4, "float64": 1e-9}[dtype]
    ours, meant = (each.parameters for each in both)
    for name, array in meant.items():
        assert_allclose(ours[name], array, tolerance, tolerance)
    found = both[0].predict(X, engine="interpreter")
    assert_allclose(both[0].predict(X), found, tolerance, tolerance)


def test_the_same_bits_for_any_number_of_threads_and_rows() -> None:
    X, y = text()
    made: list[bytes] = []
    for threads in (1, 2, 3, 8):
        one = network(positions="rotary", dropout=0.1)
        one.fit(X, y, epochs=2, threads=threads, validation=None, batch_size=100)
        made.append(b"".join(a.tobytes() for a in one.parameters.values()))
        made.append(one.predict(X, threads=threads).tobytes())
        assert_array_equal(one.predict(X[:1]), one.predict(X)[:1])
        assert_array_equal(one.predict(X[7:20]), one.predict(X)[7:20])
    assert made == made[:2] * 4


def test_a_users_activation_is_saved_as_its_program(tmp_path: Path) -> None:
    layers = [tw.FeedForward(4, lambda z: z * tw.sigmoid(z)), tw.RMSNorm()]
    made = tw.Network([tw.Residual(layers)]).initialize((5, 3))
    made.save(tmp_path / "a.thalweg")
    x = RANDOM.normal(size=(4, 5, 3))
    loaded: Any = tw.load(tmp_path / "a.thalweg")
    assert_array_equal(loaded.predict(x), made.predict(x))


# Room ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        tw.Attention(1),
        tw.Attention(1, causal=True, positions="rotary", units=2),
        tw.TransformerBlock(1, 4, causal=True),
        tw.Frozen(tw.TransformerBlock(1, 4)),
        tw.FeedForward(2**13),
    ],
)
def test_what_takes_too_much_room_for_a_row_is_refused(layer: tw.Layer) -> None:
    """Before anything of that size is made, in a file as well."""
    made = tw.Network([layer, tw.GlobalMax(), tw.Dense(1)])
    X, y = np.zeros((4, 5_000, 1)), np.zeros(4)
    tracemalloc.start()
    try:
        with pytest.raises((ModelFileError, ArgumentError), match="for a row"):
            made.fit(X, y, validation=None, epochs=1)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "layer",
    [
        {"type": "Attention", "heads": 1, "causal": True},
        {"type": "Positions", "kind": "sine"},
    ],
)
def test_a_small_file_of_long_sequences_takes_little_memory(
    layer: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.thalweg"
    tw.Network([tw.Attention(1), tw.GlobalMax()]).initialize((2, 1)).save(path)
    tensors, document = read_model(path)
    document["network"]["input_shape"] = [2**21, 8]
    document["network"]["layers"][0] = layer
    write_model(path, tensors, document)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError):
            tw.load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_blocks_count_as_the_layers_that_they_are(tmp_path: Path) -> None:
    made = tw.Network([tw.TransformerBlock(1, 1)] * 57).initialize((1, 1))
    with pytest.raises(ModelFileError, match="there may be 512 layers"):
        made.save(tmp_path / "a.thalweg")
