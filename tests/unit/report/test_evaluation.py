"""Where a loaded model's rows come from, and what is said where they're missing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import thalweg as tw
from support.parsed_html import Node, parsed
from thalweg.errors import ArgumentError, DataError, FileError
from thalweg.tabular.learn import Trained
from thalweg.tabular.model import TableModel

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"


@pytest.fixture
def loaded(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> TableModel:
    monkeypatch.chdir(tmp_path)
    trained.model.save("saved.thalweg")
    model = tw.load("saved.thalweg")
    assert isinstance(model, TableModel)
    return model


def written(model: Any, data: Any = None) -> Node:
    tw.write_report(model, "report.html", data)
    return parsed(Path("report.html").read_text(encoding="utf-8"))


def without_times(page: Node) -> list[list[str]]:
    tables = [table.rows() for table in page.all("table")]
    return [row[:-1] for table in tables for row in table]


def test_a_loaded_model_with_its_table_reports_what_training_did(
    loaded: TableModel, page: Node
) -> None:
    again = written(loaded, PENGUINS)
    assert without_times(again) == without_times(page)
    alternatives = [n.attributes.get("aria-label") for n in page.all("div")]
    assert [n.attributes.get("aria-label") for n in again.all("div")] == alternatives


def test_the_table_is_found_by_its_name_in_the_current_folder(
    loaded: TableModel, page: Node
) -> None:
    Path("penguins.csv").write_bytes(PENGUINS.read_bytes())
    assert without_times(written(loaded)) == without_times(page)


def test_without_the_table_it_says_so_and_shows_what_the_model_holds(
    loaded: TableModel, trained: Trained
) -> None:
    page = written(loaded)
    (note,) = [n for n in page.all("p") if n.attributes.get("class") == "note"]
    assert "there is no penguins.csv in the current folder" in note.text
    assert "no confidence intervals" in note.text
    sections = [node.attributes["id"] for node in page.all("section")]
    assert sections == [
        *("summary", "table", "training", "test", "comparison"),
        *("formulas", "repeat"),
    ]
    assert len(page.table("What each column")) == 7
    assert len(page.table(f"{len(trained.prepared.test.X)} rows")) == len(trained.test)
    assert len(page.table("Scores")) == 3


def test_a_changed_table_of_that_name_is_not_used(loaded: TableModel) -> None:
    changed = PENGUINS.read_text(encoding="utf-8").replace("39.1", "93.1", 1)
    Path("penguins.csv").write_text(changed, encoding="utf-8")
    page = written(loaded)
    assert "its content was changed since" in page.text
    with pytest.raises(DataError, match=r"penguins.csv: .*its content was changed"):
        written(loaded, "penguins.csv")


def test_another_table_is_refused(loaded: TableModel) -> None:
    pl.read_csv(PENGUINS).head(50).write_csv("few.csv")
    with pytest.raises(DataError, match=r"few.csv: .*but it has 50 rows, it had 344"):
        written(loaded, "few.csv")
    pl.read_csv(PENGUINS).rename({"sex": "s"}).write_csv("other.csv")
    with pytest.raises(DataError, match=r"other.csv: .*but its columns differ"):
        written(loaded, "other.csv")
    with pytest.raises(FileError, match="no such file"):
        written(loaded, "none.csv")
    assert not Path("report.html").exists()


def test_a_name_with_folders_is_looked_for_in_the_current_one(
    loaded: TableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "penguins.csv").write_bytes(PENGUINS.read_bytes())
    data = {**loaded.results["data"], "name": "elsewhere/penguins.csv"}
    page = written(replace(loaded, results={**loaded.results, "data": data}))
    assert "there is no penguins.csv in the current folder" in page.text


@pytest.mark.parametrize(
    "results",
    [
        {},
        {"data": 1, "settings": [], "test": None, "baselines": "x", "reading": 3},
        {"settings": {"epochs": "many"}, "test": {"f1": "high", "new": 0.5}},
        {"settings": {"unknown": 1}, "baselines": {"a": {}}, "test_rows": "all"},
        {"baselines": {"a": 3}, "test": {"rmse": None}},
    ],
)
def test_results_of_any_kind_are_shown_or_left_out(
    loaded: TableModel, results: dict[str, Any]
) -> None:
    page = written(replace(loaded, results=results))
    assert "the model doesn't say" in page.text
    with pytest.raises(DataError, match="doesn't say"):
        written(replace(loaded, results=results), PENGUINS)


def test_a_frame_is_its_own_table(tmp_path: Path) -> None:
    frame = pl.read_csv(PENGUINS, null_values="NA")
    trained = tw.train(frame, "species", layers=(8,), epochs=3, seed=4)
    page = written_to(tmp_path, trained.model, frame)
    assert page.table("Confusion matrix")
    call = "thalweg.train(table, target='species', layers=(8,), epochs=3, seed=4)"
    assert call in [code.text for code in page.all("code")]
    with pytest.raises(DataError, match="content was changed"):
        written_to(tmp_path, trained.model, frame[::-1])


def written_to(folder: Path, model: Any, data: Any) -> Node:
    path = tw.write_report(model, folder / "report.html", data)
    return parsed(path.read_text(encoding="utf-8"))


def test_what_is_no_model_or_no_page_is_refused(
    classes: Trained, tmp_path: Path
) -> None:
    network = tw.Network([tw.Dense(1)]).initialize(2)
    with pytest.raises(ArgumentError, match="model must be what train gave"):
        tw.write_report(network, tmp_path / "a.html")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ArgumentError, match=r"must be one that ends in \.html"):
        tw.write_report(classes, tmp_path / "a.pdf")
    with pytest.raises(FileError):
        tw.write_report(classes, tmp_path / "none" / "a.html")
