"""``thalweg explain``: a saved network as the formulas that run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.inputs import ModelFile
from thalweg.cli.show import column_table, facts, show, tell
from thalweg.data import load
from thalweg.training.network import Network

if TYPE_CHECKING:
    from rich.console import RenderableType

    from thalweg.data.model import TableModel


def explain(
    model: ModelFile,
    program: Annotated[
        bool,
        typer.Option("--program", help="Also the whole program after each pass."),
    ] = False,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Also how long each kernel takes, measured."),
    ] = False,
) -> None:
    """Show a network's columns, scores, and the formulas that run."""
    found = load(model)
    if isinstance(found, Network):
        tell(found.explain(program, profile))
        return
    show(facts(about(model, found)))
    tell()
    tell(found.network.explain(program, profile))


def about(path: Path, model: TableModel) -> list[tuple[str, RenderableType]]:
    """What the file says about the table and the training."""
    pairs: list[tuple[str, RenderableType]] = [
        ("Model", path.name),
        ("Target", f"{model.target}, as {model.task.line()}"),
        ("Columns", column_table(model.encoder.schema)),
    ]
    for word, key in (("Settings", "settings"), ("Test", "test")):
        if isinstance(found := model.results.get(key), Mapping):
            pairs.append((word, named(found)))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(reading := model.results.get("reading"), str):
        pairs.append(("Curves", reading))
    return pairs


def named(values: Mapping[str, Any]) -> str:
    """Names and values that were set, with commas between."""
    return ", ".join(
        f"{name} {text_of(value)}"
        for name, value in values.items()
        if value not in (None, [], ())
    )


def text_of(value: Any) -> str:
    """A setting as it was typed, a metric to four digits."""
    if isinstance(value, list):
        return ",".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return f"{value:.4g}" if isinstance(value, float) else str(value)
