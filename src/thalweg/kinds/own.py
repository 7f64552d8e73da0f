"""What a user has to validate and to test on; of a run that goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from thalweg.errors import ArgumentError

Sources: TypeAlias = Mapping[str, Any]
"""For ``validation`` and ``test``, where there is a table of one's own, what it is."""

NO_SOURCES: Sources = {}

PARTS = ("validation", "test")


def own_sources(validation_data: Any, test_data: Any, given: Sources) -> Sources:
    """One's own tables by their part, if shares of the other weren't given as well.

    Args:
        validation_data, test_data: a file's path, a frame, or None.
        given: the settings that were given.

    Raises:
        ArgumentError: a share was.

    >>> own_sources(None, "later.csv", given={"seed": 1})
    {'test': 'later.csv'}
    """
    every = {"validation": validation_data, "test": test_data}
    found = {part: source for part, source in every.items() if source is not None}
    for part in found:
        if given.get(part) is not None:
            raise ArgumentError(
                f"{part} must be left out with {part}_data: no share is needed, got "
                f"{given[part]}"
            )
    return found


def sources_again(known: Mapping[str, Path | None], given: Sources) -> dict[str, Any]:
    """Of a run that goes on: what is given now, or else the files that there were.

    Args:
        known: where they were, by their part; None for what is no file.
        given: where they are now.

    Raises:
        ArgumentError: one is missing, or there was none.
    """
    for part in given:
        if part not in known:
            raise ArgumentError(f"{part}_data must be left out: the run had none")
    found = {part: given.get(part, path) for part, path in known.items()}
    for part, source in found.items():
        if source is None:
            raise ArgumentError(
                f"{part}_data must be given: what the run had is no file"
            )
    return found


def own_paths(noted: Mapping[str, str | None]) -> dict[str, Path | None]:
    """Where they were, as a checkpoint says it.

    Raises:
        TypeError: it doesn't.
    """
    for part, path in noted.items():
        if part not in PARTS or not isinstance(path, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(part, path)
    return {part: None if p is None else Path(p) for part, p in noted.items()}
