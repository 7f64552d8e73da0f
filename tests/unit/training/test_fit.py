import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.errors import ArgumentError, DivergenceError
from thalweg.model.history import EpochRecord
from thalweg.training import execution, fit, forward, steps
from thalweg.training.order import shuffled_order

generator = np.random.default_rng(0)
X = generator.normal(size=(45, 3))
CLASSES = (X @ [1.0, -2.0, 0.5] + generator.normal(size=45) > 0).astype(int)
NUMBERS = X @ [1.0, -2.0, 0.5] + 0.3 * generator.normal(size=45)
WEIGHTS = generator.uniform(0, 3, 45)
# Noise to fit: the validation loss rises after some epochs.
NOISE_X, NOISE_Y = generator.normal(size=(60, 8)), generator.integers(0, 2, 60)


# An independent implementation --------------------------------------------------------


@dataclass
class Reference:
    """Gradient descent on one dense layer, written with NumPy alone."""

    logistic: bool
    learning_rate: float
    weights: Any
    bias: Any

    def predictions(self, x: Any) -> Any:
        z = x @ self.weights + self.bias
        return 1 / (1 + np.exp(-z)) if self.logistic else z

    def losses(self, x: Any, y: Any) -> Any:
        guess = self.predictions(x)
        if self.logistic:
            return -(y * np.log(guess) + (1 - y) * np.log(1 - guess))
        return (guess - y) ** 2

    def metric(self, x: Any, y: Any) -> Any:
        guess = self.predictions(x)
        return (guess > 0.5) == y if self.logistic else (guess - y) ** 2

    def step(self, x: Any, y: Any, w: Any) -> None:
        error = self.predictions(x) - y
        slope = w * error * (1 if self.logistic else 2) / len(x)
        self.weights = self.weights - self.learning_rate * x.T @ slope
        self.bias = self.bias - self.learning_rate * slope.sum()

    def epoch(self, x: Any, y: Any, w: Any, batches: list[Any]) -> tuple[float, float]:
        """The mean loss and metric of all rows, each as its batch was met."""
        loss = metric = 0.0
        for rows in batches:
            loss += w[rows] @ self.losses(x[rows], y[rows])
            metric += w[rows] @ self.metric(x[rows], y[rows])
            self.step(x[rows], y[rows], w[rows])
        return loss / w.sum(), metric / w.sum()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("logistic", [False, True], ids=["linear", "logistic"])
@pytest.mark.parametrize("batch_size", ["all", 1, 7, 32, 100])
def test_training_is_that_of_an_independent_implementation(
    batch_size: int | str, logistic: bool, weights: Any
) -> None:
    y = CLASSES if logistic else NUMBERS
    network = tw.Network([tw.Dense(1, "sigmoid" if logistic else "identity")])
    start = network.initialize(3, seed=5, dtype="float64").parameters
    history = network.fit(
        X,
        y,
        optimizer=tw.SGD(0.05),
        epochs=6,
        batch_size=batch_size,
        validation=(X[:9], y[:9], WEIGHTS[:9]),
        early_stopping=None,
        seed=5,
        sample_weight=weights,
        dtype="float64",
    )
    reference = Reference(logistic, 0.05, start["1.weights"][:, 0], start["1.bias"][0])
    w = np.ones(45) if weights is None else weights / weights.mean()
    size = 45 if batch_size == "all" else int(batch_size)
    for epoch in range(6):
        order = shuffled_order(45, 5, epoch + 1)
        cut = [order[i : i + size] for i in range(0, 45, size)]
        loss, metric = reference.epoch(X, y, w, cut)
        assert_allclose(history.training_loss[epoch], loss, rtol=1e-11)
        name = "accuracy" if logistic else "rmse"
        shown = metric if logistic else math.sqrt(metric)
        assert_allclose(history.training_metrics[name][epoch], shown, rtol=1e-11)
        held_out = np.average(reference.losses(X[:9], y[:9]), weights=WEIGHTS[:9])
        assert_allclose(history.validation_loss[epoch], held_out, rtol=1e-11)
    assert_allclose(
        network.parameters["1.weights"][:, 0], reference.weights, rtol=1e-10
    )
    assert_allclose(network.parameters["1.bias"][0], reference.bias, rtol=1e-10)


