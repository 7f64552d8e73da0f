"""A recording holds what the engine gave; the network is that of fit, to the bit."""

import hashlib
import json
import re
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_arrays

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.recording.as_python import as_python
from thalweg.recording.columns import columns_of, curves_of
from thalweg.recording.packing import packable
from thalweg.recording.plane import PIXELS, UNIT_PIXELS, Plane
from thalweg.recording.record import record
from thalweg.recording.recorder import BINS, counts
from thalweg.recording.recording import Recording
from thalweg.recording.tensors import packed
from thalweg.training.curves import read_curves

LAYERS = (tw.Dense(5, "tanh"), tw.Dropout(0.2), tw.Dense(4, "relu"))
HOW: dict[str, Any] = {"optimizer": tw.Adam(0.05), "epochs": 12, "batch_size": 8}


def rows(task: str, count: int = 60) -> tuple[Any, Any]:
    X = np.random.default_rng(1).normal(size=(count, 3)).astype(np.float32)
    ring = X[:, 0] ** 2 + X[:, 1] ** 2
    match task:
        case "binary":
            return X, (ring > 1).astype(int)
        case "classes":
            return X, np.digitize(ring, [0.7, 2.0])
        case _:
            return X, ring


def network_for(task: str) -> tw.Network:
    last = {"binary": tw.Dense(1, "sigmoid"), "classes": tw.Dense(3, "softmax")}
    return tw.Network([*LAYERS, last.get(task, tw.Dense(1))])


@pytest.fixture(scope="module", params=["binary", "classes", "numbers"])
def recorded(request: pytest.FixtureRequest) -> tuple[str, tw.Network, Recording]:
    network = network_for(request.param)
    return request.param, network, record(network, *rows(request.param), row=7, **HOW)


# The run ------------------------------------------------------------------------------


def test_the_network_is_that_of_fit(
    recorded: tuple[str, tw.Network, Recording],
) -> None:
    task, network, recording = recorded
    fitted = network_for(task)
    history = fitted.fit(*rows(task), **HOW)
    for name, array in fitted.parameters.items():
        np.testing.assert_array_equal(network.parameters[name], array)
    document = recording.document
    assert document["best_epoch"] == history.best_epoch
    assert document["stopped_because"] == history.stopped_because
    assert document["constant_guess"] == {"loss": history.constant_loss}
    assert document["verdict"] == [read_curves(history).text]
    flat = np.concatenate([a.ravel() for a in fitted.parameters.values()])
    assert document["sha256"] == hashlib.sha256(flat.tobytes()).hexdigest()
    figures = recording.frames
    end = history.stopped_epoch + 1
    assert figures["training_loss"][1:end].tolist() == history.training_loss
    assert figures["validation_loss"][1:end].tolist() == history.validation_loss


def test_a_frame_holds_what_the_network_of_that_epoch_gives(
    recorded: tuple[str, tw.Network, Recording],
) -> None:
    task, _, recording = recorded
    X, y = recording.fixed["training.X"], recording.fixed["training.y"]
    for epoch in (0, 1, 5, 12):
        frame = {name: each[epoch] for name, each in recording.frames.items()}
        other = network_for(task).initialize(3)
        fill(other, frame["parameters"])
        h, place = X[7].astype(np.float64), 0
        for layer, chosen in zip((1, 3, 4), columns_of(other), strict=True):
            p = other.parameters
            z = h @ p[f"{layer}.weights"] + p[f"{layer}.bias"]
            units = slice(place, place := place + len(z))
            np.testing.assert_allclose(frame["row.z"][units], z, atol=1e-5)
            act = tw.compile(lambda z, a=chosen.activation: getattr(tw, a)(z))
            h = np.asarray(act(z[None]))[0]
            np.testing.assert_allclose(frame["row.a"][units], h, atol=1e-5)
        gradient, difference = frame["row.gradient"], frame["row.difference"]
        np.testing.assert_allclose(gradient, difference, atol=2e-5)
        output = frame["row.a"][-1]
        if task == "binary":
            delta, truth = frame["row.delta"][-1], y[7]
            assert delta == pytest.approx(output - truth, abs=1e-6)
            p_truth = output if truth else 1 - output
            assert frame["row.loss"] == pytest.approx(-np.log(p_truth), abs=1e-5)
        assert frame["z_counts"].sum(axis=1).tolist() == [len(X)] * len(frame["row.z"])


