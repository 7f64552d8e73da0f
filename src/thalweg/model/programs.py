"""Compiled programs, kept for the next run of the same structure."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeVar, cast

from thalweg.formulas.chain import Shapes, shapes_of
from thalweg.formulas.layers import Layer
from thalweg.program.types import Dtype, Shape

T = TypeVar("T")

MOST_KEPT = 128
"""Kept for the whole process; a fit has shapes, two steps, scores and predictions, and
of rows that have lengths all but the last for each of a few numbers of times."""

MISSING: Any = object()
PLAIN = (str, int, float, bool, type(None))
FUNCTIONS = (FunctionType, BuiltinFunctionType, type)
PACKAGE = __name__.partition(".")[0]


class Programs:
    """What was compiled, by all that it depends on.

    Arguments:
        most: as many are kept, those that were used last.
    """

    def __init__(self, most: int = sys.maxsize) -> None:
        self._known: dict[Hashable, Any] = {}
        self._most = most

    def compiled(self, key: Hashable, make: Callable[[], T]) -> T:
        """The program of a key, made at its first use."""
        try:
            hash(key)
        except TypeError:  # a layer holds an array, and so can't be told by its value
            return make()
        # No lock: a forked child might find it locked for ever. At worst two threads
        # make the same program.
        found = self._known.pop(key, MISSING)
        if found is MISSING:
            found = make()
        self._known[key] = found
        for oldest in list(self._known)[: -self._most]:
            self._known.pop(oldest, None)
        return found

    def clear(self) -> None:
        """Keep none."""
        self._known.clear()


LASTING = Programs(MOST_KEPT)
"""Those of thalweg's own formulas, for as long as the process lives."""


def compiled_once(
    key: Hashable, make: Callable[[], T], programs: Programs | None = None
) -> T:
    """What was compiled for a key before, or is made now.

    A formula of a user's own may read what changes from one call to the next, so it
    is shared only by runs that say so.

    Arguments:
        key: all that the program depends on.
        make: compiles it.
        programs: of runs that share theirs.

    Returns:
        What `make` gives; it must not be changed, since others have it too.
    """

    def compiled() -> T:
        with without_collection():
            return make()

    def made() -> T:
        return LASTING.compiled(key, compiled) if is_own(key) else compiled()

    return made() if programs is None else programs.compiled(key, made)


def shapes_once(
    layers: tuple[Layer, ...],
    input_shape: Shape,
    dtype: Dtype,
    programs: Programs | None = None,
) -> Shapes:
    """All shapes, found once for the same layers.

    Arguments:
        layers: one after the other.
        input_shape: of a row.
        dtype: of the network.
        programs: shared with other runs, formulas of a user's own too.

    Raises:
        ShapeError, DtypeError: as `shapes_of` has them.
    """

    def traced() -> Shapes:
        return shapes_of(layers, input_shape, dtype)

    return compiled_once(("shapes", layers, input_shape, dtype), traced, programs)


@contextmanager
def without_collection() -> Generator[None]:
    """Without garbage collection, which looks for reference cycles: programs have none.

    They are many small objects, and each collection goes through all that are alive:
    for 20,000 instructions a quarter of the time.
    """
    collects = gc.isenabled()
    if collects:  # not what another, or another thread, has turned off
        gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def is_own(part: object) -> bool:
    """Whether a part of a key is thalweg's own, all the way down.

    >>> from thalweg.formulas.layers import Dense
    >>> is_own(Dense(3, "relu")), is_own(Dense(3, abs))
    (True, False)
    """
    if isinstance(part, tuple):
        return all(map(is_own, cast("tuple[object, ...]", part)))
    if isinstance(part, FUNCTIONS):
        return is_of_the_package(part)
    if is_dataclass(part):
        values = (getattr(part, field.name) for field in fields(part))
        return is_of_the_package(type(part)) and all(map(is_own, values))
    return type(part) in PLAIN


def is_of_the_package(part: Any) -> bool:
    """Whether a class or function was written in thalweg."""
    return str(part.__module__).partition(".")[0] == PACKAGE
