"""How long one character takes, beside PyTorch: `python -m benchmarks.one_character`.

83 characters of 64 numbers, an LSTM, and a softmax, at batch 1, with what the network
keeps from one character to the next. PyTorch has `nn.LSTM`, given one time, and
`nn.LSTMCell`; all have the same weights, and their probabilities must agree. They take
turns on one thread; a time is the processor's. Figures are medians over the rounds of
the time, and of the ratio within a round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

import thalweg as tw
from benchmarks.figures import cpus, processor

CHARACTERS, NUMBERS, LENGTH = 83, 64, 64
Step = Callable[[int], Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.one_character",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--units", type=int, nargs="+", default=[128, 1024])
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{processor()}, {cpus()} cores, PyTorch {torch.__version__}")
    for units in arguments.units:
        steps = contenders(units)
        require_same(steps)
        turns = 100_000 // units
        rounds = [
            {name: seconds_of(step, turns) for name, step in steps.items()}
            for _ in range(arguments.rounds + 1)
        ][1:]
        for name in steps:
            own = median(each[name] for each in rounds) * 1e6
            ratio = median(each[name] / each["thalweg"] for each in rounds)
            print(f"{units} units, {name}: {own:.1f} µs, {ratio:.1f}")


def contenders(units: int) -> dict[str, Step]:
    """What takes a character number and gives probabilities, by its name."""
    layers = [
        tw.Embedding(CHARACTERS, NUMBERS),
        tw.LSTM(units),
        tw.Dense(CHARACTERS, "softmax"),
    ]
    network = tw.Network(layers).initialize(LENGTH)
    stream = network.stream(threads=1)
    given = np.zeros(1, np.float32)

    def ours(character: int) -> Any:
        given[0] = character
        return stream(given)

    weights = {n: torch.from_numpy(a) for n, a in network.parameters.items()}
    return {
        "thalweg": ours,
        "PyTorch LSTM": by_torch(torch.nn.LSTM, units, weights),
        "PyTorch LSTMCell": by_torch(torch.nn.LSTMCell, units, weights),
    }


def by_torch(kind: Any, units: int, weights: dict[str, Any]) -> Step:
    """The same network of PyTorch's."""
    lstm, dense = kind(NUMBERS, units), torch.nn.Linear(units, CHARACTERS)
    own = [weights["2.weights"].T, weights["2.recurrent"].T, weights["2.bias"]]
    with torch.no_grad():
        values = [*own, torch.zeros_like(own[2])]
        for parameter, value in zip(lstm.parameters(), values, strict=True):
            parameter.copy_(value)
        dense.weight.copy_(weights["3.weights"].T)
        dense.bias.copy_(weights["3.bias"])
    table = weights["1.table"]
    state: list[Any] = [None]

    def step(character: int) -> Any:
        with torch.inference_mode():
            found = lstm(table[character : character + 1], state[0])
            h, state[0] = found if kind is torch.nn.LSTM else (found[0], found)
            return torch.softmax(dense(h), -1)

    return step


def require_same(steps: dict[str, Step]) -> None:
    """All give the same probabilities, one character after the other."""
    for character in (3, 1, 4):
        first, *others = (np.asarray(step(character)) for step in steps.values())
        for other in others:
            np.testing.assert_allclose(first, other, rtol=1e-4, atol=1e-6)


def seconds_of(step: Step, turns: int) -> float:
    """The processor's time of one turn, the mean of some."""
    start = time.thread_time()
    for turn in range(turns):
        step(turn % CHARACTERS)
    return (time.thread_time() - start) / turns


if __name__ == "__main__":
    main()
