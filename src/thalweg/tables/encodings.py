"""How a column of numbers or moments becomes features."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.errors import ModelFileError
from thalweg.tables.forms import USUAL, ColumnKind, Form, NumberForm
from thalweg.tables.scales import NormalScores, Scale
from thalweg.tables.strict import number, require_keys, text, texts, truth

Floats: TypeAlias = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]
KEYS = ("encoding", "name", "kind", "missing")
"""What every encoding stores."""


class Encoding(ABC):
    """How one column becomes features.

    Attributes:
        name: the column's name.
        form: how its cells are written.
        missing: whether cells were missing in training rows.
    """

    __slots__ = ()

    name: str
    form: Form
    missing: bool
    tag: ClassVar[str]

    @property
    def kind(self) -> ColumnKind:
        """What its cells are."""
        return self.form.kind

    @property
    @abstractmethod
    def features(self) -> tuple[str, ...]:
        """A name for each feature."""

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self.features)

    @property
    def type(self) -> pl.DataType:
        """What the column's cells are best read as."""
        plain = isinstance(self.form, NumberForm) and self.form.plain
        return pl.Float64() if plain else pl.String()

    def understood(self, column: pl.Series) -> pl.Series:
        """The cells of a column as what they mean; null where that isn't known."""
        return self.form.understood(column)

    def encode(self, cells: pl.Series) -> NDArray[np.float32]:
        """The features, shape (rows, features), of cells that `understood` gave."""
        features = np.zeros((len(cells), len(self.features)), np.float32)
        self.encode_into(cells, features)
        return features

    @abstractmethod
    def encode_into(self, cells: pl.Series, features: Floats) -> Mask | None:
        """Write the features into zeros.

        Args:
            cells: what `understood` gave.
            features: zeros, shape (rows, features), float32.

        Returns:
            Which cells hold a category that was not learned; None where none does.
        """

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON; its form stands with the column, in the schema."""
        shared = {"name": self.name, "kind": self.kind, "missing": self.missing}
        return {"encoding": self.tag, **shared, **self.learned()}

    @abstractmethod
    def learned(self) -> dict[str, Any]:
        """What was learned from training rows, as JSON."""


def shared_fields(
    found: Mapping[str, Any], form: Form, kinds: tuple[ColumnKind, ...]
) -> tuple[str, Form, bool]:
    """Name, form and whether cells are missing, as every encoding stores them.

    Raises:
        ModelFileError: the kind isn't one of those, or not that of the form.
    """
    kind = text(found["kind"], "a column's kind")
    if kind not in kinds or kind != form.kind:
        raise ModelFileError(f"a column's kind must be one of {kinds}, got {kind!r}")
    name = text(found["name"], "a column's name")
    return name, form, truth(found["missing"], "missing")


@dataclass(frozen=True, slots=True)
class NumberEncoding(Encoding):
    """A number: standardized; its normal score too where it's far from normal.

    A missing cell gets the median of the training rows, and a feature that says so if
    one was missing there.
    """

    name: str
    form: Form
    missing: bool
    fill: float
    scale: Scale
    scores: NormalScores | None
    tag: ClassVar[str] = "number"

    @classmethod
    def fit(
        cls, name: str, cells: pl.Series, form: Form = USUAL["number"]
    ) -> "NumberEncoding":
        """Learn median, mean, scale and ranks from the cells of training rows."""
        numbers = _numbers(cells)
        known = numbers[np.isfinite(numbers)]
        if not len(known):
            known = np.zeros(1)
        missing = len(known) < len(numbers)
        (found,) = cls.fit_each([name], known[None], [form], missing)
        return found

    @classmethod
    def fit_each(
        cls,
        names: Sequence[str],
        values: Floats,
        forms: Sequence[Form],
        missing: bool = False,
    ) -> list["NumberEncoding"]:
        """Learn the encodings of many columns, without a missing cell in them.

        Args:
            names: of the columns.
            values: finite numbers of training rows, shape (columns, rows).
            forms: how each column's cells are written.
            missing: whether others were missing.
        """
        middle = (values.shape[1] - 1) // 2
        fills = np.partition(values, middle, axis=1)[:, middle]
        scales, scores = Scale.fit_each(values), NormalScores.fit_each(values)
        each = zip(names, forms, fills.tolist(), scales, scores, strict=True)
        return [
            cls(name, form, missing, fill, scale, score)
            for name, form, fill, scale, score in each
        ]

    @classmethod
    def from_dict(cls, data: object, form: Form) -> "NumberEncoding":
        """The encoding that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "an encoding", *KEYS, "fill", "scale", "scores")
        scores = found["scores"]
        return cls(
            *shared_fields(found, form, ("number",)),
            number(found["fill"], "a median"),
            Scale.from_dict(found["scale"]),
            None if scores is None else NormalScores.from_dict(scores),
        )

    def learned(self) -> dict[str, Any]:
        """The median, the scale and the normal scores."""
        scores = None if self.scores is None else self.scores.to_dict()
        return {"fill": self.fill, "scale": self.scale.to_dict(), "scores": scores}

    @property
    def features(self) -> tuple[str, ...]:
        """The number, its normal score, whether it is missing."""
        scores = (f"{self.name} (normal score)",) if self.scores else ()
        return self.name, *scores, *missing_name(self)

    def encode_into(self, cells: pl.Series, features: Floats) -> None:
        """Write 1 to 3 features."""
        self.encode_numbers(_numbers(cells), features)

    def encode_numbers(self, numbers: Floats, features: Floats) -> None:
        """Write 1 to 3 features of numbers, NaN where a cell is missing."""
        self.encode_each([self], numbers[None], [0], features)

    @property
    def width(self) -> int:
        """How many features there are."""
        return 1 + (self.scores is not None) + self.missing

    @staticmethod
    def encode_each(
        encodings: "Sequence[NumberEncoding]",
        values: Floats,
        starts: Sequence[int],
        X: Floats,
    ) -> None:
        """Write the features of many columns.

        Args:
            encodings: of the columns.
            values: numbers, NaN where a cell is missing, shape (columns, rows).
            starts: where the features of each start.
            X: zeros, shape (rows, features).
        """
        absent = ~np.isfinite(values)
        fills = np.array([encoding.fill for encoding in encodings])
        if absent.any():
            values = np.where(absent, fills[:, None], values)
        X[:, starts] = Scale.standardized(
            [encoding.scale for encoding in encodings], values
        ).T
        for place, (encoding, start) in enumerate(zip(encodings, starts, strict=True)):
            if encoding.scores is not None:
                X[:, start + 1] = encoding.scores(values[place])
            if encoding.missing:
                X[:, start + encoding.width - 1] = absent[place]


