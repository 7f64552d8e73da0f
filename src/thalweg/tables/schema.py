"""What was found out about a table's columns, printable and storable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from thalweg.errors import ModelFileError
from thalweg.tables.forms import KINDS, USUAL, ColumnKind, Form, form_from
from thalweg.tables.strict import items, require_keys, text

OF_ITS_KIND = cast(Form, None)  # what stands for the usual form


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what its cells are, why it is taken for that, and the form.

    Args:
        name: the column's.
        kind: what its cells are.
        reason: why it is taken for that.
        form: how its cells are written; the usual one of its kind unless given.

    >>> Column("year", "number", "344 of 344 cells are numbers").line()
    'year: number, 344 of 344 cells are numbers'
    """

    name: str
    kind: ColumnKind
    reason: str
    form: Form = OF_ITS_KIND

    def __post_init__(self) -> None:
        if self.form is OF_ITS_KIND:
            object.__setattr__(self, "form", USUAL[self.kind])

    def line(self) -> str:
        """The column in one line, as a user reads it."""
        kind = "set aside" if self.kind == "ignored" else self.kind
        return f"{self.name or '(no name)'}: {kind}, {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON, with its form where that isn't the usual one."""
        found = {"name": self.name, "kind": self.kind, "reason": self.reason}
        return found | form_data(self.form, self.kind)

    @classmethod
    def from_dict(cls, data: object) -> "Column":
        """The column that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(
            data, "a column", "name", "kind", "reason", optional=("form",)
        )
        kind = text(found["kind"], "a column's kind")
        if kind not in KINDS:
            raise ModelFileError(f"a column's kind must be one of {KINDS}, got {kind}")
        return cls(
            text(found["name"], "a column's name"),
            kind,
            text(found["reason"], "a column's reason"),
            form_of(found, kind),
        )


def form_data(form: Form, kind: ColumnKind) -> dict[str, Any]:
    """A form as JSON; nothing where it is the usual one of its kind."""
    if form is USUAL[kind]:
        return {}
    data = form.to_dict()
    return {} if data == USUAL[kind].to_dict() else {"form": data}


def form_of(data: Any, kind: ColumnKind) -> Form:
    """The form that `form_data` wrote, if any.

    Raises:
        ModelFileError: it isn't one.
    """
    return form_from(data["form"], kind) if "form" in data else USUAL[kind]


@dataclass(frozen=True)
class Schema:
    """The columns of a table and what each is for.

    Args:
        target: the column to be predicted.
        weights: the column that holds each row's weight, if any.
        columns: all others in the table's order, with those set aside.
        weights_form: how the weights are written.
    """

    target: Column
    weights: str | None
    columns: tuple[Column, ...]
    weights_form: Form = USUAL["number"]

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a network sees."""
        return tuple(column for column in self.columns if column.kind != "ignored")

    @property
    def set_aside(self) -> tuple[Column, ...]:
        """The columns that it doesn't."""
        return tuple(column for column in self.columns if column.kind == "ignored")

    @property
    def has_forms(self) -> bool:
        """Whether a column's form isn't the usual one of its kind."""
        every = (self.target, *self.columns)
        unusual = any(form_data(column.form, column.kind) for column in every)
        return unusual or bool(form_data(self.weights_form, "number"))

    def lines(self) -> list[str]:
        """A line for each column, as a user reads it."""
        return [column.line() for column in self.columns]

    def to_dict(self) -> dict[str, Any]:
        """The schema as JSON."""
        form = form_data(self.weights_form, "number")
        return {
            "target": self.target.to_dict(),
            "weights": self.weights,
            "columns": [column.to_dict() for column in self.columns],
            **{f"weights_{key}": value for key, value in form.items()},
        }

    @classmethod
    def from_dict(cls, data: object) -> "Schema":
        """The schema that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        keys = ("target", "weights", "columns")
        found = require_keys(data, "a schema", *keys, optional=("weights_form",))
        weights = found["weights"]
        columns = items(found["columns"], "a schema's columns")
        return cls(
            Column.from_dict(found["target"]),
            None if weights is None else text(weights, "the weights' column"),
            tuple(Column.from_dict(column) for column in columns),
            form_from(found.get("weights_form", USUAL["number"].to_dict()), "number"),
        ).checked()

    def checked(self) -> "Schema":
        """The schema, if no two columns share a name."""
        names: Sequence[str] = [self.target.name, *(c.name for c in self.columns)]
        if len(set(names)) < len(names) or self.weights in names:
            raise ModelFileError("a schema's columns must have names that differ")
        return self
