"""What ``thalweg train`` prints of a table: as it was understood, and the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.cli import report
from thalweg.cli.report import layers_line, split_line
from thalweg.cli.show import Facts, column_table
from thalweg.network import Network
from thalweg.tabular.learn import Trained
from thalweg.tabular.prepared import Prepared
from thalweg.words import counted

if TYPE_CHECKING:
    pass


ROWS = "rows"  # what a step learns from


def found(prepared: Prepared) -> Facts:
    """What each column is, the task, the split."""
    table = prepared.table
    size = f"{counted(table.rows, 'row')}, {counted(len(table.columns), 'column')}"
    targets = prepared.targets
    learned = (
        "" if targets.learned_name == targets.name else "; its logarithm is learned"
    )
    target = f"{targets.name}, as {prepared.task.line()}{learned}"
    return [
        ("Table", f"{table.name}: {size}"),
        ("Target", target),
        ("Columns", column_table(prepared.schema)),
        ("Rows", split_line(prepared)),
        *(("Note", note) for note in prepared.notes),
    ]


def layers(prepared: Prepared, network: Network) -> str:
    """The layers of a table's network, and the number of parameters."""
    features = len(prepared.encoder.features)
    return layers_line(counted(features, "input"), network, (features,))


def results(
    trained: Trained,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
) -> None:
    """Scores, the learning curves in words, and the file."""
    report.results(trained, saved, replaced, seconds, notes, "row")


def plain_facts(prepared: Prepared) -> dict[str, Any]:
    """What was seen, for programs."""
    return {"set_aside": [column.name for column in prepared.schema.set_aside]}
