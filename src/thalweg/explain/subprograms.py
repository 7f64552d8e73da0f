"""The subprograms of a training step, each traced by itself and written as formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from thalweg.backends.text.notation import all_words
from thalweg.backends.text.render import NO_NAMES, Formula, formulas
from thalweg.cached import cached_property
from thalweg.explain.local_names import ARGUMENT, VARIABLE, names_of, with_local_names
from thalweg.explain.textbook import textbook
from thalweg.explain.training_step import rows_of
from thalweg.formulas.chain import OWN, LayerValues, label
from thalweg.formulas.clipping import clip_by_global_norm
from thalweg.formulas.layers import Parameter
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.record import NetworkRecord
from thalweg.model.stack import RANDOM_INPUTS, StepRandom
from thalweg.model.step import types_of
from thalweg.program import ops
from thalweg.program.compile import backward_program, flat_type, make_safe
from thalweg.program.expressions import ATOM, Expression
from thalweg.program.ir import Instruction, Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

CONVERSIONS = ("broadcast", "reshape", "cast", "floor", "divide")
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Subprogram:
    """A part of a training step as its safe program.

    Arguments:
        program: with the names of local variables as outputs.
        outputs: the names of the outputs that count; gradients are of the first.
        by: the inputs by which there are gradients.
    """

    program: Program
    outputs: tuple[str, ...]
    by: tuple[str, ...] = ()

    @cached_property
    def forward(self) -> list[Formula]:
        """The lines of the outputs."""
        return formulas(
            self.program,
            self.outputs,
            hints=names_of(self.program, VARIABLE),
            lines=names_of(self.program, ARGUMENT),
            known=uniforms(self.program),
            words=self.words,
        )

    @property
    def words(self) -> frozenset[str]:
        """What no name may be: forward and backward an input has the same one."""
        return all_words() if self.by else frozenset()

    def forward_lines(self) -> list[str]:
        """The formulas as text."""
        return [line for each in self.forward for line in str(each).splitlines()]

    def backward_lines(self) -> list[str]:
        """The gradients in the words of the forward formulas."""
        return self._lines_of(self.both) if self.by else []

    def textbook_lines(self, probabilities: Sequence[str]) -> list[str]:
        """The same as books print it, by what the layer gives, y.

        Arguments:
            probabilities: names of inputs that add up to 1 over the last axis.
        """
        if not self.by:
            return []
        found = textbook(self.both, probabilities)
        return self._lines_of(found, {found.outputs["y"]: "y"})

    @cached_property
    def both(self) -> Program:
        """Forward and backward."""
        on_the_way = {
            f.name: f.value for f in self.forward if self.program.instruction(f.value)
        }
        return backward_program(self.program, self.outputs[0], self.by, on_the_way)

    def _lines_of(
        self, both: Program, lines: Mapping[int, str] = NO_NAMES
    ) -> list[str]:
        """The gradients of a program.

        Arguments:
            both: forward and backward.
            lines: names of values that get a line of their own.
        """
        known = {
            both.outputs[f"value.{f.name}"]: f.expression
            for f in self.forward
            if f"value.{f.name}" in both.outputs
        }
        gradients = {
            gradient_of(name.removeprefix("gradient.")): value
            for name, value in both.outputs.items()
            if name.startswith("gradient.")
        }
        wanted = [gradient_of(name) for name in self.by]
        through = [(v, n) for n, v in gradients.items() if n not in wanted]
        hints = dict(reversed(through))
        shown = replace(both, outputs={name: gradients[name] for name in wanted})
        known |= uniforms(both)
        found = formulas(shown, hints=hints, lines=lines, known=known, words=self.words)
        return [line for each in found for line in str(each).splitlines()]


def gradient_of(name: str) -> str:
    """What the gradient by something is called.

    >>> gradient_of("x"), gradient_of("p.weights")
    ('dx', 'p.dweights')
    """
    where, dot, own = name.rpartition(".")
    return f"{where}{dot}d{own}"


def subprogram(
    function: Callable[[Arrays], Arrays],
    types: Mapping[str, ArrayType],
    outputs: Sequence[str],
    by: Sequence[str] = (),
) -> Subprogram:
    """A formula traced and made safe."""
    traced = trace(with_local_names(function), types)
    return Subprogram(simplify(make_safe(traced)), tuple(outputs), tuple(by))


def uniforms(program: Program) -> dict[int, Expression]:
    """The uniform numbers that a program makes of random bits, by their values."""
    found = [v for v in program.computed() if is_uniform_draw(program, v)]
    names = [f"uniform{number}" for number in range(1, len(found) + 1)]
    return {
        value: Expression(
            name if len(found) > 1 else "uniform", ATOM, program.type(value).shape
        )
        for value, name in zip(found, names, strict=True)
    }


def is_uniform_draw(program: Program, value: int) -> bool:
    """Whether a value is random bits times 2⁻²⁴, as `ops.random_uniform` has it."""
    instruction = program.instruction(value)
    if instruction is None or instruction.opcode != "multiply":
        return False
    bits, scale = (origin(program, v) for v in instruction.inputs)
    return (
        bits is not None
        and scale is not None
        and bits.opcode == "random_bits"
        and scale.opcode == "constant"
        and scale.attributes["value"] == 2.0**-24
    )


def origin(program: Program, value: int) -> Instruction | None:
    """The instruction from which a value comes by conversions alone."""
    instruction = program.instruction(value)
    while instruction is not None and instruction.opcode in CONVERSIONS:
        instruction = program.instruction(instruction.inputs[0])
    return instruction


def layer_types(network: NetworkRecord, number: int) -> dict[str, ArrayType]:
    """The inputs of one layer: x, its parameters and state, and what random needs."""
    shapes, dtype = network.shapes, network.dtype
    prefix = f"{number}."
    types = types_of({**shapes.parameters, **shapes.state}, dtype)
    own = {
        f"{OWN}{name.removeprefix(prefix)}": type
        for name, type in types.items()
        if name.startswith(prefix)
    }
    x = ArrayType((rows_of(network), *shapes.outputs[number - 1]), dtype)
    return {"x": x, **own, **RANDOM_INPUTS}


def layer_in_training(network: NetworkRecord, number: int) -> Subprogram:
    """y and the new state of a layer; gradients by its parameters and x."""
    run, types = training_of(network, number), layer_types(network, number)

    def forward(arrays: Arrays) -> Arrays:
        y, state = run(arrays)
        return {"y": y, **{f"{OWN}{name}": array for name, array in state.items()}}

    kept = [f"{OWN}{name}" for name in own_names(network.shapes.state, number)]
    found = subprogram(forward, types, ["y"])
    outputs = ["y", *(name for name in kept if name in found.program.outputs)]
    by = gradient_names(found.program, own_names(network.shapes.parameters, number))
    return replace(found, outputs=tuple(outputs), by=by)


def training_of(
    network: NetworkRecord, number: int
) -> Callable[[Arrays], tuple[Any, Arrays]]:
    """A layer as in training, from named arrays."""
    layer = network.layers[number - 1]

    def run(arrays: Arrays) -> tuple[Any, Arrays]:
        values = LayerValues.among(label(number, layer), arrays)
        random = StepRandom(arrays["seed"], arrays["step"], network.dtype)
        return layer.training_forward(arrays["x"], values, random)

    return run


def gradient_names(program: Program, parameters: Sequence[str]) -> tuple[str, ...]:
    """By what there are gradients: parameters, and x unless it holds whole numbers."""
    (y,) = (program.type(program.outputs[name]) for name in ("y",))
    if not y.is_float:
        return ()
    x = list(program.inputs).index("x")
    readers = [i for i in program.instructions if x in i.inputs]
    counts = any(i.opcode != "cast" or i.type.is_float for i in readers)
    passes = x in program.outputs.values()
    own = tuple(f"{OWN}{name}" for name in parameters)
    return (*own, "x") if counts or passes else own


def layer_in_prediction(network: NetworkRecord, number: int) -> Subprogram:
    """y of a layer when nothing is learned."""
    layer = network.layers[number - 1]

    def forward(arrays: Arrays) -> Arrays:
        values = LayerValues.among(label(number, layer), arrays)
        return {"y": layer.forward(arrays["x"], values)}

    return subprogram(forward, layer_types(network, number), ["y"])


def loss_alone(loss: Loss, network: NetworkRecord) -> Subprogram:
    """The loss of every row."""
    type = predictions_type(network)
    return subprogram(
        lambda a: {"loss": loss.per_row(a["predictions"], a["targets"])},
        {"predictions": type, "targets": type},
        ["loss"],
    )


def last_layer_and_loss(loss: Loss, network: NetworkRecord) -> Subprogram:
    """J, the mean of the rows' losses, from what the last layer is given."""
    number = len(network.layers)
    run, types = training_of(network, number), layer_types(network, number)

    def forward(arrays: Arrays) -> Arrays:
        y, _ = run(arrays)
        return {"J": ops.mean(loss.per_row(y, arrays["targets"])), "y": y}

    types["targets"] = predictions_type(network)
    found = subprogram(forward, types, ["J"])
    by = gradient_names(found.program, own_names(network.shapes.parameters, number))
    return replace(found, by=by)


