"""``thalweg export``: a trained network in a form that runs without thalweg."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thalweg.checks import look_up
from thalweg.cli.failures import say
from thalweg.cli.inputs import ModelFile, load_any
from thalweg.cli.outputs import require_other_file, require_suffix, require_writable
from thalweg.exports import FORMATS
from thalweg.exports import export as write


def export(
    model: ModelFile,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORM",
            help="onnx, for any ONNX runtime (needs the extra onnx); or python, one "
            "file that needs NumPy alone",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to this file [the model's name with .onnx or .py]",
        ),
    ] = None,
) -> None:
    """Write a network, with its table's preprocessing, to run without thalweg."""
    ending = look_up("form of export", to, FORMATS)
    target = model.with_suffix(ending) if output is None else output
    require_suffix("--output", target, (ending,))
    require_other_file("--output", target, model)
    found = load_any(model)
    require_writable(target)
    replaced = ", replacing what was there" if target.exists() else ""
    write(found, target)
    say(f"{to} in {target}{replaced}")
