from typing import Any

import polars as pl
import pytest

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.kinds.task import Task, infer_task
from thalweg.tables.infer import infer_column
from thalweg.tables.table import Table


def task(cells: list[Any], asked: str | None = None) -> Task:
    table = Table.of("t", pl.DataFrame({"y": cells}))
    return infer_task(table, infer_column(table, "y"), asked)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["Adelie", "Gentoo", "Adelie", "Gentoo"], "classes"),
        (["<=50K", ">50K", "<=50K", None], "classes"),
        ([True, False, True, False], "classes"),
        (["yes", "no", "no", "yes"], "classes"),
        ([0, 1, 1, 0], "classes"),
        (["5", "7", "7", "5"], "classes"),
        ([1.0, 2.0, 1.0, 2.0], "classes"),
        ([*range(10)] * 3, "classes"),
        ([1, 2, 3] * 3, "classes"),
        ([3, 4, 5, 6, 7, 8, 9] * 9, "number"),  # grades of wine
        ([*range(11)] * 3, "number"),
        ([0, 1, 3] * 3, "number"),
        ([452600, 358500, 352100], "number"),
        ([0.5, 1.5, 0.5, 1.5], "number"),
    ],
)
def test_the_task_follows_from_the_target(cells: list[Any], kind: str) -> None:
    assert task(cells).kind == kind


def test_what_was_asked_overrides() -> None:
    assert task([3, 4, 5] * 9, "classes") == Task("classes", "as asked")
    assert task([0, 1, 2] * 9, "number").kind == "number"


@pytest.mark.parametrize(
    ("cells", "asked", "message"),
    [
        (["a", "a", None], None, "two different values, but each of its cells is 'a'"),
        ([5, 5, 5], None, "two different values, but each of its cells is 5"),
        (["a", "b"], "number", "must be numbers, but it holds texts such as 'a'"),
        ([None, None], None, "every cell is missing"),
        (["a", "b", "c", "d"], None, "4 different values in 4 rows"),
        ([0.5, 1.5, 2.5, 3.5], "classes", "4 different values in 4 rows"),
        (["2020-01-01", "2020-01-02"], None, "but it is a date"),
    ],
)
def test_targets_that_can_not_be_predicted(
    cells: list[Any], asked: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        task(cells, asked)


def test_an_unknown_task_suggests_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="did you mean 'classes'"):
        task([0, 1], "clases")


def test_a_stored_task_is_checked() -> None:
    stored = task([0, 1, 1]).to_dict()
    assert Task.from_dict(stored).to_dict() == stored
    with pytest.raises(ModelFileError):
        Task.from_dict(stored | {"kind": "guess"})


def test_very_many_classes_must_be_meant() -> None:
    cells = [f"value {number % 1001}" for number in range(3003)]
    table = Table.of("t", pl.DataFrame({"y": cells}))
    column = infer_column(table, "y")
    with pytest.raises(DataError, match=r"1,001 different .* --category y"):
        infer_task(table, column)
    assert infer_task(table, column, "classes").kind == "classes"
    assert infer_task(table, column, declared="category").kind == "classes"
    assert task([*cells[:1000]] * 3).kind == "classes"
