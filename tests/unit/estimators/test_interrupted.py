"""Ctrl-C: an estimator keeps what it had learned, and whatever tool fits it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import NotFittedError

import thalweg as tw
from thalweg.estimators import calibration, classifier, regressor
from thalweg.training import steps

CANCER: Any = load_breast_cancer(return_X_y=True)
DIABETES: Any = load_diabetes(return_X_y=True)
X, y = CANCER
LONG: dict[str, Any] = {"layers": (8,), "epochs": 10**6, "patience": 10**6}


@pytest.fixture(autouse=True)
def handler_is_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Press(tw.Callback):
    """Presses Ctrl-C after an epoch, or ends the training there in another way."""

    def __init__(self, epoch: int, act: Callable[[], object] = press) -> None:
        self.epoch, self.act = epoch, act

    def on_start(self, run: Any) -> None:
        if self.epoch == 0:
            self.act()

    def on_epoch(self, record: tw.EpochRecord) -> bool:
        return record.epoch == self.epoch and bool(self.act())


def interrupted(fit: Callable[..., object], *given: Any, **named: Any) -> None:
    """The fit ends by Ctrl-C, and says that what was learned is kept."""
    with (
        pytest.warns(UserWarning, match=r"Ctrl-C ended .* is kept"),
        pytest.raises(KeyboardInterrupt),
    ):
        fit(*given, **named)


# What it had learned ------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("frame", [True, False])
def test_the_weights_are_those_of_a_training_that_ended_there(
    early_stopping: bool, frame: bool
) -> None:
    features: Any = load_breast_cancer(as_frame=True).data if frame else X  # pyright: ignore
    options = {**LONG, "early_stopping": early_stopping}
    pressed = tw.NetworkClassifier(**options, callbacks=[Press(30)])
    interrupted(pressed.fit, features, y)
    ended = tw.NetworkClassifier(**options, callbacks=[Press(30, lambda: True)])
    ended.fit(features, y)
    assert pressed.n_iter_ == len(pressed.loss_curve_) == 30
    assert pressed.best_epoch_ == ended.best_epoch_
    assert pressed.history_.stopped_because == "interrupted after epoch 30"
    assert pressed.classes_.tolist() == [0, 1]
    assert pressed.n_features_in_ == 30
    assert np.array_equal(
        pressed.predict_proba(features), ended.predict_proba(features)
    )
    assert pressed.score(features, y) > 0.9


def test_a_callback_may_raise_it_too() -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    network = tw.NetworkRegressor(**LONG, callbacks=[Press(3, give_up)])
    interrupted(network.fit, *DIABETES)
    assert network.n_iter_ == 3


def test_steps_of_the_first_epoch_have_taught_it_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = steps.NativeSteps.train

    def pressed(own: Any, *given: Any) -> Any:
        for done in train(own, *given):
            press()
            yield done

    monkeypatch.setattr(steps, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(steps.NativeSteps, "train", pressed)
    network = tw.NetworkClassifier(**LONG, batch_size=2)
    interrupted(network.fit, X, y)
    assert network.history_.stopped_because == "interrupted in epoch 1"
    assert network.n_iter_ == network.best_epoch_ == 0
    assert network.loss_curve_ == network.validation_curve_ == []
    assert network.predict(X).shape == y.shape
    again = tw.NetworkClassifier(**LONG, batch_size=2)
    monkeypatch.undo()
    again.set_params(epochs=1).fit(X, y)
    assert not np.array_equal(network.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("first_fit", [True, False])
@pytest.mark.parametrize("warm_start", [True, False])
def test_before_the_first_step_all_is_as_it_was(
    first_fit: bool, warm_start: bool, recwarn: pytest.WarningsRecorder
) -> None:
    network = tw.NetworkClassifier(layers=(8,), epochs=3, warm_start=warm_start)
    before: Any = None
    if not first_fit:
        before = network.fit(X, y).predict_proba(X)
    with pytest.raises(KeyboardInterrupt):
        network.set_params(callbacks=[Press(0)]).fit(X, y)
    assert not list(recwarn)
    if first_fit:
        with pytest.raises(NotFittedError):
            network.predict(X)
    else:
        assert network.n_iter_ == 3
        assert np.array_equal(network.predict_proba(X), before)
    network.set_params(callbacks=()).fit(X, y)
    assert network.n_iter_ == 3


def test_ctrl_c_before_training_leaves_all_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = tw.NetworkClassifier(layers=(8,), epochs=3).fit(X, y)
    before = network.predict_proba(X)
    monkeypatch.setattr(network, "_learn_form", lambda *_: press())
    with pytest.raises(KeyboardInterrupt):
        network.fit(X[:, :3], y)
    monkeypatch.undo()
    assert network.n_features_in_ == 30
    assert np.array_equal(network.predict_proba(X), before)


def test_in_the_last_epoch_it_is_not_lost() -> None:
    network = tw.NetworkClassifier(layers=(8,), epochs=3, callbacks=[Press(3)])
    interrupted(network.fit, X, y)
    assert network.n_iter_ == 3
    whole = tw.NetworkClassifier(layers=(8,), epochs=3).fit(X, y)
    assert np.array_equal(network.predict_proba(X), whole.predict_proba(X))


@pytest.mark.filterwarnings("error")
def test_where_warnings_are_errors_it_is_an_interrupt_all_the_same() -> None:
    network = tw.NetworkClassifier(**LONG, callbacks=[Press(3)])
    with pytest.raises(KeyboardInterrupt):
        network.fit(X, y)
    assert network.n_iter_ == 3


def test_a_warm_start_goes_on_after_it() -> None:
    options: dict[str, Any] = {"layers": (8,), "warm_start": True}
    options |= {"early_stopping": False, "schedule": "constant"}
    network = tw.NetworkClassifier(**options, epochs=2).fit(X, y)
    network.set_params(epochs=10**6, callbacks=[Press(3)])
    interrupted(network.fit, X, y)
    assert network.n_iter_ == 3
    network.set_params(epochs=4, callbacks=()).fit(X, y)
    whole = tw.NetworkClassifier(**{**options, "epochs": 9}).fit(X, y)
    assert np.array_equal(network.predict_proba(X), whole.predict_proba(X))


def test_a_partial_fit_counts_on_and_ends() -> None:
    network = tw.NetworkClassifier(layers=(8,), callbacks=[Press(1)])
    interrupted(network.partial_fit, X, y, classes=[0, 1])
    interrupted(network.partial_fit, X, y)
    assert network.n_iter_ == len(network.loss_curve_) == 2
    quiet = tw.NetworkClassifier(layers=(8,))
    quiet.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    assert np.array_equal(network.predict_proba(X), quiet.predict_proba(X))
    assert vars(network).keys() == vars(quiet).keys()
    with pytest.raises(KeyboardInterrupt):
        network.set_params(callbacks=[Press(0)]).partial_fit(X, y)
    assert network.n_iter_ == 2
    assert network.set_params(callbacks=()).partial_fit(X, y).n_iter_ == 3


# Calibration and intervals ------------------------------------------------------------


@pytest.mark.parametrize("presses", [0, 1, 2])
def test_the_temperature_is_fitted_after_it(
    presses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pressed in training, while the temperature is fitted, and twice there."""

    def slow(*given: Any) -> float:
        for _ in range(presses):
            press()
        return calibration.fitted_temperature(*given)

    monkeypatch.setattr(classifier, "fitted_temperature", slow)
    first = Press(3, press if presses == 0 else lambda: True)
    network = tw.NetworkClassifier(**LONG, calibrate=True, callbacks=[first])
    interrupted(network.fit, X, y)
    assert hasattr(network, "temperature_") == (presses < 2)
    assert network.predict_proba(X).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("presses", [0, 1, 2])
