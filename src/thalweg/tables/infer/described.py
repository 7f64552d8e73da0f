"""What the cells of one column are, in which form, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.declared import way
from thalweg.tables.forms import (
    USUAL,
    BooleanForm,
    DateForm,
    Form,
    NumberForm,
    TimeForm,
    is_text,
    is_unusable,
)
from thalweg.tables.forms.missing import MISSING_TEXTS
from thalweg.tables.forms.numbers import LIMIT
from thalweg.tables.infer.texts import (
    Found,
    are_codes,
    boolean_pair,
    category,
    digits_of,
    meant_as_texts,
    words_of,
)
from thalweg.tables.recognize.cells import Cells
from thalweg.tables.recognize.moments import Moments, recognize_dates, recognize_times
from thalweg.tables.recognize.numbers import RecognizedNumbers, recognize_numbers
from thalweg.tables.schema import Column
from thalweg.words import counted, shown

BEYOND = ", whole numbers beyond 2⁵³, which aren't rounded"
"""Those that a float would round are texts."""

Recognized = TypeVar("Recognized", RecognizedNumbers, Moments)


def described(cells: Cells) -> Column:
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
        return category(cells, "as declared, ")
    if not is_text(column.dtype):
        return _of_type(cells)
    if said.kind == "number":
        return _numbers(cells, _required(cells, recognize_numbers(cells), "numbers"))
    if said.kind == "date":
        return _moments(cells, _required(cells, recognize_dates(cells), "dates"))
    if column.dtype != pl.String:
        return category(cells)
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
        return digits_of(cells, BEYOND)
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
    pair = boolean_pair(cells)
    if pair is not None:
        form = words_of(cells, BooleanForm)
        return "boolean", _all(cells, form, pair), form
    if are_codes(cells):
        return digits_of(cells, ", codes with leading zeros")
    numbers = recognize_numbers(cells)
    if numbers is not None:
        if numbers.form.exceeds(numbers.cells.texts):
            return digits_of(cells, BEYOND)
        if meant_as_texts(cells, numbers):
            return category(cells, "", ", numbers in a column of texts")
        return _numbers(cells, numbers)
    moments = recognize_dates(cells) or recognize_times(cells)
    return category(cells) if moments is None else _moments(cells, moments)


# Numbers and moments ------------------------------------------------------------------


def _numbers(cells: Cells, found: RecognizedNumbers) -> Found:
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
