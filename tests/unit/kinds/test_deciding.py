"""By which metric models are compared, and what few test rows say."""

from html import unescape
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import thalweg as tw
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.deciding import Deciding, deciding_metric
from thalweg.kinds.row_errors import errors_of
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.tables.forms import USUAL
from thalweg.tables.scales import Scale

random = np.random.default_rng(0)
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 5}


def classes(*labels: str) -> ClassTargets:
    return ClassTargets("y", USUAL["category"], labels, labels)


def of(targets: ClassTargets, *counts: int) -> Deciding:
    y = np.repeat(np.arange(len(counts)), counts)
    return deciding_metric(targets, y, y)


@pytest.mark.parametrize(
    ("counts", "metric", "positive"),
    [
        ((50, 50), "accuracy", 1),
        ((80, 20), "accuracy", 1),
        ((81, 19), "average_precision", 1),
        ((19, 81), "average_precision", 0),
        ((40, 40, 20), "accuracy", 1),
        ((44, 43, 13), "balanced_accuracy", 1),
        ((100, 100, 100, 9), "balanced_accuracy", 1),
    ],
)
def test_rare_classes_are_noticed(
    counts: tuple[int, ...], metric: str, positive: int
) -> None:
    found = of(classes(*"abcd"[: len(counts)]), *counts)
    assert (found.metric, found.positive) == (metric, positive)
    assert bool(found.why) == (metric != "accuracy")


def test_why_is_said_with_the_rarest_class_and_its_share() -> None:
    found = of(classes("no", "yes"), 970, 30)
    assert found.words == "average precision, as 'yes' is 3% of the rows"
    found = of(classes("a", "b", "c"), 600, 395, 5)
    assert found.words == "balanced accuracy, as 'c' is 0.5% of the rows"


def test_a_test_without_the_rare_class_goes_by_accuracy() -> None:
    y = np.repeat([0, 1], [97, 3])
    found = deciding_metric(classes("no", "yes"), y, y[:20])
    assert found.words == "accuracy, as every test row is 'no'"


def test_a_number_goes_by_its_error_which_is_better_if_lower() -> None:
    y = random.normal(size=9)
    found = deciding_metric(NumberTargets("y", Scale(0, 1)), y, y)
    assert (found.metric, found.gain(1.0, 3.0)) == ("rmse", 2.0)
    assert Deciding("accuracy").gain(1.0, 0.5) == 0.5


@pytest.mark.parametrize(("often", "rare"), [("no", "yes"), ("stays", "leaves")])
def test_a_rare_class_decides_wherever_scores_are(
    often: str, rare: str, tmp_path: Any
) -> None:
    """Its average precision is scikit-learn's, in the test, evaluate and a report."""
    x = random.normal(size=600)
    y = np.where(x + 0.3 * random.normal(size=600) > 1.6, rare, often)
    frame = pl.DataFrame({"x": x, "y": y})
    trained = tw.train(frame, "y", **QUICK)
    rows = frame[trained.prepared.split.test.tolist()]
    found = trained.model.predict(rows)[f"probability of {rare}"]
    asked = (rows["y"] == rare, found)
    expected = metrics.average_precision_score(*asked)
    assert trained.test["average_precision"] == pytest.approx(expected)
    assert trained.test["roc_auc"] == pytest.approx(metrics.roc_auc_score(*asked))
    trained.model.save(tmp_path / "m.thalweg")
    loaded: Any = tw.load(tmp_path / "m.thalweg")
    assert loaded.evaluate(rows) == pytest.approx(trained.test)
    compared = loaded.results["compared_by"]
    assert (compared["metric"], compared["class"]) == ("average_precision", rare)
    page = tw.write_report(trained, tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"By average precision, as '{rare}' is" in unescape(page)


# Few rows -----------------------------------------------------------------------------


def test_few_test_rows_are_said_with_wilson_s_interval() -> None:
    frame = pl.DataFrame({"x": random.normal(size=60), "y": ["a", "b"] * 30})
    trained = tw.train(frame, "y", **QUICK)
    share, n, z = trained.test["accuracy"], 12, 1.959964
    middle = share + z**2 / (2 * n)
    margin = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((middle + side * margin) / (1 + z**2 / n) for side in (-1, 1))
    (note,) = trained.notes
    assert note == (
        f"the test has only 12 rows, which say little: accuracy {share:#.4g}, with a "
        f"95% interval from {low:#.4g} to {high:#.4g}"
    )
    assert trained.model.results["notes"] == [note]


def test_thirty_test_rows_arent_few() -> None:
    frame = pl.DataFrame({"x": random.normal(size=150), "y": ["a", "b"] * 75})
    trained = tw.train(frame, "y", **QUICK)
    assert len(trained.prepared.test.X) == 30
    assert not trained.notes


def test_the_interval_of_a_number_s_error_holds_it() -> None:
    x = random.normal(size=60)
    trained = tw.train(pl.DataFrame({"x": x, "y": x**2}), "y", **QUICK)
    (note,) = trained.notes
    value, low, high = (
        float(w) for w in note.replace(",", "").split() if w[0].isdigit() and "." in w
    )
    assert low < value < high
    assert value == pytest.approx(trained.test["rmse"], rel=1e-3)


def test_a_test_of_one_row_has_no_interval() -> None:
    x = random.normal(size=60)
    prepared = tw.train(pl.DataFrame({"x": x, "y": x**2}), "y", **QUICK).prepared
    object.__setattr__(prepared, "test", prepared.test.at(np.arange(1)))
    truth = prepared.test.truth
    errors = errors_of(prepared.targets, [np.zeros((1, 1))], truth, None)
    (note,) = few_rows(prepared, errors)
    assert note.startswith("the test has only 1 row, ")
    assert note.endswith("too few for an interval")
