"""What `explain` shows, read as Python over NumPy, gives what the network gives."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from support.formulas import read
from thalweg.backends.engine.assemble import compile_rows
from thalweg.backends.engine.batch import Batch
from thalweg.errors import NotFittedError
from thalweg.explain import plans as compiled
from thalweg.explain.explanation import explain
from thalweg.explain.lines import PAGE_WIDTH
from thalweg.explain.training_step import USUAL_ROWS, batch_types, objective_of, rows_of
from thalweg.formulas.chain import describe
from thalweg.formulas.layers import Layer
from thalweg.model.step import step_programs

ROWS = 32
generator = np.random.default_rng(0)


def swish(z: Any) -> Any:
    return z * tw.sigmoid(z)


def block_of(text: str, title: str) -> str:
    (block,) = [b for b in re.split(r"\n\n(?=\w)", text) if b.startswith(title)]
    return block


def formulas_of(block: str, *words: str) -> list[str]:
    """The formulas of a block that stand beside some words."""
    found: list[str] = []
    inside = False
    for line in block.splitlines()[1:]:
        word = line[:14].strip()
        inside = word in words if word else inside and line.strip() != ""
        if inside and " = " in line:
            found.append(line[14:])
    return found


def same(read_back: Any, value: Any) -> None:
    assert_allclose(
        np.broadcast_to(read_back, np.shape(value)), value, rtol=5e-3, atol=1e-4
    )


class Given:
    """Random numbers that the test knows."""

    def __init__(self, uniform: Any) -> None:
        self.numbers = uniform

    def uniform(self, shape: tuple[int, ...], /) -> Any:
        assert shape == self.numbers.shape
        return self.numbers


@dataclass(frozen=True)
class Attention(Layer):
    """A layer of one's own: no helper, several matrices."""

    def parameters(self, input_shape: tuple[int, ...]) -> dict[str, tw.Parameter]:
        square = tw.Dense(input_shape[0]).parameters(input_shape)["weights"]
        return {"query": square, "key": square}

    def forward(self, x: Any, p: Any) -> Any:
        scores = (x @ p.query) @ (x @ p.key).T / 2.0
        return tw.softmax(scores) @ x


LAYERS = [
    *(tw.Dense(3), tw.Dense(3, swish), tw.Dense(3, "softmax"), tw.Dense(1, "sigmoid")),
    *(
        tw.Dense(2, "relu"),
        tw.Dense(2, "gelu"),
        tw.Dense(2, "selu"),
        tw.Dense(2, "mish"),
    ),
    *(tw.Dense(2, lambda z: z * z, bias=False), tw.Perceptron(), tw.Perceptron("tanh")),
    *(tw.Dropout(0.25), tw.BatchNorm(), tw.LayerNorm(), Attention()),
    tw.Columns(((0, 2, tw.Dense(3, "tanh")), (2, 4, None), (1, 3, tw.Dropout(0.5)))),
    tw.Residual([tw.Dense(4, "tanh"), tw.BatchNorm(), tw.Dropout(0.25), tw.Dense(4)]),
    tw.Residual([tw.Dense(3, "relu")], projection=tw.Dense(3, bias=False)),
    tw.Parallel([[], [tw.Dense(3), tw.Residual([tw.LayerNorm()])]]),
    tw.Parallel([tw.Dense(4), tw.Dense(4, "sigmoid")], join="multiply"),
]


def shown(name: str) -> str:
    """A name as formulas have it."""
    return re.sub(r"^(?=\d)|\W", "_", name)


def gradient_shown(name: str) -> str:
    """The name of a gradient as formulas have it."""
    return shown(re.sub(r"\w+$", r"d\g<0>", name))


@pytest.mark.parametrize("layer", LAYERS, ids=describe)
def test_a_layers_lines_compute_it_and_its_gradients(layer: Layer) -> None:
    network = tw.Network([layer]).initialize(4, dtype="float64")
    block = block_of(network.explain(), "Layer 1")
    arrays = {**network.parameters, **network.state}
    own = {
        k.removeprefix("1."): a + generator.uniform(0.1, 0.9, a.shape)
        for k, a in arrays.items()
    }
    x = generator.normal(size=(ROWS, 4))
    uniform = generator.uniform(size=(ROWS, 2 if isinstance(layer, tw.Columns) else 4))

    def run(x: Any, *values: Any) -> Any:
        p = SimpleNamespace(**dict(zip(own, values, strict=True)))
        return layer.training_forward(x, p, Given(uniform))

    y, state = run(x, *own.values())
    dy = generator.normal(size=y.shape)
    named = {shown(name): array for name, array in own.items()}
    given = {"x": x, "uniform": uniform, "dy": dy, **named}
    names = read(formulas_of(block, "forward", "backward"), given)
    same(names["y"], y)
    for name, value in state.items():
        same(names[f"new_{shown(name).lstrip('_')}"], value)
    positions = (0, *(1 + list(own).index(name) for name in layer.parameters((4,))))
    slopes = tw.gradient(lambda *a: tw.sum(run(*a)[0] * dy), positions)(
        x, *own.values()
    )
    for name, slope in zip(("x", *layer.parameters((4,))), slopes, strict=True):
        same(names[gradient_shown(name)], slope)
    if formulas_of(block, "prediction"):
        predicted = read(formulas_of(block, "prediction"), given)["y"]
        same(predicted, layer.forward(x, SimpleNamespace(**own)))


