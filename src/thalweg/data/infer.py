"""Infer what each column of a table is, and in which form, and say why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.data.declared import NOTHING, Declared, OfColumn, way
from thalweg.data.forms import (
    USUAL,
    BooleanForm,
    CategoryForm,
    DateForm,
    Form,
    Kind,
    NumberForm,
    TimeForm,
    is_text,
    is_unusable,
)
from thalweg.data.forms.missing import MISSING_TEXTS
from thalweg.data.forms.numbers import EXACT, LIMIT
from thalweg.data.forms.texts import BOOLEANS, DIGITS
from thalweg.data.number_block import NumberBlock, have_zeros_in_front, number_blocks
from thalweg.data.recognize.cells import Cells
from thalweg.data.recognize.moments import Moments, recognize_dates, recognize_times
from thalweg.data.recognize.numbers import Numbers, recognize_numbers
from thalweg.data.schema import Column, Schema
from thalweg.data.table import Table
from thalweg.data.words import counted, shown
from thalweg.errors import ArgumentError, DataError
from thalweg.formulas.names import nearest

FEW_TEXTS = 50
"""A column with no more texts than this is a category, however rare each is."""

OFTEN = 5
"""Among more texts, those in fewer rows than this teach nothing."""

LARGE_SHARE = 0.05
"""From this share of cells on, a word that means "missing" may be meant as a class."""

NAMED_IDENTIFIER = re.compile(r"(?i:^(?:id|index)$|[_\W]id$)|[a-z]I[dD]$")
"""Names with ID as a word of its own; BID and PAID end in the same letters."""

BEYOND = ", whole numbers beyond 2⁵³, which aren't rounded"
"""Those that a float would round are texts."""

WITH_WORDS = NumberForm(words=True)
Found = tuple[Kind, str, Form]
Recognized = TypeVar("Recognized", Numbers, Moments)
Words = TypeVar("Words", BooleanForm, CategoryForm)


def infer(
    table: Table,
    target: str,
    ignore: Sequence[str] = (),
    weights: str | None = None,
    declared: Declared | None = None,
    group: str | None = None,
    time: str | None = None,
) -> Schema:
    """What each column of a table is: number, category, boolean, date or time.

    Set aside are columns that can't help: without a single value, with the same value
    in every row, or with another in each (an identifier, free text).

    Args:
        table: the rows.
        target: the name of the column to be predicted.
        ignore: names of columns to set aside.
        weights: the name of the column with each row's weight.
        declared: what the user says of columns.
        group: the name of the column that tells which rows belong together; it is set
            aside.
        time: the name of the column that rows are ordered by.

    Raises:
        ArgumentError: there is no column of a name that was given, or one has two uses.
        DataError: most cells of a column are something and one isn't, or cells may
            mean two things; the message names line and column, and what decides.

    >>> frame = pl.DataFrame({"age": ["31", "42", "?"], "ok": ["yes", "no", "no"]})
    >>> for line in infer(Table.of("people", frame), target="ok").lines():
    ...     print(line)
    age: number, 2 of 2 cells are numbers, 1 missing
    """
    said = declared or Declared()
    _check_uses(table, target, ignore, weights, group, time)
    names = [name for name in table.columns if name not in (target, weights)]
    aside = {name: Column(name, "ignored", "as asked") for name in ignore}
    if group is not None:
        aside[group] = Column(group, "ignored", "rows of one group stay together")
    looked_at = [name for name in names if name not in aside]
    found = aside | infer_features(table, looked_at, said)
    columns = tuple(found[name] for name in names)
    form = USUAL["number"]
    if weights is not None:
        form = _form_of_weights(table, weights, said.of(weights))
    return Schema(infer_column(table, target, said.of(target)), weights, columns, form)


def infer_features(
    table: Table, names: Sequence[str], declared: Declared | None = None
) -> dict[str, Column]:
    """What each of some columns is, or that it's set aside for being of no help.

    Raises:
        DataError: as `infer_column`.
    """
    said = declared or Declared()
    silent = [name for name in names if name and said.of(name).leaves_numbers_plain]
    found = _plain_numbers(table, silent)
    for name in names:
        if name not in found:
            found[name] = infer_feature(table, name, said.of(name))
    return found


def _plain_numbers(table: Table, names: Sequence[str]) -> dict[str, Column]:
    """The columns of which it is plain that they are numbers, and no identifiers."""
    found: dict[str, Column] = {}
    for block in number_blocks(table, names):
        if not block.names:
            continue
        plain = _plainly_numbers(block, table)
        digits = _zeros_and_ones(block)
        rows = block.values.shape[1]
        for place in np.flatnonzero(plain):
            missing = int(block.missing[place])
            present = rows - missing
            said = f", {missing:,} missing" if missing else ""
            why = f"{present:,} of {present:,} cells are numbers{said}"
            form = WITH_WORDS if digits[place] else USUAL["number"]
            name = block.names[place]
            found[name] = Column(name, "number", why, form)
    return found


def _plainly_numbers(block: NumberBlock, table: Table) -> NDArray[np.bool_]:
    """Which columns nothing speaks against, shape (columns,)."""
    values, known = block.values, ~np.isnan(block.values)
    low = np.where(known, values, np.inf).min(axis=1)
    high = np.where(known, values, -np.inf).max(axis=1)
    plain = (low < high) & (np.maximum(-low, high) <= EXACT)
    plain &= ~(np.isin(values[:, 0], (0, 1)) & (np.diff(values) == 1).all(axis=1))
    named = [NAMED_IDENTIFIER.search(name) is not None for name in block.names]
    plain &= ~np.array(named)
    if table.typed:  # texts of a frame may be meant as texts
        return plain & ~block.texts
    texts = np.flatnonzero(plain & block.texts)
    names = [block.names[place] for place in texts]
    plain[texts[have_zeros_in_front(table, names)]] = False
    return plain


def _zeros_and_ones(block: NumberBlock) -> NDArray[np.bool_]:
    """Which columns hold both 0 and 1, and nothing else."""
    zeros, ones = block.values == 0, block.values == 1
    only = (zeros | ones | np.isnan(block.values)).all(axis=1)
    return only & zeros.any(axis=1) & ones.any(axis=1)


def infer_column(table: Table, name: str, said: OfColumn = NOTHING) -> Column:
    """What one column is, were it never set aside for being of no help.

    Raises:
        DataError: most of its cells are something and one isn't, or may be two things.
    """
    cells = Cells.of(table, name, said)
    found = _described(cells)
    _refuse_words(cells, found)
    return found


def infer_feature(table: Table, name: str, said: OfColumn = NOTHING) -> Column:
    """What a column is, or that it's set aside for being of no help.

    Raises:
        DataError: as `infer_column`.
    """
    if name == "":
        reason = "the first column has no name, so it's taken for row numbers"
        return Column(name, "ignored", reason)
    cells = Cells.of(table, name, said)
    useless = _useless(cells.column)
    if useless:
        return Column(name, "ignored", useless)
    found = _described(cells)
    useless = None if said.kind else _no_help(cells, found)
    if useless:
        return Column(name, "ignored", useless)
    _refuse_words(cells, found)
    return found


def _form_of_weights(table: Table, name: str, said: OfColumn) -> Form:
    """How weights are written; those that aren't are found where they are used."""
    cells = Cells.of(table, name, said)
    found = recognize_numbers(cells) if is_text(cells.column.dtype) else None
    return USUAL["number"] if found is None else found.form


