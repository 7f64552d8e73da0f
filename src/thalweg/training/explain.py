"""A network as the formulas that run: traced, differentiated, and written out."""

from __future__ import annotations

import ast
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from thalweg.formulas.clipping import clip_by_global_norm
from thalweg.formulas.layers import Parameter
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import OPTIMIZERS, Optimizer
from thalweg.formulas.penalties import L1, L2, Penalties, Penalty
from thalweg.formulas import schedules
from thalweg.program import ops
from thalweg.program.compile import backward_program, flat_type, make_safe
from thalweg.program.ir import Instruction, Program
from thalweg.program.notation import ATOM, Expression
from thalweg.program.plan import plan
from thalweg.program.render import Formula, formulas
from thalweg.program.simplify import simplify
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Shape
from thalweg.training.localnames import ARGUMENT, VARIABLE, names_of, with_local_names
from thalweg.training.metrics import CLASS_LOSSES, Accuracy, SquaredError
from thalweg.training.stack import LayerValues, StepRandom, describe, label
from thalweg.training.step import Task, prediction_program, step_programs, types_of

if TYPE_CHECKING:
    from thalweg.training.network import Network

PAGE_WIDTH = 88
MARGIN = 14
USUAL_ROWS = 32
RANDOM_INPUTS = {"seed": ArrayType((), "uint32"), "step": ArrayType((), "int32")}
CONVERSIONS = ("broadcast", "reshape", "cast", "floor", "divide")
NOT_FITTED = "It wasn't fitted yet, so its loss and optimizer aren't known."
OWN = "a person's own rule, of which only the name is kept"
SETTINGS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (*OPTIMIZERS.values(), L1, L2, Penalties)
}
Arrays = dict[str, Any]


def explain(network: Network, program: bool = False) -> str:
    """The formulas of every layer, forward and backward, of the loss and the optimizer.

    Arguments:
        network: initialized, fitted or loaded.
        program: also show the whole program after each pass.

    Raises:
        NotFittedError: the network has no parameters yet.
    """
    blocks = [header(network)]
    blocks += [
        layer_block(network, number) for number in range(1, len(network.layers) + 1)
    ]
    blocks += [loss_block(network), optimizer_block(network)]
    if program:
        blocks += program_blocks(network)
    return "\n\n".join(blocks)


# Blocks -------------------------------------------------------------------------------


def header(network: Network) -> str:
    """What the network is, and how to read the rest."""
    types = types_of(network.shapes.parameters, network.dtype)
    count = sum(type.size for type in types.values())
    settings = network.history.settings
    rows = rows_of(network)
    trained = [
        f"{name} {settings[name]}" for name in ("loss", "optimizer") if name in settings
    ]
    return "\n".join(
        [
            f"Network of {counted(len(network.layers), 'layer')} with "
            f"{counted(count, 'parameter')}, {network.dtype}",
            *wrapped(f"Fitted with {', '.join(trained)}." if trained else NOT_FITTED),
            "",
            *wrapped(
                "Forward, each layer makes y of x. Backward, it turns dy, the gradient of "
                "the objective by y, into dx and the gradients of its parameters. These "
                "are the formulas that run, traced and differentiated for "
                f"{counted(rows, 'row')}, in the notation of NumPy."
            ),
        ]
    )


def layer_block(network: Network, number: int) -> str:
    """One layer: shapes, parameters, formulas."""
    shapes = network.shapes
    before, after = shapes.outputs[number - 1 : number + 1]
    training = layer_in_training(network, number)
    prediction = layer_in_prediction(network, number).forward_lines()
    forward = training.forward_lines()
    parts = {
        "shape": [f"{shape_text(before)} → {shape_text(after)}"],
        "parameters": declared_lines(shapes.parameters, number),
        "state": declared_lines(shapes.state, number),
        "random": training.random_lines(),
        "forward": forward,
        "backward": training.backward_lines(),
        "prediction": prediction if prediction != forward else [],
    }
    return block(f"Layer {number}: {describe(network.layers[number - 1])}", parts)


def loss_block(network: Network) -> str:
    """The loss by itself, and together with the last layer."""
    loss = network.loss
    if loss is None:
        return "Loss: none is known yet."
    together = last_layer_and_loss(loss, network)
    spelled = ", ".join(f"{name}={value}" for name, value in loss.parameters)
    parts = {
        "of a row": loss_alone(loss, network).forward_lines(),
        "": ["", "Together with the last layer, as it runs:"],
        "forward": together.forward_lines(),
        "backward": together.backward_lines(),
    }
    return block(f"Loss: {loss.name}" + (f" with {spelled}" if spelled else ""), parts)


def optimizer_block(network: Network) -> str:
    """The optimizer's rule on the vector of all parameters, and what comes before it."""
    settings = network.history.settings
    if "optimizer" not in settings:
        return "Optimizer: none is known yet."
    title = f"Optimizer: {settings['optimizer']}"
    rule, penalty = (rebuilt(settings.get(name)) for name in ("optimizer", "penalty"))
    parts: dict[str, list[str]] = {}
    if settings.get("penalty"):
        added = ["added to the objective for every penalized w:"]
        shown = penalty_alone(penalty).forward_lines() if penalty else [OWN]
        parts["penalty"] = [*added, *shown]
    if settings.get("clip_norm"):
        parts["clipping"] = clipping(settings["clip_norm"], network).forward_lines()
    parts["step"] = optimizer_alone(rule, network).forward_lines() if rule else [OWN]
    return block("\n".join(wrapped(title)), parts)


