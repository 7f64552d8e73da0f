"""A network together with the table of sequences it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import thalweg.defaults as defaults
from thalweg.errors import DataError, ModelFileError
from thalweg.files.columnar import pack, unpack
from thalweg.files.document import DIALECT, FORMS, SEQUENCES
from thalweg.files.modelfile import Content
from thalweg.files.network_codec import as_written, network_data, network_from
from thalweg.kinds.answers import answers_frame, positive_of
from thalweg.kinds.model import Model, reading
from thalweg.kinds.pipeline import ArrayInputs, Pipeline
from thalweg.kinds.row_errors import RowErrors, errors_of
from thalweg.kinds.scores import Metrics, parts_of
from thalweg.kinds.targets import ClassTargets, NumberTargets, targets_from_dict
from thalweg.kinds.task import Task
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.series.sequences import Sequences, first_rows, in_sequences
from thalweg.tables.dialect import USUAL_DIALECT, Dialect, dialect_in
from thalweg.tables.encode import Encoder
from thalweg.tables.read import read
from thalweg.tables.schema import Column
from thalweg.tables.strict import require_keys, text
from thalweg.tables.table import Table
from thalweg.tabular.model import LENIENT
from thalweg.tabular.split_columns import ORDERED, groups_of
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    import polars as pl

SEQUENCE_KEYS = ("encoder", "targets", "sequence", "order", "task", "results")


@dataclass(frozen=True)
class SequenceModel(Model):
    """A trained network, and how a table's rows become sequences and an answer of each.

    Arguments:
        network: the trained network.
        encoder: how columns become numbers.
        targets: how the target became what was learned.
        task: what is predicted.
        sequence: the column whose same cells are one sequence.
        order: that by which the rows of one are ordered; None as they stand.
        results: plain data about how it was trained: test metrics, baselines, notes.
        dialect: how the text of its tables' files is written.

    Example:
        >>> import polars as pl, thalweg as tw
        >>> rows = [
        ...     {"id": n, "t": t, "x": (n % 2) * t, "kind": ("flat", "up")[n % 2]}
        ...     for n in range(40) for t in range(3 + n % 3)
        ... ]
        >>> few = {"sequence": "id", "order": "t", "units": 4, "epochs": 2}
        >>> trained = tw.train(pl.DataFrame(rows), "kind", **few)
        >>> trained.model.predict(pl.DataFrame(rows)).columns[:2]
        ['id', 'prediction']
    """

    kind = "sequences"
    network: Network
    encoder: Encoder
    targets: ClassTargets | NumberTargets
    task: Task
    sequence: str
    order: Column | None
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    dialect: Dialect = USUAL_DIALECT

    @property
    def target(self) -> str:
        """The name of the column that is predicted."""
        return self.targets.name

    @property
    def positive(self) -> int:
        """Of two classes the number of the one that average precision is of."""
        return positive_of(self.results, self.targets)

    def predict(
        self,
        source: Any,
        *,
        lenient: bool = False,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        dialect: Dialect | None = None,
    ) -> pl.DataFrame:
        """A prediction for every sequence of a table.

        Arguments:
            source: a file's path, or a frame of pandas, polars or pyarrow.
            lenient: go on where more than half of a column can't be read.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.
            dialect: how the file's text is written, if not as in training.

        Returns:
            A polars frame of a row for each sequence, in the order of their first rows:
            its id, ``prediction``, and for classes the probability of each.

        Raises:
            FileError, DataError: the table can't be read or lacks a column, or a row's
                id or its place in the order is missing.
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
        """The predictions, and what was new in the cells."""
        table = read(source, dialect or self.dialect)
        sequences, arrays, lines = self._arrays(table, lenient)
        outputs = np.concatenate([*self.outputs(arrays, execution)])
        frame = answers_frame(self.targets, outputs)
        return frame.insert_column(0, sequences.names.alias(self.sequence)), lines

    def _arrays(
        self, table: Table, lenient: bool
    ) -> tuple[Sequences, list[NDArray[np.float32]], list[str]]:
        """The sequences, what the network takes of each, and what was new."""
        groups = groups_of(table, self.sequence)
        sequences = in_sequences(table, groups, self.order)
        encoded = self.encoder.transform(table)
        if not lenient:
            encoded.report.require_readable(LENIENT)
        return sequences, sequences.arrays(encoded.X), encoded.report.lines()

    def outputs(
        self, arrays: list[NDArray[np.float32]], execution: Execution = USUAL
    ) -> Iterator[NDArray[Any]]:
        """What the network gives for sequences, in parts."""
        engine, threads = execution.engine, execution.threads
        longest = max(map(len, arrays)) * max(arrays[0].shape[1], 1)
        for part in parts_of(len(arrays), longest):
            yield self.network.predict(arrays[part], engine=engine, threads=threads)

    def evaluate(
        self,
        source: Any,
        *,
        lenient: bool = False,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
        dialect: Dialect | None = None,
    ) -> Metrics:
        """Metrics on a table whose sequences have the target.

        Arguments:
            source, lenient, engine, threads, dialect: as `predict` takes them.

        Returns:
            As `TableModel.evaluate`, a row being a sequence.

        Raises:
            FileError, DataError: as `predict`; or a sequence has two targets, or one
                that can't be read.
        """
        execution = Execution(engine, threads)
        return self.errors(source, execution, dialect, lenient)[0].every_metric

    def errors(
        self,
        source: Any,
        execution: Execution = USUAL,
        dialect: Dialect | None = None,
        lenient: bool = False,
    ) -> tuple[RowErrors, list[str]]:
        """What the network gets wrong of the sequences with a target, and notes."""
        table = read(source, dialect or self.dialect)
        sequences, arrays, lines = self._arrays(table, lenient)
        rows = first_rows(table, self.target, sequences)
        cells = table.column(self.target).gather(rows)
        chosen = np.flatnonzero(~self.targets.form.absent(cells).to_numpy())
        if not len(chosen):
            raise DataError(
                f"{table.name}, column {self.target!r}: every cell is missing"
            )
        truth = self.targets.truth(table, rows[chosen])
        outputs = self.outputs([arrays[each] for each in chosen], execution)
        return errors_of(self.targets, outputs, truth, None, self.positive), lines

    def __pipeline__(self) -> Pipeline:
        """The numbers of each sequence in, the answers out, for `thalweg.export`."""
        network = self.network
        inputs = ArrayInputs(
            network.shapes.outputs[0],
            network.dtype,
            lambda X: X,
            finite=True,
            with_lengths=network.takes_lengths,
            read=lambda source: self._arrays(read(source, self.dialect), False)[1],
        )
        about: dict[str, Any] = {
            "kind": self.kind,
            "features": self.encoder.features,
            "target": self.target,
            "task": self.task.kind,
        }
        if isinstance(self.targets, ClassTargets):
            about |= {"classes": self.targets.labels}
        return Pipeline(network, inputs, self.targets.answers(), about)

    def _content(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What a file of the model holds."""
        document, tensors = network_data(self.network)
        packed, arrays = pack(
            {"encoder": self.encoder.to_dict(), "targets": self.targets.to_dict()}
        )
        described = {
            **packed,
            "sequence": self.sequence,
            "order": None if self.order is None else self.order.to_dict(),
            "task": self.task.to_dict(),
            "results": self.results,
        }
        needed = [SEQUENCES]
        if self.encoder.schema.has_forms or self.targets.has_form or self.order:
            needed.append(FORMS)
        if self.dialect != USUAL_DIALECT:
            described["dialect"] = self.dialect.to_dict()
            needed.append(DIALECT)
        document = {"kind": self.kind, **document, "sequences": described}
        return as_written({**document, "required_features": needed}, tensors | arrays)


def model_from(content: Content) -> SequenceModel:
    """A model of sequences from what a file holds.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    network, path = network_from(content, Network), content.name
    with reading(path, "the sequences are"):
        described = content.document["sequences"]
        keys, optional = SEQUENCE_KEYS, ("dialect",)
        found = require_keys(described, "sequences", *keys, optional=optional)
        packed = {name: found[name] for name in ("encoder", "targets")}
        unpacked = unpack(packed, content.tensors)
        encoder = Encoder.from_dict(unpacked["encoder"])
        targets = targets_from_dict(unpacked["targets"])
        sequence = text(found["sequence"], "a column's name")
        given = found["order"]
        order = None if given is None else Column.from_dict(given)
        task, results = Task.from_dict(found["task"]), dict(found["results"])
        dialect = dialect_in(found)
    require_fit(network, encoder, targets, order, path)
    return SequenceModel(
        network, encoder, targets, task, sequence, order, results, dialect
    )


def require_fit(
    network: Network,
    encoder: Encoder,
    targets: ClassTargets | NumberTargets,
    order: Column | None,
    path: str,
) -> None:
    """The network takes what the encoder gives of times, and gives what is needed.

    Raises:
        ModelFileError: it doesn't.
    """
    takes, gives = network.shapes.outputs[0], network.shapes.outputs[-1]
    fits = len(takes) == 2 and takes[1] == len(encoder.features)
    if not fits or gives not in targets.output_shapes():
        raise ModelFileError(
            f"{path}: a network of {takes} inputs and {gives} outputs doesn't go with "
            f"sequences of {len(encoder.features)} features"
        )
    if order is not None and order.kind not in ORDERED:
        raise ModelFileError(f"{path}: rows can't be in the order of a {order.kind}")
