"""Search for the accepted model file that takes most for its size.

    python scripts/worst_model_file.py --seconds 300 --seed 1

Files are crafted: long chains of instructions, values that many others read, many
parameters, wide broadcasts, deep networks, long histories, many columns, categories,
classes, arrays, and much JSON. Each is loaded, and predicts a few rows, in a process of
its own, which says how much of the processor's time and of memory that took. The sizes
of those that came nearest to what is promised are changed, and tried again. It prints
the worst of each kind; the exit status is 1 if one took more than is promised.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from crafted_models import KINDS, Sizes
from fuzzing import (
    CLEAR,
    MEMORY_A_BYTE,
    MOST_MEMORY,
    MOST_SECONDS,
    ONE_THREAD,
    SECONDS_A_BYTE,
    BrokenPromiseError,
    memory,
)

FEW = 3  # rows to predict
MOST_FOR_FEW = 256 * 2**20
MOST_OF_A_FILE = 24 * 2**20  # larger ones take long to write
READY = "ready"

Data = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What came of a file.

    Arguments:
        kind, sizes: of what was crafted.
        size: of the file.
        said: by whoever refused it, or "".
        seconds, growth: what loading took.
        predicting: the memory that predicting took.
        own: the bytes of the network's own arrays.
    """

    kind: str
    sizes: Sizes
    size: int
    said: str = ""
    seconds: float = 0.0
    growth: int = 0
    predicting: int = 0
    own: int = 0

    @property
    def shares(self) -> dict[str, float]:
        """How much of what is promised it took, of each."""
        if self.said:
            return {"time": 0.0, "memory": 0.0, "prediction": 0.0}
        return {
            "time": self.seconds / (MOST_SECONDS + SECONDS_A_BYTE * self.size),
            "memory": self.growth / (MOST_MEMORY + MEMORY_A_BYTE * self.size),
            "prediction": self.predicting / max(MOST_FOR_FEW, self.own),
        }

    @property
    def worst(self) -> float:
        """The largest share."""
        return max(self.shares.values())

    def __str__(self) -> str:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.shares.items())
        sizes = " ".join(f"{name}={size}" for name, size in self.sizes.items())
        return (
            f"{self.kind} {sizes}: {self.size / 1e6:.2f} MB, {self.seconds:.2f} s, "
            f"{self.growth / 2**20:.0f} MiB, predicting {self.predicting / 2**20:.0f} "
            f"MiB: {shares}{' REFUSED ' + self.said if self.said else ''}"
        )


# The process that measures ------------------------------------------------------------


def work() -> None:
    """Load and use the files that are named line by line, and say what it took."""
    import thalweg as tw

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.thalweg"
        for kind in ("deep", "columns"):  # what is imported late is imported
            write(kind, dict.fromkeys(KINDS[kind].first, 1), path)
            assert "said" not in measured(tw, str(path))
    print(READY, flush=True)
    for line in sys.stdin:
        print(json.dumps(measured(tw, line.strip())), flush=True)


def measured(tw: Any, path: str) -> Data:
    """What loading a file and predicting a few rows take."""
    from thalweg.errors import ModelFileError

    before, began = memory(anew=True), time.process_time()
    try:
        loaded = tw.load(path)
    except ModelFileError as error:
        seconds, growth = time.process_time() - began, memory() - before
        said = str(error).removeprefix(f"{path}: ")[:200]
        return {"said": said, "seconds": seconds, "growth": growth}
    found: Data = {"seconds": time.process_time() - began, "growth": memory() - before}
    network = getattr(loaded, "network", loaded)
    X = np.ones((FEW, *network.shapes.outputs[0]), network.dtype)
    before = memory(anew=True)
    with suppress(tw.ThalwegError):
        network.predict(X)
    found["predicting"] = memory() - before
    found["own"] = sum(a.nbytes for a in network.memory.buffers().values())
    return found


@contextmanager
def measuring() -> Iterator[Callable[[str], Data]]:
    """A process that measures."""
    with subprocess.Popen(
        [sys.executable, __file__, "--work"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ONE_THREAD,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, said = process.stdin, process.stdout
        assert said.readline().strip() == READY

        def measure(path: str) -> Data:
            print(path, file=asked, flush=True)
            return json.loads(said.readline())

        yield measure
        asked.close()


# The search ---------------------------------------------------------------------------


class Search:
    """Files that were tried.

    Arguments:
        folder: for them.
        choose: what is tried next.
    """

    def __init__(self, folder: Path, choose: random.Random) -> None:
        self._folder, self._choose = folder, choose
        self.best: dict[tuple[str, str], Found] = {}
        self.tried = self.accepted = 0

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Try every kind, then go on from those that came nearest."""
        for kind in KINDS:
            found = self._try(kind, dict(KINDS[kind].first))
            if found is None or found.said:
                raise BrokenPromiseError(f"{kind}: must be accepted to begin with")
        while goes_on():
            kind, sizes = self._next()
            self._try(kind, sizes)

    def _next(self) -> tuple[str, Sizes]:
        """Other sizes of a kind, rather of one that came near."""
        every = [*self.best.values()]
        chosen = self._choose.choices(every, [0.05 + each.worst for each in every])[0]
        sizes = dict(chosen.sizes)
        name = self._choose.choice([*sizes])
        factor = self._choose.choice((0.25, 0.5, 0.7, 0.9, 0.99, 1.01, 1.1, 1.5, 2, 4))
        sizes[name] = max(0, round(sizes[name] * factor) + self._choose.choice((0, 1)))
        return chosen.kind, sizes

    def _try(self, kind: str, sizes: Sizes) -> Found | None:
        path = self._folder / f"{kind}.thalweg"
        if KINDS[kind].bytes_of(sizes) > MOST_OF_A_FILE or not write(kind, sizes, path):
            return None
        with measuring() as measure:  # a new one: what was freed would hide growth
            found = Found(kind, sizes, path.stat().st_size, **measure(str(path)))
        self.tried += 1
        self.accepted += not found.said
        for name, share in found.shares.items():
            before = self.best.get((kind, name))
            if before is None or share > before.shares[name]:
                self.best[kind, name] = found
        return found

    def report(self) -> list[Found]:
        """The worst of each kind, the worst of all last."""
        chosen = {
            (found.kind, *found.sizes.items()): found for found in self.best.values()
        }
        return sorted(chosen.values(), key=lambda found: found.worst)


def write(kind: str, sizes: Sizes, path: Path) -> bool:
    """Write what is crafted; False where no such file can be written."""
    from thalweg.errors import ThalwegError
    from thalweg.files.modelfile import write_model

    try:
        write_model(path, *KINDS[kind].craft(**sizes))
    except ThalwegError:
        return False
    return True


def main() -> None:
    """Read the command line, search, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--count", type=int, default=10**9, help="files to try")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work()
        return
    if not os.path.exists(CLEAR):
        sys.exit("only Linux says how much memory was taken since a moment")
    end = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        search = Search(Path(folder), random.Random(options.seed))
        search.run(
            lambda: time.monotonic() < end and search.tried < options.count,
        )
    worst = search.report()
    for found in worst:
        print(found)
    print(f"seed {options.seed}: {search.tried} files, {search.accepted} accepted")
    sys.exit(worst[-1].worst > 1)


if __name__ == "__main__":
    main()
