"""Callbacks and logs: what is called when, and what can end training."""

import json
import math
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DivergenceError, FileError
from thalweg.training import logs

generator = np.random.default_rng(0)
X = generator.normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5]


class Noting(tw.Callback):
    """Notes what it's called with, in a list that others may share."""

    def __init__(self, name: str, events: list[Any], stop_after: int = 0) -> None:
        self.name, self.events, self.stop_after = name, events, stop_after

    def on_start(self, run: tw.Run) -> None:
        self.events.append((self.name, "start", run.epochs_done))

    def on_epoch(self, record: tw.EpochRecord) -> bool:
        self.events.append((self.name, record.epoch))
        return record.epoch == self.stop_after

    def on_end(self, history: tw.History) -> None:
        self.events.append((self.name, history.stopped_because))


def fit(*callbacks: Any, **options: Any) -> tuple[tw.Network, tw.History]:
    network = tw.Network([tw.Dense(1)])
    settings: dict[str, Any] = {"epochs": 3, "early_stopping": None, **options}
    return network, network.fit(X, Y, callbacks=callbacks, **settings)


def test_all_are_told_in_order_of_start_epochs_and_end() -> None:
    events: list[Any] = []
    fit(
        Noting("a", events),
        Noting("b", events),
        epochs=2,
        callback=lambda record: events.append(("function", record.epoch)),
    )
    done = "all 2 epochs were done"
    assert events == [
        *[("a", "start", 0), ("b", "start", 0)],
        *[("function", 1), ("a", 1), ("b", 1), ("function", 2), ("a", 2), ("b", 2)],
        *[("b", done), ("a", done)],
    ]


def test_one_that_says_so_ends_training_after_the_epoch() -> None:
    events: list[Any] = []
    _, history = fit(Noting("a", events, stop_after=2), Noting("b", events))
    assert history.stopped_epoch == 2
    assert history.stopped_because == "Noting said so after epoch 2"
    assert ("b", 2) in events


def test_an_end_that_comes_anyway_keeps_its_reason() -> None:
    _, history = fit(Noting("a", [], stop_after=3))
    assert history.stopped_because == "all 3 epochs were done"


def test_the_run_is_known_at_the_start_and_the_kept_weights_at_the_end() -> None:
    seen: dict[str, Any] = {}

    class Looking(tw.Callback):
        def on_start(self, run: tw.Run) -> None:
            seen["settings"] = run.settings
            self.network = run.network
            seen["first"] = run.network.parameters["1.weights"]

        def on_end(self, history: tw.History) -> None:
            seen["last"] = self.network.parameters["1.weights"]

    network, history = fit(Looking(), early_stopping=tw.EarlyStopping(1))
    assert seen["settings"] is history.settings
    assert seen["settings"]["epochs"] == 3
    assert np.array_equal(seen["last"], network.parameters["1.weights"])
    assert not np.array_equal(seen["first"], seen["last"])


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_the_end_is_told_however_training_ends(error: BaseException) -> None:
    events: list[Any] = []

    def fail(record: tw.EpochRecord) -> None:
        raise error

    if isinstance(error, KeyboardInterrupt):
        fit(Noting("a", events), callback=fail)
    else:
        with pytest.raises(ValueError, match="mine"):
            fit(Noting("a", events), callback=fail)
    assert events[0] == ("a", "start", 0)
    assert events[-1][1] in ("ended by a ValueError", "interrupted after epoch 1")


def test_the_end_is_told_after_divergence() -> None:
    events: list[Any] = []
    with pytest.raises(DivergenceError):
        fit(Noting("a", events), optimizer=tw.SGD(1e8), epochs=50)
    assert events[-1] == ("a", "diverged")


def test_one_that_cannot_start_leaves_the_network_as_it_was() -> None:
    events: list[Any] = []
    network, history = fit()
    before = network.parameters["1.weights"]
    unable = tw.JSONLines("nowhere/log.jsonl")
    with pytest.raises(FileError, match="nowhere"):
        network.fit(X, Y, callbacks=[Noting("a", events), unable, Noting("b", events)])
    assert network.history is history
    assert np.array_equal(network.parameters["1.weights"], before)
    assert [event[0] for event in events] == ["a", "a"]


@pytest.mark.parametrize(
    "wrong", [[print], [object()], [tw.JSONLines], tw.JSONLines("a.jsonl"), None]
)
def test_what_is_no_callback_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="callbacks must be a list of objects with"):
        tw.Network([tw.Dense(1)]).fit(X, Y, callbacks=wrong)


def test_callbacks_of_a_table(tmp_path: Path) -> None:
    events: list[Any] = []
    rows = "\n".join(f"{x[0]},{y}" for x, y in zip(X, Y, strict=True))
    (tmp_path / "table.csv").write_text(f"x,y\n{rows}\n")
    trained = tw.train(
        tmp_path / "table.csv", "y", epochs=9, callbacks=[Noting("a", events, 2)]
    )
    assert trained.history.stopped_epoch == 2
    assert events[-1] == ("a", "Noting said so after epoch 2")


# JSON lines ---------------------------------------------------------------------------


