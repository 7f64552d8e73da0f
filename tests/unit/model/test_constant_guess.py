"""The best constant guess: no other loses less, and a history says so."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import DivergenceError
from thalweg.formulas.losses import LOSSES
from thalweg.model.constant_guess import GUESSES, Targets, as_columns, constant_loss
from thalweg.model.history import DIVERGED, EpochRecord, History, Rise, told_apart
from thalweg.training.progress import Progress

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.uniform(0.1, 3, 60)
X = RANDOM.normal(size=(60, 3))
SPREAD = RANDOM.dirichlet(np.ones(3), 60)
SMOOTHED = tw.cross_entropy.with_parameters(label_smoothing=0.2)

CASES: dict[str, tuple[tw.Loss, Any]] = {
    "mean_squared_error": (tw.mean_squared_error, RANDOM.normal(size=(60, 2))),
    "mean_absolute_error": (tw.mean_absolute_error, RANDOM.normal(size=60)),
    "huber": (tw.huber, 3 * RANDOM.normal(size=(60, 2))),
    "a tight huber": (tw.huber.with_parameters(delta=0.01), RANDOM.normal(size=60)),
    "poisson": (tw.poisson, RANDOM.poisson(2.0, 60).astype(float)),
    "quantile": (tw.quantile.with_parameters(quantile=0.8), RANDOM.normal(size=60)),
    "binary_cross_entropy": (tw.binary_cross_entropy, RANDOM.integers(0, 2, 60)),
    "cross_entropy": (tw.cross_entropy, RANDOM.integers(0, 3, 60)),
    "shares": (tw.cross_entropy, SPREAD),
    "smoothed": (SMOOTHED, RANDOM.integers(0, 3, 60)),
}
PROBABILITIES = ("cross_entropy", "shares", "smoothed")


def outputs_of(name: str) -> tuple[int, ...]:
    y = CASES[name][1]
    return (3,) if name in PROBABILITIES else (y.shape[1:] or (1,))


def test_every_loss_has_its_guess() -> None:
    assert GUESSES.keys() == LOSSES.keys()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["once", "weighted"])
@pytest.mark.parametrize("name", CASES)
def test_no_other_constant_loses_less(name: str, weights: Any) -> None:
    loss, y = CASES[name]
    outputs = outputs_of(name)
    targets = Targets(y, weights)
    least = constant_loss(loss, targets, targets, outputs)
    assert least is not None
    once = np.ones(60) if weights is None else weights
    others = [RANDOM.normal(size=outputs) for _ in range(200)]
    if name in PROBABILITIES:
        others = [*RANDOM.dirichlet(np.ones(3), 300)]
    elif name in ("binary_cross_entropy", "poisson"):
        others = [*RANDOM.uniform(0.01, 0.99 if name[0] == "b" else 5, (300, 1))]
    found = [float(loss(np.tile(c, (60, 1)), y, once)) for c in others]
    assert min(found) >= least - 1e-9
    assert min(found) < 1.3 * abs(least) + 0.3  # they come near it


@pytest.mark.parametrize("name", CASES)
def test_a_weight_of_two_is_a_row_twice(name: str) -> None:
    loss, y = CASES[name]
    twice = np.ones(60)
    twice[:7] = 2
    weighted, repeated = Targets(y, twice), Targets(np.concatenate([y, y[:7]]))
    by_weight = constant_loss(loss, weighted, weighted, outputs_of(name))
    by_rows = constant_loss(loss, repeated, repeated, outputs_of(name))
    assert by_weight == pytest.approx(by_rows, rel=1e-9)


def test_class_numbers_are_one_hot_rows() -> None:
    y = CASES["cross_entropy"][1]
    numbers, rows = Targets(y), Targets(np.eye(3)[y])
    for loss in (tw.cross_entropy, SMOOTHED):
        one, other = (constant_loss(loss, t, t, (3,)) for t in (numbers, rows))
        assert one == pytest.approx(other, rel=1e-12)
    np.testing.assert_allclose(as_columns(numbers, 3)[0][0], np.eye(3)[y].mean(0))


def test_what_has_no_best_constant_has_none() -> None:
    y, two = Targets(np.array([0, 1])), Targets(np.array([0, 1, 2]))
    assert constant_loss(tw.cross_entropy, y, two, (3,)) is None  # never seen: infinite
    own = tw.Loss.of(lambda p, t: tw.mean((p - t) ** 4, axis=-1))
    assert constant_loss(own, y, y, (1,)) is None
    same_name = tw.Loss("huber", own.function, own.match)
    assert constant_loss(same_name, y, y, (1,)) is None
    times = Targets(np.zeros((4, 5), int))
    assert constant_loss(tw.cross_entropy, times, times, (5, 3)) is None


# In a history -------------------------------------------------------------------------

HOW: dict[str, Any] = {"epochs": 3, "early_stopping": None, "dtype": "float64"}


def test_fit_scores_the_guess_on_the_validation_rows() -> None:
    y, network = X @ [1.0, 2.0, 3.0], tw.Network([tw.Dense(1)])
    own = (X[:9], y[:9], WEIGHTS[:9])
    history = network.fit(X[9:], y[9:], validation=own, **HOW)
    expected = np.average((y[:9] - y[9:].mean()) ** 2, weights=WEIGHTS[:9])
    assert history.constant_loss == pytest.approx(expected)
    alone = network.fit(X, y, validation=None, sample_weight=WEIGHTS, **HOW)
    mean = np.average(y, weights=WEIGHTS)
    spread = np.average((y - mean) ** 2, weights=WEIGHTS)
    assert alone.constant_loss == pytest.approx(spread)


def failing(**more: Any) -> tw.Network:
    """Trained at a rate that is far too large."""
    layers = [tw.Dense(8, "tanh"), tw.Dense(8, "tanh"), tw.Dense(1, "sigmoid")]
    network = tw.Network(layers)
    how: dict[str, Any] = {**HOW, "epochs": 30, "batch_size": 10, **more}
    network.fit(X, X[:, 0] * X[:, 1] > 0, optimizer=tw.SGD(9.0), **how)
    return network


def test_a_run_that_ends_above_the_guess_says_so_everywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    network = failing(progress=True)
    history = network.history
    assert history.constant_loss is not None
    loss = history.validation_loss[-1]
    words = "worse than always giving the classes' shares: "
    words += f"{loss:#.3g} against {history.constant_loss:#.3g}"
    assert history.worse_than_constant == words
    assert network.summary().splitlines()[-1] == f"It is {words}."
    assert "It is worse than" in network._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert capsys.readouterr().err.splitlines()[-1] == words
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.history == history
    assert loaded.summary() == network.summary()


def test_a_run_that_learned_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    network = tw.Network([tw.Dense(1)])
    history = network.fit(X, X[:, 0], optimizer=tw.Adam(0.1), progress=True)
    assert history.worse_than_constant == ""
    assert network.summary().splitlines()[-1].startswith("It was fitted for")
    assert "worse" not in capsys.readouterr().err


def history_of(*losses: float, **settings: Any) -> History:
    epochs = [EpochRecord(n, 1.0, v, {}, {}, 0.1, 0.1) for n, v in enumerate(losses, 1)]
    best = 1 + losses.index(min(losses)) if losses else 0
    return History(epochs, best, "done", {"loss": "huber", **settings}, 0.5)


def test_the_weights_that_were_kept_count() -> None:
    stopped, last = history_of(0.4, 0.6), history_of(0.4, 0.6, early_stopping=None)
    assert stopped.kept_epoch == 1
    assert stopped.worse_than_constant == ""
    assert last.kept_epoch == 2
    words = "worse than always giving the best constant: 0.600 against 0.500"
    assert last.worse_than_constant == words
    last.stopped_because = DIVERGED
    assert last.kept_epoch == 1
    assert history_of().worse_than_constant == ""
    assert history_of(0.5).worse_than_constant == ""
    assert History(last.epochs, 1).worse_than_constant == ""


def test_a_run_that_diverged_can_be_asked() -> None:
    network = tw.Network([tw.Dense(1)])
    with pytest.raises(DivergenceError):
        network.fit(1e3 * X, X[:, 0], optimizer=tw.SGD(9.0), epochs=50)
    assert network.history.worse_than_constant.startswith("worse than always giving")


def test_numbers_that_are_near_get_more_digits() -> None:
    assert told_apart(0.69313, 0.69312) == ("0.69313", "0.69312")
    assert told_apart(2.6, 0.6931) == ("2.60", "0.693")
    assert told_apart(1.0, 1.0) == (f"{1:#.17g}", f"{1:#.17g}")


def test_plain_data_holds_both_and_may_lack_them() -> None:
    history = history_of(0.4, 0.6)
    history.rise = Rise(0.25, 0.125)
    data = history.to_dict()
    assert History.from_dict(data) == history
    del data["constant_loss"], data["rise"]
    older = History.from_dict(data)
    assert (older.constant_loss, older.rise) == (None, None)
    for wrong in ("a", True, float("nan"), float("inf")):
        with pytest.raises((TypeError, ValueError)):
            History.from_dict({**data, "constant_loss": wrong})
        with pytest.raises((TypeError, ValueError)):
            History.from_dict({**data, "rise": {"mean": 1.0, "standard_error": wrong}})
    with pytest.raises(KeyError):
        History.from_dict({**data, "rise": {"mean": 1.0}})


def test_a_remark_is_written_on_a_line_of_its_own() -> None:
    stream = io.StringIO()
    progress = Progress(1, stream)
    progress(EpochRecord(1, 0.5, None, {}, {}, 0.1, 0.1))
    progress.close("worse than \x1b[31mred")
    assert stream.getvalue().splitlines()[-1] == "worse than \\x1b[31mred"


# The rise -----------------------------------------------------------------------------


def test_a_rise_is_that_of_each_row() -> None:
    """Compared with networks that were trained for as long, and scored row by row."""
    y = (X[:, 0] + RANDOM.normal(size=60) > 0).astype(int)
    held_out, layers = slice(0, 30), [tw.Dense(16, "tanh"), tw.Dense(1, "sigmoid")]
    own = (X[held_out], y[held_out])
    how: dict[str, Any] = {"optimizer": tw.Adam(0.05), "batch_size": 10}
    how |= {"dtype": "float64", "validation": own}

    def fitted(**more: Any) -> tw.Network:
        network = tw.Network(layers)
        network.fit(X[30:], y[30:], **{**how, **more})
        return network

    stopped = fitted()
    history = stopped.history
    ends = (history.best_epoch, history.stopped_epoch)
    best, last = (fitted(epochs=n, early_stopping=None) for n in ends)
    before, after = (each.backpropagation(*own).losses for each in (best, last))
    assert history.rise is not None
    assert history.rise.mean == pytest.approx((after - before).mean())
    error = (after - before).std(ddof=1) / np.sqrt(30)
    assert history.rise.standard_error == pytest.approx(error)
    # Looking changes nothing: the weights are those of the best epoch, or the last.
    for one, other in ((stopped, best), (fitted(epochs=ends[1]), best)):
        for name, array in one.parameters.items():
            np.testing.assert_array_equal(array, other.parameters[name])
    session = tw.Network(layers).session(X[30:], y[30:], **how)
    assert session.run().rise == history.rise


def test_many_rows_are_compared_in_parts() -> None:
    before, weights = RANDOM.exponential(size=400), np.ones(400)
    after = before + 0.1 * RANDOM.normal(size=400)
    by_row = Rise.between(before, after, weights)
    first, second = (a.reshape(100, 4).mean(1) for a in (before, after))
    by_part = Rise.between(first, second, 4 * np.ones(100))
    assert by_part.mean == pytest.approx(by_row.mean)
    assert by_part.standard_error == pytest.approx(by_row.standard_error, rel=0.2)
    weighted = Rise.between(before[:2], after[:2], [3.0, 1.0])
    assert weighted.mean == pytest.approx(
        np.average((after - before)[:2], weights=[3, 1])
    )
