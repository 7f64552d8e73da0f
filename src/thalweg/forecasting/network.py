"""The network of a series: a cell goes through the history, then comes a layer."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.forecasting.inputs import SeriesInputs
from thalweg.forecasting.settings import CELLS, ForecastSettings
from thalweg.formulas.layers import Dense, Dropout, Layer, Namespace
from thalweg.formulas.pooling import Flatten
from thalweg.formulas.recurrence import Last
from thalweg.network import Network
from thalweg.program import ops
from thalweg.program.arguments import shape_of


@dataclass(frozen=True)
class FromLast(Layer):
    """The target at each time of a history, less the last: how far it was from it.

    Whatever level a series has drifted to, its histories are then like those before.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x with x_t − x_T in the place of the first number x_t."""
        target = x[:, :, :1] - x[:, -1:, :1]
        others = x[:, :, 1:]
        if not shape_of(others)[-1]:
            return target
        return ops.concatenate([target, others], axis=2)


def build(inputs: SeriesInputs, settings: ForecastSettings) -> Network:
    """A cell, hidden layers if there are any, and a number for each time ahead.

    Without a cell the hidden layers are given the whole history at once.
    """
    cell = CELLS[settings.cell]
    layers: list[Layer] = [FromLast()] if inputs.relative else []
    if cell is None:
        layers.append(Flatten())
    else:
        layers += [cell(settings.units), Last()]
    for units in settings.layers:
        layers.append(Dense(units, settings.activation))
    if settings.dropout:
        layers.append(Dropout(settings.dropout))
    return Network([*layers, Dense(inputs.ahead)])
