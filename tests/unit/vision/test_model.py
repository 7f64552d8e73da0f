"""A model of images as a file, and what it predicts."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.digit_images import digits, write_folder, write_npz
from thalweg.errors import DataError, ModelFileError, ShapeError
from thalweg.files import document
from thalweg.files.modelfile import read_model, write_model
from thalweg.vision.learn import TrainedOnImages
from thalweg.vision.model import ImageModel

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedOnImages:
    path = write_npz(tmp_path_factory.mktemp("digits") / "digits.npz")
    return tw.train(path, epochs=5, filters=(4,))


@pytest.fixture
def path(trained: TrainedOnImages, tmp_path: Path) -> Path:
    trained.model.save(tmp_path / "digits.thalweg")
    return tmp_path / "digits.thalweg"


def test_a_loaded_model_is_the_saved_one(trained: TrainedOnImages, path: Path) -> None:
    loaded = tw.load(path)
    assert isinstance(loaded, ImageModel)
    pixels, _ = digits(20)
    assert loaded.predict(pixels).equals(trained.model.predict(pixels))
    kept, model = (loaded.form, loaded.targets, loaded.task), trained.model
    assert kept == (model.form, model.targets, model.task)
    assert loaded.results == json.loads(json.dumps(model.results))
    loaded.save(path.with_name("again.thalweg"))
    assert path.with_name("again.thalweg").read_bytes() == path.read_bytes()


def test_older_versions_refuse_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = document.KNOWN_FEATURES - {"images"}
    monkeypatch.setattr(document, "KNOWN_FEATURES", older)
    with pytest.raises(ModelFileError, match="images"):
        tw.load(path)


DAMAGES: dict[str, Callable[[Any], Any]] = {
    "no form": lambda images: images.pop("form"),
    "no targets": lambda images: images.pop("targets"),
    "a side of 0": lambda images: images["form"].update(height=0),
    "a side of 10⁹": lambda images: images["form"].update(width=10**9),
    "two channels": lambda images: images["form"].update(channels=2),
    "True channels": lambda images: images["form"].update(channels=True),
    "another size": lambda images: images["form"].update(height=9),
    "more in the form": lambda images: images["form"].update(depth=9),
    "a class less": lambda images: [images["targets"][k].pop() for k in
                                    ("keys", "labels")],
    "no task": lambda images: images.update(task="classes"),
    "results as a list": lambda images: images.update(results=[1]),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused(path: Path, name: str) -> None:
    tensors, found = read_model(path)
    DAMAGES[name](found["images"])
    write_model(path, tensors, found)
    with pytest.raises(ModelFileError, match=str(path)):
        tw.load(path)


def test_broken_bytes_are_refused_or_load(path: Path) -> None:
    """As `scripts/fuzz_model_file.py` breaks files, some of them."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        from mutations import any_mutation  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    finally:
        sys.path.remove(str(SCRIPTS))
    whole, choose = path.read_bytes(), random.Random(7)
    for _ in range(150):
        path.write_bytes(any_mutation(whole, choose))
        try:
            loaded = tw.load(path)
        except ModelFileError:
            continue
        if isinstance(loaded, ImageModel):
            loaded.predict(np.zeros((3, *loaded.form.shape), np.uint8))


def test_arrays_need_the_size_of_training(trained: TrainedOnImages) -> None:
    pixels, _ = digits(3)
    one = trained.model.predict(pixels)
    assert one.equals(trained.model.predict(pixels[..., None].astype(np.float64)))
    assert one.columns[0] == "prediction"
    with pytest.raises(ShapeError, match=r"\(rows, 8, 8, 1\) as in training"):
        trained.model.predict(pixels[:, :7])
    with pytest.raises(DataError, match="whole numbers from 0 to 255"):
        trained.model.predict(pixels / 255)
    with pytest.raises(tw.ArgumentError, match="a path or an array"):
        trained.model.predict([[1]])


def test_rows_dont_depend_on_those_beside_them(trained: TrainedOnImages) -> None:
    pixels, _ = digits(9)
    whole = trained.model.predict(pixels)
    alone = [trained.model.predict(pixels[row : row + 1]) for row in range(9)]
    assert whole.equals(pl.concat(alone))


def test_a_folder_and_a_file_are_brought_to_the_form(
    trained: TrainedOnImages, tmp_path: Path
) -> None:
    from PIL import Image

    folder = write_folder(tmp_path / "photos")
    found = trained.model.predict(folder)
    first = sorted(folder.rglob("*.png"))[0]
    assert found["file"][0] == first.relative_to(folder).as_posix()
    alone = trained.model.predict(first)
    assert alone["file"].to_list() == [first.name]
    assert alone["prediction"][0] == found["prediction"][0]
    Image.open(first).resize((40, 40)).convert("RGB").save(tmp_path / "large.png")
    assert len(trained.model.predict(str(tmp_path / "large.png"))) == 1


def test_scores_are_those_of_scikit_learn(
    trained: TrainedOnImages, tmp_path: Path
) -> None:
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    pixels, classes = digits(100, 400)
    np.savez(tmp_path / "new.npz", X=pixels, y=classes)
    metrics = trained.model.evaluate(tmp_path / "new.npz")
    answers = trained.model.predict(pixels)
    said = answers["prediction"].to_numpy().astype(int)
    probabilities = answers.drop("prediction").to_numpy().astype(np.float64)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(classes, said))
    assert metrics["f1"] == pytest.approx(f1_score(classes, said, average="macro"))
    sums = probabilities.sum(axis=1, keepdims=True)
    expected = log_loss(classes, probabilities / sums)
    assert metrics["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_scoring_needs_known_classes(trained: TrainedOnImages, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos")  # whose classes have other names
    with pytest.raises(DataError, match="must be one of '0', '1'"):
        trained.model.evaluate(folder)


def test_results_are_plain_data(path: Path) -> None:
    _, found = read_model(path)
    results = found["images"]["results"]
    assert json.loads(json.dumps(results)) == results
    assert results["data"]["images"] == 300
    assert results["data"]["form"] == [8, 8, 1]
