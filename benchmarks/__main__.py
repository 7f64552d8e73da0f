"""A step of a small network, side by side: ``python -m benchmarks``.

All contenders take turns, round by round; figures are medians over the rounds, and
ratios are medians of the ratios within a round, so a machine that slows down in
between slows all alike. The losses of all epochs must agree.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.contenders import CONTENDERS, Run, make_work
from benchmarks.startup import startup

SIZES = (20, 64, 64, 2)
ROWS = 10_000
BATCH = 32
TOLERANCE = 2e-3  # relative, between float32 losses after some thousand steps


def main() -> None:
    """Run every contender, compare the losses, print and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    work = make_work(SIZES, ROWS, BATCH, arguments.epochs, seed=0)
    names = [n for n in CONTENDERS if "PyTorch" not in n or has_torch()]
    for name in names:  # a first run, not counted
        CONTENDERS[name](work)
    rounds = [{n: CONTENDERS[n](work) for n in names} for _ in range(arguments.rounds)]
    compare_losses(rounds[0])
    figures = {
        "network": "-".join(map(str, SIZES)),
        "batch_size": BATCH,
        "rows": ROWS,
        "rounds": arguments.rounds,
        "machine": platform.processor() or platform.machine(),
        "step": step_figures(rounds, work.steps),
        "losses": {n: rounds[0][n].losses for n in names},
        "startup": startup(),
    }
    show(figures)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(figures, indent=2) + "\n")


def has_torch() -> bool:
    """PyTorch is an extra of its own."""
    return importlib.util.find_spec("torch") is not None


def compare_losses(runs: dict[str, Run]) -> None:
    """All contenders must have trained the same network."""
    ours = np.array(runs["thalweg"].losses)
    for name, run in runs.items():
        if not np.allclose(run.losses, ours, rtol=TOLERANCE):
            raise SystemExit(f"losses differ: thalweg {ours}, {name} {run.losses}")


def step_figures(
    rounds: list[dict[str, Run]], steps: int
) -> dict[str, dict[str, float]]:
    """Microseconds a step, and how many times thalweg's step fits into it."""
    return {
        name: {
            "microseconds": median(r[name].seconds for r in rounds) / steps * 1e6,
            "times_thalweg": median(
                r[name].seconds / r["thalweg"].seconds for r in rounds
            ),
        }
        for name in rounds[0]
    }


def show(figures: dict) -> None:
    """The figures as a table."""
    print(f"a step of {figures['network']}, batch {figures['batch_size']}, Adam")
    for name, figure in figures["step"].items():
        print(
            f"  {name:20} {figure['microseconds']:8.0f} µs"
            f"   {figure['times_thalweg']:6.2f} × thalweg"
        )
    for name, seconds in figures["startup"].items():
        print(f"  {name:34} {seconds * 1000:6.0f} ms")


if __name__ == "__main__":
    main()
