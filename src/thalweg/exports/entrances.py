"""What goes into a graph of ONNX: rows of numbers, or the columns of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ArgumentError
from thalweg.exports.columns import cells_of, encoded_columns, raw_columns
from thalweg.exports.graph import ROWS, Graph, Port
from thalweg.exports.traced import network_inputs
from thalweg.exports.translation import translate
from thalweg.program.types import Dtype
from thalweg.tabular.pipeline import ArrayInputs, Inputs, TableInputs


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
    """One input, X."""

    inputs: ArrayInputs

    def ports(self) -> list[Port]:
        """X."""
        return [Port("X", self.inputs.dtype, (ROWS, *self.inputs.shape))]

    def features(self, graph: Graph, dtype: Dtype) -> str:
        """What the formula makes of it."""
        return translate(graph, network_inputs(self.inputs), {"X": "X"})["x"]

    def arrays(self, source: Any) -> dict[str, NDArray[Any]]:
        """X in the dtype in which the graph takes it."""
        dense = source.toarray() if hasattr(source, "toarray") else source
        if self.inputs.dtype == "uint8":
            require_bytes(np.asarray(dense))
        return {"X": np.ascontiguousarray(dense, self.inputs.dtype)}

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
