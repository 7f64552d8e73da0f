"""Checks that a run survives: kills, failing writes, full disks, little memory, forks,
signals.

Each check compares the digest of weights, layers' state, optimizer, counters and
history with that of a run which was never disturbed; `memory` asks that each call ends
in a MemoryError or works. It prints what it did, and ends with an error at the first
difference::

    python scripts/reliability.py kills --count 200
    python scripts/reliability.py operations
    python scripts/reliability.py failures
    python scripts/reliability.py disk
    python scripts/reliability.py forks --count 100
    python scripts/reliability.py terminations --count 20
    python scripts/reliability.py memory --count 12
    python scripts/reliability.py hangups --count 20
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import memory_ladder
import numpy as np

import thalweg as tw
from thalweg.checkpoints.store import POINTER
from thalweg.errors import FileError

OPERATIONS = ("open", "write", "fsync", "replace", "unlink", "close", "mkdir", "stat")
FAILING = ("open", "write", "fsync", "replace", "unlink", "mkdir")
CODES = (errno.ENOSPC, errno.EIO)
OFTEN = 1e-9  # minutes: a checkpoint wherever one can be


def rows(count: int) -> tuple[Any, Any]:
    """Noise with a rule in it, the same every time."""
    generator = np.random.default_rng(7)
    X = generator.normal(size=(count, 6))
    return X, (X[:, 0] + 0.5 * X[:, 1] * X[:, 2] > 0).astype(int)


def network(units: int) -> tw.Network:
    """With random draws, batch statistics and two hidden layers."""
    return tw.Network(
        [
            *(tw.Dense(units, "tanh"), tw.Dropout(0.2), tw.BatchNorm()),
            *(tw.Dense(units, "silu"), tw.Dense(2, "softmax")),
        ]
    )


def digest(trained: tw.Network) -> str:
    """Of all that a run leaves; how long it took is left out."""
    content = hashlib.sha256()
    state = trained.optimizer_state
    assert state is not None
    for arrays in (trained.parameters, trained.state, state.slots):
        for name, array in arrays.items():
            content.update(name.encode() + array.tobytes())
    history = trained.history.to_dict()
    for record in history["epochs"]:
        del record["seconds"]
    content.update(repr((state.steps, state.epochs, history)).encode())
    return content.hexdigest()


def train(
    folder: Path | None, size: int, epochs: int, threads: int = 1, **options: Any
) -> str:
    """Train, or go on where the folder says so; the digest of what came of it."""
    X, y = rows(size)
    if folder is not None and (folder / POINTER).exists():
        resumed = tw.resume(folder, X, y, threads=threads, **options)
        assert isinstance(resumed, tw.Network)
        return digest(resumed)
    trained = network(32)
    trained.fit(
        X,
        y,
        epochs=epochs,
        batch_size=16,
        early_stopping=tw.EarlyStopping(patience=epochs),
        threads=threads,
        checkpoint=None if folder is None else tw.Checkpoint(folder, 1, OFTEN),
        **options,
    )
    return digest(trained)


def require_same(found: str, wanted: str, what: str) -> None:
    """The digests are the same."""
    if found != wanted:
        sys.exit(f"{what}: the digest is {found}, that of the whole run {wanted}")


# Kills at random ----------------------------------------------------------------------

LARGE, LONG = 4000, 12


def child(folder: str, threads: str) -> None:
    """A process to be killed: it says when it starts, and what came of it."""

    def started(*_: Any) -> None:
        print("ready", flush=True)

    class Telling(tw.Callback):
        on_start = started

    found = train(Path(folder), LARGE, LONG, int(threads), callbacks=[Telling()])
    print(found, flush=True)


def start_child(folder: Path, threads: int) -> subprocess.Popen[str]:
    """One that has begun to train; without `site` if this process is."""
    python = [sys.executable, *(["-S"] if sys.flags.no_site else [])]
    command = [*python, __file__, "child", str(folder), str(threads)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def disturb(count: int, seed: int, number: signal.Signals, statuses: set[int]) -> None:
    """Send a signal to children at random moments until that has happened often."""
    choose, wanted = random.Random(seed), train(None, LARGE, LONG)
    with tempfile.TemporaryDirectory() as place:
        process, began = start_child(Path(place) / "whole", 2), time.monotonic()
        process.communicate()
    longest, done, whole = time.monotonic() - began, 0, 0
    while done < count:
        with tempfile.TemporaryDirectory() as place:
            folder, finished = Path(place) / "run", ""
            while not finished:
                process = start_child(folder, choose.choice((1, 2, 3)))
                try:
                    wait = choose.uniform(0, longest) if done < count else None
                    finished = process.communicate(timeout=wait)[0].strip()
                except subprocess.TimeoutExpired:
                    process.send_signal(number)
                    finished = process.communicate()[0].strip()
                    done += process.returncode in statuses
                # A signal can come before the run watches for it, or after.
                if process.returncode not in {0, -number, *statuses}:
                    sys.exit(f"a child ended with {process.returncode}")
            require_same(finished, wanted, f"after {done} signals")
            whole += 1
    print(f"{done} times {number.name}, {whole} runs ended with the same digest")


def kills(count: int, seed: int) -> None:
    """Kill at random moments, and resume on another number of threads."""
    disturb(count, seed, signal.SIGKILL, {-signal.SIGKILL})


def terminations(count: int, seed: int) -> None:
    """SIGTERM at random moments; the exit status is 143."""
    disturb(count, seed, signal.SIGTERM, {143})


def hangups(count: int, seed: int) -> None:
    """SIGHUP at random moments, as of a terminal that is closed; the status is 129."""
    disturb(count, seed, signal.SIGHUP, {129})


# Every operation ----------------------------------------------------------------------

SMALL, SHORT = 40, 3


def at_call(number: int, action: Callable[[], None], names: tuple[str, ...]) -> Any:
    """Replace functions of `os`, so that the call of that number does something."""
    left = number
    originals = {name: getattr(os, name) for name in names}

    def replaced(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **keywords: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                action()
            return function(*arguments, **keywords)

        return wrapped

    for name, function in originals.items():
        setattr(os, name, replaced(function))

    def undo() -> int:
        for name, function in originals.items():
            setattr(os, name, function)
        return left

    return undo


def operations(count: int, seed: int) -> None:
    """Die at every operation of every checkpoint in turn, and resume."""
    wanted, call, deaths = train(None, SMALL, SHORT), 0, 0
    with tempfile.TemporaryDirectory() as place:
        while True:
            call += 1
            folder = Path(place) / f"{call}"
            if not (process := os.fork()):
                at_call(call, lambda: os.kill(os.getpid(), 9), OPERATIONS)
                train(folder, SMALL, SHORT)
                os._exit(0)
            if os.waitpid(process, 0)[1] == 0:
                break
            deaths += 1
            require_same(train(folder, SMALL, SHORT), wanted, f"died at call {call}")
            require_tidy(folder)
            shutil.rmtree(folder)
    print(f"died at each of {deaths} operations, every run ended with the same digest")


def require_tidy(folder: Path) -> None:
    """Nothing is left that doesn't count."""
    names = sorted(path.name for path in folder.iterdir())
    # That of a run which died before any counted is of no run that goes on.
    tidy = [name for name in names if name != "step-0.thalweg"]
    if len(tidy) != 3 or POINTER not in tidy:
        sys.exit(f"there should be two checkpoints and a pointer, there are {names}")