# Sample weights -----------------------------------------------------------------------


def descended(x: Any, y: Any, weights: Any = None) -> tw.Network:
    network = tw.Network([tw.Dense(4, "tanh"), tw.Dense(1, "sigmoid")])
    network.fit(
        x,
        y,
        optimizer=tw.Adam(0.05),
        epochs=20,
        batch_size="all",
        validation=None,
        sample_weight=weights,
        dtype="float64",
        penalty=tw.L2(0.001),
    )
    return network


def same(one: tw.Network, other: tw.Network, rtol: float = 1e-9) -> None:
    assert_allclose(
        one.history.training_loss, other.history.training_loss, rtol=rtol, atol=1e-12
    )
    for name, array in one.parameters.items():
        assert_allclose(array, other.parameters[name], rtol=rtol, atol=1e-10)


def test_a_row_of_weight_3_is_3_rows() -> None:
    times = generator.integers(0, 4, 45)
    repeated = descended(np.repeat(X, times, 0), np.repeat(CLASSES, times))
    same(descended(X, CLASSES, times), repeated)


def test_rows_of_weight_0_change_nothing() -> None:
    weights = np.where(np.arange(45) % 3, WEIGHTS + 0.1, 0)
    kept = weights > 0
    without = descended(X[kept], CLASSES[kept], weights[kept])
    disturbed = np.where(kept[:, None], X, 1e3)
    same(descended(disturbed, CLASSES, weights), without)


@pytest.mark.parametrize("scale", [1e-60, 1e-3, 1e30, 1e300])
def test_only_the_ratios_of_weights_matter(scale: float) -> None:
    same(descended(X, CLASSES, WEIGHTS * scale), descended(X, CLASSES, WEIGHTS))


@pytest.mark.parametrize("scale", [1e-40, 1e37])
def test_large_and_small_weights_in_float32_leave_the_loss_as_it_is(
    scale: float,
) -> None:
    network = tw.Network([tw.Dense(1)])
    options: dict[str, Any] = {"epochs": 2, "early_stopping": None}
    plain = network.fit(X, NUMBERS, validation=(X, NUMBERS, WEIGHTS), **options)
    weights = WEIGHTS * scale
    scaled = network.fit(X, NUMBERS, validation=(X, NUMBERS, weights), **options)
    assert_allclose(scaled.validation_loss, plain.validation_loss, rtol=1e-6)
    assert_allclose(
        network.evaluate(X, NUMBERS, weights)["loss"], plain.validation_loss[-1], 1e-6
    )


# The same bits ------------------------------------------------------------------------

PROGRAM = """
import hashlib, numpy as np, thalweg as tw
generator = np.random.default_rng(3)
X, y = generator.normal(size=(70, 5)), generator.integers(0, 3, 70)
network = tw.Network([
    tw.Dense(8, "relu"), tw.Dropout(0.3), tw.BatchNorm(), tw.Dense(3, "softmax")
])
def digest(seed):
    history = network.fit(X, y, epochs=5, batch_size=16, seed=seed)
    found = [*network.parameters.values(), *network.state.values()]
    parts = [array.tobytes() for array in found]
    parts.append(repr(history.training_loss + history.validation_loss).encode())
    return hashlib.sha256(b"".join(parts)).hexdigest()
"""


def test_the_same_seed_gives_the_same_bits() -> None:
    names: dict[str, Any] = {}
    exec(PROGRAM, names)
    first, again, other = names["digest"](7), names["digest"](7), names["digest"](8)
    assert first == again
    assert first != other
    code = PROGRAM + "print(digest(7))"
    fresh = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert fresh.stdout.strip() == first


