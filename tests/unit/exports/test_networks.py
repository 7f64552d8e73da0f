"""Networks by themselves compute the same in ONNX, in Python, and here."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from support.exported import assert_near, outputs, run_python
from thalweg.cli import run
from thalweg.formulas.activations import ACTIVATIONS


@dataclass(frozen=True)
class Own(tw.Layer):
    """A user's own: with a parameter that Python can't have as a name."""

    def parameters(self, input_shape: Any) -> dict[str, tw.Parameter]:
        shape, drawn = (input_shape[-1],), tw.initializers.normal
        return {
            "lambda": tw.Parameter(shape, drawn),
            "rows": tw.Parameter(shape, drawn),
        }

    def forward(self, x: Any, p: Any) -> Any:
        scaled = x * getattr(p, "lambda") + p.rows
        return scaled[:, 1:] - tw.mean(scaled, axis=1, keepdims=True) / x.shape[0]


@dataclass(frozen=True)
class Flat(tw.Layer):
    """All of a row side by side."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.reshape(x, (x.shape[0], -1))


def mixed(random: np.random.Generator, rows: int) -> np.ndarray:
    """Two numbers and two category numbers."""
    return np.hstack([random.normal(size=(rows, 2)), random.integers(0, 5, (rows, 2))])


def numbers(random: np.random.Generator, rows: int) -> np.ndarray:
    return random.normal(0, 3, size=(rows, 4))


NETWORKS: dict[str, tuple[list[tw.Layer], Any]] = {
    **{name: ([tw.Dense(4, name), tw.Dense(2)], numbers) for name in ACTIVATIONS},
    "embedding": (
        [
            tw.Columns(((0, 2, None), (2, 4, tw.Embedding(5, 3)))),
            tw.Dense(2, "softmax"),
        ],
        mixed,
    ),
    "norms": (
        [tw.BatchNorm(), tw.Dense(5), tw.LayerNorm(), tw.Dropout(0.5), tw.Dense(1)],
        numbers,
    ),
    "perceptron": ([tw.Perceptron()], numbers),
    "own": ([tw.Dense(3), Own()], numbers),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_compute_the_same(
    tmp_path: Path, exported: Callable[[Any], Any], name: str, dtype: Any
) -> None:
    layers, draw = NETWORKS[name]
    X = draw(np.random.default_rng(1), 50).astype(dtype)
    network = tw.Network(layers).initialize(4, dtype=dtype)
    if name == "norms":
        network.fit(X, X[:, :1], epochs=2, dtype=dtype, validation=None)
    meant = network.predict(X, engine="interpreter")
    tolerance = 3e-6 if dtype == "float32" or name == "gelu" else 1e-12
    tw.export(network, tmp_path / "network.onnx")
    (found,) = outputs(tmp_path / "network.onnx", {"X": X})
    assert found.dtype == dtype
    assert_near(found, meant, tolerance)
    predict = exported(network)["predict"]
    assert predict(X).dtype == dtype
    tolerance = 3e-6 if dtype == "float32" else 1e-12
    assert_near(predict(X), meant, tolerance)


def test_one_row_and_none(tmp_path: Path, exported: Callable[[Any], Any]) -> None:
    network = tw.Network([tw.Dense(3, "softmax")]).initialize(4)
    tw.export(network, tmp_path / "network.onnx")
    predict = exported(network)["predict"]
    for rows in (1, 0):
        X = np.ones((rows, 4), np.float32)
        (found,) = outputs(tmp_path / "network.onnx", {"X": X})
        assert found.shape == (rows, 3)
        assert predict(X).shape == (rows, 3)


def test_rows_of_two_axes(tmp_path: Path, exported: Callable[[Any], Any]) -> None:
    network = tw.Network([tw.LayerNorm(), Flat(), tw.Dense(2)]).initialize((3, 4))
    X = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    tw.export(network, tmp_path / "network.onnx")
    (found,) = outputs(tmp_path / "network.onnx", {"X": X})
    assert_near(found, network.predict(X))
    assert_near(exported(network)["predict"](X), network.predict(X))


def test_a_loaded_network_can_be_exported(
    tmp_path: Path, exported: Callable[[Any], Any]
) -> None:
    """A user's own layer is in the file as its program."""
    network = tw.Network([tw.Dense(3), Own()]).initialize(4)
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    meant = network.predict(X, engine="interpreter")
    assert_near(exported(loaded)["predict"](X), meant)


def test_python_reads_a_csv_of_numbers(tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(2)]).initialize(3)
    (tmp_path / "X.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    tw.export(network, tmp_path / "network.py")
    printed = run_python(tmp_path / "network.py", tmp_path / "X.csv")
    meant = network.predict([[1, 2, 3], [4, 5, 6]])
    assert_near(np.array(printed, float), meant)


def test_layers_are_functions_of_their_own_parameters(tmp_path: Path) -> None:
    network = tw.Network([tw.Dense(2, "tanh"), tw.Dense(1)]).initialize(3)
    tw.export(network, tmp_path / "network.py")
    text = (tmp_path / "network.py").read_text(encoding="utf-8")
    assert "def layer_1(x: Array, weights: Array, bias: Array) -> Array:" in text
    assert "    return np.tanh(x @ weights + bias)\n" in text
    assert '"""Dense(2, activation=\'tanh\'): (rows, 3) to (rows, 2)."""' in text


# Bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.txt", "model", "onnx"])
def test_the_name_says_the_form(tmp_path: Path, name: str) -> None:
    network = tw.Network([tw.Dense(1)]).initialize(1)
    with pytest.raises(tw.ArgumentError, match=r"must end in \.onnx or \.py"):
        tw.export(network, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [None, "model.thalweg", tw.Dense(1), tw.Network])
def test_what_is_no_model_is_refused(tmp_path: Path, model: Any) -> None:
    with pytest.raises(tw.ArgumentError, match=f"got {type(model).__name__}"):
        tw.export(model, tmp_path / "model.py")


@pytest.mark.parametrize("form", ["onnx", "py"])
def test_a_network_without_parameters_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(tw.NotFittedError):
        tw.export(tw.Network([tw.Dense(1)]), tmp_path / f"model.{form}")
    assert not list(tmp_path.iterdir())


def test_without_the_extra_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    network = tw.Network([tw.Dense(1)]).initialize(1)
    with pytest.raises(tw.ArgumentError, match=r"thalweg\[onnx\]"):
        tw.export(network, tmp_path / "model.onnx")


# The command --------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tw.Network([tw.Dense(1)]).initialize(2).save("gate.thalweg")
    return tmp_path / "gate.thalweg"


def test_the_command_writes_beside_the_model(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", str(saved), "--to", "python"]) == 0
    assert (saved.parent / "gate.py").exists()
    assert run(["export", str(saved), "--to", "onnx", "-o", "other.onnx"]) == 0
    assert (saved.parent / "other.onnx").exists()
    assert "onnx in other.onnx" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--to", "onx"], "did you mean 'onnx'?"),
        (["--to", "onnx", "-o", "gate.py"], "must be a file that ends in .onnx"),
        (["--to", "python", "-o", "nowhere/gate.py"], "there is no folder 'nowhere'"),
    ],
)
def test_the_command_refuses(
    saved: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert run(["export", str(saved), *options]) in (1, 2)
    assert said in capsys.readouterr().err
    assert [path.name for path in saved.parent.iterdir()] == ["gate.thalweg"]
