"""What a report goes by: a model, and the rows it was trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from thalweg.checks import require
from thalweg.errors import DataError, ThalwegError
from thalweg.kinds.own import NO_SOURCES, PARTS, Sources
from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import Outputs, RowErrors, errors_of
from thalweg.report.recorded import Evaluated, Recorded, require_had
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.fingerprints import fingerprint
from thalweg.tabular.learn import Trained, prepared_by
from thalweg.tabular.model import TableModel
from thalweg.tabular.own import Own
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.training.execution import Execution

NO_NAME = "the model doesn't say what its table was called"
SPLITS_DIFFER = (
    "this version of thalweg understands or splits the table in another way than the "
    "one that trained the model, so the test rows aren't known"
)


@dataclass(frozen=True)
class EvaluatedRows(Evaluated):
    """The table, as it was split for training, and what the network gets wrong.

    Arguments:
        table: all rows as they were read.
    """

    prepared: Prepared
    table: Table

    @property
    def test_table(self) -> Table:
        """The table that the test rows are of."""
        return self.prepared.own.test or self.table


@dataclass(frozen=True)
class Evaluation(Recorded):
    """What is known about a table's model.

    Arguments:
        rows: what the table adds, if it is there.
    """

    model: TableModel
    rows: EvaluatedRows | None

    @property
    def settings(self) -> Settings | None:
        """How the network was trained, if that was recorded."""
        return settings_of(self.model)


def evaluation_of(
    model: TableModel | Trained,
    source: Any,
    execution: Execution,
    own: Sources = NO_SOURCES,
) -> Evaluation:
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
        rows = with_errors(model.model, model.table, model.prepared, execution)
        return Evaluation(model.model, "", execution, rows)
    require_had(recorded_data(model), own, "no table of your own", "rows")
    try:
        sources = every_source(model, source, own)
        rows, missing = rows_of(model, sources, execution)
    except ThalwegError as error:
        if source is not None:
            raise
        rows, missing = None, str(error)
    if rows is None and source is not None:
        raise DataError(missing)
    return Evaluation(model, "" if rows else missing, execution, rows)


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
) -> tuple[EvaluatedRows | None, str]:
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
        return Settings.by_name(recorded)  # pyright: ignore[reportUnknownArgumentType]
    except (TypeError, ValueError):
        return None


def with_errors(
    model: TableModel, table: Table, prepared: Prepared, execution: Execution
) -> EvaluatedRows:
    """The rows with what the network gets wrong of those it is tested on."""
    outputs = model.outputs(prepared.test.X, execution)
    return EvaluatedRows(prepared, tested(prepared, outputs), table)


def tested(prepared: Parts, outputs: Outputs) -> RowErrors:
    """What outputs for the test rows got wrong."""
    test = prepared.test
    known = test.truth, test.weights, prepared.deciding.positive
    return errors_of(prepared.targets, outputs, *known)
