"""A network that couldn't be saved isn't trained first."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.estimators import NetworkRegressor
from thalweg.files import bounds as networkbounds
from thalweg.files import header as modelheader
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.initializers import ones
from thalweg.formulas.layers import Columns, Dense, Layer, Parameter

X = np.random.default_rng(0).integers(0, 3, (12, 4)).astype("float32")
y = X[:, :1]


class Named(Layer):
    """A scale whose parameter has a name that no file can have."""

    def parameters(self, input_shape: Any) -> dict[str, Parameter]:
        return {"größe": Parameter((1,), ones)}

    def forward(self, x: Any, p: Any) -> Any:
        return x * p.größe


PARTS = tuple((at, at + 1, Embedding(3, 1)) for at in range(4))
BEYOND: dict[str, tuple[Any, str, int, list[Layer], str]] = {
    "layers": (networkbounds, "LAYER_LIMIT", 2, [Dense(2)] * 2, "layers"),
    "parts": (networkbounds, "LAYER_LIMIT", 1, [Columns(PARTS)], "layers"),
    "row": (networkbounds, "MOST_COMPUTED_A_ROW", 20, [Dense(30)], "for a row"),
    "tensors": (modelheader, "TENSOR_LIMIT", 3, [Dense(2)], "3 tensors"),
    "payload": (modelheader, "PAYLOAD_LIMIT", 200, [Dense(60)], "200 bytes"),
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_save_would_refuse_fit_refuses_before_the_first_step(
    case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    room, name, limit, layers, said = BEYOND[case]
    network = tw.Network([*layers, Dense(1)]).initialize(4)
    monkeypatch.setattr(room, name, limit)
    with pytest.raises(tw.ThalwegError, match=said):
        network.save(tmp_path / "a.thalweg")
    seen: list[object] = []
    with pytest.raises(tw.ArgumentError, match=f"couldn't be saved: .*{said}"):
        network.fit(X, y, epochs=1, callback=seen.append)
    with pytest.raises(tw.ArgumentError, match="couldn't be saved"):
        tw.sweep([*layers, Dense(1)], X, y, over={"seed": [0]}, epochs=1)
    assert not seen


def test_a_parameters_name_that_no_file_can_have() -> None:
    with pytest.raises(tw.ArgumentError, match=r"saved: tensor .*name"):
        tw.Network([Named(), Dense(1)]).fit(X, y, epochs=1)


def test_an_estimator_refuses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networkbounds, "MOST_COMPUTED_A_ROW", 20)
    with pytest.raises(tw.ArgumentError, match="couldn't be saved"):
        NetworkRegressor(layers=(30,), epochs=1).fit(X, y[:, 0])


def test_arrays_of_any_size_are_looked_at_without_memory() -> None:
    from thalweg.files.savable import require_savable

    huge = SimpleNamespace(shape=(2**20, 2**12))
    shapes: Any = SimpleNamespace(
        parameters={"1.weights": huge}, state={}, outputs=[(4,), (1,)]
    )
    with pytest.raises(tw.ArgumentError, match="4,294,967,296 bytes"):
        require_savable([Dense(1)], shapes, "float32")
