"""Cells of text are stripped, and null where nothing is left of them."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.tables.table import cleaned

SPACE = [" ", "\t", "\n", "\u00a0", "\u2003", "\x85"]
texts = st.one_of(
    st.text(max_size=3),
    st.tuples(st.sampled_from([*SPACE, ""]), st.sampled_from(["a", "NA", "", "a b"]))
    .map("".join)
    .flatmap(lambda text: st.sampled_from([text, text[::-1]])),
)


def oracle(column: pl.Series) -> pl.Series:
    """Each cell by itself."""
    cells = column.str.strip_chars().to_list()
    return pl.Series(column.name, [cell or None for cell in cells], dtype=pl.String)


@pytest.mark.parametrize("times", [1, 2, 5])
@given(st.lists(st.lists(st.none() | texts, min_size=4, max_size=4), min_size=1))
def test_cells_are_cleaned_however_often_they_repeat(
    times: int, columns: list[list[str | None]]
) -> None:
    frame = pl.DataFrame(
        [
            pl.Series(f"c{number}", cells * times, dtype=pl.String)
            for number, cells in enumerate(columns)
        ]
    ).with_columns(n=pl.lit(1.5))
    found = cleaned(frame)
    assert found.columns == frame.columns
    assert found["n"].equals(frame["n"])
    for name in frame.columns[:-1]:
        assert found[name].equals(oracle(frame[name]), null_equal=True)


def test_a_text_that_appears_late_is_cleaned_too() -> None:
    cells = ["a", "b"] * 5_000 + ["a "]
    assert cleaned(pl.DataFrame({"c": cells}))["c"][-1] == "a"


@pytest.mark.parametrize("repeats", [True, False])
def test_a_name_that_could_be_a_pattern_is_a_name(repeats: bool) -> None:
    cells = ["a ", " "] * 2 if repeats else ["a ", " ", "b", "c"]
    frame = pl.DataFrame({"^n.*$": cells, "name": ["a", "b"] * 2})
    clean = cleaned(frame)
    assert clean["^n.*$"].to_list()[:2] == ["a", None]
    assert clean["name"].to_list() == frame["name"].to_list()
