"""The floor: what this machine's arithmetic and memory allow, and no program beats.

A step's products at the measured peak of float32, plus the bytes that have to come
from beyond a core's L2 cache at the measured bandwidth. Data and parameters that fit
into L2 cost nothing here; neither do activations, nor calls of exp.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tasks import Task

UPDATE = 14  # operations on a parameter in Adam, as its paper has it
L2_WITHOUT_SYSFS = 1 << 20
REPEATS = 30


@dataclass(frozen=True)
class Machine:
    """Measured limits.

    Arguments:
        peak: float32 operations a second, by number of threads.
        bandwidth: bytes a second, by number of threads.
        cache: bytes of a core's L2.
    """

    peak: dict[int, float]
    bandwidth: dict[int, float]
    cache: int


def measure() -> Machine:
    """Peak and bandwidth, on one thread and on all; in a process of its own."""
    counts = sorted({1, cpus()})
    cache = cache_bytes()
    return Machine(
        {n: peak(n) for n in counts}, {n: bandwidth(n, cache) for n in counts}, cache
    )


def best_of(a: Machine, b: Machine) -> Machine:
    """The higher limits of two measurements: what else runs only ever lowers them."""
    return Machine(
        {n: max(a.peak[n], b.peak[n]) for n in a.peak},
        {n: max(a.bandwidth[n], b.bandwidth[n]) for n in a.bandwidth},
        a.cache,
    )


def cpus() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_bytes() -> int:
    """The size of a core's L2 cache."""
    path = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
    try:
        return int(path.read_text().strip().removesuffix("K")) << 10
    except (OSError, ValueError):
        return L2_WITHOUT_SYSFS


def best(call: Any) -> float:
    """The fewest seconds of several calls."""
    seconds: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def peak(threads: int) -> float:
    """Operations a second of the best large product, NumPy's or PyTorch's."""
    return max(
        2 * size**3 / best(product)
        for size in (512, 1024)
        for product in products(size, threads)
    )


def products(size: int, threads: int) -> list[Any]:
    """A product of square float32 matrices, by each library that is here."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    a, b, out = (np.ones((size, size), np.float32) for _ in range(3))

    def by_numpy() -> None:
        with threadpool_limits(threads):
            np.matmul(a, b, out=out)

    try:
        import torch
    except ImportError:
        return [by_numpy]
    torch.set_num_threads(threads)
    tensors = [torch.from_numpy(each) for each in (a, b, out)]
    return [by_numpy, lambda: torch.mm(tensors[0], tensors[1], out=tensors[2])]


def bandwidth(threads: int, cache: int) -> float:
    """Bytes a second of a + b → c on arrays of four times L2, in a thread a core."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    count = 4 * cache // 4
    sets = [[np.ones(count, np.float32) for _ in range(3)] for _ in range(threads)]

    def add(arrays: list[Any]) -> None:
        a, b, c = arrays
        np.add(a, b, out=c)

    with ThreadPoolExecutor(threads) as pool:
        seconds = best(lambda: list(pool.map(add, sets)))
    return threads * 3 * 4 * count / seconds


# The floor of a task ------------------------------------------------------------------


def operations(task: Task) -> int:
    """Of a step, or of a call of predict."""
    products = task.network.products
    forward = 2 * task.batch_size * sum(products)
    if task.kind == "predict":
        return forward
    # Each product again for the weights' gradient and, but in the first layer, for
    # the inputs'.
    backward = 2 * forward - 2 * task.batch_size * products[0]
    return forward + backward + UPDATE * task.network.parameters


def moved_bytes(task: Task, cache: int) -> int:
    """Of a step, from beyond L2: its rows; the optimizer's block, read and written."""
    features = math.prod(task.network.shape)
    data = 4 * task.rows * features
    rows = 4 * task.batch_size * features if data > cache else 0
    if task.kind == "predict":
        return rows
    block = 3 * 4 * task.network.parameters
    return rows + (2 * block if block > cache else 0)


def floor_seconds(task: Task, machine: Machine, cores: float) -> float:
    """The floor of a step (a call), on as many threads as were busy."""
    threads = min(machine.peak, key=lambda n: abs(n - cores))
    arithmetic = operations(task) / machine.peak[threads]
    return arithmetic + moved_bytes(task, machine.cache) / machine.bandwidth[threads]
