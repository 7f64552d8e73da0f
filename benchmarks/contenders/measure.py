"""What all contenders share: timing of a run, and the choice of the fastest way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.work import Arrays, Opened, Run


@dataclass(frozen=True)
class Ready:
    """A way that was built and compiled.

    Arguments:
        run: trains so many epochs from a start (by its number), or predicts so often.
        parameters: weights and biases in turn, after the last run.
        every: all starts at once, for as many epochs: a sweep that is no loop.
    """

    run: Callable[[int, int], Run]
    parameters: Callable[[], Arrays] = list
    every: Callable[[int], Run] | None = None


ONE_CORE = "BENCHMARKS_ONE_CORE"  # set for all processes by --one-core
# Other work on the machine disturbs the processor's time a lot less than the wall's.
clock = time.process_time if ONE_CORE in os.environ else time.perf_counter

Ways = dict[str, Callable[[], Ready]]
TRIAL = 3  # epochs, or calls, of which the first isn't counted


def open_fastest(ways: Ways, trial: int = TRIAL) -> tuple[Opened, Ready]:
    """Build every way, and keep the one with the fastest step in a short trial.

    Without a trial the first way alone is built.
    """
    if trial == 0:  # the time until the first step is that of one way
        opened, ready, _ = open_way(*next(iter(ways.items())), trial)
        return opened, ready
    found: list[tuple[float, Opened, Ready]] = []
    trials: dict[str, float | str] = {}
    for name, build in ways.items():
        try:
            opened, ready, seconds = open_way(name, build, trial)
        except Exception as error:  # a way that this machine can't take is no way
            trials[name] = f"{type(error).__name__}: {error}"[:300]
            continue
        trials[name] = seconds
        found.append((seconds, opened, ready))
    if not found:
        raise RuntimeError(f"no way works: {trials}")
    _, opened, ready = min(found, key=lambda each: each[0])
    return Opened(opened.choice, trials, opened.cold, opened.compile), ready


def open_way(
    name: str, build: Callable[[], Ready], trial: int
) -> tuple[Opened, Ready, float]:
    """Build a way and run it cold, then warm: the difference is what it compiled."""
    started = clock()
    ready = build()
    built = clock() - started
    cold = ready.run(1, 0)
    if trial == 0:
        return Opened(name, {}, built + cold.first, 0.0), ready, 0.0
    warm = ready.run(trial, 0)
    compiled = max(0.0, built + cold.first - warm.rest / (trial - 1))
    return Opened(name, {}, built + cold.first, compiled), ready, warm.step


def process_seconds() -> float:
    """The processor's, since this process started: imports and all."""
    return time.process_time()


def timed_calls(call: Callable[[], Any], count: int, first_values: Any) -> Run:
    """A call, then more of them; `first_values` makes numbers of a call's result."""
    started = clock()
    result = call()
    first = clock()
    for _ in range(count):
        result = call()
    done = clock()
    return Run(first - started, done - first, count, first_values(result))


class Stamps:
    """The times at which epochs were done."""

    def __init__(self) -> None:
        self.times = [clock()]

    def __call__(self, *_: Any) -> None:
        self.times.append(clock())

    def run(self, steps: int, epochs: int, losses: Sequence[float]) -> Run:
        """The run, of so many epochs after the first."""
        first, rest = self.times[1] - self.times[0], self.times[-1] - self.times[1]
        return Run(first, rest, max(1, steps * (epochs - 1)), list(map(float, losses)))
