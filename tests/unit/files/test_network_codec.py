import copy
import json
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import thalweg as tw
from thalweg.errors import ArgumentError, FileError, ModelFileError, ProgramError
from thalweg.files.modelfile import Content, read_model, write_model
from thalweg.files.network_codec import (
    as_written,
    network_data,
    network_from,
    unfilled,
)
from thalweg.formulas.initializers import constant, he_normal, normal
from thalweg.model.epochs import EpochRecord, Epochs
from thalweg.model.history import History

generator = np.random.default_rng(0)
X = generator.normal(size=(60, 4))
CLASSES = generator.integers(0, 3, 60)
NUMBERS = X @ [1.0, -1.0, 0.5, 2.0]


def load_network(path: Path) -> tw.Network:
    loaded = tw.load(path)
    assert isinstance(loaded, tw.Network)
    return loaded


# Networks of thalweg's own and of a user's parts --------------------------------------


def swish(z: Any) -> Any:
    return z * tw.sigmoid(z)


@dataclass(frozen=True)
class NoisyNorm(tw.Layer):
    """Has parameters, state, constants, and two random draws of which one is unused."""

    noise: float = 0.1

    def parameters(self, input_shape: Any) -> Any:
        return {"scale": tw.Parameter(input_shape, constant.with_parameters(value=2.0))}

    def state(self, input_shape: Any) -> Any:
        return {"mean": tw.Parameter(input_shape, normal)}

    def forward(self, x: Any, p: Any) -> Any:
        return (x - p.mean) * p.scale + np.linspace(0, 1, x.shape[1])

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        random.uniform(x.shape)
        noise = self.noise * random.uniform(x.shape)
        mean = tw.mean(x, axis=0)
        return (x - mean) * p.scale + noise, {"mean": 0.9 * p.mean + 0.1 * mean}


def asymmetric(predictions: Any, targets: Any, *, factor: float = 1.0) -> Any:
    error = predictions - targets
    return tw.mean(tw.where(error > 0, factor * error**2, error**2), axis=-1)


OWN = tw.Loss.of(asymmetric).with_parameters(factor=4.0)
LISTS: dict[str, Any] = {
    "dense": [tw.Dense(5, "relu"), tw.Dense(3, "softmax")],
    "every layer": [
        tw.Columns(
            (
                (0, 2, tw.Columns(((0, 1, tw.Dense(2)), (1, 2, tw.BatchNorm())))),
                (2, 3, tw.Embedding(5, 2)),
                (3, 4, None),
            )
        ),
        tw.LayerNorm(),
        tw.Dropout(0.3),
        tw.Dense(4, tw.tanh, initializer="he_normal"),
        tw.BatchNorm(momentum=0.3),
        tw.Dense(3, "softmax", initializer=he_normal),
    ],
    "branches": [
        tw.Residual([tw.Dense(6, "tanh"), tw.BatchNorm(), tw.Dense(4)]),
        tw.Parallel(
            [
                [],
                [tw.Dropout(0.2), tw.Residual([tw.Dense(3)], projection=tw.Dense(3))],
                tw.Columns(((0, 2, tw.Residual([tw.BatchNorm()])), (3, 4, None))),
            ]
        ),
        tw.Parallel([tw.Dense(3), tw.Dense(3, "sigmoid")], join="multiply"),
        tw.Dense(3, "softmax"),
    ],
    "branches of ones own": [
        tw.Residual([tw.Dense(4, swish), NoisyNorm(), NoisyNorm()]),
        tw.Parallel([[tw.Residual([NoisyNorm()])], [tw.Dropout(0.2)]]),
        tw.Dense(3, "softmax"),
    ],
    "branches without constants": [
        tw.Residual([tw.Dense(4, swish)]),
        tw.Dense(3, "softmax"),
    ],
    "own": [
        tw.Dense(5, swish),
        NoisyNorm(),
        tw.Dropout(0.3),
        tw.Dense(3, lambda z: tw.softmax(2 * z)),
    ],
    "initializer": [
        tw.Dense(
            3, "softmax", initializer=normal.with_parameters(standard_deviation=0.3)
        )
    ],
}


