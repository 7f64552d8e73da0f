"""``thalweg explain MODEL --text TEXT``: what a network sees in a line of text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.figures.along_text import mean_back
from thalweg.figures.explained_text import data_of
from thalweg.language.model import LanguageModel
from thalweg.text.vocabulary import Bytes

LETTERS = tw.Text.of("abc \n").vocabulary
LENGTH = 8


def saved(*middle: tw.Layer, vocabulary=LETTERS) -> tw.Network:
    size = vocabulary.size
    layers = [tw.Embedding(size, 6), *middle, tw.Dense(size, "softmax")]
    network = tw.Network(layers).initialize((LENGTH,), seed=1)
    LanguageModel(network, vocabulary).save("text.thalweg")
    return network


def attending() -> list[tw.Layer]:
    block = tw.TransformerBlock(2, 8, causal=True)
    return [tw.Positions(), block, block, tw.LayerNorm()]


def drawn(name: str = "text-seen") -> dict:
    assert Path(f"{name}.png").read_bytes().startswith(b"\x89PNG")
    return json.loads(Path(f"{name}.json").read_text("utf-8"))


def test_attention_is_that_of_the_line_whatever_comes_after(thalweg) -> None:
    network = saved(*attending())
    result = thalweg("explain", "text.thalweg", "--text", r"ab\nca")
    assert result.status == 0, result.err
    assert "drew text-seen.png and text-seen.json" in result.err
    found = drawn()
    assert found["characters"] == "ab\nca"
    assert found["gates"] == []
    rows = np.full((1, LENGTH), 3, "uint8")  # others than those that pad
    rows[0, :5] = LETTERS.encode("ab\nca")
    lines = result.out.splitlines()
    for number, layer in zip((3, 4), found["attention"], strict=True):
        assert layer["label"] == f"layer {number}, TransformerBlock"
        weights = network.attention_weights(rows, number)[0, :, :5, :5]
        for head, wanted in zip(layer["heads"], weights, strict=True):
            np.testing.assert_allclose(head["weights"], wanted, atol=1e-4)
            np.testing.assert_allclose(np.sum(head["weights"], axis=1), 1, atol=1e-3)
            assert head["back"] == pytest.approx(mean_back(wanted), abs=1e-3)
            most = "".join("ab↵ca"[n] for n in wanted.argmax(axis=1))
            assert f"  head {head['number']}  {most}" in lines


@pytest.mark.parametrize(("cell", "names"), [(tw.LSTM, "ifo"), (tw.GRU, "rz")])
def test_gates_are_those_of_the_line(thalweg, cell, names: str) -> None:
    network = saved(cell(10))
    options = ("--text", "ab ca", "--figure", "gates.png")
    result = thalweg("explain", "text.thalweg", *options)
    assert result.status == 0, result.err
    rows = np.zeros((1, LENGTH), "uint8")
    rows[0, :5] = LETTERS.encode("ab ca")
    gates = network.gates(rows, 2)
    (layer,) = drawn("gates")["gates"]
    assert "".join(gate["name"] for gate in layer["gates"]) == names
    for gate in layer["gates"]:
        values = gates[gate["name"]][0, :5]
        np.testing.assert_allclose(gate["mean"], values.mean(axis=1), atol=1e-4)
        units = np.array(gate["units"]) - 1
        np.testing.assert_allclose(gate["values"], values[:, units].T, atol=1e-4)
        others = np.delete(values.std(axis=0), units)
        assert len(others) == 2
        assert values[:, units].std(axis=0).min() >= others.max()
        tenths = "".join(str(int(10 * each)) for each in values.mean(axis=1))
        assert tenths in result.out


def test_of_a_long_text_the_last_window_is_taken(thalweg) -> None:
    saved(tw.GRU(4))
    said = thalweg("explain", "text.thalweg", "--text", "abcabcab cb").out
    assert "the last 8 of 11 characters" in said
    assert drawn()["characters"] == "abcab cb"


def test_unknown_characters_are_said(thalweg) -> None:
    saved(tw.GRU(4))
    said = thalweg("explain", "text.thalweg", "--text", "aéb語é").out
    assert "'é', '語'" in said
    assert "a�b��" in said
    assert "Unknown" not in thalweg("explain", "text.thalweg", "--text", "ab").out


def test_each_byte_has_a_place_of_its_own(thalweg) -> None:
    saved(tw.GRU(4), vocabulary=Bytes())
    result = thalweg("explain", "text.thalweg", "--text", "né!")
    assert result.status == 0, result.err
    assert drawn()["characters"] == "n��!"


def test_a_network_of_cells_and_attention_shows_both() -> None:
    network = tw.Network(
        [tw.Embedding(6, 6), tw.LSTM(6), tw.Attention(6, causal=True)]
    ).initialize((LENGTH,))
    data = data_of(network, np.array([1]), "a")
    assert data.attention[0].label.endswith("the first 4 of 6 heads")
    assert data.attention[0].heads[0].weights == [[1.0]]
    assert [layer.label for layer in data.gates] == ["layer 2, LSTM"]


def test_a_model_that_gives_no_numbers_is_shown(thalweg) -> None:
    network = saved(tw.GRU(4))
    network.set_parameters({"2.bias": np.full(12, np.nan)})
    LanguageModel(network, LETTERS).save("text.thalweg")
    result = thalweg("explain", "text.thalweg", "--text", "abc")
    assert result.status == 0, result.err
    assert "???" in result.out


@pytest.mark.parametrize(
    ("options", "said", "status"),
    [
        (("--text", ""), "--text must be a text of a character or more", 2),
        (("--text", "a", "--figure", "x.svg"), "ends in .png", 2),
        (("--text", "a", "--figure", "none/x.png"), "there is no folder", 1),
        (("--text", "a", "--image", "x.png"), "must not be given together", 2),
        (("--text", "a"), "neither", 2),
    ],
)
def test_what_cant_be_shown_is_said(refused, options, said: str, status: int) -> None:
    saved(tw.RNN(4))
    assert said in refused("explain", "text.thalweg", *options, status=status)
    assert not list(Path().glob("*.png"))


def test_other_models_see_no_text(refused, model: Path) -> None:
    said = refused("explain", model, "--text", "a", status=1)
    assert "must hold a model of text for thalweg explain --text" in said
