"""Loading takes no more time and memory than is promised, whatever the file."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "worst_model_file.py"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by Linux alone")
def test_a_search_finds_no_file_that_takes_more_than_is_promised() -> None:
    """For longer: python scripts/worst_model_file.py --seconds 300."""
    found = subprocess.run(
        [sys.executable, SCRIPT, "--count", "16", "--seed", "3"],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "16 files, " in found.stdout
