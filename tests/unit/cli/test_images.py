"""The command line on images: trained, predicted, scored, reported, exported."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from support.digit_images import digits, write_folder, write_idx, write_npz
from thalweg.cli import run
from thalweg.files.modelfile import read_model
from thalweg.vision.model import ImageModel

QUICK = ("--epochs", "2", "--filters", "4,8")
ROWS, TESTS = 150, 50  # images to learn from, and in files of their own to test on


def content(path: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All of a model file but how long each epoch took."""
    tensors, document = read_model(path)
    del tensors["times"]
    return {name: array.tobytes() for name, array in tensors.items()}, document


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a model was trained, with the images and the report of it."""
    folder = tmp_path_factory.mktemp("trained")
    write_npz(folder / "digits.npz", ROWS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        how = (*QUICK, "--quiet", "--report", "now.html")
        assert run(["train", "digits.npz", *how]) == 0
    return folder


@pytest.fixture
def model(thalweg, trained: Path, tmp_path: Path) -> str:
    """The model, in a folder of its own beside the images."""
    for name in ("digits.npz", "digits.thalweg"):
        shutil.copy(trained / name, tmp_path / name)
    return "digits.thalweg"


def test_a_folder_needs_no_configuration(thalweg, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos")
    (folder / "digit 2" / "broken.png").write_bytes(b"no picture")
    result = thalweg("train", "photos/", *QUICK)
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    for part in (
        "Images photos: ",
        "of 8 × 8, grey",
        "Target classes: there are 3, such as 'digit 0'",
        "1 file left out: digit 2/broken.png (",
        "8 × 8 × 1 → rescale → 4 filters 3 × 3 relu → max pool 2",
        "images never used",
        "nearest neighbor",
        "dense network (",
        "linear model",
        "constant guess",
        "95% interval",
        "Saved photos.thalweg",
        "Next thalweg predict photos.thalweg IMAGES",
    ):
        assert part in said
    assert "2/2" in result.err
    assert isinstance(tw.load("photos.thalweg"), ImageModel)


def test_idx_and_npz_as_json(thalweg, tmp_path: Path) -> None:
    write_idx(tmp_path / "mnist", ROWS, TESTS)
    found = json.loads(thalweg("train", "mnist", *QUICK, "--json").out)
    assert found["rows"]["test"] == TESTS
    assert found["form"] == {"height": 8, "width": 8, "channels": 1}
    assert (found["model"], found["left_out"]) == ("mnist.thalweg", [])
    write_npz(tmp_path / "digits.npz", ROWS)
    found = json.loads(thalweg("train", "digits.npz", *QUICK, "--json").out)
    assert (found["task"], found["target"]) == ("classes", "class")
    assert found["rows"] == {"training": 90, "validation": 30, "test": 30}


def test_python_does_what_the_command_does(thalweg, model: str) -> None:
    tw.train("digits.npz", epochs=2, filters=(4, 8)).model.save("python.thalweg")
    assert content("python.thalweg") == content(model)


def test_predictions_are_csv_with_the_file_of_each(
    thalweg, model: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "new")
    (folder / "digit 1" / "broken.png").write_bytes(b"no picture")
    result = thalweg("predict", model, "new")
    assert result.status == 0, result.err
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert list(rows[0]) == ["file", "prediction"] + [
        f"probability of {number}" for number in range(10)
    ]
    assert {row["file"].split("/")[0] for row in rows} == {
        f"digit {number}" for number in range(3)
    }
    for row in rows:
        said = {k: float(v) for k, v in row.items() if k.startswith("probability")}
        assert f"probability of {row['prediction']}" == max(said, key=said.__getitem__)
    assert "warning: new: digit 1/broken.png" in result.err
    one = thalweg("predict", model, folder / rows[0]["file"])
    alone, among = one.out.splitlines()[1].split(",")[1:], list(rows[0].values())[1:]
    assert alone[0] == among[0]
    found = [np.array(each[1:], float) for each in (alone, among)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    result = thalweg("predict", model, "new", "-o", "new.parquet")
    assert result.err.startswith(f"{len(rows)} images in new.parquet")


def test_scores_of_images_of_known_classes(thalweg, model: str, tmp_path: Path) -> None:
    pixels, classes = digits(TESTS, ROWS)
    np.savez(tmp_path / "new.npz", X=pixels, y=classes)
    result = thalweg("evaluate", model, "new.npz")
    assert f"{TESTS} images of new.npz" in result.out
    found = json.loads(thalweg("evaluate", model, "new.npz", "--json").out)
    loaded = tw.load(model)
    assert isinstance(loaded, ImageModel)
    assert found == {**loaded.evaluate("new.npz"), "images": TESTS}


def test_the_images_to_test_on_are_scored_again(thalweg, tmp_path: Path) -> None:
    write_idx(tmp_path / "mnist", ROWS, TESTS)
    trained = json.loads(thalweg("train", "mnist", *QUICK, "--json").out)
    found = json.loads(thalweg("evaluate", "mnist.thalweg", "mnist", "--json").out)
    assert found == {**trained["test"], "images": TESTS}


def test_a_report_at_once_and_later(thalweg, model: str, trained: Path) -> None:
    result = thalweg("report", model, "-o", "later.html")
    assert (result.status, result.err) == (0, "report in later.html\n")
    pages = trained / "now.html", Path("later.html")
    now, later = (page.read_text("utf-8") for page in pages)
    assert now.count("<img") == later.count("<img") > 20
    Path("digits.npz").unlink()
    result = thalweg("report", model, "-o", "without.html")
    assert "there is no digits.npz in the current folder" in result.err


def test_explain_shows_form_and_formulas(thalweg, model: str) -> None:
    said = " ".join(thalweg("explain", model).out.split())
    assert "Images 8 × 8, grey Target classes: there are 10" in said
    assert "Forward, as in training" in said


def test_explain_draws_what_a_model_sees_in_a_file(thalweg, model: str) -> None:
    names = sorted(Path(write_folder(Path("photos"), 12)).rglob("*.png"))
    result = thalweg("explain", model, "--image", str(names[-1]), "--figure", "it.png")
    assert result.status == 0, result.err
    loaded = tw.load(model)
    assert isinstance(loaded, ImageModel)
    (prediction,) = loaded.predict(names[-1])["prediction"]
    assert f"Gives {prediction} " in " ".join(result.out.split())
    assert Path("it.png").is_file()
    assert Path("it.json").is_file()


@pytest.mark.parametrize("form", ["python", "onnx"])
def test_an_export_says_what_it_takes(thalweg, model: str, form: str) -> None:
    if form == "onnx":
        pytest.importorskip("onnx")
    result = thalweg("export", model, "--to", form)
    assert result.status == 0, result.err


OF_TABLES = {
    "--target": "x",
    "--time": "day",
    "--group": "who",
    "--ignore": "x",
    "--weights": "w",
    "--class-weight": "balanced",
    "--separator": ";",
    "--missing": "?",
    "--target-scale": "log",
}
OF_IMAGES = {
    "--height": "8",
    "--width": "8",
    "--color": "yes",
    "--filters": "8",
    "--augment": "shift=1",
}


@pytest.mark.parametrize("option", OF_TABLES)
def test_options_of_tables_are_refused(refused, tmp_path: Path, option: str) -> None:
    write_npz(tmp_path / "digits.npz", ROWS)
    said = refused("train", "digits.npz", option, OF_TABLES[option], status=2)
    assert said.startswith(f"error: {option} must be left out with images")


@pytest.mark.parametrize("option", OF_IMAGES)
def test_options_of_images_are_refused(refused, option: str) -> None:
    how = ("penguins.csv", "--target", "species", option, OF_IMAGES[option])
    said = refused("train", *how, status=2)
    assert said.startswith(f"error: {option} must be left out with a table")


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize("option", [("--lenient",), ("--separator", ";")])
def test_a_model_of_images_takes_no_dialect(
    refused, model: str, command: str, option: tuple[str, ...]
) -> None:
    said = refused(command, model, "digits.npz", *option, status=2)
    assert said.startswith(f"error: {option[0]} must be left out: MODEL takes images")


@pytest.mark.parametrize("option", [*OF_IMAGES, "--epochs", "--seed", "--output"])
def test_misspelled_options_get_the_nearest(refused, option: str) -> None:
    said = refused("train", "photos", f"{option}x", "1", status=2)
    assert f"did you mean '{option}'" in said


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--filters", "a"), "--filters must be whole numbers such as 16,32, or none"),
        (("--color", "red"), "--color must be yes or no, got 'red'"),
        (("--height", "0"), "--height must be"),
        (("--augment", "shift"), "--augment must have a number for shift"),
        (("--augment", "shft=1"), "did you mean 'shift'"),
        (("--filters", "8,8,8,8"), "--filters must be fewer for images of 8 × 8"),
    ],
)
def test_values_that_cant_be(
    refused, tmp_path: Path, option: tuple[str, ...], words: str
) -> None:
    write_npz(tmp_path / "digits.npz", ROWS)
    assert words in refused("train", "digits.npz", *option, status=2)


def test_what_holds_no_images(refused, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty" in refused("train", "empty", status=1)
    assert "no such file" in refused("train", "nowhere.npz", status=1)
    assert "holds no images" in refused("learning-rate", "empty", status=1)
    assert "takes tables" in refused("inspect", "empty", status=2)


def test_own_images_choose_and_test(thalweg, refused, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos")
    more = write_folder(tmp_path / "more")
    pixels, classes = digits(60, 400)
    np.savez(tmp_path / "seen.npz", X=pixels[classes < 3], y=classes[classes < 3])
    (more / "digit 2" / "broken.png").write_bytes(b"no picture")
    own = ("--test-data", "more/", "--validation-data", "more")
    found = json.loads(thalweg("train", "photos", *QUICK, *own, "--json").out)
    count = len([*more.glob("*/*.png")]) - 1
    every = len([*folder.glob("*/*.png")])
    assert found["rows"] == {"training": every, "validation": count, "test": count}
    said = "; ".join(found["notes"])
    assert (
        f"tested on more, {count} images; {count} images of more are in photos" in said
    )
    assert f"{count} images of more are in more, too" in said
    assert "to test on: 1 file left out: more/digit 2/broken.png" in said
    assert thalweg("report", "photos.thalweg").err == "report in photos.html\n"
    page = Path("photos.html").read_text()
    assert "thalweg train photos --validation-data more --test-data more" in page
    (more / "digit 2" / "broken.png").unlink()
    (more / "digit 2").rename(more / "digit two")
    said = refused("train", "photos", *QUICK, *own, status=1)
    assert "photos, validation, more/digit two/" in said
    assert "a class must be one of 'digit 0', 'digit 1', 'digit 2'" in said
    said = refused("train", "photos", *QUICK, "--test-data", "more/digit 1", status=1)
    assert said.startswith("error: digit 1: something must say what the images show")
    given = ("--test", "0.3", "--test-data", "more")
    said = refused("train", "photos", *given, status=2)
    assert "--test must be left out with test_data: no share is needed" in said
    said = refused("train", "photos", "--test-data", "nowhere", status=1)
    assert said == "error: nowhere: there is no such file\n"


def test_settings_are_found_and_can_be_typed_again(thalweg, tmp_path: Path) -> None:
    write_npz(tmp_path / "digits.npz", ROWS)
    how = ("--epochs", "2", "--trials", "2", "--folds", "2", "--budget", "2m")
    result = thalweg("tune", "digits.npz", *how, "--folder", "search")
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    assert "Tuned breadth 8, 16, 32; convolutions 1, 2; learning rate" in said
    assert "2 folds of what isn't for the test" in said
    again = said[said.index("thalweg train digits.npz") :].split(" 30 images")[0]
    found = content("digits.thalweg")
    assert thalweg(*again.split()[1:], "-o", "again.thalweg", "-q").status == 0
    assert content("again.thalweg") == found
    resumed = thalweg("tune", "digits.npz", *how, "--folder", "search", "--resume")
    assert resumed.status == 0, resumed.err
    assert content("digits.thalweg") == found


def test_help_says_what_holds_with_images(thalweg) -> None:
    said = " ".join(thalweg("train", "--help").out.split())
    assert "[silu] [images: relu]" in said
    assert "Images, where DATA is a folder or a file of them" in said
    assert "[200] [images: by their number]" in said


def test_a_resumed_run_saves_the_file_of_the_whole_run(thalweg, tmp_path: Path) -> None:
    write_npz(tmp_path / "digits.npz", ROWS)
    thalweg("train", "digits.npz", *QUICK, "-q", "-o", "whole.thalweg")
    how = ("--checkpoint", "run", "-o", "part.thalweg")
    assert thalweg("train", "digits.npz", *QUICK, "-q", *how).status == 0
    assert content("part.thalweg") == content("whole.thalweg")
    pointer = json.loads(Path("run/latest.json").read_text())
    first = min(pointer["checkpoints"], key=lambda each: len(each["file"]))
    kept = {**pointer, "checkpoints": [first]}
    Path("run/latest.json").write_text(json.dumps(kept))
    Path("part.thalweg").unlink()
    result = thalweg("train", "--resume", "run", "--threads", 2)
    assert result.status == 0, result.err
    assert "goes on after epoch" in result.err
    assert content("part.thalweg") == content("whole.thalweg")


@pytest.mark.skipif(sys.platform == "win32", reason="there signals are others")
def test_ctrl_c_scores_and_saves_what_was_learned(tmp_path: Path) -> None:
    write_npz(tmp_path / "digits.npz", ROWS)
    how = ("--epochs", "1000000", "--patience", "1000000", "--filters", "4")
    command = [sys.executable, "-m", "thalweg", "train", "digits.npz", *how]
    command += ["--log", "run.jsonl"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        log, deadline = tmp_path / "run.jsonl", time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if log.exists() and log.read_text().count("epoch") > 2:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "images never used" in out
    assert re.search("interrupted (after|in) epoch", err), err
    loaded = tw.load(tmp_path / "digits.thalweg")
    assert isinstance(loaded, ImageModel)
    assert len(loaded.predict(digits(3)[0])) == 3
