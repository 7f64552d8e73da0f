"""What goes into a graph of ONNX: rows of numbers, or the columns of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ArgumentError, ShapeError
from thalweg.exports.columns import cells_of, encoded_columns, raw_columns
from thalweg.exports.graph import ROWS, Graph, Port
from thalweg.exports.traced import network_inputs
from thalweg.exports.translation import translate
from thalweg.kinds.pipeline import ArrayInputs, Inputs, TableInputs
from thalweg.model.step import LENGTHS
from thalweg.program.types import Dtype
from thalweg.training.sequences import are_sequences, padded


class Entrance(ABC):
    """The inputs of a graph, and how they become what the network takes."""

    @abstractmethod
    def ports(self) -> list[Port]:
        """The inputs of the graph."""

    @abstractmethod
    def features(self, graph: Graph, dtype: Dtype) -> str:
        """The name in the graph of what the network takes, in its dtype."""

    @abstractmethod
    def arrays(self, source: Any) -> dict[str, NDArray[Any]]:
        """An array for each input, of what the user gives."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What a reader of the file may want to know."""


@dataclass(frozen=True)
class ArrayEntrance(Entrance):
    """X; and ``lengths``, where rows have lengths of their own."""

    inputs: ArrayInputs

    def ports(self) -> list[Port]:
        """X, and how many times each row has."""
        lengths = [Port(LENGTHS, "int32", (ROWS,))] if self.inputs.with_lengths else []
        return [Port("X", self.inputs.dtype, (ROWS, *self.inputs.shape)), *lengths]

    def features(self, graph: Graph, dtype: Dtype) -> str:
        """What the formula makes of it."""
        return translate(graph, network_inputs(self.inputs), {"X": "X"})["x"]

    def arrays(self, source: Any) -> dict[str, NDArray[Any]]:
        """X in the dtype in which the graph takes it; sequences as one array."""
        X = self.inputs.read(source)
        if self.inputs.with_lengths:
            return self._sequences(X)
        self._require_one_length(X)
        dense = X.toarray() if hasattr(X, "toarray") else X
        if self.inputs.dtype == "uint8":
            require_bytes(np.asarray(dense))
        return {"X": np.ascontiguousarray(dense, self.inputs.dtype)}

    def _require_one_length(self, X: Any) -> None:
        """Sequences are as long as those that the network was fitted on.

        Raises:
            ShapeError: one isn't.
        """
        if are_sequences(X, self.inputs.shape):
            other = next(x.shape for x in X if x.shape != self.inputs.shape)
            raise ShapeError(
                f"X must have arrays of shape {self.inputs.shape}, as all were that "
                f"the network was fitted on, got one of {other}"
            )

    def _sequences(self, source: Any) -> dict[str, NDArray[Any]]:
        """Rows with zeros behind their ends, and their lengths."""
        times, *each = self.inputs.shape
        if are_sequences(source, self.inputs.shape):
            table, lengths = padded(source, None, least=times)
        else:
            table = np.asarray(source)
            lengths = np.full(len(table), times, np.int32)
        if table.shape[1:] != self.inputs.shape:
            wanted = ", ".join(map(str, ["times", *each]))
            raise ShapeError(
                f"X must have arrays of shape ({wanted}) with {times} times at most, "
                f"as the graph takes them, got {table.shape}"
            )
        return {"X": np.ascontiguousarray(table, self.inputs.dtype), LENGTHS: lengths}

    def about(self) -> dict[str, Any]:
        """Nothing: X says it all."""
        return {}


def require_bytes(numbers: NDArray[Any]) -> None:
    """Numbers that a graph takes as uint8 are whole ones from 0 to 255.

    Raises:
        ArgumentError: one isn't.
    """
    if numbers.dtype == np.uint8:
        return
    wrong = ~((numbers >= 0) & (numbers <= 255) & (numbers == np.floor(numbers)))
    for place in np.argwhere(wrong)[:1]:
        raise ArgumentError(
            "X must hold whole numbers from 0 to 255, as the network was fitted on "
            f"uint8, got {numbers[tuple(place)]} at row {place[0]}"
        )


@dataclass(frozen=True)
class TableEntrance(Entrance):
    """An input for each column."""

    inputs: TableInputs

    def ports(self) -> list[Port]:
        """A vector for each column."""
        return [
            Port(each.input, each.dtype, (ROWS,))
            for each in raw_columns(self.inputs.encoder.encodings)
        ]

    def features(self, graph: Graph, dtype: Dtype) -> str:
        """What the encodings make of them."""
        return graph.add("Cast", encoded_columns(graph, self.inputs.encoder), to=dtype)

    def arrays(self, source: Any) -> dict[str, NDArray[Any]]:
        """The cells of every column."""
        return cells_of(self.inputs.encoder, self.inputs.table(source))

    def about(self) -> dict[str, Any]:
        """Which input takes which column, and the names of what the network takes."""
        columns = [
            {"input": raw.input, "column": raw.column, "kind": raw.kind}
            for raw in raw_columns(self.inputs.encoder.encodings)
        ]
        return {"columns": columns, "features": self.inputs.encoder.features}


def entrance(inputs: Inputs) -> Entrance:
    """The one for what goes in."""
    if isinstance(inputs, ArrayInputs):
        return ArrayEntrance(inputs)
    return TableEntrance(inputs)
