"""What known tables were taken for in 0.1.0 they are taken for in every version.

tests/golden/inference.json holds what that version inferred; it isn't made anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from support.known_tables import FILES, SCIKIT_LEARN, path_of, scikit_learn_frame
from thalweg.kinds.targets import ClassTargets, rows_with_target
from thalweg.tables.encode import Encoder
from thalweg.tables.read import read
from thalweg.tables.splitting.splitters import ByRow, Shares
from thalweg.tables.table import Table
from thalweg.tabular.prepare import prepare

GOLDEN = Path(__file__).parents[2] / "golden" / "inference.json"
PINNED: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))


def inferred(table: Table, target: str) -> dict[str, Any]:
    prepared = prepare(table, target)
    schema, targets = prepared.schema, prepared.targets
    rows = rows_with_target(table, target, targets.form)
    of_classes = isinstance(targets, ClassTargets)
    classes = targets.truth(table, rows) if of_classes else None
    # The rows that 0.1.0 learned from: it knew nothing of copies.
    training = ByRow().parts(rows, classes, Shares(0.2, 0.2, 0)).training
    return {
        "task": prepared.task.kind,
        "columns": {column.name: column.kind for column in schema.columns},
        "features": list(Encoder.fit(schema, table, training).features),
    }


@pytest.mark.parametrize("name", [*SCIKIT_LEARN, *FILES])
def test_a_known_table_is_taken_for_what_it_was(name: str, tmp_path: Path) -> None:
    path, target = path_of(name, tmp_path)
    assert inferred(read(path), target) == PINNED[name]


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_a_frame_is_taken_for_what_its_file_is(name: str) -> None:
    frame = scikit_learn_frame(name)
    assert inferred(read(frame), "target") == PINNED[name]
