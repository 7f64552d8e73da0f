"""Tables of any numbers of float64: a model that works, or an error that says where.

pytest makes an error of every warning, so that none is shown to a user either.
"""

import math
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import thalweg as tw
from thalweg.errors import ArgumentError, DataError

LARGEST = np.finfo(np.float64).max.item()
SPECIAL = [0.0, -0.0, 1.0, 5e-324, 1e-310, 1e-45, 3.4e38, 1e39, 1e200, LARGEST]
QUICK: dict[str, Any] = {"layers": (4,), "epochs": 2}
WHERE = re.compile(r"(line|row) \d+, column '|column '[cw]\d?'")

anything = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([*SPECIAL, *(-each for each in SPECIAL)]),
)


@st.composite
def columns(draw: st.DrawFn, rows: int, least: float = -LARGEST) -> list[float]:
    """A column: quiet but for a cell or two, or of any numbers, or of few of them."""
    some = anything.map(abs) if least == 0 else anything
    random = np.random.default_rng(draw(st.integers(0, 99)))
    kind = draw(st.sampled_from(["quiet", "quiet", "wild", "few", "steps"]))
    if kind == "wild":
        size = 10 ** random.uniform(-323, 308, rows)
        sign = random.choice([1, -1 if least < 0 else 1], rows)
        return (size * sign).tolist()
    if kind == "steps":
        return (np.arange(rows) * (LARGEST / rows)).tolist()
    if kind == "few":
        return random.choice(
            draw(st.lists(some, min_size=2, max_size=4)), rows
        ).tolist()
    scale = draw(st.sampled_from([1.0, 1e300, 1e-300, 1e-320]))
    values = (abs(random.normal(size=rows)) * scale).tolist()
    for _ in range(draw(st.integers(0, 2))):
        values[draw(st.integers(0, rows - 1))] = draw(some)
    return values


