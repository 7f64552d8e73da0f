"""Tables of columns whose meaning is known, as files; and whether they're read so."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from fuzzing import BrokenPromiseError, Meter
from written_column import Decision, Written
from written_moments import MOMENTS
from written_numbers import NUMBERS
from written_words import WORDS

from thalweg.errors import DataError
from thalweg.exports import runtime
from thalweg.exports.python_columns import arguments_of
from thalweg.tables.declared import Declared, declared_by
from thalweg.tables.forms import (
    CategoryForm,
    DateForm,
    DurationForm,
    Form,
    NumberForm,
    TimeForm,
    form_from,
)
from thalweg.tables.forms.moments import ISO
from thalweg.tables.forms.texts import SAID
from thalweg.tables.infer import infer_column, infer_features
from thalweg.tables.read import read
from thalweg.tables.schema import Column
from thalweg.tables.table import Table
from thalweg.tabular.inspection import inspect_table
from thalweg.tabular.prepare import prepare
from thalweg.tabular.settings import Settings

KINDS = (*NUMBERS, *NUMBERS, *MOMENTS, *WORDS)
IDENTIFIERS = ("id", "user_id", "patientId")
NAMES = (
    *("x", "BID", "PAID", "price €", "a=b", "Größe", "how long", "n.", "y z", "it's"),
    *("x,y", "MIXED", "-", "a;b"),
    *IDENTIFIERS,
)
ONE_FOR_ALL = ("decimal", "thousands", "limits")
TARGET = "label"
TOLD = ("cp1252", "latin-1")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", *TOLD)

for part, form in (
    ("NUMBER", NumberForm()),
    ("TIME", TimeForm()),
    ("DATE", DateForm()),
):
    setattr(runtime, part, form.pattern)  # an exported file has these as constants
runtime.DURATION = DurationForm.pattern
runtime.DATE_PARTS = DateForm().parts
runtime.BOOLEANS = SAID


# Tables -------------------------------------------------------------------------------


@dataclass(frozen=True)
class WrittenTable:
    """Columns, and what is declared of them."""

    columns: tuple[Written, ...]
    settings: Settings


def draw(choose: random.Random) -> WrittenTable:
    """A table of one to three columns that don't disturb each other."""
    rows = choose.randrange(12, 44)
    names = choose.sample(NAMES, choose.choice((1, 1, 1, 2, 3)))
    columns: list[Written] = []
    for name in names:
        column = choose.choice(KINDS)(choose, name, rows)
        if column is not None and fits(column, columns):
            columns.append(column)
    given: dict[str, Any] = {}
    for column in columns:
        for setting, text in column.settings.items():
            alone = setting in ONE_FOR_ALL
            given[setting] = text if alone else (*given.get(setting, ()), text)
    return WrittenTable(tuple(columns), Settings.by_name(given))


def fits(column: Written, others: Sequence[Written]) -> bool:
    """Whether what is declared for all numbers means one thing in a table."""
    every = [each for each in (column, *others) if not indifferent(each)]
    said = [{n: t for n, t in c.settings.items() if n in ONE_FOR_ALL} for c in every]
    limited = any("limits" in each for each in said)
    mixed = limited and any(each.plain for each in (column, *others))
    return not mixed and all(each == said[0] for each in said)


def indifferent(column: Written) -> bool:
    """Whether how numbers are written says nothing of a column."""
    return column.kind in ("date", "time") or column.plain


def written(
    table: WrittenTable, choose: random.Random, folder: Path
) -> tuple[Path, Settings]:
    """The table as a file of any dialect, and the settings with what must be said."""
    rows = len(table.columns[0].cells) if table.columns else 12
    columns = {each.name: each.cells for each in table.columns}
    columns |= {TARGET: ["ab"[row % 2] for row in range(rows)]}
    said: dict[str, Any] = {}
    separator, title = choose.choice(",,;;\t|"), choose.random() < 0.05
    if choose.random() < 0.2:
        said["separator"] = separator
    if title:
        said["skip_rows"] = 1
    text = "Sales of 2024\n" * title + text_of(columns, separator, choose)
    encoding = choose.choice(ENCODINGS)
    encoding = encoding if can(text, encoding) else "utf-8"
    if encoding in TOLD and not text.isascii():
        said["encoding"] = encoding
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path, Settings.by_name({**table.settings.to_dict(), **said})


