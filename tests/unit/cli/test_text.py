"""The command line on a text: trained, written, predicted, reported, exported."""

from __future__ import annotations

import json
import random
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from support.exported import outputs
from thalweg.cli import run
from thalweg.language.model import LanguageModel

QUICK = ("--epochs", "2", "--layers", "8", "--length", "16")
WORDS = "so long as men can breathe or eyes see this lives\nand gives life to thee"


def verse(words: int = 700) -> str:
    choose = random.Random(1)
    return " ".join(choose.choice(WORDS.split(" ")) for _ in range(words))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a model was trained, with the text and the report of it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "verse.txt").write_text(verse())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        how = (*QUICK, "--quiet", "--report", "now.html")
        assert run(["train", "verse.txt", *how]) == 0
    return folder


@pytest.fixture
def model(thalweg, trained: Path, tmp_path: Path) -> str:
    """The model, in a folder of its own beside the text."""
    for name in ("verse.txt", "verse.thalweg"):
        shutil.copy(trained / name, tmp_path / name)
    return "verse.thalweg"


def test_a_text_needs_no_configuration(thalweg, tmp_path: Path) -> None:
    (tmp_path / "verse.txt").write_text(verse())
    result = thalweg("train", "verse.txt", *QUICK)
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    for part in (
        "Text verse.txt: 3,",
        "Target next character",
        "to learn from, then",
        "16 characters → embedding 32 → GRU 8 → dropout 0.1 →",
        "characters never used bits per character perplexity",
        "network",
        "5-gram",
        "bigram",
        "unigram",
        "Saved verse.thalweg",
        "Next thalweg write verse.thalweg",
    ):
        assert part in said
    assert "bits per character" in result.err
    assert "2/2" in result.err


def test_the_results_are_one_object_for_programs(thalweg, tmp_path: Path) -> None:
    (tmp_path / "verse.txt").write_text(verse())
    found = json.loads(thalweg("train", "verse.txt", *QUICK, "--json").out)
    assert [*found["baselines"]] == ["unigram", "bigram", "5-gram"]
    assert found["compared_by"]["metric"] == "bits_per_character"
    assert sum(found["characters"].values()) == len(verse())


def test_a_column_to_predict_makes_it_a_table(thalweg, tmp_path: Path) -> None:
    shutil.copy("penguins.csv", "penguins.txt")
    how = ("--target", "species", "--epochs", "1")
    assert "Table" in thalweg("train", "penguins.txt", *how).out
    assert "Text" in thalweg("train", "penguins.csv", "--unit", "bytes", *QUICK).out


def test_text_is_written(thalweg, model: str) -> None:
    one = thalweg("write", model, "--start", r"so\nlong", "--length", "30")
    assert one.status == 0, one.err
    assert one.out.startswith("so\nlong")
    assert len(one.out) == 38
    how = ("--temperature", "0.5", "--top-k", "3", "--seed", "4", "--length", "30")
    loaded = tw.load(model)
    assert isinstance(loaded, LanguageModel)
    wanted = loaded.write("a", 30, temperature=0.5, top_k=3, seed=4)
    assert thalweg("write", model, "--start", "a", *how).out == f"{wanted}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--start", "ROMÉO"), "--start must have characters"),
        (("--start", ""), "--start must be a text"),
        (("--temperature", "-1"), "--temperature must be"),
        (("--temperature", "nan"), "--temperature must be"),
        (("--top-k", "0"), "--top-k must be"),
        (("--length", "-1"), "--length must be"),
        (("--seed", "-1"), "--seed must be"),
        (("--temprature", "1"), "did you mean '--temperature'?"),
    ],
)
def test_a_wrong_option_is_refused(refused, model: str, options, said: str) -> None:
    assert said in refused("write", model, *options, status=2)


