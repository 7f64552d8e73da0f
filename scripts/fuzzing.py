"""Cases that are judged in a process of their own, so that its end is seen too.

A script that fuzzes has a function that judges one case: it makes broken input, uses
it, and gives a few words for what came of it. A worker process does that again and
again; the process above it counts the words. A case is a finding if it ends otherwise:
by an error of another kind, by a crash or a hang of the worker, by more time or memory
than is promised. Its files are kept. The same seed and number make the same case::

    python scripts/fuzz_model_file.py --seed 1 --case 4711
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout, suppress
from itertools import repeat
from pathlib import Path
from typing import TypeVar

MOST_SECONDS, SECONDS_A_BYTE = 2.0, 1e-7  # of the processor, for reading a file
MOST_MEMORY, MEMORY_A_BYTE = 64 * 2**20, 1.2
HANG = 60  # seconds after which a worker is ended
ONE_THREAD = {"POLARS_MAX_THREADS": "1"}  # files are small
CASES_A_WORKER = 4000  # so that what a process keeps for later can't add up
READY = "ready"
STATUS, CLEAR = "/proc/self/status", "/proc/self/clear_refs"

Result = TypeVar("Result")


class BrokenPromiseError(Exception):
    """What was judged didn't do what is promised."""


class Meter:
    """Calls that are measured, and the most that one of them has taken."""

    seconds = 0.0
    growth = 0

    def measure(self, call: Callable[[], Result], file_bytes: int) -> Result:
        """What the call gives, or raises.

        Raises:
            BrokenPromiseError: it took more time or memory than is promised.
        """
        before, began = memory(anew=True), time.process_time()
        try:
            return call()
        finally:
            seconds, growth = time.process_time() - began, memory() - before
            self.seconds = max(self.seconds, seconds)
            self.growth = max(self.growth, growth - file_bytes)
            if seconds > MOST_SECONDS + SECONDS_A_BYTE * file_bytes:
                raise BrokenPromiseError(f"it took {seconds:.2f} s")
            if growth > MEMORY_A_BYTE * file_bytes + MOST_MEMORY:
                raise BrokenPromiseError(f"it took {growth / 2**20:.0f} MiB")


def memory(anew: bool = False) -> int:
    """The most bytes that were resident; counted anew from now where that's possible.

    Elsewhere than on Linux the most of the whole process stands for it.
    """
    if not os.path.exists(CLEAR):
        unit = 1 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    if anew:
        Path(CLEAR).write_text("5")
    for line in Path(STATUS).read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 2**10
    raise OSError(f"{STATUS} has no VmHWM")


Judge = Callable[[random.Random, Path, Meter], str]


