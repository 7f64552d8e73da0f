"""A text goes on as a network would have it, a character at a time."""

from __future__ import annotations

import numpy as np

from thalweg.network import Network
from thalweg.program.types import NumpyArray

STREAM = 2**34
"""Which random numbers of a seed are those of writing."""


def generate(
    network: Network,
    start: NumpyArray,
    length: int,
    *,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> NumpyArray:
    """The numbers that come after those of a start.

    Each is drawn by softmax(log(p) / temperature) over the `top_k` likeliest, where p
    is what the network gives after the last window.

    Arguments:
        network: of times as many as a window has characters.
        start: numbers, one or more.
        length: how many are to come.
        temperature: above 0; 0 takes the likeliest.
        top_k: None for all.
        seed: the same seed draws the same.
    """
    times = network.shapes.outputs[0][0]
    numbers = np.concatenate([start, np.zeros(length, start.dtype)])
    generator = np.random.Generator(np.random.Philox(key=[seed, STREAM]))
    for at in range(len(start), len(numbers)):
        seen = numbers[max(at - times, 0) : at]
        window = np.zeros((1, times), start.dtype)
        window[0, : len(seen)] = seen
        if window.dtype != np.uint8:
            window = window.astype(np.float32)
        given = network.predict(window)[0, len(seen) - 1]
        numbers[at] = drawn(given, temperature, top_k, generator)
    return numbers[len(start) :]


def drawn(
    probabilities: NumpyArray,
    temperature: float,
    top_k: int | None,
    generator: np.random.Generator,
) -> int:
    """The number of a class, drawn by its probability."""
    if temperature == 0:
        return int(probabilities.argmax())
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-300)) / temperature
    if top_k is not None and top_k < len(logits):
        logits[logits < np.partition(logits, -top_k)[-top_k]] = -np.inf
    weights = np.exp(logits - logits.max())
    return int(generator.choice(len(weights), p=weights / weights.sum()))
