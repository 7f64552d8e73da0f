"""Inputs by name: as one array of all of them, and errors that name them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.exported import asked_of_python, outputs
from thalweg.exports import onnx_inputs

RANDOM = np.random.default_rng(0)
IMAGE, ROW = RANDOM.normal(size=(120, 3, 2)), RANDOM.normal(size=(120, 4))
BOTH = {"image": IMAGE, "row": ROW}
BESIDE = np.hstack([IMAGE.reshape(120, 6), ROW])
Y = IMAGE[:, 0, 0] * ROW[:, 1] + ROW[:, 0]
WEIGHTS = RANDOM.uniform(0.5, 2, 120)
LAST: list[tw.Layer] = [
    tw.Residual([tw.Dense(8, "relu"), tw.Dropout(0.2)]),
    tw.Dense(1),
]


@dataclass(frozen=True)
class Flat(tw.Layer):
    """All of a row side by side."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.reshape(x, (x.shape[0], -1))


def named() -> tw.Network:
    image: list[tw.Layer] = [Flat(), tw.Dense(5, "tanh")]
    return tw.Network([tw.Inputs({"image": image, "row": tw.Dense(3)}), *LAST])


def beside() -> tw.Network:
    """The same network on all numbers side by side."""
    parts = ((0, 6, tw.Dense(5, "tanh")), (6, 10, tw.Dense(3)))
    return tw.Network([tw.Columns(parts), *LAST])


def some(rows: slice) -> dict[str, Any]:
    return {name: array[rows] for name, array in BOTH.items()}


TRAINED = {
    "fraction": {"validation": 0.25},
    "none": {"validation": None},
    "weights": {"sample_weight": WEIGHTS},
    "interpreter": {"engine": "interpreter"},
    "float64": {"dtype": "float64"},
}


@pytest.mark.parametrize("settings", TRAINED.values(), ids=list(TRAINED))
def test_to_the_bit_it_is_the_network_on_numbers_side_by_side(
    settings: dict[str, Any],
) -> None:
    one, other = named(), beside()
    history = one.fit(BOTH, Y, epochs=4, **settings)
    meant = other.fit(BESIDE, Y, epochs=4, **settings)
    assert history.training_loss == meant.training_loss
    assert history.validation_loss == meant.validation_loss
    pairs = zip(one.parameters.values(), other.parameters.values(), strict=True)
    for array, expected in pairs:
        assert_array_equal(array, expected)
    assert_array_equal(one.predict(BOTH), other.predict(BESIDE))
    assert one.evaluate(BOTH, Y, WEIGHTS) == other.evaluate(BESIDE, Y, WEIGHTS)


def test_validation_rows_of_ones_own_have_names_too() -> None:
    rest = slice(90, None)
    one, other = named(), beside()
    for weights in ((), (WEIGHTS[rest],)):
        history = one.fit(
            some(slice(90)),
            Y[:90],
            epochs=3,
            validation=(some(rest), Y[rest], *weights),
        )
        meant = other.fit(
            BESIDE[:90], Y[:90], epochs=3, validation=(BESIDE[rest], Y[rest], *weights)
        )
        assert history.validation_loss == meant.validation_loss


def test_the_order_of_names_is_the_networks() -> None:
    network = named()
    network.fit(BOTH, Y, epochs=2)
    turned = dict(reversed(BOTH.items()))
    assert_array_equal(network.predict(turned), network.predict(BOTH))
    lists = {name: array[:5].tolist() for name, array in BOTH.items()}
    assert_array_equal(network.predict(lists), network.predict(some(slice(5))))


def test_a_warm_start_goes_on_with_the_inputs_it_knows() -> None:
    network = named()
    network.fit(BOTH, Y, epochs=2, early_stopping=None)
    network.fit(BOTH, Y, epochs=2, early_stopping=None, warm_start=True)
    whole = named()
    whole.fit(BOTH, Y, epochs=4, early_stopping=None)
    assert_array_equal(network.predict(BOTH), whole.predict(BOTH))
    other = {**BOTH, "image": IMAGE[:, :2]}
    with pytest.raises(
        tw.ShapeError, match=r"X\['image'\] must have shape \(120, 3, 2"
    ):
        network.fit(other, Y, warm_start=True)


def test_inputs_of_other_shapes_make_a_new_network_if_all_goes_well() -> None:
    network = named()
    network.fit(BOTH, Y, epochs=1)
    other = {**BOTH, "image": IMAGE[:, :2]}
    with pytest.raises(tw.ArgumentError, match="no loss"):
        network.fit(other, Y, loss="nothing")
    assert network.predict(BOTH).shape == (120, 1)
    network.fit(other, Y, epochs=1)
    assert network.predict(other).shape == (120, 1)
    assert network.parameters["1.image.2.weights"].shape == (4, 5)


def test_a_network_comes_back_to_the_bit(tmp_path: Path) -> None:
    network = named()
    network.fit(BOTH, Y, epochs=2)
    network.save(tmp_path / "a.thalweg")
    loaded = tw.load(tmp_path / "a.thalweg")
    assert isinstance(loaded, tw.Network)
    assert repr(loaded) == repr(network)
    assert_array_equal(loaded.predict(BOTH), network.predict(BOTH))
    loaded.save(tmp_path / "b.thalweg")
    files = [(tmp_path / name).read_bytes() for name in ("a.thalweg", "b.thalweg")]
    assert files[0] == files[1]


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    own = (some(slice(90, None)), Y[90:])
    whole, settings = named(), {"epochs": 5, "early_stopping": None, "validation": own}
    whole.fit(some(slice(90)), Y[:90], **settings)  # pyright: ignore[reportArgumentType]
    checkpoint = tw.Checkpoint(tmp_path / "run")
    named().fit(
        *(some(slice(90)), Y[:90]),
        **settings,  # pyright: ignore[reportArgumentType]
        callback=stop,
        checkpoint=checkpoint,
    )
    resumed = tw.resume(tmp_path / "run", some(slice(90)), Y[:90], validation=own)
    assert isinstance(resumed, tw.Network)
    assert_array_equal(resumed.predict(BOTH), whole.predict(BOTH))
    other = {**some(slice(90)), "row": ROW[:90] + 1}
    with pytest.raises(tw.DataError, match="must be those"):
        tw.resume(tmp_path / "run", other, Y[:90], validation=own)


