"""How large what a file describes may be, and which characters its names may have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from thalweg.errors import ModelFileError
from thalweg.formulas.branches import Branching
from thalweg.formulas.chain import Shapes
from thalweg.formulas.layers import Columns, Layer, Roomy, Shape
from thalweg.formulas.recurrence import Recurring
from thalweg.model.traced import SavedProgram, traced_in
from thalweg.program.extent import kept_bytes, peak_bytes
from thalweg.program.serialize import MOST_COMPUTED_A_ROW, TYPICAL_ROWS
from thalweg.program.types import Dtype

Data = dict[str, Any]

MOST_BYTES_A_ROW = 2**26  # of values that are there together
MOST_GIVEN_A_ROW = 2**21
LAYER_LIMIT = 512  # bounds the time that tracing them takes
HOLDING = ("parts", "layers", "projection", "branches", "cell", "layer", "object")
"""The fields in which a description of a layer has others."""
EMBEDDINGS = ("Embedding", "Embedding 2")
PARTS_A_LAYER = 8  # embeddings, and ranges of columns, take so much less
LAYERS_OF = {"TransformerBlock": 9}  # itself, and those in it that a file does not name


def require_small_rows(layers: Sequence[Layer], shapes: Shapes, dtype: Dtype) -> None:
    """What layers without parameters of their own make of a row has bounded size."""
    inside = shapes_inside(layers, shapes.outputs, dtype)
    size = sum(map(math.prod, (*shapes.outputs, *inside)))
    if size > MOST_COMPUTED_A_ROW:
        raise ModelFileError(
            f"all layers together may give {MOST_COMPUTED_A_ROW:,} numbers for a row, "
            f"got {size:,}"
        )
    given = math.prod(shapes.outputs[-1])
    own = sum(math.prod(p.shape) for p in shapes.parameters.values())
    if given > max(MOST_GIVEN_A_ROW, own):
        raise ModelFileError(
            f"a network may give {MOST_GIVEN_A_ROW:,} numbers for a row, or as many as "
            f"it has parameters, got {given:,}"
        )


def shapes_inside(
    layers: Sequence[Layer], given: Sequence[Shape], dtype: Dtype
) -> Iterator[Shape]:
    """The shapes of a row between the layers that others hold.

    Arguments:
        layers: those that may hold others.
        given: the shape of a row before each.
        dtype: of the network.
    """
    for layer, shape in zip(layers, given, strict=False):
        if isinstance(layer, Branching):
            found = layer.shapes(shape, dtype)
            for place, chain in layer.chains().items():
                own = found[place]
                yield from own.outputs
                yield from shapes_inside(chain, own.outputs, dtype)
        elif isinstance(layer, Recurring):
            yield (layer.numbers_inside(shape, dtype),)
        elif isinstance(layer, Roomy):
            yield from layer.shapes_inside(shape)
        elif isinstance(layer, Columns):
            for start, stop, part in layer.parts:
                held = [] if part is None else [part]
                yield from shapes_inside(held, [(stop - start,)], dtype)


def require_little_memory(program: SavedProgram) -> SavedProgram:
    """The program, if for a row it needs bounded memory beside its own arrays."""
    program.at(TYPICAL_ROWS)
    one = program.at(1)
    own = sum(type.nbytes for type in one.inputs.values())
    own += sum(array.nbytes for array in program.constants.values())
    needed = peak_bytes(one)
    if needed > max(MOST_BYTES_A_ROW, own):
        raise ModelFileError(
            f"a program may need {MOST_BYTES_A_ROW:,} bytes for a row, or as many as "
            f"its own arrays have, this one needs {needed:,}"
        )
    return program


def require_little_kept(layers: Sequence[Layer], own: int) -> None:
    """What all layers compute once, and keep for every row, has bounded size."""
    kept = sum(
        kept_bytes(traced.prediction.at(1), traced.prediction.at(2))
        for traced in traced_in(layers)
    )
    if kept > max(MOST_BYTES_A_ROW, own):
        raise ModelFileError(
            f"all layers together may compute {MOST_BYTES_A_ROW:,} bytes whatever the "
            f"rows, or as many as their own arrays have, these compute {kept:,}"
        )


def require_layer_count(described: Any) -> None:
    """Neither more layers than can be read in time are written, nor are they read."""
    count = -(-parts_in(described) // PARTS_A_LAYER)
    if count > LAYER_LIMIT:
        raise ModelFileError(
            f"there may be {LAYER_LIMIT:,} layers, of which embeddings and parts of "
            f"Columns count as an eighth, got {count:,}"
        )


def parts_in(data: Any) -> int:
    """How much a list of layers, with those inside others, takes to be traced."""
    if isinstance(data, list):
        return sum(map(parts_in, cast(list[Any], data)))
    if not isinstance(data, dict):
        return 0
    described = cast(Data, data)
    held = [described.get(field) for field in HOLDING]
    counted = sum(len(cast(list[Any], each)) for each in held if isinstance(each, list))
    own = 0
    if "type" in described:
        kind = described["type"]
        own = 1 if kind in EMBEDDINGS else PARTS_A_LAYER * LAYERS_OF.get(kind, 1)
    return own + counted + parts_in(held)


def words_in(data: Any) -> set[str]:
    """The kinds of layers, and the primitives of programs, that a description has.

    A later version of a primitive is a word of its own: ``slice 2``, and so is an
    initializer: ``initializer zeros``.

    >>> program = {"opcodes": {"scan": 1, "tanh": 1}, "instructions": []}
    >>> sorted(words_in([{"type": "traced", "prediction": program}, {"type": "Dense"}]))
    ['Dense', 'scan', 'tanh', 'traced']
    """
    if isinstance(data, list):
        return set[str]().union(*map(words_in, cast(list[Any], data)))
    if not isinstance(data, dict):
        return set()
    described = cast(Data, data)
    if "opcodes" in described and "instructions" in described:  # names are a user's own
        opcodes = cast(Data, described["opcodes"])
        later = {f"{name} {number}" for name, number in opcodes.items() if number != 1}
        return {*opcodes, *later}
    kind, chosen = described.get("type"), described.get("initializer")
    own = {kind} if isinstance(kind, str) else set[str]()
    own |= {f"initializer {chosen}"} if isinstance(chosen, str) else set()
    return own.union(*map(words_in, described.values()))


# Names --------------------------------------------------------------------------------

CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that steer a terminal, or the order in which others are shown."""

