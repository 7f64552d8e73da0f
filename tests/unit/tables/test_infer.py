import datetime
import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.tables.infer import infer, infer_column
from thalweg.tables.read import read
from thalweg.tables.schema import Column, Schema
from thalweg.tables.table import Table


def column(cells: list[Any], dtype: Any = None, name: str = "x") -> Column:
    """What a column is inferred to be, beside a target."""
    frame = pl.DataFrame({name: pl.Series(cells, dtype=dtype), "y": range(len(cells))})
    return infer(Table.of("t", frame), target="y").columns[0]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-1e5", ".5", "+4"], "number"),
        (["3", "1", "2", "1", "3", "2"], "number"),
        (["7", "007", "12", "7"], "category"),
        (["007", "012", "999", "007"], "category"),
        (["02139", "94110", "02139", "94110"], "category"),
        (["a", "b", "a"], "category"),
        (["true", "False", "TRUE"], "boolean"),
        (["yes", "no", "Yes"], "boolean"),
        (["y", "n", "n"], "boolean"),
        (["0", "1", "1", "0"], "number"),
        (["yes", "no", "maybe", "no", "maybe"], "category"),
        (["true", "no", "no", "true"], "category"),
        (["2020-01-31", "2021-12-01", "2020-01-31"], "date"),
        (["2020-01-31T10:00", "2020-01-31 10:00:01.5", "2020-02-01T00:00:00Z"], "date"),
        (["31/01/2020", "01/02/2020", "01/02/2020"], "date"),
        (["10:30", "23:59:59", "10:30"], "time"),
    ],
)
def test_kinds_of_texts(cells: list[str], kind: str) -> None:
    assert column(cells).kind == kind


@pytest.mark.parametrize(
    ("cells", "dtype", "kind"),
    [
        ([3, 1, 2], pl.Int8, "number"),
        ([Decimal("1.5"), Decimal("2.5")], pl.Decimal(10, 2), "number"),
        ([True, False, None], pl.Boolean, "boolean"),
        (["1", "2", "1"], pl.Categorical, "category"),
        (["1", "2", "1"], pl.Enum(["1", "2"]), "category"),
        ([datetime.date(2020, 1, 1), None], pl.Date, "date"),
        ([datetime.datetime(2020, 1, 1), None], pl.Datetime("ns", "UTC"), "date"),
        ([datetime.time(1), None], pl.Time, "time"),
        ([datetime.timedelta(1), None], pl.Duration, "number"),
        ([[1], [2]], pl.List(pl.Int64), "ignored"),
        ([{"a": 1}, {"a": 2}], pl.Struct, "ignored"),
        ([b"x", b"y"], pl.Binary, "ignored"),
        ([object(), object()], pl.Object, "ignored"),
        ([None, None], pl.Null, "ignored"),
    ],
)
def test_types_of_frames_are_honored(cells: list[Any], dtype: Any, kind: str) -> None:
    assert column(cells, dtype).kind == kind


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["1", "2", "NA", "4"], "3 of 3 cells are numbers, 1 missing"),
        (["", "NA", "?"], "every cell is missing"),
        (["5", "5", "5"], "every cell is '5'"),
        (["0", "1", "2", "3"], "identifier, it counts the rows from 0"),
        (["k1", "k2", "k3"], "identifier, 3 different texts in 3 cells"),
        (
            ["it is old", "very good, too", "not so bad"],
            "free text, 3 different",
        ),
        (["1", "2", "x", "x"], "3 different texts such as '1', 2 of 4 cells are numb"),
    ],
)
def test_reasons_are_in_plain_words(cells: list[str], reason: str) -> None:
    assert reason in column(cells).reason


def test_missing_beside_one_value_is_kept() -> None:
    """Whether it is missing is what such a column says."""
    assert column(["a", "", "a"]).kind == "category"


def test_numbers_that_count_from_elsewhere_are_kept() -> None:
    assert column(["1990", "1991", "1992"]).kind == "number"


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "user id", "userId", "x.id"])
def test_whole_numbers_named_id_are_set_aside_where_all_differ(name: str) -> None:
    assert column([17, 4, 99], name=name).kind == "ignored"
    assert column([17, 4, 17], name=name).kind == "number"


@pytest.mark.parametrize("name", ["humid", "BID", "PAID", "ACID", "Covid", "VOID"])
def test_names_that_end_in_the_letters_alone_set_nothing_aside(name: str) -> None:
    assert column([17, 4, 99], name=name).kind == "number"


