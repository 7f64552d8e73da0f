"""A resumed run is the run: the same bits, wherever and however it was stopped."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.checkpoints.store import Store
from thalweg.errors import ArgumentError, DataError, FileError, ModelFileError
from thalweg.interrupts import Terminated
from thalweg.program import ops
from thalweg.training import steps

ROOT = Path(__file__).parents[3]
generator = np.random.default_rng(0)
X, Y = generator.normal(size=(50, 3)), generator.integers(0, 3, 50)
WEIGHTS = generator.uniform(0.5, 2, 50)
OFTEN = 1e-12  # minutes: a checkpoint after every step that is told


def network() -> tw.Network:
    """With random draws, and with state that layers keep."""
    return tw.Network(
        [tw.Dense(8, "tanh"), tw.Dropout(0.2), tw.BatchNorm(), tw.Dense(3, "softmax")]
    )


def everything(found: tw.Network) -> dict[str, Any]:
    """All that a run leaves, but for the seconds."""
    state = found.optimizer_state
    assert state is not None
    arrays = {**found.parameters, **found.state, **state.slots}
    history = found.history.to_dict()
    for record in history["epochs"]:
        del record["seconds"]
    left: dict[str, Any] = {name: array.tobytes() for name, array in arrays.items()}
    return {**left, "at": (state.steps, state.epochs), "history": history}


def stop_after(epoch: int) -> Any:
    def callback(record: tw.EpochRecord) -> None:
        if record.epoch == epoch:
            raise KeyboardInterrupt

    return callback


def resumed(folder: Path, *rows: Any, **options: Any) -> tw.Network:
    found = tw.resume(folder, *(rows or (X, Y)), **options)
    assert isinstance(found, tw.Network)
    return found


SETTINGS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": tw.Adam(0.01)},
    "momentum and steps down": {
        "optimizer": tw.SGD(tw.StepDecay(0.05, every=9), momentum=0.9)
    },
    "plateau": {"optimizer": tw.RMSProp(tw.ReduceOnPlateau(0.02, patience=2))},
    "cosine": {"optimizer": tw.Lion(tw.CosineWithWarmup(0.01))},
    "early stopping": {"early_stopping": tw.EarlyStopping(2, 0.01), "epochs": 60},
    "weights": {"sample_weight": WEIGHTS, "penalty": tw.L2(1e-3), "clip_norm": 0.5},
    "own rows": {"validation": (X[:9], Y[:9], WEIGHTS[:9])},
    "no validation": {"validation": None, "shuffle": False},
    "float64": {"dtype": "float64", "seed": 5},
    "full batch": {"batch_size": "all"},
}


def again(options: dict[str, Any]) -> dict[str, Any]:
    """What of the settings isn't in the file: the rows."""
    own = options.get("validation")
    return {
        "sample_weight": options.get("sample_weight"),
        "validation": own if isinstance(own, tuple) else None,
    }


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_stopped_after_an_epoch_goes_on_as_if_it_never_was(
    name: str, engine: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"epochs": 6, "batch_size": 7, "engine": engine}
    options |= SETTINGS[name]
    whole, part = network(), network()
    whole.fit(X, Y, **options)
    checkpoint = tw.Checkpoint(tmp_path / "run")
    part.fit(X, Y, checkpoint=checkpoint, callback=stop_after(2), **options)
    assert part.history.stopped_because == "interrupted after epoch 2"
    found = resumed(tmp_path / "run", threads=2, **again(SETTINGS[name]))
    assert everything(found) == everything(whole)


