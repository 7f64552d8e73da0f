"""How much of what a fold leaves chooses the epoch."""

from __future__ import annotations

from collections.abc import Mapping

LEAST_SHARE, LEAST_ROWS = 0.1, 50  # that choose the epoch, where there are enough


def validation_share(shares: Mapping[str, float], rows: int, count: int) -> float:
    """How much of what a fold leaves chooses the epoch.

    As little as leaves nearly as many rows to learn from as the last training has: what
    is best for a few rows needn't be for many. But not so few that chance chooses.

    Arguments:
        shares: of all there is that are drawn for ``validation`` and ``test``.
        rows: how many aren't for the test.
        count: how many folds.

    >>> round(validation_share({"validation": 0.2, "test": 0.2}, 100_000, 20), 3)
    0.211
    """
    usual = shares["validation"] / (1 - shares["test"])
    rest = (count - 1) / count
    alike = 1 - (1 - usual) / rest
    return min(max(alike, LEAST_SHARE, LEAST_ROWS / (rest * rows)), usual)
