"""Some rows as the arrays that training takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import DataError
from thalweg.kinds.targets import ClassTargets, NumberTargets, row_weights
from thalweg.tables.schema import Schema
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.table import Table
from thalweg.training.rows import largest_target, outweighing
from thalweg.words import shown

DTYPE = "float32"
"""What the networks of tables compute in."""


@dataclass(frozen=True)
class EncodedRows:
    """Some rows as arrays.

    Args:
        X: shape (rows, features), float32; of images (rows, height, width, channels),
            uint8.
        truth: shape (rows,): class numbers, int32, or numbers in the target's unit,
            float64.
        y: what is learned of it, shape (rows,): class numbers, or standardized numbers,
            float32, infinite where float32 has none so large.
        weights: shape (rows,), float64; None where all rows count alike.
    """

    X: NDArray[Any]
    truth: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        table: Table,
        X: NDArray[np.float32],
        targets: ClassTargets | NumberTargets,
        schema: Schema,
        rows: RowNumbers,
    ) -> EncodedRows:
        """Some rows of a table, all of which are encoded.

        Args:
            table: the cells.
            X: every row's features.
            targets: how the target becomes what is learned.
            schema: says which column holds each row's weight, if any.
            rows: positions of those that are wanted.

        Raises:
            DataError: a target or a weight can't be used.
        """
        truth = targets.truth(table, rows)
        y, weights = learned(truth, targets), row_weights(table, schema, rows)
        return cls(X[rows], truth, y, weights)

    def relearned(self, targets: ClassTargets | NumberTargets) -> EncodedRows:
        """The same rows, of whose targets something else is learned."""
        return replace(self, y=learned(self.truth, targets))

    def at(self, rows: RowNumbers) -> EncodedRows:
        """Some of the rows, by their positions."""
        weights = None if self.weights is None else self.weights[rows]
        return EncodedRows(self.X[rows], self.truth[rows], self.y[rows], weights)

    def require_learnable(self, table: Table, schema: Schema, rows: RowNumbers) -> None:
        """Targets and weights can be learned with.

        Args:
            table: the cells.
            schema: what its columns are.
            rows: where the rows stand in it.

        Raises:
            DataError: one is too large for that; names line and column.
        """
        most = largest_target(DTYPE, len(rows))
        for at in np.flatnonzero(~(np.abs(self.y) <= most))[:1]:
            target = schema.target.name
            raise DataError(
                f"{table.place(int(rows[at]), target)}: a target must lie within "
                f"{most:.2g} standard deviations of the training rows to be learned "
                f"in {DTYPE}, got {shown(table.column(target)[int(rows[at])])}"
            )
        if self.weights is None:
            return
        at = outweighing(self.weights, DTYPE)
        if at is not None and schema.weights is not None:
            cell = table.column(schema.weights)[int(rows[at])]
            raise DataError(
                f"{table.place(int(rows[at]), schema.weights)}: a weight must leave "
                f"most other rows a weight in {DTYPE}, got {shown(cell)}"
            )


def learned(truth: NDArray[Any], targets: ClassTargets | NumberTargets) -> NDArray[Any]:
    """What is learned, in the network's dtype."""
    found = targets.learned(truth)
    with np.errstate(over="ignore"):
        return found.astype(DTYPE) if found.dtype.kind == "f" else found
