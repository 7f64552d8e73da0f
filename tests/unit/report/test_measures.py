"""What a report computes itself, against scikit-learn and what must hold."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.calibration import calibration_curve

import thalweg as tw
from thalweg.kinds.bootstrap import interval, resampled, wilson
from thalweg.kinds.row_errors import NumberErrors
from thalweg.report import importance
from thalweg.report.baselines import baselines
from thalweg.report.evaluate import evaluated
from thalweg.report.importance import MOST_SHUFFLED, REPEATS, error, importances
from thalweg.report.reliability import number_groups, probability_groups
from thalweg.report.sensitivity import sensitivities
from thalweg.report.table_evaluation import EvaluatedRows
from thalweg.tabular.learn import Trained
from thalweg.training.execution import Execution

random = np.random.default_rng(0)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    said = random.normal(size=2_000)
    draws = resampled(NumberErrors(np.zeros(2_000), said, np.ones(2_000)))
    found = interval(draws["mae"])
    mean, deviation = np.abs(said).mean(), np.abs(said).std() / 2_000**0.5
    assert found.low == pytest.approx(mean - 1.96 * deviation, abs=0.3 * deviation)
    assert found.high == pytest.approx(mean + 1.96 * deviation, abs=0.3 * deviation)


def test_the_same_rows_are_drawn_for_every_model(trained: Trained) -> None:
    errors = rows_of(trained).errors
    first, again = resampled(errors), resampled(errors)
    assert all((first[name] == again[name]).all() for name in first)


def rows_of(trained: Trained) -> EvaluatedRows:
    rows = evaluated(trained, None, Execution()).rows
    assert rows is not None
    return rows


def test_errors_of_the_networks_outputs_are_the_test(trained: Trained) -> None:
    assert rows_of(trained).errors.every_metric == trained.test


# Reliability --------------------------------------------------------------------------


def test_groups_are_those_of_scikit_learn() -> None:
    said = random.random(500)
    came = random.random(500) < said
    seen, promised = calibration_curve(came, said, n_bins=10)
    groups = probability_groups(said, came, np.ones(500))
    np.testing.assert_allclose([g.seen for g in groups], seen)
    np.testing.assert_allclose([g.promised for g in groups], promised)
    assert sum(group.rows for group in groups) == 500


def test_the_ends_of_the_range_have_a_group() -> None:
    said = np.array([0.0, 1.0, 1.0])
    groups = probability_groups(said, said == 1, np.array([1.0, 1.0, 3.0]))
    assert [(g.low, g.high, g.seen) for g in groups] == [(0, 0.1, 0), (0.9, 1, 1)]


def test_wilson_is_the_known_interval() -> None:
    # Brown, Cai and DasGupta (2001), by hand for 8 of 10.
    found = wilson(0.8, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_groups_of_numbers_hold_every_row_in_order() -> None:
    said = random.normal(size=101)
    groups = number_groups(NumberErrors(said + 1, said, np.ones(101)))
    assert sum(group.rows for group in groups) == 101
    assert [g.low for g in groups] == sorted(g.low for g in groups)
    np.testing.assert_allclose([g.seen - g.promised for g in groups], 1)


# Importance ---------------------------------------------------------------------------


def test_the_column_that_decides_is_first_and_noise_is_nothing() -> None:
    x = random.uniform(-1, 1, 400)
    frame = pl.DataFrame(
        {
            "noise": random.random(400),
            "kind": random.choice(["a", "b"], 400),
            "x": x,
            "y": np.where(x > 0, "up", "down"),
        }
    )
    trained = tw.train(frame, "y", layers=(8,), epochs=40)
    evaluation = evaluated(trained, None, Execution())
    found = importances(evaluation, rows_of(trained))
    assert found[0].column == "x"
    assert {each.column for each in found} == {"noise", "kind", "x"}
    assert all(abs(each.rise) < found[0].rise / 10 for each in found[1:])


def test_a_column_that_is_the_same_in_every_row_rises_nothing(
    trained: Trained,
) -> None:
    evaluation = evaluated(trained, None, Execution())
    rows = rows_of(trained)
    test = rows.prepared.test
    still = replace(test, X=np.tile(test.X[:1], (len(test.X), 1)))
    same = replace(rows, prepared=replace(rows.prepared, test=still))
    assert all(each.rise == 0 for each in importances(evaluation, same))


@pytest.fixture(scope="module")
def wide() -> Trained:
    """A number that two columns of many tell, one of them by 60 categories."""
    generator = np.random.default_rng(5)
    noise = {f"n{i}": generator.normal(size=1_500) for i in range(260)}
    x, kind = generator.normal(size=1_500), generator.integers(0, 60, 1_500)
    told = {"x": x, "kind": [f"k{each}" for each in kind]}
    frame = pl.DataFrame({**noise, **told, "y": 3 * x + 4 * (kind % 2)})
    return tw.train(frame, "y", layers=(8,), epochs=40)


def test_the_columns_that_decide_move_the_outputs_most(wide: Trained) -> None:
    encoder = wide.prepared.encoder
    assert encoder.embedded
    found = sensitivities(wide.model.network, encoder, wide.prepared.test.X)
    names = [each.name for each in encoder.encodings]
    assert {names[i] for i in np.argsort(-found)[:2]} == {"x", "kind"}


def test_sensitivities_of_a_linear_network_are_the_changes_themselves() -> None:
    frame = pl.DataFrame({f"x{i}": random.normal(size=90) for i in range(5)})
    frame = frame.with_columns(y=pl.sum_horizontal("x0", 2 * pl.col("x1")))
    trained = tw.train(frame, "y", layers=(), epochs=20)
    network, encoder = trained.model.network, trained.prepared.encoder
    X = random.normal(size=(20_000, 5)).astype("float32")
    # Of two independent rows the variance of the difference is twice theirs.
    wanted = 2 * network.parameters["1.weights"][:, 0] ** 2 * X.var(axis=0)
    np.testing.assert_allclose(sensitivities(network, encoder, X), wanted, rtol=0.05)


def test_a_wide_table_takes_no_more_predictions(
    wide: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = evaluated(wide, None, Execution())
    asked: list[int] = []

    def counting(*arguments: Any) -> float:
        asked.append(1)
        return error(*arguments)

    monkeypatch.setattr(importance, "error", counting)
    found = importances(evaluation, rows_of(wide))
    assert len(asked) == 1 + MOST_SHUFFLED * REPEATS
    assert {each.column for each in found[:2]} == {"x", "kind"}


# Other models -------------------------------------------------------------------------


def test_baselines_have_errors_of_every_test_row(trained: Trained) -> None:
    rows = rows_of(trained)
    for baseline in baselines(rows, threads=1):
        assert [*baseline.errors.every_metric] == [*trained.test]
        assert len(baseline.errors.predicted) == len(rows.prepared.test.X)
        assert baseline.seconds > 0


def test_boosted_trees_learn(trained: Trained) -> None:
    found = baselines(rows_of(trained), threads=1)
    scores = {baseline.name: baseline.errors.error.mean() for baseline in found}
    assert scores["boosted trees"] < scores["constant guess"]
