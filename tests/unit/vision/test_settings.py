"""Settings of images: what can't be used is refused by its name."""

from dataclasses import fields
from typing import Any, get_type_hints

import pytest

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.formulas.augmentation import Augment
from thalweg.vision.settings import (
    AUGMENTED,
    ImageSettings,
    ImageTrainSettings,
    augmentation,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("height", 0), ("width", 2.5), ("color", "yes"), ("filters", (8, 0))),
        *(("augment", ("shft=2",)), ("augment", ("shift=a",)), ("augment", (2,))),
        *(("epochs", 0), ("validation", 1.0), ("test", 0.0), ("dropout", 1.0)),
        *(("activation", "reul"), ("optimizer", "adm"), ("schedule", "cosin")),
        *(("learning_rate", 0.0), ("batch_size", 0), ("seed", -1), ("task", 5)),
        *(("loss", "hubber"), ("layers", (0,)), ("weight_decay", 0.1)),
    ],
)
def test_what_cant_be_used_is_refused_by_its_name(name: str, value: Any) -> None:
    words = {"augment": "augment|shift|shft"}.get(name, name)
    with pytest.raises(ArgumentError, match=words):
        ImageSettings(**{name: value})


@pytest.mark.parametrize("each", fields(ImageSettings), ids=lambda each: each.name)
def test_a_misspelled_setting_gets_the_nearest(each: Any) -> None:
    with pytest.raises(ArgumentError, match=f"did you mean '{each.name}'"):
        ImageSettings.by_name({each.name + "x": 1})


def test_each_setting_can_be_given_and_nothing_else() -> None:
    given = get_type_hints(ImageTrainSettings)
    assert list(given) == [each.name for each in fields(ImageSettings)]


def test_epochs_come_to_about_as_many_steps_within_bounds() -> None:
    settings = ImageSettings()
    few, many = settings.most_epochs(500), settings.most_epochs(10_000_000)
    assert (few, many) == (50, 5)
    for images in (6_000, 10_000, 50_000):
        steps = settings.most_epochs(images) * images / 128
        assert 2_000 <= steps <= 2_500
    assert ImageSettings(epochs=3).most_epochs(10) == 3


def test_many_images_need_no_fifth_to_choose_the_epoch() -> None:
    assert ImageSettings().validation_share(1_000) == 0.2
    assert ImageSettings().validation_share(50_000) == 0.1
    assert ImageSettings(validation=0.3).validation_share(50_000) == 0.3


def test_augmentation_is_given_as_a_mapping_or_as_texts() -> None:
    mapped = ImageSettings.by_name({"augment": {"shift": 2, "flip": "horizontal"}})
    assert mapped.augment == ("shift=2", "flip=horizontal")
    assert ImageSettings.by_name({"augment": "noise=0.5"}).augment == ("noise=0.5",)
    assert augmentation(mapped.augment) == Augment(shift=2, flip="horizontal")
    assert augmentation(()) is None
    assert AUGMENTED.keys() == {each.name for each in fields(Augment)}


def test_settings_of_tables_are_none_of_images() -> None:
    with pytest.raises(ArgumentError, match="a setting of a table and a forecast"):
        tw.train("examples", time="day")  # pyright: ignore[reportCallIssue]
