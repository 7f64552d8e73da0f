"""What is kept of a run's tables, so that one can go on with the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.kinds.own import Sources, own_paths, sources_again
from thalweg.tables.table import Table
from thalweg.tabular.own import Own
from thalweg.tabular.settings import Settings, settings_from
from thalweg.training.checkpoint import TABLE, Checkpoint

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved


def fingerprints(table: Table, own: Own) -> dict[str, Any]:
    """That of a table, and by their part those of one's own beside it."""
    others = {part: fingerprint(each) for part, each in own.tables.items()}
    return fingerprint(table) | others


def fingerprint(table: Table) -> dict[str, Any]:
    """What tells one table from another: its name, size, and a hash of its content.

    That of a file is the SHA-256 of its bytes, as it came: what is packed stays packed.
    """
    if table.file is not None:
        digest = table.file.sha256
    else:
        rows = table.frame.hash_rows(0).to_numpy().tobytes()
        digest = hashlib.sha256(rows).hexdigest()
    return {
        "name": table.name,
        "rows": table.rows,
        "columns": table.columns,
        "sha256": digest,
    }


def noted(
    checkpoint: Checkpoint,
    table: Table,
    target: str,
    settings: Settings,
    own: Own,
    data: Mapping[str, Any],
) -> Checkpoint:
    """With the tables' places, fingerprints and settings beside every checkpoint."""
    notes = {
        "source": place_of(table),
        "own": {part: place_of(each) for part, each in own.tables.items()},
        "target": target,
        "settings": settings.to_dict(),
        "data": dict(data),
    }
    return replace(checkpoint, notes={**checkpoint.notes, TABLE: notes})


def place_of(table: Table) -> str | None:
    """The whole path of a table's file; None for a frame and a pipe."""
    path = table.file and table.file.path
    return None if path is None else str(path.absolute())


@dataclass(frozen=True)
class Begun:
    """A table's run as a checkpoint has it.

    Arguments:
        source: the file that the table was read from; None for a frame and a pipe.
        target: the column to predict.
        settings: how.
        own: for ``validation`` and ``test`` the same as `source`, where there was a
            table of one's own.
    """

    source: Path | None
    target: str
    settings: Settings
    own: Mapping[str, Path | None]

    def own_sources(self, given: Sources) -> dict[str, Any]:
        """One's own tables: those given now, or else the files that there were.

        Arguments:
            given: where they are now, as `learn` takes it.

        Raises:
            ArgumentError: one is missing, or there was none.
        """
        return sources_again(self.own, given)


def begun(saved: Saved[Any]) -> Begun:
    """What a checkpoint says of its table.

    Raises:
        ArgumentError: it is the run of a network alone.
        ModelFileError: what it says is damaged.
    """
    if TABLE not in saved.setup.notes:
        raise ArgumentError(
            f"{saved.path} must be a table's run, but is that of a network; "
            "thalweg.resume goes on with it in Python"
        )
    try:
        table = saved.setup.notes[TABLE]
        source, target = table["source"], table["target"]
        if not isinstance(source, str | None) or not isinstance(target, str):
            raise TypeError(source, target)
        settings = settings_from(table["settings"])
        own = own_paths(table.get("own", {}))
        for each in (table["data"], *(table["data"][part] for part in own)):
            each["sha256"]
    except (KeyError, TypeError, AttributeError, ArgumentError) as error:
        raise ModelFileError(f"{saved.path}: the table is damaged: {error!r}") from None
    first = None if source is None else Path(source)
    return Begun(first, target, settings, own)


def require_same_tables(
    saved: Saved[Any], table: Table, own: Own, data: Mapping[str, Any]
) -> None:
    """The tables are those that the run had, to the byte.

    Raises:
        DataError: one isn't; the message says what differs.
    """
    before = saved.setup.notes[TABLE]["data"]
    require_same_table(saved, table, before, data)
    for part, each in own.tables.items():
        require_same_table(saved, each, before[part], data[part])


def require_same_table(
    saved: Saved[Any], table: Table, before: Mapping[str, Any], data: Mapping[str, Any]
) -> None:
    """A table is the one that the run had, to the byte.

    Raises:
        DataError: it isn't; the message says what differs.
    """
    if before["sha256"] == data["sha256"]:
        return
    what = "a cell differs"
    if before.get("columns") != data["columns"]:
        what = "its columns differ"
    elif before.get("rows") != data["rows"]:
        what = f"it has {data['rows']} rows, it had {before.get('rows')}"
    raise DataError(
        f"{table.name}: must be the table that the run in {saved.path} had, but {what}"
    )
