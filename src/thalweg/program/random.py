"""Random bits by counting: Philox4x32-10 in NumPy."""

from __future__ import annotations

import math

import numpy as np

from thalweg.program.types import NumpyArray, Shape

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter: NumpyArray, key: tuple[int, int]) -> NumpyArray:
    """Philox4x32-10: four random 32-bit words for every counter.

    Arguments:
        counter: uint64 array of shape (4, n), each entry below 2³².
        key: two 32-bit words.

    Returns:
        uint64 array of shape (4, n), each entry below 2³².

    Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
    3", 2011.
    """
    words = [counter[0], counter[1], counter[2], counter[3]]
    keys = [key[0], key[1]]
    for _ in range(ROUNDS):
        product0 = words[0] * MULTIPLIERS[0]
        product1 = words[2] * MULTIPLIERS[1]
        words = [
            (product1 >> HALF) ^ words[1] ^ np.uint64(keys[0]),
            product1 & LOW,
            (product0 >> HALF) ^ words[3] ^ np.uint64(keys[1]),
            product0 & LOW,
        ]
        keys = [(keys[0] + WEYL[0]) & 0xFFFFFFFF, (keys[1] + WEYL[1]) & 0xFFFFFFFF]
    return np.stack(words)


def random_bits(seed: int, step: int, operation: int, shape: Shape) -> NumpyArray:
    """Uniform 32-bit words that depend on seed, step, operation and element alone.

    Element i is word i mod 4 of the counter (i div 4, operation, step, 0) under the
    key (seed, 0), so that it doesn't depend on threads or on what was drawn before.
    """
    size = math.prod(shape)
    counter = np.zeros((4, -(-size // 4)), np.uint64)
    counter[0] = np.arange(counter.shape[1])
    counter[1] = operation
    counter[2] = step & 0xFFFFFFFF
    words = philox(counter, (seed & 0xFFFFFFFF, 0))
    return words.T.reshape(-1)[:size].astype(np.uint32).reshape(shape)