def program_blocks(network: Network) -> list[str]:
    """The training step after each pass; prediction's where training isn't known."""
    task = task_of(network)
    if task is None:
        shapes, dtype = network.shapes, network.dtype
        last = prediction_program(network.layers, shapes, rows_of(network), dtype)
        programs = {"of prediction, as the training step isn't known": last}
    else:
        batch = batch_types(network, task.loss)
        steps = step_programs(
            network.layers, network.shapes, task, batch, network.dtype
        )
        programs = {f"after {name}": program for name, program in steps.items()}
        last = steps["step"]
    blocks = [f"Program {name}\n{program}" for name, program in programs.items()]
    return [*blocks, f"Program after plan\n{plan(last)}"]


def block(title: str, parts: Mapping[str, Sequence[str]]) -> str:
    """A title, and lines with a word before the first of each part."""
    lines = [title]
    for word, content in parts.items():
        for number, each in enumerate(content):
            start = f"  {word}" if number == 0 else ""
            lines.append(f"{start:{MARGIN}}{each}".rstrip())
    return "\n".join(lines)


# Pieces -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
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
        )

    def forward_lines(self) -> list[str]:
        """The formulas as text."""
        return [str(formula) for formula in self.forward]

    def backward_lines(self) -> list[str]:
        """The gradients in the words of the forward formulas."""
        if not self.by:
            return []
        on_the_way = {
            f.name: f.value for f in self.forward if self.program.instruction(f.value)
        }
        both = backward_program(self.program, self.outputs[0], self.by, on_the_way)
        known = {
            both.outputs[f"value.{f.name}"]: f.expression
            for f in self.forward
            if f.name in on_the_way
        }
        gradients = {
            f"d{name.removeprefix('gradient.')}": value
            for name, value in both.outputs.items()
            if name.startswith("gradient.")
        }
        wanted = [f"d{name}" for name in self.by]
        through = [(v, n) for n, v in gradients.items() if n not in wanted]
        hints = dict(reversed(through))
        shown = replace(both, outputs={name: gradients[name] for name in wanted})
        known |= uniforms(both)
        return [str(f) for f in formulas(shown, hints=hints, known=known)]

    def random_lines(self) -> list[str]:
        """What is random, in words."""
        return [
            f"{each.text} {shape_text(each.shape[1:])}: in [0, 1), others in every step"
            for each in uniforms(self.program).values()
        ]


def piece(
    function: Formula,
    types: Mapping[str, ArrayType],
    outputs: Sequence[str],
    by: Sequence[str] = (),
) -> Piece:
    """A formula traced and made safe."""
    traced = trace(with_local_names(function), types)
    return Piece(simplify(make_safe(traced)), tuple(outputs), tuple(by))