def _check_uses(
    table: Table,
    target: str,
    ignore: Sequence[str],
    weights: str | None,
    group: str | None,
    time: str | None,
) -> None:
    uses = {
        "target": [target],
        "ignore": ignore,
        "weights": [weights],
        "group": [group],
        "time": [time],
    }
    given = [(use, name) for use, names in uses.items() for name in names if name]
    for use, name in given:
        if name not in table.columns:
            raise ArgumentError(
                f"{use} must name a column of {table.name}, got {name!r}"
                f"{nearest(name, table.columns)}; it has {table.listed_columns()}"
            )
    uses_of = {name: use for use, name in reversed(given)}
    for use, name in given:
        # What rows are split by may be set aside.
        beside = uses_of[name] == "ignore" and use in ("group", "time")
        if uses_of[name] != use and not beside:
            raise ArgumentError(f"{name!r} must be either {uses_of[name]} or {use}")


# Of no help ---------------------------------------------------------------------------


def _useless(column: pl.Series) -> str | None:
    """Why a column of any type can't help, if it can't."""
    if is_unusable(column.dtype):
        return f"cells of type {column.dtype} can't be used"
    if column.null_count() == len(column):
        return "every cell is missing"
    if column.null_count() == 0 and (column == column.head(1)).all():
        return f"every cell is {shown(column[0])}"
    return None


