"""A process for each contender: it stays alive, and runs only when it is asked to."""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
import time
import traceback
from typing import IO, Any

from benchmarks.contenders import Contender
from benchmarks.contenders.measure import ONE_CORE
from benchmarks.work import Arrays, Failure, Opened, Run, Timed, Work

PAUSE = 0.05  # seconds: threads of the one who ran before stop spinning


class Worker:
    """The parent's end of a contender's process."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **contender.environment},
        )

    def open(self, kind: str, work: Work, trial: int) -> Opened | Failure:
        """Build and compile; the fastest of the contender's ways is kept."""
        module, options = self.contender.module, self.contender.options
        return self._ask("open", module, kind, work, options, trial)

    def run(self, epochs: int, number: int = 0) -> Timed | Failure:
        """A run of so many epochs, or calls."""
        time.sleep(PAUSE)
        return self._ask("run", epochs, number)

    def sweep(self, epochs: int, count: int) -> Timed | Failure:
        """So many networks, in the contender's best way."""
        time.sleep(PAUSE)
        return self._ask("sweep", epochs, count)

    def parameters(self) -> Arrays:
        """Weights and biases after the last run."""
        return self._ask("parameters")

    def ask(self, function: str) -> Any:
        """What a function without arguments gives there, by its path module:name."""
        return self._ask("call", function)

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _ask(self, *request: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            pickle.dump(request, stdin, protocol=5)
            stdin.flush()
            return pickle.load(stdout)
        except (EOFError, BrokenPipeError):
            return Failure(f"its process ended with {self._process.wait()}")


class Servant:
    """The child's end: it keeps what was opened."""

    def open(
        self, module: str, kind: str, work: Work, options: dict[str, Any], trial: int
    ) -> Opened:
        from benchmarks.contenders.measure import open_fastest

        self.ready = None  # the memory of the task before
        self.steps = work.steps
        found = importlib.import_module(f"benchmarks.contenders.{module}")
        opened, self.ready = open_fastest(found.ways(kind, work, options), trial)
        return opened

    def run(self, epochs: int, number: int) -> Timed:
        assert self.ready is not None
        ready = self.ready
        return with_cores(lambda: ready.run(epochs, number))

    def sweep(self, epochs: int, count: int) -> Timed:
        assert self.ready is not None
        ready = self.ready
        if ready.every is not None:
            every = ready.every
            return with_cores(lambda: every(epochs))
        return with_cores(lambda: in_a_loop(ready, epochs, count, self.steps))

    def parameters(self) -> Arrays:
        assert self.ready is not None
        return self.ready.parameters()

    def call(self, function: str) -> Any:
        module, name = function.split(":")
        return getattr(importlib.import_module(module), name)()


def with_cores(run: Any) -> Timed:
    """The run, and CPU seconds a second while it lasted."""
    cpu, wall = time.process_time(), time.perf_counter()
    done = run()
    busy = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return Timed(done, busy)


def in_a_loop(ready: Any, epochs: int, count: int, steps: int) -> Run:
    """One network after the other, each a whole run."""
    started = time.perf_counter()
    runs = [ready.run(epochs, number) for number in range(count)]
    seconds = time.perf_counter() - started
    return Run(0.0, seconds, count * epochs * steps, [r.values[0] for r in runs])


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the parent hangs up."""
    servant = Servant()
    while True:
        try:
            name, *arguments = pickle.load(requests)
        except EOFError:
            return
        try:
            answer = getattr(servant, name)(*arguments)
        except Exception:
            answer = Failure(traceback.format_exc(limit=-2).strip())
        pickle.dump(answer, answers, protocol=5)
        answers.flush()


def keep_to_one_core() -> None:
    """Before anything counts the cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    if ONE_CORE in os.environ:
        keep_to_one_core()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a framework prints must not get among the answers
    serve(sys.stdin.buffer, answers)
