import copy
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

import thalweg as tw
from thalweg.errors import (
    ArgumentError,
    DtypeError,
    NotFittedError,
    ShapeError,
    ThalwegError,
)
from thalweg.training import execution, forward
from thalweg.training.forward import INTERPRETED_ROWS as CHUNK_ROWS

generator = np.random.default_rng(0)
X = generator.normal(size=(50, 4))
CLASSES = generator.integers(0, 3, 50)
NUMBERS = X @ [1.0, -1.0, 0.5, 2.0] + generator.normal(size=50)


def classifier() -> tw.Network:
    return tw.Network([tw.Dense(6, "tanh"), tw.Dense(3, "softmax")])


def regression() -> tw.Network:
    return tw.Network([tw.Dense(6, "tanh"), tw.Dense(1)])


# Parameters ---------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_first_parameters_depend_on_the_seed_alone(seed: int) -> None:
    first, again = classifier().initialize(4, seed), classifier().initialize((4,), seed)
    for name, array in first.parameters.items():
        assert_array_equal(array, again.parameters[name])


def test_first_parameters_have_their_initializers_variance() -> None:
    network = tw.Network([tw.Dense(300, "relu"), tw.Dense(200, "tanh")]).initialize(200)
    he, glorot = network.parameters["1.weights"], network.parameters["2.weights"]
    assert_allclose(he.var(), 2 / 200, rtol=0.05)
    assert_allclose(glorot.var(), 2 / (300 + 200), rtol=0.05)
    assert not np.array_equal(he.ravel()[:50], glorot.ravel()[:50])
    assert not network.parameters["1.bias"].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_holds_from_end_to_end(dtype: Any) -> None:
    network = tw.Network([tw.Dense(3), tw.BatchNorm(), tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=2, dtype=dtype)
    for array in {**network.parameters, **network.state}.values():
        assert array.dtype == dtype
    assert network.predict(X).dtype == dtype


def test_float64_is_computed_in_float64() -> None:
    network = tw.Network([tw.Dense(1)]).initialize(4, dtype="float64")
    weights = network.parameters["1.weights"]
    assert not np.array_equal(weights, weights.astype(np.float32))
    assert_allclose(network.predict(X), X @ weights, rtol=1e-14, atol=1e-15)


def test_parameters_are_copies_and_set_parameters_changes_them() -> None:
    network = tw.Network([tw.BatchNorm(), tw.Dense(1)]).initialize(4)
    network.parameters["2.weights"][...] = 5
    network.state["1.running_mean"][...] = 5
    assert not (network.parameters["2.weights"] == 5).any()
    assert not network.state["1.running_mean"].any()
    before = network.predict(X)
    mean = [1.0, 2.0, 3.0, 4.0]
    network.set_parameters({"2.weights": np.ones((4, 1)), "1.running_mean": mean})
    assert_array_equal(network.state["1.running_mean"], mean)
    assert_allclose(
        network.predict(X)[:, 0], (X - mean).sum(1) / np.sqrt(1 + 1e-5), rtol=1e-5
    )
    assert not np.allclose(network.predict(X), before)


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"1.weihgts": 1}, ArgumentError, "did you mean '1.weights'"),
        ({"1.weights": np.ones(3)}, ShapeError, r"must have shape \(4, 1\), got \(3,"),
        ({"1.weights": [["a"]] * 4}, DtypeError, "1.weights must hold numbers"),
        ({"1.weights": [[1], [1, 2]]}, ShapeError, "rows of the same length"),
    ],
)
def test_wrong_parameters_change_nothing(
    values: dict[str, Any], error: type[Exception], text: str
) -> None:
    network = tw.Network([tw.Dense(1)]).initialize(4)
    before = network.parameters
    with pytest.raises(error, match=text):
        network.set_parameters({"1.bias": [7.0], **values})
    for name, array in network.parameters.items():
        assert_array_equal(array, before[name])


USES: list[Callable[[tw.Network], object]] = [
    lambda n: n.parameters,
    lambda n: n.state,
    lambda n: n.shapes,
    lambda n: n.predict(X),
    lambda n: n.evaluate(X, NUMBERS),
    lambda n: n.set_parameters({}),
    lambda n: n.explain(),
    lambda n: n.save("never.thalweg"),
]


