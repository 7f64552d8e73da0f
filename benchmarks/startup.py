"""What the user waits for before anything is computed: imports, help."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

IMPORT = (
    "from time import perf_counter as now; t = now(); import thalweg; print(now() - t)"
)
REPEATS = 9


def startup() -> dict[str, float]:
    """Medians in seconds."""
    return {
        "import thalweg": median(import_seconds() for _ in range(REPEATS)),
        "thalweg --help, whole process": median(help_seconds() for _ in range(REPEATS)),
    }


def import_seconds() -> float:
    """`import thalweg` in a fresh process, files in the cache."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def help_seconds() -> float:
    """`thalweg --help` as a whole process."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "thalweg", "--help"], capture_output=True, check=True
    )
    return time.perf_counter() - started
