"""An experiment as a program that gives the same weights."""

from __future__ import annotations

from dataclasses import replace

from thalweg.playground.experiment import Experiment
from thalweg.playground.own_formula import as_source
from thalweg.playground.rows import Data
from thalweg.playground.setup import layers_of, settings_of
from thalweg.recording.as_python import as_python

ROWS = """\
import thalweg as tw
from thalweg.playground.experiment import Experiment
from thalweg.playground.rows import data_of

data = data_of(Experiment.from_query({query}))
X, y = data.training
X_validation, y_validation = data.validation
"""
OF_ROWS = (
    *("data", "training_rows", "validation_rows", "noise", "formula", "points"),
    "data_seed",
)
"""What the rows depend on."""


def program_of(experiment: Experiment, data: Data) -> str:
    """What one would write to train the network of an experiment.

    Example:
        >>> from thalweg.playground.experiment import Experiment, Hidden
        >>> from thalweg.playground.program import program_of
        >>> from thalweg.playground.rows import data_of
        >>> experiment = Experiment(data="clouds", layers=(Hidden(3),))
        >>> print(program_of(experiment, data_of(experiment)).splitlines()[-2])
        network = tw.Network([tw.Dense(3, activation='tanh'), tw.Dense(1, ...)])
    """
    layers = layers_of(experiment, data)
    settings = settings_of(experiment, data)
    _, _, made = as_python(layers, {**settings}).partition("\n\n")
    own = any(each.activation == "own" for each in experiment.layers)
    source = f"\n\ndef own(z):\n    return {as_source(experiment.own_activation)}\n\n"
    rows = ROWS.format(query=ascii(rows_alone(experiment).to_query()))
    return f"{rows}{source if own else ''}\n{made}"


def rows_alone(experiment: Experiment) -> Experiment:
    """An experiment of the same rows, and all else as usual."""
    return replace(
        Experiment(), **{name: getattr(experiment, name) for name in OF_ROWS}
    )
