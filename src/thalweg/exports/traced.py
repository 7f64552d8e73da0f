"""What prediction computes, for any number of rows, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.formulas.chain import OWN, LayerValues, label
from thalweg.formulas.lengths import within
from thalweg.kinds.pipeline import Answers, ArrayInputs
from thalweg.model.record import NetworkRecord
from thalweg.model.stack import predictions_of
from thalweg.model.step import LENGTHS, types_of
from thalweg.model.stream import NEW, TIME
from thalweg.network import Network
from thalweg.program.compile import make_safe
from thalweg.program.fit_rows import any_rows
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.sizes import ROWS, type_at
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, NumpyArray
from thalweg.training.streams import Stream


@dataclass(frozen=True)
class Traced:
    """A program over `ROWS` rows, with the values of all inputs but those of rows.

    Arguments:
        program: what is computed.
        values: the parameters and the layers' state, by the names of inputs.
    """

    program: Program
    values: Mapping[str, NumpyArray]

    @classmethod
    def of(
        cls,
        function: Callable[[dict[str, Any]], dict[str, Any]],
        types: Mapping[str, ArrayType],
        values: Mapping[str, NumpyArray],
    ) -> Traced:
        """Trace a formula as prediction runs it.

        Arguments:
            function: the formula.
            types: of its inputs, over `ROWS` rows.
            values: of all inputs but those of rows.

        Raises:
            ProgramError: it depends on the number of rows in a way that isn't linear.
        """

        def make(rows: int) -> Program:
            known = {
                name: type_at(type, {"rows": rows}) for name, type in types.items()
            }
            return simplify(make_safe(trace(function, known)))

        return cls(any_rows(make), values)


def values_of(network: Network) -> dict[str, NumpyArray]:
    """Parameters and state by names such as ``1.weights``."""
    return {**network.parameters, **network.state}


def whole_network(network: Network) -> Traced:
    """f(X), or f(X, lengths), with all layers in one program."""
    shapes, dtype = network.shapes, network.dtype
    declared = {**shapes.parameters, **shapes.state}
    X = ArrayType((ROWS, *shapes.outputs[0]), dtype)
    types = {"X": X, **lengths_type(network), **types_of(declared, dtype)}

    def predictions(a: dict[str, Any]) -> dict[str, Any]:
        values = {name: a[name] for name in declared}
        x, lengths = a["X"], a.get(LENGTHS)
        return {"predictions": predictions_of(network.layers, x, values, lengths)}

    return Traced.of(predictions, types, values_of(network))


def one_time(stream: Stream) -> Traced:
    """Predictions and what is kept, of X at one time and what was kept before."""
    going = stream.going
    shapes, dtype = going.shapes, going.dtype
    declared = {**shapes.parameters, **shapes.state}
    kept = going.kept(ROWS)
    X = ArrayType((ROWS, *going.input_shape), dtype)
    # Who counts the times is told how many there were, where it matters.
    clock = {} if going.is_endless else {TIME: ArrayType((), "int32")}
    types = {"X": X, **kept, **clock, **types_of(declared, dtype)}

    def at_time(a: dict[str, Any]) -> dict[str, Any]:
        values = {name: a[name] for name in declared}
        before = {name: a[name] for name in kept}
        time = a.get(TIME, np.int32(0))
        given = going.formula(a["X"], before, values, time)
        return {**given, **{NEW + n: a[n] + np.int32(1) for n in clock}}

    return Traced.of(at_time, types, stream.values)


def network_inputs(inputs: ArrayInputs) -> Traced:
    """What the network takes, x, of the numbers that the user gives, X."""
    types = {"X": ArrayType((ROWS, *inputs.shape), inputs.dtype)}
    return Traced.of(lambda a: {"x": inputs.formula(a["X"])}, types, {})


def network_answers(answers: Answers, network: Network) -> Traced:
    """Every answer by its name, of what the network gives, outputs.

    Where an offset is added, also of what the network takes, x.
    """
    x, outputs = (
        ArrayType((ROWS, *network.shapes.outputs[place]), network.dtype)
        for place in (0, -1)
    )
    offset = answers.offset
    if offset is None:
        types = {"outputs": outputs}
        return Traced.of(lambda a: answers.formula(a["outputs"]), types, {})
    return Traced.of(
        lambda a: answers.formula(a["outputs"] + offset(a["x"])),
        {"outputs": outputs, "x": x},
        {},
    )


def lengths_type(network: NetworkRecord) -> dict[str, ArrayType]:
    """The input that says how many times each row has, if the network takes it."""
    return {LENGTHS: ArrayType((ROWS,), "int32")} if network.takes_lengths else {}


def one_layer(network: Network, number: int, with_lengths: bool = False) -> Traced:
    """y of one layer, numbered from 1, from x and its own, such as ``p.weights``.

    Arguments:
        network: whose layer it is.
        number: of the layer.
        with_lengths: whether its rows have lengths of their own; what it gives has
            lengths too then, where it has times.
    """
    shapes, dtype = network.shapes, network.dtype
    layer, prefix = network.layers[number - 1], f"{number}."
    declared = types_of({**shapes.parameters, **shapes.state}, dtype)
    own = {
        f"{OWN}{n.removeprefix(prefix)}": n for n in declared if n.startswith(prefix)
    }
    every = values_of(network)
    given, gives = shapes.outputs[number - 1 : number + 1]
    x = ArrayType((ROWS, *given), dtype)
    lengths_of_x = lengths_type(network) if with_lengths else {}
    known = {short: declared[name] for short, name in own.items()}
    types = {"x": x, **lengths_of_x, **known}

    def y(a: dict[str, Any]) -> dict[str, Any]:
        values = LayerValues.among(label(number, layer), a)
        lengths = a.get(LENGTHS)
        result = {"y": layer.forward(a["x"], within(values, lengths))}
        if lengths is None:
            return result
        behind = layer.lengths_behind(lengths, given, gives)
        return result if behind is None else {**result, LENGTHS: behind}

    return Traced.of(y, types, {short: every[name] for short, name in own.items()})
