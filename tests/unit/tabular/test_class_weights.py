"""What classes count: read, checked, multiplied into what is learned, and kept."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.utils.class_weight import compute_sample_weight

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.search.tables import folds as folds_of
from thalweg.tables.read import read
from thalweg.tabular.own import ReadTable
from thalweg.tabular.prepare import prepare
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings

QUICK: dict[str, Any] = {"layers": (), "epochs": 2}
random = np.random.default_rng(0)


def table(**more: Any) -> pl.DataFrame:
    """Two classes, one of them rare, and weights."""
    y = np.where(np.arange(200) % 8 == 0, "a=b", "often")
    weight = random.integers(1, 4, 200)
    return pl.DataFrame({"x": random.normal(size=200), "w": weight, "y": y, **more})


def prepared(frame: pl.DataFrame, **settings: Any) -> Prepared:
    return prepare(read(frame), "y", Settings.by_name(settings))


def test_balanced_is_scikit_learn_s_of_the_training_rows() -> None:
    found = prepared(table(), class_weight="balanced")
    expected = compute_sample_weight("balanced", found.training.y)
    assert found.training.weights == pytest.approx(expected)
    by_class = dict(zip(found.training.y, expected, strict=True))
    assert found.validation.weights == pytest.approx(
        [by_class[each] for each in found.validation.y]
    )
    assert found.test.weights is None


def test_balanced_counts_the_rows_own_weights() -> None:
    frame = table()
    found = prepared(frame, class_weight="balanced", weights="w")
    assert found.training.weights is not None
    totals = np.bincount(found.training.y, found.training.weights)
    assert totals == pytest.approx(totals[::-1], rel=1e-6)
    own = prepared(frame, weights="w").training.weights
    assert own is not None
    assert totals.sum() == pytest.approx(own.sum(), rel=1e-6)


@pytest.mark.parametrize(
    "given", [{"a=b": 3}, ["a=b=3"], "a=b=3", {"a=b": np.float64(3.0), "often": 1}]
)
def test_weights_of_labels_multiply_those_of_rows(given: Any) -> None:
    frame = table()
    own, both = (
        prepared(frame, weights="w", **more) for more in ({}, {"class_weight": given})
    )
    for part in ("training", "validation"):
        rows, counted = getattr(own, part), getattr(both, part).weights
        assert counted == pytest.approx(rows.weights * np.where(rows.y == 0, 3.0, 1.0))
    assert both.test.weights == pytest.approx(own.test.weights)


@pytest.mark.parametrize(
    ("values", "given", "rare"),
    [
        ([True, False, False, False], {True: 5.0}, 1),
        ([7, 8, 8, 8], {7: 5}, 0),
        (["Yes", "No", "No", "No"], {"Yes": 5}, 1),
        (["YES", "no", "no", "no"], {"yes": 5}, 1),
    ],
)
def test_labels_are_read_as_cells_are(values: Any, given: Any, rare: int) -> None:
    frame = pl.DataFrame({"x": random.normal(size=80), "y": values * 20})
    training = prepared(frame, task="classes", class_weight=given).training
    assert training.weights is not None
    assert (training.weights == np.where(training.y == rare, 5, 1)).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ofen": 2}, "a class of 'y', got 'ofen': did you mean 'often'"),
        ({"often": -1}, "0 or more, got 'often=-1'"),
        ({"often": np.nan}, "got 'often=nan'"),
        ({"often": np.inf}, "got 'often=inf'"),
        ({"often": True}, "got 'often=True'"),
        ({"often": None}, "got 'often'"),
        ("blanced", "got 'blanced'"),
        (["balanced", "often=2"], "got 'balanced'"),
        (["often=1", "often=2"], "name 'often' once"),
        ({"often": 0, "a=b": 0}, "must leave rows to learn from"),
        (5, "class_weight"),
    ],
)
def test_what_cant_be_a_weight_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        prepared(table(), class_weight=given)


def test_a_number_has_no_classes_to_weigh() -> None:
    frame = pl.DataFrame({"x": random.normal(size=99), "y": random.normal(size=99)})
    with pytest.raises(ArgumentError, match="for classes, but 'y' is predicted as a"):
        prepared(frame, class_weight="balanced")


def test_what_is_learned_is_what_a_column_of_the_same_weights_gives(
    tmp_path: Path,
) -> None:
    """The same network to the bit, whose test counts all rows alike."""
    frame = table()
    factor = np.where(frame["y"] == "a=b", 3.0, 1.0)
    by_class = tw.train(frame, "y", ignore="w", class_weight={"a=b": 3}, **QUICK)
    column = tw.train(frame.with_columns(w=factor), "y", weights="w", **QUICK)
    first, second = (each.model.network.parameters for each in (by_class, column))
    assert all((first[name] == second[name]).all() for name in first)
    rows = frame[by_class.prepared.split.test.tolist()]
    assert by_class.model.evaluate(rows) == pytest.approx(by_class.test)
    assert by_class.test["accuracy"] != pytest.approx(column.test["accuracy"])
    by_class.model.save(tmp_path / "m.thalweg")
    kept: Any = tw.load(tmp_path / "m.thalweg")
    assert Settings.by_name(kept.results["settings"]).class_weight == ("a=b=3",)


def test_folds_weigh_all_that_choose() -> None:
    settings = Settings(class_weight=("a=b=3",), ignore=("w",))
    found = prepare(read(table()), "y", settings)
    for fold in folds_of(ReadTable(read(table())), found, settings, 2):
        for part in (fold.training, fold.validation, fold.test):
            assert part.weights is not None
            assert (part.weights == np.where(part.y == 0, 3, 1)).all()
