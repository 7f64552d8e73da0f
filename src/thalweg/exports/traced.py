"""What prediction computes, for any number of rows, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.model.stack import OWN, LayerValues, label, predictions_of
from thalweg.model.step import types_of
from thalweg.network import Network
from thalweg.program.compile import make_safe
from thalweg.program.fit_rows import any_rows
from thalweg.program.passes.simplify import simplify
from thalweg.program.serialize import to_data
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype, NumpyArray
from thalweg.tabular.pipeline import Answers, ArrayInputs

Size = int | dict[str, Any]
"""A whole number, or ``{"rows": [a, b]}``, which is a·rows + b."""


@dataclass(frozen=True)
class Line:
    """One instruction of a program for any number of rows.

    Arguments:
        opcode: a primitive's name.
        inputs: the numbers of the values it reads.
        attributes: as `serialize` writes them: each whole number is a `Size`.
        dtype: of the result.
        shape: of the result.
    """

    opcode: str
    inputs: tuple[int, ...]
    attributes: Mapping[str, Any]
    dtype: Dtype
    shape: tuple[Size, ...]


@dataclass(frozen=True)
class Traced:
    """A program for any number of rows, with the values of all inputs but one.

    Values are numbered: the inputs first, in their order, then one for every line.

    Arguments:
        inputs: dtype and shape of each.
        lines: the instructions.
        outputs: the numbers of the values that are given back.
        constants: the arrays that instructions name.
        values: the parameters and the layers' state, by the names of inputs.
    """

    inputs: Mapping[str, tuple[Dtype, tuple[Size, ...]]]
    lines: tuple[Line, ...]
    outputs: Mapping[str, int]
    constants: Mapping[str, NumpyArray]
    values: Mapping[str, NumpyArray]

    @classmethod
    def of(
        cls,
        function: Callable[[dict[str, Any]], dict[str, Any]],
        types_for: Callable[[int], Mapping[str, ArrayType]],
        values: Mapping[str, NumpyArray],
    ) -> Traced:
        """Trace a formula as prediction runs it.

        Raises:
            ProgramError: it depends on the number of rows in a way that isn't linear.
        """
        return cls.from_data(
            *to_data(
                any_rows(
                    lambda rows: simplify(make_safe(trace(function, types_for(rows))))
                )
            ),
            values,
        )

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        constants: Mapping[str, NumpyArray],
        values: Mapping[str, NumpyArray],
    ) -> Traced:
        """A program as `serialize` writes it."""
        lines = [
            Line(opcode, tuple(inputs), attributes, dtype, tuple(shape))
            for opcode, inputs, attributes, (dtype, shape) in data["instructions"]
        ]
        inputs = {k: (dtype, tuple(s)) for k, (dtype, s) in data["inputs"].items()}
        return cls(inputs, tuple(lines), data["outputs"], constants, values)

    def line(self, value: int) -> Line | None:
        """The line that computes a value; None for an input."""
        at = value - len(self.inputs)
        return self.lines[at] if at >= 0 else None

    def type(self, value: int) -> tuple[Dtype, tuple[Size, ...]]:
        """A value's dtype and shape."""
        line = self.line(value)
        if line is None:
            return list(self.inputs.values())[value]
        return line.dtype, line.shape


def values_of(network: Network) -> dict[str, NumpyArray]:
    """Parameters and state by names such as ``1.weights``."""
    return {**network.parameters, **network.state}


def whole_network(network: Network) -> Traced:
    """f(X), with all layers in one program."""
    shapes, dtype = network.shapes, network.dtype
    declared = {**shapes.parameters, **shapes.state}

    def types_for(rows: int) -> dict[str, ArrayType]:
        X = ArrayType((rows, *shapes.outputs[0]), dtype)
        return {"X": X, **types_of(declared, dtype)}

    def predictions(a: dict[str, Any]) -> dict[str, Any]:
        values = {name: a[name] for name in declared}
        return {"predictions": predictions_of(network.layers, a["X"], values)}

    return Traced.of(predictions, types_for, values_of(network))


def network_inputs(inputs: ArrayInputs) -> Traced:
    """What the network takes, x, of the numbers that the user gives, X."""

    def types_for(rows: int) -> dict[str, ArrayType]:
        return {"X": ArrayType((rows, *inputs.shape), inputs.dtype)}

    return Traced.of(lambda a: {"x": inputs.formula(a["X"])}, types_for, {})


def network_answers(answers: Answers, network: Network) -> Traced:
    """Every answer by its name, of what the network gives, outputs."""
    shape = network.shapes.outputs[-1]

    def types_for(rows: int) -> dict[str, ArrayType]:
        return {"outputs": ArrayType((rows, *shape), network.dtype)}

    return Traced.of(lambda a: answers.formula(a["outputs"]), types_for, {})


def one_layer(network: Network, number: int) -> Traced:
    """y of one layer, numbered from 1, from x and its own, such as ``p.weights``."""
    shapes, dtype = network.shapes, network.dtype
    layer, prefix = network.layers[number - 1], f"{number}."
    declared = types_of({**shapes.parameters, **shapes.state}, dtype)
    own = {
        f"{OWN}{n.removeprefix(prefix)}": n for n in declared if n.startswith(prefix)
    }
    every = values_of(network)

    def types_for(rows: int) -> dict[str, ArrayType]:
        x = ArrayType((rows, *shapes.outputs[number - 1]), dtype)
        return {"x": x, **{short: declared[name] for short, name in own.items()}}

    def y(a: dict[str, Any]) -> dict[str, Any]:
        values = LayerValues.among(label(number, layer), a)
        return {"y": layer.forward(a["x"], values)}

    return Traced.of(y, types_for, {short: every[name] for short, name in own.items()})
