"""A network at a glance: a line for each layer, as a text and as a table of HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thalweg.formulas.branches import Branching, Parallel, row_text
from thalweg.formulas.chain import describe
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Layer, Parameter
from thalweg.model.record import NetworkRecord
from thalweg.printable import printable
from thalweg.program.types import Dtype, Shape
from thalweg.words import counted

UNKNOWN = "?"
HEADER = ("", "layer", "gives", "parameters")
INDENT = "  "


@dataclass(frozen=True)
class LayerLine:
    """One layer, in the whole network or inside another.

    Arguments:
        place: before the names of its parameters, ``2.1``.
        text: the layer as it would be written, or its kind if lines for the layers in
            it follow.
        shape: of what it gives; None where that isn't known.
        depth: how many layers it is in.
    """

    place: str
    text: str
    shape: Shape | None
    depth: int


def summary(network: NetworkRecord) -> str:
    """The layers with what they give and how much they learn, and totals."""
    title, *totals = sentences(network)
    rows = [HEADER, *cells(network)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"{place:{widths[0]}}  {layer:{widths[1]}}  {shape:{widths[2]}}  "
        f"{count:>{widths[3]}}"
        for place, layer, shape, count in rows
    ]
    return "\n".join([title, "", *lines, "", *totals])


def summary_html(network: NetworkRecord) -> str:
    """The same as a table, in the colors of the page that shows it."""
    title, *totals = map(html.escape, sentences(network))
    head = "".join(f"<th{STYLES[n]}>{name}</th>" for n, name in enumerate(HEADER))
    body = "".join(
        f"<tr>{''.join(cell_html(n, text) for n, text in enumerate(row))}</tr>"
        for row in cells(network)
    )
    return (
        f"<div><p>{title}</p>"
        f'<table style="border-collapse: collapse"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table><p>{'<br>'.join(totals)}</p></div>"
    )


STYLES = (*[' style="text-align: left"'] * 3, ' style="text-align: right"')


def cell_html(column: int, text: str) -> str:
    """A cell; what a layer is indented by in a text stays."""
    start = len(text) - len(text.lstrip())
    return f"<td{STYLES[column]}>{'&nbsp;' * start}{html.escape(text.lstrip())}</td>"


def sentences(network: NetworkRecord) -> list[str]:
    """What the network is, and how much it has in all."""
    layers = counted(len(network.layers), "layer")
    if not network.is_initialized:
        return [
            f"Network of {layers}",
            "It has no parameters yet: fit or initialize draws them for rows of a "
            "shape.",
        ]
    shapes = network.shapes
    learned, kept = size(shapes.parameters), size(shapes.state)
    takes = f"It takes {inputs_text(network)} in {network.input_dtype}."
    state = f", and keeps {counted_in_thousands(kept, 'number')} of state"
    return [
        f"Network of {layers}",
        f"{takes} It learns {counted_in_thousands(learned, 'parameter')}"
        f"{state if kept else ''}.",
        trained_sentence(network),
        *(
            f"It is {words}."
            for words in [network.history.worse_than_constant]
            if words
        ),
    ]


def inputs_text(network: NetworkRecord) -> str:
    """The shape of a row that goes in, or of each input by its name."""
    first = network.layers[0]
    if not isinstance(first, Inputs):
        return row_text(network.shapes.outputs[0])
    shapes = first.shapes_by_name.items()
    return ", ".join(f"{name} {row_text(shape)}" for name, shape in shapes)


def trained_sentence(network: NetworkRecord) -> str:
    """How far it was trained."""
    history = network.history
    if not history.epochs:
        return "It wasn't fitted yet."
    epochs = counted(history.stopped_epoch, "epoch")
    return f"It was fitted for {epochs}; the best was epoch {history.best_epoch}."


def counted_in_thousands(count: int, thing: str) -> str:
    """1 number, 1,234 numbers."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def size(declared: dict[str, Parameter], place: str = "") -> int:
    """How many numbers there are, of all or of a layer at a place."""
    own = (p for name, p in declared.items() if name.startswith(place))
    return sum(math.prod(p.shape) for p in own)


def cells(network: NetworkRecord) -> list[tuple[str, str, str, str]]:
    """The texts of every line."""
    known = network.is_initialized
    given = network.shapes.outputs if known else [None] * len(network.layers)
    return [
        (
            line.place,
            printable(INDENT * line.depth + line.text),
            UNKNOWN if line.shape is None else row_text(line.shape),
            f"{size(network.shapes.parameters, line.place + '.'):,}"
            if known
            else UNKNOWN,
        )
        for line in layer_lines(network.layers, given, network.dtype)
    ]


def layer_lines(
    layers: Sequence[Layer],
    given: Sequence[Shape | None],
    dtype: Dtype,
    place: str = "",
    depth: int = 0,
) -> Iterator[LayerLine]:
    """Each layer of a chain, followed by those in it.

    Arguments:
        layers: the chain.
        given: the shape of a row before the first layer and, where known, after each.
        dtype: of the network.
        place: of the chain, ``2.1.``.
        depth: how many layers the chain is in.
    """
    for number, layer in enumerate(layers, 1):
        own = f"{place}{number}"
        shape = given[number] if number < len(given) else None
        if not isinstance(layer, Branching):
            yield LayerLine(own, describe(layer), shape, depth)
            continue
        yield LayerLine(own, layer.title, shape, depth)
        before = given[number - 1]
        shapes = None if before is None else layer.shapes(before, dtype)
        for part, chain in layer.chains().items():
            inside = [None] if shapes is None else shapes[part].outputs
            yield from layer_lines(chain, inside, dtype, f"{own}.{part}", depth + 1)
            if not chain and isinstance(layer, Parallel | Inputs):
                yield LayerLine(
                    f"{own}.{part[:-1]}", "x as it is", inside[0], depth + 1
                )
