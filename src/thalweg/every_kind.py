"""Every kind of data that a model can be of; each is imported when it's asked for."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from thalweg.errors import ArgumentError
from thalweg.images.image_set import ImageData
from thalweg.images.read import is_images
from thalweg.tabular.libraries import load_libraries
from thalweg.text import Text, is_text
from thalweg.training.checkpoint import IMAGES, SEQUENCES, SERIES, TABLE, TEXT

if TYPE_CHECKING:
    from thalweg.kinds.kind import AnyKind, Kind, SettingsT

NAMED: Mapping[str, str] = {
    "table": TABLE,
    "images": IMAGES,
    "text": TEXT,
    "forecast": SERIES,
    "sequences": SEQUENCES,
}
"""What files of models call each kind, and what checkpoints of runs call it."""

OF_TEXTS = ("unit",)
OF_SEQUENCES = ("sequence", "order")
OF_FORECASTS = ("history", "ahead", "known_ahead")
"""Settings that only one kind has: a source with one of them is of that kind."""


def kind_named(name: str) -> AnyKind:
    """A kind by the name that files of its models have."""
    load_libraries()
    match name:
        case "images":
            from thalweg.vision.learn import IMAGES

            return IMAGES
        case "text":
            from thalweg.language.learn import TEXTS

            return TEXTS
        case "forecast":
            from thalweg.forecasting.learn import SERIES

            return SERIES
        case "sequences":
            from thalweg.sequences.learn import SEQUENCES

            return SEQUENCES
        case _:
            from thalweg.tabular.learn import TABLES

            return TABLES


def kind_noted(notes: Mapping[str, Any]) -> AnyKind | None:
    """The kind of data that a run learned from, by a checkpoint's notes."""
    known = (name for name, note in NAMED.items() if note in notes)
    name = next(known, None)
    return None if name is None else kind_named(name)


def kind_for(source: Any, target: str | None, given: Mapping[str, Any]) -> AnyKind:
    """The kind of a source: by what it is, its name, or settings that only one has.

    Arguments:
        source: a path, or what was read.
        target: the column to predict, if there is one.
        given: the settings.
    """
    if holds_images(source):
        return kind_named("images")
    if has_any(given, OF_SEQUENCES):
        return kind_named("sequences")
    if has_any(given, OF_FORECASTS):
        return kind_named("forecast")
    if has_any(given, OF_TEXTS) or (target is None and holds_text(source)):
        return kind_named("text")
    return kind_named("table")


def has_any(given: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether one of some settings was given."""
    return any(given.get(name) not in (None, [], ()) for name in names)


def holds_images(source: Any) -> bool:
    """Whether it is images rather than a table."""
    if isinstance(source, str | os.PathLike):
        return is_images(cast("str | os.PathLike[str]", source))
    return isinstance(source, ImageData)


def holds_text(source: Any) -> bool:
    """Whether it is a text; its name says so."""
    if isinstance(source, str | os.PathLike):
        return is_text(cast("str | os.PathLike[str]", source))
    return isinstance(source, Text)


def settings_of(
    kind: Kind[SettingsT, Any, Any, Any, Any],
    given: Mapping[str, Any],
    beside: Collection[str] = (),
) -> SettingsT:
    """The settings of a kind; one that only others have says whose it is.

    Arguments:
        kind: of data.
        given: the settings, by name.
        beside: names of other arguments, which a misspelled one can have meant.

    Raises:
        ArgumentError: there is no such setting, or it can't have this value.
    """
    own = names_of(kind)
    for name in given:
        if name not in own and (others := whose(name)):
            raise ArgumentError(
                f"{name} must be left out with {kind.what}: it is a setting of "
                f"{in_words(others)}"
            )
    return kind.settings.by_name(given, beside)


def in_words(names: Sequence[str]) -> str:
    """Names as a part of a sentence.

    >>> in_words(["a table", "a forecast", "sequences"]), in_words(["images"])
    ('a table, a forecast and sequences', 'images')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def names_of(kind: AnyKind) -> set[str]:
    """The names of a kind's settings."""
    return {each.name for each in fields(kind.settings)}


def whose(name: str) -> list[str]:
    """The kinds that have a setting, as messages call them."""
    every = map(kind_named, NAMED)
    return [kind.what for kind in every if name in names_of(kind)]