def test_exports_take_all_inputs_side_by_side(tmp_path: Path) -> None:
    network = named()
    network.fit(BOTH, Y, epochs=2)
    meant = network.predict(BOTH)
    arrays = onnx_inputs(network, BOTH)
    assert_array_equal(arrays["X"], BESIDE.astype("f4"))
    tw.export(network, tmp_path / "a.onnx")
    (found,) = outputs(tmp_path / "a.onnx", arrays)
    assert_allclose(found, meant, 1e-5, 1e-5)
    tw.export(network, tmp_path / "a.py")
    found = asked_of_python(tmp_path / "a.py", arrays["X"])["predict"]
    assert_allclose(found, meant, 1e-5, 1e-5)


def test_settings_are_looked_for_by_name_too() -> None:
    layers = list(named().layers)
    found = tw.find_learning_rate(layers, BOTH, Y, steps=50, starts=1)
    meant = tw.find_learning_rate(list(beside().layers), BESIDE, Y, steps=50, starts=1)
    assert found.losses == meant.losses
    swept = tw.sweep(layers, BOTH, Y, over={"seed": [0, 1]}, epochs=2)
    assert len(swept.histories) == 2


def test_what_it_takes_is_said() -> None:
    network = named().initialize({"image": (3, 2), "row": 4})
    assert "It takes image (rows, 3, 2), row (rows, 4) in float32." in network.summary()
    assert network.predict(some(slice(2))).shape == (2, 1)
    assert "image.2.weights  (6, 5), 30 numbers" in network.explain()


# Mistakes -----------------------------------------------------------------------------

WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "an array": (
        BESIDE,
        tw.ArgumentError,
        "a dict with the inputs image, row, got nda",
    ),
    "missing": ({"image": IMAGE}, tw.ArgumentError, "'row' is missing"),
    "too many": ({**BOTH, "rwo": ROW}, tw.ArgumentError, "'rwo'.*did you mean 'row'"),
    "rows": (
        {**BOTH, "row": ROW[:7]},
        tw.ShapeError,
        r"X\['row'\] must have shape \(120, 4\), got \(7, 4\)",
    ),
    "a vector": (
        {**BOTH, "row": ROW[:, 0]},
        tw.ShapeError,
        r"X\['row'\] must have rows",
    ),
    "infinite": (
        {**BOTH, "row": np.where(ROW[3, 1] == ROW, np.inf, ROW)},
        tw.ArgumentError,
        r"X\['row'\] must be finite in float32, got inf at row 3, column 1",
    ),
    "text": (
        {**BOTH, "row": [["a"]] * 120},
        tw.DtypeError,
        r"X\['row'\] must hold num",
    ),
}


@pytest.mark.parametrize(("X", "kind", "words"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_input_is_named(X: Any, kind: type[Exception], words: str) -> None:
    network = named()
    with pytest.raises(kind, match=words):
        network.fit(X, Y)
    network.fit(BOTH, Y, epochs=1)
    for use in (network.predict, lambda X: network.evaluate(X, Y)):
        with pytest.raises(kind, match=words):
            use(X)
    with pytest.raises(
        kind, match=words.replace("X", "validation X").replace("120", r"\d+")
    ):
        network.fit(BOTH, Y, epochs=1, validation=(X, Y))


def test_other_networks_take_no_names() -> None:
    network = tw.Network([tw.Dense(1)])
    for use in (
        lambda: network.fit(BOTH, Y),
        lambda: network.initialize(BOTH),  # pyright: ignore[reportArgumentType]
        lambda: network.initialize(4).predict(BOTH),
    ):
        with pytest.raises(tw.ArgumentError, match="first layer is Inputs"):
            use()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tw.Inputs({}), "a dict of branches"),
        (lambda: tw.Inputs([tw.Dense(3)]), "a dict of branches"),  # pyright: ignore[reportArgumentType]
        (lambda: tw.Inputs({"a.b": []}), "identifier"),
        (lambda: tw.Inputs({"x": []}), "identifier"),
        (lambda: tw.Inputs({"a": []}, join="sum"), "there is no join"),
        (lambda: tw.Inputs((("a", ()), ("a", ()))), "different names"),
        (lambda: tw.Inputs({"a": []}, row_shapes=((0,),)), "a shape for each"),
        (lambda: tw.Network([tw.Inputs({"a": []})]).initialize(3), "by name: a"),
        (
            lambda: tw.Network([tw.Dense(3), tw.Inputs({"a": []})]).initialize(3),
            "layer 2, .* must be the first layer",
        ),
        (
            lambda: tw.Network([tw.Inputs({"a": []})]).initialize({"a": 0}),
            "whole numbers of 1 or more",
        ),
    ],
)
def test_branches_without_inputs_are_refused(make: Any, words: str) -> None:
    with pytest.raises(tw.ArgumentError, match=words):
        make()