@pytest.mark.parametrize("batch_size", [8, "all"])
def test_each_part_of_a_run_depends_on_the_seed(batch_size: int | str) -> None:
    """First weights, held-out rows, order and dropout, seen one by one."""
    network = tw.Network([tw.Dense(3)])
    first = network.initialize(3, seed=1).parameters["1.weights"]
    other = network.initialize(3, seed=2).parameters["1.weights"]
    assert not np.array_equal(first, other)
    assert not np.array_equal(shuffled_order(40, 1, 1), shuffled_order(40, 2, 1))
    dropping = tw.Network([tw.Dropout(0.5), tw.Dense(1)])
    losses = set[float]()
    for seed in (1, 2):
        dropping.initialize(3).set_parameters({"2.weights": np.ones((3, 1))})
        history = dropping.fit(
            X,
            NUMBERS,
            epochs=1,
            seed=seed,
            warm_start=True,
            shuffle=False,
            validation=None,
            batch_size=batch_size,
        )
        losses.add(history.training_loss[0])
    assert len(losses) == 2


# Early stopping -----------------------------------------------------------------------


def overfitted(
    early_stopping: tw.EarlyStopping | None, epochs: int = 60, **options: Any
) -> tuple[tw.Network, list[dict[str, Any]]]:
    """A network on noise, and a snapshot of all its arrays after every epoch."""
    network = tw.Network([tw.Dense(24, "tanh"), tw.BatchNorm(), tw.Dense(2, "softmax")])
    snapshots: list[dict[str, Any]] = []
    network.fit(
        NOISE_X,
        NOISE_Y,
        optimizer=tw.Adam(0.02),
        epochs=epochs,
        early_stopping=early_stopping,
        callback=lambda _: snapshots.append({**network.parameters, **network.state}),
        **options,
    )
    return network, snapshots


def assert_has(network: tw.Network, snapshot: dict[str, Any]) -> None:
    for name, array in {**network.parameters, **network.state}.items():
        assert_array_equal(array, snapshot[name], err_msg=name)


def last_counted(losses: list[float], min_delta: float) -> int:
    counted = [1]
    for epoch, loss in enumerate(losses, 1):
        if losses[counted[-1] - 1] - loss > min_delta:
            counted.append(epoch)
    return counted[-1]


@pytest.mark.parametrize(("patience", "min_delta"), [(1, 0.0), (5, 0.0), (5, 0.02)])
def test_stops_patience_epochs_after_the_last_improvement_and_goes_back_to_the_best(
    patience: int, min_delta: float
) -> None:
    network, snapshots = overfitted(tw.EarlyStopping(patience, min_delta))
    history = network.history
    losses = history.validation_loss
    assert 1 < history.stopped_epoch < 60
    assert history.stopped_epoch == last_counted(losses, min_delta) + patience
    assert history.best_epoch == 1 + losses.index(min(losses))
    assert_has(network, snapshots[history.best_epoch - 1])
    assert f"after epoch {last_counted(losses, min_delta)}" in history.stopped_because


def test_min_delta_stops_earlier_but_does_not_choose_the_weights() -> None:
    """The lowest loss is the best, even if it was lower by too little to count."""
    network, _ = overfitted(tw.EarlyStopping(3, min_delta=0.5))
    assert network.history.stopped_epoch == 4
    assert network.history.best_epoch > 1
    assert "by more than 0.5 for 3 epochs after epoch 1" in (
        network.history.stopped_because
    )


def test_no_early_stopping_runs_every_epoch_and_keeps_the_last_weights() -> None:
    network, snapshots = overfitted(None)
    assert network.history.stopped_epoch == len(snapshots) == 60
    assert network.history.best_epoch < 60
    assert network.history.stopped_because == "all 60 epochs were done"
    assert_has(network, snapshots[-1])


def test_the_best_weights_are_kept_also_when_the_epochs_run_out() -> None:
    network, snapshots = overfitted(tw.EarlyStopping(1000))
    assert network.history.stopped_epoch == 60
    assert_has(network, snapshots[network.history.best_epoch - 1])


def test_of_epochs_that_are_equally_good_the_first_is_the_best() -> None:
    network = tw.Network([tw.Dense(1)])
    history = network.fit(
        X, NUMBERS, optimizer=tw.SGD(1e-30), early_stopping=tw.EarlyStopping(3)
    )
    assert len(set(history.validation_loss)) == 1
    assert (history.best_epoch, history.stopped_epoch) == (1, 4)


