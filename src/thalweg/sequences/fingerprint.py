"""What is kept of a run on sequences, so that one can go on with the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.sequences.settings import SequenceSettings, sequence_settings_from
from thalweg.tables.table import Table
from thalweg.tabular.fingerprints import place_of, require_same_table
from thalweg.training.checkpoint import SEQUENCES, Checkpoint

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved


def noted(
    checkpoint: Checkpoint,
    table: Table,
    target: str,
    settings: SequenceSettings,
    data: Mapping[str, Any],
) -> Checkpoint:
    """With the table's place, fingerprint and settings beside every checkpoint."""
    notes = {
        "source": place_of(table),
        "target": target,
        "settings": settings.to_dict(),
        "data": dict(data),
    }
    return replace(checkpoint, notes={**checkpoint.notes, SEQUENCES: notes})


@dataclass(frozen=True)
class BegunOnSequences:
    """A run on sequences as a checkpoint has it.

    Arguments:
        source: the file that the table was read from; None for a frame and a pipe.
        target: the column to predict.
        settings: how.
    """

    source: Path | None
    target: str
    settings: SequenceSettings


def begun(saved: Saved[Any]) -> BegunOnSequences:
    """What a checkpoint says of its sequences.

    Raises:
        ModelFileError: what it says is damaged.
    """
    try:
        described = saved.setup.notes[SEQUENCES]
        source, target = described["source"], described["target"]
        if not isinstance(source, str | None) or not isinstance(target, str):
            raise TypeError(source, target)
        settings = sequence_settings_from(described["settings"])
        described["data"]["sha256"]
    except (KeyError, TypeError, AttributeError, ArgumentError) as error:
        raise ModelFileError(
            f"{saved.path}: what it says of its sequences is damaged: {error!r}"
        ) from None
    return BegunOnSequences(None if source is None else Path(source), target, settings)


def require_same_sequences(
    saved: Saved[Any], table: Table, data: Mapping[str, Any]
) -> None:
    """The table is the one that the run had, to the byte.

    Raises:
        DataError: it isn't; the message says what differs.
    """
    require_same_table(saved, table, saved.setup.notes[SEQUENCES]["data"], data)
