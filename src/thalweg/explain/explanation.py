"""A network as the formulas that run: traced, differentiated, and written out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile

from thalweg.explain.lines import wrapped
from thalweg.explain.plans import Subject, subject_of
from thalweg.explain.profile import profile as profiled
from thalweg.explain.subprograms import (
    Subprogram,
    clipping,
    last_layer_and_loss,
    layer_in_prediction,
    layer_in_training,
    loss_alone,
    optimizer_alone,
    own_names,
    penalty_alone,
    uniforms,
)
from thalweg.explain.training_step import (
    batch_types,
    objective_of,
    rows_of,
)
from thalweg.formulas.chain import describe
from thalweg.formulas.layers import Parameter
from thalweg.model.record import NetworkRecord
from thalweg.model.step import prediction_program, step_programs, types_of
from thalweg.model.traced import can_train
from thalweg.printable import printable_lines
from thalweg.program.types import Shape
from thalweg.words import counted

MARGIN = 14
NOT_FITTED = "It wasn't fitted yet, so its loss and optimizer aren't known."
HOW_TO_READ = """\
Forward, as in training, each layer makes y of x. Backward, it turns dy, the gradient of
the objective by y, into dx and the gradients of its parameters. These are the formulas
that run, traced and differentiated for {rows}, in the notation of NumPy."""
TOGETHER = "Together with the last layer; J is the mean over rows:"
TARGETS = "probabilities, which add up to 1; class numbers become one-hot rows first"
OWN = "a user's own, of which only the name is kept"


def explain(
    network: NetworkRecord, program: bool = False, profile: bool = False
) -> str:
    """The formulas of every layer, forward and backward, of the loss and the optimizer.

    Arguments:
        network: initialized, fitted or loaded.
        program: also show the whole program after each pass.
        profile: also measure how long each kernel takes.

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
    if profile:
        blocks.append(profiled(network))
    return printable_lines("\n\n".join(blocks))


# Blocks -------------------------------------------------------------------------------


def header(network: NetworkRecord) -> str:
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
            HOW_TO_READ.format(rows=counted(rows, "row")),
        ]
    )


def layer_block(network: NetworkRecord, number: int) -> str:
    """One layer: shapes, parameters, formulas."""
    shapes = network.shapes
    before, after = shapes.outputs[number - 1 : number + 1]
    layer = network.layers[number - 1]
    in_prediction = layer_in_prediction(network, number)
    learnable = can_train(layer)
    training = layer_in_training(network, number) if learnable else in_prediction
    forward, prediction = training.forward_lines(), in_prediction.forward_lines()
    parts = {
        "shape": [f"{shape_text(before)} → {shape_text(after)}"],
        "parameters": declared_lines(shapes.parameters, number),
        "state": declared_lines(shapes.state, number),
        "random": random_lines(training),
        "forward": forward,
        "backward": training.backward_lines(),
        "prediction": prediction if prediction != forward else [],
    }
    return block(f"Layer {number}: {describe(layer)}", parts)


def loss_block(network: NetworkRecord) -> str:
    """The loss by itself, and together with the last layer."""
    loss = network.loss
    if loss is None:
        return "Loss: none is known yet."
    spelled = ", ".join(f"{name}={value}" for name, value in loss.parameters)
    parts: dict[str, list[str]] = {}
    if loss.name == "cross_entropy":
        parts["targets"] = [TARGETS]
    parts["of a row"] = loss_alone(loss, network).forward_lines()
    if can_train(network.layers[-1]):
        together = last_layer_and_loss(loss, network)
        parts[""] = ["", TOGETHER]
        parts["forward"] = together.forward_lines()
        adding_up = ["targets"] if loss.name == "cross_entropy" else []
        parts["backward"] = together.textbook_lines(adding_up)
        runs = together.backward_lines()
        parts["as it runs"] = until_same(runs, parts["backward"])
    return block(f"Loss: {loss.name}" + (f" with {spelled}" if spelled else ""), parts)


def optimizer_block(network: NetworkRecord) -> str:
    """The rule on the vector of all parameters, and what is done before it."""
    settings = network.history.settings
    if "optimizer" not in settings:
        return "Optimizer: none is known yet."
    title = f"Optimizer: {settings['optimizer']}"
    rule, penalty = network.optimizer, network.penalty
    parts: dict[str, list[str]] = {}
    if settings.get("penalty"):
        added = ["added to the objective for every penalized w:"]
        shown = penalty_alone(penalty).forward_lines() if penalty else [OWN]
        parts["penalty"] = [*added, *shown]
    if settings.get("clip_norm"):
        parts["clipping"] = clipping(settings["clip_norm"], network).forward_lines()
    parts["step"] = optimizer_alone(rule, network).forward_lines() if rule else [OWN]
    return block(title, parts)


def program_blocks(network: NetworkRecord) -> list[str]:
    """The training step after each pass; prediction's where training isn't known."""
    objective = objective_of(network)
    if objective is None:
        shapes, dtype = network.shapes, network.dtype
        rows, given = rows_of(network), network.input_dtype
        last = prediction_program(network.layers, shapes, rows, dtype, given)
        programs = {"of prediction, as the training step isn't known": last}
    else:
        batch = batch_types(network, objective.loss)
        steps = step_programs(
            network.layers, network.shapes, objective, batch, network.dtype
        )
        programs = {f"after {name}": program for name, program in steps.items()}
    blocks = [f"Program {name}\n{program}" for name, program in programs.items()]
    return [*blocks, *plan_blocks(subject_of(network))]


def plan_blocks(subject: Subject) -> list[str]:
    """The plans that the engine runs, one for each part of the program."""
    return [
        f"Program after plan, {subject.titles[name]}\n{part.plan}"
        for name, part in subject.compiled.parts.items()
    ]


def until_same(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    """Lines without those at the end that are the others' last ones too.

    >>> until_same(["a = 1", "b = a", "c = b"], ["b = 1", "c = b"])
    ['a = 1', 'b = a']
    """
    pairs = zip(reversed(lines), reversed(others), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return list(lines[: len(lines) - same])


def block(title: str, parts: Mapping[str, Sequence[str]]) -> str:
    """A title, and lines with a word before the first of each part."""
    lines = wrapped(title)
    for word, content in parts.items():
        for number, each in enumerate(content):
            start = f"  {word}" if number == 0 else ""
            lines.append(f"{start:{MARGIN}}{each}".rstrip())
    return "\n".join(lines)


# Words -------------------------------------------------------------------------------


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


def random_lines(layer: Subprogram) -> list[str]:
    """The random numbers of a layer."""
    return [
        f"{each.text} {shape_text(each.shape[1:])}: in [0, 1), others in every step"
        for each in uniforms(layer.program).values()
    ]
