"""Encode the target: class numbers, or a standardized number."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.kinds.magnitude import near_one
from thalweg.kinds.pipeline import Answers
from thalweg.kinds.scores import both_columns
from thalweg.kinds.task import Task
from thalweg.program import ops
from thalweg.tables.forms import USUAL, ColumnKind, Form
from thalweg.tables.scales import Scale
from thalweg.tables.schema import Column, Schema, form_data, form_of
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.strict import items, require_keys, tag_of, text, texts
from thalweg.tables.table import Table
from thalweg.words import listed, shown

LARGE = 1e200


def rows_with_target(
    table: Table, target: str, form: Form = USUAL["category"]
) -> RowNumbers:
    """Positions of the rows whose target isn't missing.

    Args:
        table: the rows.
        target: the column's name.
        form: how its cells are written.

    Raises:
        DataError: it is missing in every row.

    >>> table = Table.of("t", pl.DataFrame({"y": ["1", "NA", "3"]}))
    >>> rows_with_target(table, "y").tolist()
    [0, 2]
    """
    rows = np.flatnonzero(~form.absent(table.column(target)).to_numpy())
    if not len(rows):
        raise DataError(
            f"{table.name}, column {target!r}: a target must have values, "
            "but every cell is missing"
        )
    return rows


def row_weights(
    table: Table, schema: Schema, rows: RowNumbers
) -> NDArray[np.float64] | None:
    """The weights of some rows, shape (rows,); None without a column of weights.

    Raises:
        DataError: a weight is missing or isn't a number, 0 or more, or each is 0.
    """
    column = schema.weights
    if column is None:
        return None
    cells = table.column(column).gather(rows)
    weights = schema.weights_form.understood(cells).fill_null(np.nan).to_numpy()
    bad = ~((weights >= 0) & (weights < np.inf))
    if bad.any():
        at = int(bad.argmax())
        raise DataError(
            f"{table.place(int(rows[at]), column)}: a weight must be a number, "
            f"0 or more, got {shown(cells[at])}"
        )
    if len(rows) and not weights.any():
        raise DataError(f"{table.name}, column {column!r}: a weight must be above 0")
    # Only their ratios matter, but they must have a sum.
    return weights if weights.max(initial=0.0) < LARGE else near_one(weights)


class TargetEncoder(ABC):
    """How a target becomes what a network learns, and back."""

    name: str
    form: Form

    @property
    def learned_name(self) -> str:
        """What is learned, in words."""
        return self.name

    @property
    def has_form(self) -> bool:
        """Whether the target's form isn't the usual one of its kind."""
        return bool(form_data(self.form, self.form.kind))

    @abstractmethod
    def truth(self, table: Table, rows: RowNumbers) -> NDArray[Any]:
        """What predictions of some rows are compared with, shape (rows,).

        Raises:
            DataError: a cell is missing or can't be used; names line and column.
        """

    @abstractmethod
    def learned(self, truth: NDArray[Any]) -> NDArray[Any]:
        """What a network learns of it, shape (rows,)."""

    @abstractmethod
    def answers(self) -> Answers:
        """What is predicted, of what a network gives."""

    @abstractmethod
    def output_shapes(self) -> set[tuple[int, ...]]:
        """What a network that learned it can give for a row."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The encoder as JSON."""


