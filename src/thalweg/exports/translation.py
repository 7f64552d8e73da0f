"""Programs in the operators of ONNX: one line after the other, and loops.

A recurrent layer is the operator `RNN`, `LSTM` or `GRU`. Any other loop is the operator
`Loop`, whose body is a graph that reads what stands around it. `Scan` would say more of
a sequence, but runtimes end without a word where there are no rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from thalweg.exports.convolutions import Found, found_in
from thalweg.exports.graph import Graph, Port, Subgraph
from thalweg.exports.layouts import Values, add_found, add_in_order
from thalweg.exports.operations import LAST, OPERATORS, Call, Translation, to_dtype
from thalweg.exports.recurrences import Recurrence, recurrences_in
from thalweg.exports.recurrent_nodes import add_recurrence
from thalweg.exports.traced import Traced
from thalweg.program.arguments import broadcast_shape
from thalweg.program.ir import Instruction, Program
from thalweg.program.loop_rules import parts_of
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import names_in
from thalweg.program.types import ArrayType

# Programs -----------------------------------------------------------------------------


def translate(graph: Graph, traced: Traced, given: Mapping[str, str]) -> dict[str, str]:
    """Add a program to a graph.

    Arguments:
        graph: with the number of rows.
        traced: the program; its parameters become constants.
        given: the names in the graph of the inputs that aren't parameters.

    Returns:
        The names in the graph of the program's outputs.
    """
    program, values = traced.program, Values(graph, traced)
    for number, name in enumerate(program.inputs):
        if name in given:
            values.last[number] = given[name]
    found, layers = found_in(program), recurrences_in(traced)
    for number in needed(program, {**found, **layers}):  # in order of what they read
        line = program.instruction(number)
        if number in layers:
            add_recurrence(values, number, layers[number])
        elif number in found:
            add_found(values, number, found[number])
        elif line is not None:
            add_line(values, number, line)
    return {name: values[number] for name, number in program.outputs.items()}


def add_line(values: Values, number: int, line: Instruction) -> None:
    """One instruction by itself."""
    program, write = values.traced.program, TRANSLATIONS[line.opcode]
    sources = line.inputs
    if line.primitive.kind == "elementwise":
        sources = tuple(unrepeated(program, each) for each in sources)
    if add_in_order(values, number, line, sources, write):
        return
    read = operands(program, line)
    types = tuple(map(program.type, read))
    names = tuple(values[each] for each in read)
    values.last[number] = write(Call(values.graph, line, names, types))


def needed(
    program: Program, known: Mapping[int, Found | Recurrence] | None = None
) -> list[int]:
    """The values that outputs follow from, in order.

    Arguments:
        program: whose outputs they are.
        known: values that are computed of others than their instruction reads.
    """
    known, found = known or {}, set(program.outputs.values())
    for number in reversed(list(program.computed())):
        line = program.instruction(number)
        if number in found and line is not None:
            own = known.get(number)
            found.update(operands(program, line) if own is None else own.reads)
    return sorted(found)


def operands(program: Program, line: Instruction) -> Sequence[int]:
    """What a line reads; repeats that its operator makes by itself are left out."""
    if PRIMITIVES[line.opcode].kind != "elementwise" or len(line.inputs) < 2:
        return line.inputs
    sources = [unrepeated(program, number) for number in line.inputs]
    if broadcast_shape([program.type(n).shape for n in sources]) == line.type.shape:
        return sources
    return [line.inputs[0], *sources[1:]]


def unrepeated(program: Program, number: int) -> int:
    """What a repeat repeats; any other value is itself."""
    line = program.instruction(number)
    return line.inputs[0] if line and line.opcode == "broadcast" else number


# Loops --------------------------------------------------------------------------------


def scan(call: Call) -> str:
    """The states of every time: as many turns as there are, then zeros."""
    graph, times = call.graph, call.line.type.shape[1]
    if times == 0:
        shape = graph.sizes(call.line.type.shape)
        return call.add("Expand", call.number(0, call.line.type.dtype), shape)
    if has_all_turns(call, times):
        return in_times(call, graph.size(times))
    number = to_dtype(graph, call.inputs[0], "int64")
    turns = call.add("Reshape", number, graph.integers(1))
    turns = call.add("Max", turns, graph.integers(0))
    turns = call.add("Min", turns, graph.size(times))
    # One turn at least: after none the states would have no shape.
    found = in_times(call, call.add("Max", turns, graph.integers(1)))
    return padded(call, found, turns, graph.size(times))


def has_all_turns(call: Call, times: int) -> bool:
    """Whether it is known that every time has its turn."""
    turns = call.graph.constants.get(call.inputs[0])
    return turns is not None and not names_in(times) and int(turns) >= times


def padded(call: Call, states: str, turns: str, times: str) -> str:
    """The states of the first times that have a turn, then zeros."""
    integers, rank = call.graph.integers, len(call.line.type.shape)
    used = call.add("Slice", states, integers(0), turns, integers(1))
    missing = call.add("Sub", times, turns)
    before, after = integers(*[0] * (rank + 1)), integers(*[0] * (rank - 2))
    return call.add("Pad", used, call.add("Concat", before, missing, after, axis=0))


def in_times(call: Call, turns: str) -> str:
    """The states of so many times, one turn at least, in the order of times."""
    graph, rank = call.graph, len(call.line.type.shape)
    initial, _, _ = parts_of(call.inputs[1:], call["states"], call["sequences"])
    *_, by_turn = graph.several(
        *("Loop", turns, "", *initial),
        count=len(initial) + 1,
        body=loop_body(call, turns),
    )
    found = graph.add("Transpose", by_turn, perm=[1, 0, *range(2, rank)])
    if not call["reverse"]:
        return found
    back, axis = graph.integers(-1), graph.integers(1)
    return graph.add("Slice", found, back, graph.integers(LAST), axis, back)


def loop_body(call: Call, turns: str) -> Subgraph:
    """One turn: new states from those before, and all of them side by side."""
    graph = call.graph.inner()
    body: Program = call["body"].at(rows=call.types[1].shape[0])
    _, moving, whole = parts_of(call.inputs[1:], call["states"], call["sequences"])
    names, types = list(body.inputs), list(body.output_types().values())
    turn, go_on = graph.name("turn"), graph.name("go on")
    before = [graph.name(name) for name in names[: len(types)]]
    time = turn
    if call["reverse"]:
        last = graph.add("Sub", turns, graph.integers(1))
        time = graph.add("Sub", graph.add("Squeeze", last), turn)
    at_time = [graph.add("Gather", each, time, axis=1) for each in moving]
    given = dict(zip(names, [*before, *at_time, *whole], strict=True))
    new = list(translate(graph, Traced(body, {}), given).values())
    outputs = [go_on, *new, side_by_side(graph, new, types)]
    ends = [graph.add("Identity", each) for each in outputs]  # no input's own name
    flags = Port(turn, "int64", ()), Port(go_on, "bool", ())
    packed = ArrayType((1, *call.line.type.shape[2:]), types[0].dtype)
    return Subgraph(
        graph,
        (*flags, *map(state_port, before, types)),
        (Port(ends[0], "bool", ()), *map(state_port, ends[1:], [*types, packed])),
    )


def state_port(name: str, type: ArrayType) -> Port:
    """A state, of any number of rows."""
    return Port(name, type.dtype, (None, *type.shape[1:]))


def side_by_side(
    graph: Graph, states: Sequence[str], types: Sequence[ArrayType]
) -> str:
    """States as one array, as a loop gives them."""
    if len(states) == 1:
        return states[0]
    shapes = [(type.shape[0], math.prod(type.shape[1:])) for type in types]
    flat = [
        graph.add("Reshape", state, graph.new_shape(shape), allowzero=1)
        for state, shape in zip(states, shapes, strict=True)
    ]
    return graph.add("Concat", *flat, axis=1)


TRANSLATIONS: Mapping[str, Translation] = {**OPERATORS, "scan": scan}
"""How each primitive is written in ONNX; a test compares it with the primitives."""
