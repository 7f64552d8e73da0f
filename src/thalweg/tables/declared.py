"""What a user says of a table's columns, which nothing in the cells overrules."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from thalweg.checks import nearest
from thalweg.errors import ArgumentError
from thalweg.tables.forms.missing import NUMBER_TEXTS
from thalweg.tables.forms.moments import parts_and_pattern
from thalweg.tables.forms.texts import MISSING_IN
from thalweg.words import listed

if TYPE_CHECKING:
    from thalweg.tables.table import Table


@dataclass(frozen=True)
class OfColumn:
    """What is said of one column.

    Arguments:
        kind: ``category``, ``number`` or ``date``; nothing where the cells decide.
        order: of a date, as strptime has it; nothing where the cells decide.
        missing: texts that mean "missing".
        decimal, thousands: how numbers are written; nothing where the cells decide.
        limits: what <0.5 is taken for, ``bound`` or ``missing``; nothing for an error.
    """

    kind: str = ""
    order: str = ""
    missing: tuple[str, ...] = ()
    decimal: str = ""
    thousands: str = ""
    limits: str = ""

    @property
    def missing_numbers(self) -> tuple[str, ...]:
        """What means "missing" among numbers and moments beside what always does."""
        return tuple(text for text in self.missing if text.lower() not in NUMBER_TEXTS)

    def missing_words(self, source: str) -> tuple[str, ...]:
        """What means "missing" among words beside what always does in a source."""
        return tuple(text for text in self.missing if text not in MISSING_IN[source])

    @property
    def leaves_numbers_plain(self) -> bool:
        """Whether plain numbers are what they are by themselves."""
        how = self.kind or self.decimal or self.thousands or self.limits
        return not (how or self.missing_numbers)


NOTHING = OfColumn()


@dataclass(frozen=True)
class Declared:
    """What is said of the columns of a table.

    Arguments:
        columns: by name, where there is more to say than of all.
        every: what is said of all others.
    """

    columns: dict[str, OfColumn] = field(default_factory=dict[str, OfColumn])
    every: OfColumn = NOTHING

    def of(self, name: str) -> OfColumn:
        """What is said of a column.

        >>> Declared().of("age").kind
        ''
        """
        return self.columns.get(name, self.every)


class ColumnSettings(Protocol):
    """The settings that say something of columns."""

    @property
    def category(self) -> Sequence[str]:
        """Names of columns."""
        ...

    @property
    def number(self) -> Sequence[str]:
        """Names of columns."""
        ...

    @property
    def date(self) -> Sequence[str]:
        """Names of columns, each maybe with ``=`` and its form."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """Texts, each maybe with a column's name and ``=`` before it."""
        ...

    @property
    def decimal(self) -> str | None:
        """The sign before a number's fraction."""
        ...

    @property
    def thousands(self) -> str | None:
        """The sign between a number's thousands."""
        ...

    @property
    def limits(self) -> str | None:
        """What <0.5 is taken for."""
        ...


def declared_by(settings: ColumnSettings, table: Table) -> Declared:
    """What settings say of a table's columns.

    Raises:
        ArgumentError: there is no such column, one is said to be two kinds, or a form
            of a date can't be one.
    """
    kinds: dict[str, tuple[str, str]] = {}
    for kind in ("category", "number"):
        for name in getattr(settings, kind):
            _declare(kinds, table, kind, name)
    for text in settings.date:
        name, order = _name_and_rest(text, table)
        _declare(kinds, table, "date", name, order)
    missing: dict[str, list[str]] = {}
    everywhere: list[str] = []
    for text in settings.missing:
        name, rest = _name_and_rest(text, table)
        if rest is None:
            everywhere.append(text)
        else:
            missing.setdefault(name, []).append(rest)
    everywhere = [*dict.fromkeys(everywhere)]
    how = settings.decimal or "", settings.thousands or "", settings.limits or ""
    every = OfColumn("", "", tuple(everywhere), *how)
    columns = {
        name: OfColumn(
            *kinds.get(name, ("", "")),
            tuple(dict.fromkeys((*everywhere, *missing.get(name, ())))),
            *how,
        )
        for name in {**kinds, **missing}
    }
    return Declared(columns, every)


def _declare(
    kinds: dict[str, tuple[str, str]],
    table: Table,
    kind: str,
    name: str,
    order: str | None = None,
) -> None:
    if name not in table.columns:
        raise ArgumentError(
            f"{kind} must name a column of {table.name}, got {name!r}"
            f"{nearest(name, table.columns)}; it has {listed(table.columns)}"
        )
    if name in kinds and kinds[name][0] != kind:
        raise ArgumentError(f"{name!r} must be either {kinds[name][0]} or {kind}")
    if order is not None:
        parts_and_pattern(order)
    kinds[name] = kind, order or ""


def _name_and_rest(text: str, table: Table) -> tuple[str, str | None]:
    """A column's name, the longest there is, and what is said of it; else None.

    A name may have an equals sign in it, and so may what follows.
    """
    if text in table.columns:
        return text, None
    for name, rest in _cuts(text):
        if name in table.columns:
            return name, rest
    return text.partition("=")[0], None


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    parts = text.split("=")
    for count in range(len(parts) - 1, 0, -1):
        yield "=".join(parts[:count]), "=".join(parts[count:])


def ways(table: Table, setting: str, names: Sequence[str]) -> str:
    """How the same is declared of several columns."""
    if is_frame(table):
        return f"{setting}={[*names]!r}"
    return " ".join(way(table, setting, name) for name in names)


def is_frame(table: Table) -> bool:
    """Whether it came from Python, and not from a file."""
    return table.typed and table.file is None


def way(table: Table, setting: str, *words: str) -> str:
    """How something is declared: an option, or for a frame an argument.

    >>> from thalweg.tables.read import read
    >>> way(read("examples/penguins.csv"), "missing", "sex", "n/k")
    '--missing sex=n/k'
    """
    text = "=".join(words)
    if is_frame(table):
        return f"{setting}={_argument(setting, words)}"
    return f"--{setting.replace('_', '-')} {shlex.quote(text)}"


OF_ONE_VALUE = (
    *("decimal", "thousands", "limits", "task", "target_scale", "loss"),
    *("group", "time"),
)


def _argument(setting: str, words: Sequence[str]) -> str:
    if setting in OF_ONE_VALUE:
        return repr(words[0])
    return repr([words[0]]) if len(words) == 1 else repr({words[0]: words[1]})