def optimizer_alone(rule: Optimizer, network: NetworkRecord) -> Subprogram:
    """The new state and parameters, each one vector."""
    vector = flat_type(types_of(network.shapes.parameters, network.dtype))
    scalar = ArrayType((), network.dtype)
    slots = rule.state()
    types = {"parameters": vector, "gradient": vector, **dict.fromkeys(slots, vector)}
    types |= {"learning_rate": scalar, "step": scalar}

    def update(a: Arrays) -> Arrays:
        state = {slot: a[slot] for slot in slots}
        moved, new = rule.update(
            a["parameters"], a["gradient"], state, a["learning_rate"], a["step"]
        )
        return {**new, "parameters": moved}

    return subprogram(update, types, [*slots, "parameters"])


def clipping(max_norm: float, network: NetworkRecord) -> Subprogram:
    """The gradient, shortened if it's too long."""
    vector = flat_type(types_of(network.shapes.parameters, network.dtype))
    return subprogram(
        lambda a: {"gradient": clip_by_global_norm(a["gradient"], max_norm)},
        {"gradient": vector},
        ["gradient"],
    )


def penalty_alone(penalty: Penalty) -> Subprogram:
    """What a matrix of weights costs."""
    return subprogram(
        lambda a: {"penalty": penalty(a["w"])},
        {"w": ArrayType((2, 3), "float64")},
        ["penalty"],
    )


def predictions_type(network: NetworkRecord) -> ArrayType:
    """The type of what the network gives for a batch."""
    return ArrayType((rows_of(network), *network.shapes.outputs[-1]), network.dtype)


def own_names(declared: Mapping[str, Parameter], number: int) -> list[str]:
    """The names of one layer's parameters or state."""
    numbered = (name.partition(".") for name in declared)
    return [name for layer, _, name in numbered if layer == str(number)]
