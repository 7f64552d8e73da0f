"""Steps of recurrent networks and of a transformer, beside PyTorch and JAX.

    python -m benchmarks.sequences [task …] [--rounds 7] [--steps 32]

Everyone starts from the same parameters, sees the same rows in the same order, and uses
one thread of this process. They take turns, an epoch each; what counts is the
processor's time of a step, the median over rounds, and of ratios the median of those
within a round. What is compiled is so in a first epoch, which isn't counted; its losses
must agree, or the run ends with an error. PyTorch has fused LSTM, GRU and RNN, tried
with times first in memory and with rows first, with its fused Adam; JAX a scan over
times, jitted with the step's update.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
import numpy as np

import thalweg as tw

RATE = 1e-3
MOST_EPOCHS = 10_000
TOLERANCE = 2e-3  # relative, between mean losses of the first epoch
CHARACTERS = 83
Parameters = Mapping[str, Any]
Epoch = Callable[[], float]  # trains an epoch, gives the mean loss


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


# Contenders ---------------------------------------------------------------------------


class OneByOne:
    """A fit that stops after each epoch until it is called again: it is compiled once.

    Arguments:
        fit: takes callbacks.
    """

    def __init__(self, fit: Callable[[list[Any]], object]) -> None:
        self._losses: queue.Queue[float] = queue.Queue()
        self._go_on = threading.Semaphore(0)
        self._fitting = threading.Thread(target=fit, args=([self],), daemon=True)

    def on_start(self, run: Any) -> None:
        """Nothing is to be done."""

    def on_epoch(self, record: Any) -> None:
        """Say the loss, and wait."""
        self._losses.put(record.training_loss)
        self._go_on.acquire()

    def on_end(self, history: Any) -> None:
        """Nothing is to be done."""

    def __call__(self) -> float:
        """Train an epoch."""
        if self._fitting.ident is None:
            self._fitting.start()
        else:
            self._go_on.release()
        return self._losses.get()


def by_thalweg(task: Task, start: Parameters, X: Any, y: Any) -> dict[str, Epoch]:
    """`Network.fit`, an epoch a call."""
    network = task.network()
    network.set_parameters(start)

    def fit(callbacks: list[Any]) -> None:
        network.fit(
            X,
            y,
            loss="cross_entropy",
            optimizer=tw.Adam(RATE),
            epochs=MOST_EPOCHS,
            batch_size=task.batch,
            validation=None,
            early_stopping=None,
            shuffle=False,
            threads=1,
            callbacks=callbacks,
        )

    return {"thalweg": OneByOne(fit)}


def by_pytorch(task: Task, start: Parameters, X: Any, y: Any) -> dict[str, Epoch]:
    """Eager, with times or rows first."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - as everyone calls it

    from benchmarks.contenders.pytorch_sequences import forward

    torch.set_num_threads(1)

    def trained(rows_first: bool) -> Epoch:
        p = {
            name: torch.from_numpy(np.array(a)).requires_grad_()
            for name, a in start.items()
        }
        optimizer = torch.optim.Adam(list(p.values()), RATE, fused=True)
        batches = [
            [
                torch.from_numpy(part if rows_first else part.T.copy())
                for part in (X[at : at + task.batch], y[at : at + task.batch])
            ]
            for at in range(0, len(X), task.batch)
        ]

        def epoch() -> float:
            total = 0.0
            for x, targets in batches:
                optimizer.zero_grad(set_to_none=True)
                logits = forward(task, p, x, rows_first)
                loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
                loss.backward()
                optimizer.step()
                total += loss.item()
            return total / len(batches)

        return epoch

    ways = {"PyTorch, rows first": trained(rows_first=True)}
    if task.kind != "transformer":
        ways["PyTorch, times first"] = trained(rows_first=False)
    return ways


def by_jax(task: Task, start: Parameters, X: Any, y: Any) -> dict[str, Epoch]:
    """A scan over times."""
    import jax
    import jax.numpy as jnp

    from benchmarks.contenders.jax_sequences import forward

    def loss_of(p: Any, x: Any, targets: Any) -> Any:
        logs = jax.nn.log_softmax(forward(task, p, x))
        return -jnp.take_along_axis(logs, targets[..., None], -1).mean()

    def step(state: Any, x: Any, targets: Any) -> Any:
        p, m, v, count = state
        loss, gradients = jax.value_and_grad(loss_of)(p, x, targets)
        count = count + 1
        m = {k: 0.9 * m[k] + 0.1 * g for k, g in gradients.items()}
        v = {k: 0.999 * v[k] + 0.001 * g * g for k, g in gradients.items()}
        p = {
            k: w
            - RATE
            * (m[k] / (1 - 0.9**count))
            / (jnp.sqrt(v[k] / (1 - 0.999**count)) + 1e-8)
            for k, w in p.items()
        }
        return (p, m, v, count), loss

    jitted = jax.jit(step, donate_argnums=0)
    p = {name: jnp.array(array) for name, array in start.items()}
    zeros = {name: jnp.zeros_like(array) for name, array in p.items()}
    state: list[Any] = [(p, zeros, {k: z + 0 for k, z in zeros.items()}, 0.0)]

    def epoch() -> float:
        losses: list[Any] = []
        for at in range(0, len(X), task.batch):
            part = slice(at, at + task.batch)
            state[0], loss = jitted(state[0], X[part], y[part])
            losses.append(loss)
        return float(jnp.stack(losses).mean())

    return {"JAX": epoch}


RIVALS = {"torch": by_pytorch, "jax": by_jax}


# Rounds -------------------------------------------------------------------------------


def play(task: Task, rounds: int, steps: int) -> dict[str, list[float]]:
    """Seconds of a step for each, in each round, after an epoch that is compared."""
    X, y = task.rows(steps)
    start = task.network().parameters
    field = by_thalweg(task, start, X, y)
    for package, rival in RIVALS.items():
        if importlib.util.find_spec(package) is not None:
            field |= rival(task, start, X, y)
    first = {name: epoch() for name, epoch in field.items()}
    ours = first["thalweg"]
    for name, loss in first.items():
        if not math.isclose(loss, ours, rel_tol=TOLERANCE):
            sys.exit(f"{task.title}: the loss of {name} is {loss}, thalweg's {ours}")
    seconds: dict[str, list[float]] = {name: [] for name in field}
    for _ in range(rounds):
        for name, epoch in field.items():
            started = time.process_time()
            epoch()
            seconds[name].append((time.process_time() - started) / steps)
    return seconds


def main() -> None:
    """Print a line for each task and contender."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences")
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=32, help="of an epoch")
    arguments = parser.parse_args()
    for name in arguments.tasks or TASKS:
        task = TASKS[name]
        seconds = play(task, arguments.rounds, arguments.steps)
        ours = seconds["thalweg"]
        meant = f", {task.meant:g} is meant" if task.meant else ""
        print(f"{task.title}{meant}", flush=True)
        for rival, each in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(each, ours, strict=True))
            middle = statistics.median(each) * 1e3
            print(f"    {rival:22} {middle:9.2f} ms  {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
