"""A table of one's own, prepared as `thalweg train` prepares it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from thalweg.errors import DataError
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.targets import NumberTargets
from thalweg.playground.rows import Data, Pair
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.learn import prepared_by
from thalweg.tabular.settings import Settings
from thalweg.words import counted

MOST_ROWS = 2_000
"""That are learned from: a page draws a mark for each."""


@dataclass(frozen=True)
class OwnTable:
    """A table, and the column that is to be told.

    Arguments:
        table: as it was read.
        target: the name of the column.
        settings: how `thalweg train` would read and split it.
    """

    table: Table
    target: str
    settings: Settings

    @classmethod
    def of(cls, source: Any, target: str, settings: Settings) -> OwnTable:
        """Read a table, and see that it can be used.

        Raises:
            FileError, DataError: it can't be.
            ArgumentError: it has no such column.
        """
        own = cls(read(source, settings.dialect), target, settings)
        own.data(settings.seed)
        return own

    def data(self, seed: int) -> Data:
        """Its rows in three parts, as `thalweg train` with that seed has them.

        Raises:
            DataError: it has more rows than a page can show, or a column with so many
                categories that they are embedded.
        """
        prepared = prepared_by(
            self.table, self.target, replace(self.settings, seed=seed)
        )
        embedded = prepared.encoder.embedded
        if embedded:
            column = embedded[0]
            raise DataError(
                f"columns must have few categories to be looked at, got "
                f"{column.categories:,} in {column.name!r}: leave it out with --ignore"
            )
        count = len(prepared.training.X)
        if count > MOST_ROWS:
            raise DataError(
                f"a table must have at most {MOST_ROWS:,} training rows to be looked "
                f"at, got {count:,}: keep fewer with --validation and --test"
            )
        targets = prepared.targets
        numbers = isinstance(targets, NumberTargets)
        labels = () if isinstance(targets, NumberTargets) else targets.labels
        return Data(
            pair_of(prepared.training),
            pair_of(prepared.validation),
            pair_of(prepared.test),
            prepared.encoder.features,
            labels,
            self.target,
            f"{self.table.name}, {counted(self.table.rows, 'row')}",
            None if numbers else len(labels),
            one_output=False,
        )


def pair_of(rows: EncodedRows) -> Pair:
    """Inputs and targets."""
    return rows.X, rows.y
