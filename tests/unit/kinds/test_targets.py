import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from thalweg.errors import DataError, ModelFileError
from thalweg.kinds.targets import (
    ClassTargets,
    NumberTargets,
    row_weights,
    rows_with_target,
    targets_from_dict,
)
from thalweg.tables.infer import infer, infer_column
from thalweg.tables.schema import Column, Schema
from thalweg.tables.table import Table


def table(cells: list[Any]) -> Table:
    return Table.of("t", pl.DataFrame({"y": cells}, strict=False))


def classes(cells: list[Any]) -> ClassTargets:
    training = table(cells)
    rows = np.arange(training.rows)
    return ClassTargets.fit(training, infer_column(training, "y"), rows)


@pytest.mark.parametrize(
    ("cells", "labels", "numbers"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        (["10", "9", "10"], ("9", "10"), [1, 0, 1]),
        ([10.0, 9.0, 10.0], ("9", "10"), [1, 0, 1]),
        (["Yes", "No", "Yes"], ("No", "Yes"), [1, 0, 1]),
        ([True, False, True], ("false", "true"), [1, 0, 1]),
    ],
)
def test_classes_are_numbered_in_order(
    cells: list[Any], labels: tuple[str, ...], numbers: list[int]
) -> None:
    encoder = classes(cells)
    found = encoder.truth(table(cells), np.arange(3))
    assert encoder.labels == labels
    assert found.dtype == np.int32
    assert found.tolist() == numbers
    assert encoder.decode(found) == [labels[number] for number in numbers]


def test_a_class_is_the_same_however_a_table_types_it() -> None:
    encoder = classes(["1", "2", "1"])
    for cells in ([1, 2], [1.0, 2.0], ["1.0", "2"]):
        assert encoder.truth(table(cells), np.arange(2)).tolist() == [0, 1]


def test_an_unknown_class_is_an_error_where_it_stands() -> None:
    with pytest.raises(DataError, match=r"row 2, column 'y': .* 'a', 'b', got 'c'"):
        classes(["a", "b"]).truth(table(["a", "c"]), np.array([0, 1]))


def test_numbers_are_standardized_and_back() -> None:
    cells = [3.0, 5.0, 10.0, 2.0]
    training = table(cells)
    encoder = NumberTargets.fit(training, infer_column(training, "y"), np.arange(3))
    assert encoder.scale.mean == 6
    truth = encoder.truth(training, np.arange(4))
    assert truth.tolist() == cells
    standardized = encoder.learned(truth)
    np.testing.assert_allclose(encoder.decode(standardized), cells, rtol=1e-6)
    assert standardized[:3].std() == pytest.approx(1)


@pytest.mark.parametrize("cell", ["inf", "abc", None])
def test_a_target_that_is_no_number_is_an_error_where_it_stands(cell: Any) -> None:
    training = table(["1", "2", "3"])
    encoder = NumberTargets.fit(training, infer_column(training, "y"), np.arange(3))
    with pytest.raises(DataError, match=r"row 2, column 'y': .* finite number, got"):
        encoder.truth(table(["1", cell]), np.arange(2))


def test_rows_without_a_target_are_left_out() -> None:
    assert rows_with_target(table(["a", "NA", "b", ""]), "y").tolist() == [0, 2]
    with pytest.raises(DataError, match="every cell is missing"):
        rows_with_target(table(["", "NA"]), "y")


WEIGHTED = Schema(Column("t", "ignored", ""), "y", ())


@pytest.mark.parametrize("cell", ["-1", "x", "NA", "inf"])
def test_a_weight_that_is_none_is_an_error_where_it_stands(cell: str) -> None:
    weighted = table(["1", cell, "2.5"])
    some = row_weights(weighted, WEIGHTED, np.array([2, 0]))
    assert some is not None
    assert some.tolist() == [2.5, 1]
    with pytest.raises(DataError, match="row 2, column 'y': a weight must be"):
        row_weights(weighted, WEIGHTED, np.arange(3))


def test_some_weight_is_above_0() -> None:
    with pytest.raises(DataError, match="a weight must be above 0"):
        row_weights(table([0, 0]), WEIGHTED, np.arange(2))


def test_weights_have_a_form_which_is_kept() -> None:
    cells = {"y": ["a", "b"], "w": ["1.234,5 kg", "0,25 kg"]}
    weighted = Table.of("t", pl.DataFrame(cells))
    schema = infer(weighted, "y", weights="w")
    assert schema.has_forms
    kept = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))
    found = row_weights(weighted, kept, np.arange(2))
    assert found is not None
    assert found.tolist() == [1234.5, 0.25]


def test_targets_survive_json() -> None:
    pair = table([1, 4])
    number = NumberTargets.fit(pair, infer_column(pair, "y"), np.arange(2))
    for encoder in (classes(["No", "Yes"]), number):
        stored = json.loads(json.dumps(encoder.to_dict()))
        assert targets_from_dict(stored) == encoder


@pytest.mark.parametrize(
    "change",
    [
        {"task": "guess"},
        {"task": "number"},
        {"keys": ["a"]},
        {"keys": ["a", "a"]},
        {"labels": [1, 2]},
        {"labels": ["a", "b", "c"]},
        {"kind": "date"},
        {"name": None},
        {"more": 1},
    ],
)
def test_altered_targets_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        targets_from_dict(classes(["a", "b"]).to_dict() | change)
    with pytest.raises(ModelFileError):
        targets_from_dict(None)
