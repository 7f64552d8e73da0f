"""Lengths of rows on their way through layers, and which layers may be given them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.errors import ShapeError, ThalwegError
from thalweg.formulas.alone import program_of_times
from thalweg.formulas.branches import Branching
from thalweg.formulas.chain import (
    OWN,
    Shapes,
    describe,
    label,
    lengths_through,
)
from thalweg.formulas.layers import Layer, Shape
from thalweg.program.trace import labeled
from thalweg.program.types import ArrayType, Dtype, NumpyArray


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

    As a stream has to know it; what isn't known doesn't count as kept apart.

    >>> import thalweg as tw
    >>> keeps_times_apart(tw.Dense(2), (5, 3), "float32")
    True
    >>> keeps_times_apart(tw.Flatten(), (5, 3), "float32")
    False
    """
    if not layer.trains_as_it_predicts:
        return False
    try:
        declared, kept = layer.parameters_and_state(input_shape, dtype)
        types = {
            OWN + name: ArrayType(p.shape, dtype)
            for name, p in {**declared, **kept}.items()
        }
        program_of_times(layer, ArrayType(input_shape[1:], dtype), types)
    except ThalwegError:
        return False
    return True


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