def features(name: str) -> Any:
    x = X.copy()
    if name == "every layer":
        x[:, 2] = generator.integers(0, 5, 60)
    return x


def fitted(
    name: str, x: Any, loss: Any = "cross_entropy", **options: Any
) -> tw.Network:
    network = tw.Network(LISTS[name])
    network.fit(x, CLASSES, loss=loss, epochs=3, **options)
    return network


def same(one: tw.Network, other: tw.Network) -> None:
    for name, array in {**one.parameters, **one.state}.items():
        assert_array_equal({**other.parameters, **other.state}[name], array)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["cross_entropy", OWN], ids=["", "own loss"])
@pytest.mark.parametrize("name", LISTS)
def test_a_network_comes_back_to_the_bit(
    name: str, loss: Any, dtype: Any, tmp_path: Path
) -> None:
    x = features(name)
    network = fitted(name, x, loss, dtype=dtype)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    same(network, loaded)
    assert loaded.dtype == dtype
    assert loaded.history == network.history
    assert repr(loaded) == repr(network)
    for rows in (1, 2, 60):
        assert_array_equal(loaded.predict(x[:rows]), network.predict(x[:rows]))
    weights = generator.uniform(0, 2, 60)
    assert loaded.evaluate(x, CLASSES, weights) == network.evaluate(x, CLASSES, weights)
    loaded.save(tmp_path / "b.thalweg")
    assert (tmp_path / "a.thalweg").read_bytes() == (
        tmp_path / "b.thalweg"
    ).read_bytes()


@pytest.mark.parametrize("loss", ["cross_entropy", OWN], ids=["", "own loss"])
@pytest.mark.parametrize("name", LISTS)
def test_training_goes_on_after_loading_as_without_it(
    name: str, loss: Any, tmp_path: Path
) -> None:
    """Random draws of a user's own layer included."""
    x = features(name)
    network = fitted(name, x, loss)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    options: dict[str, Any] = {"epochs": 4, "batch_size": 7, "warm_start": True}
    network.optimizer_state = None  # which a model file doesn't hold
    going_on = network.fit(x, CLASSES, loss=loss, **options)
    resumed = loaded.fit(x, CLASSES, loss=loaded.loss, **options)
    assert resumed.training_loss == going_on.training_loss
    assert resumed.validation_loss == going_on.validation_loss
    same(network, loaded)


def test_draws_of_two_layers_of_ones_own_differ_after_loading(tmp_path: Path) -> None:
    """Each has an unused draw before its own, which leaves no instruction behind."""
    network = tw.Network(
        [NoisyNorm(), NoisyNorm(), NoisyNorm(), tw.Dense(3, "softmax")]
    )
    network.fit(X, CLASSES, epochs=1)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    options: dict[str, Any] = {"epochs": 3, "warm_start": True}
    network.optimizer_state = None  # which a model file doesn't hold
    going_on = network.fit(X, CLASSES, **options).training_loss
    assert loaded.fit(X, CLASSES, **options).training_loss == going_on


STRANGER = """
import sys, numpy as np, thalweg as tw
network = tw.load(sys.argv[1])
x = np.load(sys.argv[2])
sys.stdout.buffer.write(network.predict(x).tobytes())
y = np.arange(60) % 3
network.fit(x, y, loss=network.loss, epochs=2, warm_start=True)
sys.stdout.buffer.write(network.predict(x).tobytes())
"""


