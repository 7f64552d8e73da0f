"""Write the files of this version as a fixture, which every later version must load.

    python scripts/make_fixture.py

makes tests/fixtures/VERSION: for a network, one with formulas of a user's own, tables'
models, estimators and a run that was stopped, what stands in its file (in base64), the
rows it is given, and what it answers. It is made once, at a release, and never changed
after it.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from model_samples import (
    WRITTEN,
    branching,
    forms_text,
    keep_newest,
    looping,
    normalized,
    own,
    plain,
    rows,
    table_text,
    with_inputs,
)

import thalweg as tw

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"
FEW = 8
WIDTH = 76

Data = dict[str, Any]


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


def write(name: str, data: Data) -> None:
    """Write one fixture, shorter numbers on a line of their own being kept."""
    folder = FIXTURES / version("thalweg")
    text = json.dumps({"writer": version("thalweg"), **data}, indent=0)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write all of them, unless there are any for this version."""
    folder = FIXTURES / version("thalweg")
    if folder.exists():
        sys.exit(f"{folder} is there; what a release wrote isn't changed")
    folder.mkdir(parents=True)
    networks = {
        "network": plain,
        "own_formulas": own,
        "normalized": normalized,
        "branching": branching,
        "looping": looping,
    }
    with tempfile.TemporaryDirectory() as place:
        X, y = rows()
        for name, make in networks.items():
            write(name, network_fixture(make(), X, y, Path(place)))
        by_name = {"place": X[:, :3], "code": X[:, 3:]}
        write("named_inputs", network_fixture(with_inputs(), by_name, y, Path(place)))
        table = Path(place), table_text(), ODD
        write("table_of_classes", table_fixture("species", *table))
        write("table_of_numbers", table_fixture("price", *table, **WRITTEN))
        forms = table_fixture("sold", Path(place), forms_text(), ODD_FORMS, **LEARNED)
        write("table_of_forms", forms)
        kept: dict[str, Any] = {"category": ("kind",), "ignore": ("c0",)}
        odd = ",".join(["9"] * MANY) + ",k1"
        many = table_fixture("kind", Path(place), many_text(), odd, **kept)
        write("table_of_many", many)
        few: dict[str, Any] = {"layers": (3,), "epochs": 2}
        classifier = tw.NetworkClassifier(calibrate=True, **few)
        names = np.array(["one", "two", "three"])[y]
        write("estimator_of_classes", estimator_fixture(classifier, names, Path(place)))
        regressor = tw.NetworkRegressor(quantiles=(0.1, 0.5, 0.9), **few)
        write(
            "estimator_of_numbers", estimator_fixture(regressor, X[:, 0], Path(place))
        )
        write("run", run_fixture(Path(place)))


if __name__ == "__main__":
    main()
