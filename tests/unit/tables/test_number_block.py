"""Columns of plain numbers, taken together, are what each is by itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.errors import DataError
from thalweg.tables import encode
from thalweg.tables.encode import Encoder
from thalweg.tables.infer import infer, infer_feature, infer_features
from thalweg.tables.number_block import number_blocks
from thalweg.tables.schema import Column, Schema
from thalweg.tables.table import Table

ROWS = 40
CELLS = (
    "1",
    "0",
    "2.5",
    "-7",
    "1e3",
    "007",
    "",
    "NA",
    "x",
    "inf",
    "nan",
    "9" * 17,
    "+4",
)
names = st.sampled_from(["a", "user_id", "ID", "BID", "^a.*$", "x.id"])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table with columns of numbers of many kinds."""
    columns: dict[str, Any] = {}
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    for place in range(draw(st.integers(1, 6))):
        name = f"{draw(names)}{place}" if draw(st.booleans()) else draw(names)
        kind = draw(st.integers(0, 8))
        numbers = {
            0: lambda: random.normal(size=ROWS),
            1: lambda: np.round(random.exponential(size=ROWS), 1),
            2: lambda: random.integers(0, 2, ROWS),
            3: lambda: np.arange(ROWS) + draw(st.sampled_from([0, 1, 2])),
            4: lambda: np.full(ROWS, 3.5),
            5: lambda: random.integers(0, 2**60, ROWS),
            6: lambda: random.permutation(ROWS) * 7,
        }
        if kind in numbers:
            found = pl.Series(numbers[kind]())
            columns[name] = found.cast(pl.String) if draw(st.booleans()) else found
        else:
            columns[name] = [draw(st.sampled_from(CELLS)) for _ in range(ROWS)]
            if kind == 7:
                columns[name] = [c if c in CELLS[:5] else "" for c in columns[name]]
    return Table.of("t", pl.DataFrame(columns), typed=draw(st.booleans()))


def alone(table: Table, name: str) -> Column | str:
    try:
        return infer_feature(table, name)
    except DataError as error:
        return str(error)


def form_in_full(column: Column | str) -> Any:
    return column if isinstance(column, str) else (column, column.form.to_dict())


@given(tables())
def test_they_are_taken_for_what_each_is_alone(table: Table) -> None:
    for name in table.columns:
        try:
            together: Column | str = infer_features(table, [name])[name]
        except DataError as error:
            together = str(error)
        assert form_in_full(together) == form_in_full(alone(table, name))


def none_at_once(table: Table, names: Any) -> Iterator[Any]:
    return iter(())


@settings(max_examples=60)
@given(tables(), st.integers(0, 2**32))
def test_they_are_encoded_as_each_is_alone(table: Table, seed: int) -> None:
    found = [alone(table, name) for name in table.columns]
    columns = tuple(column for column in found if isinstance(column, Column))
    schema = Schema(Column("target", "ignored", ""), None, columns)
    if not schema.features:
        return
    rows = np.sort(np.random.default_rng(seed).choice(ROWS, 25, replace=False))
    encoder = Encoder.fit(schema, table, rows)
    encoded = encoder.transform(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "number_blocks", none_at_once)
        other = Encoder.fit(schema, table, rows)
        meant = other.transform(table)
    assert encoder == other
    assert np.array_equal(encoded.X, meant.X)
    assert encoded.report == meant.report


def test_a_block_holds_few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.tables.number_block.CELLS", 5)
    frame = pl.DataFrame({f"c{n}": [n, n + 1] for n in range(5)})
    blocks = list(number_blocks(Table.of("t", frame), frame.columns))
    assert [block.names for block in blocks] == [("c0", "c1"), ("c2", "c3"), ("c4",)]


def test_a_declared_column_is_looked_at_alone() -> None:
    from thalweg.tables.declared import Declared, OfColumn

    frame = pl.DataFrame({"x": [1, 2, 1], "y": ["a", "b", "a"]})
    said = Declared({"x": OfColumn("category")})
    (found,) = infer(Table.of("t", frame), "y", declared=said).columns
    assert found.kind == "category"
