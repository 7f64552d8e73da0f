"""Equal trainings give equal files, but for how long each epoch took."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.checkpoints.store import Store
from thalweg.errors import ModelFileError

generator = np.random.default_rng(0)
X = generator.normal(size=(60, 4))
CLASSES = generator.integers(0, 3, 60)
TABLE = {**{f"c{n}": np.exp(X[:, n]) for n in range(4)}, "kind": list("abc") * 20}


def network() -> bytes:
    made = tw.Network([tw.Dense(5, "relu"), tw.BatchNorm(), tw.Dense(3, "softmax")])
    made.fit(X, CLASSES, epochs=3)
    made.save("a.thalweg")
    return Path("a.thalweg").read_bytes()


def table() -> bytes:
    tw.train(frame(), "kind", epochs=3).model.save("a.thalweg")
    return Path("a.thalweg").read_bytes()


def frame() -> Any:
    import polars as pl

    return pl.DataFrame(TABLE)


def estimator() -> bytes:
    fitted = tw.NetworkClassifier(epochs=3).fit(frame().drop("kind"), CLASSES)
    content: bytes = fitted.__getstate__()["network_"]
    return content


def place_of_times(content: bytes) -> slice:
    """Where the times are in a file."""
    start = 8 + int.from_bytes(content[:8], "little")
    first, last = json.loads(content[8:start])["times"]["data_offsets"]
    return slice(start + first, start + last)


@pytest.mark.parametrize("training", [network, table, estimator])
def test_equal_trainings_give_equal_bytes_but_for_the_times(
    training: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = [bytearray(training()) for _ in range(2)]
    places = [place_of_times(bytes(each)) for each in found]
    times = [np.frombuffer(e[p], "<f8") for e, p in zip(found, places, strict=True)]
    assert (times[0][:3] > 0).all()
    assert (times[0] != times[1]).any()
    for each, place in zip(found, places, strict=True):
        each[place] = bytes(place.stop - place.start)
    assert found[0] == found[1]


def test_equal_trainings_give_equal_checkpoints_but_for_the_run(tmp_path: Path) -> None:
    """The document of each says which run wrote it."""
    found: list[Any] = []
    for name in ("a", "b"):
        made = tw.Network([tw.Dense(3, "softmax")])
        made.fit(X, CLASSES, epochs=3, checkpoint=tw.Checkpoint(tmp_path / name))
        tensors, document, path = Store(tmp_path / name).newest()
        del tensors["times"], document["written"]
        arrays = {name: array.tobytes() for name, array in tensors.items()}
        found.append((arrays, document, path.name))
    assert found[0] == found[1]


def test_the_digest_is_of_all_but_the_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = bytearray(network())
    place = place_of_times(bytes(content))
    content[place] = np.arange(3.0).tobytes()
    Path("b.thalweg").write_bytes(content)
    loaded = tw.load("b.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.history.seconds == [0.0, 1.0, 2.0]
    content[place.start - 1] ^= 1
    Path("b.thalweg").write_bytes(content)
    with pytest.raises(ModelFileError, match="payload was altered"):
        tw.load("b.thalweg")
