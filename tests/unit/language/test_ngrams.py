"""N-grams against their formula, written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.language.ngrams import NGrams

NUMBERS = st.lists(st.integers(0, 3), min_size=1, max_size=40)
CLASSES = 5


def probability(text: list[int], context: list[int], number: int) -> float:
    """Witten and Bell's, by counting."""
    shorter = context[1:]
    lower = probability(text, shorter, number) if context else 1 / CLASSES
    size = len(context)
    followed = [
        text[at + size]
        for at in range(len(text) - size)
        if text[at : at + size] == context
    ]
    if not followed:
        return lower
    kinds = len(set(followed))
    return (followed.count(number) + kinds * lower) / (len(followed) + kinds)


@given(NUMBERS, st.lists(st.integers(0, 4), min_size=2, max_size=20), st.integers(1, 5))
def test_bits_are_those_of_the_formula(
    counted: list[int], text: list[int], order: int
) -> None:
    found = NGrams(np.array(counted, np.uint8), CLASSES, 5)
    bits = found.surprise(np.array(text, np.uint8), order)
    wanted = [
        -math.log2(probability(counted, text[max(at - order + 1, 0) : at], text[at]))
        for at in range(1, len(text))
    ]
    assert bits == pytest.approx(wanted, rel=1e-12)


@given(NUMBERS, st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_probabilities_of_what_may_come_add_up_to_1(
    counted: list[int], context: list[int]
) -> None:
    found = NGrams(np.array(counted), CLASSES, 3)
    total = sum(
        2 ** -found.surprise(np.array([*context, number]), 3)[-1]
        for number in range(CLASSES)
    )
    assert total == pytest.approx(1, rel=1e-12)