@dataclass(frozen=True)
class ClassTargets(TargetEncoder):
    """Classes numbered from 0 in the order of their labels.

    Args:
        name: the target's column.
        form: how its cells are written.
        keys: the classes as `Form.labels` writes them; the place is the number.
        labels: the classes as the table writes them.
    """

    name: str
    form: Form
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    task: ClassVar[str] = "classes"

    @classmethod
    def fit(cls, table: Table, target: Column, rows: RowNumbers) -> "ClassTargets":
        """The classes in all rows given, so that none of them is unknown later.

        >>> table = Table.of("t", pl.DataFrame({"y": ["b", "a", "b"]}))
        >>> encoder = ClassTargets.fit(table, Column("y", "category", ""), np.arange(3))
        >>> encoder.labels, encoder.truth(table, np.arange(3)).tolist()
        (('a', 'b'), [1, 0, 1])
        """
        cells = table.column(target.name).gather(rows)
        found = target.form.labels(cells)
        order = Decimal if target.kind == "number" else str
        keys = tuple(sorted(found.unique().drop_nulls(), key=order))
        return cls(target.name, target.form, keys, _written(cells, found, keys))

    def truth(self, table: Table, rows: RowNumbers) -> NDArray[np.int32]:
        """Class numbers, shape (rows,), int32."""
        column = table.column(self.name).gather(rows)
        numbers = {key: number for number, key in enumerate(self.keys)}
        codes = self.form.labels(column).replace_strict(
            numbers, default=None, return_dtype=pl.Int32
        )
        if codes.null_count():
            at = int(codes.is_null().arg_max() or 0)
            raise DataError(
                f"{table.place(int(rows[at]), self.name)}: must be one of the classes "
                f"{listed(self.labels)}, got {shown(column[at])}"
            )
        return codes.to_numpy()

    def learned(self, truth: NDArray[Any]) -> NDArray[Any]:
        """The class numbers."""
        return truth

    def number_of(self, label: str) -> int | None:
        """The number of a class, whose label is read as a cell is; None for no class.

        >>> yes_or_no = USUAL["boolean"], ("false", "true"), ("No", "Yes")
        >>> ClassTargets("y", *yes_or_no).number_of("yes")
        1
        """
        if label in self.labels:
            return self.labels.index(label)
        key = self.form.labels(pl.Series([label]))[0]
        return self.keys.index(key) if key in self.keys else None

    def decode(self, numbers: Sequence[int] | NDArray[np.integer[Any]]) -> list[str]:
        """The labels of class numbers."""
        return [self.labels[number] for number in numbers]

    def answers(self) -> Answers:
        """The most probable class, and the probability of each."""

        def formula(outputs: Any) -> dict[str, Any]:
            found = both_columns(outputs)
            return {"prediction": ops.argmax(found, axis=1), "probabilities": found}

        columns = {
            "prediction": ["prediction"],
            "probabilities": [f"probability of {label}" for label in self.labels],
        }
        return Answers(formula, columns, np.array(self.labels, object))

    def output_shapes(self) -> set[tuple[int, ...]]:
        """A number a class; of two classes one is enough."""
        classes = len(self.labels)
        return {(2,), (1,)} if classes == 2 else {(classes,)}

    def to_dict(self) -> dict[str, Any]:
        """The encoder as JSON."""
        return {
            "task": self.task,
            "name": self.name,
            "kind": self.form.kind,
            "keys": list(self.keys),
            "labels": list(self.labels),
            **form_data(self.form, self.form.kind),
        }


@dataclass(frozen=True)
class NumberTargets(TargetEncoder):
    """A number, or its logarithm, standardized by the training rows.

    Args:
        name: the target's column.
        scale: mean and standard deviation of what is learned.
        form: how its cells are written.
        log: whether its natural logarithm is learned.
    """

    name: str
    scale: Scale
    form: Form = USUAL["number"]
    log: bool = False
    task: ClassVar[str] = "number"

    @classmethod
    def fit(
        cls, table: Table, target: Column, rows: RowNumbers, log: bool = False
    ) -> "NumberTargets":
        """Learn mean and deviation from the training rows.

        >>> table = Table.of("t", pl.DataFrame({"y": [1.0, 3.0]}))
        >>> NumberTargets.fit(table, Column("y", "number", ""), np.arange(2)).scale
        Scale(mean=2.0, deviation=1.0)
        """
        values = _numbers(table, target.name, target.form, rows, log)
        scale = Scale.fit(np.log(values) if log else values)
        return cls(target.name, scale, target.form, log)

    def truth(self, table: Table, rows: RowNumbers) -> NDArray[np.float64]:
        """Numbers in the target's unit, shape (rows,), float64."""
        return _numbers(table, self.name, self.form, rows, self.log)

    @property
    def learned_name(self) -> str:
        """What is learned, in words."""
        return f"log {self.name}" if self.log else self.name

    def learned(self, truth: NDArray[Any]) -> NDArray[np.float64]:
        """Standardized numbers, or logarithms; infinite where beyond float64."""
        return self.scale.deviations(np.log(truth) if self.log else truth)

    def decode(self, standardized: NDArray[Any]) -> NDArray[np.float64]:
        """Standardized numbers in the unit of the target; infinite beyond float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            learned = standardized.astype(np.float64) * self.scale.deviation
            learned = learned + self.scale.mean
            return cast(NDArray[np.float64], ops.exp(learned)) if self.log else learned

    def in_unit(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Metrics of what is learned, with errors in the target's unit.

        Those of a logarithm aren't of the target; an error of 0.1 is about 10%. So they
        have names of their own.

        >>> NumberTargets("y", Scale(9.0, 2.0)).in_unit({"rmse": 0.5})
        {'rmse': 1.0}
        >>> NumberTargets("y", Scale(9.0, 2.0), log=True).in_unit({"rmse": 0.5})
        {'rmse of log': 1.0}
        """
        end = " of log" if self.log else ""
        units = {"rmse": self.scale.deviation}
        return {k + end: v * units.get(k, 1.0) for k, v in metrics.items()}

    def answers(self) -> Answers:
        """The number."""
        return Answers(
            lambda outputs: {"prediction": self.decode(outputs[:, 0])},
            {"prediction": ["prediction"]},
        )

    def output_shapes(self) -> set[tuple[int, ...]]:
        """One number."""
        return {(1,)}

    def to_dict(self) -> dict[str, Any]:
        """The encoder as JSON."""
        scale = self.scale.to_dict()
        found = {"task": self.task, "name": self.name, "scale": scale}
        log = {"log": True} if self.log else {}
        return found | log | form_data(self.form, "number")


