"""``thalweg predict``, ``evaluate`` and ``explain``: saved networks put to use."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import thalweg as tw
from thalweg.tabular.model import TableModel

Refused = Callable[..., str]


def penguins() -> pl.DataFrame:
    return pl.read_csv("penguins.csv", null_values="NA")


def test_predict_prints_a_row_for_each_row(thalweg, model: Path) -> None:
    result = thalweg("predict", model, "penguins.csv")
    frame = pl.read_csv(io.StringIO(result.out))
    loaded = tw.load(model)
    assert isinstance(loaded, TableModel)
    assert frame["prediction"].to_list() == (
        loaded.predict("penguins.csv")["prediction"].to_list()
    )
    right = (frame["prediction"] == penguins()["species"]).to_numpy()
    assert right.mean() > 0.9
    assert result.err == ""


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_predict_writes_a_file(thalweg, model: Path, name: str) -> None:
    result = thalweg("predict", model, "penguins.csv", "-o", name)
    assert (result.status, result.out) == (0, "")
    read = pl.read_csv if name.endswith("csv") else pl.read_parquet
    assert read(name).height == 344
    assert result.err == f"344 rows in {name}\n"
    again = thalweg("predict", model, "penguins.csv", "-o", name)
    assert "replacing what was there" in again.err


def test_predict_takes_a_table_without_the_target(thalweg, model: Path) -> None:
    penguins().drop("species").write_csv("new.csv")
    assert thalweg("predict", model, "new.csv").out.count("\n") == 345


def test_what_is_new_in_a_table_is_said_on_standard_error(thalweg, model: Path) -> None:
    changed = penguins().with_columns(
        pl.when(pl.int_range(pl.len()) < 3)
        .then(pl.lit("Atlantis"))
        .otherwise("island")
        .alias("island"),
        pl.when(pl.int_range(pl.len()) > 1).then("year").alias("year"),
        pl.lit(1).alias("extra"),
    )
    changed.write_csv("new.csv")
    result = thalweg("predict", model, "new.csv")
    assert result.status == 0
    assert result.out.count("\n") == 345
    lines = result.err.splitlines()
    assert all(line.startswith("warning: new.csv: ") for line in lines)
    assert "island: 3 cells with a category new" in result.err
    assert "year: 2 cells missing, though none was in training" in result.err
    assert "'extra'" in result.err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_table_that_lacks_a_column(
    refused: Refused, model: Path, command: str
) -> None:
    penguins().rename({"island": "iland"}).write_csv("new.csv")
    line = refused(command, model, "new.csv", status=1)
    assert "there must be a column 'island': did you mean 'iland'?" in line


def test_evaluate_prints_metrics(thalweg, model: Path) -> None:
    shown = thalweg("evaluate", model, "penguins.csv").out
    assert "344 rows of penguins.csv" in shown
    assert "accuracy" in shown
    found = json.loads(thalweg("evaluate", model, "penguins.csv", "--json").out)
    loaded = tw.load(model)
    assert isinstance(loaded, TableModel)
    assert found == {**loaded.evaluate("penguins.csv"), "rows": 344}


def test_evaluate_needs_the_target(refused: Refused, model: Path) -> None:
    penguins().drop("species").write_csv("new.csv")
    assert "column 'species'" in refused("evaluate", model, "new.csv", status=1)


def test_explain_shows_the_table_and_the_formulas(thalweg, model: Path) -> None:
    shown = thalweg("explain", model).out
    loaded = tw.load(model)
    assert isinstance(loaded, TableModel)
    assert loaded.network.explain() in shown
    assert "bill_length_mm" in shown
    assert "layers 16" in shown
    assert len(thalweg("explain", model, "--program").out) > len(shown)


def test_explain_measures_every_kernel(thalweg, model: Path) -> None:
    shown = thalweg("explain", model).out
    profiled = thalweg("explain", model, "--profile").out
    assert profiled.startswith(shown.rstrip())
    assert "Profile of the training step" in profiled
    assert re.search(r"^  matmul add .* \d+\.\d%$", profiled, re.MULTILINE)
    assert re.search(r"^[\d.]+ \w?FLOP/s with \w+", profiled, re.MULTILINE)


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_any_number_of_threads_says_the_same(
    thalweg, model: Path, command: str
) -> None:
    alone = thalweg(command, model, "penguins.csv")
    assert alone.status == 0
    for threads in (1, 3):
        assert thalweg(command, model, "penguins.csv", "--threads", threads) == alone


def test_a_network_without_a_table(thalweg, refused: Refused) -> None:
    network = tw.Network([tw.Dense(3, "softmax")]).initialize(4)
    network.save("alone.thalweg")
    assert thalweg("explain", "alone.thalweg").out.strip() == network.explain().strip()
    line = refused("predict", "alone.thalweg", "penguins.csv", status=1)
    assert "holds a network alone" in line


@pytest.mark.parametrize("command", ["predict", "evaluate", "explain"])
@pytest.mark.parametrize("damage", ["truncated", "altered", "no model", "missing"])
def test_a_damaged_model_file(
    refused: Refused, model: Path, command: str, damage: str
) -> None:
    content = bytearray(model.read_bytes())
    content[-5] ^= 1
    damaged = {
        "truncated": bytes(content[:-100]),
        "altered": bytes(content),
        "no model": Path("penguins.csv").read_bytes(),
    }
    path = Path("damaged.thalweg")
    if damage in damaged:
        path.write_bytes(damaged[damage])
    data = () if command == "explain" else ("penguins.csv",)
    assert "damaged.thalweg" in refused(command, path, *data, status=1)


@pytest.mark.parametrize(
    ("name", "status"),
    [("out.txt", 2), ("penguins.csv", 2), ("no/out.csv", 1), (".csv/", 2)],
)
def test_an_output_that_cant_be(
    refused: Refused, model: Path, name: str, status: int
) -> None:
    before = Path("penguins.csv").read_bytes()
    refused("predict", model, "penguins.csv", "-o", name, status=status)
    assert Path("penguins.csv").read_bytes() == before
