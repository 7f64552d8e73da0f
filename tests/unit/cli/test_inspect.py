"""thalweg inspect, and what a table of forms takes from the command line."""

import json
from pathlib import Path

import pytest

TABLE = """when,weight,code,word,limit,y
13/01/2021,"86,4 kg",007,NA,1.5,a
14/02/2021,"88 kg",012,x,<0.5,b
15/03/2021,"56,8 kg",007,NA,2.5,a
16/04/2021,"70 kg",012,x,3.5,b
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_each_column_is_shown_with_its_reason_and_what_changes_it(
    thalweg, table
) -> None:
    result = thalweg("inspect", table, "--target", "y")
    shown = " ".join(result.out.split())
    assert result.status == 1  # two columns can't be used as they are
    assert "when date 4 of 4 cells are dates, day first: 4 cells have a day" in shown
    assert "weight number 4 of 4 cells are numbers, 'kg' taken off 4 cells" in shown
    assert "decimal comma" in shown
    assert "code category 2 different texts such as '007', codes with" in shown
    assert "--category weight or --ignore weight" in shown
    assert "word error t.csv, line 2, column 'word': 'NA' may mean" in shown
    assert "limit error t.csv, line 3, column 'limit': a number must be" in shown
    assert "classes: the target is 2 different texts" in shown


def test_what_is_declared_decides(thalweg, table) -> None:
    said = (
        "--missing",
        "NA",
        "--limits",
        "bound",
        "--number",
        "code",
        "--ignore",
        "when",
    )
    result = thalweg("inspect", table, *said, "--json")
    assert result.status == 0
    found = json.loads(result.out)
    kinds = {column["name"]: column["kind"] for column in found["columns"]}
    assert kinds == {
        "when": "ignored",
        "weight": "number",
        "code": "number",
        "word": "category",
        "limit": "number",
        "y": "category",
    }
    assert (found["table"], found["rows"], found["target"]) == ("t.csv", 4, None)
    weight = found["columns"][1]["form"]
    assert weight == {
        "form": "number",
        "decimal": ",",
        "suffix": "kg",
        "limits": "bound",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "yy"), "--target must name a column of t.csv, got 'yy': did you"),
        (
            ("--category", "wrd"),
            "--category must name a column of t.csv, got 'wrd': did",
        ),
        (("--date", "when=%Q"), "in the form '%Q', %Q must be one of"),
        (("--decimal", "x"), "--decimal must be one of . ,, got 'x'"),
        (
            ("--thousand", ","),
            "there is no option --thousand: did you mean '--thousands'",
        ),
        (("--layers", "3"), "there is no option --layers"),
    ],
)
def test_what_can_not_be_understood(refused, table, options, message) -> None:
    assert message in refused("inspect", table, *options, status=2)


def test_declarations_reach_the_model_and_what_it_predicts(thalweg, tmp_path) -> None:
    rows = [
        f'{n % 28 + 1}/{n % 12 + 1}/2021,"{n},5 kg",{"ab"[n % 2]}' for n in range(99)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["when,weight,y", *rows]))
    quick = ("--epochs", "2", "--layers", "3", "--quiet")
    assert thalweg("train", "t.csv", "--target", "y", *quick).status == 0
    result = thalweg("predict", "t.thalweg", "t.csv")
    assert (result.status, result.err) == (0, "")
    points = [row.replace(",5 kg", ".5 kg") for row in rows]
    (tmp_path / "new.csv").write_text("\n".join(["when,weight,y", *points]))
    result = thalweg("predict", "t.thalweg", "new.csv")
    assert (result.status, result.out) == (1, "")
    assert "column 'weight': must hold a number in each cell, as in tr" in result.err
    assert "'0.5 kg' in line 2, '1.5 kg' in line 3, '2.5 kg' in line 4" in result.err
    result = thalweg("predict", "t.thalweg", "new.csv", "--lenient")
    assert result.status == 0
    assert "99 cells not a number, taken as missing" in result.err
    lines = result.out.splitlines()
    assert lines[0].endswith(",unreadable")
    assert all(line.endswith(",weight") for line in lines[1:])
    assert thalweg("evaluate", "t.thalweg", "new.csv").status == 1
    assert thalweg("evaluate", "t.thalweg", "new.csv", "--lenient").status == 0


def test_cells_here_and_there_that_can_not_be_read_stay_warnings(
    thalweg, tmp_path
) -> None:
    rows = [f"{n}.5,{'ab'[n % 2]}" for n in range(99)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    quick = ("--epochs", "2", "--layers", "3", "--quiet")
    thalweg("train", "t.csv", "--target", "y", *quick)
    some = [f"{'many' if n % 3 == 0 else n},a" for n in range(99)]
    (tmp_path / "new.csv").write_text("\n".join(["x,y", *some]))
    result = thalweg("predict", "t.thalweg", "new.csv")
    assert result.status == 0
    assert "33 cells not a number" in result.err
    assert "unreadable" not in result.out
