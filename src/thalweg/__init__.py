"""thalweg trains neural networks from formulas.

>>> import numpy as np, thalweg as tw
>>> tw.sigmoid(0.0)
0.5

The names are those of `public`, which is imported when one is asked for: so the command
hears Ctrl-C before anything takes time.
"""

import sys

from thalweg.version import __version__ as __version__

TYPE_CHECKING = False  # as in typing, which takes time to import
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

    from thalweg.public import *  # noqa: F403
    from thalweg.public import __all__ as __all__


def __getattr__(name: str) -> "Any":
    """A public name, or a room of the house."""
    if name.startswith("__") and name != "__all__":  # what Python asks any module for
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    public = import_module("thalweg.public")
    if name == "__all__":
        return public.__all__
    if name not in public.__all__:
        from thalweg.deprecated import named_before

        name = named_before(name)
    if name in public.__all__:
        globals()[name] = getattr(public, name)
    if name not in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[name]


def __dir__() -> list[str]:
    """The names that it has, and those that it would have."""
    return sorted({*globals(), *__getattr__("__all__")})


class _OldPaths:
    """Finds modules that have moved, once nothing else does."""

    @staticmethod
    def find_spec(name: str, *_: object) -> "ModuleSpec | None":
        """The module, if it was one of thalweg's before."""
        if not name.startswith(f"{__name__}."):
            return None
        from thalweg.deprecated import spec_of

        return spec_of(name)


sys.meta_path.append(_OldPaths)
