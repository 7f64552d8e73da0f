"""``thalweg figures``: pictures of the core concepts, each from a real run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.show import console, facts
from thalweg.figures import FIGURES, draw


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Which; all of them unless told."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder to draw into.")
    ] = Path("figures"),
    list_names: Annotated[
        bool, typer.Option("--list", help="List the names of all figures.")
    ] = False,
) -> None:
    """Draw the core concepts from real runs, each a PNG with its numbers as JSON."""
    if list_names:
        console().print(facts(list(FIGURES.items())))
        return
    for path in draw(names or [], out, lambda name: typer.echo(name, err=True)):
        print(path)
