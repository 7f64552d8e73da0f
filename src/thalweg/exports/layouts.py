"""Values of a graph with their channels last, as programs have them, or first.

ONNX's operators for convolutions want (rows, channels, places…). So what they give lies
so, and what is done to it element by element; it is brought back where something else
reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from thalweg.exports.convolutions import Convolution, Found, Mirror, Pool
from thalweg.exports.graph import Graph
from thalweg.exports.operations import Call, Translation
from thalweg.exports.traced import Traced
from thalweg.program.ir import Instruction
from thalweg.program.types import ArrayType, Shape

PER_AXIS = ("starts", "stops", "steps", "shape")


def order_of(places: int) -> tuple[int, ...]:
    """The axes with channels first.

    >>> order_of(2)
    (0, 3, 1, 2)
    """
    return (0, places + 1, *range(1, places + 1))


@dataclass
class Values:
    """The names of a program's values in a graph.

    Arguments:
        graph: that grows.
        traced: the program, with values of its parameters.
        last: names by numbers, axes as the program has them.
        first: names by numbers, channels first.
        places: for each of these the axes of places; other axes between them and the
            channels have size 1, and are left out.
    """

    graph: Graph
    traced: Traced
    last: dict[int, str] = field(default_factory=dict[int, str])
    first: dict[int, str] = field(default_factory=dict[int, str])
    places: dict[int, int] = field(default_factory=dict[int, int])

    def shape(self, value: int) -> Shape:
        """Of a value, as the program has it."""
        return self.traced.program.type(value).shape

    def __getitem__(self, value: int) -> str:
        """The name of a value with its axes as the program has them."""
        if value not in self.last:
            self.last[value] = self._brought_back(value)
        return self.last[value]

    def _brought_back(self, value: int) -> str:
        if value not in self.first:
            name = self.traced.program.name(value)
            return self.graph.constant(self.traced.values[name], named=name)
        places, shape = self.places[value], self.shape(value)
        order = (0, *range(2, places + 2), 1)
        name = self.graph.add("Transpose", self.first[value], perm=order)
        if len(shape) == places + 2:
            return name
        return self.graph.add("Reshape", name, self.graph.new_shape(shape), allowzero=1)

    def channels_first(self, value: int, places: int) -> str:
        """The name of a value with its channels first."""
        if self.places.get(value) != places:
            name, shape = self[value], self.shape(value)
            if len(shape) > places + 2:
                compact = (*shape[: places + 1], shape[-1])
                wanted = self.graph.new_shape(compact)
                name = self.graph.add("Reshape", name, wanted, allowzero=1)
            name = self.graph.add("Transpose", name, perm=order_of(places))
            self.give_first(value, name, places)
        return self.first[value]

    def give_first(self, value: int, name: str, places: int) -> None:
        """A value's name with its channels first."""
        self.first[value], self.places[value] = name, places

    def transposed_constant(self, value: int, axes: Sequence[int]) -> str:
        """Weights with their axes in another order; known ones are kept so."""
        program = self.traced.program
        if program.instruction(value) is None and value not in self.last:
            name = program.name(value)
            turned = np.ascontiguousarray(self.traced.values[name].transpose(axes))
            return self.graph.constant(turned, named=name)
        return self.graph.add("Transpose", self[value], perm=tuple(axes))


# What was found -----------------------------------------------------------------------


def add_found(values: Values, value: int, found: Found) -> None:
    """The operators for what was found."""
    if isinstance(found, Convolution):
        name = convolution(values, found)
    elif isinstance(found, Pool):
        name = pool(values, found)
    else:
        mirror(values, value, found)
        return
    values.give_first(value, name, found.windows.rank)


def convolution(values: Values, found: Convolution) -> str:
    """Conv or ConvTranspose."""
    windows, rank = found.windows, found.windows.rank
    x = values.channels_first(windows.x, rank)
    sizes = tuple(range(1, rank + 1))
    axes = (0, rank + 1, *sizes) if found.transposed else (rank + 1, rank, *range(rank))
    weights = values.transposed_constant(found.weights, axes)
    bias = [] if found.bias is None else [values[found.bias]]
    return values.graph.add(
        "ConvTranspose" if found.transposed else "Conv",
        *(x, weights, *bias),
        kernel_shape=windows.sizes,
        strides=windows.strides,
        dilations=windows.dilations,
        pads=(*windows.before, *windows.behind),
        group=found.groups,
    )


def pool(values: Values, found: Pool) -> str:
    """MaxPool or AveragePool."""
    windows, graph = found.windows, values.graph
    if found.operator == "MaxPool":
        own: dict[str, Any] = {"dilations": windows.dilations}
    else:
        own = {"count_include_pad": 1}
    name = graph.add(
        found.operator,
        values.channels_first(windows.x, windows.rank),
        kernel_shape=windows.sizes,
        strides=windows.strides,
        pads=(*windows.before, *windows.behind),
        **own,
    )
    if found.times == 1:
        return name
    return graph.add("Mul", name, graph.constant(np.asarray(found.times, np.float32)))