def text_of(
    columns: Mapping[str, Sequence[str]], separator: str, choose: random.Random
) -> str:
    """The lines of a file, with quotes where they're needed or everywhere."""
    out, end = io.StringIO(), choose.choice(("\n", "\n", "\r\n", "\r"))
    every = end == "\r"  # else csv leaves a \n bare
    every |= any({*",;|"} & {*name} for name in columns)  # else two cut alike
    every |= choose.random() < 0.3
    quoting = csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)
    pad = " " if choose.random() < 0.1 and separator != "\t" else ""
    lines = [[*columns], *zip(*columns.values(), strict=True)]
    writer.writerows([[cell + pad for cell in line] for line in lines])
    return out.getvalue()


def can(text: str, encoding: str) -> bool:
    """Whether a text can be in an encoding."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


# What was read ------------------------------------------------------------------------


def judge(choose: random.Random, case: Path, meter: Meter) -> str:
    """Write a table, read it, and compare what each column is taken for."""
    table = draw(choose)
    path, settings = written(table, choose, case)
    try:
        found = read(path, settings.dialect)
        said = declared_by(settings, found)
        refused = [each for each in table.columns if is_refused(found, each, said)]
        if choose.random() < 0.2:  # as it takes as long again
            require_features(found, table.columns, refused, said)
        if choose.random() < 0.05:
            require_inspected(path, settings, table.columns, refused)
            require_prepared(found, settings, table.columns, refused)
    except BrokenPromiseError as error:
        raise BrokenPromiseError(f"settings: {told(settings)}\n{error}") from None
    kinds = sorted(
        each.what + ", refused" * (each in refused) for each in table.columns
    )
    return " and ".join(kinds[:1]) or "nothing"


def told(settings: Settings) -> dict[str, Any]:
    """The settings that aren't as usual."""
    usual = Settings().to_dict()
    return {n: v for n, v in settings.to_dict().items() if v != usual[n]}


def is_refused(table: Table, written: Written, said: Declared) -> bool:
    """Whether a column is an error, as it may be; else it must mean what it does."""
    try:
        column = infer_column(table, written.name, said.of(written.name))
    except DataError as error:
        require_refusal(table, written, str(error))
        return True
    require(written.refusal != "must", written, f"taken for {column.line()}")
    require_meaning(table, column, written, written.kind, written.meant)
    return False


def require(holds: bool, written: Written, found: str) -> None:
    """What holds of a column."""
    if not holds:
        cells = ", ".join(map(repr, written.cells))
        said = f"cells of {written.name!r}: {cells}"
        raise BrokenPromiseError(f"{said}\n{written.what}: {found}")


def require_refusal(table: Table, written: Written, error: str) -> None:
    """An error that may be names the column, and offers what decides rightly."""
    require(bool(written.refusal), written, f"refused: {error}")
    named = f"{written.name!r}" in error and table.name in error and "line" in error
    require(named, written, f"not named in: {error}")
    if written.refusal == "may":
        undecided = "no cell of the column decides" in error
        require(undecided, written, f"refused: {error}")
    offered = [each for each in written.decisions if option(each) in error]
    require(bool(offered), written, f"no way to decide in: {error}")
    for decision in offered:
        settings = Settings.by_name({decision.setting: settled(decision)})
        said = declared_by(settings, table).of(written.name)
        try:
            column = infer_column(table, written.name, said)
        except DataError as again:
            raise BrokenPromiseError(f"after {option(decision)}: {again}") from again
        require_meaning(table, column, written, decision.kind, decision.meant)


def option(decision: Decision) -> str:
    """As it is shown."""
    return f"--{decision.setting} {quote(decision.text)}"


def settled(decision: Decision) -> Any:
    """As a setting has it."""
    alone = decision.setting in ONE_FOR_ALL
    return decision.text if alone else (decision.text,)


