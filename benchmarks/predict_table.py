"""How long `thalweg predict` takes, beside reading the same file.

python -m benchmarks.predict_table DATA.csv --target COLUMN --rows 1000000

A network is trained on the table. So many rows are then drawn from it, each number
moved a little, and written as CSV and as Parquet. What is timed, in turns and in a
fresh process each, is `read_csv` (or `read_parquet`) of the whole file by polars and by
pandas, and `thalweg predict` of it. The figure is the median of the ratio within a
round: of time on the wall, and of the processors' time, which others on the machine
disturb less. All find Python's modules compiled, as they are from an installation's
second use on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from benchmarks.figures import cpus, processor

FORMATS = ("csv", "parquet")
READERS = ("polars", "pandas")
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
MOVED = 0.01
"""A number is moved by so large a part of its column's standard deviation."""


@dataclass(frozen=True)
class Spent:
    """Seconds of one process.

    Args:
        wall: until it had ended.
        processors: of all its threads together.
    """

    wall: float
    processors: float


@dataclass(frozen=True)
class Round:
    """One process after the other: each reader's, and ours."""

    reading: dict[str, Spent]
    predicting: Spent


def main() -> None:
    """Measure and print."""
    arguments = parse()
    print(f"{processor()}, {cpus()} cores")
    with tempfile.TemporaryDirectory() as folder:
        model = trained(arguments.file, arguments.target, Path(folder))
        table = grown(pl.read_csv(arguments.file), arguments.rows)
        for form in FORMATS:
            path = Path(folder) / f"rows.{form}"
            getattr(table, f"write_{form}")(path)
            size = path.stat().st_size / 1e6
            print(
                f"{form}: {table.height:,} rows, {table.width} columns, {size:.0f} MB"
            )
            # What the first one finds or leaves in caches isn't counted.
            rounds = [in_turns(model, path) for _ in range(arguments.rounds + 1)][1:]
            print("\n".join(lines(rounds)))
            path.unlink()


def parse() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.predict_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="DATA.csv", help="to train on")
    parser.add_argument("--target", required=True, help="the column that is predicted")
    parser.add_argument("--rows", type=int, default=10**6, help="default: 1000000")
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    return parser.parse_args()


def trained(data: Path, target: str, folder: Path) -> Path:
    """A network for the table; how good it is doesn't matter here."""
    model = folder / "model.thalweg"
    run(thalweg("train", data, "--target", target, "--epochs", "3", "-o", model))
    return model


def grown(table: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Rows drawn from a table, whose numbers are moved a little."""
    generator = np.random.default_rng(0)
    drawn = table[generator.integers(0, table.height, rows)]
    numbers = [column for column in drawn if column.dtype.is_numeric()]
    return drawn.with_columns(moved(column, generator) for column in numbers)


def moved(column: pl.Series, generator: np.random.Generator) -> pl.Series:
    """Numbers with noise, as many digits as before; whole ones stay whole."""
    deviation = float(np.nanstd(column.cast(pl.Float64).to_numpy()))
    noise = MOVED * deviation * generator.normal(size=len(column))
    if column.dtype.is_integer():
        return column + pl.Series(np.rint(noise)).cast(pl.Int64)
    return (column + pl.Series(noise)).round(4)


def in_turns(model: Path, data: Path) -> Round:
    """Reading, then predicting."""
    form = data.suffix.removeprefix(".")
    code = f"import {{0}}; {{0}}.read_{form}({str(data)!r})"
    commands = {name: [sys.executable, "-c", code.format(name)] for name in READERS}
    reading = {name: run(command) for name, command in commands.items()}
    answers = data.with_name(f"answers.{form}")
    predicting = thalweg("predict", model, data, "--output", answers)
    return Round(reading, run(predicting))


def thalweg(*arguments: object) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "thalweg", *map(str, arguments)]


def run(command: Sequence[str]) -> Spent:
    """Run a process to its end."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{said.read().decode()}")
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def lines(rounds: Sequence[Round]) -> Iterator[str]:
    """The figures for a terminal."""
    for kind, title in (("wall", "time"), ("processors", "processors' time")):
        predicted = [getattr(each.predicting, kind) for each in rounds]
        yield f"  {title}: {median(predicted):.2f} s to predict"
        for reader in READERS:
            read = [getattr(each.reading[reader], kind) for each in rounds]
            ratios = sorted(p / r for p, r in zip(predicted, read, strict=True))
            yield (
                f"    {reader}: {median(read):5.2f} s to read; predicting takes "
                f"{median(ratios):.1f} times that, from {ratios[0]:.1f} to "
                f"{ratios[-1]:.1f}"
            )


if __name__ == "__main__":
    main()