def read_lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_lines_are_the_run(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    _, history = fit(tw.JSONLines(path))
    start, *epochs, end = read_lines(path)
    assert start == {
        "event": "start",
        "settings": history.settings,
        "epochs_done": 0,
    }
    assert [{**e, "event": 0} for e in epochs] == [
        {"event": 0, **record} for record in history.to_dict()["epochs"]
    ]
    assert end == {
        "event": "end",
        "best_epoch": 3,
        "stopped_because": "all 3 epochs were done",
    }


def test_each_line_is_there_when_its_epoch_is_over(tmp_path: Path) -> None:
    path, found = tmp_path / "log.jsonl", []

    class Reading(tw.Callback):
        def on_epoch(self, record: tw.EpochRecord) -> None:
            found.append(len(read_lines(path)))

    fit(tw.JSONLines(path), Reading())
    assert found == [2, 3, 4]


def test_a_log_is_added_to_after_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"event": "start"}\n{"event": "ep')
    fit(tw.JSONLines(path), epochs=1)
    lines = path.read_text().splitlines()
    assert lines[1] == '{"event": "ep'
    assert [json.loads(line)["event"] for line in lines[2:]] == [
        *("start", "epoch", "end")
    ]


def test_a_metric_that_is_not_finite_is_null(tmp_path: Path) -> None:
    log = tw.JSONLines(tmp_path / "log.jsonl")
    network = tw.Network([tw.Dense(1)])
    log.on_start(tw.Run(network, {}, 0))
    log.on_epoch(tw.EpochRecord(1, 0.5, None, {"r2": math.nan}, {}, 0.1, 0.2))
    log.on_end(tw.History())
    assert read_lines(log.path)[1]["training_metrics"] == {"r2": None}


class Filling(tw.Callback):
    """Lets files grow by a few bytes after the first epoch, and freely from the third.

    It does so with a limit of the process, which a part of a line still fits in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch(self, record: tw.EpochRecord) -> None:
        limits = {1: self.size() + 20, 3: resource.RLIM_INFINITY}
        if record.epoch in limits:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            limit = limits[record.epoch]
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

    def size(self) -> int:
        """Of the file, or the only one in the folder."""
        (file,) = self.path.iterdir() if self.path.is_dir() else [self.path]
        return file.stat().st_size


def test_a_disk_that_is_full_for_a_while_costs_a_log_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with pytest.warns(tw.CheckpointWarning, match="jsonl: can't be written") as told:
        _, history = fit(tw.JSONLines(path), Filling(path), epochs=5)
    assert len(told) == 1
    assert history.stopped_epoch == 5
    assert [each["event"] for each in read_lines(path)] == [
        *("start", *["epoch"] * 5, "end")
    ]


def test_a_disk_that_stays_full_ends_no_training(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    filling = Filling(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.warns(tw.CheckpointWarning) as told:
            _, history = fit(tw.JSONLines(path), filling, epochs=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(told) == 1
    assert history.stopped_epoch == 2


# TensorBoard --------------------------------------------------------------------------


def events_in(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The scalars of all event files, read back record by record."""
    import struct

    from tensorboardX.proto import event_pb2
    from tensorboardX.record_writer import masked_crc32c

    kinds: Any = event_pb2  # its classes are made at run time
    checksum: Any = masked_crc32c
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.iterdir()):
        content, position = path.read_bytes(), 0
        while position < len(content):
            (length,) = struct.unpack_from("<Q", content, position)
            data = content[position + 12 : position + 12 + length]
            event = kinds.Event.FromString(data)
            for part in (content[position : position + 8], data):
                position += len(part) + 4
                sum_of_part = content[position - 4 : position]
                assert struct.unpack("<I", sum_of_part) == (checksum(part),)
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_event_files_hold_losses_and_metrics_of_every_epoch(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    _, history = fit(tw.TensorBoard(tmp_path / "run"))
    found = events_in(tmp_path / "run")
    assert set(found) == {
        *("loss/training", "loss/validation", "learning_rate", "seconds"),
        *("rmse/training", "rmse/validation", "r2/training", "r2/validation"),
    }
    expected = [(n, pytest.approx(v)) for n, v in enumerate(history.training_loss, 1)]
    assert found["loss/training"] == expected
    rmse = history.validation_metrics["rmse"]
    assert found["rmse/validation"] == [
        (n, pytest.approx(v)) for n, v in enumerate(rmse, 1)
    ]


def test_a_disk_that_is_full_for_a_while_costs_tensorboard_nothing(
    tmp_path: Path,
) -> None:
    pytest.importorskip("tensorboardX")
    folder = tmp_path / "run"
    with pytest.warns(tw.CheckpointWarning, match="can't be written") as told:
        fit(tw.TensorBoard(folder), Filling(folder), epochs=5)
    assert len(told) == 1
    steps = [step for step, _ in events_in(folder)["loss/training"]]
    assert steps == [1, 2, 3, 4, 5]


def test_without_the_package_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match=r"pip install 'thalweg\[tensorboard\]'"):
        tw.TensorBoard("runs")


def test_what_is_not_finite_is_left_out() -> None:
    record = tw.EpochRecord(1, 0.5, None, {"r2": math.nan, "rmse": 2.0}, {}, 0.1, 0.2)
    assert logs.scalars(record) == {
        "loss/training": 0.5,
        "learning_rate": 0.1,
        "seconds": 0.2,
        "rmse/training": 2.0,
    }
