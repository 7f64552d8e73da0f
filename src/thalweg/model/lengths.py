"""Lengths of rows on their way through layers, and which layers may be given them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.errors import ShapeError, ThalwegError
from thalweg.formulas.branches import Branching
from thalweg.formulas.chain import (
    LayerValues,
    Shapes,
    describe,
    label,
    lengths_through,
)
from thalweg.formulas.layers import Layer, Shape
from thalweg.program.ir import Instruction, Program
from thalweg.program.row_axes import RowAxes, follow
from thalweg.program.row_rules import RowsMeetError
from thalweg.program.sizes import ROWS
from thalweg.program.trace import labeled, trace
from thalweg.program.types import ArrayType, Dtype, NumpyArray

PROBE_ROWS = 2  # of a program that shows whether a layer keeps times apart


def require_lengths_known(
    layers: Sequence[Layer], outputs: Sequence[Shape], dtype: Dtype
) -> None:
    """No layer takes padding for data.

    Arguments:
        layers, outputs: as `lengths_through` takes them.
        dtype: of the network.

    Raises:
        ShapeError: one would; names it.
    """
    for number, layer in enumerate(layers, 1):
        given = outputs[number - 1]
        with labeled(label(number, layer)):
            behind = lengths_through([layer], outputs[number - 1 :], np.ones(1))
            if not is_known(layer, given, dtype, behind is not None):
                raise refusal(label(number, layer))
        if behind is None:
            return


def is_known(layer: Layer, given: Shape, dtype: Dtype, gives_times: bool) -> bool:
    """Whether a layer, and each inside it, keeps times apart or knows lengths.

    Raises:
        ShapeError: a layer inside it does neither.
    """
    if isinstance(layer, Branching):
        require_chains_known(layer, given, dtype)
        return True
    if layer.knows_lengths:
        return True
    return gives_times and keeps_times_apart(layer, given, dtype)


def refusal(where: str) -> ShapeError:
    """What a layer that does neither is told."""
    return ShapeError(
        f"{where} can't be given rows whose lengths differ: it looks at several times, "
        "and would take padding for data. GlobalMean, GlobalMax, Last and the last "
        "state of cells make one vector of a sequence; a layer of one's own reads "
        "p.lengths and says knows_lengths = True"
    )


def require_chains_known(layer: Branching, given: Shape, dtype: Dtype) -> None:
    """So do the layers of each chain, and all chains give rows of the same lengths.

    Raises:
        ShapeError: they don't.
    """
    shapes = layer.shapes(given, dtype)
    every = np.arange(1, given[0] + 1, dtype=np.int32)
    found: list[NumpyArray | None] = []
    for place, chain in layer.chains().items():
        outputs = shapes[place].outputs
        require_lengths_known(chain, outputs, dtype)
        found.append(lengths_through(chain, outputs, every))
    for other in found[1:]:
        if not np.array_equal(np.asarray(other), np.asarray(found[0])):
            raise ShapeError(
                f"{describe(layer)} can't be given rows whose lengths differ: its "
                "branches make rows of different lengths of them"
            )


def keeps_times_apart(layer: Layer, input_shape: Shape, dtype: Dtype) -> bool:
    """Whether what a layer gives at a time follows from that time alone.

    Its formula is traced with times in the place of rows, and these are followed
    through it. What can't be followed doesn't count as kept apart.

    >>> import thalweg as tw
    >>> keeps_times_apart(tw.Dense(2), (5, 3), "float32")
    True
    >>> keeps_times_apart(tw.Flatten(), (5, 3), "float32")
    False
    """
    if type(layer).training_forward is not Layer.training_forward:
        return False  # in training it does something else
    shape = (ROWS, *input_shape[1:])
    try:
        declared, kept = layer.parameters_and_state(input_shape, dtype)
        types = {n: ArrayType(p.shape, dtype) for n, p in {**declared, **kept}.items()}
        types["x"] = ArrayType((PROBE_ROWS, *shape), dtype)
        program = trace(
            lambda a: {"y": layer.forward(a["x"], LayerValues(describe(layer), a))},
            types,
        )
        axis = follow_times(program).axes.get(program.outputs["y"])
    except (ThalwegError, TypeError, ValueError, RowsMeetError):
        return False
    return axis == 1 and program.output_types()["y"].shape[1] == ROWS


def follow_times(program: Program) -> RowAxes:
    """The axis of times of each value, as far as it goes; times are ``rows``.

    Raises:
        RowsMeetError: times meet.
    """
    times = RowAxes({[*program.inputs].index("x"): 1})
    for value, instruction in zip(
        program.computed(), program.instructions, strict=True
    ):
        axis = free_axis(program, times, instruction)
        if axis is None:
            follow(program, times, value, instruction)
        else:
            times.axes[value] = axis
    return times


def free_axis(program: Program, times: RowAxes, instruction: Instruction) -> int | None:
    """That of times in x of a contraction, if it isn't summed over and y has none.

    The rule for rows knows only the first of the free axes, as the engine does.
    """
    if instruction.opcode != "contract":
        return None
    x, y = instruction.inputs
    axis, attributes = times.axes.get(x), instruction.attributes
    free = range(attributes["batch"], len(program.type(x).shape) - attributes["summed"])
    return axis if y not in times.axes and axis in free else None


def require_same_parameters(shapes: Shapes, others: Shapes) -> None:
    """What is learned doesn't depend on how many times there are.

    Raises:
        ShapeError: it does.
    """
    for name, parameter in {**shapes.parameters, **shapes.state}.items():
        other = {**others.parameters, **others.state}[name].shape
        if other != parameter.shape:
            raise ShapeError(
                f"rows may have {shapes.outputs[0][0]} times at most, as {name} of "
                f"shape {parameter.shape} was learned for them, got "
                f"{others.outputs[0][0]}"
            )


def require_times_left(lengths: NumpyArray | None, name: str) -> None:
    """Each row has a time left behind all layers.

    Raises:
        ShapeError: one hasn't.
    """
    if lengths is None:
        return
    for row in np.flatnonzero(lengths < 1)[:1]:
        raise ShapeError(
            f"{name} must have times enough for every layer: row {row} has none left"
        )