def _no_help(cells: Cells, found: Column) -> str | None:
    """Why a column can't help by what it was found to be, if it can't."""
    if found.kind == "number":
        return _counting(cells.name, found.form.understood(cells.column))
    if found.kind == "category":
        return _hardly_repeated(cells, found)
    return None


def _counting(name: str, numbers: pl.Series) -> str | None:
    """Why numbers are an identifier, if they are."""
    if numbers.null_count() or len(numbers) < 3:
        return None
    values = numbers.to_numpy()
    if values[0] in (0, 1) and (np.diff(values) == 1).all():
        return f"identifier, it counts the rows from {values[0]:.0f}"
    whole = bool((values == np.round(values)).all())
    named = NAMED_IDENTIFIER.search(name) is not None
    if whole and named and numbers.n_unique() == len(numbers):
        return f"identifier, by its name and {len(numbers):,} different whole numbers"
    return None


def _hardly_repeated(cells: Cells, found: Column) -> str | None:
    """Why texts are an identifier or free text, if they are."""
    texts = found.form.understood(cells.column).drop_nulls()
    counts = texts.rename("text").value_counts()["count"].to_numpy()
    present = int(counts.sum())
    if not present:
        return "every cell is missing"
    if len(counts) == present > 2:
        return f"identifier, {len(counts):,} different texts in {present:,} cells"
    often = int(counts[counts >= OFTEN].sum())
    if len(counts) > FEW_TEXTS and often < present / 2:
        rare = counted(present - often, "cell")
        return f"{found.reason}; {rare} hold a text that fewer than {OFTEN} rows have"
    return None


# What it is ---------------------------------------------------------------------------


def _described(cells: Cells) -> Column:
    """What a column is, and why."""
    kind, why, form = _found(cells)
    if kind == "ignored":
        return Column(cells.name, kind, why)
    return Column(cells.name, kind, why + _missing_in_words(cells, form), form)


def _missing_in_words(cells: Cells, form: Form) -> str:
    missing = int(form.absent(cells.column).sum())
    if not missing:
        return ""
    absent = cells.counts.filter(form.absent(cells.texts))
    usual = pl.Series(MISSING_TEXTS)
    unusual = absent.filter(~absent["text"].is_in(usual.implode()))
    words = unusual.sort(["count", "text"], descending=[True, False]).head(3)
    texts = ", ".join(f"{shown(text)} {count:,}" for text, count in words.iter_rows())
    return f", {missing:,} missing" + (f" ({texts})" if texts else "")


def _found(cells: Cells) -> Found:
    """The kind of a column, why, and in which form its cells are."""
    column, said = cells.column, cells.said
    if is_unusable(column.dtype):
        return (
            "ignored",
            f"cells of type {column.dtype} can't be used",
            USUAL["ignored"],
        )
    if column.null_count() == len(column):
        return "ignored", "every cell is missing", USUAL["ignored"]
    if said.kind == "category":
        return _category(cells, "as declared, ")
    if not is_text(column.dtype):
        return _of_type(cells)
    if said.kind == "number":
        return _numbers(cells, _required(cells, recognize_numbers(cells), "numbers"))
    if said.kind == "date":
        return _moments(cells, _required(cells, recognize_dates(cells), "dates"))
    if column.dtype != pl.String:
        return _category(cells)
    return _of_texts(cells)


def _required(cells: Cells, found: Recognized | None, what: str) -> Recognized:
    if found is None:
        raise DataError(
            f"{cells.table.name}, column {cells.name!r}: must be {what}, as was "
            f"declared, but most of its cells aren't, such as {shown(cells.texts[0])}"
        )
    return found


