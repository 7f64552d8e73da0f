"""``thalweg inspect``: what each column would be taken for, without training."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.failures import BAD_INPUT
from thalweg.cli.inputs import TableFile, require_table
from thalweg.cli.options import WORDS, chosen_settings, with_options
from thalweg.cli.show import tell_json
from thalweg.errors import DataError
from thalweg.text import is_text

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from thalweg.tabular.inspection import Inspected, Inspection

DECLARED = (
    *("separator", "encoding", "skip_rows", "comment"),
    *("task", "ignore", "category", "number", "date", "missing"),
    *("decimal", "thousands", "limits"),
)


def inspect(
    data: TableFile,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", metavar="COLUMN", help="The column to predict."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead.")
    ] = False,
    **given: Any,
) -> int:
    """Show what each column would be taken for, why, and how to change it.

    Nothing is trained. The status is 1 if a column couldn't be used as it is.
    """
    require_table(data, "inspect")
    from thalweg.tabular.learn import TABLES

    settings = chosen_settings(TABLES, given)
    from thalweg.tabular.inspection import inspect_table

    with texts_said(data):
        found = inspect_table(data, target, settings)
    if as_json:
        tell_json(found.to_dict())
    else:
        show_inspection(found)
    return BAD_INPUT if found.errors else 0


inspect = with_options(inspect, {name: WORDS[name] for name in DECLARED})


@contextmanager
def texts_said(data: Path) -> Generator[None]:
    """What isn't a table but is called a text is an error that says so."""
    try:
        yield
    except DataError as error:
        if not is_text(data):
            raise
        raise DataError(
            f"{error}. If it is a text and no table, thalweg train takes it as it is"
        ) from None


def show_inspection(found: Inspection) -> None:
    """The table's size, the target, and a row for each column."""
    from thalweg.cli.show import facts, show
    from thalweg.words import counted

    width = len(found.columns) + (found.target is not None)
    size = f"{counted(found.rows, 'row')}, {counted(width, 'column')}"
    pairs: list[tuple[str, Any]] = [("Table", f"{found.table}: {size}")]
    if found.target is not None:
        task = [("Task", found.task)] if found.task else []
        pairs += [("Target", grid_of([found.target])), *task]
    show(facts([*pairs, ("Columns", grid_of(found.columns))]))


def grid_of(columns: Any) -> Grid:
    """Columns under each other, each with what would change it."""
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True, style="cyan")
    grid.add_column(overflow="fold")
    for column in columns:
        add_column(grid, column)
    return grid


def add_column(grid: Grid, column: Inspected) -> None:
    """A row, and one for what would change it."""
    from rich.text import Text

    from thalweg.printable import printable
    from thalweg.tabular.inspection import ERROR

    kind = "set aside" if column.kind == "ignored" else column.kind
    name = Text(printable(column.name or "(no name)"))
    style = {"ignored": "dim", ERROR: "red"}.get(column.kind, "")
    grid.add_row(name, kind, Text(printable(column.reason)), style=style)
    if column.change:
        change = f"to change it: {column.change}"
        grid.add_row("", "", Text(printable(change), style="dim"))
