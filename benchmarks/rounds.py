"""Contenders in turns: who takes part, whether they agree, and how long they take."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from benchmarks.contenders import Contender
from benchmarks.tasks import Task
from benchmarks.work import Failure, Opened, Timed, Work
from benchmarks.worker import Worker

FIRST_STEPS = 100
REFERENCE = "thalweg"


@dataclass
class Entry:
    """A contender in one task."""

    contender: Contender
    worker: Worker
    opened: Opened
    values: list[float] = field(default_factory=list[float])
    difference: float = 0.0
    runs: list[Timed] = field(default_factory=list[Timed])

    @property
    def step(self) -> float:
        """Seconds of a step: the median over the rounds."""
        return median(timed.run.step for timed in self.runs)

    @property
    def cores(self) -> float:
        """CPU seconds a second: the median over the rounds."""
        return median(timed.cores for timed in self.runs)

    def times(self, reference: Entry) -> float:
        """How many steps of the reference fit into one: the median within a round."""
        pairs = zip(self.runs, reference.runs, strict=True)
        return median(ours.run.step / theirs.run.step for ours, theirs in pairs)


@dataclass
class Outcome:
    """A task as it was run."""

    task: Task
    entries: dict[str, Entry]
    skipped: dict[str, str]
    rounds: int
    accuracies: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def reference(self) -> Entry:
        """thalweg."""
        return self.entries[REFERENCE]


class DisagreementError(Exception):
    """Contenders have not computed the same thing."""


class Workers:
    """The processes, each started when it is first needed."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}

    def __getitem__(self, contender: Contender) -> Worker:
        if contender.name not in self._workers:
            self._workers[contender.name] = Worker(contender)
        return self._workers[contender.name]

    def forget(self, contender: Contender) -> None:
        """End a contender's process; the next task gets a new one."""
        worker = self._workers.pop(contender.name, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all."""
        for worker in self._workers.values():
            worker.close()


def play(
    task: Task, work: Work, field_: list[Contender], workers: Workers, rounds: int
) -> Outcome:
    """Open all, see that they agree, and let them take turns."""
    plain = work.without_dropout
    entries, skipped = open_all(task, plain, field_, workers)
    outcome = Outcome(task, entries, skipped, min(rounds, task.rounds))
    if REFERENCE not in entries:
        raise DisagreementError(
            f"{task.name}: thalweg itself failed: {skipped[REFERENCE]}"
        )
    compare(outcome)
    if plain.network != work.network:
        open_again(outcome, work)
    for number in range(outcome.rounds):
        say(f"{task.name}: round {number + 1} of {outcome.rounds}")
        for entry in entries.values():
            entry.runs.append(must(entry, run_once(task, entry)))
    return outcome


def open_all(
    task: Task, work: Work, field_: list[Contender], workers: Workers
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Every contender that can take part, and why the others can't."""
    entries: dict[str, Entry] = {}
    skipped: dict[str, str] = {}
    for contender in field_:
        if not contender.takes(task.name, task.kind):
            continue
        if contender.missing:
            skipped[contender.name] = f"{contender.needs} isn't installed"
            continue
        say(f"{task.name}: opening {contender.name}")
        worker = workers[contender]
        opened = worker.open(task.kind, work, trial=3)
        if isinstance(opened, Failure):
            skipped[contender.name] = opened.reason
            say(f"{contender.name} is skipped: {opened.reason}")
            workers.forget(contender)
        else:
            entries[contender.name] = Entry(contender, worker, opened)
    return entries, skipped


def open_again(outcome: Outcome, work: Work) -> None:
    """Everyone once more, with the dropout that was left out to compare."""
    for entry in outcome.entries.values():
        say(f"{outcome.task.name}: opening {entry.contender.name} with dropout")
        opened = entry.worker.open(outcome.task.kind, work, trial=3)
        if isinstance(opened, Failure):
            raise DisagreementError(f"{entry.contender.name} failed: {opened.reason}")
        entry.opened = opened


def run_once(task: Task, entry: Entry) -> Timed | Failure:
    """One timed run; a first epoch, or call, is in it but not counted."""
    if task.kind == "sweep":
        return entry.worker.sweep(task.epochs, task.networks)
    extra = 1 if task.kind == "train" else 0
    return entry.worker.run(task.epochs + extra)


def must(entry: Entry, answer: Timed | Failure) -> Timed:
    """The answer, since one that could be opened has to go on working."""
    if isinstance(answer, Failure):
        raise DisagreementError(f"{entry.contender.name} failed: {answer.reason}")
    return answer


# Agreement ----------------------------------------------------------------------------


def compare(outcome: Outcome) -> None:
    """All must have the losses of the first 100 steps, or the predictions, alike.

    Raises:
        DisagreementError: they don't, so their times mean nothing.
    """
    task = outcome.task
    say(f"{task.name}: comparing")
    for entry in outcome.entries.values():
        entry.values = must(entry, sample(task, entry)).run.values
    for group in comparable(outcome):
        for entry in group:
            entry.difference = difference(entry.values, group[0].values)
    for entry in outcome.entries.values():
        if not entry.difference <= task.tolerance:
            ours = np.array(outcome.reference.values[:4])
            raise DisagreementError(
                f"{task.name}: {entry.contender.name} and thalweg differ by "
                f"{entry.difference:.1e}, more than {task.tolerance:.0e}: "
                f"{np.array(entry.values[:4])} and {ours} …"
            )


def sample(task: Task, entry: Entry) -> Timed | Failure:
    """A run that shows enough to be compared."""
    if task.kind == "sweep":
        return entry.worker.sweep(1, min(4, task.networks))
    epochs = -(-FIRST_STEPS // task.steps) if task.kind == "train" else 1
    return entry.worker.run(epochs)


def comparable(outcome: Outcome) -> list[list[Entry]]:
    """Entries that compute the same: those with a rule of their own stand apart."""
    groups: dict[str, list[Entry]] = {}
    for entry in outcome.entries.values():
        rule = entry.contender.options.get("rule", outcome.task.rule)
        groups.setdefault(rule, []).append(entry)
    return list(groups.values())


def difference(values: list[float], reference: list[float]) -> float:
    """The largest, as a share of the reference (or of 0.01, where that is small)."""
    count = min(len(values), len(reference))
    a, b = np.array(values[:count]), np.array(reference[:count])
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 0.01)))


def say(text: str) -> None:
    """Where the run is, on the terminal's other stream."""
    print(f"  {text}", file=sys.stderr, flush=True)
