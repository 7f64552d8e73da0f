"""Files of every release load for ever, and mean what they meant.

Each fixture holds what a release wrote, what it was given, and what it answered then;
scripts/make_fixture.py writes those of a release.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.files.modelfile import model_bytes, model_of, read_model
from thalweg.tables.read import read
from thalweg.tabular.model import TableModel
from thalweg.tabular.targets import rows_with_target

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").glob("*/*.json"))
ROUNDING: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6}  # float32's
ON: dict[str, Any] = {"epochs": 2, "warm_start": True, "validation": None}


def of_kind(kind: str) -> Any:
    """A test's parameters: the fixtures of a kind, by release and name."""
    found = [path for path in FIXTURES if contents(path)["kind"] == kind]
    names = [f"{path.parent.name}-{path.stem}" for path in found]
    return pytest.mark.parametrize("path", found, ids=names)


def contents(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def decoded(lines: list[str]) -> bytes:
    return base64.b64decode("".join(lines), validate=True)


def loaded(data: dict[str, Any], folder: Path) -> Any:
    (folder / "old.thalweg").write_bytes(decoded(data["file"]))
    return tw.load(folder / "old.thalweg")


def arrays(X: Any) -> Any:
    """One array, or several by name."""
    if isinstance(X, dict):
        return {name: np.array(rows) for name, rows in X.items()}
    return np.array(X)


def assert_explains_and_trains_on(network: tw.Network, X: Any, y: Any) -> None:
    assert "Layer 1" in network.explain()
    rule, penalty = network.optimizer or "adam", network.penalty
    history = network.fit(
        X, y, loss=network.loss, optimizer=rule, penalty=penalty,
        dtype=network.dtype, **ON,
    )  # fmt: skip
    assert len(history.epochs) == 2
    assert np.isfinite(history.training_loss).all()


KINDS = {"network", "normalized", "own_formulas", "run"}
OTHERS = {
    "0.1.0": {"table_of_classes", "table_of_numbers"},
    "0.2.0": {"table_of_classes", "table_of_numbers", "table_of_forms"},
    "0.3.0": {
        *("table_of_classes", "table_of_numbers", "table_of_forms", "table_of_many"),
        *("estimator_of_classes", "estimator_of_numbers"),
    },
    "0.4.0": {
        *("table_of_classes", "table_of_numbers", "table_of_forms", "table_of_many"),
        *("estimator_of_classes", "estimator_of_numbers"),
        *("branching", "looping", "named_inputs"),
    },
}


@pytest.mark.parametrize("release", OTHERS)
def test_every_release_is_there(release: str) -> None:
    names = {path.stem for path in FIXTURES if path.parent.name == release}
    assert names == KINDS | OTHERS[release]


def test_this_release_is_one_of_them() -> None:
    assert tw.__version__ == [*OTHERS][-1]


@of_kind("network")
def test_a_network(path: Path, tmp_path: Path) -> None:
    data = contents(path)
    network = loaded(data, tmp_path)
    X, y = arrays(data["X"]), np.array(data["y"])
    assert_allclose(network.predict(X), data["predictions"], **ROUNDING)
    metrics = network.evaluate(X, y)
    assert metrics == pytest.approx(data["metrics"], rel=1e-5)
    assert_explains_and_trains_on(network, X, y)


@of_kind("table")
def test_a_table_s_model(path: Path, tmp_path: Path) -> None:
    data = contents(path)
    model = loaded(data, tmp_path)
    assert isinstance(model, TableModel)
    table = tmp_path / "rows.csv"
    table.write_text("\n".join(data["lines"]) + "\n", encoding="utf-8")
    found = model.predict(table).to_dict(as_series=False)
    assert found.keys() == data["predictions"].keys()
    for name, cells in data["predictions"].items():
        if isinstance(cells[0], str):
            assert found[name] == cells
        else:
            assert_allclose(found[name], cells, **ROUNDING)
    assert model.evaluate(table) == pytest.approx(data["metrics"], rel=1e-5)
    cells = read(table)
    rows = rows_with_target(cells, model.target)
    y = model.targets.learned(model.targets.truth(cells, rows))
    assert_explains_and_trains_on(model.network, model.encoder.transform(cells).X, y)


@of_kind("estimator")
def test_an_estimator(path: Path, tmp_path: Path) -> None:
    data = contents(path)
    (tmp_path / "old.thalweg").write_bytes(decoded(data["file"]))
    estimator = getattr(tw, data["type"]).load(tmp_path / "old.thalweg")
    X, y = np.array(data["X"]), np.array(data["y"])
    answer = getattr(estimator, "predict_proba", estimator.predict)
    assert_allclose(answer(X), data["answers"], **ROUNDING)
    again = np.tile(X, (len(y) // len(X), 1))
    assert np.isfinite(estimator.fit(again, y).score(again, y))


@of_kind("run")
def test_a_run_goes_on(path: Path, tmp_path: Path) -> None:
    data = contents(path)
    for name, lines in data["files"].items():
        (tmp_path / name).write_bytes(decoded(lines))
    X, y = np.array(data["X"]), np.array(data["y"])
    (checkpoint,) = tmp_path.glob("*.thalweg")
    stopped = tw.load(checkpoint)
    assert isinstance(stopped, tw.Network)
    few = len(data["predictions"])
    assert_allclose(stopped.predict(X[:few]), data["predictions"], **ROUNDING)
    resumed = tw.resume(tmp_path, X, y)
    assert isinstance(resumed, tw.Network)
    assert resumed.history.stopped_because == "all 4 epochs were done"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_its_files_write_back_byte_for_byte(path: Path) -> None:
    data = contents(path)
    for name, lines in data.get("files", {"old.thalweg": data.get("file")}).items():
        if name.endswith(".thalweg"):
            content = decoded(lines)
            assert model_bytes(*model_of(content)) == content


EARLIEST = {"0.1.0", "0.2.0"}  # their files say less of a history and of a table
SAVED = [
    path
    for path in FIXTURES
    if path.parent.name not in EARLIEST and "file" in contents(path)
]


@pytest.mark.parametrize("path", SAVED, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_what_it_saved_is_saved_so_that_it_can_read_it(
    path: Path, tmp_path: Path
) -> None:
    data, place = contents(path), tmp_path / "old.thalweg"
    place.write_bytes(decoded(data["file"]))
    kind = getattr(tw, data["type"]) if "type" in data else tw
    kind.load(place).save(place)
    tensors, document = read_model(place)
    before, said = model_of(decoded(data["file"]))
    assert document == {**said, "writer": tw.__version__}
    assert tensors.keys() == before.keys()
    for name, array in tensors.items():
        assert array.tobytes() == before[name].tobytes()
