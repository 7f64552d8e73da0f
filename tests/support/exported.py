"""What runs exported files, and compares what they give."""

import csv
import io
import pickle
import subprocess
import sys
import tempfile
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


def asked_of_python(path: Path, *given: Any) -> dict[str, Any]:
    """What an exported file's functions give, in a process that has NumPy alone."""
    with tempfile.TemporaryDirectory() as folder:
        asked, found = Path(folder, "asked"), Path(folder, "found")
        asked.write_bytes(pickle.dumps(given))
        command = [sys.executable, "-I", "-c", ASK, *map(str, (path, asked, found))]
        subprocess.run(command, check=True)
        return pickle.loads(found.read_bytes())


ASK = """
import pickle, runpy, sys
others = ["thalweg", "sklearn", "scipy", "pandas", "polars", "onnx", "onnxruntime"]
sys.modules |= dict.fromkeys(others)
module = runpy.run_path(sys.argv[1])
with open(sys.argv[2], "rb") as asked, open(sys.argv[3], "wb") as found:
    given = pickle.load(asked)
    names = [n for n in ("predict", "probabilities", "quantiles") if n in module]
    pickle.dump({name: module[name](*given) for name in names}, found)
"""


def assert_near(found: Any, meant: Any, tolerance: float = 1e-5) -> None:
    """Within float32 rounding, after a network's sums."""
    assert_allclose(np.asarray(found), np.asarray(meant), tolerance, tolerance)