@dataclass(frozen=True)
class MomentEncoding(Encoding):
    """A date or time of day: how far along, and where in the year, week and day.

    Each cycle that varies among training rows is the sine and the cosine of its phase,
    so that the last hour of a day is close to the first of the next. Both are 0 where
    the cell is missing.
    """

    name: str
    form: Form
    missing: bool
    fill: float
    scale: Scale
    cycles: tuple[str, ...]
    tag: ClassVar[str] = "moment"

    @classmethod
    def fit(cls, name: str, form: Form, cells: pl.Series) -> "MomentEncoding":
        """Learn scale and the cycles that vary from the cells of training rows."""
        days = _days(cells)
        known = (
            days[~np.isnan(days)] if cells.null_count() < len(cells) else np.zeros(1)
        )
        phases = {cycle: CYCLES[cycle](cells) for cycle in _possible_cycles(form.kind)}
        return cls(
            name,
            form,
            bool(np.isnan(days).any()),
            _middle(known),
            Scale.fit(known),
            tuple(
                cycle for cycle in phases if phases[cycle].drop_nulls().n_unique() > 1
            ),
        )

    @classmethod
    def from_dict(cls, data: object, form: Form) -> "MomentEncoding":
        """The encoding that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "an encoding", *KEYS, "fill", "scale", "cycles")
        cycles = texts(found["cycles"], "cycles")
        if not set(cycles) <= set(CYCLES):
            raise ModelFileError(f"cycles must be of {', '.join(CYCLES)}")
        return cls(
            *shared_fields(found, form, ("date", "time")),
            number(found["fill"], "a median"),
            Scale.from_dict(found["scale"]),
            cycles,
        )

    def learned(self) -> dict[str, Any]:
        """The median, the scale and the cycles."""
        cycles = list(self.cycles)
        return {"fill": self.fill, "scale": self.scale.to_dict(), "cycles": cycles}

    @property
    def features(self) -> tuple[str, ...]:
        """The moment, sine and cosine of each cycle, whether it is missing."""
        waves = [
            f"{self.name} ({wave} of {cycle})"
            for cycle in self.cycles
            for wave in ("sine", "cosine")
        ]
        return self.name, *waves, *missing_name(self)

    def encode_into(self, cells: pl.Series, features: Floats) -> None:
        """Write 1 feature, 2 for each cycle, and 0 or 1."""
        days = _days(cells)
        absent = np.isnan(days)
        features[:, 0] = self.scale(np.where(absent, self.fill, days))
        for place, cycle in enumerate(self.cycles):
            angle = 2 * np.pi * _numbers(CYCLES[cycle](cells))
            features[:, 1 + 2 * place] = np.nan_to_num(np.sin(angle))
            features[:, 2 + 2 * place] = np.nan_to_num(np.cos(angle))
        if self.missing:
            features[:, -1] = absent


def _days(cells: pl.Series) -> Floats:
    """Days since 1970, or since midnight."""
    dtype = pl.Int64
    per_day = 86_400e9 if cells.dtype == pl.Time else 86_400e6
    return _numbers(cells.cast(dtype)) / per_day


def _possible_cycles(kind: ColumnKind) -> tuple[str, ...]:
    return ("day",) if kind == "time" else ("year", "week", "day")


def _day_phase(cells: pl.Series) -> pl.Series:
    return (cells.dt.hour() + cells.dt.minute() / 60 + cells.dt.second() / 3600) / 24


CYCLES: dict[str, Callable[[pl.Series], pl.Series]] = {
    "year": lambda cells: cells.dt.ordinal_day() / 365.25,
    "week": lambda cells: cells.dt.weekday() / 7,
    "day": _day_phase,
}
"""The phase, from 0 to 1, of each cycle that a moment can be in."""


def _numbers(cells: pl.Series) -> Floats:
    """The cells as float64, NaN where missing."""
    return cells.cast(pl.Float64).to_numpy()


def _middle(values: Floats) -> float:
    """The median, or the lower of two in the middle, whose mean may overflow."""
    return float(np.partition(values, (len(values) - 1) // 2)[(len(values) - 1) // 2])


def missing_name(encoding: Encoding) -> tuple[str, ...]:
    """The name of the feature that says that a cell is missing, where there is one."""
    return (f"{encoding.name} missing",) if encoding.missing else ()
