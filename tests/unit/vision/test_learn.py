"""From images to a tested network: the same bits, resumed, copies, two test sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import thalweg as tw
from support.digit_images import digits, write_folder, write_idx, write_npz
from thalweg.errors import ArgumentError, DataError, FileError
from thalweg.files.modelfile import read_model
from thalweg.images.image_set import ImageData, ImageSet
from thalweg.images.pixels import image_set
from thalweg.kinds.learn import learn
from thalweg.vision.learn import IMAGES, TrainedOnImages
from thalweg.vision.prepare import prepare
from thalweg.vision.settings import ImageSettings

QUICK: dict[str, Any] = {"epochs": 4, "filters": (4, 8)}


@pytest.fixture
def npz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_npz(tmp_path / "digits.npz")


def content(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All of a model file but how long each epoch took."""
    tensors, document = read_model(path)
    del tensors["times"]
    return {name: array.tobytes() for name, array in tensors.items()}, document


def saved(trained: TrainedOnImages, path: Path) -> tuple[dict[str, bytes], Any]:
    trained.model.save(path)
    return content(path)


def test_the_network_beats_a_guess_and_the_linear_model(npz: Path) -> None:
    trained = tw.train(write_npz(npz, 1_200), epochs=20)
    assert trained.test["accuracy"] > 0.93
    assert trained.test["accuracy"] > trained.baselines["linear model"]["accuracy"]
    assert trained.baselines["constant guess"]["accuracy"] < 0.2
    assert trained.model.results["test"] == trained.test


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_same_bits_for_any_number_of_threads(npz: Path, threads: int) -> None:
    one = saved(tw.train(npz, threads=1, **QUICK), Path("one.thalweg"))
    other = saved(tw.train(npz, threads=threads, **QUICK), Path("other.thalweg"))
    assert one == other


@pytest.mark.parametrize("augment", [(), ("shift=1",)])
def test_a_resumed_run_is_the_whole_run(npz: Path, augment: tuple[str, ...]) -> None:
    settings: dict[str, Any] = {**QUICK, "augment": augment}
    whole = saved(tw.train(npz, **settings), Path("whole.thalweg"))

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tw.Checkpoint("run")
    part = tw.train(npz, checkpoint=checkpoint, callback=stop, **settings)
    assert part.history.stopped_because.startswith("interrupted")
    resumed = tw.resume("run", threads=2)
    assert isinstance(resumed, TrainedOnImages)
    assert saved(resumed, Path("resumed.thalweg")) == whole


def test_a_run_goes_on_with_the_same_images_alone(npz: Path) -> None:
    tw.train(npz, checkpoint=tw.Checkpoint("run"), **QUICK)
    pixels, classes = digits()
    pixels[0, 0, 0] += 1
    np.savez(npz, X=pixels, y=classes)
    with pytest.raises(DataError, match="a picture, or what it shows, was changed"):
        tw.resume("run")
    write_npz(npz, 299)
    with pytest.raises(DataError, match="there are 299 images, there were 300"):
        tw.resume("run")


def test_images_that_stand_apart_are_tested_on(tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "mnist")
    trained = tw.train(folder, **QUICK)
    parts = trained.prepared
    assert len(parts.test.X) == 100
    assert len(parts.training.X) + len(parts.validation.X) == 300
    assert parts.test_names[0].startswith("t10k")
    pixels, classes = digits(100, 300)
    np.testing.assert_array_equal(parts.test.X[..., 0], pixels)
    np.testing.assert_array_equal(parts.test.truth, classes)
    assert parts.seen == "400 images of 8 × 8, grey"


def test_parts_are_apart_and_hold_all(npz: Path) -> None:
    parts = tw.train(npz, **QUICK).prepared
    every = np.concatenate([*parts.rows.values()])
    assert sorted(every.tolist()) == list(range(300))
    assert len(parts.rows["test"]) == pytest.approx(60, abs=3)
    assert len(parts.rows["validation"]) == pytest.approx(60, abs=3)


def images(pixels: Any, targets: Any) -> ImageSet:
    names = [f"{row}.png" for row in range(len(pixels))]
    return image_set(pixels.reshape(*pixels.shape[:3], -1), targets, names)


def test_copies_are_in_one_part() -> None:
    pixels, classes = digits(200)
    twice = np.concatenate([pixels, pixels])
    known = np.concatenate([classes, classes]).astype(str)
    parts = prepare(ImageData(images(twice, known)), "digits", ImageSettings())
    for rows in parts.rows.values():
        assert set((rows % 200).tolist()) == set((rows[rows < 200]).tolist())


