"""A table ready to be trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.parts import Parts
from thalweg.tables.cell_report import Report
from thalweg.tables.encode import Encoder
from thalweg.tables.schema import Schema
from thalweg.tables.splitting.split import Split
from thalweg.tables.splitting.splitters import Splitter
from thalweg.tables.table import Table
from thalweg.tabular.own import Own

LEARNED = ("training", "validation")  # parts that the network is chosen by


@dataclass(frozen=True)
class Prepared(Parts):
    """A table ready to be trained on.

    Args:
        table: all rows as they were read.
        schema: what each column is, and why.
        encoder: how columns become features.
        split: which rows of the table each part is; of a table of one's own, where
            there is one for the part.
        splitter: what they were split by.
        own: tables of one's own to validate and to test on.
        report: what was found in the cells.
    """

    table: Table
    schema: Schema
    encoder: Encoder
    split: Split
    splitter: Splitter
    own: Own
    report: Report

    @property
    def parts(self) -> dict[str, EncodedRows]:
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
