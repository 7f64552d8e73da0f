"""Sequences as a kind of data: how they are learned from, and tested."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.files.modelfile import Content
from thalweg.kinds.baseline import Baseline, notes_of
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.kind import Tested
from thalweg.kinds.row_errors import RowErrors, errors_of
from thalweg.kinds.trained import TrainedModel
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.sequences.baselines import baselines
from thalweg.sequences.model import SequenceModel, model_from
from thalweg.sequences.network import build
from thalweg.sequences.prepare import PreparedSequences, prepare
from thalweg.sequences.settings import SequenceSettings
from thalweg.tabular.from_tables import FromTables
from thalweg.tabular.own import ReadTable
from thalweg.training.checkpoint import SEQUENCES as SEQUENCE_NOTE
from thalweg.training.execution import Execution


@dataclass(frozen=True)
class TrainedOnSequences(TrainedModel[SequenceModel, PreparedSequences]):
    """A tested network for sequences, and how it came about.

    Arguments:
        model: the network with its table; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the sequences, and how they were split.
        test: metrics on sequences that were never used.
        baselines: the same metrics on the same sequences for ``constant guess``,
            ``nearest sequence`` and ``random kernels``.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
        errors: what the network got wrong of the test.
        others: what the baselines got wrong of it, and the time that each took.

    Example:
        >>> import polars as pl, thalweg as tw
        >>> rows = [
        ...     {"id": n, "t": t, "x": (n % 2) * t, "kind": ("flat", "up")[n % 2]}
        ...     for n in range(40) for t in range(3 + n % 3)
        ... ]
        >>> few = {"sequence": "id", "order": "t", "units": 4, "epochs": 2}
        >>> trained = tw.train(pl.DataFrame(rows), "kind", **few)
        >>> list(trained.baselines)
        ['constant guess', 'nearest sequence', 'random kernels']
    """

    errors: RowErrors
    others: tuple[Baseline, ...]


class SequenceKind(
    FromTables[SequenceSettings, PreparedSequences, SequenceModel, TrainedOnSequences]
):
    """Rows of a table that are sequences, each with a class or a number."""

    name, note = "sequences", SEQUENCE_NOTE
    what = "sequences"
    why_no_own = (
        "sequences are drawn for that; thalweg evaluate scores a model on another table"
    )
    settings, trained = SequenceSettings, TrainedOnSequences

    def prepare(
        self, found: ReadTable, target: str, settings: SequenceSettings
    ) -> PreparedSequences:
        """See `Kind`."""
        return prepare(found.table, target, settings)

    def build(self, parts: PreparedSequences, settings: SequenceSettings) -> Network:
        """See `Kind`."""
        return build(parts.targets, settings)

    def shape(self, parts: PreparedSequences, settings: SequenceSettings) -> Shape:
        """See `Kind`."""
        return (int(parts.sequences.lengths.max()), len(parts.encoder.features))

    def model(
        self, network: Network, parts: PreparedSequences, settings: SequenceSettings
    ) -> SequenceModel:
        """See `Kind`."""
        known = parts.encoder, parts.targets, parts.task, parts.id, parts.order
        return SequenceModel(network, *known, dialect=settings.dialect)

    def is_of(self, model: SequenceModel, parts: PreparedSequences) -> bool:
        """See `Kind`."""
        return (parts.encoder, parts.targets) == (model.encoder, model.targets)

    def tested(
        self,
        model: SequenceModel,
        parts: PreparedSequences,
        settings: SequenceSettings,
        execution: Execution,
    ) -> Tested:
        """Score the test sequences beside neighbors and random kernels."""
        outputs = model.outputs(list(parts.test.X), execution)
        known = parts.test.truth, None, parts.deciding.positive
        errors, others = errors_of(parts.targets, outputs, *known), baselines(parts)
        return Tested(
            errors.every_metric,
            {each.name: each.errors.every_metric for each in others},
            (*few_rows(parts, errors), *notes_of(others)),
            beside={"errors": errors, "others": tuple(others)},
        )

    def model_from(self, content: Content) -> SequenceModel:
        """See `Kind`."""
        return model_from(content)


SEQUENCES = SequenceKind()
