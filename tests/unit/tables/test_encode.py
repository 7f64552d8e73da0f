import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.errors import DataError, ModelFileError, ThalwegError
from thalweg.tables.categories import CategoryEncoding
from thalweg.tables.encode import Encoded, Encoder
from thalweg.tables.forms import USUAL, ColumnKind
from thalweg.tables.infer import infer
from thalweg.tables.read import read
from thalweg.tables.table import Table

PENGUINS = Path("examples/penguins.csv")


def listed(array: Any) -> list[Any]:
    """What JSON has in the place of an array."""
    return array.tolist()


def table(**columns: Any) -> Table:
    return Table.of("t", pl.DataFrame(columns, strict=False))


def fitted(training: Table, target: str = "y") -> Encoder:
    return Encoder.fit(infer(training, target), training, np.arange(training.rows))


def encoded(training: Table, new: Table) -> dict[str, list[float]]:
    """Each feature of a new table, rounded."""
    encoder = fitted(training)
    X = encoder.transform(new).X
    columns = X.T.astype(np.float64).round(3).tolist()
    return dict(zip(encoder.features, columns, strict=True))


def lines(training: Table, new: Table) -> list[str]:
    return fitted(training).transform(new).report.lines()


def test_numbers_are_standardized_and_missing_ones_are_the_median() -> None:
    training = table(x=[1, 2, None, 6], y=[0, 1, 0, 1])
    found = encoded(training, training)
    assert found["x"] == [-0.926, -0.463, -0.463, 1.389]
    assert found["x missing"] == [0, 0, 1, 0]


def test_far_numbers_are_moved_to_ten_deviations() -> None:
    found = encoded(table(x=[1, 3, 2], y=[0, 1, 0]), table(x=["1e300", "-9e99"]))
    assert found == {"x": [10, -10]}


def test_categories_have_a_feature_each() -> None:
    training = table(x=["a", "b", None, "a"], y=[0, 1, 0, 1])
    assert encoded(training, training) == {
        "x=a": [1, 0, 0, 1],
        "x=b": [0, 1, 0, 0],
        "x missing": [0, 0, 1, 0],
    }


def test_an_unseen_category_is_zeros_and_counted() -> None:
    training = table(x=["a", "b", "b", "a"], y=[0, 1, 0, 1])
    new = table(x=["b", "z", "q", None])
    assert encoded(training, new) == {"x=a": [0, 0, 0, 0], "x=b": [1, 0, 0, 0]}
    assert lines(training, new) == [
        "x: 1 cell missing, though none was in training",
        "x: 2 cells with a category new or rare in training, first 'z' in row 2",
    ]


def test_rare_categories_share_a_feature_with_unseen_ones() -> None:
    training = table(x=["a", "b"] * 200 + ["c", "d", "d"], y=range(403))
    found = encoded(training, table(x=["a", "c", "d", "new"]))
    assert found == {"x=a": [1, 0, 0, 0], "x=b": [0] * 4, "x other": [0, 1, 1, 1]}


def test_booleans_are_understood_however_they_are_written() -> None:
    training = table(x=["yes", "no", "no", "yes"], y=[0, 1, 0, 1])
    assert encoded(training, table(x=[True, False]))["x=true"] == [1, 0]
    assert encoded(training, table(x=["FALSE", "T"]))["x=true"] == [0, 1]


def test_many_categories_become_codes_at_the_end() -> None:
    names = [f"k{i:03}" for i in range(100)]
    training = table(many=names * 10, x=[*range(500)] * 2, y=[0, 1] * 500)
    encoder = fitted(training)
    assert encoder.features[-1] == "many (code)"
    (embedded,) = encoder.embedded
    assert (embedded.position, embedded.categories) == (len(encoder.features) - 1, 102)
    X = encoder.transform(table(many=["k000", "k099", "?", "new"], x=[1] * 4)).X
    assert X[:, embedded.position].tolist() == [2, 101, 1, 0]


