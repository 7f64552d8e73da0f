"""Infer what each column of a table is, and in which form, and say why."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.checks import nearest
from thalweg.errors import ArgumentError
from thalweg.tables.declared import NOTHING, Declared, OfColumn
from thalweg.tables.forms import USUAL, CategoryForm, Form, is_text
from thalweg.tables.infer.described import described
from thalweg.tables.infer.plain_numbers import plain_numbers
from thalweg.tables.infer.set_aside import why_no_help, why_useless
from thalweg.tables.infer.texts import refuse_words, words_of
from thalweg.tables.recognize.cells import Cells
from thalweg.tables.recognize.numbers import recognize_numbers
from thalweg.tables.schema import Column, Schema
from thalweg.tables.table import Table


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

    >>> import polars as pl
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
    found = plain_numbers(table, silent)
    for name in names:
        if name not in found:
            found[name] = infer_feature(table, name, said.of(name))
    return found


def infer_column(table: Table, name: str, said: OfColumn = NOTHING) -> Column:
    """What one column is, were it never set aside for being of no help.

    Raises:
        DataError: most of its cells are something and one isn't, or may be two things.
    """
    cells = Cells.of(table, name, said)
    found = described(cells)
    refuse_words(cells, found)
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
    useless = why_useless(cells.column)
    if useless:
        return Column(name, "ignored", useless)
    found = described(cells)
    useless = None if said.kind else why_no_help(cells, found)
    if useless:
        return Column(name, "ignored", useless)
    refuse_words(cells, found)
    return found


def category_form(table: Table, name: str, said: OfColumn = NOTHING) -> CategoryForm:
    """The form of a column of which only matters which cells are the same."""
    return words_of(Cells.of(table, name, said), CategoryForm)


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
