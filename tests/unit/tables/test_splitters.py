"""What rows are split by: groups, the time, copies. Nothing stands on two sides."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError, DataError
from thalweg.tables.declared import Declared
from thalweg.tables.infer import infer
from thalweg.tables.read import read
from thalweg.tables.splitting.copies import numbered_copies
from thalweg.tables.splitting.split import Split, split
from thalweg.tables.splitting.splitters import Shares
from thalweg.tables.table import Table
from thalweg.tabular.prepare import prepare
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.tabular.split_columns import by_copies, by_group, by_time

PARTS = ("training", "validation", "test")
SHARES = st.builds(
    Shares, st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 9)
)
random = np.random.default_rng(0)


def table_of(**columns: Any) -> Table:
    return Table.of("t", pl.DataFrame(columns), typed=True)


def sizes(parts: Split) -> list[int]:
    return [len(getattr(parts, name)) for name in PARTS]


def require_whole(parts: Split, rows: np.ndarray) -> None:
    """Each row is in one part, and no part is empty."""
    joined = np.concatenate([getattr(parts, name) for name in PARTS])
    assert sorted(joined) == sorted(rows)
    assert min(sizes(parts)) > 0


def require_apart(parts: Split, values: Any) -> None:
    """No value is in two parts."""
    seen = [set(np.asarray(values)[getattr(parts, name)]) for name in PARTS]
    assert sum(map(len, seen)) == len(set.union(*seen))


# Groups -------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 12), min_size=10, max_size=80),
    st.integers(1, 3),
    SHARES,
)
def test_no_group_is_on_two_sides(
    groups: list[int], classes: int, shares: Shares
) -> None:
    rows = np.arange(len(groups))
    splitter = by_group(table_of(g=groups), "g", rows, Declared())
    strata = np.random.default_rng(shares.seed).integers(0, classes, len(rows))
    if len(set(groups)) < 3:
        with pytest.raises(DataError, match=f"'g': .* 3 groups .* {len(set(groups))}$"):
            splitter.parts(rows, strata, shares)
        return
    parts = splitter.parts(rows, strata, shares)
    require_whole(parts, rows)
    require_apart(parts, groups)
    for learned, scored in splitter.folds(rows, strata, 3, 0):
        assert set(np.array(groups)[learned]).isdisjoint(np.array(groups)[scored])


def test_groups_come_near_the_shares_in_rows_and_in_classes() -> None:
    groups = random.integers(0, 60, 3000)
    classes = (random.random(3000) < 0.2 + groups / 100).astype(int)
    splitter = by_group(table_of(g=groups), "g", np.arange(3000), Declared())
    parts = splitter.parts(np.arange(3000), classes, Shares(0.2, 0.1, 3))
    assert sizes(parts) == pytest.approx([2100, 600, 300], abs=60)
    for part in (parts.training, parts.validation, parts.test):
        assert classes[part].mean() == pytest.approx(classes.mean(), abs=0.06)
    folds = splitter.folds(np.arange(3000), classes, 4, 0)
    assert sorted(np.concatenate([scored for _, scored in folds])) == list(range(3000))
    assert [len(scored) for _, scored in folds] == pytest.approx([750] * 4, abs=90)


def test_two_groups_of_each_of_two_classes_are_enough() -> None:
    groups = np.repeat(np.arange(4), [4, 16, 4, 16])
    splitter = by_group(table_of(g=groups), "g", np.arange(40), Declared())
    for seed in range(10):
        parts = splitter.parts(np.arange(40), groups // 2, Shares(0.2, 0.2, seed))
        require_whole(parts, np.arange(40))
        assert set(groups[parts.training] // 2) == {0, 1}


def test_a_row_without_a_group_is_one_of_its_own_and_said(tmp_path: Path) -> None:
    names = ["Ann", "Bea", None, "NA", "Cy", "07", "7", "Ann "] * 5
    written = "who,x\n" + "".join(f"{n or ''},1\n" for n in names)
    path = tmp_path / "groups.csv"
    path.write_text(written, encoding="utf-8")
    splitter = by_group(read(path), "who", np.arange(40), Declared())
    assert splitter.notes == ("10 rows without 'who': each is a group of its own",)
    assert len(set(splitter.numbers)) == 5 + 10
    assert splitter.numbers[0] == splitter.numbers[7]


def frame_of(rows: int = 60) -> pl.DataFrame:
    own = np.random.default_rng(1)
    (x, noise), order = own.normal(size=(2, rows)), own.permutation(rows).tolist()
    days = [date(2024, 3, 1) + timedelta(day) for day in order]
    who, y = np.arange(rows) // 4, x + noise
    return pl.DataFrame({"x": x, "who": who, "day": days, "y": y})


def test_the_group_is_no_feature_and_its_parts_are_said() -> None:
    found = prepare(read(frame_of()), "y", Settings(group="who"))
    (who,) = found.schema.set_aside
    assert (who.name, who.reason) == ("who", "rows of one group stay together")
    assert found.notes == (
        "rows of one 'who' stay together: 9 groups to train on, 3 to validate, 3 to "
        "test",
    )


# Time ---------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 30), min_size=10, max_size=80), SHARES)
def test_each_part_comes_after_the_one_before(
    moments: list[int], shares: Shares
) -> None:
    rows, table = np.arange(len(moments)), table_of(t=moments)
    splitter = by_time(table, infer(table, "t"), "t", rows, Declared())
    if len(set(moments)) < 3:
        with pytest.raises(DataError, match="3 different moments"):
            splitter.parts(rows, None, shares)
        return
    parts = splitter.parts(rows, None, shares)
    require_whole(parts, rows)
    learned, judged, tested = (
        np.array(moments)[getattr(parts, name)] for name in PARTS
    )
    assert learned.max() < judged.min() <= judged.max() < tested.min()
    assume(len(set(moments)) > 3)
    folds = splitter.folds(rows, None, 3, 0)
    for before, scored in folds:
        assert np.array(moments)[before].max() < np.array(moments)[scored].min()
    assert len({row for _, scored in folds for row in scored}) == sum(
        len(scored) for _, scored in folds
    )


def test_the_last_rows_are_tested_on_and_it_is_said_from_when() -> None:
    frame = frame_of()
    found = prepare(read(frame), "y", Settings(time="day"))
    in_order = np.argsort(frame["day"].to_numpy())
    for name, rows in zip(PARTS, np.split(in_order, [36, 48]), strict=True):
        assert getattr(found.split, name).tolist() == sorted(rows)
    assert found.notes == (
        "tested on the last 12 rows, from 2024-04-18 on",
        "validated on the 12 rows before, from 2024-04-06 on",
    )
    assert "day" in [column.name for column in found.schema.features]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["9", "10", "11", "8"], [1, 2, 3, 0]),  # as numbers, not as texts
        (["24.12.2023", "1.3.2024", "2.3.2024", "25.12.2023"], [0, 2, 3, 1]),
        (["9:30", "10:15", "23:00", "0:05"], [1, 2, 3, 0]),
    ],
)
def test_a_moment_is_what_its_column_is(
    written: list[str], expected: list[int]
) -> None:
    table = Table.of("t", pl.DataFrame({"t": written, "y": ["1", "2", "3", "4"]}))
    found = by_time(table, infer(table, "y"), "t", np.arange(4), Declared())
    assert np.argsort(found.ranks).tolist() == np.argsort(expected).tolist()


def test_a_missing_moment_and_one_without_order_are_errors() -> None:
    frame = frame_of().with_columns(text=pl.Series(["early", "late"] * 30))
    with pytest.raises(DataError, match=r"'text': the time must be .* date=.'text'"):
        prepare(read(frame), "y", Settings(time="text"))
    holes = frame.with_columns(pl.col("day").replace(frame["day"][7], None))
    with pytest.raises(DataError, match=r"row 8, column 'day': .* missing in 1 row"):
        prepare(read(holes), "y", Settings(time="day"))
    # Where the target is missing, too, the row is left out.
    holes = holes.with_columns(pl.col("y").replace(frame["y"][7], None))
    assert prepare(read(holes), "y", Settings(time="day")).split.notes


def test_classes_that_come_up_late_are_said() -> None:
    frame = (
        frame_of()
        .sort("day")
        .with_columns(y=pl.Series(["a"] * 20 + ["b"] * 35 + ["c"] * 5))
    )
    found = prepare(read(frame), "y", Settings(time="day"))
    assert found.notes[-1] == "1 class without a row to train on"


# Copies -------------------------------------------------------------------------------

CELLS = st.lists(
    st.tuples(
        st.sampled_from([None, -1.5, 0.0, 2.0]),
        st.sampled_from(["a", "b", None]),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=60,
)


@given(CELLS)
def test_copies_are_those_that_pandas_finds(cells: list[Any]) -> None:
    frame = pl.DataFrame(
        cells, schema={"x": pl.Float64, "c": pl.String, "y": pl.Int64}, orient="row"
    )
    rows = np.flatnonzero(np.arange(len(cells)) % 5 != 3)
    table = Table.of("t", frame, typed=True)
    found = numbered_copies(table, ["x", "c", "y"], rows)
    known = pd.DataFrame(frame.to_dict(as_series=False)).iloc[rows]
    numbers = known.groupby(["x", "c", "y"], dropna=False).ngroup().to_numpy()
    if found is None:
        assert len(set(numbers)) == len(rows)
        return
    assert np.array_equal(
        found[:, None] == found[None, :], numbers[:, None] == numbers[None, :]
    )


def test_rows_whose_hashes_are_the_same_by_chance_are_no_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def same(frame: pl.DataFrame) -> pl.Series:
        return pl.Series([7] * frame.height, dtype=pl.UInt64)

    monkeypatch.setattr(pl.DataFrame, "hash_rows", same)
    rows = np.arange(4)
    found = numbered_copies(table_of(x=[1, 2, 1, None], y=[0, 0, 0, 0]), ["x"], rows)
    assert found is not None
    assert len(set(found)) == 3
    assert found[0] == found[2]
    assert numbered_copies(table_of(x=[1, 2, 3, None]), ["x"], rows) is None


@given(st.integers(30, 200), st.integers(1, 5), SHARES, st.booleans())
def test_copies_are_never_on_two_sides(
    rows: int, copies: int, shares: Shares, of_classes: bool
) -> None:
    generator = np.random.default_rng(shares.seed)
    original = np.arange(rows)
    original[generator.integers(0, rows, copies)] = original[
        generator.integers(0, rows, copies)
    ]
    x, classes = original * 1.5, original % 3
    table = table_of(x=x, y=classes)
    splitter = by_copies(table, infer(table, "y"), np.arange(rows))
    strata = classes if of_classes else None
    parts = splitter.parts(np.arange(rows), strata, shares)
    require_whole(parts, np.arange(rows))
    require_apart(parts, original)
    repeated = rows - len(set(original))
    if repeated:
        words = f"{repeated} rows repeat" if repeated > 1 else "1 row repeats"
        assert parts.notes[0].startswith(words)
    wanted = [rows * (1 - shares.validation - shares.test)]
    wanted += [rows * shares.validation, rows * shares.test]
    assert sizes(parts) == pytest.approx(wanted, abs=4 + copies)
    for learned, scored in splitter.folds(np.arange(rows), strata, 3, 0):
        assert set(original[learned]).isdisjoint(original[scored])


def test_without_copies_rows_are_drawn_as_ever() -> None:
    frame = frame_of()
    found, known = prepare(read(frame), "y").split, split(60)
    for name in PARTS:
        assert np.array_equal(getattr(found, name), getattr(known, name))
    assert found.notes == ()


def test_a_copy_is_one_of_what_the_network_sees() -> None:
    frame = frame_of(30)
    twice = pl.concat([frame, frame]).with_row_index("id")
    asked = Settings(ignore=("who", "day"))
    found = prepare(read(twice), "y", asked)
    require_apart(found.split, np.arange(60) % 30)
    assert found.notes == (
        "30 rows repeat others; copies stay on one side of the split",
    )


@pytest.mark.parametrize("times", [2, 3, 7])
@pytest.mark.parametrize("rows", [25, 40])
def test_copies_stay_together_however_many_there_are(rows: int, times: int) -> None:
    frame = pl.concat([frame_of(rows)] * times)
    found = prepare(read(frame), "y", Settings(ignore=("who", "day")))
    require_apart(found.split, np.arange(len(frame)) % rows)
    assert all(map(len, (found.split.training, found.split.validation)))
    assert len(found.split.test)
    assert found.notes[0].startswith(f"{rows * (times - 1)} rows repeat others; copies")


def test_a_row_that_is_most_of_a_table_is_trained_on() -> None:
    frame = frame_of(60)
    usual = pl.concat([frame, *[frame.head(1)] * 200])
    found = prepare(read(usual), "y", Settings(ignore=("who", "day"))).split
    require_apart(found, np.minimum(np.arange(260), 60) % 60)
    assert len(found.test) < len(found.training)


def test_a_category_alone_repeats_by_nature() -> None:
    names = [f"name {i % 60}" for i in range(1200)]
    found = prepare(table_of(name=names, y=[n[-1] in "13579" for n in names]), "y")
    assert found.notes[0].endswith("as rows of few values do; each is drawn by itself")


def test_rows_of_few_values_are_drawn_by_themselves_and_said() -> None:
    table = table_of(x=[1, 2, 3, 4] * 25, y=[0, 1, 1, 0] * 25)
    found = prepare(table, "y")
    assert found.notes == (
        "96 rows repeat others, as rows of few values do; each is drawn by itself",
    )
    known = split(100, np.array([0, 1, 1, 0] * 25))
    assert np.array_equal(found.split.test, known.test)


# Settings -----------------------------------------------------------------------------


def test_the_seed_decides() -> None:
    def tested(seed: int) -> list[int]:
        asked = Settings(group="who", seed=seed)
        return prepare(read(frame_of()), "y", asked).split.test.tolist()

    assert tested(0) == tested(0) != tested(1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"group": "whom"}, "group must name a column .*did you mean 'who'"),
        ({"time": "dya"}, "time must name a column .*did you mean 'day'"),
        ({"group": "y"}, "'y' must be either target or group"),
        ({"time": "y"}, "'y' must be either target or time"),
        ({"group": "x", "weights": "x"}, "'x' must be either weights or group"),
    ],
)
def test_a_column_has_one_use(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        prepare(read(frame_of()), "y", Settings(**settings))  # pyright: ignore[reportArgumentType]


def test_group_and_time_dont_go_together() -> None:
    with pytest.raises(ArgumentError, match="time must be left out with group"):
        Settings(group="who", time="day")


@pytest.mark.parametrize("settings", [{"group": "who"}, {"time": "day"}])
def test_what_rows_are_split_by_may_be_set_aside(settings: dict[str, str]) -> None:
    def found(*ignore: str) -> Prepared:
        return prepare(read(frame_of()), "y", Settings(ignore=ignore, **settings))  # pyright: ignore[reportArgumentType]

    (name,) = settings.values()
    assert np.array_equal(found(name).split.test, found().split.test)
    assert name not in [column.name for column in found(name).schema.features]
