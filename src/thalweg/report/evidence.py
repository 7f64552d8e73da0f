"""What a report goes by: a model, and the rows it was trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data import bootstrap
from thalweg.data.bootstrap import RowErrors
from thalweg.data.learn import Trained, fingerprint, prepared_by
from thalweg.data.model import TableModel
from thalweg.data.prepare import Prepared
from thalweg.data.read import read
from thalweg.data.scores import both_columns
from thalweg.data.settings import Settings, settings_from
from thalweg.data.table import Table
from thalweg.data.targets import ClassTargets
from thalweg.errors import DataError, ThalwegError
from thalweg.formulas.names import require
from thalweg.report.words import cut
from thalweg.training.execution import Execution
from thalweg.training.history import History

NO_NAME = "the model doesn't say what its table was called"
SPLITS_DIFFER = (
    "this version of thalweg understands or splits the table in another way than the "
    "one that trained the model, so the test rows aren't known"
)


@dataclass(frozen=True)
class Rows:
    """The table, as it was split for training, and what the network says.

    Arguments:
        table: all rows as they were read.
        prepared: the parts, encoded.
        outputs: what the network gives for the test rows: probabilities, shape (rows,
            classes), or standardized numbers, shape (rows, 1).
    """

    table: Table
    prepared: Prepared
    outputs: NDArray[Any]

    @property
    def classes(self) -> int:
        """The number of classes; 0 where a number is predicted."""
        targets = self.prepared.targets
        return len(targets.labels) if isinstance(targets, ClassTargets) else 0

    @property
    def weights(self) -> NDArray[Any] | None:
        """The weights of the test rows, if the table has any."""
        return self.prepared.test.weights


@dataclass(frozen=True)
class Evidence:
    """What is known about a model.

    Arguments:
        model: as it was saved.
        rows: what the table adds, if it is there.
        missing: why it isn't.
        execution: what runs the network.
    """

    model: TableModel
    rows: Rows | None
    missing: str
    execution: Execution

    @property
    def history(self) -> History:
        """The run."""
        return self.model.network.history

    @property
    def results(self) -> Mapping[str, Any]:
        """What was recorded after training."""
        return self.model.results

    def recorded(self, name: str) -> dict[str, Any]:
        """A part of the results that has names of its own; empty if there is none."""
        found = self.results.get(name)
        return dict(found) if isinstance(found, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]

    @property
    def notes(self) -> list[str]:
        """What was said of the scores after training, each with a capital."""
        found = self.results.get("notes")
        texts = found if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType]
        return [
            cut(each[:1].upper() + each[1:], 500)
            for each in texts  # pyright: ignore[reportUnknownVariableType]
            if isinstance(each, str)
        ]

    @property
    def data_name(self) -> str:
        """What the table was called, or nothing."""
        name = self.recorded("data").get("name")
        return name if isinstance(name, str) else ""

    @property
    def settings(self) -> Settings | None:
        """How the network was trained, if that was recorded."""
        return settings_of(self.model)


def evidence_of(
    model: TableModel | Trained, source: Any, execution: Execution
) -> Evidence:
    """A model with its rows, where they can be had.

    Raises:
        ArgumentError: there is no table's model.
        DataError: the table given isn't the one that the model was trained on.
        FileError: the table given can't be read.
    """
    fits = isinstance(model, Trained | TableModel)  # pyright: ignore[reportUnnecessaryIsInstance]
    require(fits, "model", "what train gave, or a table's model", type(model).__name__)
    if isinstance(model, Trained):
        if model.table is not None:
            rows = with_outputs(model.model, model.table, model.prepared, execution)
            return Evidence(model.model, rows, "", execution)
        model = model.model
    if source is not None:
        found, missing = rows_of(model, source, execution)
        if found is None:
            raise DataError(missing)
        return Evidence(model, found, "", execution)
    return looked_for(model, execution)


def looked_for(model: TableModel, execution: Execution) -> Evidence:
    """The table is looked for in the current folder, under its recorded name."""
    evidence = Evidence(model, None, NO_NAME, execution)
    # A model's file may come from anybody: no other folder is looked into.
    name = Path(evidence.data_name).name
    if not name:
        return evidence
    # A whole path, as a file may have the name that stands for standard input.
    path = Path(name).absolute()
    if not path.is_file():
        return replace(evidence, missing=f"there is no {name} in the current folder")
    try:
        rows, missing = rows_of(model, path, execution)
    except ThalwegError as error:
        rows, missing = None, str(error)
    return replace(evidence, rows=rows, missing=missing)


def rows_of(
    model: TableModel, source: Any, execution: Execution
) -> tuple[Rows | None, str]:
    """The rows of a table, split as for training; or why they can't be had."""
    settings = settings_of(model)
    if settings is None:
        return None, "the model doesn't say how its table was split"
    table = read(source, settings.dialect)
    if why := difference(model, fingerprint(table)):
        return None, f"{table.name}: {why}"
    prepared = prepared_by(table, model.target, settings)
    if (prepared.encoder, prepared.targets) != (model.encoder, model.targets):
        return None, SPLITS_DIFFER
    return with_outputs(model, table, prepared, execution), ""


def difference(model: TableModel, found: Mapping[str, Any]) -> str:
    """In what a table isn't the one that the model was trained on; nothing if it is."""
    recorded = model.results.get("data")
    if not isinstance(recorded, Mapping):
        return "the model doesn't say what table it was trained on"
    must = "must be the table that the model was trained on"
    for what in ("rows", "columns"):
        if what in recorded and recorded[what] != found[what]:
            return f"{must}, but the {what} differ"
    if recorded.get("sha256") != found["sha256"]:  # pyright: ignore[reportUnknownMemberType]
        return f"{must}, but its content was changed since (its SHA-256 differs)"
    return ""


def settings_of(model: TableModel) -> Settings | None:
    """The recorded settings, if there are any that can be used."""
    recorded = model.results.get("settings")
    if not isinstance(recorded, Mapping):
        return None
    try:
        return settings_from(recorded)  # pyright: ignore[reportUnknownArgumentType]
    except (TypeError, ValueError):
        return None


def with_outputs(
    model: TableModel, table: Table, prepared: Prepared, execution: Execution
) -> Rows:
    """The rows with what the network says of those it is tested on."""
    return Rows(table, prepared, predicted(model, prepared.test.X, execution))


def errors_of(rows: Rows, outputs: NDArray[Any]) -> RowErrors:
    """What outputs for the test rows got wrong."""
    test, prepared = rows.prepared.test, rows.prepared
    known = test.y, test.weights, prepared.deciding.positive
    return bootstrap.errors_of(prepared.targets, outputs, *known)


def predicted(
    model: TableModel, X: NDArray[np.float32], execution: Execution
) -> NDArray[Any]:
    """Probabilities of all classes, or one number, for each encoded row."""
    engine, threads = execution.engine, execution.threads
    outputs = model.network.predict(X, engine=engine, threads=threads)
    return both_columns(outputs) if isinstance(model.targets, ClassTargets) else outputs
