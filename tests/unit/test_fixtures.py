"""Files of every release load for ever, and mean what they meant.

Each fixture holds what a release wrote, what it was given, and what it answered then;
scripts/make_fixture.py writes those of a release.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.files.bounds import words_in
from thalweg.files.document import KNOWN_FEATURES
from thalweg.files.modelfile import model_bytes, model_of, read_model
from thalweg.files.registry import KNOWN
from thalweg.forecasting.model import ForecastModel
from thalweg.kinds.targets import rows_with_target
from thalweg.language.model import LanguageModel
from thalweg.sequences.model import SequenceModel
from thalweg.tables.read import read
from thalweg.tabular.model import TableModel
from thalweg.vision.model import ImageModel
from thalweg.vision.source import new_images
from thalweg.vision.truth import truth_of

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").glob("*/*.json"))
ROUNDING: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6}  # float32's
ON: dict[str, Any] = {"epochs": 2, "warm_start": True, "validation": None}


def each_of(paths: list[Path]) -> Any:
    """A test's parameters: fixtures, by release and name."""
    names = [f"{path.parent.name}-{path.stem}" for path in paths]
    return pytest.mark.parametrize("path", paths, ids=names)


def contents(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def decoded(lines: list[str]) -> bytes:
    return base64.b64decode("".join(lines), validate=True)


def model_files(data: dict[str, Any]) -> Iterator[bytes]:
    """What a fixture holds in the format of model files."""
    for name, lines in data.get("files", {"model.thalweg": data.get("file")}).items():
        if name.endswith(".thalweg"):
            yield decoded(lines)


def loaded(data: dict[str, Any], folder: Path) -> Any:
    (folder / "old.thalweg").write_bytes(decoded(data["file"]))
    return tw.load(folder / "old.thalweg")


def arrays(data: dict[str, Any]) -> Any:
    """The rows of a fixture: one array, or several by name."""
    X, dtype = data["X"], data.get("dtype")
    if isinstance(X, dict):
        return {name: np.array(rows, dtype) for name, rows in X.items()}
    return np.array(X, dtype)


def assert_explains_and_trains_on(network: tw.Network, X: Any, y: Any) -> None:
    assert "Layer 1" in network.explain()
    rule, penalty = network.optimizer or "adam", network.penalty
    history = network.fit(
        X, y, loss=network.loss, optimizer=rule, penalty=penalty,
        dtype=network.dtype, **ON,
    )  # fmt: skip
    assert len(history.epochs) == 2
    assert np.isfinite(history.training_loss).all()


def assert_answers(frame: Any, wanted: dict[str, list[Any]]) -> None:
    found = frame.to_dict(as_series=False)
    assert found.keys() == wanted.keys()
    for name, cells in wanted.items():
        if isinstance(cells[0], str):
            assert found[name] == cells
        else:
            assert_allclose(found[name], cells, **ROUNDING)


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
    "0.5.0": {
        *("table_of_classes", "table_of_numbers", "table_of_forms", "table_of_many"),
        *("estimator_of_classes", "estimator_of_numbers"),
        *("branching", "looping", "named_inputs", "perceptron", "embedding"),
        *("convolving", "series", "windows", "images_of_classes", "images_of_numbers"),
    },
    "0.6.0": {
        *("table_of_classes", "table_of_numbers", "table_of_forms", "table_of_many"),
        *("estimator_of_classes", "estimator_of_numbers"),
        *("branching", "looping", "named_inputs", "perceptron", "embedding"),
        *("convolving", "series", "windows", "images_of_classes", "images_of_numbers"),
        *("recurrent", "transforming", "text_of_characters", "text_of_bytes"),
        *("forecast", "sequences"),
    },
}


@pytest.mark.parametrize("release", OTHERS)
def test_every_release_is_there(release: str) -> None:
    names = {path.stem for path in FIXTURES if path.parent.name == release}
    assert names == KINDS | OTHERS[release]


def test_this_release_is_one_of_them() -> None:
    assert tw.__version__ == [*OTHERS][-1]


def network_answers(data: dict[str, Any], tmp_path: Path) -> None:
    network = loaded(data, tmp_path)
    X, y = arrays(data), np.array(data["y"])
    assert_allclose(network.predict(X), data["predictions"], **ROUNDING)
    metrics = network.evaluate(X, y)
    assert metrics == pytest.approx(data["metrics"], rel=1e-5)
    assert_explains_and_trains_on(network, X, y)


def table_model_answers(data: dict[str, Any], tmp_path: Path) -> None:
    model = loaded(data, tmp_path)
    assert isinstance(model, TableModel)
    table = tmp_path / "rows.csv"
    table.write_text("\n".join(data["lines"]) + "\n", encoding="utf-8")
    assert_answers(model.predict(table), data["predictions"])
    assert model.evaluate(table) == pytest.approx(data["metrics"], rel=1e-5)
    cells = read(table)
    rows = rows_with_target(cells, model.target)
    y = model.targets.learned(model.targets.truth(cells, rows))
    assert_explains_and_trains_on(model.network, model.encoder.transform(cells).X, y)


