"""``thalweg figures``: pictures of the core concepts, each from a real run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.failures import say
from thalweg.cli.show import facts, show, tell
from thalweg.figures import FIGURES, draw


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="What to draw [all]"),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", help="Draw into this folder"),
    ] = Path("figures"),
    list_names: Annotated[
        bool, typer.Option("--list", help="List the names of all figures.")
    ] = False,
) -> None:
    """Draw the core concepts, each from a real run.

    Each figure is a PNG, with its numbers as JSON beside it.
    """
    if list_names:
        show(facts(list(FIGURES.items())))
        return
    for path in draw(names or [], out, say):
        tell(str(path))
