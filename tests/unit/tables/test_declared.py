"""What a user says of columns: how it is given, kept, and what can't be said."""

from typing import Any

import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.tables.declared import declared_by, way
from thalweg.tables.table import Table
from thalweg.tabular.model import TableModel
from thalweg.tabular.settings import Settings

FRAME = pl.DataFrame({"age": ["1"], "a=b": ["2"], "a": ["3"], "day": ["4"]})
TABLE = Table.of("t.csv", FRAME)


def declared(**given: Any) -> Any:
    return declared_by(Settings.by_name(given), TABLE)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"missing": "?"}, ("?",)),
        ({"missing": ["?", "age=-9"]}, ("?", "age=-9")),
        ({"missing": {"age": [-9, "?"], "a": "x"}}, ("age=-9", "age=?", "a=x")),
        ({"date": {"day": "%d/%m/%Y"}}, ("day=%d/%m/%Y",)),
        ({"date": {"day": None}}, ("day",)),
        ({"category": ("a", "age")}, ("a", "age")),
        ({"ignore": "age"}, ("age",)),
    ],
)
def test_texts_lists_and_mappings_are_kept_as_texts(given: Any, kept: Any) -> None:
    settings = Settings.by_name(given)
    (name,) = given
    assert getattr(settings, name) == kept
    assert Settings.by_name(settings.to_dict()) == settings


def test_a_text_is_of_a_column_only_where_that_is_there() -> None:
    said = declared(missing=["age=-9", "x=y", "a=b=c", "n/k"])
    assert said.of("age").missing == ("x=y", "n/k", "-9")
    assert said.of("a=b").missing == ("x=y", "n/k", "c")  # not "b=c" in "a"
    assert said.of("day").missing == ("x=y", "n/k")


def test_what_is_said_twice_is_said_once() -> None:
    found = declared(missing=["n/k", "a=n/k", "n/k", "a=?", "a=?"])
    assert found.of("a").missing == ("n/k", "?")
    assert found.of("b").missing == ("n/k",)


def test_a_date_may_have_its_form_behind_its_name() -> None:
    said = declared(date=["day=%d=%m=%Y"], number=["age"])
    assert (said.of("day").kind, said.of("day").order) == ("date", "%d=%m=%Y")
    assert (said.of("age").kind, said.of("age").order) == ("number", "")


def test_how_numbers_are_written_holds_for_every_column() -> None:
    said = declared(decimal=",", thousands="space", limits="bound", category=["a"])
    for name in ("a", "age"):
        how = said.of(name)
        assert (how.decimal, how.thousands, how.limits) == (",", "space", "bound")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"category": ["agee"]}, r"category must name a column of t\.csv.*'age'"),
        ({"number": ["x"]}, r"number must name a column"),
        ({"date": ["dy=%d/%m/%Y"]}, r"date must name a column.*got 'dy'.*mean 'day'"),
        ({"date": ["day=%Q"]}, r"form '%Q', %Q must be one of"),
        (
            {"category": ["a"], "number": ["a"]},
            r"'a' must be either category or number",
        ),
        ({"date": ["a"], "category": ["a"]}, r"'a' must be either category or date"),
    ],
)
def test_what_can_not_be_said_of_a_table(given: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        declared(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"decimal": ";"}, "decimal must be one of . ,"),
        ({"thousands": "x"}, "thousands must be one of"),
        ({"decimal": ",", "thousands": ","}, "another separator than decimal"),
        ({"limits": "both"}, "limits must be one of bound missing"),
        ({"category": [1]}, "category must be names of columns"),
        ({"missing": [-9]}, "missing must be texts"),
        ({"categories": ["a"]}, "did you mean 'category'"),
    ],
)
def test_what_can_not_be_said_at_all(given: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Settings.by_name(given)


def test_a_way_is_an_option_for_a_file_and_an_argument_for_a_frame() -> None:
    frame = Table.of("the table", FRAME, typed=True)
    assert way(TABLE, "missing", "age", "not known") == "--missing 'age=not known'"
    assert way(frame, "missing", "age", "not known") == "missing={'age': 'not known'}"
    assert way(frame, "category", "a") == "category=['a']"
    assert way(frame, "decimal", ",") == "decimal=','"


def test_what_is_declared_is_used_again_by_everything(tmp_path: Any) -> None:
    """Kept in the model, so that the same file means the same when predicting."""
    rows = [
        f"{n % 40},{n % 28 + 1:02}/{n % 12 + 1:02}/2020,{n * 1.5}" for n in range(120)
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["code,day,y", *rows]))
    said: dict[str, Any] = {"category": "code", "date": {"day": "%d/%m/%Y"}}
    model = tw.train(
        path, "y", epochs=2, layers=(3,), missing={"code": "7"}, **said
    ).model
    model.save(tmp_path / "t.thalweg")
    again = tw.load(tmp_path / "t.thalweg")
    assert isinstance(again, TableModel)
    assert again.encoder == model.encoder
    assert again.predict(path).equals(model.predict(path))
    code = again.encoder.schema.columns[0].form
    assert code.understood(pl.Series(["7", "8"])).to_list() == [None, "8"]
    assert Settings(**again.results["settings"] | {"layers": (3,)}).category == ["code"]
