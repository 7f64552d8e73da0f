"""Steps of recurrent networks and of a transformer, beside PyTorch and JAX.

    python -m benchmarks.sequences [task …] [--rounds 7] [--steps 32] [--compiled]

Everyone starts from the same parameters, sees the same rows in the same order, and uses
one thread of this process. They take turns, an epoch each; what counts is the
processor's time of a step, the median over rounds, and of ratios the median of those
within a round. What is compiled is so in a first epoch, which isn't counted; its losses
must agree, or the run ends with an error. PyTorch has fused LSTM, GRU and RNN, tried
with times first in memory and with rows first, with its fused Adam; JAX a scan over
times, jitted with the step's update. PyTorch compiles a loop's turns one by one, which
takes minutes: with `--compiled` it is tried, too.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
import numpy as np

import thalweg as tw
from benchmarks.contenders.of_sequences import Epoch, Rival, by_thalweg, installed

TOLERANCE = 2e-3  # relative, between mean losses of the first epoch
CHARACTERS = 83


@dataclass(frozen=True)
class NormedLSTM(tw.Cell):
    """A cell of a user's own: an LSTM whose gates are normalized before they act."""

    units: int

    def states(self, input_shape):
        return {"h": (self.units,), "c": (self.units,)}

    def parameters(self, input_shape):
        scale = tw.Parameter((4 * self.units,), tw.initializers.ones)
        return {**tw.LSTM(self.units).parameters(input_shape), "scale": scale}

    def step(self, x, state, p):
        h, c = state
        z = x @ p.weights + h @ p.recurrent
        z = z - tw.mean(z, -1, keepdims=True)
        z = z / tw.sqrt(tw.mean(z**2, -1, keepdims=True) + 1e-5)
        i, f, g, o = tw.split(z * p.scale + p.bias, 4)
        c = tw.sigmoid(f) * c + tw.sigmoid(i) * tw.tanh(g)
        return tw.sigmoid(o) * tw.tanh(c), c


@dataclass(frozen=True)
class Task:
    """What is trained: a network that predicts the next character at each time.

    Arguments:
        kind: of its middle layer: lstm, gru, rnn, own or transformer.
        meant: the factor by which thalweg is meant to lead; 0 where none is.
    """

    title: str
    kind: str
    units: int
    times: int
    batch: int
    embedded: int
    meant: float = 0.0
    blocks: int = 4
    heads: int = 4

    def network(self) -> tw.Network:
        """In thalweg's words."""
        middle = {
            "lstm": lambda: [tw.LSTM(self.units)],
            "gru": lambda: [tw.GRU(self.units)],
            "rnn": lambda: [tw.RNN(self.units)],
            "own": lambda: [NormedLSTM(self.units)],
            "transformer": self._blocks,
        }[self.kind]()
        ends = tw.Dense(CHARACTERS, "softmax")
        network = tw.Network([tw.Embedding(CHARACTERS, self.embedded), *middle, ends])
        return network.initialize(self.times, seed=0)

    def _blocks(self) -> list[tw.Layer]:
        block = tw.TransformerBlock(self.heads, 4 * self.units, causal=True)
        return [tw.Positions(), *[block] * self.blocks, tw.LayerNorm()]

    def rows(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Characters and the next ones, most of which follow from those before."""
        random = np.random.default_rng(0)
        count = steps * self.batch * (self.times + 1)
        follows = random.permutation(CHARACTERS)
        text = random.integers(0, CHARACTERS, count)
        for at in range(1, count):
            if text[at] % 4:
                text[at] = follows[text[at - 1]]
        text = text.reshape(-1, self.times + 1)
        return text[:, :-1].copy(), text[:, 1:].copy()


SMALL = {"times": 64, "batch": 32, "embedded": 64}
TASKS = {
    "lstm": Task("LSTM 128, 64 times, batch 32", "lstm", 128, **SMALL, meant=2),
    "gru": Task("GRU 128, the same", "gru", 128, **SMALL),
    "rnn": Task("RNN 128, the same", "rnn", 128, **SMALL),
    "own": Task("one's own LSTM with norm, the same", "own", 128, **SMALL, meant=8),
    "gpt": Task("nanoGPT's setting", "transformer", 128, 64, 12, 128, meant=1.6),
    "large": Task("LSTM 1024, 100 times, batch 8", "lstm", 1024, 100, 8, 256, 1.2),
}


# Rounds -------------------------------------------------------------------------------


def play(
    task: Task, rounds: int, steps: int, rivals: Sequence[Rival]
) -> dict[str, list[float]]:
    """Seconds of a step for each, in each round, after an epoch that is compared."""
    X, y = task.rows(steps)
    start = task.network().parameters
    ours = by_thalweg(task, start, X, y)
    field: dict[str, Epoch] = {"thalweg": ours}
    for rival in rivals:
        field |= rival(task, start, X, y)
    compare(task, {name: epoch() for name, epoch in field.items()})
    seconds: dict[str, list[float]] = {name: [] for name in field}
    for _ in range(rounds):
        for name, epoch in field.items():
            started = time.process_time()
            epoch()
            seconds[name].append((time.process_time() - started) / steps)
    ours.close()
    return seconds


def compare(task: Task, losses: dict[str, float]) -> None:
    """End the run unless all losses are thalweg's."""
    ours = losses["thalweg"]
    for name, loss in losses.items():
        if not math.isclose(loss, ours, rel_tol=TOLERANCE):
            sys.exit(f"{task.title}: the loss of {name} is {loss}, thalweg's {ours}")


def main() -> None:
    """Print a line for each task and contender."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences")
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=32, help="of an epoch")
    parser.add_argument("--compiled", action="store_true", help="PyTorch, too")
    arguments = parser.parse_args()
    rivals = installed(arguments.compiled)
    for name in arguments.tasks or TASKS:
        task = TASKS[name]
        seconds = play(task, arguments.rounds, arguments.steps, rivals)
        ours = seconds["thalweg"]
        meant = f", {task.meant:g} is meant" if task.meant else ""
        print(f"{task.title}{meant}", flush=True)
        for rival, each in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(each, ours, strict=True))
            middle = statistics.median(each) * 1e3
            print(f"    {rival:22} {middle:9.2f} ms  {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
