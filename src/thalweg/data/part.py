"""Some rows as the arrays that training takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.data.schema import Schema
from thalweg.data.table import Table
from thalweg.data.targets import ClassTargets, NumberTargets, row_weights

Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Some rows as arrays.

    Args:
        X: shape (rows, features), float32.
        y: shape (rows,): class numbers, int32, or standardized numbers, float32.
        weights: shape (rows,), float32; None where all rows count alike.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    weights: NDArray[np.float32] | None

    @classmethod
    def of(
        cls,
        table: Table,
        X: NDArray[np.float32],
        targets: ClassTargets | NumberTargets,
        schema: Schema,
        rows: Rows,
    ) -> Part:
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
        y = targets.encode(table, rows)
        return cls(X[rows], y, row_weights(table, schema, rows))

    def at(self, rows: Rows) -> Part:
        """Some of the rows, by their positions."""
        weights = None if self.weights is None else self.weights[rows]
        return Part(self.X[rows], self.y[rows], weights)
