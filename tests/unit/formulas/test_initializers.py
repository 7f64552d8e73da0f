from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thalweg.errors import ArgumentError
from thalweg.formulas.activations import ACTIVATIONS, relu, selu
from thalweg.formulas.initializers import (
    INITIALIZERS,
    Initializer,
    constant,
    initializer,
    initializer_for,
    normal,
    orthogonal,
)

SHAPE = FAN_IN, FAN_OUT = (300, 200)


def draw(rule: Initializer, seed: int = 0) -> Any:
    return rule(SHAPE, FAN_IN, FAN_OUT, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 500),
        ("glorot_normal", 2 / 500),
        ("he_uniform", 2 / 300),
        ("he_normal", 2 / 300),
        ("lecun_uniform", 1 / 300),
        ("lecun_normal", 1 / 300),
        ("normal", 0.05**2),
    ],
)
def test_variance_is_that_of_the_paper(name: str, variance: float) -> None:
    values = draw(INITIALIZERS[name])
    # Five standard deviations: 60,000 values, kurtosis at most the normal's.
    assert values.mean() == pytest.approx(0, abs=5 * sqrt(variance / values.size))
    assert values.var() == pytest.approx(variance, rel=5 * sqrt(2 / values.size))
    if name.endswith("uniform"):
        assert abs(values).max() <= sqrt(3 * variance)
    else:
        assert abs(values).max() > 3 * sqrt(variance)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_generator_alone_decides(name: str) -> None:
    first = draw(INITIALIZERS[name])
    assert first.shape == SHAPE
    assert first.dtype == np.float64
    assert_array_equal(first, draw(INITIALIZERS[name]))


def test_constants() -> None:
    assert set(np.unique(draw(INITIALIZERS["zeros"]))) == {0.0}
    assert set(np.unique(draw(INITIALIZERS["ones"]))) == {1.0}
    assert set(np.unique(draw(constant.with_parameters(value=-0.5)))) == {-0.5}


def test_a_signal_keeps_its_size_through_layers_of_relu() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 300))
    start = (x**2).mean()
    for _ in range(20):
        weights = initializer_for("relu")((300, 300), 300, 300, generator)
        x = relu(x @ weights)
    assert 0.3 < (x**2).mean() / start < 3


def test_a_signal_keeps_mean_and_variance_through_layers_of_selu() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 300))
    for _ in range(20):
        x = selu(x @ initializer_for(selu)((300, 300), 300, 300, generator))
    assert abs(x.mean()) < 0.2
    assert 0.7 < x.var() < 1.4


def test_an_activation_by_name_or_object_gets_the_same() -> None:
    for name, function in ACTIVATIONS.items():
        assert initializer_for(name) is initializer_for(function)
    assert initializer_for(np.sin).name == "glorot_uniform"


def test_parameters() -> None:
    wide = normal.with_parameters(standard_deviation=2.0)
    assert draw(wide).std() == pytest.approx(2, rel=0.02)
    assert initializer(wide) is wide
    with pytest.raises(ArgumentError, match=r"standard_deviation must be .* got -1"):
        draw(normal.with_parameters(standard_deviation=-1))
    with pytest.raises(ArgumentError, match="no parameter of constant 'values'"):
        constant.with_parameters(values=1)


def test_orthogonal_matrices_have_the_same_bits_on_any_number_of_threads() -> None:
    from threadpoolctl import threadpool_limits

    found: set[bytes] = set()
    for threads in (1, 2, 8):
        with threadpool_limits(threads):
            drawn = orthogonal((300, 300), 300, 300, np.random.default_rng(0))
        found.add(drawn.tobytes())
    assert len(found) == 1