def test_a_moment_is_written_once(tmp_path: Path) -> None:
    """Ctrl-C that comes while an epoch ends finds its checkpoint already there."""

    def press(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    part = network()
    part.fit(X, Y, epochs=6, checkpoint=tw.Checkpoint(tmp_path), callback=press)
    assert part.history.stopped_because == "interrupted after epoch 2"
    names = sorted(path.name for path in tmp_path.glob("step-*"))
    assert names == ["step-2.thalweg", "step-4.thalweg"]


class StoppedSteps:
    """Ctrl-C, or SIGTERM, in the step of a number."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals
    ) -> None:
        self.steps = 0
        train = steps.InterpretedSteps.train

        def stopped(own: Any, *arguments: Any) -> Any:
            for done in train(own, *arguments):
                self.steps += 1
                if self.steps == step:
                    os.kill(os.getpid(), number)
                yield done

        monkeypatch.setattr(steps.InterpretedSteps, "train", stopped)


@pytest.mark.parametrize("step", [1, 4, 6, 7, 12, 16])
def test_a_run_stopped_in_any_step_goes_on_as_if_it_never_was(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """6 steps an epoch: in the middle, at the end, in a later one, after the last."""
    options: dict[str, Any] = {"epochs": 3, "batch_size": 7, "engine": "interpreter"}
    whole, part = network(), network()
    whole.fit(X, Y, **options)
    with monkeypatch.context() as patch:
        StoppedSteps(patch, step, signal.SIGINT)
        checkpoint = tw.Checkpoint(tmp_path, every_epochs=100)
        part.fit(X, Y, checkpoint=checkpoint, **options)
    assert part.history.stopped_because.startswith("interrupted in epoch")
    assert Store(tmp_path).newest()[2].name == f"step-{step}.thalweg"
    assert everything(resumed(tmp_path)) == everything(whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_checkpoints_and_ends_with_its_status(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"epochs": 3, "batch_size": 7, "engine": "interpreter"}
    whole, part = network(), network()
    whole.fit(X, Y, **options)
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        StoppedSteps(patch, 8, number)
        with pytest.raises(Terminated) as ended:
            part.fit(X, Y, checkpoint=tw.Checkpoint(tmp_path), **options)
    assert ended.value.code == 128 + number
    assert "step-8.thalweg holds the run" in ended.value.words
    assert part.history.stopped_because == "terminated in epoch 2"
    assert signal.getsignal(number) is before
    assert everything(resumed(tmp_path)) == everything(whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_handler_of_ones_own_stays(tmp_path: Path, number: signal.Signals) -> None:
    seen: list[Any] = []
    before = signal.signal(number, lambda *_: seen.append("mine"))
    try:
        network().fit(
            X,
            Y,
            epochs=2,
            checkpoint=tw.Checkpoint(tmp_path),
            callback=lambda record: os.kill(os.getpid(), number),
        )
    finally:
        signal.signal(number, before)
    assert seen == ["mine", "mine"]


def test_a_hangup_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As nohup asks for."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        history = network().fit(
            X,
            Y,
            epochs=2,
            checkpoint=tw.Checkpoint(tmp_path),
            callback=lambda record: os.kill(os.getpid(), signal.SIGHUP),
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    assert history.stopped_because == "all 2 epochs were done"


@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_every_checkpoint_leads_to_the_same_end(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of epochs, after their last step, after validation, at the end."""
    monkeypatch.setattr(steps, "SLICE_SECONDS", 0.0)  # the engine tells every step
    options: dict[str, Any] = {"epochs": 3, "batch_size": 13, "engine": engine}
    checkpoint = tw.Checkpoint(tmp_path, every_minutes=OFTEN, keep=100)
    whole = network()
    whole.fit(X, Y, checkpoint=checkpoint, **options)
    store = Store(tmp_path)
    entries = store.entries()
    assert len(entries) == 1 + 3 * (4 + 1)
    for entry in entries:
        monkeypatch.setattr(Store, "entries", lambda self, only=entry: [only])
        monkeypatch.setattr(Store, "sweep", lambda self: None)
        monkeypatch.setattr(Store, "write", lambda self, *_: tmp_path)
        assert everything(resumed(tmp_path)) == everything(whole), entry.file


def test_a_warm_start_is_resumed_as_one(tmp_path: Path) -> None:
    options: dict[str, Any] = {"optimizer": tw.Adam(0.01), "batch_size": 7}
    found: list[tw.Network] = []
    for stop in (False, True):
        each = network()
        each.fit(X, Y, epochs=3, **options)
        each.fit(
            X,
            Y,
            epochs=5,
            warm_start=True,
            checkpoint=tw.Checkpoint(tmp_path) if stop else None,
            callback=stop_after(2) if stop else None,
            **options,
        )
        found.append(each)
    assert everything(resumed(tmp_path)) == everything(found[0])


def test_a_run_that_ended_is_resumed_at_its_end(tmp_path: Path) -> None:
    whole = network()
    whole.fit(X, Y, epochs=30, checkpoint=tw.Checkpoint(tmp_path, every_epochs=100))
    told: list[Any] = []
    found = resumed(tmp_path, callback=told.append)
    assert everything(found) == everything(whole)
    assert found.history == whole.history
    assert told == []


def test_a_resumed_run_can_be_stopped_and_resumed(tmp_path: Path) -> None:
    whole, part = network(), network()
    whole.fit(X, Y, epochs=8)
    part.fit(X, Y, epochs=8, checkpoint=tw.Checkpoint(tmp_path), callback=stop_after(2))
    starts: list[int] = []

    class Starting(tw.Callback):
        def on_start(self, run: tw.Run) -> None:
            starts.append(run.epochs_done)

    for epoch in (4, 6):
        resumed(tmp_path, callback=stop_after(epoch), callbacks=[Starting()])
    assert everything(resumed(tmp_path, callbacks=[Starting()])) == everything(whole)
    assert starts == [2, 4, 6]


# A user's own -------------------------------------------------------------------------


@dataclass(frozen=True)
class Signs(tw.Optimizer):
    """Keeps a slot, and has no name that another process knows."""

    def state(self) -> tuple[str, ...]:
        return ("m",)

    def update(
        self, parameters: Any, gradient: Any, state: Any, learning_rate: Any, step: Any
    ) -> Any:
        m = 0.9 * state["m"] + gradient
        return parameters - learning_rate * ops.sign(m), {"m": m}


@dataclass(frozen=True)
class Noise(tw.Layer):
    """Draws of its own."""

    def forward(self, x: Any, p: Any) -> Any:
        return x

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        return x + 0.1 * random.uniform(x.shape), {}


def test_formulas_of_ones_own_go_on_and_an_own_rule_is_given_again(
    tmp_path: Path,
) -> None:
    options: dict[str, Any] = {"optimizer": Signs(1e-3), "epochs": 5, "batch_size": 7}
    numbers = np.eye(3)[Y]
    layers = [tw.Dense(4, lambda z: z * ops.tanh(z)), Noise(), tw.Dense(3)]
    whole, part = tw.Network(layers), tw.Network(layers)
    loss = lambda p, t: ops.mean((p - t) ** 4, axis=1)  # noqa: E731
    whole.fit(X, numbers, loss=loss, **options)
    part.fit(
        *(X, numbers),
        loss=loss,
        checkpoint=tw.Checkpoint(tmp_path),
        callback=stop_after(2),
        **options,
    )
    with pytest.raises(ArgumentError, match=r"optimizer must be given: Signs\("):
        resumed(tmp_path, X, numbers)
    with pytest.raises(ArgumentError, match="optimizer must be Signs"):
        resumed(tmp_path, X, numbers, optimizer="adam")
    found = resumed(tmp_path, X, numbers, optimizer=Signs(1e-3))
    assert everything(found) == everything(whole)


# What is refused ----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    network().fit(
        X, Y, epochs=6, checkpoint=tw.Checkpoint(tmp_path), callback=stop_after(2)
    )
    return tmp_path


