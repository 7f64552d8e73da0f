"""`scripts/bits.py`: what must not change, as hashes that change with it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))  # the scripts are no package
bits = importlib.import_module("bits")


def test_a_run_has_the_same_bits_again(tmp_path: Path) -> None:
    found: list[dict[str, str]] = []
    for place in ("one", "another"):
        command = [sys.executable, SCRIPTS / "bits.py", tmp_path / place, "perceptron"]
        subprocess.run(command, check=True, capture_output=True)
        found.append(json.loads((tmp_path / place / "bits.json").read_text("utf-8")))
    assert found[0] == found[1]
    assert {"perceptron/scores/loss", "perceptron/onnx"} <= found[0].keys()
    assert "def predict" in (tmp_path / "one" / "perceptron.python").read_text("utf-8")


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (np.ones(1), np.nextafter(np.ones(1), 2)),
        (np.zeros(1), -np.zeros(1)),
        (np.zeros(2), np.zeros((2, 1))),
        (np.zeros(2, "f4"), np.zeros(1, "f8")),
        ("y = x", "y = -x"),
        (1, 2),
    ],
)
def test_what_differs_has_other_bytes(one: object, another: object) -> None:
    assert bits.bytes_of(one) != bits.bytes_of(another)
    assert bits.bytes_of(one) == bits.bytes_of(one)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("# by thalweg 0.3.0", "# by thalweg 0.4.0.dev1"),
        ("all 4 epochs were done; 0.3 s</dd>", "all 4 epochs were done; 1.2 s</dd>"),
        ('<td class="number">0.3</td></tr>', '<td class="number">4</td></tr>'),
    ],
)
def test_versions_and_times_are_left_out(one: str, another: str) -> None:
    assert bits.bytes_of(one) == bits.bytes_of(another)


def test_every_formula_has_its_run() -> None:
    """A loss, layer or optimizer that is new needs one."""
    import thalweg as tw
    from thalweg.formulas.activations import ACTIVATIONS
    from thalweg.formulas.initializers import INITIALIZERS
    from thalweg.formulas.losses import LOSSES
    from thalweg.formulas.optimizers import OPTIMIZERS

    assert {*ACTIVATIONS} - {*bits.ACTIVATIONS} == {"step", "softmax"}
    assert {*INITIALIZERS} == {*bits.INITIALIZERS}
    assert {*LOSSES} == {*bits.LOSSES}
    assert {*OPTIMIZERS} <= {*bits.OPTIMIZERS}
    schedules = {type(each) for each in bits.SCHEDULES.values()}
    assert schedules == {*tw.Schedule.__subclasses__()} & {
        each for each in vars(tw).values() if isinstance(each, type)
    }
