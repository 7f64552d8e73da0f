"""The jobs of a search, on all processors until the time is over."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from thalweg.checks import seed_after
from thalweg.errors import DivergenceError
from thalweg.interrupts import LOOK_SECONDS, Interrupt, watch
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.kind import AnyKind
from thalweg.kinds.parts import Parts
from thalweg.kinds.regimen import Regimen
from thalweg.model.history import EpochRecord
from thalweg.model.programs import Programs
from thalweg.network import Network
from thalweg.search.budget import in_words
from thalweg.search.queue import FoldJob, Queue
from thalweg.search.space import settings_at
from thalweg.search.trials import FoldRun, Trial
from thalweg.training.execution import Execution

Report = Callable[[Trial], object]


class Workers:
    """Threads that train, each one network at a time.

    Arguments:
        kind: of data.
        folds: the data for each.
        base: the settings that hold where nothing is chosen.
        queue: what is to be trained.
        report: called with each finished trial.
    """

    def __init__(
        self,
        kind: AnyKind,
        folds: Sequence[Parts],
        base: Regimen,
        queue: Queue,
        report: Report,
    ) -> None:
        self._kind, self._folds, self._base = kind, folds, base
        self._queue, self._report = queue, report
        self._stop = threading.Event()
        self._running: dict[Future[FoldRun | None], FoldJob] = {}
        self._programs: dict[int, Programs] = {}

    def work(self, threads: int, seconds: float) -> str:
        """Train until the time is over, nothing is left, or the user says stop.

        What is under way then is left, and not counted.

        Returns:
            Why it ended, as a sentence.
        """
        deadline = time.monotonic() + seconds
        with ThreadPoolExecutor(threads) as pool, watch() as interrupt:
            try:
                while True:
                    self._fill(pool, threads)
                    reason = self._reason(interrupt, deadline, seconds)
                    if reason:
                        return reason
                    wait(self._running, LOOK_SECONDS, FIRST_COMPLETED)
                    self._collect()
            finally:
                self._stop.set()
                self._queue.end()

    def _reason(self, interrupt: Interrupt, deadline: float, seconds: float) -> str:
        """Why to end now; empty to go on."""
        if interrupt.asked():
            return "interrupted"
        if time.monotonic() >= deadline:
            return f"the {in_words(seconds)} were over"
        return "" if self._running else "all settings were tried"

    def _fill(self, pool: ThreadPoolExecutor, threads: int) -> None:
        """Give every thread a job, while there are any."""
        while len(self._running) < threads:
            job = self._queue.next(self._running.values())
            if job is None:
                return
            self._running[pool.submit(self._train, *self._start_of(job))] = job

    def _collect(self) -> None:
        """Enter the results that are there."""
        for future in [each for each in self._running if each.done()]:
            job = self._running.pop(future)
            run = future.result()
            trial = None if run is None else self._queue.finish(job, run)
            if trial is not None:
                self._programs.pop(trial.number, None)
                self._report(trial)

    def _start_of(self, job: FoldJob) -> tuple[FoldJob, Regimen, Programs]:
        """What a job needs that threads share."""
        settings = settings_at(self._base, self._queue.point(job.number))
        seed = seed_after(settings.seed, job.fold)
        programs = self._programs.setdefault(job.number, Programs())
        return job, settings.with_values(seed=seed), programs

    def _train(
        self, job: FoldJob, settings: Regimen, programs: Programs
    ) -> FoldRun | None:
        """One job; None if it was stopped."""
        fold = self._folds[job.fold]
        how = settings, job.epochs, self._stop, programs
        return fold_run(self._kind, fold, *how)


def fold_run(
    kind: AnyKind,
    fold: Parts,
    settings: Regimen,
    epochs: int,
    stop: threading.Event,
    programs: Programs,
) -> FoldRun | None:
    """The first epochs of a training, as `thalweg train` would do it.

    Arguments:
        kind: of data.
        fold: the rows.
        settings: of the whole training.
        epochs: after which it ends.
        stop: ends it before; the result is None then.
        programs: shared with the other folds.
    """
    network = kind.build(fold, settings)
    most = settings.most_epochs(len(fold.training.X))
    network.programs = programs
    started = time.perf_counter()

    def callback(record: EpochRecord) -> None:
        if stop.is_set() or record.epoch >= epochs < most:
            raise KeyboardInterrupt

    alone = RunContext(callback, (), Execution(threads=1), None, None)
    try:
        train_network(network, fold, settings, alone)
    except DivergenceError:
        return FoldRun(math.inf, {}, 0, True, time.perf_counter() - started)
    cut = network.history.stopped_because.startswith("interrupted")
    if cut and network.history.stopped_epoch < epochs:
        return None
    return result_of(network, fold, not cut, time.perf_counter() - started)


def result_of(network: Network, fold: Parts, ended: bool, seconds: float) -> FoldRun:
    """The score of the best weights on the fold; errors in the target's unit."""
    rows = fold.test
    figures = network.evaluate(rows.X, rows.y, rows.weights, threads=1)
    loss = figures.pop("loss")
    figures = fold.metrics_in_unit(figures)
    return FoldRun(loss, figures, network.history.best_epoch, ended, seconds)
