"""A chain of layers at one time, of which there are any number one after the other.

A layer that remembers says itself what it keeps and what it gives at a time. Any other
must be known to work on each time `alone`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from thalweg.errors import ShapeError, ThalwegError
from thalweg.formulas.alone import alone, unknown
from thalweg.formulas.branches import Branching, Chain, place_text, values_in
from thalweg.formulas.chain import label
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Layer, Namespace, Shape
from thalweg.formulas.moments import Kept, Moment, Remembering, needs_later_times
from thalweg.formulas.preparation import Reshape
from thalweg.program import ops
from thalweg.program.arguments import shape_of
from thalweg.program.trace import labeled
from thalweg.program.types import Dtype

Outputs = Sequence[Shape]
"""The shape of a row before a chain's first layer and after each."""


@dataclass(frozen=True)
class Remembered:
    """What a chain keeps between times.

    Arguments:
        shapes: of a row, by names such as ``1.h``.
        is_endless: whether it has room for any number of times.
        has_times: whether it gives something at each time, or of the newest alone.
    """

    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    is_endless: bool = True
    has_times: bool = True


def remembered(
    layers: Sequence[Layer], outputs: Outputs, dtype: Dtype, times: int
) -> Remembered:
    """What layers keep of the times before, if a stream can have them.

    Arguments:
        layers: one after the other.
        outputs: the shape of a row before the first and after each.
        dtype: of the network.
        times: how many there must be room for.

    Raises:
        ArgumentError: a layer needs later times; it is named.
    """
    found = Remembered()
    for number, (layer, shape) in enumerate(zip(layers, outputs, strict=False), 1):
        if not found.has_times:  # what follows works on what the newest time gave
            break
        with naming(label(number, layer)):
            own = remembered_by(layer, shape, dtype, times)
        shapes = {f"{number}.{name}": each for name, each in own.shapes.items()}
        found = Remembered(
            {**found.shapes, **shapes},
            found.is_endless and own.is_endless,
            own.has_times,
        )
    return found


def remembered_by(layer: Layer, shape: Shape, dtype: Dtype, times: int) -> Remembered:
    """What one layer keeps."""
    if isinstance(layer, Remembering):
        kept = dict(layer.kept(shape, times))
        return Remembered(kept, layer.is_endless, layer.has_times)
    if not isinstance(layer, Branching):
        return Remembered()
    every: dict[str, Remembered] = {}
    for (place, chain), outputs in inside(layer, shape, dtype):
        with naming(place_text(place)):
            every[place] = remembered(chain, outputs, dtype, times)
    if len({each.has_times for each in every.values()}) > 1:
        raise needs_later_times("one branch gives all times, another the last alone")
    shapes = {p + name: s for p, e in every.items() for name, s in e.shapes.items()}
    return Remembered(
        shapes,
        all(each.is_endless for each in every.values()),
        all(each.has_times for each in every.values()),
    )


def inside(
    layer: Branching, shape: Shape, dtype: Dtype
) -> list[tuple[tuple[str, Chain], Outputs]]:
    """The chains by their places, and the shapes of a row in each."""
    if isinstance(layer, Inputs):
        raise needs_later_times("this takes whole inputs by name")
    shapes = layer.shapes(shape, dtype)
    return [(each, shapes[each[0]].outputs) for each in layer.chains().items()]


@contextmanager
def naming(where: str) -> Generator[None]:
    """Errors say where they come from."""
    try:
        yield
    except ThalwegError as error:
        raise error.__class__(f"{where}: {error}") from None


# One time -----------------------------------------------------------------------------


@dataclass(frozen=True)
class AtTime:
    """What layers give at one time.

    Arguments:
        x: (rows, 1, …) where there are times, else (rows, …).
        kept: from now on, by name.
        has_times: which of the two.
    """

    x: ops.Array
    kept: Kept = field(default_factory=dict[str, ops.Array])
    has_times: bool = True


