"""Layers one after the other: what they have, and what they compute.

A network is such a chain, and so is each branch of a layer that holds layers. What a
layer of a chain has is named by its number, ``1.weights``; in a layer that holds layers
such a name stands behind the place of the chain: ``2.1.weights``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, cast

import numpy as np

from thalweg.checks import require, require_instance
from thalweg.errors import ArgumentError, DtypeError, ShapeError, ThalwegError
from thalweg.formulas.layers import (
    Layer,
    Namespace,
    Parameter,
    Random,
    Shape,
    State,
)
from thalweg.formulas.lengths import Lengths, within
from thalweg.program import ops
from thalweg.program.arguments import shape_of
from thalweg.program.trace import labeled, trace
from thalweg.program.types import ArrayType, Dtype

Arrays = Mapping[str, Any]
PROBE_ROWS = 2  # shapes are found by tracing with this many rows
RESERVED = ("x", "y", "seed", "step")  # names that a layer's saved programs use
DRAWN_BYTES = 8  # of a first value, before it becomes the network's dtype
OWN = "p."  # before a layer's own names, where others stand beside them


def describe(layer: Layer) -> str:
    """A layer as it would be written: ``Dense(64, activation=swish)``."""
    if type(layer).__str__ is not object.__str__:
        return str(layer)
    if not is_dataclass(layer):
        return type(layer).__name__
    shown: list[str] = []
    for position, each in enumerate(fields(layer)):
        value = getattr(layer, each.name)
        if each.default is not MISSING and is_same(value, each.default):
            continue
        text = text_of(value)
        shown.append(text if position == 0 else f"{each.name}={text}")
    return f"{type(layer).__name__}({', '.join(shown)})"


def is_same(value: Any, default: Any) -> bool:
    """Whether a field has its default; an array is compared as a whole."""
    return value is default or bool(np.array_equal(value, default))


def text_of(value: Any) -> str:
    """A field's value as short text."""
    if isinstance(value, Layer):
        return describe(value)
    if isinstance(value, np.ndarray):
        return f"array{np.shape(cast(Any, value))}"
    if isinstance(value, tuple):
        return f"({', '.join(text_of(v) for v in cast(tuple[Any, ...], value))})"
    return (
        getattr(value, "__name__", None) or getattr(value, "name", None) or repr(value)
    )


def label(number: int, layer: Layer) -> str:
    """How errors name a layer."""
    return f"layer {number}, {describe(layer)}"


class LayerValues:
    """A layer's parameters and state as attributes: ``p.weights``."""

    __slots__ = ("_label", "_values", "lengths")

    def __init__(
        self, label: str, values: Arrays, lengths: Lengths | None = None
    ) -> None:
        self._label = label
        self._values = values
        self.lengths = lengths

    @classmethod
    def among(cls, label: str, arrays: Arrays) -> LayerValues:
        """Those arrays whose names say that they are the layer's own, ``p.weights``."""
        own = {n.removeprefix(OWN): a for n, a in arrays.items() if n.startswith(OWN)}
        return cls(label, own)

    def __getattr__(self, name: str, /) -> Any:
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(self._values) or "none"
            raise ArgumentError(
                f"{self._label} has no parameter {name!r}; it has {known}"
            ) from None


@dataclass(frozen=True)
class Shapes:
    """What is known once the shape of a row is: every parameter and every output.

    Arguments:
        outputs: the shape of a row before the first layer and after each.
        parameters, state: by names such as ``1.weights``.
    """

    outputs: tuple[Shape, ...]
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    state: dict[str, Parameter] = field(default_factory=dict[str, Parameter])


def shapes_of(layers: Sequence[Layer], input_shape: Shape, dtype: Dtype) -> Shapes:
    """Find all shapes by tracing each layer on rows of what the one before it gives.

    Raises:
        ShapeError, DtypeError: naming the layer, the formula's line and the shapes; or
            no memory holds that many parameters.
    """
    outputs = [input_shape]
    parameters: dict[str, Parameter] = {}
    state: dict[str, Parameter] = {}
    for number, layer in enumerate(layers, 1):
        with labeled(label(number, layer)):
            own, kept = declared(layer, outputs[-1], dtype, label(number, layer))
            outputs.append(
                output_shape(layer, number, outputs[-1], {**own, **kept}, dtype)
            )
        parameters |= {f"{number}.{name}": p for name, p in own.items()}
        state |= {f"{number}.{name}": p for name, p in kept.items()}
    require_addressable({**parameters, **state})
    return Shapes(tuple(outputs), parameters, state)


def require_addressable(kept: Mapping[str, Parameter]) -> None:
    """No memory holds more bytes than can be counted.

    What is only too large for this machine, NumPy says when the first values are drawn.

    Raises:
        ShapeError: naming the largest of them.
    """
    numbers = {name: math.prod(p.shape) for name, p in kept.items()}
    if sum(numbers.values()) > sys.maxsize // DRAWN_BYTES:
        most = max(numbers, key=numbers.__getitem__)
        raise ShapeError(
            f"{most} of shape {kept[most].shape} is larger than any memory"
        )


def declared(
    layer: Layer, input_shape: Shape, dtype: Dtype, where: str
) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
    """A layer's parameters and state; errors say which layer it is."""
    try:
        parameters, state = layer.parameters_and_state(input_shape, dtype)
        for kept in (parameters, state):
            require_declaration(kept)
        for name in parameters.keys() & state.keys():
            raise ArgumentError(f"{name!r} can't be both a parameter and state")
        return parameters, state
    except ThalwegError as error:
        raise error.__class__(f"{where}: {error}") from None


