"""From a table to windows of the parts that training takes, in one call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ArgumentError, DataError
from thalweg.forecasting.inputs import SeriesInputs, filled_forward, task_of
from thalweg.forecasting.series import Series, series_of
from thalweg.forecasting.settings import ForecastSettings
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.parts import Parts
from thalweg.kinds.targets import NumberTargets
from thalweg.series.calendars import cycles_of
from thalweg.series.order import Order, cell
from thalweg.series.seasons import drifts, season_of
from thalweg.series.windows import target_windows
from thalweg.tables.cell_report import Report
from thalweg.tables.encode import Encoder
from thalweg.tables.scales import Scale
from thalweg.tables.schema import Column, Schema
from thalweg.tables.splitting.split import size_of
from thalweg.tables.table import Table
from thalweg.words import counted

FEWEST_WINDOWS = 10
"""To learn from; of fewer nothing can be said."""


@dataclass(frozen=True)
class PreparedSeries(Parts):
    """A series ready to be learned; a row of each part is a window.

    Args:
        table: the cells.
        schema: what each column is, and why.
        order: the rows that count, in order of time.
        inputs: how they become windows.
        features: the numbers at each time, of which the windows are views.
        values: the target at each time, with the last known one in the place of each
            that is missing.
        cuts: the first times to validate and to test on.
        season: by which the training rows repeat; None where none is known.
        report: what was found in the cells.
    """

    table: Table
    schema: Schema
    order: Order
    inputs: SeriesInputs
    features: NDArray[np.float32]
    values: NDArray[np.float64]
    cuts: tuple[int, int]
    season: int | None
    report: Report

    @property
    def ahead(self) -> int:
        """How many times each window's forecast is of."""
        return self.inputs.ahead

    @property
    def test_origins(self) -> NDArray[np.int64]:
        """The last known time of each test window."""
        first = self.cuts[1] - 1
        return np.arange(first, first + len(self.test.X))

    @property
    def test_last(self) -> NDArray[np.float64]:
        """The last known value of each test window."""
        return self.values[self.test_origins]


def prepare(table: Table, target: str, settings: ForecastSettings) -> PreparedSeries:
    """Put in order, infer, split and encode; statistics are of training times alone.

    Args:
        table: what `read` gave.
        target: the name of the column to be forecast.
        settings: its times, and how far to look back and ahead.

    Raises:
        ArgumentError: a column's name or a length can't be right.
        DataError: a cell can't be used, times aren't evenly spaced, or there are too
            few; the message names line and column.

    >>> from thalweg.tables.read import read
    >>> day = ForecastSettings(time="time", history="2d", ahead=12)
    >>> bikes = prepare(read("examples/bikes.csv"), "bikers", day)
    >>> bikes.training.X.shape, bikes.training.y.shape, str(bikes.order.step)
    ((1937, 48, 12), (1937, 12), '1 hour')
    """
    series = series_of(table, target, settings)
    cuts = cuts_of(series, settings)
    return learned_from(series, cuts)


def learned_from(series: Series, cuts: tuple[int, int]) -> PreparedSeries:
    """Split and encode; statistics are of training times alone.

    Args:
        series: in order of time.
        cuts: the first times to validate and to test on.

    Raises:
        ArgumentError: a column known ahead has too many categories.
        DataError: a cell can't be used.
    """
    table, order, cells = series.table, series.order, series.cells
    history, ahead, known = series.history, series.ahead, series.known
    training = order.rows[: cuts[0]]
    schema, encoder = encoder_of(table, series.schema, order.column, training, known)
    seen = training[~np.isnan(cells[: cuts[0]])]
    targets = NumberTargets.fit(table, schema.target, seen)
    values = filled_forward(cells)
    trained = values[: cuts[0]]
    season = season_of(trained, order.step)
    relative = drifts(trained, season or history)
    if relative:
        scale = Scale(targets.scale.mean, usual_change(trained, ahead))
        targets = replace(targets, scale=scale)
    cycles = cycles_of(order.moments[: cuts[0]], order.step)
    inputs = SeriesInputs(encoder, targets, known, cycles, history, ahead, relative)
    features, report = inputs.features(table, order, values, len(order))
    parts = windows_of(inputs, features, values, cells, cuts)
    return PreparedSeries(
        task_of(ahead, order.step),
        targets,
        **parts,
        notes=(*series.notes, *said_of_parts(table, order, cuts)),
        table=table,
        schema=schema,
        order=order,
        inputs=inputs,
        features=features,
        values=values,
        cuts=cuts,
        season=season,
        report=report,
    )


# Columns ------------------------------------------------------------------------------