def test_dense_reads_as_the_textbook_has_it() -> None:
    network = tw.Network([tw.Dense(64, swish)]).initialize(20)
    block = block_of(network.explain(), "Layer 1: Dense(64, activation=swish)")
    assert "(rows, 20) → (rows, 64)" in block
    assert "weights  (20, 64), 1,280 numbers" in block
    assert formulas_of(block, "forward") == [
        "z = x @ weights + bias",
        "y = z * sigmoid(z)",
    ]
    assert formulas_of(block, "backward") == [
        "t1 = sigmoid(z)",
        "dz = dy * (t1 + z * t1 * (1 - t1))",
        "dweights = x.T @ dz",
        "dbias = sum(dz, axis=0)",
        "dx = dz @ weights.T",
    ]


def test_values_have_the_names_that_their_author_gave() -> None:
    def bump(height: Any) -> Any:
        width = tw.exp(-(height**2))
        return width * (1 - width)

    network = tw.Network([tw.Dense(2, bump)]).initialize(3)
    assert formulas_of(block_of(network.explain(), "Layer 1"), "forward") == [
        "height = x @ weights + bias",
        "width = exp(-height**2)",
        "y = width * (1 - width)",
    ]


def test_a_profiler_at_work_is_left_alone() -> None:
    network = tw.Network([tw.Dense(2, "tanh")]).initialize(3)
    seen: list[str] = []

    def profiler(frame: Any, event: str, _: Any) -> None:
        seen.append(event)

    sys.setprofile(profiler)
    try:
        text = network.explain()
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert "y = tanh(x @ weights + bias)" in text


def test_the_profiling_hook_is_put_back_after_an_error() -> None:
    class Broken(Layer):
        def forward(self, x: Any, p: Any) -> Any:
            if sys.getprofile() is not None:
                raise ValueError("broken")
            return x

    network = tw.Network([Broken()]).initialize(3)
    with pytest.raises(ValueError, match="broken"):
        network.explain()
    assert sys.getprofile() is None


def test_category_numbers_have_no_gradient() -> None:
    network = tw.Network([tw.Embedding(7, 3)]).initialize(2, dtype="float64")
    block = block_of(network.explain(), "Layer 1")
    x = generator.integers(0, 7, (ROWS, 2)).astype(float)
    dy = generator.normal(size=(ROWS, 2, 3))
    table = network.parameters["1.table"]
    names = read(
        formulas_of(block, "forward", "backward"), {"x": x, "dy": dy, "table": table}
    )
    assert "dx" not in names
    same(names["y"], network.predict(x))
    expected = np.zeros((7, 3))
    np.add.at(expected, x.astype(int), dy)
    same(names["dtable"], expected)


# Loss and optimizer -------------------------------------------------------------------


def fitted(layers: list[Layer], y: Any, **settings: Any) -> tw.Network:
    network = tw.Network(layers)
    X = generator.normal(size=(len(y), 4))
    network.fit(X, y, epochs=1, dtype="float64", batch_size=ROWS, **settings)
    return network


CLASSES = generator.integers(0, 3, 80)
LOSSES: list[tuple[str, Layer, Any]] = [
    ("cross_entropy", tw.Dense(3, "softmax"), CLASSES),
    ("binary_cross_entropy", tw.Perceptron(), CLASSES > 1),
    ("mean_squared_error", tw.Dense(2), generator.normal(size=(80, 2))),
    ("huber", tw.Dense(1), generator.normal(size=80)),
    ("mean_absolute_error", tw.Dense(1), generator.normal(size=80)),
]


