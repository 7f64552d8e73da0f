"""Layers that hold layers: what they compute and learn, and what they refuse."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.chain import describe, is_name
from thalweg.formulas.layers import Layer

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4))
Y = X[:, 0] * X[:, 1] + 0.1 * RANDOM.normal(size=90)

BLOCK = tw.Residual([tw.Dense(6, "tanh"), tw.BatchNorm(), tw.Dropout(0.3), tw.Dense(4)])
PROJECTED = tw.Residual([tw.Dense(3, "tanh")], projection=[tw.Dense(3), tw.LayerNorm()])
SIDES = tw.Parallel([[], [tw.Dense(3, "tanh"), tw.Dense(2)], tw.Dense(1)])
GATE = tw.Parallel([tw.Dense(3), tw.Dense(3, "sigmoid")], join="multiply")
SUM = tw.Parallel([tw.Dense(3), tw.Dense(3, "sigmoid")], join="add")
NESTED = tw.Parallel([[], [tw.Dense(3), tw.Residual([tw.Dense(3), tw.BatchNorm()])]])
LAYERS: list[Layer] = [BLOCK, PROJECTED, SIDES, GATE, SUM, NESTED]

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=describe)


def values(layer: Layer) -> dict[str, Any]:
    network = tw.Network([layer]).initialize(4, dtype="float64")
    arrays = {**network.parameters, **network.state}
    draw = np.random.default_rng(1)
    return {
        name.removeprefix("1."): array + draw.uniform(0.1, 0.5, array.shape)
        for name, array in arrays.items()
    }


def dense(x: Any, p: dict[str, Any], place: str, activation: Any = lambda z: z) -> Any:
    return activation(x @ p[f"{place}.weights"] + p[f"{place}.bias"])


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def test_they_compute_their_formulas() -> None:
    p = values(PROJECTED)
    kept = dense(X, p, "projection.1")
    kept = (kept - kept.mean(1, keepdims=True)) / np.sqrt(kept.var(1) + 1e-5)[:, None]
    kept = p["projection.2.scale"] * kept + p["projection.2.shift"]
    expected = kept + dense(X, p, "1", np.tanh)
    assert_allclose(PROJECTED.forward(X, SimpleNamespace(**p)), expected, 1e-12)
    p = values(SIDES)
    second = dense(dense(X, p, "2.1", np.tanh), p, "2.2")
    expected = np.hstack([X, second, dense(X, p, "3.1")])
    assert_allclose(SIDES.forward(X, SimpleNamespace(**p)), expected, 1e-12)
    p = values(GATE)
    first, gate = dense(X, p, "1.1"), dense(X, p, "2.1", sigmoid)
    namespace = SimpleNamespace(**p)
    assert_allclose(GATE.forward(X, namespace), first * gate, 1e-12)
    assert_allclose(SUM.forward(X, namespace), first + gate, 1e-12)


def test_a_residual_layer_that_gives_zeros_is_the_identity() -> None:
    layer = tw.Residual([tw.Dense(5, "relu"), tw.Dense(4, initializer="zeros")])
    network = tw.Network([layer]).initialize(4)
    assert_array_equal(network.predict(X), X.astype("f4"))


@every_layer
def test_gradients_are_slopes(layer: Layer) -> None:
    p = values(layer)
    x = X[:7]
    numbers = np.random.default_rng(3).uniform(size=(7, 6))
    random: Any = SimpleNamespace(uniform=lambda shape: numbers)
    weights = np.random.default_rng(4).normal(
        size=layer.forward(x, SimpleNamespace(**p)).shape
    )
    names = list(layer.parameters((4,)))

    def objective(*arrays: Any) -> Any:
        given = SimpleNamespace(**{**p, **dict(zip(names, arrays, strict=True))})
        return tw.sum(layer.training_forward(x, given, random)[0] * weights)

    arrays = [p[name] for name in names]
    way = [np.random.default_rng(5).normal(size=a.shape) for a in arrays]
    ends = [
        objective(*(a + t * w for a, w in zip(arrays, way, strict=True)))
        for t in (1e-6, -1e-6)
    ]
    slopes = tw.gradient(objective, tuple(range(len(names))))(*arrays)
    along = sum(np.sum(s * w) for s, w in zip(slopes, way, strict=True))
    assert_allclose(along, (ends[0] - ends[1]) / 2e-6, 1e-6)


@every_layer
@pytest.mark.parametrize("batch_size", [16, "all"])
def test_the_engine_trains_them_as_the_interpreter(
    layer: Layer, batch_size: Any
) -> None:
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = tw.Network([layer, tw.Dense(1)])
        how: dict[str, Any] = {"epochs": 4, "batch_size": batch_size}
        history = network.fit(
            X, Y, penalty=tw.L2(0.01), dtype="float64", engine=engine, **how
        )
        found.append(({**network.parameters, **network.state}, history))
    (native, history), (interpreted, meant) = found
    assert_allclose(history.training_loss, meant.training_loss, 1e-9)
    for name, array in interpreted.items():
        assert_allclose(native[name], array, 1e-7, 1e-9, err_msg=name)


def test_bits_are_the_same_for_any_number_of_threads() -> None:
    every = []
    for threads in (1, 4):
        network = tw.Network([NESTED, BLOCK_OF_SEVEN, tw.Dense(1)])
        network.fit(X, Y, epochs=3, threads=threads)
        every.append(network.predict(X))
    assert_array_equal(*every)


BLOCK_OF_SEVEN = tw.Residual([tw.Dense(7, "relu"), tw.Dropout(0.2)])


def test_parameters_and_state_are_named_by_their_places() -> None:
    network = tw.Network([tw.Dense(4), BLOCK, NESTED]).initialize(4)
    assert list(network.parameters) == [
        *("1.weights", "1.bias"),
        *("2.1.weights", "2.1.bias", "2.2.scale", "2.2.shift"),
        *("2.4.weights", "2.4.bias"),
        *("3.2.1.weights", "3.2.1.bias"),
        *("3.2.2.1.weights", "3.2.2.1.bias", "3.2.2.2.scale", "3.2.2.2.shift"),
    ]
    running = ("running_mean", "running_variance")
    assert list(network.state) == [
        f"{n}.{r}" for n in ("2.2", "3.2.2.2") for r in running
    ]


def test_the_layers_inside_are_drawn_penalized_and_kept() -> None:
    network = tw.Network([BLOCK, tw.Dense(1)])
    network.fit(X, Y, epochs=2)
    assert network.state["1.2.running_mean"].any()
    shapes = network.shapes.parameters
    assert [name for name, p in shapes.items() if p.penalized] == [
        *("1.1.weights", "1.4.weights", "2.weights")
    ]
    drawn = tw.Network([BLOCK]).initialize(4, seed=3).parameters
    assert_array_equal(drawn["1.1.bias"], np.zeros(6))
    assert 0 < np.abs(drawn["1.1.weights"]).max() <= np.sqrt(6 / (4 + 6))


def test_dropout_draws_anew_in_each_branch() -> None:
    """Two equal branches of dropout differ in where they switch off."""
    branch = [tw.Dropout(0.5)]
    layer = tw.Parallel([branch, branch], join="multiply")
    calls: list[Any] = []

    def uniform(shape: Any) -> Any:
        calls.append(shape)
        return np.full(shape, 0.9)

    layer.training_forward(X, SimpleNamespace(), SimpleNamespace(uniform=uniform))  # pyright: ignore[reportArgumentType]
    assert calls == [X.shape, X.shape]


def test_a_layer_or_a_list_of_one_is_the_same() -> None:
    assert tw.Residual(tw.Dense(4)) == tw.Residual([tw.Dense(4)])
    assert tw.Parallel([tw.Dense(4)]) == tw.Parallel([[tw.Dense(4)]])
    assert hash(SIDES) == hash(tw.Parallel(SIDES.branches))


def test_they_are_written_as_they_were_made() -> None:
    assert describe(PROJECTED) == (
        "Residual([Dense(3, activation='tanh')], projection=[Dense(3), LayerNorm()])"
    )
    assert describe(GATE) == (
        "Parallel([[Dense(3)], [Dense(3, activation='sigmoid')]], join='multiply')"
    )


# Mistakes -----------------------------------------------------------------------------

NONE: Any = []
WRONG: Any = ["Dense"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tw.Residual(NONE), "layers must be one or more"),
        (lambda: tw.Residual(WRONG), "a layer or a list of layers, got"),
        (lambda: tw.Residual(tw.Dense(3), projection=WRONG[0]), "projection must be"),
        (lambda: tw.Parallel(NONE), "a list of branches"),
        (lambda: tw.Parallel(WRONG), "a branch must be a layer or a list"),
        (lambda: tw.Parallel([[]], join="ad"), "did you mean 'add'"),
    ],
)
def test_what_is_no_layer_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        make()


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            [tw.Dense(5), tw.Residual([tw.Dense(3)])],
            r"layer 2, Residual.* \(rows, 5\), got \(rows, 3\).*projection=Dense\(3\)",
        ),
        (
            [tw.Parallel([tw.Dense(3), tw.Dense(1)], join="add")],
            r"layer 1, Parallel.*first gives \(rows, 3\), number 2 gives \(rows, 1\)",
        ),
        (
            [tw.Parallel([[], [tw.Residual([tw.Columns(((3, 9, None),))])]])],
            "layer 1, Parallel.*: layer 1, Residual.*: layer 1, Columns.*up to 9",
        ),
        (
            [tw.Parallel([[], [tw.Dense(4, lambda z: z @ np.ones((3, 3)))]])],
            r"branch 2, layer 1, Dense\(4.*test_branches.py, line",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_named_with_the_layer(
    layers: list[Layer], words: str
) -> None:
    with pytest.raises(ShapeError, match=words):
        tw.Network(layers).initialize(4)


def test_a_missing_parameter_is_named() -> None:
    class Wrong(tw.Layer):
        def forward(self, x: Any, p: Any) -> Any:
            return x * p.scale

    with pytest.raises(ArgumentError, match="layer 1, Wrong has no parameter"):
        tw.Network([tw.Residual([Wrong()])]).initialize(4)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        *(("weights", True), ("1.weights", True), ("image.2.weights", True)),
        *(("x", False), ("1.x", False), ("1.", False), (".a", False), ("1", False)),
        *(("a b.c", False), ("٣.a", False), ("", False), (3, False)),
    ],
)
def test_names_are_identifiers_behind_places(name: Any, fits: bool) -> None:
    assert is_name(name) == fits
