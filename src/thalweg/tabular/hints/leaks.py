"""Columns that repeat the target, or give it away.

Rows are ordered by a column's values. If the target then hardly changes from each row
to the next, the column tells it: half the mean squared change is the variance of what
the column doesn't tell (J. Rice, Annals of Statistics 12, 1984). Ranks stand for the
target, so that a far value doesn't decide; for classes a change is another class.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import lgamma, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thalweg.tables.declared import ways
from thalweg.tabular.hints.sample import Feature, Floats, Sample
from thalweg.words import counted, listed

if TYPE_CHECKING:
    from thalweg.tables.table import Table

ALMOST_ALL = {"number": 0.002, "classes": 0.05}
"""What a column may leave untold; 0.04 is one of 100 rows of two even classes."""

SOME_ROWS, LITTLE = 48, 0.5
"""A column that leaves more untold of some rows needn't be looked at in all."""

FAR_BETTER = 10.0
"""A column gives away what others leave untold so many times as much of."""

RARE = 14.0
"""Minus the logarithm of the greatest chance that it just looks so."""

MOST_TOLD = 3
"""If more columns, or most of them, tell the target each alone, it's an easy one."""

MOST_TERMS = 4
EXACT = 1e-6
"""The share of variance left by a sum that is the target but for rounding."""


@dataclass(frozen=True)
class Leak:
    """Columns that tell the target.

    Args:
        names: one that does alone, or several that do together.
        score: how well, in words.
        repeats: whether it is the target written otherwise.
    """

    names: tuple[str, ...]
    score: str
    repeats: bool = False

    def tells(self, name: str) -> bool:
        """Whether a column tells the target, and doesn't just repeat it."""
        return not self.repeats and name in self.names

    def sentence(self, table: Table, target: str) -> str:
        """What the user should know."""
        options = ways(table, "ignore", self.names)
        if len(self.names) == 1:
            how = "repeats" if self.repeats else "alone tells"
            return (
                f"{self.names[0]!r} {how} {target!r} ({self.score}): if it isn't known "
                f"when predicting, {options}"
            )
        return (
            f"{target!r} is a weighted sum of {listed(self.names)} ({self.score}): if "
            f"they aren't known when predicting, {options}"
        )


def leaks(sample: Sample, target: str, besides: Collection[str] = ()) -> list[Leak]:
    """The columns that tell the target alone, or else the few whose sum it is.

    Args:
        sample: rows in a random order.
        target: the column's name.
        besides: columns that were spoken of.
    """
    looked_at = [f for f in sample.features if f.encoding.name not in besides]
    looked_at = [f for f in looked_at if f.encoding.kind not in ("date", "time")]
    if not looked_at or np.ptp(sample.y) == 0:
        return []
    values = sample.values(looked_at)
    told, repeated = _telling(sample, looked_at, values)
    if told:
        return [
            Leak(
                (looked_at[place].encoding.name,),
                _score(sample, values[place]),
                place in repeated,
            )
            for place in told
        ]
    return [] if sample.classes else _sums(sample, looked_at, values)


# One column ---------------------------------------------------------------------------


