"""What a report computes itself, against scikit-learn and what must hold."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.calibration import calibration_curve

import thalweg as tw
from thalweg.data.bootstrap import interval, resampled, wilson
from thalweg.data.learn import Trained
from thalweg.data.row_errors import NumberErrors
from thalweg.report.evidence import Rows, evidence_of
from thalweg.report.importance import importances
from thalweg.report.reliability import number_groups, probability_groups
from thalweg.report.rivals import rivals
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


def rows_of(trained: Trained) -> Rows:
    rows = evidence_of(trained, None, Execution()).rows
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
    evidence = evidence_of(trained, None, Execution())
    found = importances(evidence, rows_of(trained))
    assert found[0].column == "x"
    assert {each.column for each in found} == {"noise", "kind", "x"}
    assert all(abs(each.rise) < found[0].rise / 10 for each in found[1:])


def test_a_column_that_is_the_same_in_every_row_rises_nothing(
    trained: Trained,
) -> None:
    evidence = evidence_of(trained, None, Execution())
    rows = rows_of(trained)
    test = rows.prepared.test
    still = replace(test, X=np.tile(test.X[:1], (len(test.X), 1)))
    same = replace(rows, prepared=replace(rows.prepared, test=still))
    assert all(each.rise == 0 for each in importances(evidence, same))


# Other models -------------------------------------------------------------------------


def test_rivals_have_errors_of_every_test_row(trained: Trained) -> None:
    rows = rows_of(trained)
    for rival in rivals(rows, threads=1):
        assert [*rival.errors.every_metric] == [*trained.test]
        assert len(rival.errors.predicted) == len(rows.prepared.test.X)
        assert rival.seconds > 0


def test_boosted_trees_learn(trained: Trained) -> None:
    found = rivals(rows_of(trained), threads=1)
    scores = {rival.name: rival.errors.error.mean() for rival in found}
    assert scores["boosted trees"] < scores["constant guess"]