def require_declaration(declared: Any) -> None:
    """What a layer says it keeps must be parameters by names that code can write."""
    must = "a dict of names and Parameter objects"
    require_instance("parameters and state", declared, dict, must)
    for name, parameter in declared.items():
        must = (
            f"an identifier, and none of {', '.join(RESERVED)} nor of what every "
            "object has, such as __doc__"
        )
        fits = is_name(name) and is_free(name)
        require(fits, "the name of a parameter or state", must, name)
        require_instance(f"{name}", parameter, Parameter, "a Parameter")


def is_name(name: object) -> bool:
    """Whether it is a parameter's name; behind the places of chains: ``1.weights``.

    >>> is_name("weights"), is_name("image.2.weights"), is_name("2"), is_name("x")
    (True, True, False, False)
    """
    *places, last = name.split(".") if isinstance(name, str) else [""]
    fits = all(p.isidentifier() or (p.isdecimal() and p.isascii()) for p in places)
    return fits and last.isidentifier() and last not in RESERVED


def is_free(name: str) -> bool:
    """Whether ``p.name`` can be the parameter: what every object has is found before.

    >>> is_free("weights"), is_free("__doc__")
    (True, False)
    """
    return not hasattr(LayerValues, name.rpartition(".")[2])


def output_shape(
    layer: Layer,
    number: int,
    input_shape: Shape,
    values: Mapping[str, Parameter],
    dtype: Dtype,
) -> Shape:
    """The shape of a row that a layer gives."""
    types = {name: ArrayType(p.shape, dtype) for name, p in values.items()}
    types["x"] = ArrayType((PROBE_ROWS, *input_shape), dtype)
    program = trace(
        lambda a: {"y": layer.forward(a["x"], LayerValues(label(number, layer), a))},
        types,
    )
    given = program.output_types()["y"]
    if given.dtype != dtype:
        raise DtypeError(
            f"{label(number, layer)} must give {dtype}, got {given.dtype}: "
            "tw.cast makes numbers of it"
        )
    shape = given.shape
    if not shape or shape[0] != PROBE_ROWS:
        raise ShapeError(
            f"{label(number, layer)} must keep the axis of rows first: "
            f"x of shape {(PROBE_ROWS, *input_shape)} became {shape}"
        )
    return shape[1:]


# What a chain computes ----------------------------------------------------------------


def chain_forward(
    layers: Sequence[Layer],
    x: ops.Array,
    values: Sequence[Namespace],
    lengths: Lengths | None = None,
) -> ops.Array:
    """f(x): the layers one after the other, as in prediction.

    Arguments:
        layers, x, values, lengths: as `chain_outputs` takes them.
    """
    return [x, *chain_outputs(layers, x, values, lengths)][-1]


def chain_outputs(
    layers: Sequence[Layer],
    x: ops.Array,
    values: Sequence[Namespace],
    lengths: Lengths | None = None,
) -> Iterator[ops.Array]:
    """What each layer gives, first to last, as in prediction.

    Arguments:
        layers: one after the other.
        x: inputs.
        values: the parameters and state of each layer.
        lengths: how many times each row has, where rows have lengths of their own.
    """
    for number, (layer, p) in enumerate(zip(layers, values, strict=True), 1):
        with labeled(label(number, layer)):
            y = layer.forward(x, within(p, lengths))
        yield y
        x, lengths = y, behind(layer, lengths, x, y)


def chain_training_forward(
    layers: Sequence[Layer],
    x: ops.Array,
    values: Sequence[Namespace],
    random: Random,
    lengths: Lengths | None = None,
) -> tuple[ops.Array, State]:
    """f(x) as in training, and the new state of the layers that keep one."""
    state: State = {}
    for number, (layer, p) in enumerate(zip(layers, values, strict=True), 1):
        _, kept = layer.parameters_and_state(x.shape[1:], x.dtype.name)
        with labeled(label(number, layer)):
            result = layer.training_forward(x, within(p, lengths), random)
        require_training_result(result, kept, label(number, layer))
        y, new = result
        state |= {f"{number}.{name}": value for name, value in new.items()}
        x, lengths = y, behind(layer, lengths, x, y)
    return x, state


def behind(
    layer: Layer, lengths: Lengths | None, x: ops.Array, y: ops.Array
) -> Lengths | None:
    """The lengths of what a layer made of x, if there are any."""
    if lengths is None:
        return None
    return layer.lengths_behind(lengths, tuple(x.shape[1:]), tuple(y.shape[1:]))


def lengths_through(
    layers: Sequence[Layer], outputs: Sequence[Shape], lengths: Lengths | None
) -> Lengths | None:
    """The lengths of what the last layer gives; None if it has no times.

    Arguments:
        layers: one after the other.
        outputs: the shape of a row before the first layer and after each.
        lengths: of the rows that the first layer is given.
    """
    for layer, given, gives in zip(layers, outputs, outputs[1:], strict=False):
        if lengths is None:
            return None
        lengths = layer.lengths_behind(lengths, given, gives)
    return lengths


def require_training_result(
    result: Any, kept: Mapping[str, Parameter], where: str
) -> None:
    """What training gives is y and new state, of the names and shapes declared."""
    must = "two things, y and a dict of new state"
    name = f"what {where} gives in training"
    require_instance(name, result, tuple, must)
    require(len(result) == 2 and isinstance(result[1], dict), name, must, result)
    for key, value in result[1].items():
        require(key in kept, f"new state of {where}", f"one of {list(kept)}", key)
        if shape_of(value) != kept[key].shape:
            raise ShapeError(
                f"new state {key!r} of {where} must have shape {kept[key].shape}, "
                f"got {shape_of(value)}"
            )
