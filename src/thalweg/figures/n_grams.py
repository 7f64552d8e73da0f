"""n-grams: what follows some characters, counted."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from thalweg.program.types import NumpyArray


class NGrams:
    """Probabilities of the next character, interpolated after Witten and Bell.

    P(c | h) = (N(h c) + T(h) P(c | h′)) / (N(h) + T(h)), P(c) from 1 / V

    N(h c) is how often c followed the context h, N(h) how often anything did, T(h) how
    many different characters did, h′ is h without its first, V the number of
    characters.

    Arguments:
        numbers: the text to count, shape (characters,).
        classes: V.
        order: how many characters an n-gram has, at most.

    Source: Witten and Bell, "The zero-frequency problem", 1991; as interpolation: Chen
    and Goodman, "An empirical study of smoothing techniques for language modeling",
    1999.
    """

    def __init__(self, numbers: NumpyArray, classes: int, order: int) -> None:
        self.classes = classes
        self.counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        row: list[int] = numbers.tolist()
        for length in range(order):
            for place in range(length, len(row)):
                self.counts[tuple(row[place - length : place])][row[place]] += 1

    def surprise(self, numbers: NumpyArray, order: int) -> NumpyArray:
        """−log₂ P of each character but the first, given those before it.

        >>> grams = NGrams(np.array([0, 1, 0, 1, 0]), classes=2, order=2)
        >>> grams.surprise(np.array([0, 1, 0, 0]), order=2).round(2).tolist()
        [0.3, 0.22, 2.39]
        """
        row: list[int] = numbers.tolist()
        windows = [row[max(0, i - order + 1) : i + 1] for i in range(1, len(row))]
        return -np.log2([self._probability(*window) for window in windows])

    def _probability(self, *window: int) -> float:
        """P of the last number given those before it."""
        *before, last = window
        p = 1 / self.classes
        for length in range(len(window)):
            followed = self.counts.get(tuple(before[len(before) - length :]))
            if followed is None:
                break
            kinds = len(followed)
            p = (followed[last] + kinds * p) / (followed.total() + kinds)
        return p
