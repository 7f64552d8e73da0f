"""Lets every allocation of the engine fail in turn, and looks at what is left.

    python scripts/allocations.py                     every operation, up to the 1,000th
    python scripts/allocations.py fit predict         these
    python scripts/allocations.py --numpy load save   allocations of NumPy's arrays too

An operation is done in a forked child in which the n-th allocation fails, for every n
up to `--every`, then for a sample of `--sample` numbers up to the last. Survived: it
raises a MemoryError, or does without, and the same operation afterwards gives the same
bits. Needs Linux, glibc and the C++ compiler that CXX names, or c++, for the library
`tests/failing_allocations.cpp`.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

LIBRARY = Path(__file__).parents[1] / "tests" / "failing_allocations.cpp"
ENGINE = ("_engine.", "libstdc++.")
NUMPY = ("_multiarray_umath.",)
HANGS_AFTER = 120  # seconds
THREADS = 2
SURVIVED = ("MemoryError", "did without")

Operation = Callable[[], bytes]


def operations(folder: Path) -> dict[str, Operation]:
    """What is done, each giving bits that are the same every time."""
    import numpy as np

    import thalweg as tw

    X = np.random.default_rng(0).normal(size=(3000, 4)).astype(np.float32)
    saved = folder / "saved.thalweg"

    def network() -> tw.Network:
        layers = [tw.Dense(32, "tanh"), tw.Dropout(0.1), tw.Dense(1)]
        return tw.Network(layers).initialize(4)

    def bits(of: tw.Network) -> bytes:
        return b"".join(array.tobytes() for array in of.parameters.values())

    def loaded_network() -> tw.Network:
        loaded = tw.load(saved)
        assert isinstance(loaded, tw.Network)
        return loaded

    def fit() -> bytes:
        fitted = network()
        fitted.fit(X, X[:, 0], epochs=2, batch_size=1024, threads=THREADS)
        return bits(fitted)

    def predict() -> bytes:
        return network().predict(X, threads=THREADS).tobytes()

    def evaluate() -> bytes:
        return repr(trained.evaluate(X, X[:, 0], threads=THREADS)).encode()

    def load() -> bytes:
        loaded = loaded_network()
        return bits(loaded) + loaded.predict(X[:5]).tobytes()

    def save() -> bytes:
        trained.save(saved)
        return bits(loaded_network())

    def profile() -> bytes:
        trained.explain(profile=True)
        return bits(trained)

    trained = network()
    trained.fit(X, X[:, 0], epochs=1, batch_size=1024)
    trained.save(saved)
    made = (fit, predict, evaluate, load, save, profile)
    return {operation.__name__: operation for operation in made}


class Failing:
    """The library that lets allocations fail."""

    def __init__(self, objects: Iterable[str]) -> None:
        self._library = ctypes.CDLL(None)
        for part_of_name in objects:
            self._library.watch_allocations_of(part_of_name.encode())

    def count(self, operation: Operation) -> int:
        """How many allocations it asks for."""
        self._library.fail_allocation(ctypes.c_long(0))
        operation()
        return self._library.allocations_asked()

    def end(self, operation: Operation, number: int, expected: bytes) -> str:
        """How an operation ends whose allocation of this number fails."""
        self._library.fail_allocation(ctypes.c_long(number))
        try:
            operation()
            end = "did without"
        except MemoryError:
            end = "MemoryError"
        except BaseException as error:
            end = f"{type(error).__name__}: {error}"
        self._library.allocations_asked()
        return end if operation() == expected else f"{end}, then other bits"


def in_child(check: Callable[[], str]) -> str:
    """What it gives in a child, or how the child ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(HANGS_AFTER)
        try:
            os.write(writing, check().encode())
            os._exit(0)
        except BaseException as error:
            os.write(writing, f"then {type(error).__name__}: {error}".encode())
            os._exit(1)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said or f"ended with {status}"


def numbers(count: int, every: int, sample: int, seed: int) -> list[int]:
    """Every number up to some, then a sample up to the last."""
    rest = range(every + 1, count + 1)
    drawn = random.Random(seed).sample(rest, min(sample, len(rest)))
    return [*range(1, min(every, count) + 1), *sorted(drawn)]


def attack(options: argparse.Namespace) -> int:
    """The number of findings."""
    with tempfile.TemporaryDirectory() as folder:
        known = operations(Path(folder))
        failing = Failing([*ENGINE, *(NUMPY if options.numpy else ())])
        chosen = options.operations or list(known)
        return sum(judge(name, known[name], failing, options) for name in chosen)


def judge(
    name: str, operation: Operation, failing: Failing, options: argparse.Namespace
) -> int:
    """The number of findings of one operation, which are printed."""
    expected, count = operation(), failing.count(operation)
    ends = Counter[str]()
    for number in numbers(count, options.every, options.sample, options.seed):
        end = in_child(partial(failing.end, operation, number, expected))
        ends[end] += 1
        if end not in SURVIVED:
            print(f"{name}, allocation {number}: {end}", flush=True)
    print(f"{name}: {count} allocations; {dict(ends)}", flush=True)
    return sum(ends.values()) - sum(ends[end] for end in SURVIVED)


def main() -> int:
    """Compile the library, and begin again with it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("operations", nargs="*")
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--numpy", action="store_true")
    options = parser.parse_args()
    if "failing_allocations" in os.environ.get("LD_PRELOAD", ""):
        return min(attack(options), 1)
    compiler = os.environ.get("CXX") or shutil.which("c++") or "g++"
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "libfailing_allocations.so"
        flags = ["-std=c++20", "-O1", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, LIBRARY, "-o", library], check=True)
        environment = {**os.environ, "LD_PRELOAD": str(library)}
        return subprocess.run([sys.executable, *sys.argv], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
