"""Sizes that aren't known yet, against the same arithmetic on numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.program.sizes import (
    ROWS,
    Size,
    UnknownSizeError,
    at,
    collapsed,
    divided,
    holds,
    names_in,
)

TIMES = collapsed({("times",): 1})
NAMES = st.sampled_from([ROWS, TIMES])
SIZES = st.recursive(
    st.one_of(st.integers(-6, 6), NAMES),
    lambda below: st.tuples(
        st.sampled_from([operator.add, operator.sub, operator.mul]), below, below
    ).map(lambda parts: parts[0](parts[1], parts[2])),
    max_leaves=6,
)
NUMBERS = st.fixed_dictionaries(
    {"rows": st.integers(2, 50), "times": st.integers(2, 50)}
)


@given(SIZES, SIZES, NUMBERS)
def test_sums_and_products_are_those_of_the_numbers(
    a: Any, b: Any, numbers: dict[str, int]
) -> None:
    x, y = at(a, numbers), at(b, numbers)
    assert at(a + b, numbers) == x + y
    assert at(a - b, numbers) == x - y
    assert at(a * b, numbers) == x * y
    assert at(-a, numbers) == -x


@given(SIZES, SIZES, NUMBERS)
def test_a_quotient_is_exact_or_an_error(
    a: Any, b: Any, numbers: dict[str, int]
) -> None:
    if at(b, numbers) == 0:
        return
    try:
        quotient = divided(a, b)
    except UnknownSizeError:
        return
    assert at(quotient, numbers) * at(b, numbers) == at(a, numbers)


@given(SIZES, SIZES)
def test_a_product_is_divided_by_its_factors(a: Any, b: Any) -> None:
    if isinstance(b, Size) or b:
        assert divided(a * b, b) == a


COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq]


@given(SIZES, SIZES, NUMBERS, st.sampled_from(COMPARISONS))
def test_what_is_said_of_sizes_is_true_of_all_numbers(
    a: Any, b: Any, numbers: dict[str, int], compare: Callable[[Any, Any], bool]
) -> None:
    try:
        said = compare(a, b)
    except UnknownSizeError:
        return
    assert said == compare(at(a, numbers), at(b, numbers))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: ROWS == 10,
        lambda: ROWS < 10,
        lambda: ROWS == 2 * ROWS - 5,
        lambda: bool(ROWS - 2),
        lambda: ROWS // 2,
        lambda: ROWS % 2,
        lambda: int(ROWS),
        lambda: float(ROWS),
        lambda: range(ROWS),
        lambda: float(1 / ROWS),
        lambda: bool(1 / ROWS),
    ],
)
def test_what_depends_on_the_number_is_an_error(ask: Callable[[], object]) -> None:
    with pytest.raises(UnknownSizeError):
        ask()


def test_what_is_the_same_for_all_numbers_is_known() -> None:
    assert ROWS != 1
    assert ROWS > 0
    assert bool(ROWS)
    assert ROWS + 1 > ROWS
    assert ROWS * 3 != ROWS
    assert ROWS - ROWS == 0
    assert {ROWS * 2: "twice"}[ROWS + ROWS] == "twice"


RECIPES: dict[str, Callable[[Any], Any]] = {
    "a quotient": lambda n: n / (n - 1),
    "a power": lambda n: n**-0.5,
    "what a number is divided by": lambda n: 3.0 / n,
    "a longer one": lambda n: abs(-((2.0 * (1 / n) - 0.5) ** 2)),
    "times a number": lambda n: n * 0.5,
}


@pytest.mark.parametrize("name", RECIPES)
@given(st.integers(2, 10**6))
def test_a_recipe_gives_what_python_gives(name: str, rows: int) -> None:
    recipe = RECIPES[name](ROWS)
    assert not isinstance(recipe, Size)
    assert names_in(recipe) == {"rows"}
    assert at(recipe, {"rows": rows}) == RECIPES[name](rows)


def test_equal_recipes_are_equal() -> None:
    assert 1 / ROWS == 1 / ROWS
    assert hash(1 / ROWS) == hash(1 / ROWS)
    assert 1 / ROWS != 2 / ROWS
    assert 1 / ROWS != 0.5


def test_a_condition_must_hold_for_few_and_for_many() -> None:
    assert holds(lambda n: n > 0, 1 / ROWS)
    assert not holds(lambda n: n > 1e-6, 1 / ROWS)
    assert not holds(lambda n: n < 0.5, 1 / ROWS)
    assert holds(lambda n: n > 0, 0.25)
