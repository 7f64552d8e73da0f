"""What a step of training adds to memory, beside the bytes of its activations.

python -m benchmarks.memory

Activations are the outputs of all layers for a batch in float32, each once. What a step
adds is the highest resident memory while a few steps run, less what was resident before
the network was made, in a process of its own that has run a small network first: so
parameters, the optimizer's state and whatever a framework keeps are in it. Linux alone
says both.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender, contenders
from benchmarks.layers import Flatten, Network, output_shape
from benchmarks.tasks import TASKS, Task

OF = ("lenet_256", "keras_mnist", "ford_a")
LIMIT = 1.5
AMONG = ("thalweg", "PyTorch eager, 1 thread", "JAX jit, no Eigen threads")
STEPS = 3
STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Measure each task and contender, and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--one", nargs=2, metavar=("TASK", "CONTENDER"))
    one = parser.parse_args().one
    if one is not None:
        print(added(TASKS[one[0]], chosen(one[1])))
        return
    for name in OF:
        task = TASKS[name]
        own = activations(task.network) * task.batch_size
        print(f"{name}: {task.title}, activations {own / 1e6:.1f} MB")
        for contender in AMONG:
            if not chosen(contender).missing:
                ratio = in_a_process(name, contender) / own
                print(
                    f"  {contender:28}{ratio:6.2f} of them{verdict(contender, ratio)}"
                )


def verdict(contender: str, ratio: float) -> str:
    """Whether thalweg keeps to what it should."""
    if contender != AMONG[0]:
        return ""
    return f", at most {LIMIT}: {'met' if ratio <= LIMIT else 'NOT met'}"


def activations(network: Network) -> int:
    """Bytes of what all layers give for a row; flattened, it's the same array."""
    arrays = (each for each in network.walked if not isinstance(each[0], Flatten))
    return 4 * sum(math.prod(output_shape(*each)) for each in arrays)


def chosen(name: str) -> Contender:
    """The contender of a name."""
    return next(each for each in contenders() if each.name == name)


def in_a_process(task: str, contender: str) -> int:
    """Bytes."""
    command = [sys.executable, "-m", "benchmarks.memory", "--one", task, contender]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **chosen(contender).environment},
    )
    return json.loads(done.stdout.splitlines()[-1])


def added(task: Task, contender: Contender) -> int:
    """Bytes that some steps of a task add, after some of a small batch."""
    small = steps_of(dataclasses.replace(task, rows=2, batch_size=2), contender)
    run = steps_of(dataclasses.replace(task, rows=task.batch_size), contender)
    small()
    before = resident("VmRSS")
    REFERENCES.write_text("5")  # the highest so far is now what is resident
    run()
    return resident("VmHWM") - before


def steps_of(task: Task, contender: Contender) -> Any:
    """What builds a network and trains it for some steps, on rows that are there."""
    module = importlib.import_module(f"benchmarks.contenders.{contender.module}")
    work = task.work()

    def run() -> None:
        ways = module.ways("train", work, contender.options)
        next(iter(ways.values()))().run(STEPS, 0)

    return run


def resident(field: str) -> int:
    """Bytes, of the process' status."""
    line = next(line for line in STATUS.open() if line.startswith(f"{field}:"))
    return int(line.split()[1]) << 10


if __name__ == "__main__":
    main()
