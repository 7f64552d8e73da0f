"""What ``thalweg train`` prints of sequences: what was read, and what will learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.cli import report
from thalweg.cli.report import layers_line, split_line
from thalweg.cli.show import Facts, column_table
from thalweg.network import Network
from thalweg.sequences.learn import TrainedOnSequences
from thalweg.sequences.prepare import PreparedSequences
from thalweg.words import counted

if TYPE_CHECKING:
    pass


ROWS = "sequences"  # what a step learns from


def found(parts: PreparedSequences) -> Facts:
    """The table, its sequences, the task, the split."""
    table, lengths = parts.table, parts.sequences.lengths
    size = f"{counted(table.rows, 'row')}, {counted(len(table.columns), 'column')}"
    ordered = f", by {parts.order.name}" if parts.order is not None else ""
    return [
        ("Table", f"{table.name}: {size}"),
        (
            "Sequences",
            f"{counted(len(lengths), 'sequence')} of {int(lengths.min()):,} to "
            f"{int(lengths.max()):,} rows with one {parts.id}{ordered}",
        ),
        ("Target", f"{parts.targets.name}, as {parts.task.line()}"),
        ("Columns", column_table(parts.schema)),
        ("Split", split_line(parts)),
        *(("Note", note) for note in parts.notes),
    ]


def layers(parts: PreparedSequences, network: Network) -> str:
    """The layers, and the number of parameters."""
    shape = int(parts.sequences.lengths.max()), len(parts.encoder.features)
    return layers_line(f"times × {counted(shape[1], 'number')}", network, shape)


def results(
    trained: TrainedOnSequences,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
) -> None:
    """Scores, the learning curves in words, and the file."""
    report.results(trained, saved, replaced, seconds, notes, "sequence")


def plain_facts(parts: PreparedSequences) -> dict[str, Any]:
    """What was seen, for programs."""
    return {"set_aside": [column.name for column in parts.schema.set_aside]}
