"""A table of every kind of column, and models of it."""

import datetime
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.exported import PENGUINS
from thalweg.tabular.model import TableModel

ROWS = 600


def every_kind() -> pl.DataFrame:
    """Each kind of column there is, a tenth of whose cells are missing."""
    random = np.random.default_rng(0)

    def some(cells: Any) -> list[Any]:
        return [None if random.random() < 0.1 else each for each in cells]

    start = datetime.datetime(1890, 1, 1)
    seconds = random.integers(0, 200 * 365 * 86_400, ROWS)
    clock = random.integers(0, [24, 60, 60], (ROWS, 3))
    return pl.DataFrame(
        {
            "": range(ROWS),
            "when": some(str(start + datetime.timedelta(0, int(s))) for s in seconds),
            "at": some(f"{h:02}:{m:02}:{s:02}" for h, m, s in clock),
            "flag": some(random.choice(["Yes", "no", "NO"], ROWS)),
            "prediction": some(random.choice([f"c{i:02}" for i in range(60)], ROWS)),
            "two words": some(random.choice(["a", "b b", "ç"], ROWS)),
            "skewed": some(np.exp(3 * random.normal(size=ROWS))),
            "plain": some(random.normal(size=ROWS)),
        }
    )


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "every_kind.csv"
    random = np.random.default_rng(1)
    frame = every_kind().with_columns(
        y=pl.Series(random.normal(size=ROWS)),
        label=pl.Series(random.choice(["no", "yes"], ROWS)),
    )
    frame.write_csv(path)
    return path


@pytest.fixture(scope="session")
def number_model(table: Path) -> TableModel:
    return tw.train(table, "y", layers=(16,), epochs=2, ignore=("label",)).model


@pytest.fixture(scope="session")
def log_model(table: Path) -> TableModel:
    """It learned the logarithm of a number above 0."""
    frame = pl.read_csv(table).with_columns(y=pl.col("y").exp() * 1e6)
    how: dict[str, Any] = {"layers": (16,), "epochs": 2, "ignore": ("label",)}
    return tw.train(frame, "y", target_scale="log", **how).model


@pytest.fixture(scope="session")
def class_model(table: Path) -> TableModel:
    return tw.train(table, "label", layers=(16,), epochs=2, ignore=("y",)).model


@pytest.fixture(scope="session")
def penguins() -> TableModel:
    return tw.train(PENGUINS, "species", layers=(16,), epochs=20).model


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[Any], Any]:
    """The names in the file of Python that a model becomes."""

    def module(model: Any) -> Any:
        path = tmp_path / "exported.py"
        tw.export(model, path)
        return runpy.run_path(str(path))

    return module
