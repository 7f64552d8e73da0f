from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.training.order import shuffled_order
from thalweg.training.rows import (
    Rows,
    batches,
    hold_out,
    inputs_from,
    rows_from,
    stratified,
    targets_from,
)

X = np.arange(12.0).reshape(6, 2)
Y = np.arange(6)


def numbered(classes: Any, weights: Any = None) -> Rows:
    """Rows that know their own number."""
    y = np.asarray(classes)
    x = np.arange(len(y), dtype=np.float32)[:, None]
    return Rows(x, y, None if weights is None else np.asarray(weights, np.float32))


# Conversion ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_are_converted_once_and_contiguous(dtype: Any) -> None:
    rows = rows_from(np.asfortranarray(X.astype(int)), [True] * 6, range(6), dtype)
    assert rows.X.dtype == rows.arrays()["sample_weight"].dtype == dtype
    assert rows.X.flags.c_contiguous
    assert rows.y.dtype == np.int32
    assert_array_equal(rows.X, X)


def test_what_has_the_right_form_already_is_not_copied() -> None:
    inputs = X.astype(np.float32)
    assert inputs_from(inputs, "float32") is inputs


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        ([0, 1, 2, 0, 1, 2], "int32"),
        (np.arange(6, dtype=np.uint8), "int32"),
        ([[0], [1], [2], [3], [4], [5]], "int32"),
        ([2**31, 1, 2, 3, 4, 5], "float64"),
        ([-(2**31), 1, 2, 3, 4, 5], "float64"),
        ([0.0, 1, 2, 3, 4, 5], "float64"),
        (np.array([0, 1, 2, 3, 4, 5], object), "float64"),
    ],
)
def test_targets_are_class_numbers_or_real_numbers(y: Any, dtype: str) -> None:
    rows = rows_from(X, y, None, "float64")
    assert rows.y.shape == (6,)
    assert rows.y.dtype == dtype
    assert_array_equal(rows.y, np.asarray(y, float).reshape(6))


def test_only_the_ratios_of_weights_stay() -> None:
    for scale in (1e-200, 1.0, 1e300):
        weights = rows_from(X, Y, np.arange(6.0) * scale, "float32").weights
        assert weights is not None
        assert_allclose(weights, np.arange(6) / 5, rtol=1e-6)


WRONG: list[tuple[Any, Any, Any, type[Exception], str]] = [
    (X[0], Y, None, ShapeError, r"X must have rows and columns.* got \(2,\)"),
    (5.0, Y, None, ShapeError, r"X must have rows and columns.* got \(\)"),
    (X[:0], Y[:0], None, ShapeError, r"X must have at least one row.* got \(0, 2\)"),
    (X[:, :0], Y, None, ShapeError, r"at least one row and one column, got \(6, 0\)"),
    ([[1, 2], [3]], [0, 1], None, ShapeError, "X must have rows of the same length"),
    ([["a", "b"]], [0], None, DtypeError, "X must hold numbers, got <U1"),
    (X + 1j, Y, None, DtypeError, "X must hold numbers, got complex128"),
    (X, list("abcdef"), None, DtypeError, "y must hold numbers"),
    (X, [None, *"abcde"], None, DtypeError, "y must hold numbers, got object"),
    (X, Y[:5], None, ShapeError, r"y must have shape \(6,\) .* got \(5,\)"),
    (X, np.zeros((6, 0)), None, ShapeError, r"got \(6, 0\)"),
    (X, 3, None, ShapeError, r"y must have shape \(6,\)"),
    (X, [[1, 2], [3]] * 3, None, ShapeError, "y must have rows of the same length"),
    (X, Y, [1, 2], ShapeError, r"sample_weight must have shape \(6,\), got \(2,\)"),
    (X, Y, [0.0] * 6, ArgumentError, "sample_weight must not be 0 everywhere"),
    (X, Y, [1, 1, -2, 1, 1, 1], ArgumentError, "0 or more, got -2.0 at row 2"),
    (X, Y, [1, 1, 1, np.inf, 1, 1], ArgumentError, "finite .* got .* at row 3"),
    (X, [0, np.nan, 1, 1, 1, 1], None, ArgumentError, "y must be finite.* at row 1"),
    (X, X * [1, np.nan], None, ArgumentError, "y must be .* nan at row 0, column 1"),
    (X * 1e300, Y, None, ArgumentError, "X must be finite in float32, got .* at row"),
]


