"""Whether the number of threads that thalweg chooses is ever slower than another.

python -m benchmarks.threads

A step of training as it comes, with one thread and with all; a call of predict as it
comes and with THALWEG_THREADS=1. They take short turns, and ratios are medians of the
ratios within a round, so that other work on the machine slows all alike. A step's time
is the median over a turn's epochs but the first; each turn of training learns the
number of threads anew.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np

import thalweg as tw
from benchmarks.figures import cpus, processor
from thalweg.program.types import NumpyArray

SHAPES = ((20, 128, 128, 2), (20, 64, 64, 2), (64, 128, 128, 10), (784, 256, 128, 10))
BATCHES = (1, 4, 16, 64, 256)
PREDICTED = (1, 16, 64, 256, 1024, 4096, 16_384)
EPOCH = 0.005  # seconds, about
EPOCHS = 8
CALLS = 0.02  # seconds of calls in a turn

Turn = Callable[[], float]  # seconds of one step, or call
Ways = tuple[Turn, ...]  # one thread, as it comes, and for steps all threads


def main() -> None:
    """Measure and print."""
    arguments = parse()
    print(f"{processor()}, {cpus()} cores; {arguments.rounds} rounds")
    print("One thread's time: ratios to it, as it comes / for steps, all threads\n")
    for name, counts, ways in (
        ("step, batch", BATCHES, step_ways),
        ("predict, rows", PREDICTED, predict_ways),
    ):
        print(line(name, counts), line("---", ["---"] * len(counts)), sep="\n")
        for sizes in SHAPES:
            cells = [cell(ways(sizes, n), arguments.rounds) for n in counts]
            print(line("-".join(map(str, sizes)), cells), flush=True)
        print()


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    return parser.parse_args()


def line(name: str, cells: Sequence[object]) -> str:
    """Of a table in Markdown."""
    return f"| {' | '.join(map(str, [name, *cells]))} |"


def cell(ways: Ways, rounds: int) -> str:
    """One thread's microseconds, and the ratios of the others to it."""
    turns = [[turn() for turn in ways] for _ in range(rounds)]
    one = median(turn[0] for turn in turns)
    ratios = [median(t[way] / t[0] for t in turns) for way in range(1, len(ways))]
    return f"{one * 1e6:.3g} µs: {' / '.join(f'{ratio:.2f}' for ratio in ratios)}"


def step_ways(sizes: tuple[int, ...], batch: int) -> Ways:
    """Times a step by a whole fit."""
    _, short = trained(sizes, batch, 30, threads=1, epochs=5)
    steps = max(2, int(EPOCH / (median(short) / 30)))

    def turn(threads: int | None) -> float:
        _, seconds = trained(sizes, batch, steps, threads, EPOCHS)
        return median(seconds[1:]) / steps

    return tuple(partial(turn, threads) for threads in (1, None, cpus()))


def predict_ways(sizes: tuple[int, ...], rows: int) -> Ways:
    """Times a call of predict by many."""
    X = normal(rows, sizes[0])

    def turn(network: tw.Network) -> float:
        seconds: list[float] = []
        while len(seconds) < 3 or sum(seconds) < CALLS:
            start = time.perf_counter()
            network.predict(X)
            seconds.append(time.perf_counter() - start)
        return median(seconds[1:])

    return tuple(partial(turn, predictor(sizes, most)) for most in (1, cpus()))


def predictor(sizes: tuple[int, ...], most: int) -> tw.Network:
    """A network that predicts with so many threads at most, by the quickest way."""
    network, _ = trained(sizes, 16, 2, threads=1, epochs=1)
    os.environ["THALWEG_THREADS"] = str(most)
    network.predict(normal(1, sizes[0]))  # looks at the variable, and keeps it
    del os.environ["THALWEG_THREADS"]
    return network


def trained(
    sizes: tuple[int, ...], batch: int, steps: int, threads: int | None, epochs: int
) -> tuple[tw.Network, list[float]]:
    """A network, and the seconds of its epochs of so many steps."""
    hidden = [tw.Dense(units, "relu") for units in sizes[1:-1]]
    network = tw.Network([*hidden, tw.Dense(sizes[-1], "softmax")])
    labels = np.random.default_rng(1).integers(0, sizes[-1], batch * steps)
    history = network.fit(
        normal(batch * steps, sizes[0]),
        labels,
        loss="cross_entropy",
        batch_size=batch,
        epochs=epochs,
        validation=None,
        seed=0,
        threads=threads,
    )
    return network, history.seconds


def normal(rows: int, features: int) -> NumpyArray:
    """Numbers like standardized features."""
    return np.random.default_rng(0).normal(size=(rows, features)).astype(np.float32)


if __name__ == "__main__":
    main()
