"""Frames of several libraries: what a type declares is kept, and digits too."""

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError
from thalweg.tables.frames import polars_frame
from thalweg.tables.infer import infer_feature
from thalweg.tables.read import read

DICTIONARY = pa.dictionary(pa.int8(), pa.int64())


def kind_of(cells: Any) -> str:
    return infer_feature(read(pd.DataFrame({"x": cells})), "x").kind


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (pd.Categorical([17, 4, 17]), ["17", "4", "17"]),
        (pd.Categorical([1.5, 2.0, None]), ["1.5", "2", None]),
        (pd.Categorical([True, False, None]), ["true", "false", None]),
        (pd.Categorical(["a", None, "b"]), ["a", None, "b"]),
        (pd.Categorical([2**60 + 1, 5, 5]), [str(2**60 + 1), "5", "5"]),
        (pd.Categorical([1, "a", None]), ["1", "a", None]),
        (
            pd.Categorical(["b", "a", "b"], ["b", "a", "c"], ordered=True),
            ["b", "a", "b"],
        ),
        (
            pd.array([7, None, 9], pd.ArrowDtype(DICTIONARY)),
            ["7", None, "9"],
        ),
    ],
)
def test_categories_of_pandas_stay_categories(cells: Any, texts: list[Any]) -> None:
    column = polars_frame(pd.DataFrame({"x": cells}))["x"]
    assert column.dtype == pl.Categorical
    assert column.cast(pl.String).to_list() == texts


@pytest.mark.parametrize("values", [[17, 4, 17, None], ["a", "b", "a", None]])
def test_dictionaries_of_pyarrow_are_categories(values: list[Any]) -> None:
    table = pa.table({"x": pa.array(values).dictionary_encode()})
    column = read(table).column("x")
    assert column.dtype == pl.Categorical
    assert column.cast(pl.String).to_list() == [
        v if v is None else str(v) for v in values
    ]


def test_dictionaries_in_several_pieces_are_one() -> None:
    pieces = [pa.array(each).dictionary_encode() for each in (["a", "b"], ["b", "c"])]
    column = read(pa.table({"x": pa.chunked_array(pieces)})).column("x")
    assert column.cast(pl.String).to_list() == ["a", "b", "b", "c"]


def test_categories_that_are_one_text_are_an_error() -> None:
    with pytest.raises(DataError, match="categories must differ as texts"):
        read(pd.DataFrame({"x": pd.Categorical([1, "1", 1])}))


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        (pd.array([2**60 + 1, None], "Int64"), [2**60 + 1, None]),
        (np.array([2**64 - 1, 1], np.uint64), [2**64 - 1, 1]),
        (pd.Series([10**20, 3], dtype=object), [str(10**20), "3"]),
        (pd.Series([10**20, None], dtype=object), [str(10**20), None]),
        (pd.Series([Decimal("1.50"), None], dtype=object), [Decimal("1.50"), None]),
        (pd.array([1.5, None], "Float64"), [1.5, None]),
        (pd.array([True, None], "boolean"), [True, None]),
        (pd.array(["None", None], "string"), ["None", None]),
        (pd.Series(["a", float("nan")], dtype=object), ["a", None]),
        (pd.arrays.SparseArray([0.0, 2.0]), [0.0, 2.0]),
        (pd.arrays.SparseArray([False, True]), [False, True]),
        (pd.arrays.SparseArray([np.nan, 1]), [None, 1.0]),
        (
            pd.period_range("2020-01", periods=2, freq="M"),
            [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 2, 1)],
        ),
    ],
)
def test_cells_of_pandas_keep_their_values(cells: Any, meant: list[Any]) -> None:
    assert read(pd.DataFrame({"x": cells})).column("x").to_list() == meant


def test_every_column_stands_in_its_place() -> None:
    frame = pd.DataFrame(
        {
            "a": [1, 2],
            "b": pd.Categorical([1, 2]),
            "c": ["x", "y"],
            "d": pd.arrays.SparseArray([0, 1]),
            "e": [1.5, 2.5],
        }
    )
    assert read(frame).columns == list("abcde")


def test_columns_named_by_numbers_have_these_as_names() -> None:
    frame = pd.DataFrame({0: [1.0, 2.0], 1: ["a", "b"]})
    assert read(frame).columns == ["0", "1"]


@pytest.mark.parametrize("target", [None, ["y"], 1, 1.0, True, b"y"])
def test_a_target_that_is_no_name_is_an_error(target: Any) -> None:
    frame = pd.DataFrame({"x": range(30), "y": ["a", "b", "c"] * 10})
    calls: list[Any] = [tw.train, tw.tune, tw.inspect]
    for call in calls:
        if call is tw.inspect and target is None:
            continue
        wanted = "target must be (given|a column's name, a text)"
        with pytest.raises(ArgumentError, match=wanted):
            call(frame, target)


def test_a_number_is_a_target_where_a_column_of_pandas_has_it_as_name() -> None:
    x = np.random.default_rng(0).normal(size=200)
    frame = pd.DataFrame({0: x, 1: np.where(x > 0, "a", "b")})
    number: Any = 1
    assert tw.train(frame, number, epochs=20).test["accuracy"] > 0.8


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pd.Categorical([191, 198, 170] * 10), "category"),
        ([191, 198, 170] * 10, "number"),
        (["191", "198", "170"] * 10, "category"),
        (["12.5", "-", "13.1"] * 10, "number"),
        (["2020-01-01", "2020-02-01", "2020-03-01"] * 10, "date"),
        (["yes", "no", "yes"] * 10, "boolean"),
        (["$5", "$7", "$9"] * 10, "number"),
    ],
)
def test_what_a_type_declares_decides_the_kind(cells: Any, kind: str) -> None:
    assert kind_of(cells) == kind


def test_a_model_of_categories_reads_the_same_codes_from_a_file(tmp_path: Any) -> None:
    stores = np.random.default_rng(0).integers(100, 110, 300)
    frame = pd.DataFrame({"store": stores, "sales": stores % 7 * 10.0})
    model = tw.train(frame.astype({"store": "category"}), "sales", epochs=30).model
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert model.predict(tmp_path / "new.csv").equals(model.predict(frame))
    assert model.evaluate(tmp_path / "new.csv")["r2"] > 0.9