def test_a_class_keeps_its_name_and_numbers_their_order() -> None:
    pixels, classes = digits(200)
    data = ImageData(images(pixels, (classes + 1).astype(str)))
    parts = prepare(data, "digits", ImageSettings())
    labels = getattr(parts.targets, "labels", ())
    assert labels == tuple(map(str, range(1, 11)))
    truth = np.array(labels)[parts.test.truth].astype(int)
    np.testing.assert_array_equal(truth, classes[parts.rows["test"]] + 1)


def test_numbers_are_predicted_in_their_unit() -> None:
    pixels, classes = digits()
    data = ImageData(images(pixels, classes * 100.0 + 0.5))
    trained = learn(IMAGES, data, "", ImageSettings(epochs=25, seed=1))
    assert trained.model.task.kind == "number"
    assert trained.test["r2"] > 0.5
    assert trained.baselines["constant guess"]["r2"] == pytest.approx(0, abs=0.1)
    found = trained.model.predict(pixels[:50])["prediction"].to_numpy()
    assert np.abs(found - classes[:50] * 100).mean() < 150


@pytest.mark.parametrize(
    ("targets", "settings", "words"),
    [
        (None, {}, "something must say what the images show"),
        (["a"] * 40, {}, "at least two classes"),
        ([str(row) for row in range(40)], {}, "two images or more on average"),
        (["a", "b"] * 20, {"task": "number"}, r"0\.png: a target must be a finite"),
        (["a", "b"] * 20, {"loss": "huber"}, "doesn't go with 'class'"),
        (["a", "b"] * 20, {"task": "class"}, "did you mean 'classes'"),
        ([-1.5, 2.5] * 20, {"loss": "poisson"}, "takes counts, 0 or more"),
        (["a", "b"] * 20, {"test": 0.999}, "one side"),
    ],
)
def test_what_cant_be_learned_is_said(targets: Any, settings: Any, words: str) -> None:
    pixels, _ = digits(40)
    known = None if targets is None else np.array(targets)
    with pytest.raises((DataError, ArgumentError), match=words):
        learn(IMAGES, ImageData(images(pixels, known)), "", ImageSettings(**settings))


def test_images_to_test_on_have_no_other_classes() -> None:
    pixels, classes = digits(100)
    known = images(pixels, np.where(classes % 2 == 0, "even", "odd"))
    new = images(pixels[:5], np.array(["even", "odd", "prime", "odd", "prime"]))
    words = r"2\.png: a class must be one of 'even', 'odd', but 2 images are 'prime'"
    with pytest.raises(DataError, match=words):
        prepare(ImageData(known, new), "digits", ImageSettings())


def test_images_to_test_on_of_which_nothing_is_known_arent_used() -> None:
    pixels, classes = digits(100)
    known = images(pixels, classes.astype(str))
    new = images(pixels[:5], None)
    parts = prepare(ImageData(known, new), "digits", ImageSettings())
    assert len(parts.rows["test"]) > 10
    assert "5 images to test on aren't used" in parts.notes[-1]


def own_sets() -> tuple[ImageData, ImageSet, ImageSet]:
    pixels, classes = digits(300)
    return (
        ImageData(images(pixels[:200], classes[:200].astype(str))),
        images(pixels[200:250], classes[200:250].astype(str)),
        images(pixels[250:], classes[250:].astype(str)),
    )


@pytest.mark.parametrize("given", [("test",), ("validation",), ("validation", "test")])
def test_own_images_take_the_place_of_those_drawn(given: tuple[str, ...]) -> None:
    data, *others = own_sets()
    both: dict[str, ImageSet] = dict(zip(("validation", "test"), others, strict=True))
    own: dict[str, Any] = {f"{part}_data": both[part] for part in given}
    parts = tw.train(data, **QUICK, **own).prepared
    for part, each in own.items():
        name = part.removesuffix("_data")
        assert name not in parts.rows
        np.testing.assert_array_equal(getattr(parts, name).X, each.pixels)
    every = np.concatenate([*parts.rows.values()])
    assert sorted(every.tolist()) == list(range(200))
    assert ("test" in parts.rows) == ("test" not in given)
    assert not any("too" in note for note in parts.notes)


