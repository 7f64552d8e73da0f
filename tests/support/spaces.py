"""What there is to choose, of data that is only as long as it is said to be."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from thalweg.kinds.regimen import Regimen
from thalweg.search.searched import searched
from thalweg.search.space import Space, left_of


def space_for(
    base: Regimen, rows: int, fixed: Collection[str] = (), kind: str = "table"
) -> Space:
    """What is left to choose where there are so many rows to learn from."""
    parts: Any = SimpleNamespace(training=SimpleNamespace(X=range(rows)))
    return left_of(searched(kind).space(base, parts), fixed)
