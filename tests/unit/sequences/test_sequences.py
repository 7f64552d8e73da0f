"""Rows with one id are a sequence: grouped, split whole, learned, saved, predicted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files.modelfile import read_model, write_model
from thalweg.sequences.baselines import features, random_numbers, resampled
from thalweg.sequences.learn import TrainedOnSequences
from thalweg.sequences.model import SequenceModel
from thalweg.sequences.prepare import PreparedSequences, prepare
from thalweg.sequences.settings import SequenceSettings
from thalweg.tables.read import read

HOW: dict[str, Any] = {"sequence": "id", "order": "t", "units": 8}


def steps(count: int = 60, seed: int = 0) -> pl.DataFrame:
    """Sequences that go up, go down, or stay, of 4 to 11 rows."""
    random = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = []
    for each in range(count):
        kind = ("up", "down", "still")[each % 3]
        slope = {"up": 0.5, "down": -0.5, "still": 0.0}[kind]
        for t in range(int(random.integers(4, 12))):
            x = round(slope * t + random.normal(0, 0.1), 3)
            rows.append((f"s{each}", t, x, ("a", "b")[t % 2], kind, slope))
    names = ["id", "t", "x", "side", "kind", "slope"]
    return pl.DataFrame(rows, schema=names, orient="row")


def train(*given: Any, **settings: Any) -> TrainedOnSequences:
    """What was learned of sequences."""
    found: Any = tw.train(*given, **settings)
    assert isinstance(found, TrainedOnSequences)
    return found


def prepared(frame: pl.DataFrame, **given: Any) -> PreparedSequences:
    how: dict[str, Any] = {**HOW, "ignore": ("slope",), **given}
    return prepare(read(frame), "kind", SequenceSettings(**how))


@pytest.fixture(scope="module")
def trained() -> TrainedOnSequences:
    return train(steps(), "kind", ignore="slope", epochs=30, **HOW)


def test_rows_with_one_id_are_one_sequence() -> None:
    frame = steps()
    shuffled = frame.sample(frame.height, shuffle=True, seed=2)
    parts = prepared(shuffled)
    X = parts.encoder.transform(read(frame)).X
    own = dict(
        zip(
            parts.sequences.names,
            parts.sequences.arrays(parts.encoder.transform(read(shuffled)).X),
            strict=True,
        )
    )
    for name in frame["id"].unique():
        rows = np.flatnonzero((frame["id"] == name).to_numpy())
        assert np.array_equal(own[name], X[rows])


def test_no_sequence_is_in_two_parts() -> None:
    parts = prepared(steps())
    every = [set(each.tolist()) for each in parts.split.each().values()]
    assert sum(map(len, every)) == len(set().union(*every)) == 60
    assert [len(each.X) for each in (parts.training, parts.test)] == [36, 12]


def test_statistics_are_those_of_training_sequences() -> None:
    frame = steps()
    parts = prepared(frame)
    tested = parts.sequences.names.gather(parts.split.test).to_list()
    other = frame.with_columns(
        pl.when(pl.col("id").is_in(tested)).then(1e3).otherwise(pl.col("x")).alias("x")
    )
    again = prepared(other)
    assert parts.encoder.encodings == again.encoder.encodings
    for one, two in zip(parts.training.X, again.training.X, strict=True):
        assert one.tobytes() == two.tobytes()


def test_it_learns_what_a_guess_does_not(trained: TrainedOnSequences) -> None:
    assert trained.test["accuracy"] > 0.8
    names = ["constant guess", "nearest sequence", "random kernels"]
    assert [*trained.baselines] == names
    assert trained.baselines["constant guess"]["accuracy"] < 0.5
    assert trained.baselines["random kernels"]["accuracy"] > 0.8


def test_a_number_is_learned_too() -> None:
    found = train(steps(), "slope", ignore="kind", task="number", epochs=30, **HOW)
    assert found.test["r2"] > 0.5


def test_a_sequence_alone_is_what_it_is_among_others(
    trained: TrainedOnSequences,
) -> None:
    frame = steps()
    whole = trained.model.predict(frame)
    assert whole.height == 60
    assert whole.columns[:2] == ["id", "prediction"]
    for place, name in enumerate(whole["id"][:6]):
        alone = trained.model.predict(frame.filter(pl.col("id") == name))
        assert alone.equals(whole[place : place + 1])


def test_a_longer_sequence_than_any_in_training_is_predicted(
    trained: TrainedOnSequences,
) -> None:
    long = pl.DataFrame(
        {
            "id": ["new"] * 40,
            "t": range(40),
            "x": np.arange(40) * 0.1,
            "side": ["a"] * 40,
        }
    )
    found = trained.model.predict(long)
    assert found.height == 1
    assert sum(found.row(0)[2:]) == pytest.approx(1, abs=1e-5)


def test_a_loaded_model_is_the_saved_one(
    trained: TrainedOnSequences, tmp_path: Path
) -> None:
    path = tmp_path / "steps.thalweg"
    trained.model.save(path)
    loaded = tw.load(path)
    assert isinstance(loaded, SequenceModel)
    frame = steps(seed=3)
    assert loaded.predict(frame).equals(trained.model.predict(frame))
    assert loaded.evaluate(frame) == trained.model.evaluate(frame)
    assert loaded.results == json.loads(json.dumps(trained.model.results))
    loaded.save(tmp_path / "again.thalweg")
    assert (tmp_path / "again.thalweg").read_bytes() == path.read_bytes()


DAMAGES: dict[str, Callable[[Any], Any]] = {
    "no id": lambda found: found.pop("sequence"),
    "no order": lambda found: found.pop("order"),
    "an order of words": lambda found: found["order"].update(kind="category"),
    "no encoder": lambda found: found.pop("encoder"),
    "a column less": lambda found: (
        found["encoder"]["encodings"].pop(0),
        found["encoder"]["schema"]["columns"].pop(2)),
    "more": lambda found: found.update(more=1),
    "nothing": lambda found: found.clear(),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused(
    trained: TrainedOnSequences, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "steps.thalweg"
    trained.model.save(path)
    tensors, found = read_model(path)
    DAMAGES[name](found["sequences"])
    write_model(path, tensors, found)
    with pytest.raises(ModelFileError, match=r"steps\.thalweg"):
        tw.load(path)


def test_a_resumed_run_is_the_whole_run(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    steps(30).write_csv(path)
    how: dict[str, Any] = {**HOW, "epochs": 4, "ignore": "slope"}
    whole = train(path, "kind", **how).model.network.parameters

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tw.Checkpoint(tmp_path / "run")
    train(path, "kind", checkpoint=checkpoint, callback=stop, **how)
    resumed = tw.resume(tmp_path / "run", threads=2)
    assert isinstance(resumed, TrainedOnSequences)
    for name, values in resumed.model.network.parameters.items():
        assert values.tobytes() == whole[name].tobytes()


def test_sequences_of_one_length_are_learned_too() -> None:
    frame = steps().filter(pl.col("t") < 4)
    found = train(frame, "kind", ignore="slope", epochs=2, **HOW)
    assert found.model.predict(frame).height == 60


def test_kernels_are_convolutions() -> None:
    X = resampled([np.random.default_rng(0).normal(size=(30, 2))], 30)
    kernels = random_numbers(X.shape)
    found = features(X, kernels)
    start = 0
    for dilation, weights, bias in kernels:
        for kernel in range(len(bias)):
            values = [
                np.sum(
                    X[0, t : t + 8 * dilation + 1 : dilation] * weights[:, :, kernel]
                )
                + bias[kernel]
                for t in range(30 - 8 * dilation)
            ]
            count = len(bias)
            assert found[0, start + kernel] == pytest.approx(max(values))
            share = np.mean(np.array(values) > 0)
            assert found[0, start + count + kernel] == pytest.approx(share)
        start += 2 * len(bias)


REFUSED: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "two targets": (
        lambda f: f.with_columns(
            pl.when((pl.col("id") == "s3") & (pl.col("t") == 2))
            .then(pl.lit("other")).otherwise(pl.col("kind")).alias("kind")),
        r"must have one target, but 's3' has 'up' in row \d+ and 'other' here",
    ),
    "a place twice": (
        lambda f: f.with_columns(
            pl.when((pl.col("id") == "s5") & (pl.col("t") == 1))
            .then(2).otherwise(pl.col("t")).alias("t")),
        r"must be there once in a sequence, but 2 is in row \d+ of the sequence 's5'",
    ),
    "no id": (
        lambda f: f.with_columns(
            pl.when(pl.col("id") == "s1").then(None)
            .otherwise(pl.col("id")).alias("id")),
        "each row must say of which sequence it is",
    ),
    "no place": (
        lambda f: f.with_columns(
            pl.when(pl.col("t") == 3).then(None).otherwise(pl.col("t")).alias("t")),
        "the order must be known in every row",
    ),
    "few": (lambda f: f[:30], "at least 10 sequences"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_tables_that_cannot_be_used(name: str) -> None:
    change, said = REFUSED[name]
    with pytest.raises(DataError, match=said):
        prepared(change(steps()))


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no sequence": ({"order": "t"}, "sequence must be given"),
    "one column twice": (
        {"sequence": "t", "order": "t"},
        "order must be another column",
    ),
    "no such id": ({"sequence": "idd"}, "sequence must .* 'idd': did you mean 'id'"),
    "no such order": (
        {"sequence": "id", "order": "tt"},
        "order must .* 'tt': did you mean 't'",
    ),
    "no cell": ({"sequence": "id", "cell": "none"}, "cell must be gru, lstm or rnn"),
    "a history": (
        {"sequence": "id", "history": 3},
        "it is a setting of a forecast",
    ),
    "grouping": (
        {"sequence": "id", "group_by_length": "yes"},
        "group_by_length must be True or False",
    ),
    "the target": ({"sequence": "kind"}, "target must be another column"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be_used(name: str) -> None:
    given, said = SETTINGS[name]
    with pytest.raises(ArgumentError, match=said):
        tw.train(steps(), "kind", **given)


def test_without_an_order_rows_are_as_they_stand() -> None:
    parts = prepared(steps(), order=None, ignore=("slope", "t"))
    assert parts.notes[0] == "the rows of a sequence are taken as they stand"
