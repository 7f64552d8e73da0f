"""Layers, optimizers and penalties of thalweg's own as plain data, by name and fields.

What the user wrote has no name that another process knows: it has no plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

import numpy as np

from thalweg.errors import ModelFileError
from thalweg.formulas import schedules
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.formulas.attention import Attention
from thalweg.formulas.augmentation import Augment
from thalweg.formulas.branches import Parallel, Residual
from thalweg.formulas.convolution import Conv, ConvTranspose
from thalweg.formulas.embedding import Embedding, JoinedEmbedding
from thalweg.formulas.frozen import Frozen
from thalweg.formulas.initializers import INITIALIZERS, Initializer
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Columns, Dense, Dropout
from thalweg.formulas.normalization import BatchNorm, LayerNorm, RMSNorm
from thalweg.formulas.optimizers import OPTIMIZERS
from thalweg.formulas.penalties import L1, L2, Penalties
from thalweg.formulas.perceptron import Perceptron
from thalweg.formulas.pooling import (
    Flatten,
    GlobalMax,
    GlobalMean,
    MaxPool,
    MeanPool,
)
from thalweg.formulas.positions import Positions
from thalweg.formulas.preparation import Rescale, Reshape
from thalweg.formulas.recurrence import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Last,
    Recurrent,
)
from thalweg.formulas.transformer import FeedForward, TransformerBlock

Data = dict[str, Any]
Registered = TypeVar("Registered")
Own = Callable[[Any], Data | None]
Make = Callable[[Data], Any]

REDEFINED: Mapping[str, Callable[..., Any]] = {
    "Embedding": JoinedEmbedding,
    "Embedding 2": Embedding,
}
"""Names whose meaning has changed: a file's stays what it was."""
KNOWN: Mapping[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        *(BatchNorm, Columns, Dense, Dropout, LayerNorm, Perceptron),
        *(Frozen, Inputs, Parallel, Residual),
        *(Conv, ConvTranspose, MaxPool, MeanPool, GlobalMax, GlobalMean, Flatten),
        *(Augment, Rescale, Reshape),
        *(Bidirectional, GRU, LSTM, Last, Recurrent, RNN),
        *(Attention, FeedForward, Positions, RMSNorm, TransformerBlock),
        *OPTIMIZERS.values(),
        *(schedules.Constant, schedules.StepDecay, schedules.ExponentialDecay),
        *(schedules.CosineWithWarmup, schedules.OneCycle, schedules.ReduceOnPlateau),
        *(L1, L2, Penalties),
    )
} | REDEFINED
NAMES: Mapping[Any, str] = {kind: name for name, kind in KNOWN.items()}


def plain_data(value: Any, own: Own | None = None) -> Data | None:
    """What a file holds of a known object; None for a user's own, and for None.

    Arguments:
        value: the object.
        own: what a file holds of a person's own inside it; None if it holds nothing.

    Example:
        >>> from thalweg.formulas.penalties import L2
        >>> plain_data(L2(0.5))
        {'type': 'L2', 'rate': 0.5}
        >>> from_plain({'type': 'L2', 'rate': 0.5}, L2)
        L2(rate=0.5)
    """
    name = NAMES.get(type(value))
    if name is None:
        return None if own is None else own(value)
    if isinstance(value, Columns):
        value = with_embeddings(value, JoinedEmbedding)
    data: Data = {"type": name}
    for each in fields(value):
        written = field_data(getattr(value, each.name), own)
        if written is None:
            return None
        data[each.name] = written[0]
    return data


def field_data(value: Any, own: Own | None = None) -> tuple[Any] | None:
    """A field as plain data, in a tuple; None where it can't be named."""
    if value is None or isinstance(value, bool | int | float | str):
        return (value,)
    if isinstance(value, np.generic):
        return (cast(Any, value).item(),)
    if isinstance(value, Initializer):
        known = INITIALIZERS.get(value.name) == value
        return ({"initializer": value.name},) if known else None
    if isinstance(value, tuple):
        parts = [field_data(each, own) for each in cast(tuple[Any, ...], value)]
        return None if None in parts else ([p[0] for p in parts if p is not None],)
    names = [name for name, formula in ACTIVATIONS.items() if formula is value]
    if names:
        return ({"activation": names[0]},)
    plain = plain_data(value, own)
    return None if plain is None else ({"object": plain},)


def from_plain(
    data: Data | None, kind: type[Registered], own: Mapping[str, Make] | None = None
) -> Any:
    """The object that plain data describes; None for None.

    Arguments:
        data: as `plain_data` gave it.
        kind: what it must be.
        own: what makes a person's own of such data, by its type.

    Raises:
        ModelFileError: there is no such object, it has other fields, or it isn't of the
            kind that is wanted here.
        ArgumentError: a field can't have its value.
    """
    if data is None:
        return None
    name = data["type"]
    if own is not None and name in own:
        return own[name](data)
    if name not in KNOWN:
        raise ModelFileError(f"{name!r} isn't known; there are {', '.join(KNOWN)}")
    make: Any = KNOWN[name]
    known = {each.name for each in fields(make)}
    given = {
        key: from_field(value, own) for key, value in data.items() if key != "type"
    }
    if given.keys() - known:
        raise ModelFileError(f"{name} has no fields {sorted(given.keys() - known)}")
    made = make(**given)
    if not isinstance(made, kind):
        raise ModelFileError(f"{name} is no {kind.__name__}")
    return with_embeddings(made, Embedding) if isinstance(made, Columns) else made


def with_embeddings(columns: Columns, kind: type[Embedding]) -> Columns:
    """The same columns, whose embeddings are of this kind.

    `Columns` puts a row's vectors side by side in any case, so both kinds mean the same
    in it: in memory they are all embeddings, and in a file what every version reads.
    """
    ours = REDEFINED.values()  # one of a user's own stays as it is
    parts = (
        (start, stop, kind(**vars(layer)) if type(layer) in ours else layer)
        for start, stop, layer in columns.parts
    )
    return Columns(tuple(parts))


def from_field(data: Any, own: Mapping[str, Make] | None = None) -> Any:
    """An object's field."""
    if isinstance(data, list):
        return tuple(from_field(each, own) for each in cast(list[Any], data))
    if not isinstance(data, dict):
        return data
    ((tag, value),) = cast(Data, data).items()
    if tag == "object":
        return from_plain(value, object, own)
    tables: dict[str, Mapping[str, Any]] = {
        "activation": ACTIVATIONS,
        "initializer": INITIALIZERS,
    }
    return tables[tag][value]