@pytest.mark.parametrize("use", USES)
def test_a_network_without_parameters_says_so(use: Callable[[tw.Network], Any]) -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        use(regression())


def test_a_network_without_a_loss_can_not_be_evaluated() -> None:
    with pytest.raises(NotFittedError, match="never fitted, so it has no loss"):
        regression().initialize(4).evaluate(X, NUMBERS)


@pytest.mark.parametrize(
    "layers", [[], (), None, 5, tw.Dense(3), [tw.Dense(3), "relu"]]
)
def test_layers_must_be_a_list_of_layers(layers: Any) -> None:
    with pytest.raises(
        ArgumentError, match=r"layers must be a list of layers, such as"
    ):
        tw.Network(layers)


@pytest.mark.parametrize("shape", [0, -1, 2.5, (), (3, 0), "four", None, (None,)])
def test_the_shape_of_a_row_is_made_of_counts(shape: Any) -> None:
    with pytest.raises(ArgumentError, match="input_shape must be whole numbers"):
        regression().initialize(shape)


def test_counts_of_numpy_are_counts() -> None:
    four: Any = np.int64(4)
    assert regression().initialize(four).shapes.outputs[0] == (4,)


# Predictions --------------------------------------------------------------------------


def test_a_chunk_border_does_not_show() -> None:
    network = classifier().initialize(4, dtype="float64")
    rows = 2 * CHUNK_ROWS + 3
    x = generator.normal(size=(rows, 4))
    whole = network.predict(x)
    assert whole.shape == (rows, 3)
    for row in (0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, rows - 1):
        one = network.predict(x[row : row + 1])
        assert_allclose(whole[row : row + 1], one, rtol=1e-13)
    p = network.parameters
    hidden = np.tanh(x @ p["1.weights"] + p["1.bias"])
    raised = np.exp(hidden @ p["2.weights"] + p["2.bias"])
    assert_allclose(whole, raised / raised.sum(1, keepdims=True), rtol=1e-12)


def test_predictions_stay_what_they_were() -> None:
    """The next call doesn't write into the array that the last one gave."""
    network = classifier().initialize(4)
    first = network.predict(X)
    kept = first.copy()
    network.predict(-X)
    assert_array_equal(first, kept)


def test_many_rows_need_memory_for_a_chunk_only() -> None:
    network = tw.Network([tw.Dense(64, "tanh"), tw.Dense(1)]).initialize(20)
    x = np.zeros((200_000, 20))
    network.predict(x[:CHUNK_ROWS])
    tracemalloc.start()
    try:
        network.predict(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000 * 4 + 4_000_000  # the predictions, and the chunks


def test_a_bad_cell_in_a_later_chunk_is_named() -> None:
    network = regression().initialize(4)
    x = np.zeros((3000, 4))
    x[2500, 3] = np.nan
    with pytest.raises(ArgumentError, match="nan at row 2500, column 3"):
        network.predict(x)


@pytest.mark.parametrize("dtype", ["int64", "bool", "float16", "float64", "uint8"])
def test_numbers_of_any_type_can_be_predicted(dtype: str) -> None:
    network = regression().initialize(4)
    x = np.eye(4)[:3].astype(dtype)
    assert_array_equal(network.predict(x), network.predict(x.astype(np.float32)))
    assert_array_equal(network.predict(x.tolist()), network.predict(x))


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (X[:, :3], ShapeError, r"X must have shape \(rows, 4\) as in training, got"),
        (X[0], ShapeError, "X must have rows and columns"),
        (X[:0], ShapeError, "at least one row"),
        (X * 1e300, ArgumentError, "X must be finite in float32, got"),
        ([["a"] * 4], DtypeError, "X must hold numbers"),
    ],
)
def test_rows_that_can_not_be_used(x: Any, error: type[Exception], text: str) -> None:
    network = regression()
    network.fit(X, NUMBERS, epochs=1)
    with pytest.raises(error, match=text):
        network.predict(x)
    with pytest.raises(error, match=text):
        network.evaluate(x, np.zeros(len(x)))


def test_threads_can_predict_with_one_network() -> None:
    network = classifier().initialize(4)
    parts = [generator.normal(size=(n, 4)) for n in (1, 7, 64, 300, 1500)]
    expected = [network.predict(part) for part in parts]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            if not np.array_equal(network.predict(parts[number]), expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """Grows at every call of a function that makes programs."""
    calls: list[int] = []
    make = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a: (calls.append(1), make(*a))[1])
    return calls


