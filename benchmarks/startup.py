"""What a person waits for before anything is computed: imports, help, tracing."""

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
        "tracing to ready, 20-64-64-2": median(ready_seconds() for _ in range(REPEATS)),
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


def ready_seconds() -> float:
    """From layers to a training step that can run."""
    import thalweg as tw
    from thalweg.formulas.losses import Loss
    from thalweg.program.compile import make_executable
    from thalweg.program.types import ArrayType
    from thalweg.training.metrics import Accuracy
    from thalweg.training.step import Task, step_programs

    layers = [tw.Dense(64, "relu"), tw.Dense(64, "relu"), tw.Dense(2, "softmax")]
    started = time.perf_counter()
    network = tw.Network(layers).initialize(20)
    task = Task(Loss.of("cross_entropy"), Accuracy(), tw.Adam(), None, None)
    batch = {"X": ArrayType((32, 20), "float32"), "y": ArrayType((32,), "int32")}
    programs = step_programs(network.layers, network.shapes, task, batch, "float32")
    make_executable(programs["step"])
    return time.perf_counter() - started
