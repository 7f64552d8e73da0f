"""What a search does with each kind of data, by the kind's name."""

from __future__ import annotations

from typing import Any, Protocol

from thalweg.search.space import Space


class Searched(Protocol):
    """What the module of a kind has."""

    def space(self, base: Any, parts: Any, /) -> Space:
        """What there is to choose, given or not."""
        ...

    def folds(self, found: Any, parts: Any, settings: Any, count: int, /) -> list[Any]:
        """The data for each fold, which stands where the test stood."""
        ...


def searched(kind: str) -> Searched:
    """What a search does with a kind of data."""
    match kind:
        case "images":
            from thalweg.search import images

            return images
        case "text":
            from thalweg.search import texts

            return texts
        case "forecast":
            from thalweg.search import series

            return series
        case "sequences":
            from thalweg.search import sequences

            return sequences
        case _:
            from thalweg.search import tables

            return tables
