"""A target whose logarithm is learned, and which is predicted in its own unit."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files import document
from thalweg.files.modelfile import read_model
from thalweg.kinds.constant import constant_guess
from thalweg.kinds.targets import NumberTargets
from thalweg.search.tables import folds as folds_of
from thalweg.tables.read import read
from thalweg.tabular.own import ReadTable
from thalweg.tabular.prepare import prepare
from thalweg.tabular.settings import Settings

random = np.random.default_rng(0)
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 5}
LOG = Settings(target_scale="log", layers=(8,), epochs=5)


def prices(rows: int = 200) -> pl.DataFrame:
    x = random.normal(size=rows)
    return pl.DataFrame({"x": x, "y": np.exp(6 + x + 0.3 * random.normal(size=rows))})


def test_what_is_learned_is_the_logarithm_and_comes_back() -> None:
    frame = prices()
    found = prepare(read(frame), "y", LOG)
    y = frame["y"].to_numpy()
    learned = np.log(y[found.split.training])
    assert isinstance(found.targets, NumberTargets)
    assert found.targets.scale.mean == pytest.approx(learned.mean())
    assert found.targets.scale.deviation == pytest.approx(learned.std())
    expected = (learned - learned.mean()) / learned.std()
    assert found.training.y == pytest.approx(expected, abs=1e-6)
    assert found.targets.decode(found.test.y) == pytest.approx(y[found.split.test])


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e300])
def test_numbers_of_any_size_come_back(scale: float) -> None:
    frame = prices().with_columns(pl.col("y") / 1e5 * scale)
    found = prepare(read(frame), "y", LOG)
    y = frame["y"].to_numpy()[found.split.test]
    assert isinstance(found.targets, NumberTargets)
    assert found.targets.decode(found.test.y) == pytest.approx(y, rel=1e-4, abs=0)


def test_it_is_the_network_of_the_logarithms_whose_answers_are_their_exponentials() -> (
    None
):
    frame = prices()
    logs = frame.with_columns(pl.col("y").log())
    trained = tw.train(frame, "y", target_scale="log", **QUICK)
    other = tw.train(logs, "y", **QUICK)
    first, second = (each.model.network.parameters for each in (trained, other))
    assert all((first[name] == second[name]).all() for name in first)
    predicted = trained.model.predict(frame)["prediction"].to_numpy()
    expected = np.exp(other.model.predict(logs)["prediction"].to_numpy())
    assert predicted == pytest.approx(expected, rel=1e-12)


def test_scores_are_scikit_learn_s_in_the_target_s_unit(tmp_path: Path) -> None:
    frame = prices()
    trained = tw.train(frame, "y", target_scale="log", **QUICK)
    rows = frame[trained.prepared.split.test.tolist()]
    asked = rows["y"], trained.model.predict(rows)["prediction"]
    expected = {
        "rmse": metrics.root_mean_squared_error(*asked),
        "mae": metrics.mean_absolute_error(*asked),
        "r2": metrics.r2_score(*asked),
    }
    assert trained.test == pytest.approx(expected)
    trained.model.save(tmp_path / "m.thalweg")
    loaded: Any = tw.load(tmp_path / "m.thalweg")
    assert loaded.evaluate(rows) == pytest.approx(expected)
    page = tw.write_report(loaded, tmp_path / "r.html", data=frame)
    assert "standard deviations of log y" in page.read_text(encoding="utf-8")


def test_the_constant_guess_is_the_mean_in_the_target_s_unit() -> None:
    frame = prices()
    found = prepare(read(frame), "y", LOG)
    assert isinstance(found.targets, NumberTargets)
    guess = found.targets.decode(constant_guess(found)[:, 0])
    mean = frame["y"].to_numpy()[found.split.training].mean()
    assert guess == pytest.approx([mean])


def test_an_older_reader_refuses_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tw.train(prices(), "y", target_scale="log", **QUICK).model
    model.save(tmp_path / "m.thalweg")
    assert read_model(tmp_path / "m.thalweg")[1]["required_features"] == [
        "log_target",
        "times",
    ]
    older = document.KNOWN_FEATURES - {"log_target"}
    monkeypatch.setattr(document, "KNOWN_FEATURES", older)
    with pytest.raises(ModelFileError, match="'log_target'"):
        tw.load(tmp_path / "m.thalweg")


@pytest.mark.parametrize("scale", [None, "linear"])
def test_a_file_without_it_is_as_it_was(scale: str | None, tmp_path: Path) -> None:
    model = tw.train(prices(), "y", target_scale=scale, **QUICK).model
    model.save(tmp_path / "m.thalweg")
    document = read_model(tmp_path / "m.thalweg")[1]
    assert document["required_features"] == ["times"]
    assert sorted(document["table"]["targets"]) == ["name", "scale", "task"]


@pytest.mark.parametrize("bad", [0.0, -3.5])
def test_the_first_cell_without_a_logarithm_is_named(
    bad: float, tmp_path: Path
) -> None:
    frame = prices()
    y = frame["y"].to_list()
    y[17] = y[150] = bad
    path = tmp_path / "t.csv"
    frame.with_columns(y=pl.Series(y)).write_csv(path)
    with pytest.raises(DataError, match=rf"line 19, .*'y'.*above 0, got '?{bad}"):
        tw.train(path, "y", target_scale="log")
    model = tw.train(frame, "y", target_scale="log", **QUICK).model
    with pytest.raises(DataError, match=r"line 19, .*above 0"):
        model.evaluate(path)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"target_scale": "sqrt"}, "target_scale must be one of linear log"),
        ({"target_scale": "log", "loss": "poisson"}, "another than log with .*poisson"),
        ({"target_scale": "log", "task": "classes"}, "for numbers, but 'y' is classes"),
    ],
)
def test_what_doesnt_go_with_it_is_refused(settings: Any, words: str) -> None:
    frame = pl.DataFrame({"x": random.normal(size=90), "y": [1, 2, 5] * 30})
    with pytest.raises(ArgumentError, match=words):
        tw.train(frame, "y", **settings)


def test_folds_learn_logarithms_too() -> None:
    table = read(prices())
    for fold in folds_of(ReadTable(table), prepare(table, "y", LOG), LOG, 2):
        assert isinstance(fold.targets, NumberTargets)
        assert fold.targets.log
