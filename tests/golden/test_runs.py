"""Whole training runs against PyTorch's (`generate.py` wrote them)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.formulas.optimizers import optimizer
from thalweg.training import steps

RUNS = json.loads((Path(__file__).parent / "runs.json").read_text())
X = np.array(RUNS["X"])
# 100 steps let rounding grow: to about 2e-5 in float32, 1e-14 in float64.
TOLERANCE = {"float64": 1e-12, "float32": 2e-4}


def label(case: dict[str, Any]) -> str:
    return "-".join([case["optimizer"], *case["parameters"], case["dtype"]])


ENGINES = {"native": steps.NativeSteps, "interpreter": steps.InterpretedSteps}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch, engine: str) -> list[float]:
    """The mean loss of every step."""
    found: list[float] = []
    kind = ENGINES[engine]
    train = kind.train

    def noting(own: Any, epoch: steps.Epoch, asked: Any):
        yield from train(own, epoch, asked)
        sizes = np.full(own.count, own.batch_size)
        sizes[-1] = len(own.rows) - (own.count - 1) * own.batch_size
        found.extend(epoch.log.losses / sizes)

    monkeypatch.setattr(kind, "train", noting)
    return found


def run(
    network: tw.Network, case: dict[str, Any], start: dict[str, Any], **options: Any
) -> None:
    """The same run: the same weights at the start, the rows in their order."""
    network.initialize(4, dtype=case["dtype"]).set_parameters(start)
    network.fit(
        X,
        epochs=RUNS["epochs"],
        batch_size=RUNS["batch_size"],
        validation=None,
        shuffle=False,
        warm_start=True,
        dtype=case["dtype"],
        **options,
    )


@pytest.mark.parametrize("case", RUNS["cases"], ids=label)
def test_run_of_each_optimizer(
    case: dict[str, Any], losses: list[float], engine: str
) -> None:
    network = tw.Network([tw.Dense(6, "tanh"), tw.Dense(3, "softmax")])
    parts = {"first": "1", "last": "2"}
    start = renamed(RUNS["start"], parts)
    rule = type(optimizer(case["optimizer"]))(
        learning_rate=case["learning_rate"], **case["parameters"]
    )
    run(network, case, start, y=RUNS["classes"], optimizer=rule, engine=engine)
    close = TOLERANCE[case["dtype"]]
    assert_allclose(losses, case["losses"], rtol=close)
    for name, values in renamed(case["end"], parts).items():
        assert_allclose(network.parameters[name], values, rtol=close, atol=close)
    assert case["losses"][-1] < case["losses"][0] / 2


@dataclass(frozen=True)
class Relu(tw.Layer):
    def forward(self, x: Any, p: Any) -> Any:
        return tw.relu(x)


def test_run_with_batch_statistics_and_a_penalty(
    losses: list[float], engine: str
) -> None:
    case = RUNS["BatchNorm and L2"]
    network = tw.Network([tw.Dense(6), tw.BatchNorm(), Relu(), tw.Dense(1)])
    parts = {"first": "1", "normal": "2", "last": "4"}
    one = {k: np.array(v)[..., :1] for k, v in RUNS["start"].items() if k[0] == "l"}
    run(
        network,
        case,
        renamed({**RUNS["start"], **one}, parts),
        y=RUNS["numbers"],
        optimizer=tw.Adam(case["learning_rate"]),
        penalty=tw.L2(0.01),
        engine=engine,
    )
    assert_allclose(losses, case["losses"], rtol=1e-9)
    ours = {**network.parameters, **network.state}
    for name, values in renamed(case["end"], parts).items():
        # BatchNorm cancels the bias before it: its gradient is rounding alone, which
        # Adam magnifies.
        assert_allclose(ours[name], values, rtol=1e-9, atol=1e-8)


def test_run_of_convolutions(engine: str) -> None:
    case = json.loads((Path(__file__).parent / "convolutions.json").read_text())["run"]
    layers = [
        tw.Conv(4, 3, activation="tanh"),
        tw.MaxPool(2),
        tw.Conv(3, 2, activation="relu"),
        tw.Flatten(),
        tw.Dense(3, "softmax"),
    ]
    network = tw.Network(layers).initialize((8, 8, 1), dtype="float64")
    network.set_parameters(case["start"])
    history = network.fit(
        np.array(case["X"]),
        case["classes"],
        optimizer=tw.Adam(0.01),
        epochs=len(case["losses"]),
        batch_size=12,
        validation=None,
        shuffle=False,
        warm_start=True,
        dtype="float64",
        engine=engine,
    )
    assert_allclose(history.training_loss, case["losses"], rtol=1e-10)
    for name, values in case["end"].items():
        assert_allclose(network.parameters[name], values, rtol=1e-9, atol=1e-11)
    assert case["losses"][-1] < case["losses"][0] / 2


def test_run_of_a_transformer(engine: str) -> None:
    case = json.loads((Path(__file__).parent / "transformers.json").read_text())["run"]
    layers = [
        tw.Embedding(7, 6),
        tw.Positions(),
        tw.TransformerBlock(3, 7, causal=True),
        tw.Dense(7, "softmax"),
    ]
    network = tw.Network(layers).initialize(5, dtype="float64")
    network.set_parameters(case["start"])
    history = network.fit(
        np.array(case["X"]),
        np.array(case["y"]),
        loss="cross_entropy",
        optimizer=tw.Adam(0.01),
        epochs=len(case["losses"]),
        batch_size=12,
        validation=None,
        shuffle=False,
        warm_start=True,
        dtype="float64",
        engine=engine,
    )
    assert_allclose(history.training_loss, case["losses"], rtol=1e-10)
    for name, values in case["end"].items():
        assert_allclose(network.parameters[name], values, rtol=1e-9, atol=1e-11)
    assert case["losses"][-1] < case["losses"][0] / 2


CELLS = json.loads((Path(__file__).parent / "recurrence.json").read_text())["runs"]


@pytest.mark.parametrize("case", CELLS, ids=lambda case: case["cell"])
def test_run_of_cells(case: dict[str, Any], engine: str) -> None:
    both = tw.Bidirectional(getattr(tw, case["cell"])(case["units"]))
    network = tw.Network([both, tw.Last(), tw.Dense(3, "softmax")])
    network.initialize((6, 2), dtype="float64")
    network.set_parameters(case["start"])
    history = network.fit(
        np.array(case["X"]),
        case["classes"],
        optimizer=tw.Adam(0.01),
        epochs=len(case["losses"]),
        batch_size=12,
        validation=None,
        shuffle=False,
        warm_start=True,
        dtype="float64",
        engine=engine,
    )
    assert_allclose(history.training_loss, case["losses"], rtol=1e-10)
    for name, values in case["end"].items():
        assert_allclose(network.parameters[name], values, rtol=1e-8, atol=1e-10)
    assert case["losses"][-1] < case["losses"][0] / 2


def renamed(arrays: dict[str, Any], parts: dict[str, str]) -> dict[str, Any]:
    """The arrays by the names that the network has for its layers."""
    split = {name: name.split(".") for name in arrays}
    return {f"{parts[s[0]]}.{s[1]}": arrays[name] for name, s in split.items()}