def mirror(values: Values, value: int, found: Mirror) -> None:
    """Pad, in the order that x has already."""
    rank, places = len(values.shape(value)), values.places.get(found.x)
    is_first = places is not None and places + 2 == rank
    axis = order_of(rank - 2).index(found.axis) if is_first else found.axis
    pads = [0] * (2 * rank)
    pads[axis], pads[rank + axis] = found.before, found.behind
    x = values.first[found.x] if is_first else values[found.x]
    name = values.graph.add("Pad", x, values.graph.integers(*pads), mode="reflect")
    if is_first:
        values.give_first(value, name, rank - 2)
    else:
        values.last[value] = name


# What keeps the order -----------------------------------------------------------------


def add_in_order(
    values: Values,
    value: int,
    line: Instruction,
    sources: Sequence[int],
    translate: Translation,
) -> bool:
    """The operators for a line with channels first, if what it reads lies so.

    Arguments:
        values: so far.
        value: that the line gives.
        line: the instruction.
        sources: what it reads, not repeated.
        translate: how its primitive is written.

    Returns:
        Whether it was written.
    """
    if not any(source in values.first for source in sources):
        return False
    keep = KEEPING.get(line.opcode)
    if line.primitive.kind == "elementwise":
        keep = elementwise
    return keep is not None and keep(values, value, line, sources, translate)


Keeping = Callable[[Values, int, Instruction, Sequence[int], Translation], bool]


def elementwise(
    values: Values,
    value: int,
    line: Instruction,
    sources: Sequence[int],
    translate: Translation,
) -> bool:
    """Element by element, what is repeated along other axes too."""
    whole = [
        source
        for source in sources
        if source in values.first and values.shape(source) == line.type.shape
    ]
    if not whole:
        return False
    places = values.places[whole[0]]
    names = [aligned(values, source, line.type.shape, places) for source in sources]
    types = tuple(map(values.traced.program.type, sources))
    name = translate(Call(values.graph, line, tuple(names), types))
    values.give_first(value, name, places)
    return True


def aligned(values: Values, source: int, shape: Shape, places: int) -> str:
    """An operand of what has a shape, so that it meets that with channels first."""
    own, graph = values.shape(source), values.graph
    lies_so = values.places.get(source) == places and len(own) == len(shape)
    if own == shape or lies_so:
        return values.channels_first(source, places)
    if math.prod(own) == 1:
        return (
            graph.add("Reshape", values[source], graph.integers())
            if own
            else (values[source])
        )
    wide = (*(1,) * (len(shape) - len(own)), *own)
    compact = (*wide[: places + 1], wide[-1])
    if math.prod(own) == own[-1]:
        wanted = graph.integers(own[-1], *(1,) * places)
        return graph.add("Reshape", values[source], wanted)
    name = graph.add("Reshape", values[source], graph.new_shape(compact))
    return graph.add("Transpose", name, perm=order_of(places))


def reshape(
    values: Values,
    value: int,
    line: Instruction,
    sources: Sequence[int],
    translate: Translation,
) -> bool:
    """Axes of size 1 before the channels come or go; or there is but one place."""
    (source,) = sources
    places, own, wanted = values.places[source], values.shape(source), line.type.shape
    ones = (1,) * (len(wanted) - places - 2)
    if wanted == (*own[: places + 1], *ones, own[-1]):
        values.give_first(value, values.first[source], places)
        return True
    if any(n != 1 for n in own[1 : places + 1]):
        return False
    shape = values.graph.new_shape(wanted)
    name = values.graph.add("Reshape", values.first[source], shape, allowzero=1)
    values.last[value] = name
    return True


def by_axes(
    values: Values,
    value: int,
    line: Instruction,
    sources: Sequence[int],
    translate: Translation,
) -> bool:
    """Along axes that have other numbers with channels first."""
    places = max(values.places.get(source, 0) for source in sources)
    if any(len(values.shape(source)) != places + 2 for source in sources):
        return False
    if len(line.type.shape) != places + 2:
        return False
    order = order_of(places)
    if 0 in line.attributes.get("axes", ()):
        return False
    attributes = {
        name: renumbered(name, attribute, order)
        for name, attribute in line.attributes.items()
    }
    turned = replace(line, attributes=attributes, type=turned_type(line.type, order))
    names = tuple(values.channels_first(source, places) for source in sources)
    types = tuple(
        turned_type(values.traced.program.type(source), order) for source in sources
    )
    name = translate(Call(values.graph, turned, names, types))
    values.give_first(value, name, places)
    return True


def renumbered(name: str, attribute: Any, order: Sequence[int]) -> Any:
    """An attribute for axes in another order."""
    if name == "axis":
        return order.index(attribute)
    if name == "axes":
        return tuple(sorted(order.index(axis) for axis in attribute))
    return tuple(attribute[axis] for axis in order) if name in PER_AXIS else attribute


def turned_type(type: ArrayType, order: Sequence[int]) -> ArrayType:
    """A type with its axes in another order."""
    return ArrayType(tuple(type.shape[axis] for axis in order), type.dtype)


KEEPING: Mapping[str, Keeping] = {
    "reshape": reshape,
    **dict.fromkeys(("slice", "pad", "concatenate", "sum", "max"), by_axes),
}
"""What of other primitives is written with channels first where it can be."""
