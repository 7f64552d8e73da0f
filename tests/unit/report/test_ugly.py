"""Tables and runs that a report must survive, and say what is the matter."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.parsed_html import Node, parsed
from thalweg.printable import printable
from thalweg.report.formatting import number
from thalweg.tabular.learn import Trained

random = np.random.default_rng(1)
QUICK: dict[str, Any] = {"layers": (4,), "epochs": 3}
SCRIPT = "<script>alert('x')</script>"
MOST_BYTES = 1_000_000


@pytest.fixture
def reported(tmp_path: Path) -> Any:
    def call(trained: Trained) -> Node:
        path = tw.write_report(trained, tmp_path / "report.html")
        assert path.stat().st_size < MOST_BYTES
        return parsed(path.read_text(encoding="utf-8"))

    return call


def numbers(rows: int = 120, columns: int = 2) -> dict[str, Any]:
    return {f"x{i}": random.normal(size=rows) for i in range(columns)}


def notes(page: Node) -> str:
    found = [n.text for n in page.all("p") if n.attributes.get("class") == "note"]
    return "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        SCRIPT,
        "</title></style></svg></table>" + SCRIPT,
        '" onmouseover="alert(1)" x="',
        "<!-- a -->",
        "$x^2 \\frac{$",
        "{{ 7 * 7 }} {% raw %}",
        "年齢 😀",
        "a\x00b\x1bc\u2028d",
        "x" * 5_000,
    ],
    ids=lambda text: text[:10].encode("ascii", "replace").decode(),
)
def test_names_and_cells_are_shown_as_text(reported: Any, text: str) -> None:
    frame = pl.DataFrame(
        {
            text: random.choice([f"{text}1", f"{text}2", "c"], 120),
            **numbers(),
            f"{text} target": random.choice([f"{text}3", f"{text}4"], 120),
        }
    )
    page = reported(tw.train(frame, f"{text} target", **QUICK))
    assert not list(page.all("script", "frac"))
    for node in page.all():
        assert not [name for name in node.attributes if name.startswith("on")]
    columns = [row[0] for row in page.table("What each column")]
    wanted = printable(text)
    assert columns[0][:79] == wanted[:79]
    assert "49" not in columns[0]


def test_200_columns(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(columns=200), "y": random.choice(["a", "b"], 120)})
    page = reported(tw.train(frame, "y", **QUICK))
    assert len(page.table("What each column")) == 200
    assert len(page.table("Rise of the log loss")) == 50
    assert "150 columns that matter less aren't listed" in page.text
    heads = [h.text for h in list(page.all("table"))[-1].one("thead").all("th")]
    assert len(heads) == 4 + 8


def test_more_columns_than_are_shuffled(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(columns=700), "y": random.choice(["a", "b"], 120)})
    page = reported(tw.train(frame, "y", **QUICK))
    assert "Of 700 columns, the 200 with which predictions move most" in page.text
    assert "650 columns that matter less aren't listed" in page.text
    assert "400 more columns aren't listed" in page.text


def test_50_classes(reported: Any) -> None:
    label = random.integers(0, 50, 1_000)
    frame = pl.DataFrame(
        {"x": label + random.normal(size=1_000), "y": [f"class {i}" for i in label]}
    )
    page = reported(tw.train(frame, "y", **QUICK))
    assert len(page.table("Each class")) == 50
    assert len(page.table("The mistakes made most often")) == 20
    assert "Confusion matrix of 50 classes" in " ".join(
        n.attributes.get("aria-label", "") for n in page.all("div")
    )


def test_one_epoch(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(), "y": random.normal(size=120)})
    page = reported(tw.train(frame, "y", layers=(4,), epochs=1))
    assert [row[0] for row in page.table("Some epochs")] == ["1 (best)"]


def test_a_run_that_diverged(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(), "y": random.normal(size=120)})
    settings: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 3.0, "layers": ()}
    trained = next(
        found
        for rate in (1.2, 1.5, 2, 3, 5, 8)
        if (found := diverging(frame, {**settings, "learning_rate": rate})) is not None
    )
    page = reported(trained)
    best = trained.history.best_epoch
    assert (
        "Training diverged: the loss became NaN or infinite. The model has the weights "
        f"of epoch {best}" in notes(page)
    )


def diverging(frame: pl.DataFrame, settings: dict[str, Any]) -> Trained | None:
    """A run that ended with NaN after a whole epoch."""
    try:
        trained = tw.train(frame, "y", patience=500, epochs=500, **settings)
    except tw.DivergenceError:
        return None
    return trained if trained.diverged else None


def test_a_test_of_two_rows(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(12), "y": [*"ababababab", "a", "b"]})
    page = reported(tw.train(frame, "y", test=0.17, **QUICK))
    assert "With only 2 test rows" in notes(page)
    assert len(page.table("The 2 test rows")) == 2


def test_a_test_of_one_row_of_numbers(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(12), "y": random.normal(size=12)})
    page = reported(tw.train(frame, "y", test=0.05, **QUICK))
    assert len(page.table("The 1 test row")) == 1


def test_no_row_wrong_says_what_that_doesnt_mean(reported: Any) -> None:
    x = np.repeat([-1.0, 1.0], 60)
    frame = pl.DataFrame({"x": x, "y": np.where(x > 0, "up", "down")})
    page = reported(tw.train(frame, "y", layers=(8,), epochs=30))
    assert "may still be up to 12.5% (the rule of three: 3 / 24)" in notes(page)


def test_weights_count_in_every_figure(reported: Any) -> None:
    weights = random.integers(0, 4, 120)
    frame = pl.DataFrame(
        {**numbers(), "w": weights, "y": random.choice(["a", "b"], 120)}
    )
    trained = tw.train(frame, "y", weights="w", **QUICK)
    page = reported(trained)
    counts = [[float(c) for c in row[1:]] for row in page.table("Confusion matrix")]
    assert sum(map(sum, counts)) == trained.prepared.test.weights.sum()  # pyright: ignore[reportOptionalMemberAccess]
    right = (counts[0][0] + counts[1][1]) / sum(map(sum, counts))
    assert right == pytest.approx(trained.test["accuracy"])
    scores = {row[0]: row[1:7] for row in page.table("Scores on the same")}
    for name, metrics in trained.baselines.items():
        assert scores[name] == [number(value) for value in metrics.values()]
    assert "Each row counts as much as its weight says" in notes(page)
    assert "w" not in [row[0] for row in page.table("What each column")]


def test_one_class_alone_in_the_training_rows(reported: Any) -> None:
    frame = pl.DataFrame({**numbers(40), "y": ["a"] * 38 + ["b"] * 2})
    page = reported(tw.train(frame, "y", **QUICK))
    assert page.table("Scores on the same")


def test_embeddings_dates_and_booleans(reported: Any) -> None:
    rows = 1_200
    frame = pl.DataFrame(
        {
            "name": [f"name {i % 60}" for i in range(rows)],
            "day": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(rows)],
            "ok": random.choice(["yes", "no"], rows),
            "same": ["one"] * rows,
            "y": random.poisson(3, rows),
        }
    )
    page = reported(tw.train(frame, "y", task="number", loss="poisson", **QUICK))
    rows_of = {row[0]: row for row in page.table("What each column")}
    assert "an embedding" in rows_of["name"][3]
    assert "sine and cosine" in rows_of["day"][3]
    assert rows_of["same"][1] == "set aside"