def _of_type(cells: Cells) -> Found:
    """That of a column that isn't text, by its type and what was declared."""
    column, missing = cells.column, cells.said.missing_numbers
    if column.dtype == pl.Boolean and cells.said.kind != "number":
        form = BooleanForm(cells.said.missing_words("frame"), source="frame")
        return "boolean", _all(cells, form, "true or false"), form
    if column.dtype == pl.Time:
        return "time", _all(cells, TimeForm(missing), "times"), TimeForm(missing)
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        return "date", _all(cells, DateForm(missing), "dates"), DateForm(missing)
    if cells.said.kind == "date":
        return _declared_date(cells)
    form = NumberForm(missing)
    if cells.said.kind != "number" and form.exceeds(column):
        return _digits(cells, BEYOND)
    _check_finite(cells, form)
    form = _with_words(form, form.understood(column))
    return "number", _all(cells, form, "numbers"), form


def _declared_date(cells: Cells) -> Found:
    """Whole numbers whose digits are a date, as %Y%m%d has it."""
    form = DateForm(cells.said.missing_numbers, cells.said.order or DateForm.order)
    read = form.understood(cells.column)
    bad = ~(read.is_not_null() | form.absent(cells.column))
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise DataError(
            f"{cells.table.place(row, cells.name)}: must be a date as {form.order}, "
            f"but is {shown(cells.column[row])}"
        )
    return "date", _all(cells, form, f"dates, as {form.order}"), form


def _all(cells: Cells, form: Form, what: str) -> str:
    present = len(cells.column) - int(form.absent(cells.column).sum())
    return f"{present:,} of {present:,} cells are {what}"


def _of_texts(cells: Cells) -> Found:
    """That of a column of texts, by what they can be read as."""
    pair = _boolean_pair(cells)
    if pair is not None:
        form = _words(cells, BooleanForm)
        return "boolean", _all(cells, form, pair), form
    if _are_codes(cells):
        return _digits(cells, ", codes with leading zeros")
    numbers = recognize_numbers(cells)
    if numbers is not None:
        if numbers.form.exceeds(numbers.cells.texts):
            return _digits(cells, BEYOND)
        if _meant_as_texts(cells, numbers):
            return _category(cells, "", ", numbers in a column of texts")
        return _numbers(cells, numbers)
    moments = recognize_dates(cells) or recognize_times(cells)
    return _category(cells) if moments is None else _moments(cells, moments)


# Numbers and moments ------------------------------------------------------------------


def _numbers(cells: Cells, found: Numbers) -> Found:
    """The form, if every cell is a number, a limit that was declared, or missing."""
    known, form = found.cells, found.form
    others = ~found.read
    what = f"a number in {form.affix}" if form.affix else "a number"
    if found.said and not form.affix:
        what = f"a number ({found.said})"
    if others.any():
        _refuse_limits(known, others)
        known.refuse_others(what, others)
    _check_finite(cells, form)
    form = _with_words(form, form.understood(known.texts))
    said = [found.said, _limits_in_words(cells, form)]
    why = ", ".join([_all(cells, form, "numbers"), *filter(None, said)])
    return "number", why, form


def _moments(cells: Cells, found: Moments) -> Found:
    """The form, if every cell is a date, or a time, or missing."""
    others = ~found.read
    kind = found.form.kind
    what = {"number": "hours:minutes:seconds"}.get(kind, f"a {kind}")
    if others.any():
        found.cells.refuse_others(what, others)
    said = f", {found.said}" if found.said else ""
    return kind, _all(cells, found.form, f"{kind}s") + said, found.form


def _refuse_limits(known: Cells, others: pl.Series) -> None:
    """An error where cells are limits such as <0.5, and it isn't said what they are.

    Raises:
        DataError: names the first, and the option.
    """
    limits = others & known.texts.str.contains(f"^{LIMIT}")
    if known.said.limits or not limits.any():
        return
    first = known.first(limits)
    cells = counted(known.number_of(limits), "cell")
    bound, missing = (way(known.table, "limits", to) for to in ("bound", "missing"))
    raise DataError(
        f"{known.place(first)}: a number must be written out, but {shown(first)} is a "
        f"limit, as {cells} of this column are; {bound} takes the number itself, and "
        f"{missing} takes the cell as missing"
    )