def uniforms(program: Program) -> dict[int, Expression]:
    """The uniform numbers that a program makes of random bits, by their values."""
    found = [v for v in program.computed() if is_uniform_draw(program, v)]
    names = [f"uniform{number}" for number in range(1, len(found) + 1)]
    return {
        value: Expression(name if len(found) > 1 else "uniform", ATOM, program.type(value).shape)
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


def layer_types(network: Network, number: int) -> dict[str, ArrayType]:
    """The inputs of one layer: x, its parameters and state, and what random needs."""
    shapes, dtype = network.shapes, network.dtype
    prefix = f"{number}."
    types = types_of({**shapes.parameters, **shapes.state}, dtype)
    own = {k.removeprefix(prefix): t for k, t in types.items() if k.startswith(prefix)}
    x = ArrayType((rows_of(network), *shapes.outputs[number - 1]), dtype)
    return {"x": x, **own, **RANDOM_INPUTS}


def layer_in_training(network: Network, number: int) -> Piece:
    """y and the new state of a layer; gradients by its parameters and x."""
    run, types = training_of(network, number), layer_types(network, number)

    def forward(arrays: Arrays) -> Arrays:
        y, state = run(arrays)
        return {"y": y, **state}

    kept = [name for name in own_names(network.shapes.state, number)]
    found = piece(forward, types, ["y"])
    outputs = ["y", *(name for name in kept if name in found.program.outputs)]
    by = gradient_names(found.program, own_names(network.shapes.parameters, number))
    return replace(found, outputs=tuple(outputs), by=by)


def training_of(network: Network, number: int) -> Callable[[Arrays], tuple[Any, Arrays]]:
    """A layer as in training, from named arrays."""
    layer = network.layers[number - 1]

    def run(arrays: Arrays) -> tuple[Any, Arrays]:
        values = LayerValues(label(number, layer), arrays)
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
    return (*parameters, "x") if counts or passes else tuple(parameters)


def layer_in_prediction(network: Network, number: int) -> Piece:
    """y of a layer when nothing is learned."""
    layer = network.layers[number - 1]

    def forward(arrays: Arrays) -> Arrays:
        return {"y": layer.forward(arrays["x"], LayerValues(label(number, layer), arrays))}

    return piece(forward, layer_types(network, number), ["y"])


def loss_alone(loss: Loss, network: Network) -> Piece:
    """The loss of every row."""
    type = predictions_type(network)
    return piece(
        lambda a: {"loss": loss.per_row(a["predictions"], a["targets"])},
        {"predictions": type, "targets": type},
        ["loss"],
    )


def last_layer_and_loss(loss: Loss, network: Network) -> Piece:
    """J, the mean of the rows' losses, from what the last layer is given."""
    number = len(network.layers)
    run, types = training_of(network, number), layer_types(network, number)

    def forward(arrays: Arrays) -> Arrays:
        y, _ = run(arrays)
        return {"J": ops.mean(loss.per_row(y, arrays["targets"])), "y": y}

    types["targets"] = predictions_type(network)
    found = piece(forward, types, ["J"])
    by = gradient_names(found.program, own_names(network.shapes.parameters, number))
    return replace(found, by=by)


def optimizer_alone(rule: Optimizer, network: Network) -> Piece:
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

    return piece(update, types, [*slots, "parameters"])


def clipping(max_norm: float, network: Network) -> Piece:
    """The gradient, shortened if it's too long."""
    vector = flat_type(types_of(network.shapes.parameters, network.dtype))
    return piece(
        lambda a: {"gradient": clip_by_global_norm(a["gradient"], max_norm)},
        {"gradient": vector},
        ["gradient"],
    )


def penalty_alone(penalty: Penalty) -> Piece:
    """What a matrix of weights costs."""
    return piece(
        lambda a: {"penalty": penalty(a["w"])}, {"w": ArrayType((2, 3), "float64")}, ["penalty"]
    )


# What is known of training -----------------------------------------------------------


def task_of(network: Network) -> Task | None:
    """What the network was fitted to do; None if that isn't known, or a person's own."""
    settings = network.history.settings
    rule, penalty = (rebuilt(settings.get(name)) for name in ("optimizer", "penalty"))
    if network.loss is None or rule is None:
        return None
    if settings.get("penalty") is not None and penalty is None:
        return None
    classes = network.loss.name in CLASS_LOSSES
    outputs = network.shapes.outputs[-1][0]
    metric = Accuracy() if classes else SquaredError((1.0,) * outputs)
    return Task(network.loss, metric, rule, penalty, settings.get("clip_norm"))


def batch_types(network: Network, loss: Loss) -> dict[str, ArrayType]:
    """The rows of a step: class numbers where classes are learned, else numbers."""
    rows, dtype = rows_of(network), network.dtype
    (outputs,) = network.shapes.outputs[-1]
    classes = loss.name in CLASS_LOSSES
    y = ArrayType((rows,) if classes or outputs == 1 else (rows, outputs), "int32" if classes else dtype)
    return {"X": ArrayType((rows, *network.shapes.outputs[0]), dtype), "y": y}


def rebuilt(spelled: str | None) -> Any:
    """A rule or penalty from how it's written; None if it isn't one of thalweg's own."""
    if spelled is None:
        return None
    try:
        return value_of(ast.parse(spelled, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, KeyError):
        return None


def value_of(node: ast.expr) -> Any:
    """Numbers, tuples, and calls of what is in the table: nothing is evaluated."""
    if isinstance(node, ast.Tuple):
        return tuple(value_of(each) for each in node.elts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        given = {str(each.arg): value_of(each.value) for each in node.keywords}
        return SETTINGS[node.func.id](**given)
    return ast.literal_eval(node)


def predictions_type(network: Network) -> ArrayType:
    """The type of what the network gives for a batch."""
    return ArrayType((rows_of(network), *network.shapes.outputs[-1]), network.dtype)


def rows_of(network: Network) -> int:
    """The rows of a batch."""
    return int(network.history.settings.get("batch_size", USUAL_ROWS))


# Words -------------------------------------------------------------------------------


def own_names(declared: Mapping[str, Parameter], number: int) -> list[str]:
    """The names of one layer's parameters or state."""
    numbered = (name.partition(".") for name in declared)
    return [name for layer, _, name in numbered if layer == str(number)]


def declared_lines(declared: Mapping[str, Parameter], number: int) -> list[str]:
    """One layer's parameters or state: names, shapes, and how many numbers."""
    own = {name: declared[f"{number}.{name}"] for name in own_names(declared, number)}
    width = max(map(len, own), default=0)
    return [
        f"{name:{width}}  {p.shape}, {counted(math.prod(p.shape), 'number')}"
        for name, p in own.items()
    ]


def shape_text(shape: Shape) -> str:
    """A shape with the axis of rows by its name."""
    return f"({', '.join(['rows', *map(str, shape)])})"


def counted(count: int, thing: str) -> str:
    """1 row, 2 rows."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def wrapped(text: str) -> list[str]:
    """Lines of a paragraph."""
    return textwrap.wrap(text, PAGE_WIDTH)
