"""Formulas that the user wrote, kept as their traced programs.

A file holds them so, and a process that has never seen their source computes, and
differentiates, with the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from thalweg.backends.numpy.interpret import interpret
from thalweg.checks import require, require_instance
from thalweg.errors import ArgumentError, ProgramError, ShapeError
from thalweg.formulas.branches import Branching
from thalweg.formulas.chain import OWN, LayerValues, describe
from thalweg.formulas.initializers import INITIALIZERS, Initializer
from thalweg.formulas.layers import Layer, Namespace, Parameter, Random, State
from thalweg.formulas.losses import Loss
from thalweg.formulas.recurrence import (
    NEW,
    STATE,
    Cell,
    Recurring,
    one_or_several,
    step_program,
)
from thalweg.model.any_times import of_any_times
from thalweg.model.stack import RANDOM_INPUTS, StepRandom
from thalweg.program import ops
from thalweg.program.arguments import tracing
from thalweg.program.compile import make_safe
from thalweg.program.fit_rows import any_rows
from thalweg.program.ir import Instruction, Program
from thalweg.program.loops import as_tuple
from thalweg.program.passes.simplify import simplify
from thalweg.program.serialize import decode, from_data, to_data, whole
from thalweg.program.sizes import ROWS, Size
from thalweg.program.trace import Trace, Tracer, trace
from thalweg.program.types import ArrayType, Dtype, NumpyArray, Shape

Data = dict[str, Any]


@dataclass(frozen=True)
class SavedProgram:
    """A program for any number of rows: its data, and the constants it names."""

    data: Data
    constants: Mapping[str, NumpyArray]

    def at(self, rows: int) -> Program:
        """The checked program for a number of rows, or for `ROWS`."""
        if isinstance(rows, Size):
            return decode(self.data, self.constants, rows)
        return from_data(self.data, self.constants, rows)

    def record(self, inputs: Mapping[str, Tracer], drawn: int = 0) -> dict[str, Tracer]:
        """Record the program where its inputs are; its draws follow earlier ones."""
        rows = next(iter(inputs.values())).shape[0]
        return recorded(self.at(rows), inputs, drawn)


def recorded(
    program: Program, inputs: Mapping[str, Tracer], drawn: int = 0
) -> dict[str, Tracer]:
    """Record a program where its inputs are; its draws follow earlier ones."""
    for name, type in program.inputs.items():
        if inputs[name].type != type:
            raise ShapeError(
                f"{name} must be {type} as it was saved, got {inputs[name].type}"
            )
    into = next(iter(inputs.values())).trace
    values = [inputs[name] for name in program.inputs]
    for instruction in program.instructions:
        values.append(record_instruction(into, instruction, values, drawn))
    return {name: values[value] for name, value in program.outputs.items()}


def record_instruction(
    into: Trace, instruction: Instruction, values: list[Tracer], drawn: int
) -> Tracer:
    """One instruction in another trace; random draws get numbers of their own there."""
    attributes = dict(instruction.attributes)
    if instruction.opcode == "random_bits":
        attributes["operation"] += drawn
    return into.emit(
        instruction.opcode, [values[v] for v in instruction.inputs], **attributes
    )


@dataclass(frozen=True)
class TracedLayer(Layer):
    """A layer that was saved as its programs.

    Arguments:
        name: how the layer was written.
        declared: what it learns, by name.
        kept: its state, by name.
        prediction: y from x, parameters and state.
        training: the same in training, with the new state; None if it depends on the
            number of rows in a way that can't be saved.
    """

    name: str
    declared: Mapping[str, Parameter]
    kept: Mapping[str, Parameter]
    prediction: SavedProgram = field(repr=False)
    training: SavedProgram | None = field(repr=False)

    def __str__(self) -> str:
        return self.name

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """What it learns, as it was saved."""
        return dict(self.declared)

    def state(self, input_shape: Shape) -> dict[str, Parameter]:
        """What it keeps, as it was saved."""
        return dict(self.kept)

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The saved program of prediction."""
        program = self.prediction.at(x.shape[0])
        times = x.shape[1] if x.ndim > 1 else None
        if isinstance(times, Size):  # any number of them
            program = of_any_times(program, "x", times)
        return recorded(program, self._inputs(x, p))["y"]

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """The saved program of training."""
        if self.training is None:
            raise ArgumentError(
                f"{self.name} was saved without its training formula, which depended "
                "on the number of rows: it can predict, but not be trained further"
            )
        assert isinstance(random, StepRandom)
        inputs = {**self._inputs(x, p), "seed": random.seed, "step": random.step}
        results = self.training.record(inputs, random.drawn)
        random.drawn += draws_in(self.training.data)
        return results.pop("y"), results

    @property
    def trains_as_it_predicts(self) -> bool:
        """Whether both programs are one, and what trains draws nothing."""
        if self.training is None or self.kept or draws_in(self.training.data):
            return False
        recording, training = Trace(), self.training.at(ROWS)
        given = {n: recording.input(n, type) for n, type in training.inputs.items()}
        both = {
            "predicted": recorded(self.prediction.at(ROWS), given)["y"],
            "trained": recorded(training, given)["y"],
        }
        # What is known already isn't recorded twice.
        found = simplify(recording.program(both)).outputs
        return found["predicted"] == found["trained"]

    def _inputs(self, x: ops.Array, p: Namespace) -> dict[str, Tracer]:
        names = [*self.declared, *self.kept]
        return {"x": x, **{name: getattr(p, name) for name in names}}


