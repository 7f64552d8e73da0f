"""A table in order of time as what a network looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.cached import cached_property
from thalweg.kinds.targets import NumberTargets
from thalweg.kinds.task import Task
from thalweg.series.calendars import names_of, waves
from thalweg.series.order import Order
from thalweg.series.steps import Step
from thalweg.series.windows import history_windows, moved_back, starts_ahead
from thalweg.tables.cell_report import Report
from thalweg.tables.encode import Encoder
from thalweg.tables.table import Table


@dataclass(frozen=True)
class SeriesInputs:
    """How a table in order of time becomes windows; learned from training rows alone.

    Arguments:
        encoder: how columns become numbers, that of the times and the target aside.
        targets: how the target becomes what is learned.
        known: the columns that are known of times ahead.
        cycles: of the calendar, which follow from the time.
        history: the rows that a forecast looks at.
        ahead: how many times it is of.
        relative: whether changes from the last known value are learned, and not values.
    """

    encoder: Encoder
    targets: NumberTargets
    known: tuple[str, ...]
    cycles: tuple[str, ...]
    history: int
    ahead: int
    relative: bool = False

    @property
    def width(self) -> int:
        """How many numbers there are at each time of a window."""
        ahead = len(self.known_places) + 2 * len(self.cycles)
        copies = -(-self.ahead // self.history)
        return 1 + len(self.encoder.features) + copies * ahead

    @cached_property
    def known_places(self) -> list[int]:
        """Which features of the encoder are known ahead."""
        found: list[int] = []
        start = 0
        for encoding in self.encoder.encodings:
            if encoding.name in self.known:
                found += range(start, start + encoding.width)
            start += encoding.width
        return found

    def names(self, time: str) -> list[str]:
        """What the numbers at a time of a window are, the first copy of each.

        Arguments:
            time: the column of times.
        """
        ahead = [f"{name}, ahead" for name in self._names_ahead(time)]
        return [self.targets.name, *self.encoder.features, *ahead]

    def every_name(self, time: str) -> list[str]:
        """What each number at a time of a window is, and of how far ahead it is.

        Arguments:
            time: the column of times.
        """
        ahead = [
            f"{name}, {start:,} ahead"
            for start in starts_ahead(self.history, self.ahead)
            for name in self._names_ahead(time)
        ]
        return [self.targets.name, *self.encoder.features, *ahead]

    def _names_ahead(self, time: str) -> list[str]:
        """What is known of each time ahead."""
        features = self.encoder.features
        known = [features[at] for at in self.known_places]
        return known + names_of(time, self.cycles)

    def features(
        self, table: Table, order: Order, values: NDArray[np.float64], times: int
    ) -> tuple[NDArray[np.float32], Report]:
        """The numbers at each time, of which windows are views.

        Arguments:
            table: the cells.
            order: its rows.
            values: the target at the first times, in its unit, all of them known.
            times: how many these are; rows after them say what is known ahead.

        Returns:
            Shape (times, numbers), float32; and what was new in the cells.
        """
        encoded = self.encoder.transform(table)
        rows = order.rows[:times]
        past = encoded.X[rows]
        learned = self.targets.learned(values).astype(np.float32)[:, None]
        ahead = np.concatenate(
            [self._known(encoded.X, order, times), self._calendar(order, times)], axis=1
        )
        moved = moved_back(ahead, self.history, self.ahead)
        found = np.concatenate([learned, past, moved], axis=1)
        return np.ascontiguousarray(found, np.float32), encoded.report

    def _known(
        self, X: NDArray[np.float32], order: Order, times: int
    ) -> NDArray[np.float32]:
        """What is known of all times and those ahead; zeros beyond the table's end."""
        found = np.zeros((times + self.ahead, len(self.known_places)), np.float32)
        there = order.rows[: times + self.ahead]
        found[: len(there)] = X[there][:, self.known_places]
        return found

    def _calendar(self, order: Order, times: int) -> NDArray[np.float32]:
        """Where in the calendar all times are, and those ahead."""
        return waves(moments_until(order, times + self.ahead), self.cycles)

    def decoded(
        self, learned: NDArray[Any], last: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Forecasts in the target's unit.

        Arguments:
            learned: what the network gives, shape (windows, ahead).
            last: the last known value of each window, shape (windows,).
        """
        if self.relative:
            learned = learned + self.targets.learned(last)[:, None]
        return self.targets.decode(learned)

    def windows(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Every window of the times, a view, shape (windows, history, numbers)."""
        return history_windows(features, self.history)


def task_of(ahead: int, step: Step) -> Task:
    """What is predicted of each window."""
    return Task("number", f"{ahead:,} ahead of each window, {step} apart")


def moments_until(order: Order, times: int) -> pl.Series:
    """The first moments of a series, so many; after the table's last, by its step."""
    there = order.moments[:times]
    lacking = times - len(there)
    if not lacking:
        return there
    more = order.step.after(order.moments[-1:], lacking)
    return pl.concat([there, more.cast(there.dtype)])


def filled_forward(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values with the last known one in the place of each that is missing.

    Arguments:
        values: shape (times,), NaN where missing, but not at first.

    >>> filled_forward(np.array([1.0, np.nan, np.nan, 4.0])).tolist()
    [1.0, 1.0, 1.0, 4.0]
    """
    known = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(known)]
