"""What known tables were taken for in 0.1.0 they are taken for in every version.

tests/golden/inference.json holds what that version inferred; it isn't made anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from support.known_tables import FILES, SCIKIT_LEARN, path_of, scikit_learn_frame
from thalweg.data.prepare import Prepared, prepare
from thalweg.data.read import read

GOLDEN = Path(__file__).parents[2] / "golden" / "inference.json"
PINNED: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))


def inferred(prepared: Prepared) -> dict[str, Any]:
    return {
        "task": prepared.task.kind,
        "columns": {column.name: column.kind for column in prepared.schema.columns},
        "features": list(prepared.encoder.features),
    }


@pytest.mark.parametrize("name", [*SCIKIT_LEARN, *FILES])
def test_a_known_table_is_taken_for_what_it_was(name: str, tmp_path: Path) -> None:
    path, target = path_of(name, tmp_path)
    assert inferred(prepare(read(path), target)) == PINNED[name]


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_a_frame_is_taken_for_what_its_file_is(name: str) -> None:
    frame = scikit_learn_frame(name)
    assert inferred(prepare(read(frame), "target")) == PINNED[name]