def test_dates_turn_in_cycles() -> None:
    days = [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=7 * i)
            for i in range(200)]  # fmt: skip
    encoder = fitted(table(x=days, y=[0, 1] * 100))
    assert encoder.features == (
        "x",
        *(f"x ({wave} of {c})" for c in ("year", "week", "day")
          for wave in ("sine", "cosine")),
    )  # fmt: skip
    late, early = encoder.transform(table(x=["2020-02-02 23:59", "2020-02-03"])).X
    np.testing.assert_allclose(late[-2:], early[-2:], atol=0.01)
    monday, next_monday = encoder.transform(table(x=["2020-02-03", "2020-02-10"])).X
    np.testing.assert_allclose(monday[3:], next_monday[3:], atol=1e-6)


def test_a_cycle_that_does_not_vary_is_no_feature() -> None:
    days = [datetime.date(2000 + i, 1, 1) for i in range(28)]
    features = fitted(table(x=days, y=[0, 1] * 14)).features
    assert features == ("x", "x (sine of week)", "x (cosine of week)")


def test_times_turn_in_a_day_and_may_be_missing() -> None:
    training = table(x=["00:00", "12:00", None, "18:00"], y=[0, 1, 0, 1])
    found = encoded(training, training)
    assert found["x (cosine of day)"] == [1, -1, 0, 0]
    assert found["x missing"] == [0, 0, 1, 0]


def test_a_table_that_lacks_a_column_is_an_error() -> None:
    encoder = fitted(table(age=[1, 3, 2], y=[0, 1, 0]))
    with pytest.raises(DataError, match=r"there must be a column 'age'.*mean 'Age'"):
        encoder.transform(table(Age=[1], y=[0]))


def test_new_columns_are_not_used_and_said() -> None:
    training = table(x=[1, 3, 2], constant=[1, 1, 1], y=[0, 1, 0])
    new = table(x=[1], constant=[2], z=[4], y=[0])
    assert lines(training, new) == ["not used, as training had no such column: 'z'"]


@pytest.mark.parametrize("cells", [["abc", "2"], [float("inf"), 2.0], [[1], [2]]])
def test_cells_that_are_no_numbers_count_as_missing_and_are_said(cells: Any) -> None:
    training = table(x=[1, 3, 2], y=[0, 1, 0])
    encoder = fitted(training)
    result = encoder.transform(table(x=cells))
    assert result.X[0, 0] == 0
    (column,) = result.report.columns
    assert column.unreadable == (2 if isinstance(cells[0], list) else 1)
    assert "not a number, taken as missing, first" in result.report.lines()[0]
    assert json.dumps(result.report.to_dict())


@pytest.mark.parametrize(
    "dtype", [pl.String, pl.Float64, pl.Date, pl.Time, pl.Boolean, pl.Binary, pl.Null]
)
@pytest.mark.parametrize("kind", ["x", "word", "day", "hour"])
def test_no_type_of_a_new_table_is_a_crash(kind: str, dtype: Any) -> None:
    training = table(
        x=[1.5, 2.5, 7.5, 5.5],
        word=["a", "b", "a", "b"],
        day=["2020-01-01", "2021-02-03", "2022-03-04", "2022-03-05"],
        hour=["10:00", "11:00", "12:00", "10:30"],
        y=[0, 1, 0, 1],
    )
    cells = pl.Series([None], dtype=dtype)
    new = training.frame.head(1).with_columns(cells.alias(kind))
    assert np.isfinite(fitted(training).transform(Table.of("t", new)).X).all()


def test_nothing_left_to_learn_from() -> None:
    with pytest.raises(DataError, match=r"a column to learn from.*every cell is 1"):
        fitted(table(x=[1, 1], y=[0, 1]))


def test_the_array_is_what_training_wants() -> None:
    result: Encoded = fitted(read(PENGUINS), "species").transform(read(PENGUINS))
    assert result.X.dtype == np.float32
    assert result.X.flags.c_contiguous
    assert np.isfinite(result.X).all()
    assert result.report.lines() == []


def test_an_encoder_read_back_from_json_encodes_the_same() -> None:
    penguins = read(PENGUINS)
    encoder = fitted(penguins, "species")
    stored = json.loads(json.dumps(encoder.to_dict(), allow_nan=False, default=listed))
    again = Encoder.from_dict(stored)
    assert again == encoder
    assert np.array_equal(again.transform(penguins).X, encoder.transform(penguins).X)


