import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError, DataError
from thalweg.tables.splitting.split import LEAST_ROWS, split


@given(
    st.integers(LEAST_ROWS, 300),
    st.floats(0, 0.45),
    st.floats(0, 0.45),
    st.integers(0, 20),
    st.integers(0, 3),
)
def test_each_row_is_in_one_part(
    rows: int, validation: float, test: float, classes: int, seed: int
) -> None:
    numbers = (
        np.random.default_rng(seed).integers(0, classes, rows) if classes else None
    )
    parts = split(rows, numbers, validation, test, seed)
    together = np.concatenate([parts.training, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(rows))
    assert len(parts.training) > 0
    assert (len(parts.test) > 0) == (test > 0)
    assert (len(parts.validation) > 0) == (validation > 0)


def test_shares_are_those_asked_for_within_each_class() -> None:
    classes = np.repeat([0, 1, 2], [100, 50, 10])
    parts = split(160, classes, validation=0.3, test=0.1)
    assert parts.notes == ()
    for part, share in ((parts.validation, 0.3), (parts.test, 0.1)):
        assert np.bincount(classes[part]).tolist() == [
            100 * share,
            50 * share,
            10 * share,
        ]


def test_a_class_of_a_single_row_is_trained_on_and_said() -> None:
    classes = np.array([0] * 20 + [1] * 20 + [2])
    parts = split(41, classes)
    assert 40 in parts.training
    assert parts.notes == ("1 class with fewer than 3 rows: trained on, never tested",)


def test_many_small_classes_are_drawn_without_regard_and_said() -> None:
    parts = split(20, np.repeat(np.arange(10), 2))
    assert len(parts.test) == 4
    assert "with no regard to classes" in parts.notes[0]


def test_the_seed_decides() -> None:
    first, again, other = split(50, seed=1), split(50, seed=1), split(50, seed=2)
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_three_rows_are_too_few() -> None:
    with pytest.raises(DataError, match="at least 10 rows with a target, got 3"):
        split(3)


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (-0.1, 0.2, "validation must be"),
        (0.2, 1.0, "test must be"),
        (0.5, 0.5, "must leave rows to train on"),
        (float("nan"), 0.2, "validation must be"),
    ],
)
def test_impossible_shares(validation: float, test: float, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        split(100, None, validation, test)
