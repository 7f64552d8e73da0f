"""What runs exported files, and compares what they give."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.testing import assert_allclose

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """A graph of ONNX, ready to run."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options)


def outputs(model: Path | bytes, inputs: dict[str, Any]) -> list[np.ndarray]:
    """What a graph of ONNX gives."""
    return [np.asarray(each) for each in session(model).run(None, inputs)]


def run_python(path: Path, table: Path) -> list[list[str]]:
    """The rows that an exported file prints, run as a program by itself."""
    command = [sys.executable, "-I", str(path), str(table)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(csv.reader(io.StringIO(done.stdout)))


def assert_near(found: Any, meant: Any, tolerance: float = 1e-5) -> None:
    """Within float32 rounding, after a network's sums."""
    assert_allclose(np.asarray(found), np.asarray(meant), tolerance, tolerance)
