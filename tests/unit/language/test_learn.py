"""From a text to a tested network: the same bits, resumed, and what is refused."""

from __future__ import annotations

import random
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError
from thalweg.files.modelfile import read_model
from thalweg.language.settings import TextSettings, TextTrainSettings

QUICK: dict[str, Any] = {"layers": (8,), "length": 16, "epochs": 2}
WORDS = "so long as men can breathe or eyes see this lives and gives life to thee"


def verse(words: int = 700, seed: int = 1) -> str:
    choose = random.Random(seed)
    return " ".join(choose.choice(WORDS.split()) for _ in range(words))


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "verse.txt"
    path.write_text(verse())
    return path


def trained_on(source: Any, **how: Any) -> tw.TrainedOnText:
    found: Any = tw.train(source, **how)
    assert isinstance(found, tw.TrainedOnText)
    return found


def saved(trained: tw.TrainedOnText, path: Path) -> tuple[dict[str, bytes], Any]:
    """All of a model file but how long each epoch took."""
    trained.model.save(path)
    tensors, document = read_model(path)
    del tensors["times"]
    return {name: array.tobytes() for name, array in tensors.items()}, document


def test_the_network_beats_the_bigram(text: Path) -> None:
    text.write_text(verse(4000))
    trained = trained_on(text, layers=(32,), epochs=12)
    bits = trained.test["bits_per_character"]
    others = [each["bits_per_character"] for each in trained.baselines.values()]
    assert bits < others[1] < others[0]
    assert trained.model.results["test"] == trained.test
    assert trained.model.evaluate(trained.prepared.texts.test) == trained.test
    assert trained.test["perplexity"] == pytest.approx(2**bits)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_bits_for_any_number_of_threads(text: Path, threads: int) -> None:
    one = saved(trained_on(text, threads=1, **QUICK), Path("one.thalweg"))
    other = saved(trained_on(text, threads=threads, **QUICK), Path("other.thalweg"))
    assert one == other


def test_a_resumed_run_is_the_whole_run(text: Path) -> None:
    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 1:
            raise KeyboardInterrupt

    how: dict[str, Any] = {**QUICK, "dropout": 0.2}
    whole = saved(trained_on(text, **how), Path("whole.thalweg"))
    checkpoint = tw.Checkpoint("run")
    stopped = trained_on(text, callback=stop, checkpoint=checkpoint, **how)
    assert stopped.history.stopped_because == "interrupted after epoch 1"
    resumed = tw.resume("run")
    assert isinstance(resumed, tw.TrainedOnText)
    assert saved(resumed, Path("resumed.thalweg")) == whole


def test_a_run_goes_on_with_the_same_text_alone(text: Path) -> None:
    def stop(record: tw.EpochRecord) -> None:
        raise KeyboardInterrupt

    trained_on(text, callback=stop, checkpoint=tw.Checkpoint("run"), **QUICK)
    text.write_text(verse() + "!")
    with pytest.raises(DataError, match=r"it has 3,211 characters, it had 3,210"):
        tw.resume("run")
    text.write_text("S" + verse()[1:])
    with pytest.raises(DataError, match="a character was changed"):
        tw.resume("run")


def test_the_test_is_never_used(text: Path) -> None:
    letters = verse()
    start = len(letters) - round(len(letters) * 0.1)
    one = trained_on(text, **QUICK).model.network
    text.write_text(letters[:start] + "x" * (len(letters) - start))
    other = trained_on(text, **QUICK).model.network
    for name, array in one.parameters.items():
        assert np.array_equal(array, other.parameters[name]), name


def test_own_texts_take_the_place_of_parts(text: Path) -> None:
    Path("later.txt").write_text(verse(200, seed=2) + "é")
    trained = trained_on(text, test_data="later.txt", **QUICK)
    parts = trained.prepared.texts
    assert len(parts.test) == len(verse(200, seed=2)) + 1
    assert len(parts.training) + len(parts.validation) == len(verse())
    assert parts.test.unknown == 1
    assert trained.prepared.notes[0].startswith("tested on later.txt")


def test_bytes_need_no_vocabulary(text: Path) -> None:
    Path("data.bin").write_bytes(bytes(range(256)) * 8)
    trained = trained_on("data.bin", unit="bytes", **QUICK)
    assert next(iter(trained.test)) == "bits_per_byte"
    assert trained.model.vocabulary.size == 256


@pytest.mark.parametrize("cell", ["lstm", "rnn", "transformer"])
def test_every_cell_learns(text: Path, cell: str) -> None:
    trained = trained_on(text, cell=cell, **QUICK)
    first, last = trained.history.training_loss
    assert last < first


def test_many_characters_are_learned_as_numbers(text: Path) -> None:
    text.write_text("".join(map(chr, range(0x4E00, 0x4E00 + 300))) * 8)
    model = trained_on(text, **QUICK).model
    assert model.network.input_dtype == "float32"
    assert len(model.write("\u4e00", 5)) == 6


@pytest.mark.parametrize(
    ("letters", "said"),
    [("a", "three parts"), ("ab" * 60, "must have more than 16 characters")],
)
def test_a_short_text_is_refused(text: Path, letters: str, said: str) -> None:
    text.write_text(letters)
    with pytest.raises(DataError, match=said):
        trained_on(text, **QUICK)


@pytest.mark.parametrize(
    "given",
    [
        {"cell": "grue"},
        {"unit": "words"},
        {"layers": ()},
        {"layers": (0,)},
        {"cell": "transformer", "layers": (8, 4)},
        {"length": 0},
        {"loss": "poisson"},
        {"characters": 0},
        {"validation": 0.5, "test": 0.5},
        {"epoch": 3},
        {"filters": (3,)},
    ],
)
def test_a_setting_that_cannot_be_is_refused(text: Path, given: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        trained_on(text, **given)


def test_each_setting_can_be_given_as_it_is_kept() -> None:
    kept = get_type_hints(TextSettings)
    given = get_type_hints(TextTrainSettings)
    assert list(given) == [each.name for each in fields(TextSettings)]
    for name in given.keys() - {"layers"}:
        assert given[name] == kept[name]
