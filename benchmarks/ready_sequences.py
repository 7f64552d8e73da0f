"""Until the first step of a loop is done: `python -m benchmarks.ready_sequences`.

Characters, of which the next is predicted at each of 300 times: an embedding, an LSTM
or a cell of one's own, a dense softmax, Adam. Every way has a new process, in which its
imports are done and no cache is found; it is given rows of one step. What counts is the
time of the process and of those that it starts, such as a compiler; "ready" is that
without a step's own time. Figures are medians over the rounds. PyTorch's compiler is
run once, and ended when it has taken as long as `--limit` says.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from benchmarks.contenders.of_sequences import (
    Epoch,
    Rival,
    by_compiled_pytorch,
    by_jax,
    by_pytorch,
    by_thalweg,
)
from benchmarks.rounds import say
from benchmarks.sequences import Task

LATER = 3  # steps, of which the shortest counts
SIZES = {"units": 128, "times": 300, "batch": 32, "embedded": 64}
TASKS = {
    "lstm": Task("LSTM, 128 units, 300 times, batch 32", "lstm", **SIZES),
    "own": Task("one's own LSTM with norm, the same", "own", **SIZES),
}


def trained_by_thalweg(*given: Any) -> dict[str, Epoch]:
    """As a rival would be."""
    return {"thalweg": by_thalweg(*given)}


@dataclass(frozen=True)
class Way:
    """Who trains, what this imports, and how often it is worth to."""

    train: Rival
    imports: tuple[str, ...]
    rounds: int = 99


@dataclass(frozen=True)
class Wait:
    """Seconds until the first step was done, and of a later one."""

    first: float
    later: float


TORCH = ("torch", "torch._dynamo")  # the second by its optimizers
WAYS = {
    "thalweg": Way(trained_by_thalweg, ("thalweg",)),
    "PyTorch eager": Way(by_pytorch, TORCH),
    "PyTorch compiled": Way(by_compiled_pytorch, TORCH, rounds=1),
    "JAX": Way(by_jax, ("jax",)),
}
Waits = dict[str, list[Wait | None]]  # None where the limit ended it


def main() -> None:
    """Print a line for each task and way."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ready_sequences")
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=600, help="seconds of a way")
    parser.add_argument("--only", nargs="+", default=list(WAYS), help="ways")
    arguments = parser.parse_args()
    ways = {
        name: WAYS[name]
        for name in arguments.only
        if importlib.util.find_spec(WAYS[name].imports[0]) is not None
    }
    for task in arguments.tasks or TASKS:
        found = waits(TASKS[task], ways, arguments.rounds, arguments.limit)
        print("\n".join([TASKS[task].title, *lines(found, arguments.limit)]))


def waits(task: Task, ways: Mapping[str, Way], rounds: int, limit: int) -> Waits:
    """What each way takes in each round."""
    X, y = task.rows(1)
    given = (task, task.network().parameters, X, y)
    found: Waits = {name: [] for name in ways}
    for turn in range(rounds):
        for name, way in ways.items():
            if turn < way.rounds:
                say(f"{task.title}: {name}")
                found[name].append(in_a_process(way, given, limit))
    return found


def in_a_process(way: Way, given: tuple[Any, ...], limit: int) -> Wait | None:
    """A wait in a process that starts from nothing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=tell, args=(theirs, way, given, limit))
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # in the process itself
        process.start()
        theirs.close()
        try:
            return ours.recv()
        except EOFError:  # the system has ended it
            return None
        finally:
            process.join()


def tell(parent: Connection, way: Way, given: tuple[Any, ...], limit: int) -> None:
    """Send the parent what a few steps took."""
    for name in way.imports:
        importlib.import_module(name)
    started = processor_seconds()
    most = round(started) + limit
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    epoch = next(iter(way.train(*given).values()))
    first = seconds_of(epoch, started)
    parent.send(Wait(first, min(seconds_of(epoch) for _ in range(LATER))))


def seconds_of(epoch: Epoch, started: float | None = None) -> float:
    """Of an epoch and what was before it, back to a start."""
    started = processor_seconds() if started is None else started
    epoch()
    return processor_seconds() - started


def processor_seconds() -> float:
    """Of this process and of those that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def lines(found: Waits, limit: int) -> list[str]:
    """Of each way, and how many times as long as thalweg it takes."""
    ours = medians([wait for wait in found["thalweg"] if wait is not None])
    head = f"    {'':18}{'first step':>14}{'':8}{'ready':>10}"
    return [head, *(line(name, each, ours, limit) for name, each in found.items())]


def line(
    name: str, each: list[Wait | None], ours: tuple[float, float], limit: int
) -> str:
    """One way."""
    done = [wait for wait in each if wait is not None]
    if len(done) < len(each):
        return f"    {name:18}  more than {limit} s {limit / ours[0]:8.0f}"
    pairs = zip(medians(done), ours, strict=True)
    columns = (f"{theirs:10.3f} s {theirs / own:7.1f}" for theirs, own in pairs)
    return f"    {name:18}  {''.join(columns)}"


def medians(waits: list[Wait]) -> tuple[float, float]:
    """Of the first step, and of what it takes more than a later one."""
    first = median(wait.first for wait in waits)
    return first, median(wait.first - wait.later for wait in waits)


if __name__ == "__main__":
    main()
