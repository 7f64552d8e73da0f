"""``thalweg explain MODEL --image FILE``: what a network sees in one image."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.figures.explained_image import data_of

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 10, 1), "uint8")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tw.Network:
    monkeypatch.chdir(tmp_path)
    look = [tw.Conv(10, 3, activation="relu"), tw.MaxPool(2), tw.Flatten()]
    layers = [tw.Rescale(1 / 255), *look, tw.Dense(3, "softmax")]
    network = tw.Network(layers).initialize((12, 10, 1))
    network.save("digits.thalweg")
    np.save("mine.npy", PIXELS)
    return network


def test_the_numbers_drawn_are_the_networks(thalweg, model: tw.Network) -> None:
    result = thalweg("explain", "digits.thalweg", "--image", "mine.npy")
    p = model.predict(PIXELS[np.newaxis])[0]
    assert f"{p.argmax()} {p.max():.4g}" in result.out
    assert "drew mine-seen.png and mine-seen.json" in result.err
    assert Path("mine-seen.png").read_bytes().startswith(b"\x89PNG")
    drawn = json.loads(Path("mine-seen.json").read_text("utf-8"))
    assert drawn["labels"][0] == str(p.argmax())
    np.testing.assert_allclose(drawn["probabilities"], np.sort(p)[::-1], rtol=1e-6)
    slopes = model.saliency(PIXELS[np.newaxis])[0, :, :, 0]
    np.testing.assert_allclose(
        np.array(drawn["saliency"]) * drawn["steepest"], slopes, atol=1e-4
    )
    first, pooled = drawn["layers"]
    maps = model.feature_maps(PIXELS[np.newaxis], 2)[0]
    np.testing.assert_allclose(first["maps"], np.moveaxis(maps, -1, 0)[:8], atol=1e-4)
    assert first["seen"] == [5, 4, 3, 3]
    assert np.shape(pooled["maps"]) == (8, 5, 4)


def test_a_picture_is_brought_to_the_networks_size(thalweg, model: tw.Network) -> None:
    image = pytest.importorskip("PIL.Image")
    image.fromarray(PIXELS[:, :, 0]).save("same.png")
    image.fromarray(np.repeat(PIXELS, 3, axis=2)).resize((40, 48)).save("large.png")
    for name in ("same", "large"):
        options = ("--image", f"{name}.png", "--figure", f"{name}-drawn.png")
        assert "12 × 10 × 1" in thalweg("explain", "digits.thalweg", *options).out
    exact, drawn = (
        json.loads(Path(f"{name}-drawn.json").read_text("utf-8"))["pixels"]
        for name in ("same", "large")
    )
    np.testing.assert_allclose(exact, PIXELS[:, :, 0] / PIXELS.max(), atol=1e-3)
    assert np.shape(drawn) == (12, 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--figure", "x.png"), "give both"),
        (("--image", "none.npy"), "none.npy"),
        (("--image", "digits.thalweg"), "digits.thalweg"),
        (("--image", "small.npy"), r"must hold one image of shape \(12, 10, 1\)"),
        (("--image", "objects.npy"), "objects.npy: isn't an array"),
        (("--image", "text.npy"), "X must hold numbers"),
        (("--image", "mine.npy", "--figure", "x.svg"), "ends in .png"),
    ],
)
def test_what_cant_be_shown_is_said(
    thalweg, model: tw.Network, options: tuple[str, ...], words: str
) -> None:
    np.save("small.npy", PIXELS[1:])
    np.save("objects.npy", np.array([{}, None]), allow_pickle=True)
    np.save("text.npy", np.full((12, 10, 1), "a"))
    result = thalweg("explain", "digits.thalweg", *options)
    assert result.status
    assert re.search(words, result.err)
    assert "Traceback" not in result.err
    assert not list(Path().glob("*-seen.*"))


def test_a_network_of_tables_takes_no_image(thalweg, model: tw.Network) -> None:
    tw.Network([tw.Dense(2)]).initialize(3).save("table.thalweg")
    result = thalweg("explain", "table.thalweg", "--image", "mine.npy")
    assert "takes rows of shape (3,)" in result.err
    assert result.status


def test_numbers_and_two_classes_are_shown_too() -> None:
    look = [tw.Conv(2, 3), tw.Flatten()]
    numbers = tw.Network([*look, tw.Dense(2)]).initialize((12, 10, 1))
    data = data_of(numbers, PIXELS, "", None, "")
    assert data.saliency is None
    assert data.labels == ["0", "1"]
    two = tw.Network([*look, tw.Dense(1, "sigmoid")]).initialize((12, 10, 1))
    data = data_of(two, PIXELS / 255, "", ["cat", "dog"], "")
    assert set(data.labels) == {"cat", "dog"}
    assert sum(data.probabilities) == pytest.approx(1)


def test_large_images_are_thinned() -> None:
    network = tw.Network([tw.Conv(1, 3), tw.Flatten(), tw.Dense(2, "softmax")])
    network.initialize((200, 150, 3))
    data = data_of(network, np.zeros((200, 150, 3)), "", None, "")
    assert (data.step, np.shape(data.pixels)) == (3, (67, 50, 3))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of infinity
def test_a_network_that_gives_no_numbers_is_drawn(thalweg) -> None:
    network = tw.Network([tw.Conv(2, 3), tw.Flatten(), tw.Dense(2, "softmax")])
    network.initialize((6, 6, 1)).set_parameters({"1.bias": [np.inf, np.nan]})
    network.save("odd.thalweg")
    np.save("one.npy", np.ones((6, 6, 1)))
    result = thalweg("explain", "odd.thalweg", "--image", "one.npy")
    assert result.status == 0, result.err
    assert "nan" in result.out
    found = json.loads(Path("one-seen.json").read_text())
    assert found["probabilities"] == [None, None]
    assert Path("one-seen.png").is_file()