def test_a_first_column_without_a_name_is_set_aside() -> None:
    table = Table.of("t", pl.DataFrame({"": [5, 2], "x": [3, 9], "y": [1, 2]}))
    assert [c.kind for c in infer(table, "y").columns] == ["ignored", "number"]


def test_a_million_categories_are_set_aside() -> None:
    texts = pl.Series(range(10**6)).cast(pl.String)
    frame = pl.DataFrame({"x": "k" + texts, "z": "k" + texts.gather_every(2).append(
        texts.gather_every(2)), "y": range(10**6)})  # fmt: skip
    schema = infer(Table.of("t", frame), target="y")
    assert [c.kind for c in schema.columns] == ["ignored", "ignored"]
    assert "1,000,000 different texts" in schema.columns[0].reason
    assert "hold a text that fewer than 5 rows have" in schema.columns[1].reason


def test_many_categories_in_many_rows_are_kept() -> None:
    assert column([f"k{i % 200}" for i in range(2000)]).kind == "category"


def numbers_and(odd: str, at: int = 30) -> list[str]:
    cells = [str(n * 1.5) for n in range(100)]
    cells[at] = odd
    return cells


@pytest.mark.parametrize("odd", ["many", "1,5", "12 kg", "0x10", "1_000"])
def test_a_text_among_numbers_is_an_error(odd: str) -> None:
    with pytest.raises(DataError, match=r"t, row 31, column 'x'.*but is"):
        column(numbers_and(odd))


@pytest.mark.parametrize("infinite", ["inf", "-Infinity", "1e999"])
def test_infinity_is_an_error(infinite: str) -> None:
    with pytest.raises(DataError, match=r"row 31, column 'x': a number must be finite"):
        column(numbers_and(infinite))


def test_infinity_in_a_frame_is_an_error() -> None:
    with pytest.raises(DataError, match=r"row 2, column 'x': a number must be finite"):
        column([1.0, float("inf")])


def test_a_text_among_dates_is_an_error() -> None:
    dates = [f"2020-01-{day:02}" for day in range(1, 32)]
    dates[4] = "2020-02-31"
    with pytest.raises(DataError, match=r"row 5, column 'x': must be a date"):
        column(dates)


def test_ignored_columns_are_not_even_looked_at() -> None:
    table = Table.of("t", pl.DataFrame({"x": numbers_and("?!"), "y": range(100)}))
    assert infer(table, "y", ignore=["x"]).columns[0].reason == "as asked"


@pytest.mark.parametrize(
    ("uses", "message"),
    [
        ({"target": "specis"}, "target must name a column.*did you mean 'species'"),
        ({"target": "species", "ignore": ["island", "sx"]}, "ignore .* mean 'sex'"),
        ({"target": "species", "weights": "w"}, "weights must name a column"),
        ({"target": "sex", "ignore": ["sex"]}, "'sex' must be either target or ignore"),
        ({"target": "sex", "weights": "sex"}, "either target or weights"),
    ],
)
def test_names_that_can_not_be_right(uses: dict[str, Any], message: str) -> None:
    table = read("examples/penguins.csv")
    with pytest.raises(ArgumentError, match=message):
        infer(table, **uses)


def test_a_target_is_not_set_aside_for_being_an_identifier() -> None:
    table = Table.of("t", pl.DataFrame({"y": ["1", "2", "3"]}))
    assert infer_column(table, "y").kind == "number"


def test_schema_survives_json() -> None:
    schema = infer(read("examples/penguins.csv"), "species", ["year"])
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    assert schema.set_aside == (Column("year", "ignored", "as asked"),)
    assert len(schema.lines()) == len(schema.columns) == 7


GOOD = {
    "target": {"name": "y", "kind": "number", "reason": ""},
    "weights": None,
    "columns": [{"name": "x", "kind": "number", "reason": ""}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"weights": 3},
        {"more": 1},
        {"columns": None},
        {"columns": [{"name": "x", "kind": "picture", "reason": ""}]},
        {"columns": [{"name": "x", "kind": "number"}]},
        {"columns": [{"name": "y", "kind": "number", "reason": ""}]},
        {"target": {"name": 1, "kind": "number", "reason": ""}},
        {"weights": "x"},
    ],
)
def test_an_altered_schema_is_refused(change: dict[str, Any]) -> None:
    Schema.from_dict(GOOD)
    with pytest.raises(ModelFileError):
        Schema.from_dict(GOOD | change)
