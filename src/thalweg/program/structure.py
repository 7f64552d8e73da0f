"""Arrays in tuples, lists and dicts, which may hold each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast


def leaves_of(structure: Any) -> Iterator[Any]:
    """Whatever is in a structure and isn't a tuple, list or dict itself, in order.

    >>> list(leaves_of((1, {"a": [2, 3], "b": ()}))), list(leaves_of(4))
    ([1, 2, 3], [4])
    """
    if isinstance(structure, dict):
        structure = list(cast(dict[Any, Any], structure).values())
    if isinstance(structure, tuple | list):
        for part in cast(list[Any], structure):
            yield from leaves_of(part)
    else:
        yield structure


def with_leaves(structure: Any, made: Callable[[Any], Any]) -> Any:
    """The structure with what is made of each leaf in its place.

    >>> with_leaves((1, {"a": [2, 3], "b": ()}), float)
    (1.0, {'a': [2.0, 3.0], 'b': ()})
    """
    if isinstance(structure, dict):
        parts = cast(dict[Any, Any], structure).items()
        return {key: with_leaves(part, made) for key, part in parts}
    if not isinstance(structure, tuple | list):
        return made(structure)
    every = [with_leaves(part, made) for part in cast(list[Any], structure)]
    if isinstance(structure, list):
        return every
    named = getattr(cast(Any, structure), "_make", tuple)  # of a named tuple
    return named(every)
