"""Where memory is limited, a call ends in a MemoryError or works, and so do others."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "memory_ladder.py"
NAMES = (
    *("fit", "predict", "load", "save", "export", "estimator"),
    *("train", "train_parquet", "evaluate", "predict_table", "thalweg train"),
)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit that is kept")
@pytest.mark.parametrize("name", NAMES)
def test_too_little_memory_is_an_error(name: str) -> None:
    seed = str(random.randrange(2**32))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), seed, name], capture_output=True, text=True
    )
    assert done.returncode == 0, (seed, done.stdout, done.stderr)
    assert "worked" in done.stdout
