"""What the network goes by, and the rows it got most wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.kinds.row_errors import ClassErrors, NumberErrors
from thalweg.report import pictures
from thalweg.report.about_errors import labels_of
from thalweg.report.blocks import Block, Grid, Paragraph, Picture, Pictures, Section
from thalweg.report.formatting import cut, number
from thalweg.report.importance import REPEATS, Importance, rows_shuffled
from thalweg.report.svg import svg
from thalweg.report.table_evaluation import EvaluatedRows, tested_table
from thalweg.words import counted, shown

MOST_WRONG = 10
MOST_CELLS = 8  # of a row that is shown
MOST_BARS, MOST_IMPORTANCES = 20, 50


def importance_section(rows: EvaluatedRows, ranked: Sequence[Importance]) -> Section:
    """What the network goes by."""
    error = "log loss" if rows.classes else "rmse"
    columns = len(rows.prepared.encoder.encodings)
    count = rows_shuffled(len(rows.prepared.test.X), columns)
    bars = ranked[:MOST_BARS]
    grid = [
        [cut(each.column) or "(no name)", number(each.rise), number(each.deviation)]
        for each in ranked[:MOST_IMPORTANCES]
    ]
    told = ", ".join(f"{cut(each.column, 40)} {number(each.rise)}" for each in bars)
    picture = Picture(
        svg(
            "importance",
            lambda: pictures.importance_bars(bars, error),
            [(0.0, each.rise, each.deviation) for each in bars],
        ),
        f"The longer the bar, the more the network goes by the column; the thin lines "
        f"are the standard deviation over {REPEATS} shuffles.",
        f"Rise of the {error} by column: {told}.",
    )
    hidden = columns - len(grid)
    caption = f"Rise of the {error} when a column is shuffled"
    if hidden > 0:
        caption += f"; {counted(hidden, 'column')} that matter less aren't listed"
    which = "Each column was"
    if len(ranked) < columns:
        which = (
            f"Of {columns:,} columns, the {len(ranked)} with which predictions move "
            "most, by their gradient, were each"
        )
    blocks: list[Block] = [
        Paragraph(
            f"{which} shuffled {REPEATS} times among "
            f"{counted(count, 'test row')}, and the {error} looked at (permutation "
            "importance). A column that another can stand in for looks less important "
            "than it is."
        ),
        Pictures([picture]),
        Grid(caption, ["Column", "Rise", "Standard deviation"], grid),
    ]
    return Section("importance", "Which columns it goes by", blocks)


def worst_section(rows: EvaluatedRows, columns: Sequence[str]) -> Section:
    """The rows that are furthest off, with the cells of the first of some columns."""
    errors = rows.errors
    worst = np.argsort(-errors.error, kind="stable")[:MOST_WRONG].tolist()
    cells = list(columns[:MOST_CELLS])
    said = said_of_class if isinstance(errors, ClassErrors) else said_of_number
    heads = ["Row", *said(rows, None), *(cut(name, 40) for name in cells)]
    grid = [
        [where(rows, row), *said(rows, row), *cells_of(rows, row, cells)]
        for row in worst
    ]
    more = len(columns) - len(cells)
    which = f", with the {len(cells)} columns it goes by most" if more > 0 else ""
    least = "whose true class it found least probable"
    how = least if rows.classes else "that it is furthest off on"
    caption = f"The {counted(len(worst), 'test row')} {how}{which}"
    text = (
        f"{how_many_wrong(rows)}Look here for mistakes in the table, and for what the "
        "columns don't tell."
    )
    blocks: list[Block] = [Paragraph(text), Grid(caption, heads, grid, len(heads))]
    # Of classes most of these rows may be right: what they share is a doubt.
    found = "was least sure of" if rows.classes else "got most wrong"
    return Section("worst", f"The rows it {found}", blocks)


def how_many_wrong(rows: EvaluatedRows) -> str:
    """Of classes, how many test rows were taken for another than theirs."""
    errors = rows.errors
    if not isinstance(errors, ClassErrors):
        return ""
    wrong = int((errors.truth != errors.predicted).sum())
    return f"It got {wrong:,} of {counted(len(errors.truth), 'test row')} wrong. "


def where(rows: EvaluatedRows, row: int) -> str:
    """Where a test row stands in its table."""
    return tested_table(rows).where(int(rows.prepared.split.test[row]))


def cells_of(rows: EvaluatedRows, row: int, columns: Sequence[str]) -> list[str]:
    """A test row's cells, as the table has them."""
    position = int(rows.prepared.split.test[row])
    cells = (tested_table(rows).frame[name][position] for name in columns)
    return ["missing" if cell is None else text_of(cell) for cell in cells]


def text_of(cell: object) -> str:
    """A cell as it's written, if it isn't long."""
    return cut(cell if isinstance(cell, str) else shown(cell), 40)


def said_of_class(rows: EvaluatedRows, row: int | None) -> list[str]:
    """What a row is, what it was taken for, and how probable it thought the truth."""
    if row is None:
        return ["True class", "Predicted", "Probability of the true class"]
    labels, errors = labels_of(rows), rows.errors
    assert isinstance(errors, ClassErrors)
    truth, predicted = int(errors.truth[row]), int(errors.predicted[row])
    return [labels[truth], labels[predicted], number(float(errors.of_truth[row]))]


def said_of_number(rows: EvaluatedRows, row: int | None) -> list[str]:
    """The true number, the predicted one, and the difference."""
    if row is None:
        return ["True", "Predicted", "Off by"]
    errors = rows.errors
    assert isinstance(errors, NumberErrors)
    found = errors.truth[row], errors.predicted[row], -errors.residuals[row]
    return [number(float(each)) for each in found]