OUR_NAMES = (*("writer", "kind", "network", "loss", "optimizer", "penalty", "history"),)
"""The fields with names of formulas, layers, parameters and losses."""


def require_printable(document: Mapping[str, Any]) -> None:
    """Names of what computes hold no control characters.

    What comes from a user's table, such as names of columns, may hold anything.

    Raises:
        ModelFileError: one does.
    """
    for text in texts_in([document.get(field) for field in OUR_NAMES]):
        if CONTROLS.search(text):
            raise ModelFileError(
                f"a name must have no control characters, got {text!a:.80}"
            )


def texts_in(value: Any) -> Iterable[str]:
    """Every text, and every key, in data of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        data = cast(Data, value)
        yield from data
        for each in data.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in cast(list[Any], value):
            yield from texts_in(each)


def with_escapes(value: Any) -> Any:
    """Data of JSON with escapes in the place of control characters.

    Example:
        >>> with_escapes({"name": "a\\x1b[2J"})
        {'name': 'a\\\\x1b[2J'}
    """
    if isinstance(value, str):
        return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], value)
    if isinstance(value, dict):
        return {key: with_escapes(each) for key, each in cast(Data, value).items()}
    if isinstance(value, list):
        return [with_escapes(each) for each in cast(list[Any], value)]
    return value
