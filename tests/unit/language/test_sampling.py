"""Text is written by the probabilities that the network gives."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.language.sampling import drawn

PROBABILITIES = np.array([0.1, 0.2, 0.3, 0.4])


def shares(temperature: float, top_k: int | None) -> list[float]:
    generator = np.random.default_rng(0)
    draws = [drawn(PROBABILITIES, temperature, top_k, generator) for _ in range(4000)]
    return (np.bincount(draws, minlength=4) / len(draws)).tolist()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_a_temperature_raises_probabilities_to_its_inverse(temperature: float) -> None:
    wanted = PROBABILITIES ** (1 / temperature)
    found = shares(temperature, None)
    assert found == pytest.approx((wanted / wanted.sum()).tolist(), abs=0.03)


def test_the_likeliest_alone() -> None:
    assert shares(1.0, 2) == pytest.approx([0, 0, 3 / 7, 4 / 7], abs=0.03)
    assert shares(1.0, 1) == [0, 0, 0, 1]
    assert shares(0, None) == [0, 0, 0, 1]