def test_other_models_do_not_write(refused, model_bytes: bytes) -> None:
    Path("penguins.thalweg").write_bytes(model_bytes)
    said = refused("write", "penguins.thalweg", status=1)
    assert "must hold a model of text" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--cell", "grue"), "did you mean 'gru'?"),
        (("--unit", "words"), "there is no unit 'words'"),
        (("--length", "x"), "--length must be a whole number"),
        (("--layers", "none"), "--layers must be one or more"),
        (("--filters", "3"), "--filters must be left out with a text"),
        (("--group", "a"), "--group must be left out with a text"),
        (("--unit", "bytes", "--target", "a"), "--target must be left out with text"),
        (("--celll", "gru"), "did you mean '--cell'?"),
    ],
)
def test_a_setting_is_refused(refused, model: str, options, said: str) -> None:
    assert said in refused("train", "verse.txt", *options, status=2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"a", "three parts"),
        (b"ab" * 100, "must have more than 64 characters"),
        (b"a\xff", "the byte at place 1 is 0xff"),
        (b"a\xff", "read it as bytes: --unit bytes"),
    ],
)
def test_a_text_is_refused(refused, tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "t.txt").write_bytes(data)
    assert said in refused("train", "t.txt", status=1)


def test_inspecting_a_text_says_what_takes_it(refused, model: str) -> None:
    Path("verse.txt").write_text("a\nb,c\n")
    assert "thalweg train takes it" in refused("inspect", "verse.txt", status=1)


def test_another_text_is_scored(thalweg, model: str) -> None:
    Path("other.txt").write_text("so long as men cañ breathe")
    found = json.loads(thalweg("evaluate", model, "other.txt", "--json").out)
    loaded = tw.load(model)
    assert isinstance(loaded, LanguageModel)
    assert found == {**loaded.evaluate("other.txt"), "characters": 26}
    result = thalweg("evaluate", model, "other.txt")
    assert "1 character that the model doesn't know" in result.err
    assert "26 characters of other.txt" in " ".join(result.out.split())
    assert thalweg("evaluate", model, "other.txt", "--comment", "#").status == 2


def test_each_character_is_predicted(thalweg, model: str) -> None:
    Path("other.txt").write_text("so long")
    result = thalweg("predict", model, "other.txt")
    head, *rows = result.out.splitlines()
    assert head == "character,probability,bits,likeliest,highest"
    assert [row.split(",")[0] for row in rows] == list("o long")
    assert thalweg("predict", model, "other.txt", "-o", "p.parquet").status == 0


def test_a_model_is_explained(thalweg, model: str) -> None:
    said = thalweg("explain", model).out
    assert "windows of 16 characters" in said
    assert "GRU(8)" in said


def test_the_report_is_the_same_later(thalweg, model: str, trained: Path) -> None:
    assert thalweg("report", model, "-o", "later.html").status == 0
    page, later = (trained / "now.html").read_text(), Path("later.html").read_text()
    for part in ("How far it looks back", "At temperature 0.8", "5-gram", "--layers 8"):
        assert part in page
    seconds = re.compile(r"[\d.]+ s\b|<td>[\d.]+</td>")
    assert seconds.sub("", page) == seconds.sub("", later)
    Path("verse.txt").unlink()
    result = thalweg("report", model)
    assert "there is no verse.txt" in result.err
    assert "How far it looks back" not in Path("verse.html").read_text()


def test_an_exported_file_gives_the_same_probabilities(thalweg, model: str) -> None:
    assert thalweg("export", model, "--to", "python").status == 0
    loaded = tw.load(model)
    assert isinstance(loaded, LanguageModel)
    X = loaded.vocabulary.encode("so long as men c")[np.newaxis]
    found = runpy.run_path("verse.py")["compute"](X)
    wanted = loaded.network.predict(X)
    assert np.allclose(found["probabilities"], wanted, atol=1e-5)
    assert thalweg("export", model, "--to", "onnx").status == 0
    (given,) = outputs(Path("verse.onnx"), {"X": X})
    assert np.allclose(given, wanted, atol=1e-5)


def test_ctrl_c_keeps_the_best(tmp_path: Path) -> None:
    (tmp_path / "verse.txt").write_text(verse(3000))
    how = ["--epochs", "500", "--layers", "8", "--length", "16", "--patience", "500"]
    command = [sys.executable, "-m", "thalweg", "train", "verse.txt", *how]
    command += ["--checkpoint", "run"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stderr=pipe, stdout=pipe) as process:
        end = time.monotonic() + 60
        while not (tmp_path / "run" / "latest.json").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"interrupted" in err
    assert b"thalweg train --resume run" in err
    assert b"never used" in out
    assert (tmp_path / "verse.thalweg").exists()
