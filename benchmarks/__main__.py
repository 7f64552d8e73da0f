"""thalweg beside its peers, in one run: ``python -m benchmarks [task …]``.

Every contender has a process of its own. All take turns, round by round; figures are
medians over the rounds, and ratios are medians of the ratios within a round, so that a
machine that slows down in between slows all alike. First parameters and the order of
rows are the same for all, and the losses of the first 100 steps must agree: the run
ends with an error where they don't. Compiling is timed apart (PyTorch keeps what it
compiled on the disk, and finds it there in a later run).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender, contenders
from benchmarks.contenders.measure import ONE_CORE
from benchmarks.figures import accuracies, machine_figures, task_figures
from benchmarks.floor import Machine, best_of
from benchmarks.picture import draw
from benchmarks.ready import READY, ready_figures
from benchmarks.rounds import REFERENCE, DisagreementError, Outcome, Workers, play, say
from benchmarks.table import table
from benchmarks.tasks import (
    ON_MNIST,
    TASKS,
    WITH_WINDOWS,
    Task,
    full,
    on_images,
    quick,
)
from benchmarks.work import Failure
from benchmarks.worker import Worker

QUICK_ROUNDS = 3
GROUPS = {"images": (*WITH_WINDOWS, "ready_images")}
SWEEPS = ("widths", "convolutions", "recurrences")  # each a file here, run alone
MEASURER = Contender("the machine", "", "", "numpy")


def main() -> None:
    """Run tasks, print their table, and write JSON and pictures."""
    arguments = parse()
    if arguments.one_core:
        os.environ[ONE_CORE] = "1"
    if arguments.tasks in ([name] for name in SWEEPS):
        sweep = importlib.import_module(f"benchmarks.{arguments.tasks[0]}")
        sweep.main(arguments.out, arguments.quick)
        return
    try:
        figures = run(arguments)
    except DisagreementError as error:
        sys.exit(f"the benchmark failed: {error}")
    print(table(figures))
    if arguments.out is not None:
        write(figures, arguments.out)


def parse() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = [*TASKS, *READY, *GROUPS, *SWEEPS]
    parser.add_argument(
        "tasks", nargs="*", metavar="task", help=f"{', '.join(known)}; default: all"
    )
    parser.add_argument("--rounds", type=int, help="default: 7, or 3 with --quick")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="shorter and fewer runs")
    length.add_argument("--full", action="store_true", help="the long tasks whole")
    parser.add_argument(
        "--only", nargs="+", help="JAX or PyTorch eager, such as, beside thalweg"
    )
    parser.add_argument(
        "--mnist", type=Path, help="the folder of MNIST's four .gz files"
    )
    parser.add_argument("--out", type=Path, help="the folder for JSON and pictures")
    parser.add_argument(
        "--one-core",
        action="store_true",
        help="all on one core, by the processor's time: for a machine that others use",
    )
    arguments = parser.parse_args()
    wrong = [name for name in arguments.tasks if name not in known]
    several = len(arguments.tasks) > 1
    if wrong or (several and not set(SWEEPS).isdisjoint(arguments.tasks)):
        alone = ", ".join(SWEEPS)
        parser.error(f"tasks are {', '.join(known)} ({alone} each alone), got {wrong}")
    return arguments


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    names = expanded(arguments.tasks) or [*TASKS, *READY]
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else 7)
    scaled = quick if arguments.quick else full if arguments.full else same
    field = chosen(arguments.only, arguments.one_core)
    before = measured_machine()
    tasks = [scaled(TASKS[name]) for name in names if name in TASKS]
    outcomes = play_all(tasks, field, rounds, arguments.mnist)
    machine = best_of(before, measured_machine())
    figures: dict[str, Any] = {
        "machine": machine_figures(machine),
        "tasks": {o.task.name: task_figures(o, machine) for o in outcomes},
    }
    for name in READY:
        if name in names:
            figures[name] = ready_figures(name, field, rounds)
    return figures


def expanded(names: list[str]) -> list[str]:
    """Groups replaced by what is in them."""
    return [each for name in names for each in GROUPS.get(name, (name,))]


def play_all(
    tasks: list[Task], field: list[Contender], rounds: int, mnist: Path | None
) -> list[Outcome]:
    """One task after the other, in the same processes."""
    workers = Workers()
    try:
        return [play_task(task, field, workers, rounds, mnist) for task in tasks]
    finally:
        workers.close()


def same(task: Task) -> Task:
    """The task as it is."""
    return task


def chosen(families: list[str] | None, one_core: bool) -> list[Contender]:
    """Everyone, or thalweg and some families; on one core none but one thread each."""
    field = contenders()
    if one_core:
        field = [c for c in field if c.threads == 1 or c.name == REFERENCE]
    if families is None:
        return field
    named = tuple(families)
    return [c for c in field if c.name.startswith(named) or c.needs == "thalweg"]


def measured_machine() -> Machine:
    """The machine's limits, measured in a process of its own."""
    say("measuring the machine")
    worker = Worker(MEASURER)
    try:
        found = worker.ask("benchmarks.floor:measure")
    finally:
        worker.close()
    if isinstance(found, Failure):
        raise DisagreementError(f"the machine can't be measured: {found.reason}")
    return found


def play_task(
    task: Task,
    field: list[Contender],
    workers: Workers,
    rounds: int,
    mnist: Path | None,
) -> Outcome:
    """One task, on real images where there are some."""
    if mnist is not None:
        task = on_images(task)
    outcome = play(task, task.work(mnist), field, workers, rounds)
    if mnist is not None and task.name in ON_MNIST and not task.network.has_windows:
        outcome.accuracies = accuracies(outcome, mnist)
        compare_accuracies(task.name, outcome.accuracies)
    return outcome


def compare_accuracies(task: str, found: dict[str, float]) -> None:
    """All must have learned equally well; noise stays far below a percent.

    Raises:
        DisagreementError: one has not.
    """
    for name, accuracy in found.items():
        if abs(accuracy - found[REFERENCE]) > 0.01:
            raise DisagreementError(
                f"{task}: {name} has accuracy {accuracy:.3f}, "
                f"thalweg {found[REFERENCE]:.3f}"
            )


def write(figures: dict[str, Any], folder: Path) -> None:
    """benchmarks.json, .svg and .png."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    (folder / "benchmarks.json").write_text(text + "\n", encoding="utf-8")
    if figures["tasks"]:
        draw(figures, folder)


if __name__ == "__main__":
    main()