def image_model_answers(data: dict[str, Any], tmp_path: Path) -> None:
    model = loaded(data, tmp_path)
    assert isinstance(model, ImageModel)
    pixels, new = arrays(data), tmp_path / "new.npz"
    assert_answers(model.predict(pixels), data["predictions"])
    np.savez(new, X=pixels, y=np.array(data["y"]))
    assert model.evaluate(new) == pytest.approx(data["metrics"], rel=1e-5)
    read = new_images(new, model.form)
    y = model.targets.learned(truth_of(read, "new.npz", model.targets))
    assert_explains_and_trains_on(model.network, pixels, y)


def forecast_answers(data: dict[str, Any], tmp_path: Path) -> None:
    model = loaded(data, tmp_path)
    assert isinstance(model, ForecastModel)
    table = tmp_path / "hours.csv"
    table.write_text("\n".join(data["lines"]) + "\n", encoding="utf-8")
    found = model.predict(table)["prediction"].to_list()
    assert_allclose(found, data["predictions"], **ROUNDING)
    assert model.evaluate(table) == pytest.approx(data["metrics"], rel=1e-5)


def sequence_answers(data: dict[str, Any], tmp_path: Path) -> None:
    model = loaded(data, tmp_path)
    assert isinstance(model, SequenceModel)
    table = tmp_path / "steps.csv"
    table.write_text("\n".join(data["lines"]) + "\n", encoding="utf-8")
    assert_answers(model.predict(table), data["predictions"])
    assert model.evaluate(table) == pytest.approx(data["metrics"], rel=1e-5)


def estimator_answers(data: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "old.thalweg").write_bytes(decoded(data["file"]))
    estimator = getattr(tw, data["type"]).load(tmp_path / "old.thalweg")
    X, y = np.array(data["X"]), np.array(data["y"])
    answer = getattr(estimator, "predict_proba", estimator.predict)
    assert_allclose(answer(X), data["answers"], **ROUNDING)
    again = np.tile(X, (len(y) // len(X), 1))
    assert np.isfinite(estimator.fit(again, y).score(again, y))


def run_goes_on(data: dict[str, Any], tmp_path: Path) -> None:
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


def text_model_answers(data: dict[str, Any], folder: Path) -> None:
    model = loaded(data, folder)
    assert isinstance(model, LanguageModel)
    (folder / "few.txt").write_text(data["text"], encoding="utf-8")
    assert_answers(model.predict(folder / "few.txt"), data["predictions"])
    found = model.evaluate(folder / "few.txt")
    assert found == pytest.approx(data["metrics"], rel=1e-5)
    assert model.write("so", 20, temperature=0) == data["written"]


ANSWERS: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "network": network_answers,
    "table": table_model_answers,
    "images": image_model_answers,
    "text": text_model_answers,
    "forecast": forecast_answers,
    "sequences": sequence_answers,
    "estimator": estimator_answers,
    "run": run_goes_on,
}


@each_of(FIXTURES)
def test_it_means_what_it_meant(path: Path, tmp_path: Path) -> None:
    data = contents(path)
    ANSWERS[data["kind"]](data, tmp_path)


@each_of(FIXTURES)
def test_its_files_write_back_byte_for_byte(path: Path) -> None:
    for content in model_files(contents(path)):
        assert model_bytes(*model_of(content)) == content


EARLIEST = {"0.1.0", "0.2.0"}  # their files say less of a history and of a table
SAVED = [
    path
    for path in FIXTURES
    if path.parent.name not in EARLIEST and "file" in contents(path)
]


@each_of(SAVED)
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


# This version's ----------------------------------------------------------------------

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_fixture.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("fixtures")
    subprocess.run([sys.executable, SCRIPT, folder], check=True)
    return sorted(folder.glob("*/*.json"))


def test_those_of_this_version_mean_what_they_meant(
    made: list[Path], tmp_path: Path
) -> None:
    assert {path.stem for path in made} >= KINDS | OTHERS[tw.__version__]
    for path in made:
        folder, data = tmp_path / path.stem, contents(path)
        folder.mkdir()
        ANSWERS[data["kind"]](data, folder)


def test_those_of_this_version_have_all_that_a_file_may_say(made: list[Path]) -> None:
    files = [content for path in made for content in model_files(contents(path))]
    documents = [model_of(content)[1] for content in files]
    features = {each for said in documents for each in said["required_features"]}
    assert features == KNOWN_FEATURES
    layers = {name for name, kind in KNOWN.items() if issubclass(kind, tw.Layer)}  # pyright: ignore[reportArgumentType]
    assert layers <= words_in([said["network"] for said in documents])