CHANGED = X.copy()
CHANGED[17, 1] = np.nextafter(np.float32(X[17, 1]), np.float32(9))


@pytest.mark.parametrize(
    "rows", [(CHANGED, Y), (X, (Y + 1) % 3), (X[:-1], Y[:-1]), (X[::-1], Y[::-1])]
)
def test_other_rows_are_refused(folder: Path, rows: Any) -> None:
    with pytest.raises(DataError, match="X, y and sample_weight must be those that"):
        resumed(folder, *rows)
    with pytest.raises(DataError):
        resumed(folder, sample_weight=WEIGHTS)
    assert resumed(folder).history.stopped_epoch == 6


def test_validation_rows_must_be_given_as_they_were(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError, match=r"held out 0\.2 rows by itself"):
        resumed(folder, validation=(X, Y))
    own = tmp_path / "own"
    network().fit(
        X,
        Y,
        epochs=6,
        validation=(X[:9], Y[:9]),
        checkpoint=tw.Checkpoint(own),
        callback=stop_after(2),
    )
    with pytest.raises(ArgumentError, match=r"validation must be \(X, y\) or"):
        resumed(own)
    with pytest.raises(DataError, match="validation must be those"):
        resumed(own, validation=(X[:8], Y[:8]))
    assert resumed(own, validation=(X[:9], Y[:9])).history.stopped_epoch == 6


