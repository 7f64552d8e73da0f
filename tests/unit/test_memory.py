"""Where memory is limited, a call ends in a MemoryError or works, and so do others."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "memory_ladder.py"
NAMES = ("fit", "predict", "load", "save", "train", "thalweg train")
SEED = "1"  # `scripts/reliability.py memory` tries others, and more


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit that is kept")
@pytest.mark.parametrize("name", NAMES)
def test_too_little_memory_is_an_error(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), SEED, name], capture_output=True, text=True
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "worked" in done.stdout
