"""An experiment's address gives the same experiment back."""

from __future__ import annotations

import pytest

from thalweg.playground.experiment import Experiment


@pytest.mark.parametrize("formula", ["x1 + x2 > 0", "x1*x2 >= -0.5", "x1 ** 2 + 1"])
def test_formulas_come_back_from_an_address(formula: str) -> None:
    experiment = Experiment(data="formula", formula=formula, own_activation="z + 1")
    assert Experiment.from_query(experiment.to_query()) == experiment
