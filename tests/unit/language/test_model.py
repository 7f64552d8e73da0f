"""A model of text writes, predicts, and comes back from its file, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files.modelfile import read_model, write_model
from thalweg.language.model import LanguageModel
from thalweg.language.network import build
from thalweg.language.settings import TextSettings
from thalweg.text import Bytes, Text, Vocabulary

LETTERS = Text.of("\n abcdefgh").vocabulary


def made(vocabulary: Vocabulary = LETTERS) -> LanguageModel:
    settings = TextSettings(layers=(8,), length=6)
    network = build(vocabulary, settings).initialize((6,), seed=2)
    return LanguageModel(network, vocabulary, {"notes": []})


@pytest.mark.parametrize("vocabulary", [LETTERS, Bytes()])
def test_a_model_comes_back(tmp_path: Path, vocabulary: Vocabulary) -> None:
    model, path = made(vocabulary), tmp_path / "m.thalweg"
    model.save(path)
    found = tw.load(path)
    assert isinstance(found, LanguageModel)
    assert (found.vocabulary, found.results) == (vocabulary, {"notes": []})
    assert found.write("abc", 20, seed=5) == model.write("abc", 20, seed=5)
    assert read_model(path)[1]["required_features"].count("text") == 1


def test_what_is_written_goes_on_from_its_start() -> None:
    model = made()
    written = model.write("abc", 30, seed=1)
    assert written.startswith("abc")
    assert len(written) == 33
    assert written == model.write("abc", 30, seed=1)
    assert written != model.write("abc", 30, seed=2)
    assert written[:10] == model.write("abc", 7, seed=1)
    assert model.write("abc", 0) == "abc"


def test_the_likeliest_is_what_the_network_gives_most() -> None:
    model = made()
    written = model.write("cdefgh", 1, temperature=0)
    window = model.vocabulary.encode("cdefgh")[np.newaxis]
    likeliest = model.network.predict(window)[0, -1].argmax()
    assert written[-1] == model.vocabulary.labels()[likeliest]


@pytest.mark.parametrize(
    "given",
    [
        {"start": ""},
        {"start": "xyz"},
        {"start": 3},
        {"length": -1},
        {"length": 2**40},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_k": 0},
        {"seed": -1},
    ],
)
def test_what_cannot_be_written_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        made().write(**given)


def test_a_row_for_each_character_but_the_first() -> None:
    frame = made().predict(Text.of("abx"))
    assert frame["character"].to_list() == ["b", "�"]
    bits = -np.log2(frame["probability"].to_numpy())
    assert frame["bits"].to_numpy() == pytest.approx(bits, rel=1e-5)
    assert (frame["highest"] >= frame["probability"]).all()


def test_a_text_of_one_character_has_nothing_to_predict() -> None:
    with pytest.raises(DataError, match="two characters or more"):
        made().evaluate(Text.of("a"))
    with pytest.raises(DataError, match="must be read as bytes"):
        made(Bytes()).evaluate(Text.of("ab"))


def damaged(path: Path, change: Any) -> None:
    made().save(path)
    tensors, document = read_model(path)
    change(document["text"])
    del document["payload_sha256"]
    write_model(path, tensors, document)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.pop("vocabulary"),
        lambda text: text.update(vocabulary=3),
        lambda text: text.update(results=3),
        lambda text: text["vocabulary"].update(codes=[1, 2]),
        lambda text: text["vocabulary"].update(codes=list(range(9, -1, -1))),
        lambda text: text.update(vocabulary={"unit": "bytes"}),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "m.thalweg"
    damaged(path, change)
    with pytest.raises(ModelFileError, match=r"m\.thalweg"):
        tw.load(path)
