"""Convolutions and pools of a program, for which ONNX has operators.

A program has no word for them: a convolution is a product with windows, a pool a
reduction of windows. What is found here computes the same; what isn't stays as it is.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TypeAlias

from thalweg.program.ir import Instruction, Program
from thalweg.program.sizes import RecipeArray
from thalweg.program.types import Shape


@dataclass(frozen=True)
class Windows:
    """Windows along axes 1, 2, … of x, and how many zeros lie around it.

    Arguments:
        x: the value.
        sizes, strides, dilations: of a window.
        before, behind: zeros along each axis.
    """

    x: int
    sizes: Shape
    strides: Shape
    dilations: Shape
    before: Shape
    behind: Shape

    @property
    def rank(self) -> int:
        """The number of axes of places."""
        return len(self.sizes)


@dataclass(frozen=True)
class Convolution:
    """The operator Conv, or ConvTranspose.

    Arguments:
        windows: of x; transposed, those of what it gives.
        weights: of shape (size…, channels, filters), or transposed (channels, size…,
            filters).
        groups: of channels.
        transposed: whether windows add up.
        bias: a vector that is added, or None.
    """

    windows: Windows
    weights: int
    groups: int = 1
    transposed: bool = False
    bias: int | None = None

    @property
    def reads(self) -> list[int]:
        """The values that it reads."""
        bias = [] if self.bias is None else [self.bias]
        return [self.windows.x, self.weights, *bias]


@dataclass(frozen=True)
class Pool:
    """The operator MaxPool or AveragePool, times a number."""

    windows: Windows
    operator: str
    times: int = 1

    @property
    def reads(self) -> list[int]:
        """The value that it reads."""
        return [self.windows.x]


@dataclass(frozen=True)
class Mirror:
    """The operator Pad: x with places before and behind it, as in mirrors there."""

    x: int
    axis: int
    before: int
    behind: int

    @property
    def reads(self) -> list[int]:
        """The value that it reads."""
        return [self.x]


Found: TypeAlias = Convolution | Pool | Mirror


def found_in(program: Program) -> dict[int, Found]:
    """What there is, by the value that it gives."""
    return Finder(program).run()


class Finder:
    """A walk over a program, from what is given to what is computed of it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.found: dict[int, Found] = {}
        self.readers: Counter[int] = Counter(program.outputs.values())
        for line in program.instructions:
            self.readers.update(line.inputs)

    def run(self) -> dict[int, Found]:
        """Everything that is found; runtimes have kernels for float32 alone."""
        for value in self.program.computed():
            if self.program.type(value).dtype == "float32":
                found = self._at(value)
                if found is not None:
                    self.found[value] = found
        return self.found

    def _at(self, value: int) -> Found | None:
        """What ends in a value."""
        line = self.program.instruction(value)
        assert line is not None
        match line.opcode:
            case "contract":
                return self._convolution(line)
            case "reshape":
                return self._of_groups(line)
            case "add_windows":
                return self._transposed(line)
            case "slice":
                return self._cut(line)
            case "add":
                return self._with_bias(line)
            case "max" | "sum":
                return self._pool(line)
            case "divide":
                return self._mean(line)
            case "concatenate":
                return self._mirror(line)
            case _:
                return None

    def _line(self, value: int, opcode: str) -> Instruction | None:
        """The instruction that gives a value, if it is of a primitive."""
        line = self.program.instruction(value)
        return line if line is not None and line.opcode == opcode else None

    def _shape(self, value: int) -> Shape:
        return self.program.type(value).shape

    # Windows --------------------------------------------------------------------------

    def _windows(self, value: int) -> Windows | None:
        """The windows along all places of an array."""
        line = self._line(value, "windows")
        if line is None:
            return None
        (x,) = line.inputs
        axes: Shape = line.attributes["axes"]
        places = len(axes)
        if axes != tuple(range(1, places + 1)) or len(self._shape(x)) != places + 2:
            return None
        names = ("sizes", "steps", "spacing")
        sizes, steps, spacing = (line.attributes[name] for name in names)
        zeros = (0,) * places
        found = Windows(x, sizes, steps, spacing, zeros, zeros)
        return self._padded(found)

    def _padded(self, windows: Windows) -> Windows:
        """The same windows of what has no zeros around it yet."""
        line = self._line(windows.x, "pad")
        if line is None or set(line.attributes["steps"]) != {1}:
            return windows
        inner, starts = self._shape(line.inputs[0]), line.attributes["starts"]
        sizes = zip(line.attributes["shape"], inner, starts, strict=True)
        behind = [whole - own - start for whole, own, start in sizes]
        if starts[0] or starts[-1] or behind[0] or behind[-1]:
            return windows
        around = {"before": tuple(starts[1:-1]), "behind": tuple(behind[1:-1])}
        return replace(windows, x=line.inputs[0], **around)

    # Convolutions ---------------------------------------------------------------------

    def _convolution(self, line: Instruction) -> Convolution | None:
        """windows(x) · w over a window and its channels."""
        seen, weights = line.inputs
        windows = self._windows(seen)
        fits = windows is not None and (
            (line.attributes["batch"], line.attributes["summed"])
            == (0, windows.rank + 1)
            and len(self._shape(weights)) == windows.rank + 2
        )
        return Convolution(windows, weights) if windows and fits else None

    def _of_groups(self, line: Instruction) -> Convolution | None:
        """The same for groups of channels, an axis that both factors share."""
        turned = self._line(line.inputs[0], "transpose")
        product = turned and self._line(turned.inputs[0], "contract")
        if not turned or not product or product.attributes["batch"] != 1:
            return None
        sides = [self._in_groups(value) for value in product.inputs]
        if sides[0] is None or sides[1] is None:
            return None
        windows, weights = self._windows(sides[0]), sides[1]
        if windows is None:
            return None
        rank, shape = windows.rank, self._shape(weights)
        groups, *_, own = self._shape(product.inputs[0])
        *_, others = self._shape(product.inputs[1])
        fits = (
            turned.attributes["axes"] == (*range(1, rank + 2), 0, rank + 2)
            and shape == (*windows.sizes, own, groups * others)
            and self._shape(windows.x)[-1] == groups * own
            and line.type.shape == (*turned.type.shape[:-2], groups * others)
        )
        return Convolution(windows, weights, groups) if fits else None

    def _in_groups(self, value: int) -> int | None:
        """What is cut into groups along its last axis, which were put in front."""
        turned = self._line(value, "transpose")
        cut = turned and self._line(turned.inputs[0], "reshape")
        if not turned or not cut:
            return None
        axis = len(cut.type.shape) - 2
        others = (number for number in range(axis + 2) if number != axis)
        return cut.inputs[0] if turned.attributes["axes"] == (axis, *others) else None

    def _transposed(self, line: Instruction) -> Convolution | None:
        """Windows that x · w gives, added up."""
        product = self._line(line.inputs[0], "contract")
        if product is None:
            return None
        (x, weights), attributes = product.inputs, line.attributes
        sizes, strides = attributes["sizes"], attributes["steps"]
        dilations, zeros = attributes["spacing"], (0,) * len(sizes)
        rank, places = len(sizes), self._shape(x)[1:-1]
        each = zip(places, sizes, strides, dilations, strict=False)
        reach = tuple((n - 1) * s + (k - 1) * d + 1 for n, k, s, d in each)
        fits = (
            (product.attributes["batch"], product.attributes["summed"]) == (0, 1)
            and attributes["axes"] == tuple(range(1, rank + 1))
            and len(self._shape(x)) == len(self._shape(weights)) == rank + 2
            and attributes["shape"][1:-1] == reach
        )
        windows = Windows(x, sizes, strides, dilations, zeros, zeros)
        return Convolution(windows, weights, transposed=True) if fits else None

    def _cut(self, line: Instruction) -> Convolution | None:
        """Places at the edges of a transposed convolution, which are left out."""
        (value,) = line.inputs
        whole = self._unfinished(value)
        if whole is None or not whole.transposed:
            return None
        starts, stops = line.attributes["starts"], line.attributes["stops"]
        shape = self._shape(value)
        behind = [n - stop for n, stop in zip(shape, stops, strict=True)]
        if set(line.attributes["steps"]) != {1} or any(
            starts[axis] or behind[axis] for axis in (0, -1)
        ):
            return None
        windows = whole.windows
        before = zip(windows.before, starts[1:-1], strict=True)
        after = zip(windows.behind, behind[1:-1], strict=True)
        cut = {"before": tuple(map(sum, before)), "behind": tuple(map(sum, after))}
        return replace(whole, windows=replace(windows, **cut))

    def _with_bias(self, line: Instruction) -> Convolution | None:
        """A convolution plus a vector along its last axis."""
        for value, other in (line.inputs, reversed(line.inputs)):
            found, repeated = self._unfinished(value), self._line(other, "broadcast")
            if found is None or repeated is None:
                continue
            (bias,) = repeated.inputs
            if self._shape(bias) == line.type.shape[-1:]:
                return replace(found, bias=bias)
        return None

    def _unfinished(self, value: int) -> Convolution | None:
        """A convolution without a bias, of which one reader alone makes more."""
        found = self.found.get(value)
        if not isinstance(found, Convolution) or found.bias is not None:
            return None
        return found if self.readers[value] == 1 else None

    # Pools ----------------------------------------------------------------------------

    def _pool(self, line: Instruction) -> Pool | None:
        """The maximum or the sum of each window."""
        windows = self._windows(line.inputs[0])
        if windows is None:
            return None
        rank = windows.rank
        if line.attributes["axes"] != tuple(range(rank + 1, 2 * rank + 1)):
            return None
        if line.opcode == "sum":
            spaced = set(windows.dilations) != {1}
            times = math.prod(windows.sizes)
            return None if spaced else Pool(windows, "AveragePool", times)
        has_zeros = any((*windows.before, *windows.behind))
        return None if has_zeros else Pool(windows, "MaxPool")

    def _mean(self, line: Instruction) -> Pool | None:
        """A sum over windows, divided by how many numbers each has."""
        total, divisor = line.inputs
        found, repeated = self.found.get(total), self._line(divisor, "broadcast")
        number = repeated and self._line(repeated.inputs[0], "constant")
        if not isinstance(found, Pool) or not number or self.readers[total] != 1:
            return None
        value = number.attributes["value"]
        is_known = not isinstance(value, RecipeArray) and value.size == 1
        is_count = is_known and value.item() == found.times > 1
        return replace(found, times=1) if is_count else None

    # Mirrors --------------------------------------------------------------------------

    def _mirror(self, line: Instruction) -> Mirror | None:
        """x between what a mirror at its first and its last place shows."""
        axis: int = line.attributes["axis"]
        parts = [self._backwards(value, axis) for value in line.inputs]
        whole = [v for v, part in zip(line.inputs, parts, strict=True) if part is None]
        if len(whole) != 1 or len(parts) > 3:
            return None
        (x,) = whole
        at, last = line.inputs.index(x), self._shape(x)[axis] - 1
        before, behind = parts[:at], parts[at + 1 :]
        if len(before) > 1 or len(behind) > 1:
            return None
        amounts = [0, 0]
        for side, (each, first) in enumerate(((before, None), (behind, last - 1))):
            for part in each:
                assert part is not None
                source, start, count = part
                wanted = count if first is None else first
                if source != x or start != wanted:
                    return None
                amounts[side] = count
        return Mirror(x, axis, *amounts)

    def _backwards(self, value: int, axis: int) -> tuple[int, int, int] | None:
        """What is read backwards along one axis alone: where it starts, how many."""
        line = self._line(value, "slice")
        if line is None or line.attributes["steps"][axis] != -1:
            return None
        (x,) = line.inputs
        others = [n for n in range(len(self._shape(x))) if n != axis]
        if any(line.type.shape[n] != self._shape(x)[n] for n in others):
            return None
        if any(line.attributes["steps"][n] != 1 for n in others):
            return None
        return x, line.attributes["starts"][axis], line.type.shape[axis]
