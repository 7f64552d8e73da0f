"""A network together with the series it was made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import thalweg.defaults as defaults
from thalweg.errors import DataError, ModelFileError
from thalweg.files.columnar import pack, unpack
from thalweg.files.document import DIALECT, FORECAST, FORMS
from thalweg.files.modelfile import Content
from thalweg.files.network_codec import as_written, network_data, network_from
from thalweg.forecasting.inputs import (
    SeriesInputs,
    filled_forward,
    moments_until,
    task_of,
)
from thalweg.forecasting.scores import ForecastErrors
from thalweg.kinds.model import Model, reading
from thalweg.kinds.pipeline import Answers, ArrayInputs, Pipeline
from thalweg.kinds.scores import Metrics, parts_of
from thalweg.kinds.targets import NumberTargets, targets_from_dict
from thalweg.kinds.task import Task
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.series.calendars import PERIODS
from thalweg.series.order import Order, cell, in_order
from thalweg.series.steps import MICROSECONDS, MONTH_ENDS, MONTHS, NUMBERS, Step
from thalweg.series.windows import target_windows
from thalweg.tables.dialect import USUAL_DIALECT, Dialect, dialect_in
from thalweg.tables.encode import Encoder
from thalweg.tables.read import read
from thalweg.tables.schema import Column
from thalweg.tables.strict import require_keys, texts, truth
from thalweg.tables.table import Table
from thalweg.tabular.model import LENIENT
from thalweg.training.execution import Execution
from thalweg.words import counted

if TYPE_CHECKING:
    import polars as pl

PREDICTION = "prediction"
MOST_TIMES = 2**20
"""Of a window, in a file."""


@dataclass(frozen=True)
class ForecastModel(Model):
    """A trained network, and how the last rows of a table become what comes next.

    Arguments:
        network: the trained network.
        inputs: how a table becomes windows, and what was learned back.
        time: the column of times.
        step: how far these are apart.
        results: plain data about how it was trained: test metrics, baselines, notes.
        dialect: how the text of its tables' files is written.

    Example:
        >>> import thalweg as tw
        >>> day = {"time": "time", "history": 24, "ahead": 3, "epochs": 1}
        >>> model = tw.train("examples/bikes.csv", "bikers", **day).model
        >>> model.predict("examples/bikes.csv")["time"].dt.hour().to_list()
        [18, 19, 20]
    """

    kind = "forecast"
    network: Network
    inputs: SeriesInputs
    time: Column
    step: Step
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    dialect: Dialect = USUAL_DIALECT

    @property
    def target(self) -> str:
        """The name of the column that is forecast."""
        return self.inputs.targets.name

    @property
    def targets(self) -> NumberTargets:
        """How the target became what was learned."""
        return self.inputs.targets

    @property
    def task(self) -> Task:
        """What is predicted."""
        return task_of(self.inputs.ahead, self.step)

    def predict(
        self,
        source: Any,
        *,
        lenient: bool = False,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        dialect: Dialect | None = None,
    ) -> pl.DataFrame:
        """What comes after the last row whose target is known.

        Arguments:
            source: a file's path, or a frame of pandas, polars or pyarrow, with as many
                rows as a history has, or more; rows after the last known target say
                what is known ahead.
            lenient: go on where more than half of a column can't be read.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.
            dialect: how the file's text is written, if not as in training.

        Returns:
            A polars frame with a row for each time ahead: the time, under its column's
            name, and ``prediction``.

        Raises:
            FileError, DataError: the table can't be read, lacks a column or rows, or
                its times aren't as far apart as in training.
        """
        execution = Execution(engine, threads)
        return self.predict_with_report(source, execution, dialect, lenient)[0]

    def predict_with_report(
        self,
        source: Any,
        execution: Execution = USUAL,
        dialect: Dialect | None = None,
        lenient: bool = False,
    ) -> tuple[pl.DataFrame, list[str]]:
        """The forecast, and what the user should know of the table."""
        import polars as pl

        table = read(source, dialect or self.dialect)
        order, values, notes = self._known(table)
        last, said = self._last_window(table, order, values, lenient)
        outputs = np.concatenate([*self.outputs(last, execution)])
        times = len(values)
        moments = moments_until(order, times + self.inputs.ahead)[times:]
        frame = pl.DataFrame(
            {
                self.time.name: moments,
                PREDICTION: self.inputs.decoded(outputs, values[-1:])[0],
            }
        )
        return frame, [*order.notes, *notes, *said]

    def _last_window(
        self, table: Table, order: Order, cells: NDArray[np.float64], lenient: bool
    ) -> tuple[NDArray[np.float32], list[str]]:
        """The window that ends with the last known target, and what was new in cells.

        Raises:
            DataError: there are fewer rows than a history has, or than are known ahead.
        """
        times, history = len(cells), self.inputs.history
        if times < history:
            raise DataError(
                f"{table.name}: must have at least {history:,} rows with "
                f"{self.target!r}, the history of a forecast, got {times:,}"
            )
        self._require_known_ahead(table, order, times)
        features, said = self._features(table, order, cells, times, lenient)
        return self.inputs.windows(features)[-1:], said

    def _known(self, table: Table) -> tuple[Order, NDArray[np.float64], list[str]]:
        """The rows in order from the first with a target on, and all known targets.

        Raises:
            DataError: a time or a target can't be used, or no target is known.
        """
        order = in_order(table, self.time, self.step)
        column = table.column(self.target).gather(order.rows)
        present = np.flatnonzero(~self.targets.form.absent(column).to_numpy())
        if not len(present):
            raise DataError(
                f"{table.name}, column {self.target!r}: a forecast needs values to go "
                "by, but every cell is missing"
            )
        first, last = int(present[0]), int(present[-1]) + 1
        order = replace(order, rows=order.rows[first:], moments=order.moments[first:])
        cells = np.full(last - first, np.nan)
        inner = present - first
        cells[inner] = self.targets.truth(table, order.rows[inner])
        gaps = int(np.isnan(cells).sum())
        notes: list[str] = []
        if gaps:
            notes.append(
                f"{self.target}: {counted(gaps, 'cell')} missing, where the last known "
                "value is taken"
            )
        return order, cells, notes

    def _features(
        self,
        table: Table,
        order: Order,
        cells: NDArray[np.float64],
        times: int,
        lenient: bool,
    ) -> tuple[NDArray[np.float32], list[str]]:
        """The numbers at each time, and what was new in the cells."""
        values = filled_forward(cells)
        features, report = self.inputs.features(table, order, values, times)
        if not lenient:
            report.require_readable(LENIENT)
        return features, report.lines()

    def _require_known_ahead(self, table: Table, order: Order, times: int) -> None:
        """What is known ahead is there for every time ahead.

        Raises:
            DataError: it isn't; says how many rows are missing.
        """
        there, ahead = len(order) - times, self.inputs.ahead
        if self.inputs.known and there < ahead:
            columns = ", ".join(map(repr, self.inputs.known))
            last = cell(table, self.time.name, int(order.rows[times - 1]))
            raise DataError(
                f"{table.name}: must have {counted(ahead, 'row')} after {last}, the "
                f"last with {self.target!r}, which say {columns} of the times ahead; "
                f"got {there:,}"
            )

    def outputs(
        self, windows: NDArray[Any], execution: Execution = USUAL
    ) -> Iterator[NDArray[Any]]:
        """What the network gives for windows, in parts."""
        engine, threads = execution.engine, execution.threads
        for part in parts_of(len(windows), windows[0].size):
            yield self.network.predict(windows[part], engine=engine, threads=threads)

    def evaluate(
        self,
        source: Any,
        *,
        lenient: bool = False,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        dialect: Dialect | None = None,
    ) -> Metrics:
        """Metrics of the forecasts from every window of a table.

        Arguments:
            source: a file's path, or a frame of pandas, polars or pyarrow.
            lenient: go on where more than half of a column can't be read.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.
            dialect: how the file's text is written, if not as in training.

        Returns:
            ``rmse``, ``mae`` (in the target's unit) and ``r2`` of all times ahead.

        Raises:
            FileError, DataError: as `predict`; or there are too few rows for a window
                and what comes after it.
        """
        execution = Execution(engine, threads)
        return self.errors(source, execution, dialect, lenient)[0].every_metric

    def errors(
        self,
        source: Any,
        execution: Execution = USUAL,
        dialect: Dialect | None = None,
        lenient: bool = False,
    ) -> tuple[ForecastErrors, list[str]]:
        """What the forecasts from every window of a table get wrong, and notes."""
        table = read(source, dialect or self.dialect)
        order, cells, notes = self._known(table)
        times, history, ahead = len(cells), self.inputs.history, self.inputs.ahead
        if times < history + ahead:
            raise DataError(
                f"{table.name}: must have at least {history + ahead:,} rows with "
                f"{self.target!r}, a history of {history:,} and {ahead:,} ahead, got "
                f"{times:,}"
            )
        features, said = self._features(table, order, cells, times, lenient)
        came = target_windows(cells, history, ahead)
        windows = self.inputs.windows(features)[: len(came)]
        learned = np.concatenate([*self.outputs(windows, execution)])
        ends = filled_forward(cells)[history - 1 : times - ahead]
        errors = ForecastErrors(came, self.inputs.decoded(learned, ends))
        return errors, [*order.notes, *notes, *said]

    def __pipeline__(self) -> Pipeline:
        """Windows in, the forecasts from them out, for `thalweg.export`."""
        network, inputs = self.network, self.inputs
        windows = ArrayInputs(
            network.shapes.outputs[0],
            network.dtype,
            lambda X: X,
            finite=True,
            read=self._window_of,
        )
        about: dict[str, Any] = {
            "kind": self.kind,
            "features": inputs.every_name(self.time.name),
            "target": self.target,
            "scale": self.targets.scale.to_dict(),
            "task": self.task.kind,
            "history": inputs.history,
            "ahead": inputs.ahead,
            "step": str(self.step),
        }
        return Pipeline(network, windows, self._forecast(), about)

    def _window_of(self, source: Any) -> NDArray[np.float32]:
        """The window of a table from which `predict` forecasts, with an axis before."""
        table = read(source, self.dialect)
        order, cells, _ = self._known(table)
        return self._last_window(table, order, cells, False)[0]

    def _forecast(self) -> Answers:
        """The number at each time ahead, of a window."""
        ahead = range(1, self.inputs.ahead + 1)
        return Answers(
            lambda outputs: {"forecast": self.targets.decode(outputs)},
            {"forecast": [f"{time:,} ahead" for time in ahead]},
            offset=last_target if self.inputs.relative else None,
        )

    def _content(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What a file of the model holds."""
        document, tensors = network_data(self.network)
        inputs = self.inputs
        packed, arrays = pack(
            {"encoder": inputs.encoder.to_dict(), "targets": inputs.targets.to_dict()}
        )
        series = {
            **packed,
            "time": self.time.to_dict(),
            "step": self.step.to_dict(),
            "history": inputs.history,
            "ahead": inputs.ahead,
            "known": list(inputs.known),
            "cycles": list(inputs.cycles),
            "relative": inputs.relative,
            "results": self.results,
        }
        needed = [FORECAST]
        if inputs.encoder.schema.has_forms or inputs.targets.has_form:
            needed.append(FORMS)
        if self.dialect != USUAL_DIALECT:
            series["dialect"] = self.dialect.to_dict()
            needed.append(DIALECT)
        document = {"kind": self.kind, **document, "series": series}
        return as_written({**document, "required_features": needed}, tensors | arrays)


def last_target(windows: Any) -> Any:
    """The last target that windows know, as they have it, shape (windows, 1)."""
    return windows[:, -1, :1]


SERIES_KEYS = (
    *("encoder", "targets", "time", "step", "history", "ahead", "known", "cycles"),
    *("relative", "results"),
)


def model_from(content: Content) -> ForecastModel:
    """A model of a series from what a file holds.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    network, path = network_from(content, Network), content.name
    with reading(path, "the series is"):
        described = content.document["series"]
        series = require_keys(
            described, "a series", *SERIES_KEYS, optional=("dialect",)
        )
        packed = {name: series[name] for name in ("encoder", "targets")}
        inputs = inputs_from(series, unpack(packed, content.tensors))
        time, step = Column.from_dict(series["time"]), Step.from_dict(series["step"])
        results = dict(series["results"])
        dialect = dialect_in(series)
    require_fit(network, inputs, time, step, path)
    return ForecastModel(network, inputs, time, step, results, dialect)


def inputs_from(series: Mapping[str, Any], found: Mapping[str, Any]) -> SeriesInputs:
    """How a table becomes windows, as a file says it.

    Raises:
        ModelFileError: it says something else.
    """
    targets = targets_from_dict(found["targets"])
    if not isinstance(targets, NumberTargets) or targets.log:
        raise ModelFileError("a forecast must be of a number")
    lengths = series["history"], series["ahead"]
    if not all(type(each) is int and 1 <= each <= MOST_TIMES for each in lengths):
        raise ModelFileError(
            f"history and ahead must be whole numbers, 1 to {MOST_TIMES:,}"
        )
    encoder = Encoder.from_dict(found["encoder"])
    known, cycles = texts(series["known"], "known"), texts(series["cycles"], "cycles")
    if not {*known} <= {each.name for each in encoder.encodings}:
        raise ModelFileError("what is known ahead must be columns of the encoder")
    if not {*cycles} <= {*PERIODS} or len({*cycles}) < len(cycles):
        raise ModelFileError(f"cycles must be of {', '.join(PERIODS)}")
    relative = truth(series["relative"], "relative")
    return SeriesInputs(encoder, targets, known, cycles, *lengths, relative)


STEPS = {
    "number": (NUMBERS,),
    "time": (MICROSECONDS,),
    "date": (MICROSECONDS, MONTHS, MONTH_ENDS),
}
CYCLES = {"number": (), "time": ("day",), "date": (*PERIODS,)}
"""In what times of a kind are counted, and the cycles that they can have."""


def require_fit(
    network: Network, inputs: SeriesInputs, time: Column, step: Step, path: str
) -> None:
    """The network takes such windows, and times can be so far apart.

    Raises:
        ModelFileError: it doesn't, or they can't.
    """
    takes, gives = network.shapes.outputs[0], network.shapes.outputs[-1]
    if takes != (inputs.history, inputs.width) or gives != (inputs.ahead,):
        raise ModelFileError(
            f"{path}: a network of {takes} inputs and {gives} outputs doesn't go with "
            f"windows of {inputs.history} times with {inputs.width} numbers, "
            f"{inputs.ahead} ahead"
        )
    if step.unit not in STEPS.get(time.kind, ()):
        raise ModelFileError(
            f"{path}: times that are a {time.kind} can't be {step.unit} apart"
        )
    if not {*inputs.cycles} <= {*CYCLES[time.kind]}:
        raise ModelFileError(f"{path}: times that are a {time.kind} have other cycles")
