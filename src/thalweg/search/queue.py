"""The queue of a search: what is to be trained next, from what is known."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from thalweg.search.halving import Bracket, Outcome, Run, brackets
from thalweg.search.journal import Journal
from thalweg.search.samplers import Sampler
from thalweg.search.space import Point
from thalweg.search.trials import DEFAULT, FoldRun, Trial


@dataclass(frozen=True)
class FoldJob:
    """One training: some settings, for some epochs, without one fold."""

    number: int
    epochs: int
    fold: int


class Queue:
    """Jobs in order: the defaults, then the runs of one bracket after the other.

    A bracket's next rung comes before the next bracket, whose first runs fill
    processors that would wait.

    Arguments:
        epochs: the most that a network is trained.
        folds: how many there are.
        sampler: proposes settings.
        journal: keeps trials, and may hold some already.
        most: how many settings to try besides the defaults; None is no end.
    """

    def __init__(
        self,
        epochs: int,
        folds: int,
        sampler: Sampler,
        journal: Journal,
        most: int | None = None,
    ) -> None:
        self._epochs, self._folds = epochs, folds
        self._sampler, self._journal = sampler, journal
        self._coming = brackets(epochs, most)
        self._open: list[Bracket] = []
        self._ended: set[int] = set()
        self._points: dict[int, Point] = {DEFAULT: {}}
        self._runs: dict[Run, dict[int, FoldRun]] = {}
        self._known: dict[int, dict[int, Outcome]] = {}
        for trial in journal.trials:
            self._points[trial.number] = trial.point
            self._learn(trial)

    def point(self, number: int) -> Point:
        """What was chosen for some settings."""
        if number not in self._points:
            self._points[number] = self._sampler.propose(number)
        return self._points[number]

    def next(self, running: Container[FoldJob]) -> FoldJob | None:
        """The first job that is neither done nor running; None if there is none."""
        for number, epochs in self._wanted():
            for fold in range(self._folds):
                job = FoldJob(number, epochs, fold)
                done = fold in self._runs.get((number, epochs), ())
                if not done and job not in running:
                    return job
        return None

    def _wanted(self) -> Iterator[Run]:
        """The runs that could be done now, the most urgent first."""
        if not self._known.get(DEFAULT):
            yield DEFAULT, self._epochs
        for bracket in self._open:
            yield from bracket.missing(self._known)
        for bracket in self._coming:
            missing = bracket.missing(self._known)
            self._open.append(bracket)
            yield from missing
            self._close()

    def finish(self, job: FoldJob, run: FoldRun) -> Trial | None:
        """Enter a job's result; the trial, if it was the last of its folds."""
        runs = self._runs.setdefault((job.number, job.epochs), {})
        runs[job.fold] = run
        if len(runs) < self._folds:
            return None
        every = [runs[fold] for fold in range(self._folds)]
        trial = Trial.of(job.number, self.point(job.number), job.epochs, every)
        self._journal.add(trial)
        self._learn(trial)
        self._close()
        return trial

    def _learn(self, trial: Trial) -> None:
        self._known.setdefault(trial.number, {})[trial.epochs] = trial.outcome

    def _close(self) -> None:
        """Tell the sampler of settings that were dropped; forget finished brackets."""
        for bracket in self._open:
            for number in sorted(bracket.dropped(self._known) - self._ended):
                self._end(number)
        self._open = [b for b in self._open if b.missing(self._known)]

    def end(self) -> None:
        """Tell the sampler that nothing more comes."""
        for number in sorted(self._points.keys() - self._ended - {DEFAULT}):
            self._end(number)

    def _end(self, number: int) -> None:
        self._ended.add(number)
        rungs = [t for t in self._journal.trials if t.number == number]
        rungs.sort(key=lambda trial: trial.epochs)
        whole = bool(rungs) and rungs[-1].is_whole(self._epochs)
        self._sampler.end(number, rungs, whole)