@pytest.mark.parametrize(("x", "y", "weights", "error", "text"), WRONG)
def test_wrong_arrays_say_what_and_where(
    x: Any, y: Any, weights: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        rows_from(x, y, weights, "float32")


@given(hnp.arrays(float, (7, 3)), st.integers(0, 6), st.integers(0, 2))
def test_a_cell_that_is_not_finite_is_named(x: Any, row: int, column: int) -> None:
    x = np.nan_to_num(x, posinf=0, neginf=0)
    x[row, column] = np.nan
    with pytest.raises(ArgumentError, match=f"nan at row {row}, column {column}$"):
        inputs_from(x, "float64")


def test_errors_of_validation_rows_say_so() -> None:
    with pytest.raises(ShapeError, match=r"validation y must .* of validation X"):
        rows_from(X, Y[:2], None, "float32", "validation ")


# Holding out --------------------------------------------------------------------------

CLASSES = st.lists(st.integers(0, 5), min_size=4, max_size=80)
KINDS = {
    "class numbers": lambda c: np.asarray(c, np.int32),
    "real numbers": lambda c: np.asarray(c, np.float32),
    "one-hot rows": lambda c: np.eye(6, dtype=np.float32)[c],
}


@pytest.mark.parametrize("kind", KINDS)
@given(classes=CLASSES, fraction=st.floats(0.15, 0.85), seed=st.integers(0, 9))
def test_every_class_gets_its_share_within_a_row(
    kind: str, classes: list[int], fraction: float, seed: int
) -> None:
    rows = numbered(KINDS[kind](classes))
    training, validation = (half.copied() for half in hold_out(rows, fraction, seed))
    both = np.concatenate([training.X[:, 0], validation.X[:, 0]])
    assert_array_equal(np.sort(both), np.arange(len(classes)))
    assert len(validation) == round(len(classes) * fraction)
    held_out = np.asarray(classes)[validation.X[:, 0].astype(int)]
    for each in set(classes):
        share = classes.count(each) * len(validation) / len(classes)
        assert abs((held_out == each).sum() - share) < 1


def test_targets_and_weights_stay_with_their_rows_and_rows_in_order() -> None:
    rows = numbered(np.arange(50.0), np.arange(1, 51))
    for part in hold_out(rows, 0.3, 0):
        assert part.weights is not None
        assert_array_equal(part.y, part.X[:, 0])
        assert_array_equal(part.weights, part.X[:, 0] + 1)
        assert (np.diff(part.X[:, 0]) > 0).all()


@pytest.mark.parametrize("classes", [np.arange(400), np.zeros(400, int)])
def test_held_out_rows_are_random(classes: Any) -> None:
    """Also where every target is a class of its own: not the smallest ones."""
    seen = [hold_out(numbered(classes), 0.25, seed)[1].X[:, 0] for seed in range(30)]
    assert len({part.tobytes() for part in seen}) == 30
    counts = np.bincount(np.concatenate(seen).astype(int), minlength=400)
    assert abs(counts[:100].sum() - 750) < 120  # 5 standard deviations
    assert abs(counts[1::2].sum() - 1500) < 140


def test_a_class_that_is_rare_gets_no_row_twice() -> None:
    chosen = stratified(np.array([0] * 1000 + [*range(1, 101)]), 220)
    assert chosen.sum() == 220
    assert chosen[:1000].sum() == 200


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 2, "half", np.nan, True, {}])
def test_a_fraction_that_is_none_says_what_must_be(fraction: Any) -> None:
    with pytest.raises(ArgumentError, match="validation must be a fraction between"):
        hold_out(numbered([0, 1] * 10), fraction, 0)


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_no_side_may_be_empty(fraction: float) -> None:
    with pytest.raises(
        ArgumentError, match=r"to train and .* to validate; give valida"
    ):
        hold_out(numbered([0, 1, 0, 1]), fraction, 0)