@pytest.mark.parametrize("quantiles", [None, (0.05, 0.95)])
def test_intervals_are_found_after_it(
    presses: int, quantiles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    conformal = regressor.Conformal

    def slow(*given: Any) -> Any:
        for _ in range(presses):
            press()
        return conformal(*given)

    monkeypatch.setattr(regressor, "Conformal", slow)
    first = Press(20, press if presses == 0 else lambda: True)
    network = tw.NetworkRegressor(**LONG, quantiles=quantiles, callbacks=[first])
    numbers, targets = DIABETES
    interrupted(network.fit, numbers, targets)
    if presses == 2:
        with pytest.raises(tw.ArgumentError, match="predict_interval needs rows"):
            network.predict_interval(numbers)
    else:
        low, high = network.predict_interval(numbers, 0.8).T
        assert 0.6 < ((low <= targets) & (targets <= high)).mean() < 0.95
    assert network.score(numbers, targets) > 0.2


def test_what_an_earlier_fit_found_does_not_stay_beside_new_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = tw.NetworkClassifier(layers=(8,), epochs=3, calibrate=True).fit(X, y)
    network.set_params(warm_start=True, callbacks=[Press(1), Press(1)])
    interrupted(network.fit, X, y)  # pressed twice, it ends at once
    assert network.n_iter_ == 1

    def never(*_: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(classifier, "fitted_temperature", never)
    interrupted(network.set_params(callbacks=()).fit, X, y)
    assert not hasattr(network, "temperature_")


# Predicting ---------------------------------------------------------------------------


def test_a_prediction_ends_at_once_and_the_next_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = tw.NetworkClassifier(layers=(8,), epochs=3).fit(X, y)
    expected = network.predict_proba(X)
    predict = tw.Network.predict

    def pressed(*given: Any, **named: Any) -> Any:
        press()
        return predict(*given, **named)

    monkeypatch.setattr(tw.Network, "predict", pressed)
    with pytest.raises(KeyboardInterrupt):
        network.predict_proba(X)
    monkeypatch.undo()
    assert np.array_equal(network.predict_proba(X), expected)


# scikit-learn's callbacks -------------------------------------------------------------


def test_scikit_learns_callbacks_are_told_that_it_is_over() -> None:
    pytest.importorskip("sklearn.callback")
    told: list[str] = []

    class Listening:
        def setup(self, estimator: Any, context: Any) -> None:
            told.append("setup")

        def teardown(self, estimator: Any, context: Any) -> None:
            told.append("teardown")

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            told.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator: Any, context: Any, **_: Any) -> bool:
            told.append(f"end {context.task_name}")
            return False

    network = tw.NetworkClassifier(**LONG, callbacks=[Press(1)])
    interrupted(network.set_callbacks(Listening()).fit, X, y)
    epoch = ["begin epoch", "end epoch"]
    assert told == ["setup", "begin fit", *epoch, "end fit", "teardown"]
    assert not hasattr(network, "_callback_fit_ctx")
    told.clear()
    network.set_params(callbacks=[Press(0)])
    with pytest.raises(KeyboardInterrupt):
        network.fit(X, y)
    assert told[-1] == "teardown"
    assert network.n_iter_ == 1


# Tools --------------------------------------------------------------------------------

BEGINNING = """
import json, os, signal, sys, threading, warnings
import joblib, numpy as np, thalweg as tw
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
MAIN, LOG = os.getpid(), sys.argv[1]
R = np.random.default_rng(0)
X = R.normal(size=(400, 5))
y = (X[:, 0] + R.normal(size=400) > 0).astype(int)


class Press(tw.Callback):
    def on_start(self, run):
        with open(LOG, "a") as log:
            print("fit", file=log)

    def on_epoch(self, record):
        if record.epoch == 3 and first():
            KILL(MAIN, signal.SIGINT)


def first():
    # Of all fits, in whatever process, one alone presses.
    try:
        return not open(LOG + ".pressed", "x").close()
    except FileExistsError:
        return False


network = tw.NetworkClassifier(
    layers=(4,), epochs=10**7, patience=10**7, threads=1, callbacks=[Press()]
)
grid = {"learning_rate": [1e-3, 2e-3, 3e-3, 4e-3]}
parts = [("a", network), ("b", network), ("c", network)]


def ended(tool):
    open(LOG, "w").close()
    if os.path.exists(LOG + ".pressed"):
        os.remove(LOG + ".pressed")
    try:
        tool()
        return "went on"
    except KeyboardInterrupt:
        return open(LOG).read().count("fit")
"""

ONE_BY_ONE = """
from sklearn.base import clone
pipeline = make_pipeline(StandardScaler(), network)
print(json.dumps([
    ended(lambda: cross_val_score(network, X, y)),
    ended(lambda: GridSearchCV(network, grid, cv=2).fit(X, y)),
    ended(lambda: GridSearchCV(network, grid, n_jobs=1).fit(X, y)),
    ended(lambda: BaggingClassifier(network, 4).fit(X, y)),
    ended(lambda: CalibratedClassifierCV(network).fit(X, y)),
    ended(lambda: StackingClassifier(parts).fit(X, y)),
    ended(lambda: learning_curve(network, X, y)),
    ended(lambda: pipeline.fit(X, y)),
]))
assert pipeline[-1].n_iter_ == 3
assert pipeline.score(X, y) > 0.5
"""

# One tool a process: a fit that another left behind in a thread may press, too.
SIDE_BY_SIDE = {
    "loky": [
        "ended(lambda: GridSearchCV(network, grid, n_jobs=2).fit(X, y))",
        "ended(lambda: BaggingClassifier(network, 4, n_jobs=2).fit(X, y))",
    ],
    "threading": [
        "ended(lambda: cross_val_score(network, X, y))",
        "ended(lambda: GridSearchCV(network, grid).fit(X, y))",
    ],
}
# Each in one of the ways: of the main process alone, and of all, as by a terminal.
TOOLS = [
    (backend, tool, kill)
    for backend, tools in SIDE_BY_SIDE.items()
    for tool, kill in zip(tools, ("os.kill", "os.killpg"), strict=True)
]


def run_alone(
    script: str, folder: Path, kill: str = "os.kill"
) -> subprocess.CompletedProcess[str]:
    """A script in a process, and a group, of its own."""
    file = folder / "script.py"
    file.write_text(BEGINNING.replace("KILL", kill) + script)
    return subprocess.run(
        [sys.executable, file, folder / "log"],
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )


def test_every_tool_ends_with_the_first_fit(tmp_path: Path) -> None:
    done = run_alone(ONE_BY_ONE, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [1] * 8


@pytest.mark.parametrize(("backend", "tool", "kill"), TOOLS)
def test_fits_side_by_side_end_together(
    backend: str, tool: str, kill: str, tmp_path: Path
) -> None:
    script = f"""
with joblib.parallel_backend({backend!r}, n_jobs=2):
    print(json.dumps({tool}))
"""
    done = run_alone(script, tmp_path, kill)
    assert done.returncode == 0, done.stderr
    if backend == "threading":  # joblib's own thread may complain beside processes
        assert done.stderr == ""
    assert json.loads(done.stdout) in (1, 2)


def test_a_training_in_a_daemon_thread_ends_before_the_process_does(
    tmp_path: Path,
) -> None:
    script = """
begun = threading.Event()
class Begin(tw.Callback):
    def on_epoch(self, record):
        begun.set()

network.set_params(callbacks=[Begin()])
threading.Thread(target=lambda: network.fit(X, y), daemon=True).start()
begun.wait()
"""
    done = run_alone(script, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fit_in_another_thread_goes_on() -> None:
    """Python delivers signals to the main thread alone."""
    found: list[Any] = []
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait()

    network = tw.NetworkClassifier(layers=(8,), epochs=3, callbacks=[Press(1, wait)])
    thread = threading.Thread(target=lambda: found.append(network.fit(X, y)))
    thread.start()
    begun.wait()
    with pytest.raises(KeyboardInterrupt):
        press()
    go_on.set()
    thread.join()
    assert found == [network]
    assert network.n_iter_ == 3
