"""Layers and those inside them, and what each is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.errors import ArgumentError
from thalweg.explain.rows import for_rows, require_layer
from thalweg.formulas.branches import Branching, values_in
from thalweg.formulas.layers import Layer, Namespace
from thalweg.model import step
from thalweg.model.record import NetworkRecord
from thalweg.model.stack import values_by_layer
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.trace import trace
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Inside:
    """A layer where it stands.

    Arguments:
        place: as its parameters' names begin, such as ``2.1.3.``.
        layer: at that place.
        x: what it is given.
        p: its parameters and state.
    """

    place: str
    layer: Layer
    x: Any
    p: Namespace


def walk(
    layers: Sequence[Layer], x: Any, values: Sequence[Namespace], before: str = ""
) -> Iterator[Inside]:
    """The layers of a chain, each followed by those inside it."""
    for number, (layer, p) in enumerate(zip(layers, values, strict=True), 1):
        place = f"{before}{number}."
        yield Inside(place, layer, x, p)
        if isinstance(layer, Branching):
            chains = layer.chains().items()
            for (inner, chain), part in zip(chains, layer.given(x), strict=True):
                own = values_in(p, inner, chain)
                yield from walk(chain, part, own, place + inner)
        if number < len(layers):
            x = layer.forward(x, p)


def places_of(layer: Layer, kind: type[Layer], place: str) -> dict[str, Layer]:
    """Layers of a kind in a layer, itself included, by where they stand."""
    if isinstance(layer, kind):
        return {place: layer}
    found: dict[str, Layer] = {}
    chains = layer.chains() if isinstance(layer, Branching) else {}
    for inner, chain in chains.items():
        for number, each in enumerate(chain, 1):
            found |= places_of(each, kind, f"{place}{inner}{number}.")
    return found


def the_one(
    network: NetworkRecord, layer: int | str, kind: type[Layer], name: str
) -> tuple[str, Layer]:
    """The one layer of a kind in a layer, and its place.

    Arguments:
        network: the network.
        layer: the number of the layer that is it or has it inside, 1 for the first; or
            a place, as parameters' names begin, such as ``2.1.2``.
        kind: what is looked for.
        name: of the kind, for errors.

    Raises:
        ArgumentError: there is no such layer, or it has none or several of the kind.
    """
    every: dict[str, Layer] = {}
    for number, each in enumerate(network.layers, 1):
        every |= places_of(each, kind, f"{number}.")
    if not isinstance(layer, str):
        require_layer(network.layers, layer)
    found = [each for each in every.items() if each[0].startswith(f"{layer}.")]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(place[:-1] for place in every) or "nowhere"
    raise ArgumentError(
        f"layer {layer} must be or hold one {name}, got {len(found)}; in this network "
        f"there are such at: {listed}"
    )


def seen_inside(
    network: NetworkRecord,
    X: NumpyArray,
    place: str,
    formula: Callable[[Inside], Any],
    name: str,
) -> NumpyArray:
    """What a formula gives of the layer at a place, for all rows.

    Arguments:
        network: initialized, fitted or loaded.
        X: rows in the network's shape and dtype.
        place: where the layer stands.
        formula: of the layer and what it's given.
        name: of the formula, by which its program is kept.
    """
    layers, shapes, dtype = network.layers, network.shapes, network.dtype

    def program(rows: int) -> Program:
        def found(arrays: dict[str, Any]) -> dict[str, Any]:
            values = values_by_layer(layers, step.values_in(arrays, shapes, dtype))
            inside = walk(layers, arrays["X"], values)
            return {name: formula(next(i for i in inside if i.place == place))}

        types = step.network_inputs(shapes, rows, dtype)
        return finish(make_safe(trace(found, types)))

    key = (name, layers, shapes.outputs[0], dtype, place)
    return for_rows(network, program, {"X": X}, name, key)