def test_validation_images_of_ones_own_choose_the_epoch() -> None:
    data, own, test = own_sets()
    one, other = (
        tw.train(data, validation_data=each, test_data=test, **QUICK)
        for each in (own, replace(own, pixels=255 - own.pixels))
    )
    assert one.history.training_loss == other.history.training_loss
    assert one.history.validation_loss != other.history.validation_loss


def test_the_same_picture_in_two_parts_is_said() -> None:
    data, own, test = own_sets()
    leaking = images(
        np.concatenate([test.pixels, data.training.pixels[:3], own.pixels[:2]]),
        np.array([*test.targets, *data.training.targets[:3], *own.targets[:2]]),  # pyright: ignore[reportOptionalIterable, reportOptionalSubscript]
    )
    parts = tw.train(data, validation_data=own, test_data=leaking, **QUICK).prepared
    assert "3 images of the test set are in images, too" in parts.notes
    assert "2 images of the test set are in the validation set, too" in parts.notes


def test_own_images_take_the_place_of_those_that_stood_apart(tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "mnist")
    pixels, classes = digits(40, 450)
    np.savez(tmp_path / "more.npz", X=pixels, y=classes)
    parts = tw.train(folder, test_data=tmp_path / "more.npz", **QUICK).prepared
    np.testing.assert_array_equal(parts.test.X[..., 0], pixels)
    assert parts.test_names[0].startswith("more.npz/")
    said = "100 images to test on stood apart and aren't used, as others are given"
    assert said in parts.notes
    assert parts.seen == "340 images of 8 × 8, grey"


def test_own_images_of_another_form_are_brought_to_it(tmp_path: Path) -> None:
    folder, more = write_folder(tmp_path / "photos"), tmp_path / "more" / "digit 1"
    more.mkdir(parents=True)
    for number in range(3):
        shade = (50 * number, 99, 0)
        Image.new("RGB", (16, 24), shade).save(more / f"{number}.png")
    Image.new("L", (8, 8), 7).save(more / "3.png")
    notes = tw.train(folder, test_data=more.parent, **QUICK).prepared.notes
    for said in (
        "of another size than 8 × 8, scaled to it: 3 images",
        "in color, read in grey: 3 images",
        "up to 33% of an image is cut off",
    ):
        assert f"to test on: {said}" in notes


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"test": 0.3, "test_data": "x"}, "test must be left out with test_data"),
        ({"tst_data": "x"}, "did you mean 'test_data'"),
        ({"test_data": 7}, "images must be a path or an array"),
        (
            {"test_data": np.zeros((3, 8, 8), np.uint8)},
            "the test set: something must say",
        ),
        ({"validation_data": "nowhere"}, "nowhere: there is no such file"),
    ],
)
def test_what_cant_be_own_images(npz: Path, own: Any, words: str) -> None:
    with pytest.raises((ArgumentError, DataError, FileError), match=words):
        tw.train(npz, **QUICK, **own)
    with pytest.raises((ArgumentError, DataError, FileError), match=words):
        tw.tune(npz, **QUICK, **own)


def test_a_run_with_own_images_goes_on(npz: Path) -> None:
    pixels, classes = digits(40, 450)
    np.savez("more.npz", X=pixels, y=classes)
    whole = saved(tw.train(npz, test_data="more.npz", **QUICK), Path("whole.thalweg"))

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"checkpoint": tw.Checkpoint("run"), "callback": stop}
    tw.train(npz, test_data="more.npz", **QUICK, **how)
    with pytest.raises(
        ArgumentError, match="validation_data must be left out: the run"
    ):
        tw.resume("run", validation_data="more.npz")
    with pytest.raises(DataError, match="of those to test on there are 300 images"):
        tw.resume("run", test_data=npz)
    resumed = tw.resume("run")
    assert isinstance(resumed, TrainedOnImages)
    assert saved(resumed, Path("resumed.thalweg")) == whole


def test_a_target_is_left_out_for_images_and_needed_for_tables(npz: Path) -> None:
    with pytest.raises(ArgumentError, match="target must be left out"):
        tw.train(npz, "class")
    with pytest.raises(ArgumentError, match="target must be given"):
        tw.train("penguins.csv")


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos")
    (folder / "digit 0" / "broken.png").write_bytes(b"no picture")
    trained = tw.train(folder, **QUICK)
    (note,) = [each for each in trained.prepared.notes if "left out" in each]
    assert note.startswith("1 file left out: digit 0/broken.png (")
    answers = trained.model.predict(folder / "digit 1")
    assert answers.columns[:2] == ["file", "prediction"]
