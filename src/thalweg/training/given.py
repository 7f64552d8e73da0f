"""What a user gives to learn from, as rows that the network's layers can read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from thalweg.checks import require
from thalweg.errors import ShapeError
from thalweg.formulas.chain import Shapes
from thalweg.formulas.layers import Layer
from thalweg.program.types import Dtype, Shape
from thalweg.training.named import side_by_side
from thalweg.training.rows import Rows, at_positions, hold_out, rows_from
from thalweg.training.sequences import are_sequences, padded, rows_of_lengths, times_in


@dataclass(frozen=True)
class Given:
    """How rows become those of a network.

    Arguments:
        layers: of the network, which know the shapes of inputs that are given by name.
        shapes_for: all shapes, for rows of a shape in a dtype.
        dtype: of the network.
        times: how many times rows have at least, where they have lengths.
    """

    layers: Sequence[Layer]
    shapes_for: Callable[[Shape, Dtype], Shapes]
    dtype: Dtype
    times: int = 0

    def rows(
        self, X: Any, y: Any, sample_weight: Any, lengths: Any, name: str = ""
    ) -> Rows:
        """Inputs, targets and weights, checked and converted once.

        Raises:
            ArgumentError, ShapeError, DtypeError: they can't be used.
        """
        if lengths is None and not are_sequences(X):
            inputs = side_by_side(self.layers, X, self.dtype, f"{name}X")
            return self._at_positions(
                rows_from(inputs, y, sample_weight, self.dtype, name)
            )
        table, counts = padded(X, lengths, f"{name}X", self.times)
        shapes = self.shapes_for(table.shape[1:], self.dtype)
        return self._at_positions(
            rows_of_lengths(
                self.layers, shapes, table, counts, y, sample_weight, self.dtype, name
            )
        )

    def _at_positions(self, rows: Rows) -> Rows:
        """Rows of a table have no positions, and no need of shapes."""
        if rows.X.ndim < 3 or rows.y.ndim > 1:
            return rows
        shapes = self.shapes_for(rows.X.shape[1:], self.dtype)
        return at_positions(rows, shapes.outputs[-1])

    def split(
        self, rows: Rows, validation: float | tuple[Any, ...] | None, seed: int
    ) -> tuple[Rows, Rows | None]:
        """Training rows, and validation rows if there are to be any."""
        if validation is None:
            return rows, None
        if not isinstance(validation, tuple | list):
            return hold_out(rows, validation, seed)
        require(len(validation) in (2, 3), "validation", "(X, y)", len(validation))
        X, y, *weights = validation
        weight = weights[0] if weights else None
        own = self.rows(X, y, weight, None, "validation ")
        if own.X.shape[1:] != rows.X.shape[1:]:
            raise ShapeError(
                f"validation X must have rows of shape {rows.X.shape[1:]}, "
                f"got {own.X.shape[1:]}"
            )
        return rows, own


def longest(X: Any, validation: Any) -> int:
    """How many times the longest row has, those of one's own to validate among them."""
    own = [*cast(Sequence[Any], validation)][:1] if is_pair(validation) else []
    return max(map(times_in, [X, *own]))


def is_pair(validation: Any) -> bool:
    """Whether rows of one's own are given to validate."""
    return isinstance(validation, tuple | list)
