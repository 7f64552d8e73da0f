"""A program of some times as one of any number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import thalweg as tw
from support.streams import MIXING, Alone, Mixing
from thalweg.errors import ProgramError
from thalweg.formulas.chain import LayerValues
from thalweg.model.any_times import at_last, of_any_times
from thalweg.program.ir import Program, key_of
from thalweg.program.sizes import LENGTH
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


def program_of(layer: tw.Layer, shape: tuple[int, ...]) -> Program:
    """A layer's formula, for two rows."""
    declared = layer.parameters(shape) | layer.state(shape)
    types = {n: ArrayType(p.shape, "float32") for n, p in declared.items()}
    types = {"x": ArrayType((2, *shape), "float32"), **types}
    return trace(lambda a: {"y": layer.forward(a["x"], LayerValues("", a))}, types)


@dataclass(frozen=True)
class Apart(tw.Layer):
    """Times with an axis before them, and behind them for a while."""

    def forward(self, x: Any, p: Any) -> Any:
        rows, times, features = x.shape
        apart = tw.reshape(x, (rows, 1, times, features))
        behind = tw.transpose(apart * 2, (0, 1, 3, 2))
        return tw.reshape(tw.transpose(behind, (0, 1, 3, 2)), (rows, times, features))


LAYERS: list[tuple[tw.Layer, tuple[int, ...]]] = [
    (Alone(5), (3,)),
    (Alone(4), (4,)),  # as many features as times
    (tw.Dense(4, "gelu"), (4,)),
    (tw.Dense(3), (4, 2)),
    (tw.LayerNorm(), (4,)),
    (tw.BatchNorm(), (2,)),
    (tw.FeedForward(4), (4,)),
    (tw.Embedding(5, 4), ()),
    (Apart(), (4,)),
    (tw.Rescale([1.0, 2.0], 3.0), (2,)),
]


@pytest.mark.parametrize(("layer", "each"), LAYERS)
def test_it_is_the_program_of_any_number(layer: Any, each: tuple[int, ...]) -> None:
    found = of_any_times(program_of(layer, (4, *each)), "x", LENGTH)
    for times in (2, 4, 9):
        meant = program_of(layer, (times, *each))
        assert key_of(at_last(found, "length", times)) == key_of(meant)


@pytest.mark.parametrize("how", [how for how in MIXING if how != "number"])
def test_times_that_meet_cannot_be_taken_out(how: str) -> None:
    with pytest.raises(ProgramError, match="times"):
        of_any_times(program_of(Mixing(how), (7, 4)), "x", LENGTH)
