"""How long a wide table takes, beside pandas and scikit-learn on the same file.

python -m benchmarks.wide_table --rows 120 --columns 1000 5000

A table of normal numbers with two classes is written as CSV. What is timed, in turns
and in a process that is warm, is `pandas.read_csv`, `StandardScaler` and
`MLPClassifier` with their defaults; and thalweg: `read` and `prepare` alone (columns
understood, split and encoded), and the whole of `tw.train` and `save`, which trains a
linear model beside. The figures are medians of seconds of the processors, and of the
ratio within a round.

With --prepare-only the table is read and prepared alone, for as many columns as one
likes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from benchmarks.figures import cpus, processor


def main() -> None:
    """Measure and print."""
    arguments = parse()
    print(f"{processor()}, {cpus()} cores; {arguments.rows} rows")
    for columns in arguments.columns:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "wide.csv"
            write(path, arguments.rows, columns)
            ways: dict[str, Callable[[], object]] = {
                "prepared": partial(prepared, path)
            }
            if not arguments.prepare_only:
                model = Path(folder) / "wide.thalweg"
                ways["trained and saved"] = partial(trained, path, model)
            print(f"{columns:,} columns: {compared(path, ways, arguments.rounds)}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--columns", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prepare-only", action="store_true")
    return parser.parse_args()


def write(path: Path, rows: int, columns: int) -> None:
    """A table of normal numbers; the first three tell two classes apart."""
    X = np.random.default_rng(0).normal(size=(rows, columns)).astype("float32")
    frame = pl.DataFrame({f"g{number}": X[:, number] for number in range(columns)})
    labels = np.where(X[:, :3].sum(axis=1) > 0, "a", "b")
    frame.with_columns(y=pl.Series(labels)).write_csv(path)


def compared(path: Path, ways: dict[str, Callable[[], object]], rounds: int) -> str:
    """Seconds and ratios of each way to the peers', in turns."""
    found: dict[str, list[float]] = {"peers": [], **{name: [] for name in ways}}
    for number in range(rounds + 1):  # the first warms up
        for name, way in {"peers": lambda: peers(path), **ways}.items():
            spent = seconds(way)
            if number:
                found[name].append(spent)
    words = [f"peers {median(found['peers']):.2f} s"]
    for name in ways:
        ratios = [a / b for a, b in zip(found[name], found["peers"], strict=True)]
        words.append(f"{name} {median(found[name]):.2f} s, {median(ratios):.2f} times")
    return "; ".join(words)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the processors."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peers(path: Path) -> None:
    """What one would do by hand, with the libraries' defaults."""
    import pandas as pd
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    frame = pd.read_csv(path)
    X = StandardScaler().fit_transform(frame.drop(columns="y"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops at 200 iterations
        MLPClassifier(random_state=0).fit(X, frame["y"])


def prepared(path: Path) -> None:
    """Read, understood, split and encoded."""
    from thalweg.tables.read import read
    from thalweg.tabular.prepare import prepare

    prepare(read(path), "y")


def trained(path: Path, model: Path) -> None:
    """The whole of thalweg train, and the file."""
    import thalweg as tw

    tw.train(path, "y").model.save(model)


if __name__ == "__main__":
    main()