kinds_of_cells = st.sampled_from(
    [
        st.integers(-(10**20), 10**20).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(str),
        st.sampled_from(["a", "b", "c", ""]),
        st.sampled_from(["yes", "no", "?"]),
        st.dates().map(str),
        st.datetimes().map(lambda moment: moment.isoformat()),
        st.times().map(str),
        st.text(max_size=3),
    ]
)
columns_of_cells = kinds_of_cells.flatmap(
    lambda cells: st.lists(cells, min_size=12, max_size=12)
)
tables_of_cells = st.lists(columns_of_cells, min_size=1, max_size=3)


def _table(columns: list[list[str]]) -> Table:
    named = {
        f"c{i}": pl.Series(cells, dtype=pl.String) for i, cells in enumerate(columns)
    }
    return Table.of("t", pl.DataFrame(named | {"y": list("abab" * 3)}))


@given(tables_of_cells)
@settings(max_examples=200)
def test_whatever_cells_hold_they_encode_finite_and_survive_json(
    columns: list[list[str]],
) -> None:
    training = _table(columns)
    try:
        encoder = fitted(training)
    except ThalwegError:
        return
    X = encoder.transform(training).X
    assert np.isfinite(X).all()
    again = Encoder.from_dict(
        json.loads(json.dumps(encoder.to_dict(), allow_nan=False, default=listed))
    )
    assert np.array_equal(again.transform(training).X, X)


@given(tables_of_cells, st.randoms())
def test_only_training_rows_are_looked_at(
    columns: list[list[str]], random: Any
) -> None:
    """Other rows may change in any way: what was learned stays."""
    before = _table(columns)
    rows = np.arange(8)
    changed = [cells[:8] + random.choices(cells, k=4) for cells in columns]
    try:
        schema = infer(before, "y")
        encoder = Encoder.fit(schema, before, rows)
    except ThalwegError:
        return
    assert Encoder.fit(schema, _table(changed), rows) == encoder


def _changed(data: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = _changed(data[path[0]], path[1:], value)
    return copy


def _paths(data: Any, path: list[Any]) -> list[list[Any]]:
    if not isinstance(data, dict | list):
        return [path]
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    return [path, *(p for key, item in inner for p in _paths(item, [*path, key]))]


junk = st.sampled_from(
    [None, True, -1, 0, "x", "number", [], {}, [1, "a"], 1e308, 10**400]
)


@given(st.data())
def test_an_altered_encoder_is_refused_or_encodes(data: st.DataObject) -> None:
    training = table(
        x=[float(i * i) for i in range(60)],
        word=["a", "b", None] * 20,
        many=[f"k{i // 2}" for i in range(60)],
        day=[f"2020-{1 + i % 12:02}-01" for i in range(60)],
        y=[0, 1] * 30,
    )
    stored = json.loads(json.dumps(fitted(training).to_dict(), default=listed))
    path = data.draw(st.sampled_from(_paths(stored, [])))
    try:
        encoder = Encoder.from_dict(_changed(stored, path, data.draw(junk)))
    except ModelFileError:
        return
    assert encoder.features


def test_a_column_that_turned_to_text_is_reported_by_line(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("x,word\n1,a\n\ntwo,b\n")
    training = table(x=[1, 3, 2], word=["a", "b", "a"], y=[0, 1, 0])
    assert lines(training, read(path)) == [
        "x: 1 cell not a number, taken as missing, first 'two' in line 4"
    ]


@pytest.mark.parametrize(
    ("kind", "categories", "read_as"),
    [
        ("category", ("a", "b c"), pl.Enum(["a", "b c"])),
        ("category", ("a", " b"), pl.String()),
        ("category", ("?", "a"), pl.String()),
        ("boolean", ("false", "true"), pl.String()),
    ],
)
def test_cells_are_read_as_categories_where_these_are_as_a_table_has_them(
    kind: ColumnKind, categories: tuple[str, ...], read_as: pl.DataType
) -> None:
    encoding = CategoryEncoding("x", USUAL[kind], False, True, categories)
    assert encoding.type == read_as
    texts = pl.Series("x", [*categories, None])
    cells = encoding.understood(texts.cast(pl.Enum(categories)))
    meant = encoding.encode(encoding.understood(texts))
    assert np.array_equal(encoding.encode(cells), meant)