def test_every_row_lies_in_the_picture(
    recorded: tuple[str, tw.Network, Recording],
) -> None:
    _, _, recording = recorded
    (left, right), (low, high) = recording.document["map"]["box"]
    for part in ("training", "validation"):
        across, up = recording.fixed[f"{part}.X"][:, :2].T
        assert left < across.min() < across.max() < right
        assert low < up.min() < up.max() < high


def fill(network: tw.Network, flat: Any) -> None:
    start = 0
    for name, array in network.parameters.items():
        part = flat[start : start + array.size]
        network.set_parameters({name: part.reshape(array.shape)})
        start += array.size


def test_what_would_have_come_after_the_stop_is_there() -> None:
    X, y = rows("binary")
    stopping = tw.EarlyStopping(patience=2)
    settings: dict[str, Any] = {**HOW, "epochs": 40, "early_stopping": stopping}
    network, fitted = network_for("binary"), network_for("binary")
    recording = record(network, X, y, **settings)
    history = fitted.fit(X, y, **settings)
    assert recording.document["stopped_epoch"] == history.stopped_epoch < 40
    assert len(recording) == 41
    assert network.history.stopped_epoch == history.stopped_epoch
    for name, array in fitted.parameters.items():
        np.testing.assert_array_equal(network.parameters[name], array)
    longer = network_for("binary")
    settings["early_stopping"] = None
    longer.fit(X, y, **settings)
    last = np.concatenate([a.ravel() for a in longer.parameters.values()])
    np.testing.assert_array_equal(recording.frames["parameters"][-1], last)


def test_a_run_that_diverges_is_recorded_to_there() -> None:
    X, y = rows("numbers")
    network = tw.Network([tw.Dense(8, "relu"), tw.Dense(1)])
    how: dict[str, Any] = {"optimizer": tw.SGD(3.0), "epochs": 50}
    recording = record(network, X, y, **how)
    assert 1 <= len(recording) < 50
    assert "at learning rate 3" in recording.document["diverged"]
    json.dumps(recording.document, allow_nan=False)
    assert np.isfinite(recording.frames["parameters"]).all()


# Pieces -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row": 60}, "row must be a number from 0 to"),
        ({"row": -1}, "row must be"),
        ({"axes": (0, 3)}, "axes must be a number from 0 to 2"),
    ],
)
def test_a_row_and_axes_must_be_there(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(network_for("binary"), *rows("binary"), **HOW, **change)


@pytest.mark.parametrize(
    "layers",
    [[tw.Dense(2), tw.BatchNorm(), tw.Dense(1)], [tw.Dense(1), tw.Dropout(0.1)]],
)
def test_only_dense_networks_are_recorded(layers: Any) -> None:
    with pytest.raises(ArgumentError, match="a recording must be of a network"):
        record(tw.Network(layers), *rows("numbers"), epochs=1)


def test_a_plane_goes_from_the_upper_left_to_the_lower_right() -> None:
    box = ((-1.0, 1.0), (0.0, 10.0))
    plane = Plane((2, 0), box, np.array([0.0, 7.0, 0.0]), -10.0, 10.0)
    network = tw.Network([tw.Dense(1)]).initialize(3)
    network.set_parameters({"1.weights": [[1.0], [0.0], [0.0]]})
    (picture,) = plane.outputs(network)
    assert picture.shape == (PIXELS, PIXELS)
    lines = 10 - (np.arange(PIXELS) + 0.5) / PIXELS * 10
    expected = np.rint((lines + 10) / 20 * 255)
    np.testing.assert_array_equal(picture[:, 0], expected)
    np.testing.assert_array_equal(picture[:, -1], expected)
    assert (plane.rows(4)[:, 1] == 7.0).all()
    units, scale = plane.units(network, [1], [False])
    assert units.shape == (1, UNIT_PIXELS, UNIT_PIXELS)
    assert scale == pytest.approx(9.75)
    assert units[0, 0, 0] == 31


def test_sums_are_counted_in_bins() -> None:
    z = np.array([[-9.0, -4.0], [-3.5, 0.0], [3.999, 4.0], [9.0, 100.0]])
    first, second = counts(z)
    assert first.tolist() == [1, 1] + [0] * 13 + [2]
    assert second.tolist() == [1] + [0] * 7 + [1] + [0] * 6 + [2]
    assert len(first) == BINS


def test_curves_have_their_slopes() -> None:
    network = network_for("classes").initialize(3)
    curves = curves_of(columns_of(network))
    assert set(curves) == {"activation.tanh", "activation.relu"}
    z, a, slope = curves["activation.tanh"].astype(np.float64)
    np.testing.assert_allclose(a, np.tanh(z), atol=1e-6)
    np.testing.assert_allclose(slope, 1 - a**2, atol=1e-6)


def summed(packed: Any) -> Any:
    """Frames as they were, as the page adds them up."""
    if packed.itemsize == 1:
        rows = np.cumsum(packed, axis=-1, dtype=np.uint8) if packed.ndim > 1 else packed
        return np.cumsum(rows, axis=0, dtype=np.uint8)
    if packed.itemsize == 4:
        planes = packed.reshape(-1).view(np.uint8).reshape(4, -1)
        changed = np.ascontiguousarray(planes.T).reshape(-1).view("<u4")
        frames = changed.reshape(packed.shape)
        if packed.dtype.kind == "f":
            frames = np.cumsum(frames, axis=0, dtype="<u4")
        return frames.view(packed.dtype)
    return packed


@given(
    st.sampled_from(["u1", "f4", "i4", "f8"]).flatmap(
        lambda code: any_arrays(
            np.dtype(code), st.sampled_from([(6, 2, 3), (5,), (1, 4), (7, 0)])
        )
    )
)
def test_what_packs_well_adds_up_to_the_frames(frames: Any) -> None:
    packed = packable(frames)
    assert (packed.dtype, packed.shape) == (frames.dtype, frames.shape)
    assert summed(packed).tobytes() == frames.tobytes()


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z._]{0,8}", fullmatch=True),
        st.sampled_from(["f8", "f4", "i4", "u1"]).flatmap(
            lambda code: any_arrays(
                np.dtype(code), st.sampled_from([(), (0,), (3,), (2, 3)])
            )
        ),
    )
)
def test_packed_arrays_are_safetensors(arrays: dict[str, Any]) -> None:
    found = safetensors.numpy.load(packed(arrays, what="fixed"))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