def test_without_validation_rows_every_epoch_runs() -> None:
    network, snapshots = overfitted(tw.EarlyStopping(1), validation=None)
    assert network.history.validation_loss == []
    assert network.history.best_epoch == network.history.stopped_epoch == 60
    assert_has(network, snapshots[-1])


# Interrupts ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def handler_is_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def assert_usable(network: tw.Network) -> None:
    for array in {**network.parameters, **network.state}.values():
        assert np.isfinite(array).all()
    assert np.isfinite(network.predict(NOISE_X)).all()
    assert network.fit(NOISE_X, NOISE_Y, epochs=1, warm_start=True).stopped_epoch == 1


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def raise_interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("interrupt", [press_ctrl_c, raise_interrupt])
@pytest.mark.parametrize("stopping", [None, tw.EarlyStopping(1000)])
def test_an_interrupt_after_an_epoch_returns_the_history(
    interrupt: Callable[[], None], stopping: tw.EarlyStopping | None
) -> None:
    network = tw.Network([tw.Dense(24, "tanh"), tw.Dense(2, "softmax")])
    snapshots: list[dict[str, Any]] = []

    def callback(record: EpochRecord) -> None:
        snapshots.append(network.parameters)
        if record.epoch == 3:
            interrupt()

    history = network.fit(
        NOISE_X, NOISE_Y, epochs=50, early_stopping=stopping, callback=callback
    )
    assert history.stopped_because == "interrupted after epoch 3"
    assert history.stopped_epoch == len(history.seconds) == 3
    kept = 3 if stopping is None else history.best_epoch
    assert_has(network, snapshots[kept - 1])
    assert_usable(network)


class InterruptedSteps:
    """Presses Ctrl-C in some step, as a user would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        self.steps = 0
        train = steps.InterpretedSteps.train

        def pressed(own: Any, *arguments: Any) -> Any:
            for done in train(own, *arguments):
                self.steps += 1
                if self.steps == step:
                    press_ctrl_c()
                yield done

        monkeypatch.setattr(steps.InterpretedSteps, "train", pressed)


def test_an_interrupt_in_the_first_epoch_keeps_what_its_steps_learned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = tw.Network([tw.Dense(1)])
    network.initialize(3)
    before = network.parameters["1.weights"]
    interrupted = InterruptedSteps(monkeypatch, 3)
    history = network.fit(
        X, NUMBERS, batch_size=4, warm_start=True, engine="interpreter"
    )
    assert interrupted.steps == 3
    assert history.stopped_because == "interrupted in epoch 1"
    assert history.epochs == []
    assert not np.array_equal(network.parameters["1.weights"], before)


def test_an_interrupt_in_a_later_epoch_ends_it_at_the_next_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted = InterruptedSteps(monkeypatch, 12)
    network = tw.Network([tw.Dense(1)])
    history = network.fit(X, NUMBERS, batch_size=4, engine="interpreter")
    assert interrupted.steps == 12  # 9 an epoch
    assert history.stopped_because == "interrupted in epoch 2"
    assert history.stopped_epoch == 1


def test_ctrl_c_in_a_process_ends_the_run_in_order() -> None:
    code = """
import numpy as np, thalweg as tw
X = np.random.default_rng(0).normal(size=(500, 4))
network = tw.Network([tw.Dense(8, "tanh"), tw.Dense(1)])
def callback(record):
    if record.epoch == 2:
        print("running", flush=True)
history = network.fit(X, X[:, 0], epochs=10**6, early_stopping=None, callback=callback)
assert np.isfinite(network.predict(X)).all()
print(history.stopped_because)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[0].startswith("interrupted ")
        assert process.returncode == 0


def test_training_works_outside_the_main_thread() -> None:
    histories: list[tw.History] = []
    network = tw.Network([tw.Dense(1)])
    thread = threading.Thread(
        target=lambda: histories.append(network.fit(X, NUMBERS, epochs=2))
    )
    thread.start()
    thread.join()
    assert histories[0].stopped_epoch == 2