def _telling(
    sample: Sample, features: Sequence[Feature], values: NDArray[np.float32]
) -> tuple[list[int], list[int]]:
    """Places of the columns that tell the target, while the others don't.

    Those among them that repeat it come second.
    """
    ordered = np.array([each.ordered for each in features])
    left, pairs = _untold_where_little(sample, values, ordered)
    most = ALMOST_ALL["classes" if sample.classes else "number"]
    able = (left <= most) & _beyond_chance(sample, left, pairs, ordered)
    places = np.flatnonzero(able).tolist()
    repeated = [p for p in places if _repeats(sample, values[p], left[p])]
    others = [place for place in places if place not in repeated]
    if not others or len(places) > min(MOST_TOLD, max(1, len(features) // 2)):
        return repeated[:MOST_TOLD], repeated
    names = {features[place].encoding.name for place in places}
    rest = _left_by_linear(sample, sample.without(names))
    far = rest >= max(FAR_BETTER * max(left[place] for place in others), most)
    return (places if far else repeated), repeated


def _untold_where_little(
    sample: Sample, values: NDArray[np.float32], ordered: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.int64]]:
    """As `untold`, by all rows of the columns of which some rows tell little less."""
    y, classes = sample.ranks, bool(sample.classes)
    if 2 * len(y) < 3 * SOME_ROWS:
        return untold(values, y, classes, ordered)
    some = values[:, :SOME_ROWS]
    left, pairs = untold(some, y[:SOME_ROWS], classes, ordered)
    able = (left < LITTLE) | ~ordered
    left[able], pairs[able] = untold(values[able], y, classes, ordered[able])
    return left, pairs


def untold(
    values: NDArray[Any], y: Floats, classes: bool, ordered: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.int64]]:
    """The share of the target that each column leaves untold, about 0 to 1.

    Args:
        values: shape (columns, rows), NaN where a cell is missing.
        y: the target, or its ranks, shape (rows,).
        classes: whether the target is classes.
        ordered: which columns' neighboring values count; of others just equal ones do.

    Returns:
        The shares, and how many pairs of rows each was found by.

    >>> from thalweg.tabular.hints.sample import ranks
    >>> x = np.array([[3, 1, 2, 5, 4, 6.0], [1, 1, 0, 1, 0, 0]], np.float32)
    >>> y = np.array([9, 1, 4, 25, 16, 36.0])
    >>> untold(x, ranks(y), False, np.array([True, False]))[0].round(2).tolist()
    [0.0, 1.2]
    """
    order = np.argsort(values, axis=1, kind="stable")
    change = _changes(y[order], classes)
    pairs = np.full(len(values), change.shape[1])
    some = np.flatnonzero(~ordered | np.isnan(values).any(axis=1))
    found = np.take_along_axis(values[some], order[some], axis=1)
    usable = ~np.isnan(found[:, 1:])
    usable &= ordered[some, None] | (found[:, 1:] == found[:, :-1])
    change[some] *= usable
    pairs[some] = usable.sum(axis=1)
    mean = change.sum(axis=1) / np.maximum(pairs, 1)
    usual = _usual_change(y, classes)
    least = float(_changes(np.sort(y), classes).mean())
    floor = np.where(ordered, least, 0.0)
    shares = np.maximum(mean - floor, 0) / np.maximum(usual - floor, 1e-300)
    enough = 2 * pairs >= values.shape[1]
    return np.where(enough, shares, np.inf), pairs


def _changes(y: Floats, classes: bool) -> Floats:
    """How much the target changes from each row to the next."""
    steps = np.diff(y, axis=-1)
    return (steps != 0).astype(y.dtype) if classes else steps * steps


def _usual_change(y: Floats, classes: bool) -> float:
    """How much it changes between rows drawn at random."""
    if not classes:
        return 2 * float(y.var())
    counts = np.unique_counts(y).counts
    return 1 - float(((counts / len(y)) ** 2).sum())