def require_meaning(
    table: Table, column: Column, written: Written, kind: str, meant: Sequence[Any]
) -> None:
    """The column's form reads what the cells mean, and is the same after saving."""
    line = column.line()
    require(column.kind == kind, written, f"taken for {line}, not {kind}")
    cells, data = table.column(column.name), column.form.to_dict()
    saved = form_from(json.loads(json.dumps(data)), column.kind)
    same = saved == column.form and saved.to_dict() == data
    require(same, written, f"saved as {data}, and read as {saved}")
    values = column.form.understood(cells).to_list()
    require(values == [*meant], written, f"{line}: {differing(values, meant)}")
    absent = column.form.absent(cells).to_list()
    missing = [value is None for value in meant]
    require(absent == missing, written, f"missing: {differing(absent, missing)}")
    there = exported(column.form, cells.to_list())
    require(there == [*meant], written, f"exported: {differing(there, meant)}")


def differing(found: Sequence[Any], meant: Sequence[Any]) -> str:
    """The first that isn't as it is meant."""
    for row, (one, other) in enumerate(zip(found, meant, strict=True)):
        if one != other:
            return f"row {row + 1} is {one!r}, but means {other!r}"
    return "they are the same"


def exported(form: Form, cells: Sequence[str | None]) -> list[Any]:
    """What an exported file reads of the cells."""
    rows = runtime.cells_of({"x": [*cells]}, "x")
    if form.missing and not isinstance(form, CategoryForm):
        rows = runtime.without(rows, form.missing)
    how: Mapping[str, Any] = arguments_of(form)
    if isinstance(form, NumberForm | DurationForm):
        read = (
            runtime.as_number if isinstance(form, NumberForm) else runtime.as_duration
        )
        numbers = [read(cell, **how) for cell in rows]
        return [None if math.isnan(number) else number for number in numbers]
    if isinstance(form, DateForm):
        plain = form.order == ISO
        pattern = runtime.DATE if plain else form.pattern
        return [runtime.as_date(cell, pattern, form.parts) for cell in rows]
    if isinstance(form, TimeForm):
        return [*map(runtime.as_time, rows)]
    if isinstance(form, CategoryForm):
        return [runtime.known(runtime.as_category(c), how["absent"]) for c in rows]
    return [*map(runtime.as_boolean, rows)]


# What a table was taken for -----------------------------------------------------------


def require_features(
    table: Table, columns: Sequence[Written], refused: Sequence[Written], said: Declared
) -> None:
    """All at once, columns are what each is by itself; few may be set aside."""
    rest = [each for each in columns if each not in refused]
    found = infer_features(table, [each.name for each in rest], said)
    for written in rest:
        feature = found[written.name]
        if feature.kind == "ignored":
            require(may_be_aside(written), written, feature.line())
            continue
        require_meaning(table, feature, written, written.kind, written.meant)


def may_be_aside(written: Written) -> bool:
    """Whether a column is another text in each row, or numbers that say who."""
    known = [value for value in written.meant if value is not None]
    different = len(set(known)) == len(known)
    if written.kind == "category":
        return different
    whole = all(isinstance(value, float) and value.is_integer() for value in known)
    named = written.name in IDENTIFIERS and len(known) == len(written.meant)
    return whole and named and different


def require_inspected(
    path: Path,
    settings: Settings,
    columns: Sequence[Written],
    refused: Sequence[Written],
) -> None:
    """`inspect` shows the same errors, and the same kinds."""
    shown = {each.name: each for each in inspect_table(path, None, settings).columns}
    for written in columns:
        kind = shown[written.name].kind
        wanted = "error" if written in refused else written.kind
        aside = kind == "ignored" and may_be_aside(written)
        require(kind == wanted or aside, written, f"inspected as {kind}")


def require_prepared(
    table: Table,
    settings: Settings,
    columns: Sequence[Written],
    refused: Sequence[Written],
) -> None:
    """What is prepared says the same of its columns, or ends with the same error."""
    try:
        prepare(table, TARGET, settings)
    except DataError as error:
        all_aside = all(map(may_be_aside, columns))
        if not refused and not all_aside:
            raise BrokenPromiseError(f"not prepared: {error}") from error
    else:
        require(not refused, (*refused, *columns)[0], "prepared, though it is an error")
