"""Write the files of this version as a fixture, which every later version must load.

    python scripts/make_fixture.py [FOLDER]

makes tests/fixtures/VERSION, or FOLDER/VERSION: for networks of each kind, some with
formulas of a user's own, models of tables, images, text, series and sequences,
estimators and a run that was stopped, what stands in its file (in base64), the rows it
is given, and what it answers. It is made once, at a release, and never changed after
it.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from model_samples import (
    SPECIES,
    WRITTEN,
    branching,
    brightness,
    codes,
    convolving,
    embedding,
    forms_text,
    hours_text,
    images,
    keep_newest,
    looping,
    normalized,
    over_series,
    over_windows,
    own,
    perceptron,
    plain,
    recurrent,
    rows,
    rows_by_name,
    series,
    steps_text,
    table_text,
    transforming,
    verse,
    with_inputs,
    write_arrays,
    write_photos,
)

import thalweg as tw

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"
FEW = 8
WIDTH = 76

Data = dict[str, Any]
Fixtures = Iterator[tuple[str, Data]]


def lines_of(content: bytes) -> list[str]:
    """The bytes in base64, cut into lines."""
    text = base64.b64encode(content).decode("ascii")
    return [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]


def network_fixture(network: tw.Network, X: Any, y: Any, folder: Path) -> Data:
    """A network's file, some rows, and what it says of them."""
    network.save(folder / "network.thalweg")
    few = {k: v[:FEW] for k, v in X.items()} if isinstance(X, dict) else X[:FEW]
    return {
        "kind": "network",
        "file": lines_of((folder / "network.thalweg").read_bytes()),
        "dtype": network.input_dtype,
        "X": {k: v.tolist() for k, v in few.items()}
        if isinstance(few, dict)
        else few.tolist(),
        "y": y[:FEW].tolist(),
        "predictions": network.predict(few).tolist(),
        "metrics": network.evaluate(few, y[:FEW]),
    }


LEARNED = {"target_scale": "log"}
ODD = "oops,,purple,new,maybe,2020-99-99,25:00,Gentoo,1.5"
ODD_FORMS = "oops;9 g;;31.02.1950;25:00 pm;1;?;7"


def table_fixture(
    target: str, folder: Path, text: str, odd: str, **written: Any
) -> Data:
    """The file of a table's model, some lines and an odd one, and what it says."""
    lines = text.splitlines()
    table, few = folder / "table.csv", folder / "few.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = [*lines[: FEW + 1], odd]
    few.write_text("\n".join(given) + "\n", encoding="utf-8")
    model = tw.train(table, target, layers=(3,), epochs=2, **written).model
    model.save(folder / "table.thalweg")
    return {
        "kind": "table",
        "file": lines_of((folder / "table.thalweg").read_bytes()),
        "lines": given,
        "predictions": model.predict(few).to_dict(as_series=False),
        "metrics": model.evaluate(few),
    }


def images_fixture(source: Path, folder: Path, **settings: Any) -> Data:
    """The file of a model of images, some images with what they show, and its words."""
    how: dict[str, Any] = {"filters": (3,), "epochs": 2, **settings}
    model: Any = tw.train(source, **how).model
    model.save(folder / "images.thalweg")
    pixels, kinds = images()
    few, path = pixels[:FEW], folder / "few.npz"
    shown = (
        np.array(SPECIES)[kinds] if model.task.kind == "classes" else brightness(pixels)
    )
    np.savez(path, X=few, y=shown[:FEW])
    return {
        "kind": "images",
        "file": lines_of((folder / "images.thalweg").read_bytes()),
        "dtype": few.dtype.name,
        "X": few.tolist(),
        "y": shown[:FEW].tolist(),
        "predictions": model.predict(few).to_dict(as_series=False),
        "metrics": model.evaluate(path),
    }


def text_fixture(unit: str, folder: Path) -> Data:
    """The file of a model of text, a text, and its words."""
    path = folder / "verse.txt"
    path.write_text(verse(), encoding="utf-8")
    model = tw.train(path, unit=unit, layers=(3,), length=8, epochs=2).model
    model.save(folder / "text.thalweg")
    few = verse(FEW)
    path.write_text(few, encoding="utf-8")
    return {
        "kind": "text",
        "file": lines_of((folder / "text.thalweg").read_bytes()),
        "text": few,
        "predictions": model.predict(path).to_dict(as_series=False),
        "metrics": model.evaluate(path),
        "written": model.write("so", 20, temperature=0),
    }


def forecast_fixture(folder: Path) -> Data:
    """The file of a forecast, the rows of a series, and what it says of them."""
    table = folder / "hours.csv"
    table.write_text(hours_text(), encoding="utf-8")
    model = tw.train(
        table,
        "load",
        **{"time": "hour", "history": "12h", "ahead": "3h", "known_ahead": "open"},
        **{"units": 3, "epochs": 2},
    ).model
    model.save(folder / "forecast.thalweg")
    lines = hours_text().splitlines()
    known = [f"{line.rpartition(',')[0]}," for line in lines[-3:]]
    table.write_text("\n".join([*lines[:-3], *known]) + "\n", encoding="utf-8")
    predictions = model.predict(table)["prediction"].to_list()
    return {
        "kind": "forecast",
        "file": lines_of((folder / "forecast.thalweg").read_bytes()),
        "lines": [*lines[:-3], *known],
        "predictions": predictions,
        "metrics": model.evaluate(table),
    }


