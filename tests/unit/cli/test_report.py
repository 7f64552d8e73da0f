"""``thalweg report``, and ``--report`` of ``thalweg train``."""

from pathlib import Path

import pytest


def test_a_report_beside_its_table(thalweg, model: Path) -> None:
    result = thalweg("report", model)
    assert (result.status, result.out) == (0, "")
    assert result.err == "report in saved.html\n"
    assert "Confusion matrix" in Path("saved.html").read_text(encoding="utf-8")
    again = thalweg("report", model)
    assert again.err == "report in saved.html, replacing what was there\n"


def test_a_report_of_a_table_elsewhere(thalweg, model: Path) -> None:
    Path("data").mkdir()
    Path("penguins.csv").rename("data/p.csv")
    result = thalweg("report", model, "--data", "data/p.csv", "-o", "page.html")
    assert (result.status, result.err) == (0, "report in page.html\n")
    assert "Confusion matrix" in Path("page.html").read_text(encoding="utf-8")


def test_a_report_without_its_table_warns(thalweg, model: Path) -> None:
    Path("penguins.csv").unlink()
    result = thalweg("report", model)
    assert result.status == 0
    assert result.err.splitlines() == [
        "warning: saved.html shows only what saved.thalweg holds: there is no "
        "penguins.csv in the current folder",
        "report in saved.html",
    ]
    assert "Confusion matrix" not in Path("saved.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["-o", "page.pdf"], 2, "--output must be a file that ends in .html"),
        (["-o", "no/page.html"], 1, "there is no folder 'no'"),
        (["--data", "none.csv"], 1, "none.csv: there is no such file"),
        (["--data", "few.csv"], 1, "few.csv: must be the table that the model was"),
        (["--threads", "0"], 2, "--threads must be a whole number"),
    ],
)
def test_what_cant_be_reported(
    refused, model: Path, words: list[str], status: int, said: str
) -> None:
    lines = Path("penguins.csv").read_text(encoding="utf-8").splitlines()
    Path("few.csv").write_text("\n".join(lines[:30]) + "\n", encoding="utf-8")
    assert said in refused("report", model, *words, status=status)
    assert not list(Path().glob("*.html"))


def test_a_damaged_model(refused, model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-9])
    assert "saved.thalweg" in refused("report", model, status=1)


def test_training_reports_at_once(thalweg) -> None:
    words = ["penguins.csv", "-t", "species", "--epochs", "3", "-q"]
    result = thalweg("train", *words, "--report", "page.html")
    assert result.status == 0
    assert "report in page.html" in result.err
    page = Path("page.html").read_text(encoding="utf-8")
    assert "Confusion matrix" in page
    assert "thalweg train penguins.csv --target species --epochs 3" in page


@pytest.mark.parametrize(
    ("page", "status"), [("page.pdf", 2), ("no/page.html", 1), ("penguins.html", 2)]
)
def test_a_report_that_cant_be_is_refused_before_training(
    refused, page: str, status: int
) -> None:
    Path("penguins.html").symlink_to("penguins.csv")
    before = Path("penguins.csv").read_bytes()
    refused("train", "penguins.csv", "-t", "species", "--report", page, status=status)
    assert not Path("penguins.thalweg").exists()
    assert Path("penguins.csv").read_bytes() == before
