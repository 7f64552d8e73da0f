"""What a run has shown, as plain data for the table, the JSON and the picture."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import Contender
from benchmarks.data import mnist
from benchmarks.floor import Machine, cpus, floor_seconds
from benchmarks.rounds import Entry, Outcome
from benchmarks.tasks import RIVALS, Target
from benchmarks.work import Arrays

PACKAGES = ("thalweg", "numpy", "torch", "jax", "jaxlib", "scikit-learn", "keras")


def machine_figures(machine: Machine) -> dict[str, Any]:
    """The machine, and the versions of all that ran on it."""
    return {
        "processor": processor(),
        "cores": cpus(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "peak_gflops": {n: value / 1e9 for n, value in machine.peak.items()},
        "bandwidth_gbytes": {n: v / 1e9 for n, v in machine.bandwidth.items()},
        "l2_bytes": machine.cache,
        "variables": {k: v for k, v in os.environ.items() if k.endswith("_THREADS")},
    }


def processor() -> str:
    """The processor's name, as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def version(package: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def task_figures(outcome: Outcome, machine: Machine) -> dict[str, Any]:
    """One task: every contender, the floor, and the figures to reach."""
    task = outcome.task
    floor = floor_seconds(task, machine, outcome.reference.cores)
    rows = {n: entry_figures(e, outcome) for n, e in outcome.entries.items()}
    return {
        "title": task.title,
        "note": task.note,
        "kind": task.kind,
        "unit": "a call" if task.kind == "predict" else "a step",
        "network": str(task.network),
        "batch_size": task.batch_size,
        "rounds": outcome.rounds,
        "floor_microseconds": floor * 1e6,
        "contenders": rows,
        "skipped": outcome.skipped,
        "targets": [target_figures(target, outcome, floor) for target in task.targets],
    }


def entry_figures(entry: Entry, outcome: Outcome) -> dict[str, Any]:
    """One contender."""
    return {
        "family": entry.contender.family,
        "way": entry.opened.choice,
        "trials_seconds_a_step": entry.opened.trials,
        "microseconds": entry.step * 1e6,
        "times_thalweg": entry.times(outcome.reference),
        "compile_seconds": entry.opened.compile,
        "cores": entry.cores,
        "accuracy": outcome.accuracies.get(entry.contender.name),
        "difference": entry.difference,
        "first_values": entry.values[:10],
        "environment": entry.contender.environment,
        "rounds_microseconds": [timed.run.step * 1e6 for timed in entry.runs],
    }


def target_figures(target: Target, outcome: Outcome, floor: float) -> dict[str, Any]:
    """What was to be reached, what was, and against whom."""
    reached, whom = reach(target, outcome, floor)
    met = None
    if reached is not None:
        met = reached <= target.factor if target.is_limit else reached >= target.factor
    return {
        "against": target.against,
        "factor": target.factor,
        "limit": target.is_limit,
        "reached": reached,
        "whom": whom,
        "met": met,
    }


def reach(target: Target, outcome: Outcome, floor: float) -> tuple[float | None, str]:
    """The ratio that was reached, None if nobody was there to be compared with."""
    if target.against == "floor":
        return outcome.reference.step / floor, "the floor"
    if target.against == "Adam":
        return time_of_operation(outcome), "built-in Adam, an operation"
    opponents = [e for e in outcome.entries.values() if opposes(target, e.contender)]
    if not opponents:
        return None, "nobody"
    best = min(opponents, key=lambda entry: entry.times(outcome.reference))
    return best.times(outcome.reference), best.contender.name


def opposes(target: Target, contender: Contender) -> bool:
    """Whether a target is about this contender."""
    if target.against == "rivals":
        return contender.family in RIVALS
    if target.against == "loops":
        return contender.family in RIVALS and "vmap" not in contender.name
    return contender.family == target.against or contender.name.startswith(
        target.against
    )


def time_of_operation(outcome: Outcome) -> float:
    """The own rule's time an operation, built-in Adam's being 1.

    What a step of plain SGD takes is taken off both: the rest is the rules' own.
    """
    from benchmarks.contenders.by_thalweg import OPERATIONS

    entries = outcome.entries
    sgd = entries["thalweg, built-in SGD"].step
    adam = entries["thalweg, built-in Adam"].step - sgd
    own = outcome.reference.step - sgd
    count = {name: n - OPERATIONS["sgd"] for name, n in OPERATIONS.items()}
    return (own / count["own"]) / (adam / count["adam"])


# Accuracy -----------------------------------------------------------------------------


def accuracies(outcome: Outcome, folder: Path) -> dict[str, float]:
    """The share of MNIST's test digits that are told right, after a timed run."""
    X, digits = mnist(folder, "t10k")
    return {
        name: float(np.mean(classes(entry.worker.parameters(), X) == digits))
        for name, entry in outcome.entries.items()
    }


def classes(parameters: Arrays, X: np.ndarray) -> np.ndarray:
    """What a relu network takes each row for."""
    *hidden, (weights, bias) = zip(parameters[::2], parameters[1::2], strict=True)
    a = X
    for w, b in hidden:
        a = np.maximum(a @ w + b, 0)
    return (a @ weights + bias).argmax(axis=1)
