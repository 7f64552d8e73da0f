"""Old names of public things, which work for two more releases, and say what to use.

A name goes in the third release: what changed in 0.4.0 goes in 0.6.0.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
RELEASES = 2  # in which an old name still works


@dataclass(frozen=True)
class Renamed:
    """A thing that has a new name.

    Arguments:
        new: how it is called now.
        since: the first release that calls it so, such as ``0.4.0``.
    """

    new: str
    since: str

    @property
    def gone(self) -> str:
        """The release in which the old name goes.

        >>> Renamed("thalweg.network", since="0.4.0").gone
        '0.6.0'
        """
        major, minor, _ = self.since.split(".")
        return f"{major}.{int(minor) + RELEASES}.0"

    def warn(self, old: str, stacklevel: int = 3) -> None:
        """Say so, by default where the function was called that calls this."""
        words = f"{old} is now {self.new}; the old name goes in thalweg {self.gone}"
        warnings.warn(words, DeprecationWarning, stacklevel)


def renamed_arguments(
    **olds: Renamed,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function that still takes its arguments by their old names.

    Example:
        >>> @renamed_arguments(size=Renamed("batch_size", since="0.4.0"))
        ... def fit(batch_size=32):
        ...     return batch_size
        >>> import warnings
        >>> with warnings.catch_warnings(record=True, action="always") as told:
        ...     fit(size=8), str(told[0].message)
        (8, 'size is now batch_size; the old name goes in thalweg 0.6.0')
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def with_old_names(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in olds.keys() & kwargs:
                renamed = olds[old]
                if renamed.new in kwargs:
                    words = f"{old} and {renamed.new} are one argument, got both"
                    raise TypeError(words)
                renamed.warn(old)
                kwargs[renamed.new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return with_old_names

    return decorated


NAMES: Mapping[str, Renamed] = {}
"""Public names of `thalweg` that changed, with those that `thalweg` has now."""


def named_before(name: str, names: Mapping[str, Renamed] = NAMES) -> str:
    """The new name of a public thing; a name that never changed is its own."""
    if name not in names:
        return name
    names[name].warn(f"thalweg.{name}", stacklevel=4)
    return names[name].new


# Modules -----------------------------------------------------------------------------

ROOMS: tuple[str, ...] = ()  # that are no more, whose modules are elsewhere
MODULES: Mapping[str, Renamed] = {}
"""Modules that docs named, or that public things said they were of."""


def spec_of(name: str) -> ModuleSpec | None:
    """What Python needs to import a module by its old path; None if it never had it."""
    if name in MODULES or name in ROOMS:
        return ModuleSpec(name, OldPath(), is_package=name in ROOMS)
    return None


class OldPath(Loader):
    """Loads a module by its old path: it is the one that is at the new path."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Python makes an empty one."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the module of now in the place of the empty one."""
        name = module.__name__
        if name in MODULES:
            MODULES[name].warn(name)
            sys.modules[name] = import_module(MODULES[name].new)
