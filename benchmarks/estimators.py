"""Estimators beside scikit-learn's: a raw table in, a fitted classifier out.

python -m benchmarks.estimators adult_train.csv adult_test.csv --target income

Both get the same frame, layers, activation, rule, learning rate, batch size and number
of epochs, both hold a tenth of the rows out and go back to the best epoch; once with
the layers and batches that `MLPClassifier` has by default, once with those of
`NetworkClassifier`, and once with smaller ones. What is
timed is `fit` with everything in it: for scikit-learn imputers, StandardScaler and
OneHotEncoder too, in float32 and on as many threads as it is faster with. They take
turns; the figure is the median over the rounds of the ratio within a round.

Then there is what the estimator adds to `Network.fit` on 10,000 rows of numbers, and
how long `cross_val_score` takes with five folds of a table of 569 rows, each with the
layers and batches that `NetworkClassifier` has by default.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

import thalweg as tw
from benchmarks.figures import PACKAGES, cpus, processor, version

Result = TypeVar("Result")

RATE, HELD_OUT = 0.001, 0.1
ROWS, FEATURES = 10_000, 20


@dataclass(frozen=True)
class Shape:
    """What a network looks like, and how many rows a step takes."""

    layers: tuple[int, ...]
    batch_size: int


DEFAULT = Shape((128, 64), 128)
SHAPES = (Shape((100,), 200), DEFAULT, Shape((64, 32), 32))


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = parse()
    train, test = (pd.read_csv(path) for path in arguments.files)
    figures: dict[str, Any] = {
        "processor": processor(),
        "cores": cpus(),
        "versions": {n: version(n) for n in PACKAGES if version(n)},
        "tables": [
            beside_scikit_learn(train, test, shape, arguments) for shape in SHAPES
        ],
        "overhead": overhead(arguments.rounds, arguments.epochs),
        "folds": five_folds(arguments.rounds, arguments.epochs),
    }
    print("\n".join(lines(figures)))
    if arguments.out is not None:
        text = json.dumps(figures, indent=2, ensure_ascii=False)
        arguments.out.write_text(text + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.estimators",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs=2, type=Path, metavar="FILE", help="rows to train, then to test"
    )
    parser.add_argument("--target", required=True, help="the column of classes")
    parser.add_argument("--epochs", type=int, default=20, help="default: 20")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--out", type=Path, help="the JSON file")
    return parser.parse_args()


# A table ------------------------------------------------------------------------------


def beside_scikit_learn(
    train: pd.DataFrame,
    test: pd.DataFrame,
    shape: Shape,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """Seconds and accuracies of both, in turns."""
    X, y = parts(train, arguments.target)
    unseen = parts(test, arguments.target)
    epochs = arguments.epochs
    threads = faster_threads(shape, X, y)
    network(shape, 1).fit(X, y)  # what is imported once isn't counted, for neither
    rounds: list[dict[str, float]] = []
    for number in range(arguments.rounds):
        ours, theirs = network(shape, epochs, number), pipeline(shape, epochs, number)
        seconds = timed(lambda model=ours: model.fit(X, y))
        with threadpool_limits(threads):
            other = timed(lambda model=theirs: model.fit(X, y))
        require_same_epochs(ours, theirs, epochs)
        rounds.append(
            {
                "thalweg": seconds,
                "scikit-learn": other,
                "ratio": other / seconds,
                "thalweg accuracy": ours.score(*unseen),
                "scikit-learn accuracy": theirs.score(*unseen),
            }
        )
    return {
        **asdict(shape),
        "rows": len(X),
        "columns": X.shape[1],
        "epochs": epochs,
        "threads of scikit-learn": threads,
        "rounds": rounds,
        **{name: median(each[name] for each in rounds) for name in rounds[0]},
    }


def parts(table: pd.DataFrame, target: str) -> tuple[Any, Any]:
    """The columns to learn from, and the one to predict."""
    return table.drop(columns=target), table[target]


def network(shape: Shape, epochs: int, seed: int = 0) -> tw.NetworkClassifier:
    """Ours."""
    return tw.NetworkClassifier(
        layers=shape.layers,
        activation="relu",
        learning_rate=RATE,
        schedule="constant",
        batch_size=shape.batch_size,
        epochs=epochs,
        patience=epochs,
        validation=HELD_OUT,
        random_state=seed,
    )


def pipeline(shape: Shape, epochs: int, seed: int = 0) -> Any:
    """scikit-learn's."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    encoding = make_column_transformer(
        (numbers, make_column_selector(dtype_include=np.number)),
        (texts, make_column_selector(dtype_exclude=np.number)),
    )
    learner = perceptrons(shape, epochs, seed)
    return make_pipeline(encoding, FunctionTransformer(in_float32), learner)


def perceptrons(shape: Shape, epochs: int, seed: int) -> Any:
    """scikit-learn's network."""
    kind: Any = MLPClassifier
    return kind(
        shape.layers,
        learning_rate_init=RATE,
        batch_size=shape.batch_size,
        max_iter=epochs,
        alpha=0.0,
        early_stopping=True,
        validation_fraction=HELD_OUT,
        n_iter_no_change=epochs,
        tol=0.0,
        random_state=seed,
    )


def in_float32(X: np.ndarray) -> np.ndarray:
    """The encoded rows in the precision that ours has."""
    return X.astype(np.float32)