@st.composite
def tables(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A table whose target is c0, and settings."""
    rows = draw(st.sampled_from([12, 30, 60, 120]))
    how: dict[str, Any] = {}
    counts = draw(st.booleans())
    cells = {"c0": draw(columns(rows, 0 if counts else -LARGEST))}
    for number in range(draw(st.integers(1, 2))):
        cells[f"c{number + 1}"] = draw(columns(rows))
    if draw(st.booleans()):
        cells["w"], how["weights"] = draw(columns(rows, 0)), "w"
    how["task"] = draw(st.sampled_from([None, "number", "number", "classes"]))
    if how["task"] != "classes" and counts:
        how["loss"] = draw(st.sampled_from([None, "poisson", "mean_absolute_error"]))
        if how["loss"] is None:
            how["target_scale"] = draw(st.sampled_from([None, "log"]))
    elif how["task"] == "classes":
        how["class_weight"] = draw(st.sampled_from([(), ("balanced",)]))
    typed = {name: pl.Series(each, dtype=pl.Float64) for name, each in cells.items()}
    return pl.DataFrame(typed), {name: each for name, each in how.items() if each}


@settings(max_examples=60)
@given(tables(), st.booleans(), st.sampled_from(range(8)))
def test_a_table_of_extreme_numbers_gives_a_model_or_an_error_that_says_where(
    drawn: tuple[pl.DataFrame, dict[str, Any]], written: bool, turn: int
) -> None:
    frame, how = drawn
    with tempfile.TemporaryDirectory() as folder:
        source: Any = frame
        if written:
            source = Path(folder, "t.csv")
            frame.write_csv(source)
        refused, trained = "", None
        try:
            trained = tw.train(source, "c0", **QUICK, **how)
        except (DataError, ArgumentError) as error:
            event(type(error).__name__)
            refused = str(error)
        if refused:
            # Some settings don't go with some targets, and some tables have no feature.
            about = r"loss|target_scale|class_weight|to learn from, but"
            assert WHERE.search(refused) or re.search(about, refused)
            return
        assert trained is not None
        file = Path(folder, "model.thalweg")
        trained.model.save(file)
        model: Any = tw.load(file)
        predicted = model.predict(source)["prediction"]
        assert predicted.null_count() == 0
        assert predicted.dtype == pl.String or not predicted.is_nan().any()
        for metrics in (trained.test, model.evaluate(source)):
            named = {k: v for k, v in metrics.items() if math.isnan(v)}
            assert set(named) <= {"roc_auc", "average_precision"}
        if turn == 0:  # it takes a second or more
            page = tw.write_report(trained, Path(folder, "report.html"))
            assert page.stat().st_size > 10_000


# One cell -----------------------------------------------------------------------------


def line(rows: int = 100) -> pl.DataFrame:
    x = np.random.default_rng(0).normal(size=rows)
    return pl.DataFrame({"x": x, "t": 2 * x + 1, "w": np.ones(rows)})


def with_cell(frame: pl.DataFrame, column: str, row: int, cell: float) -> pl.DataFrame:
    cells = frame[column].to_list()
    cells[row] = cell
    return frame.with_columns(pl.Series(column, cells))


PARTS = tw.train(line(), "t", weights="w", **QUICK).prepared.split


@pytest.mark.parametrize("column", ["t", "w"])
@pytest.mark.parametrize("cell", [1e39, LARGEST])
def test_a_cell_of_the_test_alone_costs_no_training(column: str, cell: float) -> None:
    frame = with_cell(line(), column, int(PARTS.test[3]), cell)
    trained = tw.train(frame, "t", weights="w", **QUICK)
    usual = tw.train(line(), "t", weights="w", **QUICK)
    assert trained.history.validation_loss == usual.history.validation_loss
    if column == "t":
        off = cell / len(PARTS.test) ** 0.5
        assert trained.test["rmse"] == pytest.approx(off)
    else:
        row = int(PARTS.test[3])
        said = usual.model.predict(line())["prediction"][row]
        assert trained.test["rmse"] == pytest.approx(abs(said - frame["t"][row]))


@pytest.mark.parametrize("column", ["t", "w"])
@pytest.mark.parametrize("cell", [1e39, LARGEST])
def test_a_cell_that_cant_be_learned_is_an_error_where_it_stands(
    column: str, cell: float, tmp_path: Path
) -> None:
    row = int(PARTS.validation[5])
    frame = with_cell(line(), column, row, cell)
    with pytest.raises(
        DataError, match=rf"row {row + 1}, column '{column}': .*float32"
    ):
        tw.train(frame, "t", weights="w", **QUICK)
    frame.write_csv(tmp_path / "t.csv")
    with pytest.raises(DataError, match=rf"line {row + 2}, column '{column}'"):
        tw.train(tmp_path / "t.csv", "t", weights="w", **QUICK)


@pytest.mark.parametrize("what", ["X", "y", "sample_weight"])
@pytest.mark.parametrize("estimator", [False, True])
def test_arrays_that_cant_be_learned_are_an_error_where_they_stand(
    what: str, estimator: bool
) -> None:
    random = np.random.default_rng(0)
    given: dict[str, Any] = {
        "X": random.normal(size=(50, 2)),
        "y": random.normal(size=50),
        "sample_weight": np.ones(50),
    }
    given[what][(7, 1) if what == "X" else 7] = 1e39
    place = "row 7, column 1" if what == "X" else "row 7"
    learner: Any = tw.Network([tw.Dense(1)])
    if estimator:
        learner = tw.NetworkRegressor(dtype="float32", standardize=False, epochs=1)
    with pytest.raises(ArgumentError, match=rf"{what} must .*1e\+39 at {place}"):
        learner.fit(**given)


def test_rows_of_an_estimator_are_counted_as_they_were_given() -> None:
    """Those that are held out are checked before they're taken from their places."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(500, 2)), random.normal(size=500)
    y[7] = 1e30
    learner = tw.NetworkRegressor(dtype="float32", standardize=False)
    with pytest.raises(ArgumentError, match=r"y must be .* row 7\b"):
        learner.fit(X, y)
