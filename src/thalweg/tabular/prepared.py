"""A table ready to be trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.tables.cell_report import Report
from thalweg.tables.encode import Encoder
from thalweg.tables.schema import Schema
from thalweg.tables.splitting.split import Split
from thalweg.tables.splitting.splitters import Splitter
from thalweg.tables.table import Table
from thalweg.tabular.deciding import Deciding, deciding_metric
from thalweg.tabular.own import Own
from thalweg.tabular.part import Part
from thalweg.tabular.targets import (
    ClassTargets,
    NumberTargets,
)
from thalweg.tabular.task import Task

Rows: TypeAlias = NDArray[np.int64]

LEARNED = ("training", "validation")  # parts that the network is chosen by


@dataclass(frozen=True)
class Prepared:
    """A table ready to be trained on.

    Args:
        task: what is to be predicted, and why that.
        schema: what each column is, and why.
        encoder: how columns become features.
        targets: how the target becomes what is learned.
        training: rows to learn from.
        validation: rows that choose the epoch.
        test: rows to be scored once.
        split: which rows of the table each part is; of a table of one's own, where
            there is one for the part.
        splitter: what they were split by.
        own: tables of one's own to validate and to test on.
        report: what was found in the cells.
        notes: what the user should know: rows without a target, classes too small, a
            target with a heavy tail.
    """

    task: Task
    schema: Schema
    encoder: Encoder
    targets: ClassTargets | NumberTargets
    training: Part
    validation: Part
    test: Part
    split: Split
    splitter: Splitter
    own: Own
    report: Report
    notes: tuple[str, ...]

    @property
    def parts(self) -> dict[str, Part]:
        """The rows of each part, by its name."""
        return {name: getattr(self, name) for name in self.split.each()}

    def require_learnable(self, table: Table, names: Sequence[str] = LEARNED) -> None:
        """The network can learn with the targets and weights of some parts.

        Args:
            table: the cells.
            names: of the parts.

        Raises:
            DataError: one is too large for that; names line and column.
        """
        parts, rows = self.parts, self.split.each()
        for name in names:
            source = self.own.tables.get(name, table)
            parts[name].require_learnable(source, self.schema, rows[name])

    @property
    def deciding(self) -> Deciding:
        """The metric by which models of the table are compared."""
        test = self.test
        y = np.concatenate([self.training.y, self.validation.y, test.y])
        counting = test.y if test.weights is None else test.y[test.weights > 0]
        return deciding_metric(self.targets, y, counting)
