"""What makes a test too easy is said, and nothing is said where nothing does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from support.known_tables import FILES, SCIKIT_LEARN, path_of
from thalweg.tables.read import read
from thalweg.tables.splitting.split import Split
from thalweg.tables.table import Table
from thalweg.tabular.hints import hints
from thalweg.tabular.prepare import EncodedRows, Prepared, prepare
from thalweg.tabular.settings import Settings

Columns = dict[str, Any]
OPTIONS = ("--ignore", "--group", "--time")

EXPECTED = {
    # casual and registered riders are all riders; hour by hour through a year, its days
    # counted in the column day.
    "bikeshare": ["weighted sum of 'registered', 'casual'", "--time day tests"],
    # The file is sorted by price.
    "diamonds": ["rows are sorted by 'price'"],
}
"""The hints for known tables, and why they are true; there is none for the others."""


def hinted(columns: Mapping[str, Any], settings: Settings | None = None) -> list[str]:
    """The hints for a table with a target y."""
    table = Table.of("t", pl.DataFrame(columns))
    notes = prepare(table, "y", settings or Settings()).notes
    return [note for note in notes if any(option in note for option in OPTIONS)]


def only(found: list[str]) -> str:
    assert len(found) == 1, found
    return found[0]


def linear(generator: np.random.Generator, rows: int) -> tuple[Columns, Any]:
    """Four columns, and numbers that they tell in part."""
    X = generator.normal(size=(rows, 4))
    y = X @ [1, 0.5, -1, 0.3] + 0.7 * generator.normal(size=rows)
    return {f"x{number}": X[:, number] for number in range(4)}, y


def split_as(prepared: Prepared, table: Table, part: NDArray[Any]) -> Prepared:
    """Split otherwise: 0 for training rows, 1 for validation, 2 for the test."""
    X = prepared.encoder.transform(table).X

    def as_part(rows: NDArray[np.int64]) -> EncodedRows:
        return EncodedRows.of(table, X, prepared.targets, prepared.schema, rows)

    training, validation, test = (np.flatnonzero(part == which) for which in range(3))
    return replace(
        prepared,
        training=as_part(training),
        validation=as_part(validation),
        test=as_part(test),
        split=Split(training, validation, test, ()),
    )


# Nothing to say -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [*SCIKIT_LEARN, *FILES])
def test_of_known_tables_only_what_is_true_is_said(name: str, tmp_path: Path) -> None:
    path, target = path_of(name, tmp_path)
    notes = prepare(read(path), target).notes
    found = [note for note in notes if any(option in note for option in OPTIONS)]
    expected = EXPECTED.get(name, [])
    assert len(found) == len(expected), found
    for hint, words in zip(found, expected, strict=True):
        assert words in hint


def ordinary(seed: int) -> Columns:
    """A table of numbers, counts and categories, one of which (a model) sets a number.

    The target is told by all columns together, up to an R² of .99, or cut into classes.
    """
    draw = np.random.default_rng(seed)
    rows = int(np.exp(draw.uniform(np.log(60), np.log(5000))))
    Z = draw.normal(size=(rows, int(draw.integers(2, 12))))
    X = (
        np.exp(Z)
        if draw.random() < 0.3
        else Z * np.exp(2 * draw.normal(size=Z.shape[1]))
    )
    cities, models = int(draw.choice([2, 5, 10, 40, 100])), int(draw.integers(20, 80))
    city, model = draw.integers(0, cities, rows), draw.integers(0, models, rows)
    of_city, of_model = draw.normal(size=cities), draw.normal(size=models)
    age = draw.integers(18, 90, rows)
    signal = Z.sum(axis=1) / Z.shape[1] ** 0.5 + draw.choice([0, 0.7]) * of_city[city]
    signal += draw.choice([0, 0.7]) * of_model[model] + draw.choice([0, 0.03]) * age
    noise = draw.choice([0.1, 0.5, 2]) * signal.std()
    y = signal + noise * draw.normal(size=rows)
    places = np.searchsorted(np.quantile(y, [0.2, 0.5, 0.9]), y)
    two = np.where(y > np.quantile(y, 0.7), "yes", "no")
    return {
        **{f"x{number}": X[:, number] for number in range(X.shape[1])},
        "city": [f"c{each}" for each in city],
        "model": [f"m{each}" for each in model],
        "engine": of_model[model] + 0.01 * draw.normal(size=rows),
        "age": age,
        "count": draw.poisson(draw.uniform(1, 50), rows),
        "y": [y, np.exp(y), two, np.array(list("pqrs"))[places]][draw.integers(0, 4)],
    }


@pytest.mark.parametrize("seed", range(50))
def test_an_ordinary_table_gets_no_hint(seed: int) -> None:
    assert hinted(ordinary(seed)) == []


def test_a_few_rows_get_no_hint() -> None:
    columns, y = linear(np.random.default_rng(0), 40)
    assert hinted({**columns, "copy": y, "y": y}) == []


# A column that tells the target -------------------------------------------------------


def recoded(y: NDArray[Any], to: Mapping[Any, Any]) -> list[Any]:
    return [to[each] for each in y.tolist()]


NUMBER_LEAKS: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "equal": lambda y, draw: y,
    "in another unit": lambda y, draw: 7 - 1.08 * y,
    "on another scale": lambda y, draw: np.exp(y),
    "rounded": lambda y, draw: y.round(2),
    "nearly": lambda y, draw: y + 0.01 * draw.normal(size=len(y)),
    "not in all rows": lambda y, draw: [
        None if draw.random() < 0.05 else each for each in y.tolist()
    ],
}


@pytest.mark.parametrize("rows", [80, 1000, 8000])
@pytest.mark.parametrize("kind", NUMBER_LEAKS)
def test_a_column_that_tells_a_number_is_named(kind: str, rows: int) -> None:
    draw = np.random.default_rng(rows)
    columns, y = linear(draw, rows)
    hint = only(hinted({**columns, "leak": NUMBER_LEAKS[kind](y, draw), "y": y}))
    assert hint.startswith("'leak' ")
    assert hint.endswith("--ignore leak")


def test_a_column_that_is_mostly_missing_is_no_leak() -> None:
    columns, y = linear(np.random.default_rng(0), 500)
    some = [each if row % 3 == 0 else None for row, each in enumerate(y.tolist())]
    assert hinted({**columns, "some": some, "y": y}) == []


CLASS_LEAKS: dict[str, Callable[[Any, Any, np.random.Generator], Any]] = {
    "other words": lambda y, z, draw: recoded(y, {"u": "A", "v": "C", "w": "B"}),
    "numbers": lambda y, z, draw: recoded(y, {"u": 30, "v": 10, "w": 20}),
    "a score that was cut": lambda y, z, draw: z,
    "nearly": lambda y, z, draw: np.where(
        draw.random(len(y)) < 0.005, "A", recoded(y, {"u": "A", "v": "C", "w": "B"})
    ),
}


@pytest.mark.parametrize("rows", [80, 1000, 8000])
@pytest.mark.parametrize("kind", CLASS_LEAKS)
def test_a_column_that_tells_classes_is_named(kind: str, rows: int) -> None:
    draw = np.random.default_rng(rows)
    columns, score = linear(draw, rows)
    y = np.array(list("uvw"))[np.searchsorted([-0.5, 0.8], score)]
    leak = CLASS_LEAKS[kind](y, score, draw)
    hint = only(hinted({**columns, "leak": leak, "y": y}))
    assert hint.startswith("'leak' ")
    assert hint.endswith("--ignore leak")


def test_a_column_that_repeats_says_so_with_its_score() -> None:
    columns, y = linear(np.random.default_rng(0), 200)
    hint = only(hinted({**columns, "euros": 2 * y, "y": y}))
    assert hint == (
        "'euros' repeats 'y' (R² 1.0000 on 40 validation rows): if it isn't known when "
        "predicting, --ignore euros"
    )


def test_the_option_can_be_used_as_it_stands(tmp_path: Path) -> None:
    columns, y = linear(np.random.default_rng(0), 200)
    frame = pl.DataFrame({**columns, "unit price": 2 * y, "y": y})
    frame.write_csv(tmp_path / "t.csv")
    ways = {str(tmp_path / "t.csv"): "--ignore 'unit price'"}
    for source, option in [*ways.items(), (frame, "ignore=['unit price']")]:
        assert prepare(read(source), "y").notes[-1].endswith(f" {option}")


@pytest.mark.parametrize("apart", [[8, 8, 8], [9, 2, 2, 2, 2, 2, 2, 2, 2], [8] * 6])
def test_columns_that_tell_what_all_others_do_are_no_leak(apart: list[float]) -> None:
    """Two kinds of things that are far apart in most columns are just that."""
    draw = np.random.default_rng(0)
    kind = draw.integers(0, 2, 300)
    X = draw.normal(size=(300, len(apart))) + np.outer(kind, apart)
    columns = {f"x{number}": X[:, number] for number in range(len(apart))}
    assert hinted({**columns, "y": np.where(kind, "a", "b")}) == []


def test_rare_classes_in_order_by_chance_are_no_leak() -> None:
    """Of a thousand columns some bring two rows of a class together."""
    draw = np.random.default_rng(0)
    columns = {f"x{number}": draw.normal(size=80) for number in range(1000)}
    y = ["rare"] * 3 + ["usual"] * 77
    assert hinted({**columns, "y": y}) == []


@pytest.mark.parametrize("terms", [2, 3])
def test_columns_whose_sum_is_the_target_are_named(terms: int) -> None:
    draw = np.random.default_rng(terms)
    columns, _ = linear(draw, 500)
    parts = {f"part{n}": draw.poisson(20 * (n + 1), 500) for n in range(terms)}
    hint = only(hinted({**columns, **parts, "y": sum(parts.values())}))
    assert all(f"--ignore {name}" in hint for name in parts)
    assert "x0" not in hint


# A group ------------------------------------------------------------------------------


def visits(rows: int, size: int, seed: int = 0) -> Columns:
    """Rows of patients: alike in four columns, and in a state and a pulse."""
    draw = np.random.default_rng(seed)
    patients = rows // size
    patient = draw.permutation(np.arange(patients * size) % patients)
    of_patient = draw.normal(size=(patients, 4))
    X = of_patient[patient] + 0.3 * draw.normal(size=(len(patient), 4))
    pulse = draw.normal(size=patients)[patient] + 0.3 * draw.normal(size=len(patient))
    return {
        "patient": patient * 7 + 100,
        **{f"x{number}": X[:, number] for number in range(4)},
        "state": np.where(draw.integers(0, 2, patients)[patient], "sick", "well"),
        "pulse": pulse,
    }


@pytest.mark.parametrize(("rows", "size"), [(200, 4), (600, 15), (9000, 3), (9000, 40)])
@pytest.mark.parametrize("target", ["state", "pulse"])
@pytest.mark.parametrize("form", ["texts", "numbers", "set aside"])
def test_a_group_is_named(rows: int, size: int, target: str, form: str) -> None:
    columns = visits(rows, size)
    if form == "texts":
        columns["patient"] = [f"P{number:05d}" for number in columns["patient"]]
    y = columns.pop(target)
    columns.pop({"state": "pulse", "pulse": "state"}[target])
    settings = Settings(ignore=("patient",) if form == "set aside" else ())
    hint = only(hinted({**columns, "y": y}, settings))
    assert hint.startswith("rows of one 'patient'")
    assert "in 4 of 4 other columns" in hint
    assert "--group patient" in hint


def test_a_group_that_is_kept_together_needs_no_hint() -> None:
    columns = visits(600, 15)
    y, patient = columns.pop("pulse"), columns["patient"]
    table = Table.of("t", pl.DataFrame({**columns, "y": y}))
    prepared = prepare(table, "y")
    assert len(hints(table, prepared)) == 1
    part = np.searchsorted(np.quantile(patient, [0.6, 0.8]), patient)
    assert hints(table, split_as(prepared, table, part)) == []


def test_groups_one_after_the_other_are_no_order() -> None:
    frame = pl.DataFrame(visits(600, 15)).drop("pulse").sort("patient")
    columns = frame.rename({"state": "y"}).to_dict(as_series=False)
    assert hinted(columns, Settings(group="patient")) == []


def test_a_category_is_no_group_however_much_it_tells() -> None:
    columns = visits(600, 15)
    draw = np.random.default_rng(1)
    for number in range(4):
        columns[f"x{number}"] = draw.normal(size=600)
    y = columns.pop("pulse")
    columns["patient"] = [f"model {number}" for number in columns["patient"]]
    del columns["state"]
    assert hinted({**columns, "y": y}) == []


def test_a_quantity_is_no_group() -> None:
    """Rows of one age are alike, and so are those of the next."""
    draw = np.random.default_rng(0)
    age = draw.integers(20, 80, 900)
    columns = {f"x{n}": age * (n + 1) + 5 * draw.normal(size=900) for n in range(3)}
    y = age + 5 * draw.normal(size=900)
    assert hinted({"age": age, **columns, "y": y}) == []


# An order -----------------------------------------------------------------------------


def walk(rows: int, memory: float, seed: int) -> NDArray[np.float64]:
    """Each number is the one before times a memory, and something new."""
    values = np.random.default_rng(seed).normal(size=rows)
    for row in range(1, rows):
        values[row] += memory * values[row - 1]
    return values


@pytest.mark.parametrize("memory", [0.8, 0.95, 1.0])
@pytest.mark.parametrize("rows", [300, 2000, 9000])
def test_a_walk_is_said_with_the_column_of_its_dates(rows: int, memory: float) -> None:
    draw = np.random.default_rng(rows)
    days = np.datetime64("2001-01-01", "D") + np.arange(rows)
    columns, y = linear(draw, rows)
    dated = {"day": days.astype("datetime64[ms]"), **columns}
    y = y + 4 * walk(rows, memory, seed=rows)
    hint = only(hinted({**dated, "y": y}))
    assert "--time day tests on the last ones" in hint
    hint = only(hinted({**columns, "y": y}))
    assert "--time COLUMN tests on the last ones" in hint


def test_last_rows_that_are_tested_need_no_hint() -> None:
    columns, _ = linear(np.random.default_rng(0), 500)
    table = Table.of("t", pl.DataFrame({**columns, "y": walk(500, 1.0, seed=0)}))
    prepared = prepare(table, "y")
    assert len(hints(table, prepared)) == 1
    part = np.arange(500) // 200
    assert hints(table, split_as(prepared, table, part)) == []


def test_an_order_that_a_column_tells_is_none_of_the_target() -> None:
    columns, y = linear(np.random.default_rng(0), 500)
    slow = walk(500, 1.0, seed=0)
    assert hinted({**columns, "slow": slow, "y": y + slow}) == []


def test_copies_side_by_side_are_no_order() -> None:
    columns, y = linear(np.random.default_rng(0), 200)
    copied = {name: np.repeat(values, 5) for name, values in columns.items()}
    assert hinted({**copied, "y": np.repeat(y, 5)}) == []


def test_classes_that_last_are_said() -> None:
    columns, _ = linear(np.random.default_rng(0), 2000)
    y = np.where(walk(2000, 0.95, seed=0) > 0, "up", "down")
    assert "--time COLUMN" in only(hinted({**columns, "y": y}))


def test_the_same_numbers_in_another_order_are_not() -> None:
    columns, _ = linear(np.random.default_rng(0), 500)
    y = np.random.default_rng(1).permutation(walk(500, 1.0, seed=0))
    assert hinted({**columns, "y": y}) == []


def test_a_table_sorted_by_its_target_is_no_course_of_time() -> None:
    columns, y = linear(np.random.default_rng(0), 500)
    order = np.argsort(y)
    found = pl.DataFrame({**columns, "y": y})[order].to_dict(as_series=False)
    assert only(hinted(found)).startswith("rows are sorted by 'y'")


def test_a_table_sorted_by_its_classes_gets_no_hint() -> None:
    columns, y = linear(np.random.default_rng(0), 500)
    kinds = np.array(list("uvw"))[np.searchsorted([-0.5, 0.8], y)]
    order = np.argsort(kinds, kind="stable")
    found = pl.DataFrame({**columns, "y": kinds})[order].to_dict(as_series=False)
    assert hinted(found) == []
