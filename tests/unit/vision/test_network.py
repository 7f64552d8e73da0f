"""The network for images of any size can be made, and ends in few places."""

import numpy as np
import pytest

from thalweg.errors import ArgumentError
from thalweg.formulas.augmentation import Augment
from thalweg.images.image_set import ImageForm
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.tables.forms import USUAL
from thalweg.tables.scales import Scale
from thalweg.vision.filters import filters_for
from thalweg.vision.network import build
from thalweg.vision.settings import ImageSettings

LABELS = ("a", "b", "c")
CLASSES = ClassTargets("class", USUAL["category"], LABELS, LABELS)
NUMBER = NumberTargets("number", Scale(0.0, 1.0))
SIZES = [
    *((1, 1), (1, 9), (2, 2), (2, 50), (3, 3), (5, 4), (8, 8), (19, 19), (19, 20)),
    *((20, 20), (28, 28), (32, 32), (57, 30), (64, 100), (100, 99)),
]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_images_of_any_size_have_a_network(height: int, width: int) -> None:
    form = ImageForm(height, width, 3)
    if min(height, width) < 2:
        with pytest.raises(ArgumentError, match="filters must be fewer"):
            build(form, CLASSES, ImageSettings())
        return
    network = build(form, CLASSES, ImageSettings()).initialize(form.shape)
    found = network.predict(np.zeros((2, *form.shape), np.uint8))
    assert found.shape == (2, 3)
    high, wide, _ = network.shapes.outputs[-4]
    assert min(high, wide) <= 10


def test_larger_images_have_more_convolutions() -> None:
    counts = [len(filters_for(ImageForm(side, side, 1))) for side in (8, 28, 64, 224)]
    assert counts == sorted(counts) == [2, 2, 3, 5]


@pytest.mark.parametrize(
    ("targets", "loss", "last", "outputs"),
    [
        (CLASSES, None, "softmax", 3),
        (NUMBER, None, "identity", 1),
        (NUMBER, "poisson", "softplus", 1),
    ],
)
def test_the_last_layer_goes_by_what_is_predicted(
    targets: ClassTargets | NumberTargets, loss: str | None, last: str, outputs: int
) -> None:
    network = build(ImageForm(28, 28, 1), targets, ImageSettings(loss=loss))
    layer = network.layers[-1]
    assert (layer.activation, layer.units) == (last, outputs)  # pyright: ignore[reportAttributeAccessIssue]


def test_settings_shape_it() -> None:
    settings = ImageSettings(filters=(4,), layers=(9,), augment=("shift=1",), dropout=0)
    layers = build(ImageForm(28, 28, 1), CLASSES, settings).layers
    names = ["Rescale", "Augment", "Conv", "MaxPool", "Flatten", "Dense", "Dense"]
    assert [type(each).__name__ for each in layers] == names
    assert layers[1] == Augment(shift=1)
    none = build(ImageForm(1, 1, 1), CLASSES, ImageSettings(filters=()))
    assert "Conv" not in repr(none)


def test_too_many_filters_are_refused() -> None:
    with pytest.raises(ArgumentError, match="fewer for images of 8 × 8"):
        build(ImageForm(8, 8, 1), CLASSES, ImageSettings(filters=(8,) * 4))