def test_a_size_of_rows_is_interpreted_by_one_program_and_only_some_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = counted(monkeypatch, forward, "make_executable")
    network = regression().initialize(4)
    for _ in range(3):
        network.predict(X, engine="interpreter")
        network.predict(np.zeros((2 * CHUNK_ROWS + 50, 4)), engine="interpreter")
    assert len(built) == 2
    for rows in range(1, 30):
        network.predict(X[:rows], engine="interpreter")
    kept: Any = next(iter(network._forwards.values()))
    assert len(kept._executables) <= forward.KEPT_PROGRAMS


def test_one_program_is_compiled_for_any_number_of_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = counted(monkeypatch, execution, "compile_any_rows")
    network = regression().initialize(4)
    for rows in (1, 2, 31, 50, 3000):
        network.predict(np.zeros((rows, 4)))
    assert len(built) == 1


class Share(tw.Layer):
    """Every row's share of a whole."""

    def forward(self, x: Any, p: Any) -> Any:
        return x / x.shape[0]


@pytest.mark.parametrize("rows", [1, 2, 6, 900])
def test_a_layer_may_count_its_rows(rows: int) -> None:
    network = tw.Network([Share()]).initialize(2)
    shares = network.predict(np.ones((rows, 2)))
    assert_allclose(shares, np.full((rows, 2), 1 / rows), rtol=1e-6)


def test_predictions_follow_the_parameters() -> None:
    network = tw.Network([tw.Dense(1)]).initialize(4)
    network.predict(X)
    network.set_parameters({"1.weights": np.zeros((4, 1)), "1.bias": [3.0]})
    assert_array_equal(network.predict(X), np.full((50, 1), 3, np.float32))
    network.initialize(4, seed=9)
    assert not (network.predict(X) == 3).any()


def test_a_deep_copy_stands_alone() -> None:
    network = classifier()
    network.fit(X, CLASSES, epochs=2)
    before = network.predict(X)
    twin = copy.deepcopy(network)
    assert_array_equal(twin.predict(X), before)
    assert twin.evaluate(X, CLASSES) == network.evaluate(X, CLASSES)
    twin.fit(X, CLASSES, epochs=3, warm_start=True)
    assert not np.array_equal(twin.predict(X), before)
    assert_array_equal(network.predict(X), before)


# Evaluation ---------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [50, 2500])
@pytest.mark.parametrize("weighted", [False, True])
def test_evaluation_is_scikit_learns(rows: int, weighted: bool) -> None:
    chosen = generator.integers(0, 50, rows)
    x, weights = X[chosen], generator.uniform(0, 3, rows) if weighted else None
    network = classifier()
    network.fit(X, CLASSES, epochs=3, dtype="float64")
    classes, p = CLASSES[chosen], network.predict(x)
    assert network.evaluate(x, classes, weights) == {
        "loss": pytest.approx(log_loss(classes, p, sample_weight=weights), rel=1e-12),
        "accuracy": pytest.approx(
            accuracy_score(classes, p.argmax(1), sample_weight=weights), rel=1e-12
        ),
    }
    other = regression()
    other.fit(X, NUMBERS, epochs=3, dtype="float64")
    truth, guess = NUMBERS[chosen], other.predict(x)[:, 0]
    expected = {
        "loss": mean_squared_error(truth, guess, sample_weight=weights),
        "rmse": root_mean_squared_error(truth, guess, sample_weight=weights),
        "r2": r2_score(truth, guess, sample_weight=weights),
    }
    found = other.evaluate(x, truth, weights)
    assert found == {k: pytest.approx(v, rel=1e-12) for k, v in expected.items()}


def test_the_validation_loss_is_what_evaluation_gives() -> None:
    network = classifier()
    history = network.fit(X, CLASSES, epochs=5, validation=(X[:20], CLASSES[:20]))
    best = history.best_epoch - 1
    found = network.evaluate(X[:20], CLASSES[:20])
    assert found["loss"] == history.validation_loss[best]
    assert found["accuracy"] == history.validation_metrics["accuracy"][best]


