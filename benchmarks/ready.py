"""What the user waits for: from the call of fit to the first step's end.

A process is what the processor did from its start to the end of the first step, with
Python and all imports.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.rounds import REFERENCE, say
from benchmarks.startup import startup
from benchmarks.tasks import TASKS, Task
from benchmarks.work import Failure
from benchmarks.worker import Worker

READY: dict[str, tuple[str, ...]] = {
    "ready": ("small", "mnist", "matrix_exponential", "own_activation"),
    "ready_images": ("lenet", "ford_a"),
}
# One of each kind: what a way compiles doesn't depend on the number of threads.
WAITED_FOR = (
    REFERENCE,
    "PyTorch eager, 1 thread",
    "JAX scan",
    "JAX scan, no Eigen threads",
    "JAX jit",
    "JAX jit, no Eigen threads",
    "Keras on JAX",
)
LIMITS = {"first_step": ("first step", 100), "ready": ("trace to ready", 30)}
ROUNDS = 3


def ready_figures(name: str, field: list[Contender], rounds: int) -> dict[str, Any]:
    """Medians over the rounds, and whether thalweg's stay below their limits."""
    rounds = min(rounds, ROUNDS)
    chosen = [c for c in field if c.name in WAITED_FOR and not c.missing]
    tasks = {task: waits(one_step(TASKS[task]), chosen, rounds) for task in READY[name]}
    return {
        "rounds": rounds,
        "tasks": tasks,
        "startup": startup(),
        "targets": targets(tasks),
        "times_jax": {task: times_jax(rows) for task, rows in tasks.items()},
    }


def one_step(task: Task) -> Task:
    """The task with a single step an epoch."""
    return replace(task, rows=task.batch_size)


def waits(
    task: Task, chosen: list[Contender], rounds: int
) -> dict[str, dict[str, float]]:
    """Of each contender that takes part, in processes of their own."""
    taking = [c for c in chosen if c.takes(task.name, "train")]
    turns = [[wait(task, contender) for contender in taking] for _ in range(rounds)]
    columns = zip(*turns, strict=True)
    return {
        contender.name: {key: median(turn[key] for turn in column) for key in column[0]}
        for contender, column in zip(taking, columns, strict=True)
    }


def wait(task: Task, contender: Contender) -> dict[str, float]:
    """Seconds of a first epoch of one step, without a warm step, and in all."""
    say(f"ready: {task.name}, {contender.name}")
    worker = Worker(contender)
    try:
        opened = worker.open("train", task.work(), trial=0)
        assert not isinstance(opened, Failure), opened
        used = worker.ask("benchmarks.contenders.measure:process_seconds")
        warm = worker.run(11)
        assert not isinstance(warm, Failure), warm
        ready = opened.cold - warm.run.step
        return {"first_step": opened.cold, "ready": ready, "process": used}
    finally:
        worker.close()


def targets(tasks: dict[str, dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """The longest of thalweg's waits, beside their limits."""
    worst = {
        key: max(rows[REFERENCE][key] for rows in tasks.values()) * 1e3
        for key in LIMITS
    }
    return [
        {
            "what": what,
            "milliseconds": limit,
            "reached": worst[key],
            "met": worst[key] <= limit,
        }
        for key, (what, limit) in LIMITS.items()
    ]


def times_jax(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many times as long as thalweg JAX makes a user wait, in its faster way."""
    theirs = [row for name, row in rows.items() if name.startswith("JAX")]
    keys = ("first_step", "process") if theirs else ()
    return {key: min(row[key] for row in theirs) / rows[REFERENCE][key] for key in keys}