def fit_targets(
    table: Table,
    target: Column,
    task: Task,
    rows: RowNumbers,
    training: RowNumbers,
    scale: str | None = None,
) -> ClassTargets | NumberTargets:
    """The encoder for a task.

    Args:
        table: the cells.
        target: the target's column.
        task: classes or number.
        rows: positions of all rows with a target; every class among them gets a number.
        training: positions of the training rows, whose mean and deviation are used.
        scale: of a number; ``log`` takes logarithms.

    Raises:
        ArgumentError: classes have no logarithm.
        DataError: a number isn't above 0, and so has none.
    """
    log = scale == "log"
    if task.kind == "classes":
        if log:
            raise ArgumentError(
                f"target_scale log is for numbers, but {target.name!r} is {task.line()}"
            )
        return ClassTargets.fit(table, target, rows)
    if log:  # the first cell that has none, whatever its part
        _numbers(table, target.name, target.form, rows, log)
    return NumberTargets.fit(table, target, training, log)


def targets_from_dict(data: object) -> ClassTargets | NumberTargets:
    """The encoder that `to_dict` wrote, read back from JSON.

    Raises:
        ModelFileError: it isn't one.
    """
    tag = tag_of(data, "task")
    if tag == ClassTargets.task:
        return _class_targets(data)
    keys = ("task", "name", "scale")
    found = require_keys(data, "targets", *keys, optional=("form", "log"))
    if tag != NumberTargets.task:
        raise ModelFileError(f"targets must be classes or number, got {tag!r:.60}")
    scale = Scale.from_dict(found["scale"])
    name = text(found["name"], "a target's name")
    if found.get("log", True) is not True:
        raise ModelFileError("a target's log must be true, or not there")
    return NumberTargets(name, scale, form_of(found, "number"), "log" in found)


def _class_targets(data: object) -> ClassTargets:
    known = ("task", "name", "kind", "keys", "labels")
    found = require_keys(data, "targets", *known, optional=("form",))
    kind = text(found["kind"], "a target's kind")
    if kind not in ("number", "category", "boolean"):
        raise ModelFileError(f"a target of classes can't be a {kind!r:.60}")
    keys = texts(found["keys"], "classes")
    written = tuple(text(item, "a label") for item in items(found["labels"], "labels"))
    if len(keys) < 2 or len(keys) != len(written):
        raise ModelFileError("there must be two classes or more, with a label for each")
    name = text(found["name"], "a target's name")
    return ClassTargets(name, form_of(found, cast(ColumnKind, kind)), keys, written)


def _written(
    cells: pl.Series, found: pl.Series, keys: Sequence[str]
) -> tuple[str, ...]:
    """How the table writes each class first."""
    if cells.dtype != pl.String:
        return tuple(keys)
    first = pl.DataFrame({"key": found, "cell": cells}).unique("key", keep="first")
    as_written = dict(first.iter_rows())
    return tuple(as_written[key] for key in keys)


def _numbers(
    table: Table, name: str, form: Form, rows: RowNumbers, above_zero: bool
) -> NDArray[np.float64]:
    """Finite numbers, above 0 where their logarithms are taken."""
    cells = table.column(name).gather(rows)
    values = form.understood(cells).fill_null(np.nan).to_numpy()
    if not np.isfinite(values).all():
        at = int((~np.isfinite(values)).argmax())
        raise DataError(
            f"{table.place(int(rows[at]), name)}: a target must be a finite number, "
            f"got {shown(cells[at])}"
        )
    if above_zero and not (values > 0).all():
        at = int((values <= 0).argmax())
        raise DataError(
            f"{table.place(int(rows[at]), name)}: a target whose logarithm is learned "
            f"(target_scale log) must be above 0, got {shown(cells[at])}"
        )
    return values
