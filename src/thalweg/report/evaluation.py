"""What a report goes by: a model, and the rows it was trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from thalweg.checks import require
from thalweg.errors import ArgumentError, DataError, ThalwegError
from thalweg.model.history import History
from thalweg.report.words import cut
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.going_on import fingerprint
from thalweg.tabular.learn import Trained, prepared_by
from thalweg.tabular.model import TableModel
from thalweg.tabular.own import NO_SOURCES, PARTS, Own, Sources
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.row_errors import Outputs, RowErrors, errors_of
from thalweg.tabular.settings import Settings, settings_from
from thalweg.tabular.targets import ClassTargets
from thalweg.training.execution import Execution

NO_NAME = "the model doesn't say what its table was called"
SPLITS_DIFFER = (
    "this version of thalweg understands or splits the table in another way than the "
    "one that trained the model, so the test rows aren't known"
)


@dataclass(frozen=True)
class Rows:
    """The table, as it was split for training, and what the network gets wrong.

    Arguments:
        table: all rows as they were read.
        prepared: the parts, encoded.
        errors: what it gets wrong of the test rows.
    """

    table: Table
    prepared: Prepared
    errors: RowErrors

    @property
    def test_table(self) -> Table:
        """The table that the test rows are of."""
        return self.prepared.own.test or self.table

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
    model: TableModel | Trained,
    source: Any,
    execution: Execution,
    own: Sources = NO_SOURCES,
) -> Evidence:
    """A model with its rows, where they can be had.

    Arguments:
        model: what `train` gave, or a table's model.
        source: the table that it was trained on; None looks for it.
        execution: what runs the network.
        own: the tables that it was validated and tested on, where they were given.

    Raises:
        ArgumentError: there is no table's model, or it had no such table.
        DataError: a table given isn't the one that the model had.
        FileError: a table given can't be read.
    """
    fits = isinstance(model, Trained | TableModel)  # pyright: ignore[reportUnnecessaryIsInstance]
    require(fits, "model", "what train gave, or a table's model", type(model).__name__)
    if isinstance(model, Trained):
        if model.table is not None:
            rows = with_errors(model.model, model.table, model.prepared, execution)
            return Evidence(model.model, rows, "", execution)
        model = model.model
    require_had(model, own)
    try:
        sources = every_source(model, source, own)
        rows, missing = rows_of(model, sources, execution)
    except ThalwegError as error:
        if source is not None:
            raise
        rows, missing = None, str(error)
    if rows is None and source is not None:
        raise DataError(missing)
    return Evidence(model, rows, missing, execution)


def require_had(model: TableModel, own: Sources) -> None:
    """The model had the tables of a user's own that are given.

    Raises:
        ArgumentError: it had none.
    """
    for part in own:
        if part not in recorded_data(model):
            raise ArgumentError(
                f"{part}_data must be left out: the model had no table of your own for "
                "that, but rows of the one that it was trained on"
            )


def every_source(model: TableModel, source: Any, own: Sources) -> dict[str, Any]:
    """The tables by their part, "" for the one trained on; given, or looked for.

    Raises:
        DataError: one that isn't given isn't there.
    """
    recorded = recorded_data(model)
    known = {"": recorded} | {
        part: recorded[part] for part in PARTS if part in recorded
    }
    given = own if source is None else {"": source, **own}
    return {
        part: given[part] if part in given else found_here(data)
        for part, data in known.items()
    }


def found_here(recorded: Any) -> Path:
    """The table in the current folder that has the recorded name.

    Raises:
        DataError: there is none.
    """
    known = cast("Mapping[str, Any]", recorded if isinstance(recorded, Mapping) else {})
    said = known.get("name")
    # A model's file may come from anybody: no other folder is looked into.
    name = Path(said).name if isinstance(said, str) else ""
    if not name:
        raise DataError(NO_NAME)
    # A whole path, as a file may have the name that stands for standard input.
    path = Path(name).absolute()
    if not path.is_file():
        raise DataError(f"there is no {name} in the current folder")
    return path


def rows_of(
    model: TableModel, sources: Mapping[str, Any], execution: Execution
) -> tuple[Rows | None, str]:
    """The rows of tables, split as for training; or why they can't be had."""
    settings = settings_of(model)
    if settings is None:
        return None, "the model doesn't say how its table was split"
    tables = {part: read(each, settings.dialect) for part, each in sources.items()}
    recorded = recorded_data(model)
    for part, table in tables.items():
        known = recorded[part] if part else recorded
        if why := difference(known, fingerprint(table)):
            return None, f"{table.name}: {why}"
    table, own = tables.pop(""), Own(**tables)
    prepared = prepared_by(table, model.target, settings, own)
    if (prepared.encoder, prepared.targets) != (model.encoder, model.targets):
        return None, SPLITS_DIFFER
    return with_errors(model, table, prepared, execution), ""


def recorded_data(model: TableModel) -> Mapping[str, Any]:
    """What the model says of its tables; empty if it doesn't."""
    recorded = model.results.get("data")
    return recorded if isinstance(recorded, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]


def difference(recorded: Any, found: Mapping[str, Any]) -> str:
    """In what a table isn't the one that the model had; nothing if it is."""
    if not isinstance(recorded, Mapping) or not recorded:
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


def with_errors(
    model: TableModel, table: Table, prepared: Prepared, execution: Execution
) -> Rows:
    """The rows with what the network gets wrong of those it is tested on."""
    outputs = model.outputs(prepared.test.X, execution)
    return Rows(table, prepared, tested(prepared, outputs))


def tested(prepared: Prepared, outputs: Outputs) -> RowErrors:
    """What outputs for the test rows got wrong."""
    test = prepared.test
    known = test.truth, test.weights, prepared.deciding.positive
    return errors_of(prepared.targets, outputs, *known)
