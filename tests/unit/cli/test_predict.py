"""``thalweg predict`` reads, predicts and writes part by part."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.tables import batches
from thalweg.tabular.model import TableModel

FORMATS = {"out.csv": pl.read_csv, "out.parquet": pl.read_parquet}
LINES = 344


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that even the penguins are many parts."""
    monkeypatch.setattr(batches, "BLOCK", 2_000)
    monkeypatch.setattr("thalweg.kinds.scores.MOST_ROWS", 50)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_what_the_model_predicts(
    thalweg, model: Path, tmp_path: Path, name: str
) -> None:
    result = thalweg("predict", model, "penguins.csv", "-o", name)
    assert (result.status, result.out) == (0, "")
    assert f"{LINES} rows in {name}" in result.err
    loaded = tw.load(model)
    assert isinstance(loaded, TableModel)
    meant = loaded.predict(tmp_path / "penguins.csv")
    found = FORMATS[name](tmp_path / name)
    assert found.columns == meant.columns
    assert found["prediction"].equals(meant["prediction"])
    for column in meant.columns[1:]:
        assert_allclose(found[column], meant[column], atol=1e-7)


def test_standard_output_has_one_header(thalweg, model: Path) -> None:
    lines = thalweg("predict", model, "penguins.csv").out.splitlines()
    assert len(lines) == LINES + 1
    assert sum(line.startswith("prediction,") for line in lines) == 1


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_bad_line_far_down_leaves_what_was_there(
    thalweg, model: Path, tmp_path: Path, name: str, before: bytes | None
) -> None:
    with (tmp_path / "penguins.csv").open("a") as file:
        file.write("Adelie,Dream,1\n")
    if before is not None:
        (tmp_path / name).write_bytes(before)
    result = thalweg("predict", model, "penguins.csv", "-o", name)
    assert result.status == 1
    assert f"penguins.csv, line {LINES + 2}: must have 8 cells" in result.err
    assert_only(tmp_path, name, before)


def assert_only(folder: Path, name: str, content: bytes | None) -> None:
    """There is what was there, and no other new file."""
    there = {path.name for path in folder.iterdir()}
    assert there == {"penguins.csv", "saved.thalweg"} | ({name} if content else set())
    if content:
        assert (folder / name).read_bytes() == content


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_end_on_the_way_leaves_no_half_file(
    thalweg,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: type[BaseException],
) -> None:
    whole = TableModel.predict_batches

    def some(
        self: TableModel, *arguments: Any, **options: Any
    ) -> Iterator[pl.DataFrame]:
        for number, part in enumerate(whole(self, *arguments, **options)):
            if number == 3:
                raise error
            yield part

    monkeypatch.setattr(TableModel, "predict_batches", some)
    result = thalweg("predict", model, "penguins.csv", "-o", name)
    assert result.status == (130 if error is KeyboardInterrupt else 1)
    assert_only(tmp_path, name, None)


def test_a_full_disk_is_an_error(
    thalweg, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = thalweg("predict", model, "penguins.csv", "-o", "out.csv")
    assert result.status == 1
    assert "out.csv: can't be written: No space left" in result.err
    assert_only(tmp_path, "out.csv", None)


def test_what_is_new_is_said_once_for_the_whole_table(
    thalweg, model: Path, tmp_path: Path
) -> None:
    text = (tmp_path / "penguins.csv").read_text()
    (tmp_path / "new.csv").write_text(text.replace("Dream", "Atlantis"))
    result = thalweg("predict", model, "new.csv")
    warnings = [line for line in result.err.splitlines() if "category new" in line]
    count = text.count("Dream")
    line = 1 + next(i for i, each in enumerate(text.splitlines()) if "Dream" in each)
    assert warnings == [
        f"warning: new.csv: island: {count} cells with a category new or rare in "
        f"training, first 'Atlantis' in line {line}"
    ]
