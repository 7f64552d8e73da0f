"""Figures as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.ready import READY

VERDICTS = {True: "met", False: "NOT met", None: "not measured"}


def table(figures: dict[str, Any]) -> str:
    """All tasks, one after the other."""
    parts = [machine_lines(figures["machine"])]
    parts += [task_lines(name, task) for name, task in figures["tasks"].items()]
    parts += [ready_lines(figures[name]) for name in READY if name in figures]
    return "\n\n".join("\n".join(part) for part in parts)


def machine_lines(machine: dict[str, Any]) -> Iterator[str]:
    """The machine and the versions."""
    yield f"{machine['processor']}, {machine['cores']} cores"
    versions = machine["versions"].items()
    found = ", ".join(f"{name} {number}" for name, number in versions if number)
    yield f"Python {machine['python']}, {found}"
    for threads, peak in machine["peak_gflops"].items():
        bandwidth = machine["bandwidth_gbytes"][threads]
        yield (
            f"{threads} threads: {peak:.0f} GFLOP/s in float32, "
            f"{bandwidth:.0f} GB/s beyond L2"
        )


def task_lines(name: str, task: dict[str, Any]) -> Iterator[str]:
    """One task: contenders by their time, the floor, and what was to be reached."""
    yield f"{name}: {task['title']} ({task['rounds']} rounds)"
    if task["note"]:
        yield f"  {task['note']}"
    yield (
        f"  {'':32}{'µs ' + task['unit']:>12}{'× thalweg':>11}{'compile s':>11}"
        f"{'cores':>7}{'differs':>9}  way"
    )
    rows = sorted(task["contenders"].items(), key=lambda each: each[1]["microseconds"])
    for contender, row in rows:
        yield (
            f"  {contender:32}{row['microseconds']:12.1f}{row['times_thalweg']:11.2f}"
            f"{row['compile_seconds']:11.2f}{row['cores']:7.1f}"
            f"{row['difference']:9.0e}  {row['way']}{accuracy(row)}"
        )
    yield f"  {'the floor':32}{task['floor_microseconds']:12.1f}"
    for contender, reason in task["skipped"].items():
        yield f"  {contender} did not take part: {reason.splitlines()[-1][:120]}"
    for target in task["targets"]:
        yield f"  {target_line(target)}"


def accuracy(row: dict[str, Any]) -> str:
    """The share of test rows told right, where it was measured."""
    return "" if row["accuracy"] is None else f", accuracy {row['accuracy']:.4f}"


def target_line(target: dict[str, Any]) -> str:
    """Such as "at least 4 × JAX: 0.30 × (JAX scan), NOT met"."""
    bound = "at most" if target["limit"] else "at least"
    wanted = f"{bound} {target['factor']:g} × {target['against']}"
    reached = target["reached"]
    found = "" if reached is None else f"{reached:.2f} × ({target['whom']}), "
    return f"{wanted}: {found}{VERDICTS[target['met']]}"


def ready_lines(ready: dict[str, Any]) -> Iterator[str]:
    """Milliseconds from the call of fit, in new processes."""
    rounds = ready["rounds"]
    yield f"ready: milliseconds in a new process, imports done ({rounds} rounds);"
    yield "  process: the processor's milliseconds since its start, imports and all"
    for name, rows in ready["tasks"].items():
        yield (
            f"  {name:34}{'first step done':>17}{'trace to ready':>16}{'process':>10}"
        )
        for contender, row in rows.items():
            yield (
                f"    {contender:32}{row['first_step'] * 1e3:17.0f}"
                f"{row['ready'] * 1e3:16.0f}{row['process'] * 1e3:10.0f}"
            )
    for name, times in ready["times_jax"].items():
        found = ", ".join(f"{key} {value:.1f}" for key, value in times.items())
        yield f"  {name}: JAX's time, thalweg's = 1: {found or 'not measured'}"
    for name, seconds in ready["startup"].items():
        yield f"  {name:34}{seconds * 1e3:17.0f}"
    for target in ready["targets"]:
        verdict = VERDICTS[target["met"]]
        yield (
            f"  {target['what']}, at most {target['milliseconds']} ms: "
            f"{target['reached']:.0f} ms at most, {verdict}"
        )
