"""The numbers of categories, whatever the cells hold."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ModelFileError
from thalweg.tables.categories import CategoryEncoding, CodeEncoding, Codes
from thalweg.tables.forms import USUAL

texts = st.text(max_size=3) | st.sampled_from(["a", "b", "", "NA", " a", "é"])


@given(
    st.lists(texts, unique=True, max_size=9),
    st.lists(st.none() | texts, max_size=30),
)
def test_codes_are_what_a_dictionary_gives(
    categories: list[str], cells: list[str | None]
) -> None:
    numbers: dict[str | None, int] = {None: 1}
    numbers |= {category: code for code, category in enumerate(categories, start=2)}
    found = Codes(categories)(pl.Series(cells, dtype=pl.String))
    assert found.tolist() == [numbers.get(cell, 0) for cell in cells]


def test_codes_of_more_categories_than_a_byte_counts() -> None:
    categories = [f"k{number}" for number in range(70_000)]
    cells = ["k0", "k255", "k256", "k65536", "k69999", "k70000", None]
    found = Codes(categories)(pl.Series(cells))
    assert found.tolist() == [2, 257, 258, 65538, 70001, 0, 1]


STORED: dict[str, Any] = {"name": "x", "kind": "category", "missing": False}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (CategoryEncoding, {"encoding": "category", "other": False}),
        (CodeEncoding, {"encoding": "code"}),
    ],
)
def test_categories_that_are_the_same_are_refused(kind: Any, more: Any) -> None:
    stored = STORED | more | {"categories": ["a", "b"]}
    form = USUAL["category"]
    assert kind.from_dict(stored, form).categories == ("a", "b")
    with pytest.raises(ModelFileError, match="must differ"):
        kind.from_dict(stored | {"categories": ["a", "a"]}, form)