def test_an_exception_in_a_callback_leaves_the_network_usable() -> None:
    network = tw.Network([tw.Dense(24, "tanh"), tw.Dense(2, "softmax")])
    snapshots: list[dict[str, Any]] = []

    def callback(record: EpochRecord) -> None:
        snapshots.append(network.parameters)
        if record.epoch == 12:
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        network.fit(NOISE_X, NOISE_Y, epochs=20, callback=callback)
    history = network.history
    assert history.stopped_epoch == 12
    assert history.stopped_because == "ended by a LookupError"
    assert_has(network, snapshots[history.best_epoch - 1])
    assert_usable(network)


# Divergence ---------------------------------------------------------------------------


def test_a_diverging_run_names_epoch_step_and_learning_rate_and_what_to_try() -> None:
    network = tw.Network([tw.Dense(8, "relu"), tw.Dense(1)]).initialize(3)
    before = network.parameters
    with pytest.raises(DivergenceError) as raised:
        network.fit(
            X, NUMBERS, optimizer=tw.SGD(1e6), epochs=30, warm_start=True, batch_size=9
        )
    text = str(raised.value)
    for part in ("epoch 1", "step ", "learning rate 1e+06", "clip_norm", "scaled"):
        assert part in text
    assert network.history.stopped_because == "diverged"
    assert_has(network, before)


@dataclass(frozen=True)
class Cliff(tw.Optimizer):
    """A rule that fails in some step."""

    learning_rate: float = 0.01
    at: int = 1

    def update(
        self, parameters: Any, gradient: Any, state: Any, learning_rate: Any, step: Any
    ) -> Any:
        moved = parameters - learning_rate * gradient
        return tw.where(step >= self.at, moved / 0.0, moved), {}


@pytest.mark.parametrize("validation", [None, 0.2])
@pytest.mark.parametrize("stopping", [None, tw.EarlyStopping(1000)])
@pytest.mark.parametrize("at", [13, 15])  # 3 steps an epoch: in its middle, at its end
def test_a_late_divergence_keeps_the_best_weights(
    at: int, stopping: tw.EarlyStopping | None, validation: float | None
) -> None:
    network = tw.Network([tw.Dense(4, "tanh"), tw.Dense(1)])
    snapshots: list[dict[str, Any]] = []
    with pytest.raises(DivergenceError, match="epoch 5"):
        network.fit(
            X[:36] if validation is None else X,
            NUMBERS[:36] if validation is None else NUMBERS,
            optimizer=Cliff(at=at),
            batch_size=12,
            epochs=20,
            validation=validation,
            early_stopping=stopping,
            callback=lambda _: snapshots.append(network.parameters),
        )
    history = network.history
    assert history.stopped_epoch == len(snapshots) == 4
    assert_has(network, snapshots[history.best_epoch - 1])
    assert np.isfinite(network.predict(X)).all()


def test_a_loss_that_becomes_nan_late_is_seen() -> None:
    def root(predictions: Any, targets: Any) -> Any:
        """Falls until its square root has no value."""
        return tw.sqrt(20 + tw.mean(predictions - targets, axis=-1))

    network = tw.Network([tw.Dense(1)])
    with pytest.raises(DivergenceError, match="training loss became nan in epoch"):
        network.fit(
            X, NUMBERS, loss=root, optimizer=tw.SGD(0.1), epochs=5000,
            validation=None,
        )  # fmt: skip
    assert network.history.stopped_epoch > 1
    assert np.isfinite(network.predict(X)).all()


def test_a_validation_loss_of_infinity_is_a_divergence() -> None:
    network = tw.Network([tw.Dense(1)])
    far = np.full((3, 3), 1e30)
    with pytest.raises(DivergenceError, match="validation loss became inf in epoch 1"):
        network.fit(X, NUMBERS, validation=(far, np.zeros(3)))


# Rules, schedules, clipping, penalties ------------------------------------------------


@dataclass(frozen=True)
class Counting(tw.Schedule):
    """Step k of n gets the rate k / n."""

    def learning_rate(self, step: int, total_steps: int, validation_losses: Any) -> Any:
        return np.float32(step / total_steps)


