"""How long MNIST takes until 98% and 99% of the test images are told right.

python -m benchmarks.image_accuracy FOLDER

FOLDER holds MNIST's four .gz files. Each seed has a process of its own on one core; the
time is the processor's since that process started, so Python, imports and reading
count, and the test images' prediction after every epoch doesn't. Early stopping is on.
The network is LeNet-5 with one dense layer instead of two; its learning rate falls to 0
along a cosine, so that four epochs are enough.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

SHARES = {0.98: 3.0, 0.99: 8.0}  # of the test images, and the seconds to reach it in


def main() -> None:
    """Run all seeds, and print what each took and the medians."""
    arguments = parse()
    if arguments.seed is not None:
        print(json.dumps(run(arguments.folder, arguments.seed, arguments.epochs)))
        return
    runs = [in_a_process(arguments, seed) for seed in range(arguments.seeds)]
    for number, found in enumerate(runs):
        reached = ", ".join(
            f"{float(share):.0%} after {seconds:.1f} s"
            for share, seconds in found["reached"].items()
        )
        print(
            f"seed {number}: {reached or 'neither share'}; stopped after "
            f"{found['epochs']} epochs and {found['seconds']:.1f} s with "
            f"{found['accuracy']:.2%}"
        )
    for share, limit in SHARES.items():
        print(verdict(share, limit, [run["reached"].get(str(share)) for run in runs]))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--epochs", type=int, default=4, help="at most")
    parser.add_argument("--seed", type=int, help="one alone, in this process")
    return parser.parse_args()


def in_a_process(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """What a seed gives."""
    folder, epochs = str(arguments.folder), str(arguments.epochs)
    command = [sys.executable, "-m", "benchmarks.image_accuracy", folder]
    options = ["--seed", str(seed), "--epochs", epochs]
    done = subprocess.run(
        [*command, *options], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


def verdict(share: float, limit: float, seconds: list[float | None]) -> str:
    """The median, where more than half have reached the share."""
    times = sorted(float("inf") if each is None else each for each in seconds)
    found = median(times)
    if found == float("inf"):
        return f"{share:.0%}: not reached by half of the seeds"
    met = "met" if found <= limit else "NOT met"
    return f"{share:.0%}: median {found:.1f} s, at most {limit:g} s: {met}"


def run(folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """A network as small as LeNet-5, trained until it stops by itself."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import numpy as np

    import thalweg as tw
    from thalweg.images import read_images

    data = read_images(folder)
    assert data.test is not None
    test = data.test
    network = tw.Network(
        [
            tw.Rescale(1 / 255),
            tw.Conv(8, 5, activation="relu"),
            tw.MaxPool(2),
            tw.Conv(16, 5, activation="relu"),
            tw.MaxPool(2),
            tw.Flatten(),
            tw.Dense(64, "relu"),
            tw.Dense(10, "softmax"),
        ]
    )
    asides = [0.0]
    reached: dict[str, float] = {}

    def digits(of: Any) -> Any:
        return np.asarray(of, int)

    def accuracy() -> float:
        chosen = network.predict(test.pixels).argmax(axis=1)
        return float(np.mean(chosen == digits(test.targets)))

    def look(_: object) -> None:
        started = time.process_time()
        found = accuracy()
        for share in SHARES:
            if found >= share:
                reached.setdefault(str(share), started - asides[0])
        asides[0] += time.process_time() - started

    network.fit(
        data.training.pixels,
        digits(data.training.targets),
        batch_size=32,
        optimizer=tw.Adam(tw.CosineWithWarmup(0.005, warmup=0.05)),
        seed=seed,
        epochs=epochs,
        callback=look,
        threads=1,
    )
    seconds = time.process_time() - asides[0]
    assert network.history is not None
    return {
        "reached": reached,
        "epochs": len(network.history.training_loss),
        "seconds": seconds,
        "accuracy": accuracy(),
    }


if __name__ == "__main__":
    main()
