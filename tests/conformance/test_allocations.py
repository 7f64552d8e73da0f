"""Allocations that fail: a short form of `scripts/allocations.py`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "allocations.py"


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("operation", ["fit", "predict", "load"])
def test_an_allocation_that_fails_is_an_error_and_the_next_call_works(
    operation: str,
) -> None:
    command = [sys.executable, str(SCRIPT), operation, "--every=24", "--sample=8"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    counted = int(ended.stdout.split()[1])
    assert counted > 100, "the engine's allocations aren't seen"
