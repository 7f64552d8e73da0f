"""By which metric a network is compared: one that notices the rarest class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.words import shown

RARE = 0.4
"""A class with less than this part of an even share is rare: 20% of two classes."""

LOWER_IS_BETTER = (
    *("log_loss", "rmse", "mae"),
    *("bits_per_character", "bits_per_byte", "perplexity"),
)


@dataclass(frozen=True)
class Deciding:
    """The metric that decides between models.

    Arguments:
        metric: its name.
        why: why not the usual one, as a part of a sentence; nothing if it's usual.
        positive: of two classes the number of the one that average precision is of.
    """

    metric: str
    why: str = ""
    positive: int = 1

    @property
    def name(self) -> str:
        """The metric's name as words."""
        return self.metric.replace("_", " ")

    @property
    def words(self) -> str:
        """The metric, and why this one.

        >>> Deciding("average_precision", "as 'yes' is 3% of the rows").words
        "average precision, as 'yes' is 3% of the rows"
        """
        return f"{self.name}, {self.why}" if self.why else self.name

    def to_dict(self, labels: Sequence[str]) -> dict[str, Any]:
        """The metric, why, and the class it is of where there are two, as JSON."""
        positive = labels[self.positive] if len(labels) == 2 else None
        return {"metric": self.metric, "why": self.why, "class": positive}

    def gain(self, mine: Any, other: Any) -> Any:
        """By how much one value is better than another.

        >>> Deciding("rmse").gain(2.0, 3.0)
        1.0
        """
        return other - mine if self.metric in LOWER_IS_BETTER else mine - other


def deciding_metric(
    targets: ClassTargets | NumberTargets, y: NDArray[Any], tested: NDArray[Any]
) -> Deciding:
    """The metric for a target.

    For a number it is the root mean squared error; for classes accuracy, unless a class
    is so rare that accuracy hardly sees it. Then it is average precision for two
    classes, that of the rarer; balanced accuracy for more.

    Arguments:
        targets: the classes, or the number.
        y: of all rows, encoded.
        tested: of the test rows that count.
    """
    if isinstance(targets, NumberTargets):
        return Deciding("rmse")
    labels = targets.labels
    shares = np.bincount(y, minlength=len(labels)) / len(y)
    rarest = int(shares.argmin())
    if shares[rarest] >= RARE / len(labels):
        return Deciding("accuracy")
    if len(labels) > 2:
        return Deciding("balanced_accuracy", _rare(labels[rarest], shares[rarest]))
    if len(np.unique(tested)) < 2:
        only = shown(labels[int(tested[0])])
        return Deciding("accuracy", f"as every test row is {only}", rarest)
    return Deciding("average_precision", _rare(labels[rarest], shares[rarest]), rarest)


def _rare(label: str, share: float) -> str:
    return f"as {shown(label)} is {100 * share:.2g}% of the rows"