def sequences_fixture(folder: Path) -> Data:
    """The file of a model of sequences, its table, and what it says of each."""
    table = folder / "steps.csv"
    table.write_text(steps_text(), encoding="utf-8")
    how: dict[str, Any] = {"sequence": "id", "order": "t", "units": 3, "epochs": 2}
    model: Any = tw.train(table, "kind", **how).model
    model.save(folder / "sequences.thalweg")
    return {
        "kind": "sequences",
        "file": lines_of((folder / "sequences.thalweg").read_bytes()),
        "lines": steps_text().splitlines(),
        "predictions": model.predict(table).to_dict(as_series=False),
        "metrics": model.evaluate(table),
    }


MANY = 70  # columns and classes, which a file holds as arrays


def many_text(count: int = 280) -> str:
    """A table of many columns, and of many classes: lists that are arrays in a file."""
    draw = random.Random(7)
    lines = [",".join([*(f"c{n}" for n in range(MANY)), "kind"])]
    for row in range(count):
        cells = [f"{draw.gauss(n, 1):.2f}" for n in range(MANY)]
        lines.append(",".join([*cells, f"k{row % MANY}"]))
    return "\n".join(lines) + "\n"


def estimator_fixture(estimator: Any, y: Any, folder: Path) -> Data:
    """An estimator's file, some rows, and what it says of them."""
    X, _ = rows()
    estimator.fit(X, y).save(folder / "estimator.thalweg")
    answer = getattr(estimator, "predict_proba", estimator.predict)
    return {
        "kind": "estimator",
        "type": type(estimator).__name__,
        "file": lines_of((folder / "estimator.thalweg").read_bytes()),
        "X": X[:FEW].tolist(),
        "answers": np.asarray(answer(X[:FEW])).tolist(),
        "y": y.tolist(),
    }


def run_fixture(folder: Path) -> Data:
    """The folder of a run that was stopped, its rows, and what it had learned."""

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    X, y = rows()
    network, run = (
        tw.Network([tw.Dense(3, "tanh"), tw.Dense(3, "softmax")]),
        folder / "run",
    )
    network.fit(X, y, epochs=4, checkpoint=tw.Checkpoint(run), callback=stop)
    keep_newest(run)
    return {
        "kind": "run",
        "files": {path.name: lines_of(path.read_bytes()) for path in run.iterdir()},
        "X": X.tolist(),
        "y": y.tolist(),
        "predictions": network.predict(X[:FEW]).tolist(),
    }


def of_networks(folder: Path) -> Fixtures:
    """Those of networks, with the rows that each of them takes."""
    networks: dict[str, tuple[Callable[[], tw.Network], Callable[[], Any]]] = {
        "network": (plain, rows),
        "perceptron": (perceptron, rows),
        "own_formulas": (own, rows),
        "normalized": (normalized, rows),
        "branching": (branching, rows),
        "looping": (looping, rows),
        "named_inputs": (with_inputs, rows_by_name),
        "windows": (over_windows, rows),
        "embedding": (embedding, codes),
        "series": (over_series, series),
        "recurrent": (recurrent, series),
        "convolving": (convolving, images),
        "transforming": (transforming, codes),
    }
    for name, (make, given) in networks.items():
        yield name, network_fixture(make(), *given(), folder)


def of_tables(folder: Path) -> Fixtures:
    """Those of tables' models."""
    table = folder, table_text(), ODD
    yield "table_of_classes", table_fixture("species", *table)
    yield "table_of_numbers", table_fixture("price", *table, **WRITTEN)
    forms = folder, forms_text(), ODD_FORMS
    yield "table_of_forms", table_fixture("sold", *forms, **LEARNED)
    many = folder, many_text(), ",".join(["9"] * MANY) + ",k1"
    kept: dict[str, Any] = {"category": ("kind",), "ignore": ("c0",)}
    yield "table_of_many", table_fixture("kind", *many, **kept)


def of_images(folder: Path) -> Fixtures:
    """Those of models of images."""
    photos, arrays = write_photos(folder / "photos"), write_arrays(folder / "grey.npz")
    varied: dict[str, Any] = {"augment": ("shift=1", "flip=horizontal")}
    yield "images_of_classes", images_fixture(photos, folder, **varied)
    yield "images_of_numbers", images_fixture(arrays, folder)


def of_texts(folder: Path) -> Fixtures:
    """Those of models of text."""
    yield "text_of_characters", text_fixture("characters", folder)
    yield "text_of_bytes", text_fixture("bytes", folder)


def of_series(folder: Path) -> Fixtures:
    """Those of a forecast, and of sequences."""
    yield "forecast", forecast_fixture(folder)
    yield "sequences", sequences_fixture(folder)


def of_estimators(folder: Path) -> Fixtures:
    """Those of estimators."""
    X, y = rows()
    few: dict[str, Any] = {"layers": (3,), "epochs": 2}
    classifier = tw.NetworkClassifier(calibrate=True, **few)
    names = np.array(["one", "two", "three"])[y]
    yield "estimator_of_classes", estimator_fixture(classifier, names, folder)
    regressor = tw.NetworkRegressor(quantiles=(0.1, 0.5, 0.9), **few)
    yield "estimator_of_numbers", estimator_fixture(regressor, X[:, 0], folder)


def of_runs(folder: Path) -> Fixtures:
    """That of a run."""
    yield "run", run_fixture(folder)


def write(path: Path, data: Data) -> None:
    """Write one fixture, shorter numbers on a line of their own being kept."""
    text = json.dumps({"writer": version("thalweg"), **data}, indent=0)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write all of them, unless there are any for this version."""
    whole = Path(sys.argv[1]) if sys.argv[1:] else FIXTURES
    folder = whole / version("thalweg")
    if folder.exists():
        sys.exit(f"{folder} is there; what a release wrote isn't changed")
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        for kind in (
            *(of_networks, of_tables, of_images, of_texts, of_series),
            *(of_estimators, of_runs),
        ):
            for name, data in kind(Path(place)):
                write(folder / f"{name}.json", data)


if __name__ == "__main__":
    main()
