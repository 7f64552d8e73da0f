"""Limits of memory in steps: each call ends in a MemoryError or works, and so does the
next one without a limit.

`reliability.py memory` runs all of it; a test runs a few steps. Each step is a process,
since one that ends is what is looked for::

    python scripts/memory_ladder.py train 500       # one step, where table.csv is
    python scripts/memory_ladder.py 1 train save    # three steps of each, with a seed
"""

from __future__ import annotations

import errno
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import thalweg as tw

MIB = 2**20
MOST = 1280
"""MiB beyond what a process has, at which every call works."""

LEAST_COMMAND, MOST_COMMAND = 280, 1664
"""MiB of a command in all: from where Python loads NumPy to where all of them work."""

WORDS = "there isn't enough memory"
SECONDS = 600  # a step that takes longer hangs


# What is called -----------------------------------------------------------------------


def rows() -> tuple[Any, Any]:
    """Noise with a rule in it."""
    X = np.random.default_rng(0).normal(size=(20_000, 50)).astype(np.float32)
    return X, X[:, 0]


def network(units: int, columns: int = 50) -> tw.Network:
    """One whose arrays take more than small things do."""
    layers = [tw.Dense(units, "relu"), tw.Dense(units, "relu"), tw.Dense(1)]
    return tw.Network(layers).initialize(columns)


def fit() -> Callable[[], Any]:
    """A network learns."""
    X, y = rows()
    layers = [tw.Dense(512, "relu"), tw.Dense(1)]
    return lambda: tw.Network(layers).fit(X, y, epochs=1, batch_size=256)


def predict() -> Callable[[], Any]:
    """A network predicts."""
    (X, _), large = rows(), network(1024)
    return lambda: large.predict(X)


def load() -> Callable[[], Any]:
    """A network is loaded."""
    network(2000, 2000).save("large.thalweg")
    return lambda: tw.load("large.thalweg")


def save() -> Callable[[], Any]:
    """A network is saved."""
    large = network(2000, 2000)
    return lambda: large.save("saved.thalweg")


def export() -> Callable[[], Any]:
    """A network becomes a file of Python."""
    large = network(500, 500)
    return lambda: tw.export(large, "large.py")


def estimator() -> Callable[[], Any]:
    """An estimator learns; it needs scikit-learn."""
    X, y = rows()
    return lambda: tw.NetworkRegressor(epochs=1).fit(X, y)


def train() -> Callable[[], Any]:
    """A table is read and learned from, with nothing loaded before."""
    return lambda: tw.train("table.csv", "price", epochs=1)


def train_again() -> Callable[[], Any]:
    """The same with all loaded."""
    call = train()
    call()
    return call


def train_parquet() -> Callable[[], Any]:
    """The same from Parquet."""
    import polars as pl

    pl.read_csv("table.csv").write_parquet("table.parquet")
    return lambda: tw.train("table.parquet", "price", epochs=1)


def evaluate() -> Callable[[], Any]:
    """A table's model is loaded, and tested."""
    tw.train("table.csv", "price", epochs=1).model.save("table.thalweg")
    return lambda: tw.load("table.thalweg").evaluate("table.csv")


def predict_table() -> Callable[[], Any]:
    """A table's model predicts in parts."""
    model = tw.train("table.csv", "price", epochs=1).model
    return lambda: list(model.predict_batches("table.csv"))


CALLS: dict[str, Callable[[], Callable[[], Any]]] = {
    each.__name__: each
    for each in (
        *(fit, predict, load, save, export, estimator),
        *(train, train_again, train_parquet, evaluate, predict_table),
    )
}

COMMANDS = {
    "inspect": "inspect table.csv",
    "train": "train table.csv --target price --epochs 1 -o other.thalweg",
    "predict": "predict table.thalweg table.csv -o out.parquet",
    "evaluate": "evaluate table.thalweg table.csv",
    "explain": "explain table.thalweg",
    "export": "export table.thalweg --to python -o table.py",
    "report": "report table.thalweg --data table.csv -o page.html",
    "tune": "tune table.csv --target price --trials 2 --epochs 1 -o other.thalweg",
}


# A step -------------------------------------------------------------------------------


def child(name: str, more: int) -> None:
    """One call under a limit of so many MiB more than there are, and one without."""
    import resource

    call = CALLS[name]()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more * MIB
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        call()
        said = "worked"
    except MemoryError:
        said = "MemoryError"
    except OSError as error:  # as Python has it where it imports
        if error.errno != errno.ENOMEM:
            raise
        said = "MemoryError"
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    call()
    print(said)


def step(name: str, more: int, folder: Path) -> str:
    """What a call said; the process must not end otherwise."""
    done = run([sys.executable, __file__, name, str(more)], folder)
    if done.returncode:
        sys.exit(f"{name} with {more} MiB more: {ending(done)}")
    return done.stdout.split()[-1]


def command_step(name: str, mebibytes: int, folder: Path) -> str:
    """What a command said; it must not end otherwise."""
    limited = f'ulimit -v {mebibytes * 1024}; exec "$@"'
    words = [sys.executable, "-m", "thalweg", *COMMANDS[name].split()]
    done = run(["bash", "-c", limited, "bash", *words], folder)
    if done.returncode == 1 and WORDS in done.stderr:
        return "MemoryError"
    if done.returncode:
        sys.exit(f"thalweg {name} in {mebibytes} MiB: {ending(done)}")
    return "worked"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A process in a folder."""
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS
    )


def ending(done: subprocess.CompletedProcess[str]) -> str:
    """How a process ended, and its last words."""
    return f"status {done.returncode}: {' '.join(done.stderr.splitlines()[-3:])}"


# All of them --------------------------------------------------------------------------


def write_samples(folder: Path) -> None:
    """A table, and a model of it."""
    generator = np.random.default_rng(1)
    lines = ["size,age,kind,price"]
    for size, age in generator.normal(size=(3000, 2)):
        kind = "abc"[int(abs(size * 10)) % 3]
        lines.append(f"{size:.3f},{age:.2f},{kind},{size * 2 + age:.3f}")
    table = folder / "table.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    tw.train(table, "price", epochs=1).model.save(folder / "table.thalweg")


def steps(count: int, least: int, most: int, seed: int) -> list[int]:
    """The least and the most, and numbers between, each as far in its part."""
    far = random.Random(seed).random()
    width = (most - least) / max(count - 2, 1)
    between = [int(least + (at + far) * width) for at in range(count - 2)]
    return [least, *between, most]


def check(count: int, seed: int, names: Sequence[str] = ()) -> None:
    """So many steps of each call and each command, or of those named."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_samples(folder)
        for name in CALLS:
            if not names or name in names:
                told = [step(name, m, folder) for m in steps(count, 0, MOST, seed)]
                tell(name, told)
        for name in COMMANDS:
            if not names or f"thalweg {name}" in names:
                limits = steps(count, LEAST_COMMAND, MOST_COMMAND, seed)
                told = [command_step(name, m, folder) for m in limits]
                tell(f"thalweg {name}", told)


def tell(name: str, told: list[str]) -> None:
    """Say how often what was said."""
    counts = ", ".join(f"{number} {what}" for what, number in Counter(told).items())
    print(f"{name}: {counts}", flush=True)
    if told[-1] != "worked":
        sys.exit(f"{name} must work where there is enough memory")


def main() -> None:
    """One step, or a few."""
    if sys.argv[1].isdecimal():
        check(3, int(sys.argv[1]), sys.argv[2:])
    else:
        child(sys.argv[1], int(sys.argv[2]))


if __name__ == "__main__":
    main()
