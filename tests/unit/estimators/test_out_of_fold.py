"""Held-out rows that chose the epoch, each as it looks without its own choice."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import thalweg as tw
from thalweg.estimators.out_of_fold import OutOfFold
from thalweg.estimators.rows import WeightedRows
from thalweg.estimators.targets import Numbers
from thalweg.formulas.losses import Loss

random = np.random.default_rng(0)
ROWS, EPOCHS = 37, 12
SQUARED = Loss.of("mean_squared_error")


def scripted(
    epochs: Any, y: Any, weights: Any = None, loss: Loss = SQUARED
) -> OutOfFold:
    """Held-out rows after a training in which the network gave these outputs."""
    held_out = OutOfFold(WeightedRows(np.empty((len(y), 1)), y, weights), y, loss, None)
    outputs = iter(epochs)
    network = SimpleNamespace(predict=lambda X, threads: next(outputs))
    run: Any = SimpleNamespace(network=network)
    held_out.on_start(run)
    for each in epochs:
        losses = (each - y).ravel() ** 2
        record: Any = SimpleNamespace(
            validation_loss=np.average(losses, weights=weights)
        )
        held_out.on_epoch(record)
    return held_out


def of_epochs(seed: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    y = generator.normal(size=(ROWS, 1))
    return y + generator.normal(size=(EPOCHS, ROWS, 1)), y


@pytest.mark.parametrize("weighted", [False, True])
def test_each_row_is_seen_at_the_epoch_that_other_folds_choose(weighted: bool) -> None:
    epochs, y = of_epochs(1)
    weights = random.uniform(0, 2, ROWS) if weighted else np.ones(ROWS)
    held_out = scripted(epochs, y, weights if weighted else None)
    found = held_out.outputs(None)  # pyright: ignore[reportArgumentType]
    losses = weights * (epochs - y)[:, :, 0] ** 2
    chosen: set[int] = set()
    for row in range(ROWS):
        others = held_out._fold != held_out._fold[row]
        epoch = int(losses[:, others].sum(axis=1).argmin())
        assert found[row] == epochs[epoch, row]
        chosen.add(epoch)
    assert len(chosen) > 1


def test_folds_are_of_one_size_and_not_of_a_period() -> None:
    fold = scripted(*of_epochs(1))._fold
    assert np.ptp(np.bincount(fold)) <= 1
    assert len(np.unique(fold[::5])) > 1


@pytest.mark.parametrize("seed", range(5))
def test_no_fold_looks_better_than_at_the_epoch_that_all_choose(seed: int) -> None:
    # Were it better at the epoch of the others, that epoch would be better for all.
    epochs, y = of_epochs(seed)
    held_out = scripted(epochs, y)
    best = ((epochs - y) ** 2).mean(axis=(1, 2)).argmin()
    at_best = (epochs[best] - y)[:, 0] ** 2
    found: Any = held_out.outputs(None)  # pyright: ignore[reportArgumentType]
    without = (found - y)[:, 0] ** 2
    sums = [np.bincount(held_out._fold, each) for each in (without, at_best)]
    assert (sums[0] >= sums[1] - 1e-12).all()
    assert sums[0].sum() > sums[1].sum()


def test_a_loss_that_cannot_be_told_has_no_say() -> None:
    def broken(predictions: Any, targets: Any) -> Any:
        return tw.mean((predictions - targets) ** 2 + 0 * tw.log(targets), axis=-1)

    epochs, y = of_epochs(2)
    found: Any = scripted(epochs, y, loss=Loss.of(broken)).outputs(None)  # pyright: ignore
    assert np.isfinite(found).all()


def test_intervals_are_those_of_rows_that_had_no_say() -> None:
    X, y = load_diabetes(return_X_y=True)
    network = tw.NetworkRegressor(layers=(16,)).fit(X, y)
    shown, targets = network._conformal, network._targets
    assert shown is not None
    assert isinstance(targets, Numbers)
    off = (shown.truth - shown.quantiles[:, :, 0]) / targets.scaling.deviation
    best = min(network.validation_curve_)
    assert best < (off**2).mean() < 1.2 * best


@pytest.mark.parametrize("options", [{}, {"quantiles": (0.1, 0.9)}])
def test_rows_that_chose_nothing_are_seen_as_the_network_is(
    options: dict[str, Any],
) -> None:
    X, y = load_diabetes(return_X_y=True)
    network = tw.NetworkRegressor(early_stopping=False, epochs=9, **options)
    network.fit(X[90:], y[90:], X_val=X[:90], y_val=y[:90])
    shown = network._conformal
    assert shown is not None
    median = shown.quantiles[:, 0, len(options)]
    assert median == pytest.approx(network.predict(X[:90]), rel=1e-12)


@pytest.mark.parametrize(("rows", "followed"), [(1_000, True), (1_001, False)])
def test_many_rows_need_not_be_followed(
    rows: int, followed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    on_epoch = OutOfFold.on_epoch

    def seeing(held_out: OutOfFold, record: Any) -> None:
        seen.append(len(held_out.rows.X))
        on_epoch(held_out, record)

    monkeypatch.setattr(OutOfFold, "on_epoch", seeing)
    X = random.normal(size=(rows, 2))
    regressor = tw.NetworkRegressor(layers=(4,), epochs=2, validation=(X, X[:, 0]))
    low, high = regressor.fit(X[:100], X[:100, 0]).predict_interval(X[:5]).T
    assert seen == ([rows] * 2 if followed else [])
    assert (low < high).all()