@pytest.mark.parametrize(("name", "layer", "y"), LOSSES)
def test_the_losss_lines_compute_it_and_its_gradients(
    name: str, layer: Layer, y: Any
) -> None:
    network = fitted([tw.Dense(5, "tanh"), layer], y, loss=name)
    loss = network.loss
    assert loss is not None
    block = block_of(network.explain(), f"Loss: {name}")
    own = {
        k.removeprefix("2."): a for k, a in network.parameters.items() if k[0] == "2"
    }
    x = generator.normal(size=(ROWS, 5))
    outputs = network.shapes.outputs[-1][0]
    targets = np.eye(outputs)[generator.integers(0, outputs, ROWS)]
    predictions = generator.uniform(0.1, 0.9, (ROWS, outputs))
    alone = read(
        formulas_of(block, "of a row"), {"predictions": predictions, "targets": targets}
    )
    same(alone["loss"], loss.per_row(predictions, targets))
    lines = formulas_of(block, "forward", "backward")
    names = read(lines, {"x": x, "targets": targets, **own})

    def objective(*values: Any) -> Any:
        p = SimpleNamespace(**dict(zip(own, values, strict=True)))
        return loss(layer.forward(x, p), targets)

    same(names["J"], objective(*own.values()))
    positions = tuple(range(len(own)))
    for each, slope in zip(
        own, tw.gradient(objective, positions)(*own.values()), strict=True
    ):
        same(names[f"d{each}"], slope)
    runs = formulas_of(block, "forward", "as it runs")
    if any(line.startswith("dz = ") for line in runs):
        same(read(runs, {"x": x, "targets": targets, **own})["dz"], names["dz"])


OPTIMIZERS: list[tw.Optimizer] = [
    *(tw.SGD(0.1), tw.SGD(0.1, momentum=0.9, nesterov=True), tw.Adagrad()),
    *(tw.Adadelta(), tw.RMSProp(), tw.Adam(), tw.AdamW(), tw.Lion()),
    tw.Adam(tw.CosineWithWarmup(0.01, warmup=0.2)),
]


@pytest.mark.parametrize("rule", OPTIMIZERS, ids=repr)
def test_the_optimizers_lines_are_its_rule(rule: tw.Optimizer) -> None:
    network = fitted([tw.Dense(3, "softmax")], CLASSES, optimizer=rule)
    block = block_of(network.explain(), "Optimizer: ")
    assert "a user's own" not in block
    vectors = {
        name: generator.uniform(0.1, 1, 15)
        for name in ("parameters", "gradient", *rule.state())
    }
    lines = formulas_of(block, "step")
    names = read(lines, {**vectors, "learning_rate": 0.25, "step": 3.0})
    state = {slot: vectors[slot] for slot in rule.state()}
    moved, new = rule.update(
        vectors["parameters"], vectors["gradient"], state, 0.25, 3.0
    )
    same(names["new_parameters"], moved)
    for slot, value in new.items():
        same(names[f"new_{slot}"], value)


def test_penalties_and_clipping_are_shown_with_their_formulas() -> None:
    penalty = tw.L1(0.25) + tw.L2(0.5)
    settings = {"penalty": penalty, "clip_norm": 2.0}
    network = fitted([tw.Dense(3, "softmax")], CLASSES, **settings)
    block = block_of(network.explain(), "Optimizer: ")
    w, gradient = generator.normal(size=(4, 3)), generator.normal(size=15)
    names = read(
        formulas_of(block, "penalty", "clipping"), {"w": w, "gradient": gradient}
    )
    same(names["penalty"], penalty(w))
    same(names["new_gradient"], tw.clip_by_global_norm(gradient, 2.0))


# What isn't known ---------------------------------------------------------------------


def test_what_is_not_known_is_said_in_words() -> None:
    text = tw.Network([tw.Dense(2)]).initialize(3).explain()
    assert "It wasn't fitted yet" in text
    assert "Loss: none is known yet." in text
    assert "Optimizer: none is known yet." in text


def test_a_network_without_parameters_cannot_be_explained() -> None:
    with pytest.raises(NotFittedError):
        tw.Network([tw.Dense(2)]).explain()


@dataclass(frozen=True)
class SignDescent(tw.Optimizer):
    learning_rate: float = 0.1

    def update(
        self, parameters: Any, gradient: Any, state: Any, learning_rate: Any, step: Any
    ) -> Any:
        return parameters - learning_rate * tw.sign(gradient), {}


def load_network(path: Path) -> tw.Network:
    loaded = tw.load(path)
    assert isinstance(loaded, tw.Network)
    return loaded


def test_a_rule_of_ones_own_is_shown_and_a_file_says_that_it_is_one(
    tmp_path: Path,
) -> None:
    network = fitted([tw.Dense(3, "softmax")], CLASSES, optimizer=SignDescent())
    shown = block_of(network.explain(), "Optimizer: SignDescent")
    assert "new_parameters = parameters - learning_rate * sign(gradient)" in shown
    network.save(tmp_path / "own.thalweg")
    loaded = load_network(tmp_path / "own.thalweg")
    assert "a user's own" in block_of(explain(loaded), "Optimizer: SignDescent")
    assert "of prediction" in explain(loaded, program=True)