# The file -----------------------------------------------------------------------------


def held(page: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document and the arrays of a page, as a browser reads them."""
    found = re.findall(r'<script type="\S+" id="(\w+)">(.*?)</script>', page, re.S)
    parts = dict(found)
    arrays = zlib.decompress(b64decode(parts["arrays"]))
    return json.loads(parts["document"]), safetensors.numpy.load(arrays)


def test_the_page_holds_the_recording(
    recorded: tuple[str, tw.Network, Recording], tmp_path: Path
) -> None:
    _, _, recording = recorded
    path = recording.save(tmp_path / "run.html")
    document, arrays = held(path.read_text(encoding="utf-8"))
    assert document == json.loads(json.dumps(recording.document))
    for name, array in recording.fixed.items():
        np.testing.assert_array_equal(arrays[name], array)
    for name, array in recording.frames.items():
        np.testing.assert_array_equal(summed(arrays[f"frame.{name}"]), array)


def test_names_of_strangers_stay_text() -> None:
    evil = "</script><script>alert(1)</script><!-- modules -->"
    X, y = rows("binary")
    recording = record(
        network_for("binary"), X, y, title=evil, features=[evil, "b", "c"], **HOW
    )
    assert held(recording.html())[0]["data"]["features"][0] == evil
    assert evil not in recording.html()
    shown = recording._repr_html_()
    assert shown.count("<") == 2  # the frame, whose page is its attribute


def test_200_epochs_take_a_megabyte_at_most() -> None:
    from sklearn.datasets import make_moons

    X, y = make_moons(160, noise=0.3, random_state=1)
    layers = [tw.Dense(8, "tanh"), tw.Dense(8, "tanh"), tw.Dense(1, "sigmoid")]
    how: dict[str, Any] = {**HOW, "epochs": 200, "batch_size": 10}
    recording = record(tw.Network(layers), X, y, early_stopping=None, **how)
    assert len(recording) == 201
    assert len(recording.html().encode()) <= 1_000_000


# As Python ----------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["binary", "classes", "numbers"])
def test_as_python_gives_the_same_weights(task: str) -> None:
    X, y = rows(task)
    how: dict[str, Any] = {**HOW, "seed": 3, "penalty": tw.L2(1e-3)}
    how["early_stopping"] = tw.EarlyStopping(patience=3)
    network = network_for(task)
    recording = record(network, X, y, **how)
    names: dict[str, Any] = {"X": X, "y": y}
    exec(recording.document["python"], names)
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(names["network"].parameters[name], array)


def test_rows_that_were_given_go_by_a_name() -> None:
    X, y = rows("binary")
    text = as_python([tw.Dense(1)], {"validation": (X, y), "seed": 1})
    assert "validation=(X_validation, y_validation), seed=1" in text