def _limits_in_words(cells: Cells, form: NumberForm) -> str:
    if not form.limits:
        return ""
    count = cells.number_of(cells.texts.str.contains(f"^{LIMIT}"))
    taken = "the number itself" if form.limits == "bound" else "missing"
    return f"{counted(count, 'limit')} taken as {taken}" if count else ""


def _check_finite(cells: Cells, form: NumberForm) -> None:
    infinite = form.understood(cells.column).is_infinite().fill_null(False)
    if infinite.any():
        row = int(infinite.arg_max() or 0)
        cell = cells.column[row]
        raise DataError(
            f"{cells.table.place(row, cells.name)}: a number must be finite, but is "
            f"{shown(cell)}; {cells.ways(str(cell))}"
        )


def _with_words(form: NumberForm, numbers: pl.Series) -> NumberForm:
    """Where there are just 0 and 1, later tables may say no and yes."""
    low, high = numbers.min(), numbers.max()
    if (low, high) == (0.0, 1.0) and numbers.drop_nulls().n_unique() == 2:
        return replace(form, words=True)
    return form


# Texts --------------------------------------------------------------------------------


def _category(cells: Cells, before: str = "", behind: str = "") -> Found:
    form = _words(cells, CategoryForm)
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


def category_form(table: Table, name: str, said: OfColumn = NOTHING) -> CategoryForm:
    """The form of a column of which only matters which cells are the same."""
    return _words(Cells.of(table, name, said), CategoryForm)


def _words(cells: Cells, kind: type[Words]) -> Words:
    """A form of words by where they come from, and what was declared missing."""
    source = _source(cells)
    return kind(cells.said.missing_words(source), source=source)


def _source(cells: Cells) -> str:
    """Whose words mean "missing"."""
    if cells.said.kind == "category" or cells.column.dtype != pl.String:
        return "nothing"
    return "frame" if cells.table.typed else "file"


def _digits(cells: Cells, behind: str) -> Found:
    """Texts of digits, among which what no number can be means "missing"."""
    kind, why, form = _category(cells, "", behind)
    assert isinstance(form, CategoryForm)
    if form.source != "file":
        return kind, why, form
    absent = cells.texts.filter(NumberForm().absent(cells.texts))
    markers = sorted({*absent} - {*form.missing_texts})
    return kind, why, replace(form, missing=(*form.missing, *markers))


def _meant_as_texts(cells: Cells, found: Numbers) -> bool:
    """Whether numbers are texts in a frame, and repeat as categories do.

    A frame's reader makes numbers of plain ones: somebody made these texts, or words
    stand among them. Where there is an affix, or a marker of missing cells, it is only
    that the reader didn't understand them.
    """
    markers = len(found.cells.texts) < len(cells.texts)
    if not cells.table.typed or not found.form.plain or markers:
        return False
    column = Column(cells.name, "category", "", CategoryForm(source="frame"))
    return _hardly_repeated(cells, column) is None


def _boolean_pair(cells: Cells) -> str | None:
    """The pair of words, if the cells are one pair and nothing else, or 1 and 0."""
    form = _words(cells, BooleanForm)
    # As many as the spellings of a pair ("yes", "Yes", "YES") are enough to say no.
    if len(cells.texts) > 12:
        return None
    lower = {text.lower() for text in cells.known(form).texts}
    for no, yes in BOOLEANS:
        if lower & {no, yes} and lower <= {no, yes, *DIGITS}:
            return f"{yes} or {no}"
    return None


def _are_codes(cells: Cells) -> bool:
    """Whether texts of digits have zeros in front, and none is a number otherwise."""
    known = cells.known(NumberForm(cells.said.missing_numbers)).texts
    leading = known.str.contains("^0[0-9]+$")
    return bool(leading.any()) and not known.str.contains("[0-9][.,]|[.,][0-9]").any()


def _refuse_words(cells: Cells, found: Column) -> None:
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
