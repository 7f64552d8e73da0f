"""A graph of ONNX under construction: nodes, constants, and sizes that follow the rows.

The package onnx makes the file from it; nothing here needs that package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.program.serialize import linear
from thalweg.program.sizes import Number, names_in
from thalweg.program.types import NumpyArray

LEARNED = "ai.onnx.ml"
"""The domain of operators for features; the others' is the empty one."""


ROWS = "rows"
"""What a file calls the size that follows the rows."""


@dataclass(frozen=True)
class Port:
    """An input or output of the graph: its name, dtype and shape.

    A size that has a text for a name is the same wherever that stands; None is any.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True)
class Node:
    """One operator applied to values, which are known by their names.

    An attribute may be a `Subgraph`.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    domain: str


@dataclass
class Graph:
    """Nodes in the order in which they run, and constants by their names.

    Arguments:
        rows: the name of the number of rows, int64 of shape (1,).
        taken: names that values can't have, such as those of inputs.
    """

    rows: str = ""
    taken: set[str] = field(default_factory=set[str])
    nodes: list[Node] = field(default_factory=list[Node])
    constants: dict[str, NumpyArray] = field(default_factory=dict[str, NumpyArray])
    _known: dict[Any, str] = field(default_factory=dict[Any, str])

    def name(self, wanted: str) -> str:
        """A name that nothing else has."""
        name, count = wanted, 1
        while name in self.taken:
            count += 1
            name = f"{wanted} {count}"
        self.taken.add(name)
        return name

    def add(
        self,
        operator: str,
        *inputs: str,
        named: str = "",
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """A node; the name of its one output."""
        output = self.name(named or f"{operator} {len(self.nodes)}")
        self.nodes.append(Node(operator, inputs, (output,), attributes, domain))
        return output

    def several(
        self, operator: str, *inputs: str, count: int, **attributes: Any
    ) -> tuple[str, ...]:
        """A node; the names of its outputs."""
        wanted = f"{operator} {len(self.nodes)}"
        outputs = tuple(self.name(wanted) for _ in range(count))
        self.nodes.append(Node(operator, inputs, outputs, attributes, ""))
        return outputs

    def inner(self) -> Graph:
        """A graph for a node of this one, which reads what there is so far.

        Constants are kept outside, as a runtime may compute with them beforehand.
        """
        return Graph(self.rows, self.taken, [], self.constants, {**self._known})

    def constant(self, array: NumpyArray, named: str = "") -> str:
        """The name of a constant; equal small ones share it."""
        key = (array.dtype.str, array.shape, array.tobytes()) if not named else None
        if array.dtype.kind in "OU":
            key = None
        if key is not None and key in self._known:
            return self._known[key]
        name = self.name(named or f"constant {len(self.constants)}")
        self.constants[name] = array
        if key is not None:
            self._known[key] = name
        return name

    def integers(self, *values: int) -> str:
        """A vector of int64."""
        return self.constant(np.array(values, np.int64))

    def size(self, size: Any) -> str:
        """One size as int64 of shape (1,)."""
        if not isinstance(size, Number):
            return self.integers(size)
        slope, offset = linear(size)
        key = ("size", slope, offset)
        if key not in self._known:
            found = self.rows
            if slope != 1:
                found = self.add("Mul", found, self.integers(slope))
            if offset:
                found = self.add("Add", found, self.integers(offset))
            self._known[key] = found
        return self._known[key]

    def sizes(self, sizes: Sequence[int]) -> str:
        """Several sizes as int64 of shape (count,)."""
        if not names_in(tuple(sizes)):
            return self.integers(*sizes)
        if len(sizes) == 1:
            return self.size(sizes[0])
        key = ("sizes", repr(sizes))
        if key not in self._known:
            self._known[key] = self.add("Concat", *map(self.size, sizes), axis=0)
        return self._known[key]

    def new_shape(self, sizes: Sequence[int]) -> str:
        """Sizes for Reshape, which finds one size by itself."""
        found = [-1 if names_in(size) else size for size in sizes]
        if found.count(-1) != 1 or 0 in found:
            return self.sizes(sizes)
        return self.integers(*found)


@dataclass(frozen=True)
class Subgraph:
    """A graph within a node, such as a loop's body.

    Arguments:
        graph: its nodes, which may read values of the graph around it.
        inputs, outputs: what the node gives it, and takes from it.
    """

    graph: Graph
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
