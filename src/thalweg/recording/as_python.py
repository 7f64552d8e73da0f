"""A run as a program that gives the same weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, cast

from thalweg.formulas.chain import describe
from thalweg.formulas.layers import Layer
from thalweg.formulas.penalties import Penalties

MADE = re.compile(r"\b([A-Z]\w*)\(")
"""Something of thalweg's that is made, such as ``Dense(8)``."""

ROWS = {
    "validation": "(X_validation, y_validation)",
    "sample_weight": "sample_weight",
    "lengths": "lengths",
}
"""Settings that hold rows, and how a program calls them."""


def as_python(layers: Sequence[Layer], settings: Mapping[str, Any]) -> str:
    """The program of a fit, for rows that it calls X and y.

    Arguments:
        layers: of the network.
        settings: of `fit`, those that were given.

    Example:
        >>> import thalweg as tw
        >>> from thalweg.recording.as_python import as_python
        >>> print(as_python([tw.Dense(1)], {"optimizer": tw.Adam(0.1), "seed": 1}))
        import thalweg as tw
        <BLANKLINE>
        network = tw.Network([tw.Dense(1)])
        network.fit(X, y, optimizer=tw.Adam(0.1), seed=1)
    """
    made = ", ".join(map(expression, layers))
    given = "".join(f", {name}={value_of(name, v)}" for name, v in settings.items())
    return (
        f"import thalweg as tw\n\nnetwork = tw.Network([{made}])\n"
        f"network.fit(X, y{given})"
    )


def value_of(name: str, value: Any) -> str:
    """A setting as it's written; rows go by a name."""
    if name in ROWS and not isinstance(value, float | None):
        return ROWS[name]
    return expression(value)


def expression(value: Any) -> str:
    """What makes a value, as Python has it."""
    if isinstance(value, Penalties):
        return " + ".join(map(expression, value.parts))
    if is_dataclass(value) and not isinstance(value, type):
        return MADE.sub(r"tw.\1(", describe(cast(Any, value)))
    return repr(value)
