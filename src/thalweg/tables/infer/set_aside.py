"""Columns that can't help: identifiers, free text, the same value in every row."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from thalweg.tables.counting import counts
from thalweg.tables.forms import is_unusable
from thalweg.tables.recognize.cells import Cells
from thalweg.tables.schema import Column
from thalweg.words import counted, shown

FEW_TEXTS = 50
"""A column with no more texts than this is a category, however rare each is."""

OFTEN = 5
"""Among more texts, those in fewer rows than this teach nothing."""

WORDS = 3
"""Texts of so many words on average are sentences."""

NAMED_IDENTIFIER = re.compile(r"(?i:^(?:id|index)$|[_\W]id$)|[a-z]I[dD]$")
"""Names with ID as a word of its own; BID and PAID end in the same letters."""


def why_useless(column: pl.Series) -> str | None:
    """Why a column of any type can't help, if it can't."""
    if is_unusable(column.dtype):
        return f"cells of type {column.dtype} can't be used"
    if column.null_count() == len(column):
        return "every cell is missing"
    if column.null_count() == 0 and (column == column.head(1)).all():
        return f"every cell is {shown(column[0])}"
    return None


def why_no_help(cells: Cells, found: Column) -> str | None:
    """Why a column can't help by what it was found to be, if it can't."""
    if found.kind == "number":
        return _counting(cells.name, found.form.understood(cells.column))
    if found.kind == "category":
        return hardly_repeated(cells, found)
    return None


def _counting(name: str, numbers: pl.Series) -> str | None:
    """Why numbers are an identifier, if they are."""
    if numbers.null_count() or len(numbers) < 3:
        return None
    values = numbers.to_numpy()
    if counts(values):
        return f"identifier, it counts the rows from {values[0]:.0f}"
    whole = bool((values == np.round(values)).all())
    named = NAMED_IDENTIFIER.search(name) is not None
    if whole and named and numbers.n_unique() == len(numbers):
        return f"identifier, by its name and {len(numbers):,} different whole numbers"
    return None


def hardly_repeated(cells: Cells, found: Column) -> str | None:
    """Why texts are an identifier or free text, if they are."""
    texts = found.form.understood(cells.column).drop_nulls()
    counts = texts.rename("text").value_counts()["count"].to_numpy()
    present = int(counts.sum())
    if not present:
        return "every cell is missing"
    if len(counts) == present > 2:
        what = "free text" if _are_sentences(texts) else "identifier"
        return f"{what}, {len(counts):,} different texts in {present:,} cells"
    often = int(counts[counts >= OFTEN].sum())
    if len(counts) > FEW_TEXTS and often < present / 2:
        rare = counted(present - often, "cell")
        return f"{found.reason}; {rare} hold a text that fewer than {OFTEN} rows have"
    return None


def _are_sentences(texts: pl.Series) -> bool:
    gaps = texts.cast(pl.String).str.strip_chars().str.count_matches(r"\s+").mean()
    return isinstance(gaps, float) and gaps + 1 >= WORDS