def encoder_of(
    table: Table,
    schema: Schema,
    time: Column,
    rows: NDArray[np.int64],
    known: tuple[str, ...],
) -> tuple[Schema, Encoder]:
    """What the columns are, and how they become numbers.

    The time itself isn't one of them: later times have others.

    Raises:
        ArgumentError: a column known ahead has too many categories.
    """
    aside = Column(time.name, "ignored", "rows are in its order")
    schema = with_columns(schema, {time.name: aside})
    if not schema.features:
        return schema, Encoder(schema, ())
    encoder = Encoder.fit(schema, table, rows)
    many = {each.name: each.categories for each in encoder.embedded}
    if not many:
        return schema, encoder
    for name in known:
        if name in many:
            raise ArgumentError(
                f"known_ahead must be columns of fewer categories than {name!r} has"
            )
    why = "categories, more than a forecast can use yet"
    schema = with_columns(
        schema, {n: Column(n, "ignored", f"{many[n]:,} {why}") for n in many}
    )
    if not schema.features:
        return schema, Encoder(schema, ())
    return schema, Encoder.fit(schema, table, rows)


def with_columns(schema: Schema, others: dict[str, Column]) -> Schema:
    """The schema with other columns in the place of those of their names."""
    columns = tuple(others.get(each.name, each) for each in schema.columns)
    return replace(schema, columns=columns)


def usual_change(values: NDArray[np.float64], ahead: int) -> float:
    """How far values ahead are from the last known one, a root mean square.

    √ mean (y_{t+h} − y_t)², over all t and h = 1 … ahead

    >>> usual_change(np.arange(9.0), ahead=1)
    1.0
    """
    squares = [
        float(np.mean(np.square(values[h:] - values[:-h]))) for h in range(1, ahead + 1)
    ]
    return float(np.sqrt(np.mean(squares)))


# Parts --------------------------------------------------------------------------------


def cuts_of(series: Series, settings: ForecastSettings) -> tuple[int, int]:
    """The first times to validate and to test on.

    Raises:
        DataError: there are too few for windows in each part.
    """
    times = len(series)
    test = times - size_of(settings.test, times)
    cuts = test - size_of(settings.validation, times), test
    require_windows(series, cuts)
    return cuts


def require_windows(series: Series, cuts: tuple[int, int]) -> None:
    """There are windows in each part.

    Raises:
        DataError: there are too few.
    """
    times, history, ahead = len(series), series.history, series.ahead
    window = f"history and ahead, {history:,} + {ahead:,} rows"
    lacks = (
        ("train", cuts[0], history + ahead + FEWEST_WINDOWS - 1),
        ("validate", cuts[1] - cuts[0], ahead),
        ("test", times - cuts[1], ahead),
    )
    for purpose, there, least in lacks:
        if there < least:
            raise DataError(
                f"{series.table.name}: has too few rows for {window}: of {times:,} "
                f"there are {there:,} to {purpose} on, and {least:,} are needed; "
                "shorter ones need fewer"
            )


def windows_of(
    inputs: SeriesInputs,
    features: NDArray[np.float32],
    values: NDArray[np.float64],
    cells: NDArray[np.float64],
    cuts: tuple[int, int],
) -> dict[str, EncodedRows]:
    """The windows of each part: those whose times ahead are all in it.

    A history may reach back into the part before: at the time of the forecast those
    rows are known. No time ahead is in two parts.

    Args:
        inputs: how long windows are.
        features: the numbers at each time.
        values: the target, without a gap.
        cells: the target, NaN where it is missing.
        cuts: the first times to validate and to test on.
    """
    history, ahead = inputs.history, inputs.ahead
    X = inputs.windows(features)
    learned = inputs.targets.learned(values)
    y = target_windows(learned, history, ahead)
    if inputs.relative:
        y = y - learned[history - 1 : len(learned) - ahead, None]
    truth = target_windows(cells, history, ahead)
    ends = [0, *cuts, len(values)]
    found: dict[str, EncodedRows] = {}
    for number, name in enumerate(("training", "validation", "test")):
        start, stop = max(ends[number] - history, 0), ends[number + 1] - history - ahead
        part = slice(start, stop + 1)
        known = np.asarray(~np.isnan(truth[part]).any(axis=1))
        weights = None if known.all() else known.astype(np.float64)
        rows = y[part].astype(np.float32)
        found[name] = EncodedRows(X[part], truth[part], rows, weights)
    return found


def said_of_parts(table: Table, order: Order, cuts: tuple[int, int]) -> list[str]:
    """Which times are tested and validated on."""
    name = order.column.name
    test, validation = (len(order) - cuts[1]), cuts[1] - cuts[0]
    starts = [cell(table, name, int(order.rows[cut])) for cut in cuts]
    return [
        f"tested on the last {counted(test, 'time')}, from {starts[1]} on",
        f"validated on the {counted(validation, 'time')} before, from {starts[0]} on",
    ]