def test_the_schedule_gives_every_step_its_rate() -> None:
    """With gradients of 1, the weights are minus the sum of the rates."""
    network = tw.Network([tw.Dense(1, bias=False)])
    network.initialize(1, dtype="float64").set_parameters({"1.weights": [[0.0]]})
    history = network.fit(
        np.ones((10, 1)),
        np.zeros(10),
        loss=lambda predictions, targets: predictions[:, 0],
        optimizer=tw.SGD(Counting()),
        epochs=4,
        batch_size=4,
        validation=None,
        dtype="float64",
        warm_start=True,
    )
    assert_allclose(history.learning_rate, np.array([2, 5, 8, 11]) / 12, rtol=1e-6)
    assert all(type(rate) is float for rate in history.learning_rate)
    rates = sum(range(12)) / 12
    assert_allclose(network.parameters["1.weights"], [[-rates]], rtol=1e-6)


def test_reduce_on_plateau_sees_the_validation_losses() -> None:
    network, _ = overfitted(None)
    plateau = tw.ReduceOnPlateau(initial=0.02, patience=3)
    again = tw.Network(network.layers)
    history = again.fit(
        NOISE_X,
        NOISE_Y,
        optimizer=tw.Adam(plateau),
        epochs=60,
        early_stopping=None,
    )
    losses = history.validation_loss
    expected = [plateau.learning_rate(0, 1, losses[:epoch]) for epoch in range(60)]
    assert history.learning_rate == expected
    assert min(expected) < max(expected)


@settings(max_examples=15)
@given(st.floats(1e-4, 10), st.floats(1e-3, 1))
def test_clip_norm_bounds_the_step(clip_norm: float, learning_rate: float) -> None:
    network = tw.Network([tw.Dense(1)]).initialize(3, dtype="float64")
    before = np.concatenate([v.ravel() for v in network.parameters.values()])
    network.fit(
        X * 100,
        NUMBERS,
        optimizer=tw.SGD(learning_rate),
        clip_norm=clip_norm,
        epochs=1,
        batch_size="all",
        validation=None,
        dtype="float64",
        warm_start=True,
    )
    after = np.concatenate([v.ravel() for v in network.parameters.values()])
    length = np.linalg.norm(after - before)
    assert_allclose(length, learning_rate * clip_norm, rtol=1e-9)


def test_penalties_count_weights_and_no_biases_and_stay_out_of_the_loss() -> None:
    network = tw.Network([tw.Dense(2, "tanh"), tw.Dense(1)])
    start = network.initialize(3, dtype="float64").parameters
    start = {name: array + 1 for name, array in start.items()}
    options: dict[str, Any] = {
        "optimizer": tw.SGD(0.1),
        "epochs": 1,
        "batch_size": "all",
        "validation": None,
        "dtype": "float64",
        "warm_start": True,
    }
    ends: list[dict[str, Any]] = []
    losses: list[float] = []
    for penalty in (None, tw.L1(0.3) + tw.L2(0.2)):
        network.set_parameters(start)
        losses += network.fit(X, NUMBERS, penalty=penalty, **options).training_loss
        ends.append(network.parameters)
    assert losses[0] == losses[1]
    for name, array in start.items():
        gradient = 0.3 * np.sign(array) + 0.4 * array
        expected = 0.1 * gradient if name.endswith("weights") else 0.0
        assert_allclose(ends[0][name] - ends[1][name], expected, atol=1e-12)


# What differs between training and prediction -----------------------------------------


def test_dropout_acts_in_training_only() -> None:
    """All outputs are dropped in nearly every step; prediction is exact."""
    network = tw.Network([tw.Dense(1, bias=False), tw.Dropout(0.999)])
    network.initialize(1).set_parameters({"1.weights": [[2.0]]})
    x = np.ones((40, 1))
    history = network.fit(
        x,
        np.full(40, 2.0),
        optimizer=tw.SGD(1e-12),
        epochs=1,
        validation=(x, np.full(40, 2.0)),
        warm_start=True,
    )
    assert history.training_loss[0] > 3.9
    assert history.validation_loss == [0.0]
    assert_array_equal(network.predict(x), np.full((40, 1), 2.0, np.float32))