# What fit is given --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "y", "loss"),
    [
        ([tw.Dense(3, "softmax")], CLASSES, "cross_entropy"),
        ([tw.Dense(3, tw.softmax)], CLASSES, "cross_entropy"),
        ([tw.Dense(1, "sigmoid")], CLASSES > 0, "binary_cross_entropy"),
        ([tw.Perceptron("sigmoid")], CLASSES > 0, "binary_cross_entropy"),
        ([tw.Dense(1)], NUMBERS, "mean_squared_error"),
        ([tw.Dense(4), tw.LayerNorm()], X, "mean_squared_error"),
    ],
)
def test_the_loss_goes_by_the_last_activation(layers: Any, y: Any, loss: str) -> None:
    network = tw.Network(layers)
    assert network.fit(X, y, epochs=1).settings["loss"] == loss


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"epochs": 0}, "epochs must be a whole number, 1 or more, got 0"),
    ({"epochs": "ten"}, "epochs must be a whole number"),
    ({"batch_size": 0}, "batch_size must be a whole number, 1 or more"),
    ({"optimizer": "adma"}, "did you mean 'adam'"),
    ({"optimizer": 0.01}, "optimizer must be"),
    ({"loss": "mean_sqared_error"}, "did you mean 'mean_squared_error'"),
    ({"loss": 3}, "loss must be a name"),
    ({"seed": -1}, "seed must be a whole number, 0 to 4294967295, got -1"),
    ({"seed": 2**32}, "seed must be a whole number, 0 to 4294967295"),
    ({"seed": 0.5}, "seed must be a whole number"),
    ({"dtype": "float16"}, "dtype must be float32 or float64, got 'float16'"),
    ({"dtype": np.float32}, "dtype must be float32 or float64"),
    ({"dtype": np.dtype("float32")}, "dtype must be float32 or float64"),
    ({"clip_norm": 0}, "clip_norm must be a number greater than 0"),
    ({"penalty": 0.1}, "penalty must be"),
    ({"early_stopping": True}, "early_stopping must be an EarlyStopping or None"),
    ({"early_stopping": 10}, "early_stopping must be an EarlyStopping or None"),
    ({"callback": 3}, "callback must be a function"),
    ({"validation": 1.5}, "validation must be a fraction between 0 and 1"),
    ({"validation": (X,)}, r"validation must be \(X, y\)"),
    ({"validation": (X, NUMBERS, None, 3)}, r"validation must be \(X, y\)"),
    ({"validation": {"X": X}}, "validation must be a fraction"),
    ({"validation": (X[:, :2], NUMBERS)}, r"rows of shape \(4,\), got \(2,\)"),
    ({"validation": (X, NUMBERS[:3])}, "validation y must have shape"),
    ({"validation": (X, NUMBERS, -np.ones(50))}, "validation sample_weight must be 0"),
    ({"validation": (X, NUMBERS * np.nan)}, "validation y must be finite"),
    ({"validation": (X, X)}, r"validation y must have shape \(50, 1\) for mean_sq"),
    ({"sample_weight": np.ones(3)}, "sample_weight must have shape"),
    ({"X": X[:, :0]}, "at least one row and one column"),
    ({"y": X}, r"y must have shape \(40, 1\) for mean_squared_error and 1 outputs"),
    ({"y": ["a"] * 50}, "y must hold numbers"),
]


@pytest.mark.parametrize(
    ("options", "text"), WRONG, ids=[str(w[0])[:40] for w in WRONG]
)
def test_wrong_arguments_say_what_must_be_and_lose_nothing(
    options: dict[str, Any], text: str
) -> None:
    network = regression()
    kept = network.fit(X, NUMBERS, epochs=1)
    before, loss = network.parameters, network.loss
    given: dict[str, Any] = {"X": X, "y": NUMBERS, **options}
    with pytest.raises(ThalwegError, match=text):
        network.fit(**given)
    assert network.history is kept
    assert network.loss is loss
    for name, array in network.parameters.items():
        assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (np.full(50, 3), "y must lie in 0..2 for 3 outputs, got 3 at row 0"),
        (np.where(np.arange(50) == 7, -1, 0), "got -1 at row"),
        (NUMBERS, r"y must have shape .*, 3\) or hold class numbers 0, 1, 2, … for "),
        (np.ones((50, 2)), r"y must have shape .* got float32 of shape .*, 2\)"),
    ],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "own"])