def test_a_loaded_network_explains_what_its_author_wrote(tmp_path: Path) -> None:
    network = fitted(
        [tw.Dense(4, swish), tw.Dropout(0.5), tw.Dense(3, "softmax")], CLASSES
    )
    network.save(tmp_path / "a.thalweg")
    block = block_of(explain(load_network(tmp_path / "a.thalweg")), "Layer 1")
    x, dy = generator.normal(size=(ROWS, 4)), generator.normal(size=(ROWS, 4))
    own = {k[2:]: a for k, a in network.parameters.items() if k[0] == "1"}
    names = read(formulas_of(block, "forward", "backward"), {"x": x, "dy": dy, **own})
    same(names["y"], swish(x @ own["weights"] + own["bias"]))
    before = read(
        formulas_of(block_of(network.explain(), "Layer 1"), "forward", "backward"),
        {"x": x, "dy": dy, **own},
    )
    same(names["dweights"], before["dweights"])


# The whole ----------------------------------------------------------------------------


def test_every_line_fits_the_page() -> None:
    layers = [*LAYERS[:8], tw.Dropout(0.2), tw.BatchNorm(), tw.LayerNorm()]
    rule = tw.Adam(tw.CosineWithWarmup(0.01, warmup=0.2))
    text = fitted([*layers, tw.Dense(3, "softmax")], CLASSES, optimizer=rule).explain()
    assert max(map(len, text.splitlines())) <= PAGE_WIDTH
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_the_program_is_shown_after_each_pass() -> None:
    network = fitted([tw.Dense(4, swish), tw.Dense(3, "softmax")], CLASSES)
    short, long = network.explain(), network.explain(program=True)
    assert long.startswith(short)
    titles = re.findall(r"^Program (.*)$", long, re.MULTILINE)
    assert titles == [
        *("after trace", "after stabilize", "after differentiate", "after step"),
        *("after plan, of a block of 32 rows; 1 block in 1 shard",),
        *("after plan, after the rows",),
    ]
    assert long.count("\nprogram(") == 4
    assert long.count("\nplan: arena of") == 2


def test_the_plans_are_those_that_the_engine_runs() -> None:
    network = fitted([tw.Dense(4, swish), tw.Dense(3, "softmax")], CLASSES)
    objective = objective_of(network)
    assert objective is not None
    batch = batch_types(network, objective.loss)
    layers, shapes = network.layers, network.shapes
    rows = batch["X"].shape[0]

    def step(count: int) -> Any:
        types = compiled.with_rows(batch, count)
        return step_programs(layers, shapes, objective, types, network.dtype)["step"]

    shown = network.explain(program=True)
    for part in compile_rows(Batch(step, batch), rows).parts.values():
        assert f"\n{part.plan}" in shown


def test_explaining_changes_nothing() -> None:
    network = fitted(
        [tw.Dense(4, swish), tw.BatchNorm(), tw.Dense(3, "softmax")], CLASSES
    )
    before = {**network.parameters, **network.state}
    assert network.explain() == network.explain()
    for name, array in {**network.parameters, **network.state}.items():
        assert (array == before[name]).all()


@pytest.mark.parametrize("size", [None, True, 0, -1, 2.5, "all"])
def test_a_batch_of_no_known_size_is_explained_with_the_usual_one(size: Any) -> None:
    """Found by scripts/fuzz_model_file.py: `true` was taken for a number of rows."""
    network = tw.Network([tw.Dense(2, "silu"), tw.Dense(1)]).initialize(3)
    network.history.settings["batch_size"] = size
    assert rows_of(network) == USUAL_ROWS
    assert "silu" in network.explain(program=True)


@dataclass(frozen=True)
class CalledLikeOthers(Layer):
    """Parameters with the names that explain gives to other values."""

    def parameters(self, input_shape: tuple[int, ...]) -> dict[str, tw.Parameter]:
        shape, drawn = input_shape, tw.initializers.normal
        return {name: tw.Parameter(shape, drawn) for name in ("targets", "dy", "J")}

    def forward(self, x: Any, p: Any) -> Any:
        return tw.exp(x * p.targets + p.dy) * p.J


def test_no_parameter_meets_a_name_of_explains_own() -> None:
    y = generator.normal(size=(40, 4))
    network = fitted([CalledLikeOthers()], y, loss="mean_squared_error")
    layer = block_of(network.explain(), "Layer 1")
    assert formulas_of(layer, "forward") == ["y = exp(x * targets + dy) * J"]
    assert "dJ = sum(dy2 * t1, axis=0)" in formulas_of(layer, "backward")
    together = formulas_of(block_of(network.explain(), "Loss"), "forward")
    assert together[-2:] == [
        "losses = mean((x2 - targets2)**2, axis=1)",
        "J2 = mean(losses)",
    ]
