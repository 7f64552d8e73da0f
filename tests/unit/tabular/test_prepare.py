import contextlib
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from thalweg.errors import DataError, ThalwegError
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.prepare import prepare
from thalweg.tabular.settings import Settings

PENGUINS = Path("examples/penguins.csv")


def test_penguins_become_arrays_that_a_linear_model_learns() -> None:
    penguins = prepare(read(PENGUINS), target="species")
    model = LogisticRegression().fit(penguins.training.X, penguins.training.y)
    assert model.score(penguins.test.X, penguins.test.y) > 0.95
    assert len(penguins.training.y) + len(penguins.validation.y) + 69 == 344
    assert penguins.targets.to_dict()["labels"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert penguins.notes == ()


def test_rows_without_target_are_left_out_and_counted() -> None:
    frame = pl.DataFrame({"x": range(5, 25), "y": ["a", "b", None, " "] * 5})
    found = prepare(Table.of("t", frame), "y")
    sizes = [len(part.y) for part in (found.training, found.validation, found.test)]
    assert sum(sizes) == 10
    assert found.notes == ("10 rows left out, as 'y' is missing there",)


def test_three_rows_are_too_few() -> None:
    frame = pl.DataFrame({"x": [1, 5, 3], "y": [0.5, 1.5, 0.5]})
    with pytest.raises(DataError, match="t: there must be at least 10 rows"):
        prepare(Table.of("t", frame), "y")


def test_weights_are_no_feature() -> None:
    frame = pl.DataFrame(
        {"x": [3, 1, 2, 7] * 5, "w": [0.5, 2.0] * 10, "y": [0, 1] * 10}
    )
    found = prepare(Table.of("t", frame), "y", Settings(weights="w"))
    assert found.encoder.features == ("x",)
    expected = np.where(found.test.y == 0, 0.5, 2.0)
    assert found.test.weights.tolist() == expected.tolist()  # pyright: ignore[reportOptionalMemberAccess]


def test_rows_to_validate_and_test_change_nothing_that_is_learned() -> None:
    table = read(PENGUINS)
    found = prepare(table, "species")
    others = np.zeros(table.rows, np.bool_)
    others[np.concatenate([found.split.validation, found.split.test])] = True
    mass = pl.col("body_mass_g").cast(pl.Float64)
    changed = table.frame.with_columns(
        body_mass_g=pl.when(pl.Series(others))
        .then(mass * 1000)
        .otherwise(mass)
        .cast(pl.String)
    )
    again = prepare(Table.of("t", changed), "species")
    assert again.encoder == found.encoder
    assert np.array_equal(again.training.X, found.training.X)
    assert not np.array_equal(again.test.X, found.test.X)


PAGE = "\n".join(PENGUINS.read_text().split("\n")[:40]).encode()


@given(st.data())
@settings(max_examples=300)
def test_a_mutated_csv_is_prepared_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(PAGE)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 3))
        content[at : at + cut] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b",", b"\n", b"inf", b"\r"])
        )
    path = tmp_path_factory.mktemp("mutated") / "data.csv"
    path.write_bytes(content)
    try:
        found = prepare(read(path), "species")
    except ThalwegError:
        return
    assert np.isfinite(found.training.X).all()


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4))
def test_a_mutated_parquet_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, patch: bytes
) -> None:
    path = tmp_path_factory.mktemp("mutated") / "data.parquet"
    read(PENGUINS).frame.write_parquet(path)
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at : at + len(patch)] = patch
    path.write_bytes(content)
    with contextlib.suppress(ThalwegError):
        read(path)


def test_no_warning_reaches_a_person() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(read(PENGUINS), "species")