@dataclass(frozen=True)
class TracedCell(Cell):
    """A cell that was saved as the program of its step.

    Arguments:
        name: how the cell was written.
        declared: what it learns, by name.
        carried: the shapes of its states, by name.
        prediction: the new states from x, the states and parameters.
    """

    name: str
    declared: Mapping[str, Parameter]
    carried: Mapping[str, Shape]
    prediction: SavedProgram = field(repr=False)

    def __str__(self) -> str:
        return self.name

    @property
    def training(self) -> SavedProgram:
        """The same: a step draws nothing."""
        return self.prediction

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """What it learns, as it was saved."""
        return dict(self.declared)

    def states(self, input_shape: Shape) -> dict[str, Shape]:
        """Its states, as they were saved."""
        return dict(self.carried)

    def step(self, x: ops.Array, state: Any, p: Namespace) -> Any:
        """The saved program of a time."""
        states = zip(self.carried, as_tuple(state), strict=True)
        inputs = {"x": x, **{STATE + name: array for name, array in states}}
        inputs |= {OWN + name: getattr(p, name) for name in self.declared}
        found = self.prediction.record(inputs)
        return one_or_several([found[NEW + name] for name in self.carried])


def can_train(layer: Layer) -> bool:
    """Whether a layer's training formula is there; a file can lack it."""
    return all(traced.training is not None for traced in traced_in([layer]))


def traced_in(layers: Iterable[Layer]) -> Iterator[TracedLayer | TracedCell]:
    """The layers and cells that were saved as their programs, those in others too."""
    for layer in layers:
        if isinstance(layer, TracedLayer):
            yield layer
        elif isinstance(layer, Recurring) and isinstance(layer.own_cell, TracedCell):
            yield layer.own_cell
        elif isinstance(layer, Branching):
            for chain in layer.chains().values():
                yield from traced_in(chain)


def draws_in(data: Data) -> int:
    """The number of a program's last random draw; some before it may not be there."""
    draws = [i[2]["operation"] for i in data["instructions"] if i[0] == "random_bits"]
    return max(draws, default=0)


