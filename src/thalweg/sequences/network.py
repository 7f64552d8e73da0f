"""The network of sequences: a cell goes through each, then comes a layer."""

from __future__ import annotations

from thalweg.forecasting.settings import CELLS
from thalweg.formulas.layers import Dense, Dropout, Layer
from thalweg.formulas.recurrence import Last
from thalweg.kinds.last_layer import output_layer
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.network import Network
from thalweg.sequences.settings import SequenceSettings


def build(targets: ClassTargets | NumberTargets, settings: SequenceSettings) -> Network:
    """A cell, whose last state says all, hidden layers if there are any, an output."""
    cell = CELLS[settings.cell]
    assert cell is not None
    layers: list[Layer] = [cell(settings.units), Last()]
    for units in settings.layers:
        layers.append(Dense(units, settings.activation))
    if settings.dropout:
        layers.append(Dropout(settings.dropout))
    return Network([*layers, output_layer(targets, settings.loss)])