def faster_threads(shape: Shape, X: Any, y: Any) -> int:
    """The number of BLAS threads with which scikit-learn is faster, one or all."""
    seconds: dict[int, float] = {}
    for threads in {1, cpus()}:
        with threadpool_limits(threads):
            seconds[threads] = timed(lambda: pipeline(shape, 2).fit(X, y))
    return min(seconds, key=seconds.__getitem__)


def require_same_epochs(ours: Any, theirs: Any, epochs: int) -> None:
    """Nobody stopped before the end, so both did the same work."""
    done = (ours.n_iter_, theirs[-1].n_iter_)
    if done != (epochs, epochs):
        raise SystemExit(f"the benchmark failed: epochs differ, {done}")


# What the estimator adds --------------------------------------------------------------


def overhead(rounds: int, epochs: int) -> dict[str, Any]:
    """Seconds of `NetworkClassifier.fit` and of `Network.fit` on the same numbers."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(ROWS, FEATURES))
    y = (X[:, 0] + generator.normal(size=ROWS) > 0).astype(np.int64)
    pairs: list[tuple[float, float]] = []
    for number in range(3 * rounds):
        estimator = network(DEFAULT, epochs, number)
        first = timed(lambda model=estimator: model.fit(X, y))
        second = timed(lambda seed=number: alone(X, y, epochs, seed))
        pairs.append((first, second))
    pairs = pairs[1:]
    return {
        "rows": ROWS,
        "epochs": epochs,
        "NetworkClassifier.fit": median(first for first, _ in pairs),
        "Network.fit": median(second for _, second in pairs),
        "overhead": median(first / second for first, second in pairs) - 1,
    }


def alone(X: np.ndarray, y: np.ndarray, epochs: int, seed: int) -> None:
    """The same training without the estimator."""
    hidden = [tw.Dense(units, "relu") for units in DEFAULT.layers]
    tw.Network([*hidden, tw.Dense(2, "softmax")]).fit(
        X,
        y,
        optimizer=tw.Adam(RATE),
        epochs=epochs,
        batch_size=DEFAULT.batch_size,
        validation=HELD_OUT,
        early_stopping=tw.EarlyStopping(patience=epochs),
        seed=seed,
    )


# Small tables -------------------------------------------------------------------------


def five_folds(rounds: int, epochs: int) -> dict[str, Any]:
    """Seconds and accuracies of both on the folds of a small table, in turns."""
    X, y = load_breast_cancer(return_X_y=True)

    def seconds_and_accuracy(model: Any) -> tuple[float, float]:
        accuracies: list[float] = []
        run = partial(cross_val_score, model, X, y, cv=5)
        return timed(lambda: accuracies.extend(run())), float(np.mean(accuracies))

    found: list[dict[str, float]] = []
    for number in range(rounds + 1):
        scaled = (StandardScaler(), FunctionTransformer(in_float32))
        theirs = make_pipeline(*scaled, perceptrons(DEFAULT, epochs, number))
        ours, accuracy = seconds_and_accuracy(network(DEFAULT, epochs, number))
        other, other_accuracy = min(
            with_threads(threads, lambda model=theirs: seconds_and_accuracy(model))
            for threads in {1, cpus()}
        )
        found.append(
            {
                "thalweg": ours,
                "scikit-learn": other,
                "ratio": other / ours,
                "thalweg accuracy": accuracy,
                "scikit-learn accuracy": other_accuracy,
            }
        )
    counted = found[1:]  # what is made once isn't counted, for neither
    return {
        "rows": len(X),
        "epochs": epochs,
        **{name: median(each[name] for each in counted) for name in found[0]},
    }


def with_threads(threads: int, run: Callable[[], Result]) -> Result:
    """What a call gives with so many threads of BLAS."""
    with threadpool_limits(threads):
        return run()


def timed(run: Callable[[], object]) -> float:
    """Seconds on the wall."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that max_iter was reached, as meant
        run()
    return time.perf_counter() - started


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """The figures for a terminal."""
    yield f"{figures['processor']}, {figures['cores']} cores"
    for table in figures["tables"]:
        layers = "-".join(map(str, table["layers"]))
        yield (
            f"{table['rows']:,} rows of {table['columns']} columns, layers {layers}, "
            f"{table['batch_size']} rows a step, {table['epochs']} epochs, "
            f"{len(table['rounds'])} rounds"
        )
        yield f"  {'':14}{'seconds':>9}{'accuracy':>10}"
        for name in ("thalweg", "scikit-learn"):
            yield f"  {name:14}{table[name]:9.2f}{table[f'{name} accuracy']:10.4f}"
        threads = table["threads of scikit-learn"]
        yield f"  {table['ratio']:.1f} times as fast; scikit-learn on {threads} threads"
    added = figures["overhead"]
    yield f"{added['rows']:,} rows of numbers, {added['epochs']} epochs"
    yield (
        f"  NetworkClassifier.fit {added['NetworkClassifier.fit'] * 1e3:.1f} ms, "
        f"Network.fit {added['Network.fit'] * 1e3:.1f} ms: {added['overhead']:+.1%}"
    )
    folds = figures["folds"]
    yield f"five folds of {folds['rows']} rows, {folds['epochs']} epochs"
    for name in ("thalweg", "scikit-learn"):
        yield f"  {name:14}{folds[name]:9.2f}{folds[f'{name} accuracy']:10.4f}"
    yield f"  {folds['ratio']:.1f} times as fast"


if __name__ == "__main__":
    main()
