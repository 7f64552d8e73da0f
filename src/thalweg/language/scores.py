"""How surprising a text is to a network, a character at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from thalweg.kinds.scores import Metrics, parts_of
from thalweg.network import Network
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution

TINY = float(np.finfo(np.float32).tiny)
"""The least probability that counts, 126 bits: float32 hardly has smaller ones."""

OVERLAPPING = 8
"""Windows that lie over a place where bits are told by it: fewer would be noisy."""


@dataclass(frozen=True)
class Guesses:
    """What a network says of each character of a text but the first.

    Arguments:
        probabilities: that it gave the character that came, shape (characters − 1,).
        likeliest: the number of the character that it gave most.
        highest: the probability of that one.
    """

    probabilities: NumpyArray
    likeliest: NumpyArray
    highest: NumpyArray

    @property
    def bits(self) -> NumpyArray:
        """−log₂ p of each."""
        return -np.log2(np.maximum(self.probabilities, TINY))


def guesses_of(
    network: Network, numbers: NumpyArray, execution: Execution
) -> Iterator[Guesses]:
    """What a network says of a text, in parts, in its order.

    It looks back no further than a window. Windows begin half their length apart, and
    each but the first says only what the one before didn't: so every character is
    guessed once, after at least half a window, but for those at the text's start.

    Arguments:
        network: of times as many as a window has characters.
        numbers: of the text, two or more.
        execution: what runs the network.
    """
    length, classes = network.shapes.outputs[-1]
    step, wanted = max(length // 2, 1), len(numbers) - 1
    count = 1 + -(-max(wanted - length, 0) // step)
    # What comes after the end is never looked at, as each time sees those before it.
    padded = np.zeros((count - 1) * step + length + 1, numbers.dtype)
    padded[: len(numbers)] = numbers
    inputs = sliding_window_view(padded[:-1], length)[::step]
    targets = sliding_window_view(padded[1:], length)[::step]
    left = wanted
    for part in parts_of(count, length * classes):
        outputs = predicted(network, inputs[part], execution)
        true = targets[part].astype(np.int64)[..., np.newaxis]
        every = (
            np.take_along_axis(outputs, true, axis=-1)[..., 0],
            outputs.argmax(axis=-1),
            outputs.max(axis=-1),
        )
        new = np.full(true.shape[:2], True)
        new[part.start == 0 :, : length - step] = False
        found = Guesses(*(each[new][:left] for each in every))
        left -= len(found.probabilities)
        yield found


def predicted(network: Network, windows: NumpyArray, execution: Execution) -> Any:
    """The probabilities of the next character at each time of windows."""
    inputs = windows if windows.dtype == np.uint8 else windows.astype(np.float32)
    return network.predict(inputs, engine=execution.engine, threads=execution.threads)


def scores_of(bits: NumpyArray, unit: str) -> Metrics:
    """Bits of each character on average, and the perplexity 2 to that power.

    >>> scores_of(np.array([1.0, 3.0]), "characters")
    {'bits_per_character': 2.0, 'perplexity': 4.0}
    """
    mean = float(bits.mean(dtype=np.float64))
    return {bits_per(unit): mean, "perplexity": 2.0**mean}


def bits_per(unit: str) -> str:
    """The name of the metric.

    >>> bits_per("bytes")
    'bits_per_byte'
    """
    return f"bits_per_{unit.removesuffix('s')}"


def text_scores(
    network: Network, numbers: NumpyArray, unit: str, execution: Execution
) -> Metrics:
    """Bits, perplexity, and the share of characters that the likeliest guess was."""
    parts, right, start = list[NumpyArray](), 0, 1
    for each in guesses_of(network, numbers, execution):
        stop = start + len(each.probabilities)
        right += int((each.likeliest == numbers[start:stop]).sum())
        parts.append(each.bits)
        start = stop
    bits = np.concatenate(parts)
    return {**scores_of(bits, unit), "accuracy": right / len(bits)}


def bits_by_place(
    network: Network, numbers: NumpyArray, execution: Execution
) -> NumpyArray:
    """The mean bits at each place of a window, which is how far the network looks back.

    Arguments:
        network: of times as many as a window has characters.
        numbers: of a text longer than a window.
        execution: what runs the network.

    Returns:
        An array of shape (length,).
    """
    length, classes = network.shapes.outputs[-1]
    step = max(length // OVERLAPPING, 1)
    inputs = sliding_window_view(numbers[:-1], length)[::step]
    targets = sliding_window_view(numbers[1:], length)[::step]
    total = np.zeros(length)
    for part in parts_of(len(inputs), length * classes):
        outputs = predicted(network, inputs[part], execution)
        true = targets[part].astype(np.int64)[..., np.newaxis]
        found = np.take_along_axis(outputs, true, axis=-1)[..., 0]
        total -= np.log2(np.maximum(found, TINY)).sum(axis=0, dtype=np.float64)
    return total / len(inputs)