def chain_at_time(
    layers: Sequence[Layer],
    outputs: Outputs,
    x: ops.Array,
    kept: Kept,
    values: Sequence[Namespace],
    moment: Moment,
) -> AtTime:
    """What layers one after the other give at one time.

    Arguments:
        layers, outputs: as in `remembered`.
        x: inputs at this time, (rows, 1, …).
        kept: at the time before, by the names that `remembered` gives.
        values: parameters and state of each layer.
        moment: where the stream is.

    Raises:
        ArgumentError: how a layer works on times isn't known; it is named.
    """
    found = AtTime(x)
    every = enumerate(zip(layers, outputs, values, strict=False), 1)
    for number, (layer, shape, p) in every:
        if not found.has_times:
            with labeled(label(number, layer)):
                found = AtTime(layer.forward(found.x, p), found.kept, False)
            continue
        before = behind(kept, number)
        with naming(label(number, layer)):
            own = layer_at_time(layer, shape, found.x, before, p, moment)
            require_as_forward(own, before, outputs[number])
        new = {f"{number}.{name}": array for name, array in own.kept.items()}
        found = AtTime(own.x, {**found.kept, **new}, own.has_times)
    return found


def require_as_forward(given: AtTime, before: Kept, shape: Shape) -> None:
    """A layer gives what it gives of all times, and keeps what it said.

    Raises:
        ShapeError: it doesn't.
    """
    meant = (1, *shape[1:]) if given.has_times else shape
    if shape_of(given.x)[1:] != meant:
        raise ShapeError(
            f"at one time it must give {('rows', *meant)}, as forward gives rows of "
            f"{shape}, got {shape_of(given.x)}"
        )
    kept = {name: array.type for name, array in before.items()}
    new = {name: getattr(array, "type", None) for name, array in given.kept.items()}
    if new != kept:
        raise ShapeError(
            f"what is kept from a time on must be as what was kept before, {kept}, "
            f"got {new}"
        )


def behind(kept: Kept, place: int | str) -> Kept:
    """What has a name behind a place, without it."""
    start = f"{place}." if isinstance(place, int) else place
    own = {n: array for n, array in kept.items() if n.startswith(start)}
    return {name.removeprefix(start): array for name, array in own.items()}


def layer_at_time(
    layer: Layer,
    shape: Shape,
    x: ops.Array,
    kept: Kept,
    p: Namespace,
    moment: Moment,
) -> AtTime:
    """What one layer gives at one time."""
    if isinstance(layer, Remembering):
        y, new = layer.at_time(x, kept, p, moment)
        return AtTime(y, new, layer.has_times)
    if isinstance(layer, Branching):
        return branches_at_time(layer, shape, x, kept, p, moment)
    if isinstance(layer, Reshape) and cast(Shape, layer.shape)[0] == shape[0]:
        return AtTime(ops.reshape(x, (x.shape[0], 1, *cast(Shape, layer.shape)[1:])))
    return AtTime(alone(layer, shape, x, p))


def branches_at_time(
    layer: Branching,
    shape: Shape,
    x: ops.Array,
    kept: Kept,
    p: Namespace,
    moment: Moment,
) -> AtTime:
    """What the chains of a layer give at one time, joined."""
    found: dict[str, AtTime] = {}
    for (place, chain), outputs in inside(layer, shape, x.dtype.name):
        with naming(place_text(place)):
            own = values_in(p, place, chain)
            before = behind(kept, place) if place else without_places(kept, layer)
            found[place] = chain_at_time(chain, outputs, x, before, own, moment)
    new = {p + name: a for p, each in found.items() for name, a in each.kept.items()}
    has_times = all(each.has_times for each in found.values())
    if has_times and any(each.x.ndim < 3 for each in found.values()):
        raise unknown()  # the axis of times may be one along which they are joined
    return AtTime(layer.joined([each.x for each in found.values()]), new, has_times)


def without_places(kept: Kept, layer: Branching) -> Kept:
    """What is kept by the chain at no place: the names behind no other one's."""
    others = tuple(place for place in layer.chains() if place)
    return {n: a for n, a in kept.items() if not (others and n.startswith(others))}
