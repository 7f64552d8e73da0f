"""``thalweg export``: a trained network in a form that runs without thalweg."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from thalweg.checks import look_up
from thalweg.cli.failures import say
from thalweg.cli.inputs import ModelFile, load_any
from thalweg.cli.outputs import require_other_file, require_suffix, require_writable
from thalweg.errors import ArgumentError
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
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Write the network at one time of a sequence, with what it keeps "
            "between times",
        ),
    ] = False,
) -> None:
    """Write a network, with its table's preprocessing, to run without thalweg."""
    ending = look_up("form of export", to, FORMATS)
    target = model.with_suffix(ending) if output is None else output
    require_suffix("--output", target, (ending,))
    require_other_file("--output", target, model)
    found: Any = load_any(model)
    found = stream_of(found, model) if stream else found
    require_writable(target)
    replaced = ", replacing what was there" if target.exists() else ""
    write(found, target)
    say(f"{to} in {target}{replaced}")


def stream_of(found: Any, path: Path) -> Any:
    """The stream of a network that was loaded.

    Raises:
        ArgumentError: it is something else, or has none.
    """
    from thalweg.network import Network

    if not isinstance(found, Network):
        raise ArgumentError(
            f"--stream is for a network by itself, as Network.save writes it; {path} "
            "holds another model"
        )
    return found.stream()
