"""The form of images: kept, chosen or as it was asked."""

import pytest

from thalweg.images.choose_form import (
    MOST_CHOSEN,
    MOST_KEPT,
    choose_form,
    of_one_size,
)
from thalweg.images.decode import Seen


def seen(*sizes, channels=1):
    return [Seen(high, wide, channels, frozenset()) for high, wide in sizes]


@pytest.mark.parametrize(
    ("found", "asked", "chosen"),
    [
        ((28, 28), {}, (28, 28)),
        ((256, 300), {}, (256, 300)),
        ((257, 514), {}, (128, 256)),
        ((3000, 4000), {}, (128, 171)),
        ((3000, 4000), {"height": 60}, (60, 80)),
        ((3000, 4000), {"width": 60}, (45, 60)),
        ((28, 28), {"height": 32, "width": 40}, (32, 40)),
        ((1, 5000), {}, (1, 5000)),
        ((5000, 10), {"height": 10}, (10, 1)),
    ],
)
def test_one_size_is_kept_or_scaled_in_proportion(found, asked, chosen) -> None:
    assert choose_form(seen(found, found), **asked)[0].shape == (*chosen, 1)


@pytest.mark.parametrize(
    ("sizes", "asked", "side"),
    [
        ([(20, 50), (40, 30), (90, 90)], {}, (30, 30)),
        ([(20, 50), (40, 30)], {}, (20, 20)),
        ([(3000, 4000), (4000, 3000)], {}, (128, 128)),
        ([(20, 50), (40, 30)], {"height": 7}, (7, 7)),
        ([(20, 50), (40, 30)], {"width": 7}, (7, 7)),
        ([(20, 50), (40, 30)], {"height": 7, "width": 9}, (7, 9)),
    ],
)
def test_several_sizes_become_a_square(sizes, asked, side) -> None:
    assert choose_form(seen(*sizes), **asked)[0].shape == (*side, 1)


def test_the_rule_is_the_one_that_is_stated() -> None:
    assert (MOST_KEPT, MOST_CHOSEN) == (256, 128)
    assert "up to 256 pixels" in str(choose_form.__doc__)
    assert "at most 128" in str(choose_form.__doc__)
    assert of_one_size((256, 256), None, None) == (256, 256)


@pytest.mark.parametrize(
    ("grey", "color", "asked", "channels", "said"),
    [
        (3, 0, None, 1, "all are grey"),
        (0, 3, None, 3, "all are in color"),
        (1, 3, None, 3, "1 is grey, 3 in color: read in color"),
        (412, 3, None, 3, "412 are grey, 3 in color: read in color"),
        (412, 3, False, 1, "412 are grey, 3 in color: read in grey"),
        (3, 0, True, 3, "all are grey: read in color"),
        (0, 3, False, 1, "all are in color: read in grey"),
        (0, 3, True, 3, "all are in color"),
    ],
)
def test_grey_or_color_is_looked_at_and_said(
    grey, color, asked, channels, said
) -> None:
    images = seen(*[(5, 5)] * grey) + seen(*[(5, 5)] * color, channels=3)
    form, notes = choose_form(images, color=asked)
    assert form.channels == channels
    assert notes == ("all have 5 × 5 pixels", said)
