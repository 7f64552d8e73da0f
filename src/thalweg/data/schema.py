"""What was found out about a table's columns, printable and storable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.data.kinds import KINDS, Kind
from thalweg.data.strict import items, require_keys, text
from thalweg.errors import ModelFileError


@dataclass(frozen=True)
class Column:
    """A column: its name, what its cells are, and why it is taken for that.

    >>> Column("year", "number", "344 of 344 cells are numbers").line()
    'year: number, 344 of 344 cells are numbers'
    """

    name: str
    kind: Kind
    reason: str

    def line(self) -> str:
        """The column in one line, as a person reads it."""
        kind = "set aside" if self.kind == "ignored" else self.kind
        return f"{self.name or '(no name)'}: {kind}, {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON."""
        return {"name": self.name, "kind": self.kind, "reason": self.reason}

    @classmethod
    def from_dict(cls, data: object) -> "Column":
        """The column that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "a column", "name", "kind", "reason")
        kind = text(found["kind"], "a column's kind")
        if kind not in KINDS:
            raise ModelFileError(f"a column's kind must be one of {KINDS}, got {kind}")
        return cls(
            text(found["name"], "a column's name"),
            kind,
            text(found["reason"], "a column's reason"),
        )


@dataclass(frozen=True)
class Schema:
    """The columns of a table and what each is for.

    Args:
        target: the column to be predicted.
        weights: the column that holds each row's weight, if any.
        columns: all others in the table's order, with those set aside.
    """

    target: Column
    weights: str | None
    columns: tuple[Column, ...]

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a network sees."""
        return tuple(column for column in self.columns if column.kind != "ignored")

    @property
    def set_aside(self) -> tuple[Column, ...]:
        """The columns that it doesn't."""
        return tuple(column for column in self.columns if column.kind == "ignored")

    def lines(self) -> list[str]:
        """A line for each column, as a person reads it."""
        return [column.line() for column in self.columns]

    def to_dict(self) -> dict[str, Any]:
        """The schema as JSON."""
        return {
            "target": self.target.to_dict(),
            "weights": self.weights,
            "columns": [column.to_dict() for column in self.columns],
        }

    @classmethod
    def from_dict(cls, data: object) -> "Schema":
        """The schema that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "a schema", "target", "weights", "columns")
        weights = found["weights"]
        columns = items(found["columns"], "a schema's columns")
        return cls(
            Column.from_dict(found["target"]),
            None if weights is None else text(weights, "the weights' column"),
            tuple(Column.from_dict(column) for column in columns),
        ).checked()

    def checked(self) -> "Schema":
        """The schema, if no two columns share a name."""
        names: Sequence[str] = [self.target.name, *(c.name for c in self.columns)]
        if len(set(names)) < len(names) or self.weights in names:
            raise ModelFileError("a schema's columns must have names that differ")
        return self