def _beyond_chance(
    sample: Sample, left: Floats, pairs: NDArray[np.int64], ordered: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether so few changes would hardly come about if the rows were shuffled.

    Of all arrangements of the target few are in order, or have one class a category.
    Each change more multiplies these by no more than the number of rows.
    """
    counts = np.unique_counts(sample.y).counts
    every = lgamma(len(sample.y) + 1) - sum(lgamma(count + 1) for count in counts)
    able = every - log(len(ordered)) - RARE
    if not sample.classes:
        return np.full(len(ordered), able > log(2))
    pure = (len(sample.y) - pairs) * log(sample.classes)
    few = np.where(ordered, lgamma(sample.classes + 1), pure)
    more = np.minimum(left, 1) * pairs * _usual_change(sample.ranks, True)
    return np.asarray(able > few + more * log(len(sample.y)))


def _repeats(sample: Sample, values: NDArray[np.float32], left: float) -> bool:
    """Whether a column is the target written otherwise."""
    known = values[~np.isnan(values)]
    if left > 1e-9 or len(known) < len(values):
        return False
    return not sample.classes or len(np.unique(known)) == sample.classes


def _left_by_linear(sample: Sample, X: NDArray[np.float32]) -> float:
    """The share of the target that a linear model of other columns leaves untold."""
    if not X.shape[1]:
        return 1.0
    from sklearn.linear_model import Ridge

    half = len(X) // 2
    model: Any = Ridge()
    model.fit(X[:half], sample.outcomes[:half])
    outputs = np.asarray(model.predict(X[half:])).reshape(len(X) - half, -1)
    truth = sample.outcomes[half:]
    if sample.classes:
        wrong = float((outputs.argmax(axis=1) != truth.argmax(axis=1)).mean())
        return 2 * wrong / _usual_change(sample.ranks, True)
    return float(((truth - outputs) ** 2).sum() / (truth**2).sum())


def _score(sample: Sample, values: NDArray[np.float32]) -> str:
    """How well a column alone does on validation rows."""
    known = ~np.isnan(values)
    training, tested = known & ~sample.validation, known & sample.validation
    x, y = values[training].astype(float), sample.y[training]
    truth, asked = sample.y[tested], values[tested].astype(float)
    rows = counted(len(truth), "validation row")
    if sample.classes:
        nearest = np.abs(asked[:, None] - x).argmin(axis=1)
        share = float((y[nearest] == truth).mean()) if len(truth) else 1.0
        return f"accuracy {share:.4f} on {rows}"
    r2 = max(_r2(truth, found(x, y, asked)) for found in (_between, _on_a_line))
    return f"R² {r2:.4f} on {rows}"


def _between(x: Floats, y: Floats, asked: Floats) -> Floats:
    """The target on the straight line between the values at both sides."""
    levels, places = np.unique(x, return_inverse=True)
    means = np.bincount(places, y) / np.bincount(places)
    return np.interp(asked, levels, means)


def _on_a_line(x: Floats, y: Floats, asked: Floats) -> Floats:
    """The target on the straight line through all values."""
    slope = float(np.cov(x, y)[0, 1] / x.var(ddof=1))
    return y.mean() + slope * (asked - x.mean())


def _r2(truth: Floats, predicted: Floats) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum()) if len(truth) else 0.0
    return 1 - float(((truth - predicted) ** 2).sum()) / spread if spread else 1.0


# Several columns ----------------------------------------------------------------------


def _sums(
    sample: Sample, features: Sequence[Feature], values: NDArray[np.float32]
) -> list[Leak]:
    """The few columns whose weighted sum is the target, found one after another.

    Each is the one that is most like what those before leave (orthogonal matching
    pursuit); the weights are fitted to training rows and tried on the others.
    """
    numbers = [p for p, f in enumerate(features) if f.encoding.kind == "number"]
    numbers = [p for p in numbers if not np.isnan(values[p]).any()]
    if len(numbers) < 2 or not sample.validation.any():
        return []
    columns = values[numbers].astype(float)
    training, tested = ~sample.validation, sample.validation
    centered = columns[:, training] - columns[:, training].mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centered, axis=1, keepdims=True)
    directions = centered / np.maximum(lengths, 1e-300)
    y = sample.y.astype(float)
    left, chosen = y[training] - y[training].mean(), list[int]()
    for _ in range(min(MOST_TERMS, len(numbers))):
        chosen.append(int(np.abs(directions @ left).argmax()))
        terms = np.vstack([columns[chosen], np.ones(len(y))])
        weights = np.linalg.lstsq(terms[:, training].T, y[training])[0]
        left = y[training] - weights @ terms[:, training]
        r2 = _r2(y[tested], weights @ terms[:, tested])
        if r2 >= 1 - EXACT:
            names = [features[numbers[place]].encoding.name for place in chosen]
            rows = counted(int(tested.sum()), "validation row")
            return [Leak(tuple(names), f"R² {r2:.6f} on {rows}")]
    return []
