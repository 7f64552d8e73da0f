"""Numbers and names as a report writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from thalweg.kinds.bootstrap import Interval
from thalweg.kinds.deciding import LOWER_IS_BETTER
from thalweg.printable import printable
from thalweg.training.progress import figure

LONGEST = 80

METRICS: Mapping[str, str] = {
    "accuracy": "share of rows whose class is right",
    "balanced_accuracy": "the same share within each class, averaged over the classes",
    "f1": "harmonic mean of precision and recall, averaged over the classes",
    "log_loss": "how surprising the true classes were, −log of their probability",
    "roc_auc": "how often a row of one class gets a higher probability of it than a "
    "row of the other; 0.5 is chance",
    "average_precision": "precision averaged over recall, for every threshold of a "
    "class's probability",
    "bits_per_character": "how surprising a character was, −log₂ of its probability",
    "bits_per_byte": "how surprising a byte was, −log₂ of its probability",
    "perplexity": "2 to the power of those bits: as if so many were alike",
    "rmse": "root mean squared error, in the target's unit",
    "mae": "mean absolute error, in the target's unit",
    "r2": "share of the target's variance that is explained",
}


def metric_words(name: str) -> str:
    """What a metric is; nothing is known of one that the report hasn't.

    >>> metric_words("mae")
    "mean absolute error, in the target's unit; lower is better"
    """
    if name not in METRICS:
        return ""
    direction = "lower" if name in LOWER_IS_BETTER else "higher"
    return f"{METRICS[name]}; {direction} is better"


def cut(text: str, most: int = LONGEST) -> str:
    """A text on one line that isn't long.

    >>> cut("abc\\ndefgh", most=6)
    'abc\\\\n…'
    """
    line = printable(text)
    return line if len(line) <= most else line[: most - 1] + "…"


def spaced(name: str) -> str:
    """A metric's name as words."""
    return name.replace("_", " ")


def number(value: Any) -> str:
    """A number to four digits; what isn't finite is said in words.

    >>> number(0.98551), number(None)
    ('0.9855', 'not finite')
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "not finite"
    return "0" if value == 0 else figure(float(value))


def between(interval: Interval) -> str:
    """An interval in words."""
    return f"{number(interval.low)} to {number(interval.high)}"


def percent(share: float) -> str:
    """A share of 100.

    >>> percent(0.125)
    '12.5%'
    """
    return f"{100 * share:.1f}%"


def seconds(value: float) -> str:
    """A duration, to two digits where it's short.

    >>> seconds(0.00123), seconds(1.234), seconds(75.2)
    ('0.0012', '1.2', '75')
    """
    return f"{value:,.0f}" if value >= 10 else f"{max(value, 1e-4):.2g}"


def joined(names: list[str]) -> str:
    """Names with commas and an "and".

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