def test_a_rule_that_the_file_has_is_not_taken_twice(folder: Path) -> None:
    with pytest.raises(ArgumentError, match="optimizer must be left out: the run has"):
        resumed(folder, optimizer=tw.SGD(0.1))


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holds no checkpoint"):
        resumed(tmp_path)
    with pytest.raises(FileError, match="nowhere"):
        resumed(tmp_path / "nowhere")


def rewritten(folder: Path, change: Any) -> None:
    """The newest checkpoint with something changed, and the pointer to it."""
    store = Store(folder)
    tensors, document, _ = store.newest()
    tensors = dict(tensors)
    change(tensors, document)
    store.write(99, tensors, document, 2, True)


CHANGES: dict[str, Any] = {
    "no slot": lambda t, d: t.pop("optimizer/0"),
    "a slot of another shape": lambda t, d: t.update({"optimizer/1": np.zeros(3, "f")}),
    "no best": lambda t, d: t.pop("best/parameters"),
    "no best state": lambda t, d: t.pop("best/state/3.running_mean"),
    "no log": lambda t, d: t.pop("log"),
    "a long log": lambda t, d: t.update(log=np.zeros((999, 2))),
    "a wide log": lambda t, d: t.update(log=np.zeros((1, 5))),
    "no run": lambda t, d: d.pop("run"),
    "an odd run": lambda t, d: d["run"].update(more=1),
    "no position": lambda t, d: d.pop("position"),
    "no steps": lambda t, d: d["position"].update(steps=-1),
    "few steps": lambda t, d: d["position"].update(steps=1),
    "half an epoch": lambda t, d: d["position"].update(epochs=1.5),
    "a batch of text": lambda t, d: d["run"].update(batch_size="8"),
    "an odd seed": lambda t, d: d["run"].update(seed=-1),
    "no patience": lambda t, d: d["run"].update(patience=0),
    "an odd share": lambda t, d: d["run"].update(validation="some"),
    "no notes": lambda t, d: d["run"].update(notes=None),
    "too few kept": lambda t, d: d["run"].update(keep=1),
    "batches of nothing": lambda t, d: d["run"].update(batch_size=0),
    "no epochs": lambda t, d: d["run"].update(epochs=0),
    "a seed of many bits": lambda t, d: d["run"].update(seed=2**32),
    "more epochs than steps": lambda t, d: d["position"].update(epochs=10**6),
    "other metrics": lambda t, d: renamed_metrics(d["history"]["columns"]),
    "no validation loss": lambda t, d: t.update(history=without_validation(t, d)),
}


def renamed_metrics(columns: list[str]) -> None:
    columns[:] = [name.replace("accuracy", "r2") for name in columns]


def without_validation(tensors: Any, document: Any) -> Any:
    figures = tensors["history"].copy()
    figures[:, document["history"]["columns"].index("validation_loss")] = np.nan
    return figures


def test_the_time_before_counts(tmp_path: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        StoppedSteps(patch, 2, signal.SIGINT)
        checkpoint = tw.Checkpoint(tmp_path)
        network().fit(X, Y, epochs=2, checkpoint=checkpoint, engine="interpreter",
                      batch_size=7)  # fmt: skip
    rewritten(tmp_path, lambda t, d: d["position"].update(seconds=1e6))
    first, second = resumed(tmp_path).history.seconds
    assert first > 1e6 > second


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_that_cannot_be_is_refused(folder: Path, change: str) -> None:
    rewritten(folder, CHANGES[change])
    with pytest.raises(ModelFileError):
        resumed(folder)


def test_more_steps_than_a_program_counts_are_an_error(folder: Path) -> None:
    rewritten(folder, lambda t, d: d["position"].update(steps=2**31))
    with pytest.raises(ArgumentError, match=r"at most 2,147,483,647, got 2147483\d+"):
        resumed(folder)


# Processes that die -------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no kill here")
@pytest.mark.parametrize("check", ["kills", "terminations"])
def test_killed_at_any_moment_a_run_ends_as_the_whole_one(check: str) -> None:
    script = ROOT / "scripts" / "reliability.py"
    seed = str(random.randrange(2**32))
    command = [sys.executable, str(script), check, "--count", "2", "--seed", seed]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    assert "ended with the same digest" in ended.stdout