def failures(count: int, seed: int) -> None:
    """Every write, flush and rename fails in turn: training goes on and is right."""
    wanted, said = train(None, SMALL, SHORT), Counter[str]()
    with tempfile.TemporaryDirectory() as place:
        for code in CODES:
            call = 0
            while fail_once(Path(place), call := call + 1, code, wanted, said):
                pass
    words = ", ".join(f"{number} {what}" for what, number in said.items())
    print(f"{said.total()} failures: {words}; every run ended with the same digest")


def fail_once(
    place: Path, call: int, code: int, wanted: str, said: Counter[str]
) -> bool:
    """One run with a call that fails; False when there are no more calls."""
    folder = place / f"{code}-{call}"

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    undo = at_call(call, fail, FAILING)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", tw.CheckpointWarning)
            found = train(folder, SMALL, SHORT)
        what = "warnings" if caught else "passed over"
    except FileError:
        found, what = wanted, "errors before training"
    left = undo()
    if left > 0:
        return False
    said[what] += 1
    require_same(found, wanted, f"call {call} failed with {os.strerror(code)}")
    require_same(train(folder, SMALL, SHORT), wanted, f"resumed after call {call}")
    shutil.rmtree(folder)
    return True


def disk(count: int, seed: int) -> None:
    """A disk of 256 KiB that is full for a while; it takes the right to mount one."""
    wanted = train(None, SMALL, SHORT)
    with tempfile.TemporaryDirectory() as place:
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place]
        if subprocess.run(mount, check=False).returncode:
            sys.exit("a disk can't be mounted here")
        try:
            folder, filler = Path(place) / "run", Path(place) / "filler"

            def fill(record: tw.EpochRecord) -> None:
                if record.epoch == 1:
                    with filler.open("wb", buffering=0) as file, suppress(OSError):
                        while True:
                            file.write(bytes(512))

            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", tw.CheckpointWarning)
                found = train(folder, SMALL, SHORT, callback=fill)
            if not caught:
                sys.exit("the disk wasn't full")
            filler.unlink()
            require_same(found, wanted, "with a full disk")
            resumed = train(folder, SMALL, SHORT)
            require_same(resumed, wanted, "resumed when there was room again")
        finally:
            subprocess.run(["umount", place], check=True)
    print(f"a full disk: {len(caught)} warnings, then resumed to the same digest")


# Forks --------------------------------------------------------------------------------


def forks(count: int, seed: int) -> None:
    """Children that are forked after training train to the same digest."""
    wanted = train(None, 1000, SHORT, threads=2)
    for number in range(count):
        if not (process := os.fork()):
            os._exit(train(None, 1000, SHORT, threads=2) != wanted)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status:
            sys.exit(f"child {number} ended with {status}")
    print(f"{count} forked children trained to the same digest")


# Memory -------------------------------------------------------------------------------


def memory(count: int, seed: int) -> None:
    """Limits of memory, so many for each call and each command."""
    memory_ladder.check(count, seed)


CHECKS: dict[str, Callable[[int, int], None]] = {
    each.__name__: each
    for each in (
        *(kills, operations, failures, disk, forks, terminations, hangups),
        memory,
    )
}


def main() -> None:
    """Read the command line, and check."""
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    CHECKS[options.check](options.count, options.seed)


if __name__ == "__main__":
    main()