def test_batch_statistics_are_carried_from_step_to_step() -> None:
    network = tw.Network([tw.BatchNorm(momentum=0.25), tw.Dense(1)])
    network.fit(
        X, NUMBERS, epochs=2, batch_size=20, validation=None, shuffle=False,
        dtype="float64",
    )  # fmt: skip
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(2):
        for rows in (X[:20], X[20:40], X[40:]):
            mean = 0.75 * mean + 0.25 * rows.mean(0)
            variance = 0.75 * variance + 0.25 * rows.var(0, ddof=1)
    assert_allclose(network.state["1.running_mean"], mean, rtol=1e-12)
    assert_allclose(network.state["1.running_variance"], variance, rtol=1e-12)


# Work ---------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """Grows at every call of a function."""
    calls: list[int] = []
    function = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a: (calls.append(1), function(*a))[1])
    return calls


MAKERS = {"native": "compile_rows", "interpreter": "make_executable"}


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize(
    ("rows", "batch_size", "programs"),
    [(64, 32, 1), (70, 32, 2), (70, "all", 1), (20, 32, 1), (5, 1, 1)],
)
def test_a_run_builds_a_program_for_each_size_of_batch(
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    batch_size: int | str,
    programs: int,
    engine: str,
) -> None:
    module = execution if engine == "native" else steps
    built = counted(monkeypatch, module, MAKERS[engine])
    x = np.ones((rows, 2))
    network = tw.Network([tw.Dense(1)])
    network.fit(
        x, x[:, 0], epochs=3, batch_size=batch_size, validation=None, engine=engine
    )
    assert len(built) == programs


@pytest.mark.parametrize(("rows", "programs"), [(5, 1), (1024, 1), (2500, 2)])
def test_scoring_interprets_two_programs_at_most(
    monkeypatch: pytest.MonkeyPatch, rows: int, programs: int
) -> None:
    network = tw.Network([tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=1)
    built = counted(monkeypatch, forward, "make_executable")
    x = np.ones((rows, 3))
    network.evaluate(x, x[:, 0], engine="interpreter")
    assert len(built) == programs


@pytest.mark.parametrize("rows", [1, 5, 2500, 70_000])
def test_scoring_compiles_one_program(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    network = tw.Network([tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=1, validation=None)
    built = counted(monkeypatch, execution, "compile_any_rows")
    x = np.ones((rows, 3))
    network.evaluate(x, x[:, 0])
    assert len(built) == 1


@pytest.mark.parametrize(
    "batch_size", [0, -1, 2.5, 32.0, True, "some", None, math.nan, [3]]
)
def test_batch_size_must_be_a_count_or_all(batch_size: Any) -> None:
    with pytest.raises(ArgumentError, match="batch_size must be a whole number"):
        fit.batch_rows(batch_size, 10)


def test_batch_size_is_never_larger_than_the_rows() -> None:
    numbers: list[Any] = ["all", 50, np.int64(50)]
    assert [fit.batch_rows(n, 10) for n in numbers] == [10, 10, 10]
    assert fit.batch_rows(3, 10) == 3


@dataclass(frozen=True)
class Shares(tw.Layer):
    """The same for every row, whatever it is."""

    def parameters(self, input_shape: tuple[int, ...]) -> dict[str, tw.Parameter]:
        return {"bias": tw.Parameter((3,), tw.initializers.zeros)}

    def forward(self, x: Any, p: Any) -> Any:
        return tw.softmax(tw.broadcast_to(p.bias, (x.shape[0], 3)))


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("before", [[], [tw.Dense(2)]])
def test_a_network_that_reads_no_row_learns_how_many_there_are_of_each_class(
    before: list[tw.Layer], engine: str
) -> None:
    classes = np.repeat([0, 1, 2], [60, 30, 10])
    network = tw.Network([*before, Shares()])
    network.fit(
        np.ones((100, 2)), classes, loss="cross_entropy", optimizer=tw.Adam(0.1),
        epochs=200, batch_size="all", validation=None, engine=engine,
    )  # fmt: skip
    assert_allclose(network.predict(np.zeros((2, 2))), [[0.6, 0.3, 0.1]] * 2, atol=0.01)
