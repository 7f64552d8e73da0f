"""The examples themselves are run with the docstrings of all modules."""

import inspect
from typing import Any

import pytest

from thalweg.formulas import (
    attention,
    augmentation,
    embedding,
    frozen,
    layers,
    normalization,
    perceptron,
    positions,
    preparation,
    schedules,
    transformer,
)
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.formulas.initializers import INITIALIZERS
from thalweg.formulas.losses import LOSSES
from thalweg.formulas.optimizers import OPTIMIZERS
from thalweg.formulas.penalties import L1, L2

FORMULAS: list[Any] = [
    *ACTIVATIONS.values(),
    *LOSSES.values(),
    *INITIALIZERS.values(),
    *OPTIMIZERS.values(),
    attention.Attention,
    attention.attention,
    augmentation.Augment,
    frozen.Frozen,
    layers.Dense,
    layers.Dropout,
    embedding.Embedding,
    layers.Columns,
    normalization.LayerNorm,
    normalization.RMSNorm,
    normalization.BatchNorm,
    positions.Positions,
    transformer.FeedForward,
    transformer.TransformerBlock,
    preparation.Rescale,
    preparation.Reshape,
    perceptron.Perceptron,
    perceptron.perceptron,
    L1,
    L2,
    *schedules.Schedule.__subclasses__(),
]


@pytest.mark.parametrize(
    "formula", FORMULAS, ids=lambda f: getattr(f, "name", None) or f.__name__
)
def test_a_formula_says_what_it_is_takes_and_comes_from(formula: Any) -> None:
    text = inspect.cleandoc(formula.__doc__)  # indented before Python 3.13
    first, _, rest = text.partition("\n\n")
    assert first.count("\n") == 0
    assert first.endswith(".")
    for section in ("Arguments:", "Example:\n    >>> ", "Source: "):
        assert section in rest
    last = rest[rest.index("Source: ") :]
    assert any(year in last for year in ("17", "18", "19", "20"))