def traced_layer(layer: Layer, input_shape: Shape, dtype: Dtype) -> TracedLayer:
    """A layer as its programs.

    Raises:
        ProgramError: its prediction depends on the number of rows in a way that isn't
            linear.
    """
    declared, kept = layer.parameters(input_shape), layer.state(input_shape)
    values = {n: ArrayType(p.shape, dtype) for n, p in {**declared, **kept}.items()}

    def types(rows: int) -> dict[str, ArrayType]:
        return {"x": ArrayType((rows, *input_shape), dtype), **values}

    def prediction(rows: int) -> Program:
        return make_safe(
            trace(
                lambda a: {"y": layer.forward(a["x"], LayerValues(describe(layer), a))},
                types(rows),
            )
        )

    def training(rows: int) -> Program:
        def both(a: dict[str, Tracer]) -> Data:
            random = StepRandom(a["seed"], a["step"], dtype)
            y, state = layer.training_forward(
                a["x"], LayerValues(describe(layer), a), random
            )
            return {"y": y, **state}

        return make_safe(trace(both, {**types(rows), **RANDOM_INPUTS}))

    try:
        saved_training = SavedProgram(*to_data(any_rows(training)))
    except ProgramError:
        saved_training = None
    saved = SavedProgram(*to_data(any_rows(prediction)))
    return TracedLayer(describe(layer), declared, kept, saved, saved_training)


def traced_cell(cell: Cell, input_shape: Shape, dtype: Dtype) -> TracedCell:
    """A cell as the program of its step.

    Raises:
        ProgramError: it depends on the number of rows in a way that isn't linear.
    """
    declared, carried = cell.parameters(input_shape), cell.states(input_shape)

    def step(rows: int) -> Program:
        return make_safe(step_program(cell, input_shape, dtype, rows))

    saved = SavedProgram(*to_data(any_rows(step)))
    return TracedCell(describe(cell), declared, carried, saved)


@dataclass(frozen=True)
class TracedLoss:
    """The formula of a user's own loss, saved as its program."""

    name: str
    program: SavedProgram = field(repr=False)

    def __call__(self, predictions: ops.Array, targets: ops.Array) -> ops.Array:
        """One value a row, recorded or computed."""
        inputs = {"predictions": predictions, "targets": targets}
        if tracing(predictions, targets):
            return self.program.record(inputs)["losses"]
        return interpret(self.program.at(len(predictions)), inputs)["losses"]


def traced_loss(loss: Loss, outputs: Shape, dtype: Dtype) -> TracedLoss:
    """A user's own loss, with its parameters, as its program."""
    losses = partial(loss.function, **dict(loss.parameters))

    def program(rows: int) -> Program:
        type = ArrayType((rows, *outputs), dtype)
        return make_safe(
            trace(
                lambda a: {"losses": losses(a["predictions"], a["targets"])},
                {"predictions": type, "targets": type},
            )
        )

    return TracedLoss(loss.name, SavedProgram(*to_data(any_rows(program))))


def parameter_data(declared: Mapping[str, Parameter]) -> Data:
    """Declared parameters as plain data; a user's own initializer stays behind."""
    return {
        name: {
            "shape": list(p.shape),
            "initializer": p.initializer.name,
            "parameters": initializer_parameters(p.initializer),
            "penalized": p.penalized,
        }
        for name, p in declared.items()
    }


def parameters_from(data: Data) -> dict[str, Parameter]:
    """Declared parameters from plain data."""
    return {
        str(name): Parameter(
            tuple(whole(n) for n in each["shape"]),
            initializer_from(each["initializer"], each["parameters"]),
            bool(each["penalized"]),
        )
        for name, each in data.items()
    }


def initializer_parameters(chosen: Initializer) -> dict[str, float] | None:
    """The numbers of an initializer of thalweg's own; None for any other."""
    known = INITIALIZERS.get(chosen.name)
    return dict(chosen.parameters) if known and known.rule is chosen.rule else None


def initializer_from(name: Any, parameters: Any) -> Initializer:
    """The initializer of that name; one that only its author's process knew refuses.

    Raises:
        ArgumentError: there is none of such a name, or of such numbers.
    """
    require_instance("the name of an initializer", name, str, "a text")
    if parameters is not None:
        for key, value in parameters.items():
            require(
                isinstance(value, int | float), f"{key} of {name}", "a number", value
            )
        return INITIALIZERS[name].with_parameters(**parameters)

    def refuse(*_: Any, **__: Any) -> Any:
        raise ArgumentError(
            f"the initializer {name} was its author's own and isn't in the file: go on "
            "from the saved parameters, with warm_start=True"
        )

    return Initializer(name, refuse)