def test_class_numbers_must_be_those_of_the_outputs(
    y: Any, text: str, loss: str
) -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return tw.mean((predictions - targets) ** 2, axis=-1)

    chosen = own if loss == "own" else loss
    with pytest.raises(ThalwegError, match=text):
        classifier().fit(X, y, loss=chosen)
    network = classifier()
    network.fit(X, CLASSES, loss=chosen, epochs=1)
    with pytest.raises(ThalwegError, match=text):
        network.evaluate(X, y)
    with pytest.raises(ThalwegError, match=text):
        network.fit(X, CLASSES, loss=chosen, validation=(X, y))


def test_probabilities_lie_between_0_and_1() -> None:
    with pytest.raises(
        ArgumentError, match=r"y must lie in 0..1 for binary_cross.* 2 "
    ):
        tw.Network([tw.Dense(1, "sigmoid")]).fit(X, CLASSES)


def test_targets_have_the_shape_of_what_the_last_layer_gives() -> None:
    cubes = generator.normal(size=(20, 3, 4))
    network = tw.Network([tw.LayerNorm()])
    with pytest.raises(ShapeError, match=r"y must have shape \(16, 3, 4\) for mean_"):
        network.fit(cubes, np.zeros(20))
    assert network.initialize((3, 4)).predict(cubes).shape == (20, 3, 4)


def test_a_warm_start_goes_on_and_must_fit() -> None:
    network = regression()
    options: dict[str, Any] = {"optimizer": tw.Adam(0.05), "validation": None}
    first = network.fit(X, NUMBERS, epochs=30, **options)
    again = network.fit(X, NUMBERS, epochs=5, warm_start=True, **options)
    assert again.training_loss[0] < first.training_loss[0] / 2
    with pytest.raises(
        ShapeError, match=r"warm start needs rows of shape \(4,\) in fl"
    ):
        network.fit(X[:, :3], NUMBERS, warm_start=True)
    with pytest.raises(ShapeError, match=r"in float32, got .* in float64"):
        network.fit(X, NUMBERS, warm_start=True, dtype="float64")


def test_a_warm_start_without_parameters_is_a_start() -> None:
    options: dict[str, Any] = {"epochs": 2, "seed": 4}
    cold = regression().fit(X, NUMBERS, **options).training_loss
    warm = regression().fit(X, NUMBERS, warm_start=True, **options).training_loss
    assert cold == warm


def test_a_new_fit_may_have_another_shape() -> None:
    network = regression()
    network.fit(X, NUMBERS, epochs=1)
    network.predict(X)
    network.fit(X[:, :2], NUMBERS, epochs=1)
    assert network.predict(X[:, :2]).shape == (50, 1)


def test_settings_of_the_run_are_plain() -> None:
    given: dict[str, Any] = {
        "epochs": np.int64(2),
        "batch_size": np.int32(7),
        "seed": np.uint8(3),
        "clip_norm": np.float32(2),
        "penalty": [tw.L1(0.1), tw.L2(0.1)],
        "validation": 0.1,
    }
    history = regression().fit(X, NUMBERS, **given)
    found = {k: v for k, v in history.settings.items() if k != "early_stopping"}
    assert found == {
        "loss": "mean_squared_error",
        "optimizer": repr(tw.Adam()),
        "penalty": "Penalties(parts=(L1(rate=0.1), L2(rate=0.1)))",
        "clip_norm": 2.0,
        "epochs": 2,
        "batch_size": 7,
        "seed": 3,
        "group_by_length": False,
        "training_rows": 45,
        "validation_rows": 5,
    }
    plain = (int, float, bool, str, type(None))
    assert all(type(value) in plain for value in history.settings.values())


def test_callbacks_get_every_record_also_with_progress(
    capsys: pytest.CaptureFixture[str],
) -> None:
    records: list[tw.EpochRecord] = []
    history = regression().fit(
        X, NUMBERS, epochs=3, progress=True, callback=records.append
    )
    assert records == history.epochs
    shown = capsys.readouterr().err
    assert "1/3" in shown
    assert "3/3" in shown


def test_progress_is_closed_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The last epoch is shown, although it isn't one of each twentieth."""

    def callback(record: tw.EpochRecord) -> None:
        if record.epoch == 7:
            raise LookupError

    with pytest.raises(LookupError):
        regression().fit(X, NUMBERS, epochs=200, progress=True, callback=callback)
    assert "7/200" in capsys.readouterr().err