def test_no_side_may_have_only_rows_of_weight_0() -> None:
    """One row has weight: it is on either side."""
    sides: set[str] = set()
    for seed in range(20):
        with pytest.raises(ArgumentError, match="only rows of weight 0") as raised:
            hold_out(numbered([0] * 20, [1.0] + [0.0] * 19), 0.5, seed)
        sides.add(str(raised.value).split(";")[0].split()[-1])
    assert sides == {"train", "validate"}


# Batches ------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_every_row_comes_once_an_epoch_and_only_the_last_batch_is_smaller(
    rows: int, size: int, seed: int
) -> None:
    every = numbered(np.arange(rows), np.arange(rows) + 1)
    order = shuffled_order(rows, seed, 1)
    cut = list(batches(every, order, size))
    sizes = [len(batch["X"]) for batch in cut]
    assert sizes[:-1] == [size] * (len(cut) - 1)
    assert 1 <= sizes[-1] <= size
    together = np.concatenate([batch["y"] for batch in cut])
    assert_array_equal(together, order)
    assert_array_equal(np.sort(together), np.arange(rows))
    for batch in cut:
        assert_array_equal(batch["X"][:, 0], batch["y"])
        assert_array_equal(batch["sample_weight"], batch["y"] + 1)


def test_rows_are_many_more_than_what_is_gathered_at_once() -> None:
    rows = 40_000
    order = shuffled_order(rows, 0, 1)
    together = [b["y"] for b in batches(numbered(np.arange(rows)), order, 7)]
    assert_array_equal(np.concatenate(together), order)


def test_every_epoch_and_every_seed_has_its_own_order() -> None:
    orders = [shuffled_order(30, seed, epoch) for seed in (0, 1) for epoch in (1, 2)]
    assert len({order.tobytes() for order in orders}) == 4
    assert_array_equal(orders[0], shuffled_order(30, 0, 1))


def test_orders_are_random() -> None:
    """Every row comes first in about as many epochs."""
    first = [shuffled_order(10, 0, epoch)[0] for epoch in range(1, 2001)]
    assert abs(np.bincount(first, minlength=10) - 200).max() < 70


# Rows that overlap --------------------------------------------------------------------


def overlapping(dtype: str, length: int = 9) -> Any:
    numbers = np.random.default_rng(0).integers(0, 5, 60).astype(dtype)
    return np.lib.stride_tricks.sliding_window_view(numbers, length)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_rows_that_overlap_stay_where_they_lie(dtype: str) -> None:
    X, y = overlapping(dtype), overlapping("int32")
    rows = rows_from(X, y, None, "float32")
    assert np.shares_memory(rows.X, X)
    assert np.shares_memory(rows.y, y)
    assert rows.X.strides == X.strides


@pytest.mark.parametrize("other", [lambda X: X[::-1], lambda X: X[:, ::-1], np.copy])
def test_other_rows_are_brought_together(other: Any) -> None:
    given = other(overlapping("float32"))
    found = rows_from(given, given[:, 0], None, "float32").X
    assert found.flags.c_contiguous
    assert np.array_equal(found, given)


@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_rows_that_overlap_train_to_the_same_bits(engine: str) -> None:
    X, y = overlapping("uint8"), overlapping("int32")
    layers = [tw.Embedding(5, 3), tw.GRU(4), tw.Dense(5, "softmax")]
    found: list[Any] = []
    for rows, targets in ((X, y), (X.copy(), y.copy())):
        network = tw.Network(layers)
        own = (rows[40:], targets[40:])
        how: dict[str, Any] = {"epochs": 2, "batch_size": 16, "engine": engine}
        history = network.fit(rows[:40], targets[:40], validation=own, **how)
        scores = network.evaluate(*own, engine=engine)
        found.append((history.training_loss, history.validation_loss, scores))
    assert found[0] == found[1]


@pytest.mark.parametrize("value", [-(2**31), 2**31, 2**63])
def test_whole_targets_beyond_int32_are_numbers(value: int) -> None:
    dtype = np.uint64 if value > 0 else np.int64
    y = np.array([value, 1], dtype)
    assert targets_from(y, "float64", "y").dtype == np.float64
