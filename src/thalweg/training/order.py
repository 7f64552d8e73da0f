"""The order in which an epoch takes the rows: at random, or by similar length."""

from __future__ import annotations

import numpy as np

from thalweg.program.types import NumpyArray

PORTION = 16  # batches at most, among whose rows those of similar length are found


def shuffled_order(rows: int, seed: int, epoch: int) -> NumpyArray:
    """Row numbers in another random order every epoch."""
    return generator_of(seed, epoch).permutation(rows)


def grouped_order(
    lengths: NumpyArray, batch_size: int, seed: int, epoch: int
) -> NumpyArray:
    """Row numbers in another random order every epoch, of similar length in a batch.

    All rows are shuffled and cut into portions of a few batches. In each the rows are
    sorted by length, and cut into batches; then these are shuffled. The rows that fill
    no batch are any, and come last.

    Arguments:
        lengths: of the rows.
        batch_size: how many are a batch, no more than there are.
        seed, epoch: what the order follows from.

    >>> lengths = np.array([3, 9, 8, 2, 9, 3, 2, 8])
    >>> lengths[grouped_order(lengths, 2, seed=0, epoch=1)].tolist()
    [8, 8, 9, 9, 2, 2, 3, 3]
    """
    generator = generator_of(seed, epoch)
    order = generator.permutation(len(lengths))
    full = len(order) // batch_size
    batches = order[: full * batch_size].reshape(full, batch_size)
    portions = np.array_split(batches, -(-full // PORTION))
    grouped = np.concatenate([sorted_by(lengths, portion) for portion in portions])
    return np.concatenate(
        [generator.permutation(grouped).ravel(), order[full * batch_size :]]
    )


def sorted_by(lengths: NumpyArray, batches: NumpyArray) -> NumpyArray:
    """The rows of some batches, the shortest in the first; in as many batches."""
    rows = batches.ravel()
    order = np.argsort(lengths[rows], kind="stable")
    return rows[order].reshape(batches.shape)


def generator_of(seed: int, epoch: int) -> np.random.Generator:
    """What an epoch's order is drawn from."""
    return np.random.Generator(np.random.Philox(key=[seed, 2**33 + epoch]))
