"""Cells of recurrent layers, as formulas of one time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import thalweg as tw
from thalweg.program import ops
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program, verify
from thalweg.program.loops import scan
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype

FEATURES, UNITS, TIMES, COUNT = 2, 3, 5, 4
Arrays = dict[str, Any]
Cell = Callable[..., Any]


def elman(a: Arrays) -> Cell:
    def step(h: Any, x: Any) -> Any:
        return ops.tanh(x @ a["W"][:, :UNITS] + h @ a["U"][:, :UNITS] + a["b"][:UNITS])

    return step


def lstm(a: Arrays) -> Cell:
    def step(h: Any, c: Any, x: Any) -> Any:
        z = x @ a["W"] + h @ a["U"] + a["b"]
        i, f, g, o = (z[:, k * UNITS : (k + 1) * UNITS] for k in range(4))
        c = ops.logistic(f) * c + ops.logistic(i) * ops.tanh(g)
        return ops.logistic(o) * ops.tanh(c), c

    return step


def masked(a: Arrays) -> Cell:
    """A row's state stays where its sequence has ended; m has rows but no times."""

    def step(h: Any, x: Any) -> Any:
        new = ops.tanh(x @ a["W"][:, :UNITS] + h @ a["U"][:, :UNITS] * a["m"])
        return ops.where(x[:, :1] > 0, new, h)

    return step


def nested(a: Arrays) -> Cell:
    """A step with a loop of its own, over the numbers of a time."""

    def step(h: Any, x: Any) -> Any:
        numbers = ops.reshape(x, (x.shape[0], FEATURES, 1))
        inner = scan(lambda s, v: ops.tanh(s + v) * a["b"][:UNITS], h, numbers)
        return inner[:, -1] @ a["U"][:, :UNITS]

    return step


CELLS: dict[str, tuple[Cell, int]] = {
    "elman": (elman, 1),
    "lstm": (lstm, 2),
    "masked": (masked, 1),
    "nested": (nested, 1),
}


def types(
    rows: int, times: int = TIMES, dtype: Dtype = "float64"
) -> dict[str, ArrayType]:
    shapes = {
        "W": (FEATURES, 4 * UNITS),
        "U": (UNITS, 4 * UNITS),
        "b": (4 * UNITS,),
        "s": (rows, UNITS),
        "m": (rows, UNITS),
        "x": (rows, times, FEATURES),
        "weights": (rows, times, UNITS),
    }
    return {name: ArrayType(shape, dtype) for name, shape in shapes.items()}


def arrays(seed: int = 0, rows: int = COUNT, dtype: Dtype = "float64") -> Arrays:
    generator = np.random.default_rng(seed)
    return {
        name: generator.normal(size=type.shape).astype(dtype)
        for name, type in types(rows).items()
    }


def unrolled(
    step: Cell, states: Any, x: Any, reverse: bool = False, turns: int = TIMES
) -> Any:
    """A loop as Python goes through it."""
    found: dict[int, Any] = {}
    order = range(turns)
    for time in reversed(order) if reverse else order:
        given = step(*states, x[:, time])
        states = given if isinstance(given, tuple) else (given,)
        found[time] = states[0]
    zero = states[0] * 0
    each = [found.get(time, zero) for time in range(TIMES)]
    columns = [ops.reshape(h, (h.shape[0], 1, *h.shape[1:])) for h in each]
    return ops.concatenate(columns, axis=1)


def objective(
    name: str, loop: bool, reverse: bool = False, turns: int | None = None
) -> Callable[[Arrays], Arrays]:
    cell, count = CELLS[name]

    def formula(a: Arrays) -> Arrays:
        states = (a["s"], a["m"])[:count]
        if loop:
            found = scan(cell(a), states, a["x"], reverse=reverse, turns=turns)[0]
        else:
            until = TIMES if turns is None else turns
            found = unrolled(cell(a), states, a["x"], reverse, until)
        return {"loss": ops.sum(ops.square(found) * a["weights"]), "states": found}

    return formula


BY = ["W", "U", "b", "s", "m", "x"]


def with_gradients(
    formula: Callable[[Arrays], Arrays],
    rows: int,
    dtype: Dtype = "float64",
    times: int = TIMES,
) -> Program:
    traced = make_safe(trace(formula, types(rows, times, dtype)))
    return verify(finish(differentiate(traced, "loss", BY)))


@dataclass(frozen=True)
class Recurrent(tw.Layer):
    """The last state of a cell that goes through the times."""

    cell: str
    reverse: bool = False

    def parameters(self, input_shape: Any) -> dict[str, tw.Parameter]:
        drawn = tw.initializers.normal
        wide = 4 * UNITS
        shapes = {"W": (input_shape[-1], wide), "U": (UNITS, wide), "b": (wide,)}
        return {name: tw.Parameter(shape, drawn) for name, shape in shapes.items()}

    def forward(self, x: Any, p: Any) -> Any:
        cell, count = CELLS[self.cell]
        start = tw.zeros_like(x[:, 0, :1]) * np.zeros(UNITS)
        own = {"W": p.W, "U": p.U, "b": p.b, "m": start + 0.5}
        states = (start,) * count
        found = tw.scan(cell(own), states, x, reverse=self.reverse)[0]
        return found[:, 0] if self.reverse else found[:, -1]
