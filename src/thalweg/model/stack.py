"""A stack of layers as formulas: what is computed in prediction and in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.errors import ShapeError
from thalweg.formulas.chain import (
    LayerValues,
    chain_forward,
    chain_training_forward,
    label,
)
from thalweg.formulas.layers import Layer, Parameter
from thalweg.program import ops
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, Dtype, NumpyArray, Shape

Arrays = Mapping[str, Any]


RANDOM_INPUTS = {"seed": ArrayType((), "uint32"), "step": ArrayType((), "int32")}
"""What a program that draws reads beside its rows."""


@dataclass
class StepRandom:
    """Random numbers of one training step; each call draws its own."""

    seed: Tracer
    step: Tracer
    dtype: Dtype
    drawn: int = 0

    def uniform(self, shape: Shape, /) -> Tracer:
        """Numbers in [0, 1) that depend on seed, step, and which draw this is."""
        self.drawn += 1
        return ops.random_uniform(
            self.seed, self.step, self.drawn, tuple(shape), self.dtype
        )


def initial_values(
    declared: Mapping[str, Parameter], seed: int, dtype: Dtype
) -> dict[str, NumpyArray]:
    """First values, each drawn by its initializer from a generator of its own."""
    values: dict[str, NumpyArray] = {}
    for position, (name, p) in enumerate(declared.items()):
        generator = np.random.Generator(np.random.Philox(key=[seed, position]))
        drawn = p.initializer(p.shape, p.fan_in, p.fan_out, generator)
        if np.shape(drawn) != p.shape:
            raise ShapeError(
                f"initializer {p.initializer.name} must give {name} the shape "
                f"{p.shape}, got {np.shape(drawn)}"
            )
        values[name] = np.asarray(drawn, dtype)
    return values


def values_by_layer(layers: Sequence[Layer], arrays: Arrays) -> list[LayerValues]:
    """The parameters and state of each layer, by their own names."""
    own: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        number, _, short = name.partition(".")
        own.setdefault(number, {})[short] = array
    return [
        LayerValues(label(number, layer), own.get(str(number), {}))
        for number, layer in enumerate(layers, 1)
    ]


def predictions_of(
    layers: Sequence[Layer], x: Any, arrays: Arrays, lengths: Any = None
) -> Any:
    """f(x): the layers one after the other, as in prediction."""
    return chain_forward(layers, x, values_by_layer(layers, arrays), lengths)


def training_predictions_of(
    layers: Sequence[Layer],
    x: Any,
    arrays: Arrays,
    random: StepRandom,
    lengths: Any = None,
) -> tuple[Any, dict[str, Any]]:
    """f(x) as in training, and the new state of the layers that keep one."""
    values = values_by_layer(layers, arrays)
    return chain_training_forward(layers, x, values, random, lengths)
