"""Whatever things are called, an exported file computes what the network does."""

import ast
import builtins
import keyword
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import thalweg as tw
from support.exported import assert_near, outputs
from thalweg.exports import onnx_inputs
from thalweg.exports.python_file import source
from thalweg.formulas.chain import is_free, is_name
from thalweg.kinds.pipeline import Pipeline

X = np.linspace(-1, 1, 12).reshape(4, 3).astype(np.float32)
COMPARED = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Own(tw.Layer):
    """Several values need names beside those of its parameters."""

    names: tuple[str, ...]

    def parameters(self, input_shape: Any) -> dict[str, tw.Parameter]:
        shape, drawn = (input_shape[-1],), tw.initializers.normal
        return {name: tw.Parameter(shape, drawn) for name in self.names}

    def forward(self, x: Any, p: Any) -> Any:
        h = tw.tanh(x * 3.0 + 0.25)
        rows = np.arange(27, dtype="float32").reshape(3, 9) / 27  # no line's literal
        h = h * h + tw.exp(-h * h * h - 0.125 * h) + tw.sum(x @ rows) / x.shape[0]
        for name in self.names:
            h = h * getattr(p, name) + tw.sigmoid(h)
        return tw.softplus(h) + tw.erf(h) - h


def names_of_the_file() -> list[str]:
    """Every name that stands in a file."""
    network = tw.Network([Own(("a",)), tw.Dense(2, "softmax")]).initialize(3)
    tree = ast.walk(ast.parse(source(Pipeline.of_network(network))))
    found: set[str] = set()
    for node in tree:
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.alias(name=name):
                found.add(name)
            case ast.FunctionDef(name=name):
                found.add(name)
            case _:
                pass
    return sorted(name for name in found if name.isidentifier())


OURS = [
    *names_of_the_file(),
    *keyword.kwlist,
    *dir(builtins),
    *("t1", "t2", "t3", "constant", "constant0", "constant5", "J", "targets", "dy"),
    *("da", "gradient", "loss", "objective", "value", "uniform", "new_a", "t1_"),
    *("λ", "ﬁ", "fi", "K", "K", "ªnd", "ſum", "np_", "t12", "mean", "exp"),
]
IDENTIFIERS = st.one_of(
    st.sampled_from(OURS),
    st.text(min_size=1, max_size=6).filter(str.isidentifier),
).filter(lambda name: is_name(name) and is_free(name))


@COMPARED
@given(st.lists(IDENTIFIERS, min_size=1, max_size=5, unique=True))
@example(["t1", "t2"])
@example(["ﬁ", "fi", "fi2", "fi_"])
@example(["constant0", "constant1", "constant2", "constant3", "constant4"])
def test_parameters_of_any_name(tmp_path: Path, names: list[str]) -> None:
    network = tw.Network([Own(tuple(names)), tw.Dense(2)]).initialize(3)
    meant = network.predict(X)
    tw.export(network, tmp_path / "own.py")
    assert_near(runpy.run_path(str(tmp_path / "own.py"))["predict"](X), meant)
    tw.export(network, tmp_path / "own.onnx")
    assert_near(outputs(tmp_path / "own.onnx", {"X": X})[0], meant)
    network.explain()


@pytest.mark.parametrize("name", ["__doc__", "__class__", "among", "_values", "x"])
def test_a_name_that_means_something_else_is_refused(name: str) -> None:
    with pytest.raises(tw.ArgumentError, match="an identifier, and none of"):
        tw.Network([Own((name,))]).initialize(3)


WORDS = [
    *("prediction", "column prediction", "column prediction 2", "probabilities"),
    *("", "column 1", "column 1 2", "X", "classes", "rows", "constant 0", "Cast 1"),
    *('"""', "'''", "\\", "\\N{x}", "{x}", "%s", "a\nb", "a\r", "#", "]", "\x1b[2J"),
    *("\u202e", "\u2028", "\x85", "\x9b", "\ufeff", "\ue000", "é", "e\u0301", "K"),
]
NAMES = (st.sampled_from(WORDS) | st.text(max_size=5)).map(str.strip)
CATEGORIES = NAMES.filter(bool)


@COMPARED
@given(
    columns=st.lists(NAMES, min_size=2, max_size=4, unique=True),
    words=st.lists(CATEGORIES, min_size=2, max_size=3, unique=True),
    labels=st.lists(CATEGORIES, min_size=2, max_size=2, unique=True),
)
@example(["prediction", "column prediction"], ["a", "b"], ["c", "d"])
@example(["", "column 1"], ['"""', "\\"], ["\x1b[2J", "\u202e"])
def test_columns_categories_and_labels_of_any_name(
    tmp_path: Path, columns: list[str], words: list[str], labels: list[str]
) -> None:
    random = np.random.default_rng(0)
    cells = {name: random.choice(words, 60).tolist() for name in columns}
    target = next(name for name in ("y", "z", "u", "v", "w") if name not in cells)
    frame = pl.DataFrame({**cells, target: random.choice(labels, 60).tolist()})
    try:
        model = tw.train(
            *(frame, target), layers=(4,), epochs=1, category=tuple(columns)
        ).model
    except tw.DataError:
        return  # a word that means "missing" or a number can't be a class by itself
    found = model.predict(frame)
    probabilities = found.drop("prediction").to_numpy()
    tw.export(model, tmp_path / "own.py")
    module = runpy.run_path(str(tmp_path / "own.py"))
    assert_near(module["probabilities"](cells), probabilities)
    assert module["predict"](cells).tolist() == found["prediction"].to_list()
    tw.export(model, tmp_path / "own.onnx")
    given = outputs(tmp_path / "own.onnx", onnx_inputs(model, frame))
    assert given[0].tolist() == found["prediction"].to_list()
    assert_near(given[1], probabilities)


@pytest.mark.parametrize("name", ["np", "exp", "t1", "layer_1", "λ", "class_"])
def test_activations_of_any_name(tmp_path: Path, name: str) -> None:
    def own(z: Any) -> Any:
        return z * tw.sigmoid(z)

    own.__name__ = own.__qualname__ = name
    network = tw.Network([tw.Dense(4, own), tw.Dense(2)]).initialize(3)
    tw.export(network, tmp_path / "own.py")
    found = runpy.run_path(str(tmp_path / "own.py"))["predict"](X)
    assert_near(found, network.predict(X))
