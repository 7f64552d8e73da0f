"""Columns of words: categories and booleans, and which words mean "missing"."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.declared import way
from thalweg.tables.forms import (
    USUAL,
    BooleanForm,
    CategoryForm,
    ColumnKind,
    Form,
    NumberForm,
    is_text,
)
from thalweg.tables.forms.missing import MISSING_TEXTS
from thalweg.tables.forms.texts import BOOLEANS, DIGITS
from thalweg.tables.infer.set_aside import hardly_repeated
from thalweg.tables.recognize.cells import Cells
from thalweg.tables.recognize.numbers import RecognizedNumbers
from thalweg.tables.schema import Column
from thalweg.words import counted, shown

LARGE_SHARE = 0.05
"""From this share of cells on, a word that means "missing" may be meant as a class."""

Found = tuple[ColumnKind, str, Form]
Words = TypeVar("Words", BooleanForm, CategoryForm)


def category(cells: Cells, before: str = "", behind: str = "") -> Found:
    """That of categories, with what is said before the reason and behind it."""
    form = words_of(cells, CategoryForm)
    texts = form.understood(cells.column)
    present = texts.drop_nulls()
    if not len(present):
        return "ignored", "every cell is missing", USUAL["ignored"]
    different = counted(present.n_unique(), "different text")
    said = f"{before}{different} such as {shown(present[0])}{behind}"
    if not (before or behind) and is_text(cells.column.dtype):
        read = cells.read_by(NumberForm(cells.said.missing_numbers))
        if read.any():
            numbers = f"{cells.number_of(read):,} of {len(present):,}"
            said += f", {numbers} cells are numbers"
    return "category", said, form


def words_of(cells: Cells, kind: type[Words]) -> Words:
    """A form of words by where they come from, and what was declared missing."""
    source = _source(cells)
    return kind(cells.said.missing_words(source), source=source)


def _source(cells: Cells) -> str:
    """Whose words mean "missing"."""
    if cells.said.kind == "category" or cells.column.dtype != pl.String:
        return "nothing"
    return "frame" if cells.table.typed else "file"


def digits_of(cells: Cells, behind: str) -> Found:
    """Texts of digits, among which what no number can be means "missing"."""
    kind, why, form = category(cells, "", behind)
    assert isinstance(form, CategoryForm)
    if form.source != "file":
        return kind, why, form
    absent = cells.texts.filter(NumberForm().absent(cells.texts))
    markers = sorted({*absent} - {*form.missing_texts})
    return kind, why, replace(form, missing=(*form.missing, *markers))


def meant_as_texts(cells: Cells, found: RecognizedNumbers) -> bool:
    """Whether numbers are texts in a frame, and repeat as categories do.

    A frame's reader makes numbers of plain ones: somebody made these texts, or words
    stand among them. Where there is an affix, or a marker of missing cells, it is only
    that the reader didn't understand them.
    """
    markers = len(found.cells.texts) < len(cells.texts)
    if not cells.table.typed or not found.form.plain or markers:
        return False
    column = Column(cells.name, "category", "", CategoryForm(source="frame"))
    return hardly_repeated(cells, column) is None


def boolean_pair(cells: Cells) -> str | None:
    """The pair of words, if the cells are one pair and nothing else, or 1 and 0."""
    form = words_of(cells, BooleanForm)
    # As many as the spellings of a pair ("yes", "Yes", "YES") are enough to say no.
    if len(cells.texts) > 12:
        return None
    lower = {text.lower() for text in cells.known(form).texts}
    for no, yes in BOOLEANS:
        if lower & {no, yes} and lower <= {no, yes, *DIGITS}:
            return f"{yes} or {no}"
    return None


def are_codes(cells: Cells) -> bool:
    """Whether texts of digits have zeros in front, and none is a number otherwise."""
    known = cells.known(NumberForm(cells.said.missing_numbers)).texts
    leading = known.str.contains("^0[0-9]+$")
    return bool(leading.any()) and not known.str.contains("[0-9][.,]|[.,][0-9]").any()


def refuse_words(cells: Cells, found: Column) -> None:
    """An error where a word that means "missing" is so frequent that it may be a class.

    Raises:
        DataError: shows both readings, and the option for each.
    """
    form = found.form
    if not isinstance(form, CategoryForm | BooleanForm) or form.source != "file":
        return
    usual = cells.texts.is_in([*MISSING_TEXTS, *form.missing])
    doubtful = usual & ~cells.texts.is_in(list(cells.said.missing))
    count = cells.number_of(doubtful)
    if count < LARGE_SHARE * len(cells.column):
        return
    first = cells.first(doubtful)
    name, table = cells.name, cells.table
    category, missing = way(table, "category", name), way(table, "missing", first)
    raise DataError(
        f"{cells.place(first)}: {shown(first)} may mean that nothing is known, or be a "
        f"category as the others; {counted(count, 'cell')} of {len(cells.column):,} "
        f"hold such a word; {missing} takes it as missing in every column, {category} "
        "takes every word of this column as a category"
    )
