"""What the user waits for: from the call of fit to the first step's end."""

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

READY_TASKS = ("small", "mnist", "matrix_exponential", "own_activation")
# One of each kind: what a way compiles doesn't depend on the number of threads.
WAITED_FOR = (REFERENCE, "PyTorch eager, 1 thread", "JAX scan", "Keras on JAX")
LIMITS = {"first_step": ("first step", 100), "ready": ("trace to ready", 30)}
ROUNDS = 3


def ready_figures(field: list[Contender], rounds: int) -> dict[str, Any]:
    """Medians over the rounds, and whether thalweg's stay below their limits."""
    rounds = min(rounds, ROUNDS)
    chosen = [c for c in field if c.name in WAITED_FOR and not c.missing]
    tasks = {name: waits(one_step(TASKS[name]), chosen, rounds) for name in READY_TASKS}
    return {
        "rounds": rounds,
        "tasks": tasks,
        "startup": startup(),
        "targets": targets(tasks),
    }


def one_step(task: Task) -> Task:
    """The task with a single step an epoch."""
    return replace(task, rows=task.batch_size)


def waits(
    task: Task, chosen: list[Contender], rounds: int
) -> dict[str, dict[str, float]]:
    """Of each contender, in processes of their own."""
    turns = [[wait(task, contender) for contender in chosen] for _ in range(rounds)]
    columns = zip(*turns, strict=True)
    return {
        contender.name: {
            "first_step": median(first for first, _ in column),
            "ready": median(first - step for first, step in column),
        }
        for contender, column in zip(chosen, columns, strict=True)
    }


def wait(task: Task, contender: Contender) -> tuple[float, float]:
    """Seconds of a first epoch of one step, and of a warm step."""
    say(f"ready: {task.name}, {contender.name}")
    worker = Worker(contender)
    try:
        opened = worker.open("train", task.work(), trial=0)
        assert not isinstance(opened, Failure), opened
        warm = worker.run(11)
        assert not isinstance(warm, Failure), warm
        return opened.cold, warm.run.step
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
