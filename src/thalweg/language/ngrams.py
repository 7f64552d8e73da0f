"""What a network of text has to beat: how often characters followed each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thalweg.program.types import NumpyArray

ORDERS = {"unigram": 1, "bigram": 2, "5-gram": 5}
"""The baselines: of how many characters, the last of them the one to predict."""

MOST_COUNTED = 2**23
"""Characters that are counted at most, the last ones: that takes a few seconds."""

UNSEEN = -1


@dataclass(frozen=True)
class Level:
    """The n-grams of one length that a text has, and what followed their contexts.

    Arguments:
        keys: of each n-gram, rising: its context's number · classes + its last one.
        counts: how often each occurs.
        contexts: how often each context occurs.
        kinds: how many different ones followed each context.
    """

    keys: NumpyArray
    counts: NumpyArray
    contexts: NumpyArray
    kinds: NumpyArray

    def find(self, keys: NumpyArray) -> NumpyArray:
        """The numbers of n-grams, by their keys; -1 for one that the text hasn't."""
        places = np.searchsorted(self.keys, keys)
        places[places == len(self.keys)] = 0
        return np.where(self.keys[places] == keys, places, UNSEEN)


class NGrams:
    """Probabilities of the next character, interpolated after Witten and Bell.

    P(c | h) = (N(h c) + T(h) P(c | h′)) / (N(h) + T(h)), P(c) from 1 / V

    N(h c) is how often c followed the context h in the text that was counted, N(h) how
    often anything did, T(h) how many different characters did, h′ is h without its
    first character, and V is the number of characters.

    Arguments:
        numbers: the text to count, shape (characters,).
        classes: V.
        order: how many characters an n-gram has, at most.

    Example:
        >>> grams = NGrams(np.array([0, 1, 0, 1, 0]), classes=2, order=2)
        >>> grams.surprise(np.array([0, 1, 0, 0]), order=2).round(2).tolist()
        [0.3, 0.22, 2.39]

    Source: Witten and Bell, "The zero-frequency problem", 1991; as interpolation: Chen
    and Goodman, "An empirical study of smoothing techniques for language modeling",
    1999.
    """

    def __init__(self, numbers: NumpyArray, classes: int, order: int) -> None:
        self.classes = classes
        self.levels: list[Level] = []
        counted = numbers[-MOST_COUNTED:].astype(np.int64)
        ids, contexts = np.zeros(len(counted) + 1, np.int64), 1
        while len(self.levels) < order and len(counted):
            # What ends one place before is the context.
            keys, ids, counts = np.unique(
                ids[:-1] * classes + counted,
                return_inverse=True,
                return_counts=True,
            )
            before = keys // classes
            totals = np.bincount(before, weights=counts, minlength=contexts)
            kinds = np.bincount(before, minlength=contexts)
            self.levels.append(Level(keys, counts, totals, kinds))
            contexts, counted = len(keys), counted[1:]

    def surprise(self, numbers: NumpyArray, order: int) -> NumpyArray:
        """−log₂ P of each character but the first, given those before it.

        Arguments:
            numbers: a text, shape (characters,).
            order: of how many characters an n-gram is, at most as counted.
        """
        wide = numbers.astype(np.int64)
        ids = np.zeros(len(wide), np.int64)
        found = np.full(len(wide), 1 / self.classes)
        for level in self.levels[:order]:
            last = wide[len(wide) - len(ids) :]
            seen = ids != UNSEEN
            keys = np.where(seen, ids * self.classes + last, 0)
            grams = np.where(seen, level.find(keys), UNSEEN)
            counts = np.where(grams != UNSEEN, level.counts[grams], 0)
            context = np.where(seen, ids, 0)
            kinds = np.where(seen, level.kinds[context], 0)
            total = np.where(seen, level.contexts[context], 0) + kinds
            lower = found[len(found) - len(ids) :]
            known = total > 0
            mixed = (counts + kinds * lower) / np.where(known, total, 1)
            lower[...] = np.where(known, mixed, lower)
            ids = grams[:-1]
        return -np.log2(found[1:])
