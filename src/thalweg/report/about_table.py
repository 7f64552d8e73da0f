"""What the table is, what each column became, and how its rows were split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.own import PARTS as OWN_PARTS
from thalweg.kinds.parts import Parts
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.report.blocks import Block, Facts, Grid, Paragraph, Section
from thalweg.report.evaluation import Evaluated, Recorded
from thalweg.report.formatting import cut, number, percent
from thalweg.report.table_evaluation import EvaluatedRows, TableEvaluation
from thalweg.tables.categories import CategoryEncoding, CodeEncoding
from thalweg.tables.cell_report import Report
from thalweg.tables.encode import Encoder
from thalweg.tables.encodings import Encoding, MomentEncoding, NumberEncoding
from thalweg.tables.scales import Scale
from thalweg.tabular.settings import Settings
from thalweg.words import counted, listed

MOST_COLUMNS = 300
MOST_CLASSES = 60
MOST_LINES = 20
PARTS = {
    "training": "learned from",
    "validation": "chose the best epoch",
    "test": "scored once, after training",
}


# Columns ------------------------------------------------------------------------------


def table_section(evaluation: TableEvaluation) -> Section:
    """The table and its columns."""
    rows, encoder = evaluation.rows, evaluation.model.encoder
    report = None if rows is None else rows.prepared.report
    blocks = [Facts(table_facts(evaluation)), *columns_blocks(encoder, report)]
    return Section("table", "The table, and what was done to each column", blocks)


def columns_blocks(encoder: Encoder, report: Report | None) -> list[Block]:
    """The columns, and what was found in their cells.

    Arguments:
        encoder: how they became numbers.
        report: of their cells, if the table is there.
    """
    blocks: list[Block] = [columns_grid(encoder, report)]
    hidden = len(encoder.schema.columns) - MOST_COLUMNS
    if hidden > 0:
        blocks.append(Paragraph(f"{counted(hidden, 'more column')} aren't listed."))
    lines = [] if report is None else report.lines()[:MOST_LINES]
    return blocks + [Paragraph(cut(line, 300), note=True) for line in lines]


def table_facts(evaluation: TableEvaluation) -> list[tuple[str, str]]:
    """Its name and size, and what is predicted."""
    model = evaluation.model
    pairs = size_facts(evaluation)
    if weights := model.encoder.schema.weights:
        pairs.append(("Weights", f"{cut(weights)} says how much each row counts"))
    features = len(model.encoder.features)
    pairs.append(("Features", f"{counted(features, 'number')} a row for the network"))
    return pairs


def size_facts(evaluation: Recorded) -> list[tuple[str, str]]:
    """What a table is called, its size, and its target, as it was recorded."""
    model, data = evaluation.model, evaluation.recorded("data")
    pairs = [("Table", cut(evaluation.data_name))] if evaluation.data_name else []
    if isinstance(rows := data.get("rows"), int):
        columns = data.get("columns")
        count = len(columns) if isinstance(columns, list) else 0  # pyright: ignore[reportUnknownArgumentType]
        pairs.append(("Size", f"{counted(rows, 'row')}, {counted(count, 'column')}"))
    return [*pairs, ("Target", f"{cut(model.target)}, as {model.task.line()}")]


def columns_grid(encoder: Encoder, report: Report | None) -> Grid:
    """A row for each column: what it is, why, and what it became."""
    encodings = {each.name: each for each in encoder.encodings}
    missing = None if report is None else {x.name: x.missing for x in report.columns}
    heads = ["Column", "Kind", "Why", "What was done", "Features"]
    rows: list[Sequence[str]] = []
    for column in encoder.schema.columns[:MOST_COLUMNS]:
        encoding = encodings.get(column.name)
        cells = [
            cut(column.name) or "(no name)",
            "set aside" if encoding is None else column.kind,
            cut(column.reason, 200),
            "not used" if encoding is None else cut(treatment(encoding), 400),
            "0" if encoding is None else str(len(encoding.features)),
        ]
        if missing is not None:
            cells.append(f"{missing.get(column.name, 0):,}" if encoding else "")
        rows.append(cells)
    if missing is not None:
        heads.append("Missing cells")
    caption = (
        "What each column was taken for, and what the network gets of it; all means, "
        "deviations and medians are those of the training rows"
    )
    return Grid(caption, heads, rows, numbers=4)


def treatment(encoding: Encoding) -> str:
    """What was done to a column, in words."""
    return TREATMENTS[type(encoding)](encoding)


def of_number(encoding: NumberEncoding) -> str:
    """Standardized; ranks; what stands for a missing cell."""
    scale = encoding.scale
    parts = [
        f"standardized: mean {number(scale.mean)}, standard deviation "
        f"{number(scale.deviation)}"
    ]
    if encoding.scores:
        parts.append("beside it its normal score, as it is far from normal")
    told = " and a feature that says so" if encoding.missing else ""
    parts.append(f"a missing cell gets the median {number(encoding.fill)}{told}")
    return "; ".join(parts)


def of_moment(encoding: MomentEncoding) -> str:
    """Days standardized, and cycles."""
    parts = ["its days standardized"]
    if encoding.cycles:
        parts.append(f"sine and cosine of its place in the {of(encoding.cycles)}")
    parts.append("a missing cell gets the median")
    return "; ".join(parts)


def of_category(encoding: CategoryEncoding) -> str:
    """One feature a category."""
    parts = [f"1 or 0 for each of {listed(encoding.categories)}"]
    if encoding.other:
        parts.append("rare ones share a feature")
    if encoding.missing:
        parts.append("missing cells have their own")
    return "; ".join(parts)


def of_code(encoding: CodeEncoding) -> str:
    """An embedding."""
    return (
        f"{encoding.dimension} learned numbers (an embedding) for each of "
        f"{counted(len(encoding.categories), 'category', 'categories')} such as "
        f"{listed(encoding.categories, most=3)}; rare and new ones share theirs; "
        "missing cells have their own"
    )


def of(cycles: Sequence[str]) -> str:
    """Cycles with commas between."""
    return ", ".join(cycles)


TREATMENTS: dict[type, Callable[[Any], str]] = {
    NumberEncoding: of_number,
    MomentEncoding: of_moment,
    CategoryEncoding: of_category,
    CodeEncoding: of_code,
}


# Split --------------------------------------------------------------------------------


def split_section(evaluation: TableEvaluation, rows: EvaluatedRows) -> Section:
    """How many rows are for what, and how the target is distributed in each part."""
    settings = evaluation.settings
    drawn = "" if settings is None else how_drawn(rows, settings)
    return Section("split", "The split", split_blocks(rows, drawn))


def split_blocks(rows: Evaluated[Parts], drawn: str) -> list[Block]:
    """How large each part is, and the target in it.

    Arguments:
        rows: of any kind.
        drawn: by what they were split, in a sentence.
    """
    counts = [len(part(rows, name).X) for name in PARTS]
    total = sum(counts)
    sizes = [
        [name, purpose, f"{count:,}", percent(count / total)]
        for (name, purpose), count in zip(PARTS.items(), counts, strict=True)
    ]
    what = f"{rows.noun}s".capitalize()
    return [
        *([Paragraph(drawn)] if drawn else []),
        Grid(f"{what} of each part", ["Part", "What for", what, "Share"], sizes, 2),
        target_grid(rows),
        *(Paragraph(cut(note, 300), note=True) for note in rows.prepared.notes),
    ]


def how_drawn(rows: EvaluatedRows, settings: Settings) -> str:
    """By what the rows were split, in a sentence."""
    if len(rows.prepared.own.tables) == len(OWN_PARTS):
        return "Each part is a table of its own."
    if settings.time is not None:
        return f"Rows were cut in the order of {cut(settings.time)}, the last to test."
    alike = ", of each class the same share" if rows.classes else ""
    if settings.group is not None:
        near = alike.replace("the", "about the")
        return f"Whole groups were drawn at random by seed {settings.seed}{near}."
    return f"Rows were drawn at random by seed {settings.seed}{alike}."


def part(rows: Evaluated[Parts], name: str) -> EncodedRows:
    """The training, validation or test rows."""
    return getattr(rows.prepared, name)


def target_grid(rows: Evaluated[Parts]) -> Grid:
    """The target in each part."""
    targets = rows.prepared.targets
    if isinstance(targets, ClassTargets):
        return class_grid(rows, targets)
    return number_grid(rows, targets)


def class_grid(rows: Evaluated[Parts], targets: ClassTargets) -> Grid:
    """How many rows of each class; the most frequent ones, if there are many."""
    counts = [np.bincount(part(rows, name).y, minlength=rows.classes) for name in PARTS]
    order = np.argsort(-np.sum(counts, axis=0), kind="stable")[:MOST_CLASSES]
    shown: list[int] = sorted(order.tolist())
    what = f"{rows.noun}s".capitalize()
    caption = f"{what} of each class"
    if len(shown) < rows.classes:
        caption = (
            f"{what} of the {len(shown)} most frequent of {rows.classes:,} classes"
        )
    grid = [
        [cut(targets.labels[i]) or "(empty)", *(f"{each[i]:,}" for each in counts)]
        for i in shown
    ]
    return Grid(caption, ["Class", *PARTS], grid)


def number_grid(rows: Evaluated[Parts], targets: NumberTargets) -> Grid:
    """Mean, deviation and range of the target."""
    grid: list[Sequence[str]] = []
    for name in PARTS:
        values = part(rows, name).truth
        if len(values):
            scale = Scale.fit(values)
            low, high = float(values.min()), float(values.max())
            deviation = scale.deviation if low < high else 0.0
            median = float(np.quantile(values, 0.5))
            found = scale.mean, deviation, low, median, high
            grid.append([name, *map(number, found)])
    heads = ["Part", "Mean", "Standard deviation", "Lowest", "Median", "Highest"]
    return Grid(f"The target {cut(targets.name)} in each part", heads, grid)