def main(
    description: str,
    prepare: Callable[[Path], object],
    warm_up: Callable[[Path], object],
    judge: Judge,
    **others: Judge,
) -> None:
    """Read the command line, judge cases, print what was said; 1 after a finding.

    Arguments:
        description: of the script.
        prepare: writes what cases are made from into a folder, once.
        warm_up: called in each worker before its first case.
        judge: of one case, with its own folder, which is in the one of `prepare`.
        others: judges of other cases, which need nothing prepared, each by the option
            that says how many, instead of --count.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--count", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--case", type=int, help="judge one case alone")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    for name in others:
        parser.add_argument(f"--{name}", type=int, metavar="COUNT")
    options = parser.parse_args()
    counted = next((name for name in others if getattr(options, name)), "count")
    options.count = getattr(options, counted)
    if counted != "count":
        prepare, warm_up, judge = nothing, nothing, others[counted]
    if options.work:
        work(Path(options.work), options, warm_up, judge)
        return
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    print(f"seed {options.seed}, files in {folder}", flush=True)
    prepare(folder)
    first = 0 if options.case is None else options.case
    last = options.count if options.case is None else options.case + 1
    watching, began = Watch(folder, options.seed, counted), time.monotonic()
    with suppress(KeyboardInterrupt):  # what was judged until then counts
        watching.run(first, last, options.seconds)
    watching.report(time.monotonic() - began)
    if not watching.found:
        shutil.rmtree(folder)
    sys.exit(watching.found.total() > 0)


def nothing(folder: Path) -> None:
    """What cases need that are made from nothing."""


# The process that judges --------------------------------------------------------------


def work(
    folder: Path,
    options: argparse.Namespace,
    warm_up: Callable[[Path], object],
    judge: Judge,
) -> None:
    """Judge the cases from one number on, and print a line of JSON for each."""
    lines = sys.stdout
    end = time.monotonic() + options.seconds
    case, meter = folder / "case", Meter()
    shutil.rmtree(case, ignore_errors=True)
    with redirect_stdout(sys.stderr):
        warm_up(folder)
        print(READY, file=lines, flush=True)
        for number in range(options.case, options.count):
            if time.monotonic() > end:
                return
            shutil.rmtree(case, ignore_errors=True)
            case.mkdir()
            faulthandler.dump_traceback_later(HANG, exit=True)
            choose = random.Random(f"{options.seed} {number}")
            said, fault = "", ""
            try:
                said = judge(choose, case, meter)
            except Exception:
                fault = traceback.format_exc()
                shutil.copytree(case, folder / f"found-{number}", dirs_exist_ok=True)
            faulthandler.cancel_dump_traceback_later()
            line = [number, said, fault, meter.seconds, meter.growth]
            print(json.dumps(line), file=lines, flush=True)


# The process that watches -------------------------------------------------------------


class Watch:
    """What workers say of the cases of a seed.

    Arguments:
        folder: with what cases are made from.
        seed: of the cases.
        counted: the option that says how many.
    """

    def __init__(self, folder: Path, seed: int, counted: str = "count") -> None:
        self.folder = folder
        self.seed = seed
        self.counted = counted
        self.said = Counter[str]()
        self.found = Counter[str]()
        self.dearest = Meter()

    def run(self, first: int, last: int, seconds: float) -> None:
        """Have cases judged until the time or the numbers are up."""
        end = time.monotonic() + seconds
        number = first
        while number < last and (left := end - time.monotonic()) > 0:
            until = min(last, number + CASES_A_WORKER)
            following = self._one_worker(number, until, left)
            if following == number:  # it had no time for a case
                return
            number = following

    def _one_worker(self, first: int, last: int, seconds: float) -> int:
        """The number that comes after those which one worker has judged."""
        numbers = {"seed": self.seed, "case": first, "seconds": seconds}
        numbers |= {self.counted: last}
        until = time.monotonic() + seconds
        options = [f"--{name}={value}" for name, value in numbers.items()]
        python = [sys.executable, *(["-S"] if sys.flags.no_site else [])]
        command = [*python, sys.argv[0], f"--work={self.folder}", *options]
        with (
            (self.folder / "stderr").open("w+") as errors,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | ONE_THREAD,
                start_new_session=True,  # Ctrl-C is for the one who counts
            ) as worker,
        ):
            assert worker.stdout is not None
            try:
                started = worker.stdout.readline().strip() == READY
                number = self._listen(worker.stdout, first)
            except KeyboardInterrupt:
                worker.kill()
                raise
            finished = number == last or time.monotonic() >= until
            if not worker.wait() and finished:
                return number
            errors.seek(0)
            end = f"{errors.read()[-4000:]}the worker ended with {worker.returncode}"
        if not started:
            sys.exit(end)
        shutil.copytree(self.folder / "case", self.folder / f"found-{number}")
        self._tell(number, end)
        return number + 1

    def _listen(self, lines: Iterable[str], number: int) -> int:
        """Count what a worker says; the number after the last case that it judged."""
        for line in lines:
            at, words, fault, seconds, growth = json.loads(line)
            number = at + 1
            self.dearest.seconds = max(self.dearest.seconds, seconds)
            self.dearest.growth = max(self.dearest.growth, growth)
            if fault:
                self._tell(at, fault)
            else:
                self.said[words] += 1
        return number

    def _tell(self, number: int, fault: str) -> None:
        """Print what was found, if it is the first of its kind."""
        kind = kind_of(fault)
        self.found[kind] += 1
        if self.found[kind] == 1:
            again = f"--seed {self.seed} --case {number}"
            if self.counted != "count":
                again = f"--{self.counted} 1 {again}"
            print(f"\ncase {number}, kept in found-{number}:\n{fault}")
            print(f"again: python {sys.argv[0]} {again}", flush=True)

    def report(self, seconds: float) -> None:
        """Print the counts; of what was said after a colon, how many ways."""
        for beginning, count in Counter(begun(self.said)).most_common():
            ways = sum(words.startswith(f"{beginning}:") for words in self.said)
            print(f"{count:9,}  {beginning}" + (f", {ways} rules" if ways else ""))
        for kind, count in self.found.most_common():
            print(f"{count:9,}  FOUND {kind}")
        total, found = self.said.total(), self.found.total()
        print(f"{total + found:9,}  cases in {seconds:.0f} s, {found} findings")
        if self.dearest.seconds:
            print(
                f"reading took {self.dearest.seconds:.3f} s of the processor at most, "
                f"and {max(0, self.dearest.growth) / 2**20:.1f} MiB beside the file"
            )


def kind_of(fault: str) -> str:
    """Where it came up, and the kind of error: the same for the same mistake."""
    lines = fault.strip().splitlines()
    places = [line.strip() for line in lines if line.strip().startswith("File ")]
    return f"{lines[-1][:60]} {places[-1] if places else ''}"


def begun(said: Counter[str]) -> Iterator[str]:
    """What stands before a colon in all that was said."""
    for words, count in said.items():
        yield from repeat(words.partition(":")[0], count)
