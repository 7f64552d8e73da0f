"""What commands print: headings, tables and paragraphs, as wide as the terminal.

Nothing else of the command line writes text to standard output, and what isn't
printable leaves here as an escape.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from thalweg.printable import json_text, printable, printable_lines
from thalweg.training.progress import figure

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.segment import Segment
    from rich.table import Table

    from thalweg.tables.schema import Schema

MOST_COLUMNS = 40
FEW_METRICS = 4
Metrics = Mapping[str, float]
Facts = Sequence[tuple[str, "RenderableType"]]


def console() -> Console:
    """Standard output; no color codes where it isn't a terminal or none are wanted."""
    from rich.console import Console

    color = None if os.environ.get("NO_COLOR") else "auto"
    return Console(color_system=color, highlight=False, markup=False, emoji=False)


def tell(text: str = "") -> None:
    """Print a text; empty, an empty line."""
    sys.stdout.write(f"{printable_lines(text)}\n")
    sys.stdout.flush()


def tell_written(text: str) -> None:
    """Print a text that a network wrote: as it is, unless a terminal would obey it."""
    if sys.stdout.isatty():
        tell(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.buffer.flush()


def tell_json(value: Any) -> None:
    """Print a value as one line of JSON, null for NaN and infinity."""
    encoding = getattr(sys.stdout, "encoding", None) or ""
    ascii_alone = not encoding.lower().startswith("utf")
    tell(json_text(finite_alone(value), ascii_alone))


def finite_alone(value: Any) -> Any:
    """The value with None for the numbers that JSON lacks.

    >>> finite_alone({"loss": [1.0, float("nan")]})
    {'loss': [1.0, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return {name: finite_alone(each) for name, each in pairs}
    if isinstance(value, list | tuple):
        return [finite_alone(each) for each in cast("Sequence[Any]", value)]
    return value


def show(*blocks: RenderableType) -> None:
    """Print blocks with an empty line between, without space at the ends of lines."""
    from rich.segment import Segments

    out = console()
    for number, block in enumerate(blocks):
        with out.capture() as captured:
            out.print(Segments(map(shown, out.render(block))), crop=False, end="")
        lines = [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]
        sys.stdout.write("\n" * (number > 0) + "\n".join(lines) + "\n")
    sys.stdout.flush()


def shown(segment: Segment) -> Segment:
    """A piece of a line as it can be shown; how it is styled comes after."""
    return segment._replace(text=printable_lines(segment.text))


def facts(pairs: Facts) -> Table:
    """Words, and beside each what it is."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for word, content in pairs:
        shown = Text(printable(content)) if isinstance(content, str) else content
        grid.add_row(word, shown)
    return grid


def column_table(schema: Schema) -> Table:
    """What each column was taken for, and why."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True, style="cyan")
    grid.add_column(overflow="fold")
    for column in schema.columns[:MOST_COLUMNS]:
        kind = "set aside" if column.kind == "ignored" else column.kind
        style = "dim" if column.kind == "ignored" else ""
        name = Text(printable(column.name or "(no name)"))
        grid.add_row(name, kind, Text(printable(column.reason)), style=style)
    hidden = len(schema.columns) - MOST_COLUMNS
    if hidden > 0:
        grid.add_row(f"… {hidden:,} more", "", "")
    return grid


def score_table(title: str, rows: Iterable[tuple[str, Metrics]]) -> Table:
    """Metrics under each other, for one model a row; many stand close together."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    pairs = list(rows)
    many = len(pairs[0][1]) > FEW_METRICS
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=many
    )
    table.add_column(title)
    for name in pairs[0][1]:
        head = name.replace("_", "\n" if many else " ")
        table.add_column(head, justify="right", no_wrap=True)
    for number, (name, metrics) in enumerate(pairs):
        cells = [figure(value) for value in metrics.values()]
        table.add_row(name, *cells, style="bold" if number == 0 else "")
    return table
