"""A network together with the table it was made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import thalweg.defaults as defaults
from thalweg.errors import ModelFileError
from thalweg.files.columnar import pack, unpack
from thalweg.files.document import DIALECT, FORMS, LOG_TARGET
from thalweg.files.modelfile import Content
from thalweg.files.network_codec import as_written, network_data, network_from
from thalweg.kinds.answers import answers_frame, positive_of
from thalweg.kinds.model import Model, reading
from thalweg.kinds.pipeline import Pipeline, TableInputs
from thalweg.kinds.row_errors import errors_of
from thalweg.kinds.scores import Metrics, most_rows, parts_of
from thalweg.kinds.targets import (
    ClassTargets,
    NumberTargets,
    row_weights,
    rows_with_target,
    targets_from_dict,
)
from thalweg.kinds.task import Task
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.tables.batches import read_batches
from thalweg.tables.cell_report import Report
from thalweg.tables.dialect import USUAL_DIALECT, Dialect, dialect_in
from thalweg.tables.encode import Encoder
from thalweg.tables.flow import encoded_in_turns, one_ahead
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    import polars as pl

LENIENT = "go on nevertheless: --lenient (lenient=True)"


@dataclass(frozen=True)
class TableModel(Model):
    """A trained network, and how a table becomes its inputs and its outputs an answer.

    Arguments:
        network: the trained network.
        encoder: how columns become features.
        targets: how the target became what was learned.
        task: what is predicted.
        results: plain data about how it was trained: test metrics, baselines, notes.
        dialect: how the text of its tables' files is written.

    Example:
        >>> import thalweg as tw
        >>> model = tw.train("examples/penguins.csv", target="species", epochs=5).model
        >>> model.predict("examples/penguins.csv").columns[:2]
        ['prediction', 'probability of Adelie']
    """

    kind = "table"
    network: Network
    encoder: Encoder
    targets: ClassTargets | NumberTargets
    task: Task
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    dialect: Dialect = USUAL_DIALECT

    @property
    def target(self) -> str:
        """The name of the column that is predicted."""
        return self.targets.name

    @property
    def positive(self) -> int:
        """Of two classes the number of the one that average precision is of.

        It is the rarer one where one was rare in training; else the second.
        """
        return positive_of(self.results, self.targets)

    def read(self, source: Any, dialect: Dialect | None = None) -> Table:
        """A table as the model's are read, or as another dialect says."""
        return read(source, dialect or self.dialect)

    def predict(
        self,
        source: Any,
        *,
        lenient: bool = False,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        dialect: Dialect | None = None,
    ) -> pl.DataFrame:
        """A prediction for every row of a table.

        Arguments:
            source: a file's path, or a frame of pandas, polars or pyarrow.
            lenient: predict also where more than half of a column can't be read, and
                say in a column ``unreadable`` for each row which cells weren't.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.
            dialect: how the file's text is written, if not as in training.

        Returns:
            A polars frame of as many rows: ``prediction``, and for classes the
            probability of each.

        Raises:
            FileError, DataError: the table can't be read, lacks a column, or more than
                half of a column's cells aren't what they were in training.
        """
        execution = Execution(engine, threads)
        return self.predict_with_report(source, execution, dialect, lenient)[0]

    def predict_with_report(
        self,
        source: Any,
        execution: Execution = USUAL,
        dialect: Dialect | None = None,
        lenient: bool = False,
    ) -> tuple[pl.DataFrame, Report]:
        """The predictions, and what was new or missing in the cells."""
        encoded = self.encoder.transform(self.read(source, dialect))
        report = encoded.report
        if not lenient:
            report.require_readable(LENIENT)
        marks = report.every_mark() if lenient else None
        outputs = np.concatenate([*self.outputs(encoded.X, execution)])
        return self._answers(outputs, marks), report

    def predict_batches(
        self,
        source: Any,
        execution: Execution = USUAL,
        tell: Callable[[Report], object] = lambda report: None,
        dialect: Dialect | None = None,
        lenient: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """What `predict` gives, some rows at a time: a file may exceed the memory.

        Arguments:
            source: a file's path, or a frame of pandas, polars or pyarrow.
            execution: what runs the network.
            tell: called with what was new or missing in the cells of each part.
            dialect: how the file's text is written, if not as in training.
            lenient: as `predict` takes it.

        Returns:
            Frames that together have the same rows, the same to the bit.

        Raises:
            FileError, DataError: as `predict`, possibly after some rows were given;
                that more than half of a column can't be read is known at the end.

        Example:
            >>> import thalweg as tw
            >>> table = "examples/penguins.csv"
            >>> model = tw.train(table, target="species", epochs=5).model
            >>> [part.height for part in model.predict_batches(table)]
            [344]
        """
        # Reading, encoding and predicting go on side by side.
        encoder, how = self.encoder, dialect or self.dialect
        parts = read_batches(source, encoder.types, how, encoder.missing)
        tables = one_ahead(parts)
        rows_at_a_time = most_rows(self._width)
        encoded = encoded_in_turns(tables, self.encoder, rows_at_a_time)
        whole: Report | None = None
        # A part is given when there is another: of a table of one part it is known
        # before anything is given whether it can be read.
        held: pl.DataFrame | None = None
        for X, marks, reports in one_ahead(encoded):
            for report in reports:
                whole = report if whole is None else whole.joined(report)
                tell(report)
            start = 0
            for outputs in self.outputs(X, execution):
                rows = slice(start, start := start + len(outputs))
                if held is not None:
                    yield held
                held = self._answers(outputs, marks[rows] if lenient else None)
        if whole is not None and not lenient:
            whole.require_readable(LENIENT)
        if held is not None:
            yield held

    def outputs(self, X: NDArray[Any], execution: Execution) -> Iterator[NDArray[Any]]:
        """What the network gives, in parts, as of many classes all may be too much.

        A row's last bits may depend on the rows beside it, so that rows are cut at the
        same places wherever they come from.
        """
        engine, threads = execution.engine, execution.threads
        for part in parts_of(len(X), self._width):
            yield self.network.predict(X[part], engine=engine, threads=threads)

    @property
    def _width(self) -> int:
        """How many numbers the network gives for a row."""
        return self.network.shapes.outputs[-1][0]

    def _answers(
        self, outputs: NDArray[Any], marks: pl.Series | None = None
    ) -> pl.DataFrame:
        """What the network gives, in the words and units of the table.

        Arguments:
            outputs: of the network, a row each.
            marks: for each row the columns whose cells can't be read, if asked for.
        """
        frame = answers_frame(self.targets, outputs)
        return frame if marks is None else frame.with_columns(unreadable=marks)

    def __pipeline__(self) -> Pipeline:
        """The table's columns in, the answers out, for `thalweg.export`."""
        inputs = TableInputs(self.encoder, self.read, self.dialect)
        about: dict[str, Any] = {
            "kind": "table",
            "target": self.target,
            "task": self.task.kind,
        }
        if isinstance(self.targets, ClassTargets):
            about |= {"classes": self.targets.labels}
        return Pipeline(self.network, inputs, self.targets.answers(), about)

    def evaluate(
        self,
        source: Any,
        *,
        lenient: bool = False,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        dialect: Dialect | None = None,
    ) -> Metrics:
        """Metrics on a table that has the target.

        Arguments:
            source: a file's path, or a frame of pandas, polars or pyarrow.
            lenient: go on where more than half of a column can't be read.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.
            dialect: how the file's text is written, if not as in training.

        Returns:
            For classes ``accuracy``, ``balanced_accuracy``, ``f1`` (mean over classes)
            and ``log_loss``, for two classes also ``roc_auc`` and ``average_precision``
            (NaN where all rows are of one class); for a number ``rmse``, ``mae`` (in
            its unit) and ``r2``.

        Raises:
            FileError, DataError: as `predict`; or the target can't be read.
        """
        execution = Execution(engine, threads)
        return self.evaluate_with_report(source, execution, dialect, lenient)[0]

    def evaluate_with_report(
        self,
        source: Any,
        execution: Execution = USUAL,
        dialect: Dialect | None = None,
        lenient: bool = False,
    ) -> tuple[Metrics, Report]:
        """The metrics, and what was new or missing in the cells."""
        table = self.read(source, dialect)
        encoded = self.encoder.transform(table)
        if not lenient:
            encoded.report.require_readable(LENIENT)
        rows = rows_with_target(table, self.target, self.targets.form)
        truth = self.targets.truth(table, rows)
        weights = row_weights(table, self.encoder.schema, rows)
        outputs = self.outputs(encoded.X[rows], execution)
        errors = errors_of(self.targets, outputs, truth, weights, self.positive)
        return errors.every_metric, encoded.report

    def _content(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What a file of the model holds."""
        document, tensors = network_data(self.network)
        grows = {"encoder": self.encoder.to_dict(), "targets": self.targets.to_dict()}
        packed, arrays = pack(grows)
        table = {
            **packed,
            "task": self.task.to_dict(),
            "results": self.results,
        }
        document = {"kind": self.kind, **document, "table": table}
        # A reader that passed over these would read cells, or outputs, otherwise.
        needed: list[str] = []
        if self.encoder.schema.has_forms or self.targets.has_form:
            needed.append(FORMS)
        if isinstance(self.targets, NumberTargets) and self.targets.log:
            needed.append(LOG_TARGET)
        if self.dialect != USUAL_DIALECT:
            table["dialect"] = self.dialect.to_dict()
            needed.append(DIALECT)
        document["required_features"] = needed
        return as_written(document, tensors | arrays)


def model_from(content: Content) -> TableModel:
    """A table's model from what a file holds.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    network, path = network_from(content, Network), content.name
    with reading(path, "the table is"):
        table = content.document["table"]
        packed = {name: table[name] for name in ("encoder", "targets")}
        found = unpack(packed, content.tensors)
        encoder = Encoder.from_dict(found["encoder"])
        targets = targets_from_dict(found["targets"])
        task, results = Task.from_dict(table["task"]), dict(table["results"])
        dialect = dialect_in(table)
    require_fit(network, encoder, targets, path)
    return TableModel(network, encoder, targets, task, results, dialect)


def require_fit(
    network: Network, encoder: Encoder, targets: ClassTargets | NumberTargets, path: str
) -> None:
    """The network takes what the encoder gives, and gives what the targets need."""
    inputs, outputs = network.shapes.outputs[0], network.shapes.outputs[-1]
    if inputs != (len(encoder.features),) or outputs not in targets.output_shapes():
        raise ModelFileError(
            f"{path}: a network of {inputs} inputs and {outputs} outputs doesn't go "
            f"with a table of {len(encoder.features)} features"
        )