def test_a_process_that_never_saw_the_source_computes_and_learns_the_same(
    tmp_path: Path,
) -> None:
    network = fitted("own", X, OWN)
    network.save(tmp_path / "a.thalweg")
    np.save(tmp_path / "x.npy", X)
    found = subprocess.run(
        [sys.executable, "-c", STRANGER, tmp_path / "a.thalweg", tmp_path / "x.npy"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    expected = network.predict(X).tobytes()
    network.optimizer_state = None  # which a model file doesn't hold
    network.fit(X, np.arange(60) % 3, loss=OWN, epochs=2, warm_start=True)
    assert found == expected + network.predict(X).tobytes()


def test_a_network_that_was_never_fitted_can_be_saved(tmp_path: Path) -> None:
    network = tw.Network(LISTS["dense"]).initialize(4)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    same(network, loaded)
    assert loaded.loss is None
    assert loaded.history == tw.History()


def test_losses_keep_their_parameters(tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(1)])
    network.fit(X, NUMBERS, loss=tw.huber.with_parameters(delta=0.25), epochs=1)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    assert loaded.loss == network.loss
    assert loaded.evaluate(X, NUMBERS) == network.evaluate(X, NUMBERS)


def scalar(predictions: Any, targets: Any) -> Any:
    return tw.mean((predictions - targets) ** 2)


def test_a_loss_that_gives_one_number_for_all_rows(tmp_path: Path) -> None:
    network = fitted("dense", X, scalar)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    assert loaded.evaluate(X, CLASSES) == network.evaluate(X, CLASSES)


def test_a_metric_of_infinity_can_be_saved(tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=1)
    record = EpochRecord(1, 0.5, None, {"rmse": np.inf}, {}, 0.1, 1.0)
    network.history = History([record], 1)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg").history
    assert loaded.training_metrics["rmse"] == [np.inf]


def ones_own(shape: Any, fan_in: int, fan_out: int, generator: Any) -> Any:
    return generator.uniform(-0.1, 0.1, shape)


@pytest.mark.parametrize("name", ["mine", "zeros"])
def test_an_initializer_of_ones_own_is_not_guessed_after_loading(
    name: str, tmp_path: Path
) -> None:
    """Not even where it's named as one of thalweg's."""
    own = tw.Initializer(name, ones_own)
    network = tw.Network([tw.Dense(3, "softmax", initializer=own)])
    network.fit(X, CLASSES, epochs=1)
    network.save(tmp_path / "a.thalweg")
    load_network(tmp_path / "a.thalweg").save(tmp_path / "b.thalweg")
    loaded = load_network(tmp_path / "b.thalweg")
    assert_array_equal(loaded.predict(X), network.predict(X))
    with pytest.raises(ArgumentError, match=f"initializer {name} .* warm_start=True"):
        loaded.fit(X, CLASSES)
    assert loaded.fit(X, CLASSES, epochs=1, warm_start=True).stopped_epoch == 1


def test_initializers_with_parameters_draw_the_same_after_loading(
    tmp_path: Path,
) -> None:
    network = tw.Network([NoisyNorm(), *LISTS["initializer"]])
    network.fit(X, CLASSES, epochs=2)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    loaded.fit(X, CLASSES, epochs=2)
    same(network, loaded)


def test_a_last_layer_without_its_activations_name_keeps_its_loss(
    tmp_path: Path,
) -> None:
    network = tw.Network(LISTS["initializer"])
    network.fit(X, CLASSES, epochs=1)
    assert network.history.settings["loss"] == "cross_entropy"
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    assert loaded.fit(X, CLASSES, epochs=1).settings["loss"] == "cross_entropy"


@dataclass(frozen=True)
class HalfOfTheRows(tw.Layer):
    def forward(self, x: Any, p: Any) -> Any:
        return x - tw.mean(x[: x.shape[0] // 2], axis=0)


def test_what_can_not_be_saved_says_so_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.thalweg"
    fitted("dense", X).save(path)
    before = path.read_bytes()
    network = tw.Network([HalfOfTheRows(), tw.Dense(1)]).initialize(4)
    with pytest.raises(ProgramError, match="rows"):
        network.save(path)
    assert path.read_bytes() == before
    with pytest.raises(FileError):
        fitted("dense", X).save(tmp_path / "nowhere" / "a.thalweg")


@dataclass(frozen=True)
class TrainsByHalves(tw.Layer):
    def forward(self, x: Any, p: Any) -> Any:
        return x

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        return x - tw.mean(x[: x.shape[0] // 2], axis=0), {}


def test_a_layer_whose_training_can_not_be_saved_still_predicts(tmp_path: Path) -> None:
    network = tw.Network([TrainsByHalves(), tw.Dense(3, "softmax")])
    network.fit(X, CLASSES, epochs=1)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    assert_array_equal(loaded.predict(X), network.predict(X))
    with pytest.raises(ArgumentError, match=r"TrainsByHalves.* without its training"):
        loaded.fit(X, CLASSES, warm_start=True)


# Documents that someone changed -------------------------------------------------------


@pytest.fixture(scope="module")
def documents() -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for name in LISTS:
        loss = OWN if name == "own" else "cross_entropy"
        document, tensors = network_data(fitted(name, features(name), loss))
        found[name] = json.loads(json.dumps(document)), tensors
    return found


def place_of(document: Any, path: list[Any]) -> tuple[Any, Any]:
    for key in path[:-1]:
        document = document[key]
    return document, path[-1]


DENSE = ["network", "layers", 0]
TRACED = ["network", "layers", 1]
OWN_FIRST = [*DENSE, "layers", 0, "object"]
OWN_INSIDE = [*DENSE, "layers", 1, "object"]
WRONG: list[tuple[str, list[Any], Any]] = [
    ("dense", ["network"], None),
    ("dense", ["network", "dtype"], "float16"),
    ("dense", ["network", "dtype"], ["float32"]),
    ("dense", ["network", "dtype"], "float64"),
    ("dense", ["network", "input_shape"], [5]),
    ("dense", ["network", "input_shape"], [-4]),
    ("dense", ["network", "input_shape"], "4"),
    ("dense", ["network", "input_shape"], []),
    ("dense", ["network", "input_shape"], [10**12]),
    ("dense", ["network", "input_shape"], [4.0]),
    ("dense", ["network", "layers"], []),
    ("dense", ["network", "layers"], {}),
    ("dense", ["network", "layers"], ["Dense"]),
    ("dense", [*DENSE, "type"], "Dnese"),
    ("dense", [*DENSE, "type"], ["Dense"]),
    ("dense", [*DENSE, "type"], "traced"),
    ("dense", [*DENSE, "units"], 10**9),
    ("dense", [*DENSE, "units"], 2**70),
    ("dense", [*DENSE, "units"], 0),
    ("dense", [*DENSE, "units"], "5"),
    ("dense", [*DENSE, "units"], None),
    ("dense", [*DENSE, "units"], [5]),
    ("dense", [*DENSE, "bias"], False),
    ("dense", [*DENSE, "activation"], "relo"),
    ("dense", [*DENSE, "activation"], {"activation": "relo"}),
    ("dense", [*DENSE, "activation"], {"os": "system"}),
    ("dense", [*DENSE, "activation"], {}),
    ("dense", [*DENSE, "activation"], 5),
    ("dense", [*DENSE, "initializer"], {"initializer": "mine"}),
    ("dense", [*DENSE, "evil"], 1),
    ("every layer", ["network", "layers", 0, "parts"], []),
    ("every layer", ["network", "layers", 0, "parts"], [[0, 10**9, None]]),
    ("every layer", ["network", "layers", 0, "parts", 0], [2, 1, None]),
    ("every layer", ["network", "layers", 0, "parts", 0, 2], {"object": {"type": "X"}}),
    ("every layer", ["network", "layers", 2, "rate"], 1.5),
    ("every layer", ["network", "layers", 4, "momentum"], 0),
    ("branches", [*DENSE, "layers"], []),
    ("branches", [*DENSE, "layers"], [3]),
    ("branches", [*DENSE, "layers"], [{"object": {"type": "L2", "rate": 0.5}}]),
    ("branches", [*DENSE, "layers", 2], {"object": {"type": "Dense", "units": 5}}),
    ("branches", [*DENSE, "projection"], {"object": {"type": "Dense", "units": 4}}),
    ("branches", [*DENSE, "projection"], 3),
    ("branches", [*TRACED, "branches"], []),
    ("branches", [*TRACED, "branches"], [[[]]]),
    ("branches", [*TRACED, "branches", 0], [{"type": "Dropout", "rate": 0.5}]),
    ("branches of ones own", [*OWN_INSIDE, "place"], None),
    ("branches without constants", [*OWN_FIRST, "place"], 3),
    ("branches of ones own", [*OWN_INSIDE, "place"], "1.1"),
    ("branches of ones own", [*OWN_INSIDE, "place"], "9.9"),
    ("branches of ones own", [*OWN_INSIDE, "prediction"], {}),
    ("branches of ones own", [*OWN_INSIDE, "type"], "Dense"),
    ("branches", [*TRACED, "join"], "average"),
    ("branches", [*TRACED, "join"], "add"),
    ("dense", ["loss"], {"name": "cross_entrpy", "parameters": {}}),
    ("dense", ["loss"], {"name": "cross_entropy", "parameters": {"slope": 1}}),
    (
        "dense",
        ["loss"],
        {"name": "cross_entropy", "parameters": {"label_smoothing": 7}},
    ),
    ("dense", ["loss"], {"name": "huber", "parameters": {"delta": "much"}}),
    ("dense", ["loss"], {"name": "huber", "parameters": None}),
    ("dense", ["loss"], "cross_entropy"),
    ("dense", ["history"], None),
    ("dense", ["history", "best_epoch"], 10**9),
    ("dense", ["history", "columns", 0], "low"),
    ("dense", ["history", "columns"], []),
    ("dense", ["optimizer"], {"type": "L2", "rate": 0.5}),
    ("dense", ["penalty"], {"type": "Dropout", "rate": 0.5}),
    ("dense", ["network", "layers", 0], {"type": "L2", "rate": 0.5}),
    ("dense", ["optimizer", "type"], "os.system"),
    ("dense", ["optimizer", "beta1"], 7),
    ("dense", ["optimizer", "speed"], 7),
    ("dense", ["penalty"], {"type": "L2", "rate": -1}),
    ("own", [*TRACED, "parameters", "scale", "shape"], [6]),
    ("own", [*TRACED, "parameters", "scale", "shape"], [-5]),
    ("own", [*TRACED, "parameters", "scale", "shape"], [10**12, 10**12]),
    ("own", [*TRACED, "parameters", "scale", "initializer"], "mine"),
    ("own", [*TRACED, "parameters", "scale", "initializer"], None),
    ("own", [*TRACED, "parameters", "scale", "parameters", "value"], "2"),
    ("own", [*TRACED, "parameters", "scale", "parameters", "value"], [2.0]),
    ("own", [*TRACED, "parameters"], {}),
    ("own", [*TRACED, "parameters"], []),
    ("own", [*TRACED, "state"], {}),
    ("own", [*TRACED, "prediction"], {}),
    ("own", [*TRACED, "prediction", "outputs"], {}),
    ("own", [*TRACED, "prediction", "instructions"], []),
    ("own", [*TRACED, "prediction", "inputs"], {}),
    ("own", [*TRACED, "training"], {}),
    ("own", [*TRACED, "training", "outputs"], {"z": 1}),
    ("own", [*TRACED, "training", "outputs", "mean"], 0),
    ("own", [*TRACED, "training", "outputs", "more"], 0),
    ("own", [*TRACED, "training", "inputs", "seed"], ["int32", []]),
    ("own", [*TRACED, "training", "inputs", "extra"], ["float32", []]),
    ("own", ["loss", "program", "outputs"], {}),
    ("own", ["loss", "program", "outputs"], {"losses": 0}),
    ("own", ["loss", "program", "inputs"], {"predictions": ["float32", [1, 3]]}),
    ("own", ["loss", "program", "instructions", 0, 1], [99]),
    ("own", ["loss", "program"], 3),
]


@pytest.mark.parametrize(("name", "path", "value"), WRONG, ids=str)
def test_a_changed_document_is_refused(
    documents: dict[str, Any], name: str, path: list[Any], value: Any
) -> None:
    document, tensors = copy.deepcopy(documents[name])
    place, key = place_of(document, path)
    place[key] = value
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(ModelFileError, match=r"^a\.thalweg: "):
            network_from(Content("a.thalweg", document, dict(tensors)), tw.Network)
        assert tracemalloc.get_traced_memory()[1] < 64_000_000
        assert time.process_time() - started < 5
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "figures", [None, np.ones((2, 3)), np.ones(3), np.ones((1, 7), np.float32)]
)
def test_figures_must_be_those_that_the_history_names(
    documents: dict[str, Any], figures: Any
) -> None:
    document, tensors = documents["dense"]
    changed = {k: v for k, v in tensors.items() if k != "history"}
    if figures is not None:
        changed["history"] = figures
    with pytest.raises(ModelFileError, match="history"):
        network_from(Content("a.thalweg", document, dict(changed)), tw.Network)


def test_a_run_of_very_many_epochs_can_be_saved(tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(1)])
    network.fit(X[:4], NUMBERS[:4], epochs=1, validation=None)
    (record,) = network.history.epochs
    many = (replace(record, epoch=i) for i in range(1, 30_001))
    network.history.epochs = Epochs(many)
    network.save(tmp_path / "a.thalweg")
    assert load_network(tmp_path / "a.thalweg").history == network.history


def test_a_long_history_takes_the_memory_of_its_figures(tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(1)])
    network.fit(X[:4], NUMBERS[:4], epochs=1, validation=None)
    (record,) = network.history.epochs
    names, figures = zip(*record.figures().items(), strict=True)
    rows = np.repeat(np.array([figures]), 200_000, axis=0)
    rows[:, 0] = np.arange(1, 200_001)
    network.history.epochs = Epochs.of(names, rows, np.ones(200_000))
    network.save(tmp_path / "a.thalweg")
    load_network(tmp_path / "a.thalweg")  # what is imported late is imported
    tracemalloc.start()
    loaded = load_network(tmp_path / "a.thalweg")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * (tmp_path / "a.thalweg").stat().st_size + 2**20
    assert loaded.history.epochs[-1] == replace(record, epoch=200_000, seconds=1.0)


def test_weights_are_read_once_into_place(tmp_path: Path) -> None:
    tw.Network([tw.Dense(2000), tw.Dense(300)]).initialize(700).save(
        tmp_path / "a.thalweg"
    )
    load_network(tmp_path / "a.thalweg")  # what is imported late is imported
    tracemalloc.start()
    load_network(tmp_path / "a.thalweg")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.1 * (tmp_path / "a.thalweg").stat().st_size


@pytest.mark.parametrize(
    "times", [None, np.ones(2), np.ones((3, 1)), np.ones(3, "f4"), np.full(3, np.nan)]
)
def test_times_must_be_those_of_the_epochs(
    documents: dict[str, Any], times: Any
) -> None:
    document, tensors = documents["dense"]
    changed = {k: v for k, v in tensors.items() if k != "times"}
    if times is not None:
        changed["times"] = times
    with pytest.raises(ModelFileError, match=r"history|times"):
        network_from(Content("a.thalweg", document, changed), tw.Network)


CONTROLLED = ("\x1b[2J", "a\nb", "\x7f", "\x9b1m", "\u202e", "\u2066", "\u2028")


@pytest.mark.parametrize("text", CONTROLLED)
@pytest.mark.parametrize("place", ["layer", "loss", "history", "key"])
def test_names_with_control_characters_are_refused(
    documents: dict[str, Any], place: str, text: str
) -> None:
    document, tensors = copy.deepcopy(documents["own"])
    if place == "layer":
        document["network"]["layers"][1]["name"] = text
    elif place == "loss":
        document["loss"]["name"] = text
    elif place == "history":
        document["history"]["stopped_because"] = text
    else:
        document["network"]["layers"][1]["state"][text] = {}
    with pytest.raises(ModelFileError, match="no control characters"):
        network_from(Content("a.thalweg", document, tensors), tw.Network)


def test_a_layer_that_is_written_oddly_is_saved_with_escapes(tmp_path: Path) -> None:
    class Odd(NoisyNorm):
        def __str__(self) -> str:
            return "Odd(\x1b[2J)"

    network = tw.Network([Odd(), tw.Dense(1)]).initialize(4)
    network.save(tmp_path / "a.thalweg")
    loaded = load_network(tmp_path / "a.thalweg")
    assert "Odd(\\x1b[2J)" in repr(loaded)
    assert_array_equal(loaded.predict(X), network.predict(X))


@pytest.mark.parametrize("name", ["network", "loss", "history"])
def test_a_missing_part_is_refused(documents: dict[str, Any], name: str) -> None:
    document, tensors = documents["dense"]
    rest = {k: v for k, v in document.items() if k != name}
    with pytest.raises(ModelFileError, match="damaged"):
        network_from(Content("a.thalweg", rest, dict(tensors)), tw.Network)


CHANGES: list[Any] = [
    lambda t: t.pop("parameters/1.bias"),
    lambda t: t.update({"parameters/9.weights": np.ones(3, np.float32)}),
    lambda t: t.update({"parameters/1.bias": np.ones(6, np.float32)}),
    lambda t: t.update({"parameters/1.bias": np.ones(5)}),
    lambda t: t.update({"parameters/1.bias": np.ones(5, np.int32)}),
    lambda t: t.update({"parameters/1.bias": np.ones((5, 1), np.float32)}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_parameters_must_be_those_of_the_layers(
    documents: dict[str, Any], change: Any
) -> None:
    document, tensors = documents["dense"]
    altered = dict(tensors)
    change(altered)
    with pytest.raises(ModelFileError, match="parameter"):
        network_from(Content("a.thalweg", document, dict(altered)), tw.Network)


def test_a_file_of_many_layers_takes_little_time(documents: dict[str, Any]) -> None:
    document, tensors = copy.deepcopy(documents["dense"])
    document["network"]["layers"] = [{"type": "Dropout", "rate": 0.5}] * 30_000
    started = time.process_time()
    with pytest.raises(ModelFileError, match=r"may be 512 layers, .*got"):
        network_from(Content("a.thalweg", document, dict(tensors)), tw.Network)
    parts = [[0, 1, {"object": {"type": "Dropout", "rate": 0.5}}]] * 9_000
    document["network"]["layers"] = [{"type": "Columns", "parts": parts}]
    with pytest.raises(ModelFileError, match=r"may be 512 layers, .*got"):
        network_from(Content("a.thalweg", document, dict(tensors)), tw.Network)
    assert time.process_time() - started < 2


def test_branches_count_as_layers(documents: dict[str, Any]) -> None:
    document, tensors = copy.deepcopy(documents["dense"])
    many = [{"object": {"type": "Dropout", "rate": 0.5}}] * 600
    started = time.process_time()
    for layer in (
        {"type": "Residual", "layers": many},
        {"type": "Residual", "layers": many[:1], "projection": many},
        {"type": "Parallel", "branches": [many[:1]] * 600},
        {"type": "Parallel", "branches": [[]] * 4200},
    ):
        document["network"]["layers"] = [layer]
        with pytest.raises(ModelFileError, match=r"may be 512 layers, .*got"):
            network_from(Content("a.thalweg", document, dict(tensors)), tw.Network)
    assert time.process_time() - started < 2


def test_what_a_branch_makes_of_a_row_is_bounded(documents: dict[str, Any]) -> None:
    """A branch that grows to 2³² numbers, of which it gives one."""
    document, tensors = copy.deepcopy(documents["dense"])
    twice = {"object": {"type": "Parallel", "branches": [[], []]}}
    first = {"object": {"type": "Columns", "parts": [[0, 1, None]]}}
    grows = [*[twice] * 30, first]
    for layer in (
        {"type": "Parallel", "branches": [[], grows]},
        {
            "type": "Columns",
            "parts": [[0, 4, {"object": {"type": "Parallel", "branches": [grows]}}]],
        },
    ):
        document["network"]["layers"] = [layer]
        with pytest.raises(ModelFileError, match=r"numbers for a row, got"):
            network_from(Content("a.thalweg", document, dict(tensors)), tw.Network)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = list(data) if isinstance(data, dict) else range(len(data))
    found: list[tuple[Any, ...]] = []
    for key in keys:
        found.append((*path, key))
        if isinstance(data[key], dict | list):
            found += places(data[key], (*path, key))
    return found


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "y", "float64", "relu", "matmul", "Dense", "Dropout"]),
    st.lists(st.integers(-3, 9), max_size=3),
    st.sampled_from(
        [
            {},
            {"rows": [1, 0]},
            {"rows": [2**39, -1]},
            {"type": "Dropout", "rate": 0.5},
            {"object": {"type": "Dense", "units": 3}},
            {"activation": "tanh"},
            {"object": {"type": "Parallel", "branches": [[], []]}},
        ]
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("initializer", [(902, 6)])  # another value of a program is y in training
@given(
    st.sampled_from(sorted(LISTS)),
    st.lists(st.tuples(st.integers(0, 10**6), VALUES), min_size=1, max_size=2),
)
def test_a_garbled_document_is_refused_or_gives_a_network_that_works(
    documents: dict[str, Any], name: str, changes: list[tuple[int, Any]]
) -> None:
    document, tensors = copy.deepcopy(documents[name])
    for number, value in changes:
        every = places(document)
        place, key = place_of(document, list(every[number % len(every)]))
        place[key] = copy.deepcopy(value)  # no two places share what may change
    tracemalloc.start()
    try:
        network = network_from(
            Content("a.thalweg", document, dict(tensors)), tw.Network
        )
    except ModelFileError:
        return
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64_000_000
    x = np.ones((3, *network.shapes.outputs[0]))
    assert network.predict(x).shape == (3, *network.shapes.outputs[-1])
    if network.loss is not None:
        network.evaluate(x, [0, 1, 2])
        with suppress(tw.DivergenceError):  # another activation may not suit the loss
            network.fit(
                x, [0, 1, 2], loss=network.loss, epochs=1, warm_start=True,
                validation=None, dtype=network.dtype,
            )  # fmt: skip


def test_an_initializer_without_name_and_numbers_is_refused(
    documents: dict[str, Any],
) -> None:
    document, tensors = copy.deepcopy(documents["own"])
    place, key = place_of(document, [*TRACED, "parameters", "scale"])
    place[key] |= {"initializer": None, "parameters": None}
    with pytest.raises(ModelFileError, match="name of an initializer must be a text"):
        network_from(Content("a.thalweg", document, dict(tensors)), tw.Network)


def test_a_file_of_another_kind_of_content_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "a.thalweg", {}, {"kind": "network"})
    with pytest.raises(ModelFileError, match=r"^[^:]*a\.thalweg: .* damaged"):
        load_network(tmp_path / "a.thalweg")


def test_the_file_has_what_promises_say(tmp_path: Path) -> None:
    fitted("own", X, OWN).save(tmp_path / "a.thalweg")
    tensors, document = read_model(tmp_path / "a.thalweg")
    assert document["kind"] == "network"
    assert len(tensors["history"]) == document["history"]["best_epoch"] > 0
    assert document["network"]["layers"][1]["prediction"]["opcodes"]
    assert any(name.startswith("constants/2.prediction.") for name in tensors)
    assert "parameters/1.weights" in tensors


def test_a_network_without_numbers_has_the_arrays_of_one_with_them() -> None:
    network = tw.Network([tw.Dense(3, "relu"), tw.BatchNorm(), tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=1)
    arrays = [
        network_data(each)[1] for each in (network, unfilled(network, (4,), "float32"))
    ]
    types = [
        {n: (a.dtype, a.shape) for n, a in each.items() if "/" in n} for each in arrays
    ]
    assert types[0] == types[1]
    assert types[0]


@pytest.mark.parametrize("name", LISTS)
def test_a_reader_must_know_layers_that_hold_layers(name: str, tmp_path: Path) -> None:
    network = tw.Network(LISTS[name]).initialize(4)
    network.save(tmp_path / "a.thalweg")
    needed = read_model(tmp_path / "a.thalweg")[1]["required_features"]
    assert ("branches" in needed) == name.startswith("branches")


def test_a_reader_must_know_what_is_in_the_file() -> None:
    vector = np.ones(2)
    needed = [
        as_written({}, {})[1],
        as_written({}, {"lists/0": vector})[1],
        as_written({"required_features": ["estimator"]}, {"history": vector})[1],
    ]
    assert [each["required_features"] for each in needed] == [
        ["times"],
        ["long lists", "times"],
        ["estimator", "times"],
    ]