# A user's own parts -------------------------------------------------------------------


@dataclass(frozen=True)
class Scale(tw.Layer):
    def parameters(self, input_shape: Any) -> Any:
        return {"factor": tw.Parameter(input_shape, tw.Initializer("own", ones_like))}

    def forward(self, x: Any, p: Any) -> Any:
        return x * p.factor


def ones_like(shape: Any, fan_in: int, fan_out: int, generator: Any) -> Any:
    return np.ones(shape)


@dataclass(frozen=True)
class SignDescent(tw.Optimizer):
    learning_rate: float | tw.Schedule = 0.01

    def state(self) -> tuple[str, ...]:
        return ("velocity",)

    def update(
        self, parameters: Any, gradient: Any, state: Any, learning_rate: Any, step: Any
    ):
        velocity = 0.5 * state["velocity"] + tw.sign(gradient)
        return parameters - learning_rate * velocity, {"velocity": velocity}


class Largest(tw.Penalty):
    def __call__(self, parameter: Any) -> Any:
        return 0.01 * tw.max(tw.absolute(parameter))


@dataclass(frozen=True)
class Halving(tw.Schedule):
    def learning_rate(self, step: int, total_steps: int, validation_losses: Any):
        return 0.05 * 0.99**step


def quartic(predictions: Any, targets: Any) -> Any:
    return tw.mean((predictions - targets) ** 4, axis=-1)


def test_ones_own_parts_work_together() -> None:
    network = tw.Network(
        [tw.Dense(8, lambda z: z / (1 + abs(z))), Scale(), tw.Dense(1, "identity")]
    )
    start = network.initialize(4).parameters
    assert_array_equal(start["2.factor"], np.ones(8))
    history = network.fit(
        X,
        NUMBERS / 4,
        loss=quartic,
        optimizer=SignDescent(Halving()),
        penalty=Largest(),
        epochs=60,
        early_stopping=None,
        validation=None,
    )
    assert history.settings["loss"] == "quartic"
    assert history.training_loss[-1] < history.training_loss[0] / 10
    assert set(network.evaluate(X, NUMBERS)) == {"loss", "rmse", "r2"}
    assert not np.array_equal(network.parameters["2.factor"], start["2.factor"])


def test_columns_and_embeddings_side_by_side() -> None:
    x = np.column_stack([X, CLASSES, generator.integers(0, 5, 50)])
    inner = tw.Columns(((0, 2, tw.BatchNorm()), (2, 4, tw.Dense(3, "relu"))))
    layers = [
        tw.Columns(((0, 4, inner), (4, 5, tw.Embedding(3, 2)), (5, 6, None))),
        tw.Dense(1),
    ]
    network = tw.Network(layers)
    history = network.fit(
        x,
        CLASSES.astype(float),
        optimizer=tw.Adam(0.03),
        epochs=80,
        early_stopping=None,
    )
    assert network.shapes.outputs == ((6,), (2 + 3 + 2 + 1,), (1,))
    assert "1.part1_part2_weights" in network.parameters
    assert network.state["1.part1_part1_running_mean"].any()
    assert history.training_loss[-1] < 0.2 * history.training_loss[0]


def test_the_text_of_a_network_is_how_it_is_written() -> None:
    assert repr(classifier()) == (
        "Network([Dense(6, activation='tanh'), Dense(3, activation='softmax')])"
    )


class ManyAxes(tw.Layer):
    """More axes than the engine knows, on the way."""

    def forward(self, x: Any, p: Any) -> Any:
        apart = tw.reshape(x, (x.shape[0], *(1,) * 5, 2, 2, 2))
        return tw.reshape(tw.transpose(apart, (0, *range(8, 0, -1))), (x.shape[0], 8))


def test_too_many_axes_are_an_error_of_the_layer_s_line() -> None:
    network = tw.Network([tw.Dense(8), ManyAxes(), tw.Dense(1)])
    with pytest.raises(
        tw.ShapeError, match=r"8 axes at most.*layer 2, ManyAxes"
    ) as said:
        network.fit(np.ones((20, 3)), np.ones(20))
    assert __file__ in str(said.value)
