"""A text as it was read, and a user's own texts to validate and to test on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.language.settings import TextSettings
from thalweg.tables.source import is_descriptor
from thalweg.text import Text


@dataclass(frozen=True)
class ReadText:
    """A text to learn from, and where it is.

    Arguments:
        text: as it was read.
        path: where it is; None for a `Text`, and for what came through a pipe.
        own: for ``validation`` and ``test``, where there are texts of one's own.
        own_paths: where those are.
    """

    text: Text
    path: Path | None
    own: Mapping[str, Text] = field(default_factory=dict[str, Text])
    own_paths: Mapping[str, Path | None] = field(default_factory=dict[str, Path | None])

    @property
    def name(self) -> str:
        """What the text is called."""
        return self.text.name


def read(source: Any, settings: TextSettings, own: Sources = NO_SOURCES) -> ReadText:
    """A text to learn from, and those of one's own beside it.

    Arguments:
        source: the path of a text, or a `Text`.
        settings: how it is read.
        own: for ``validation`` and ``test`` the same as `source`.

    Raises:
        FileError, DataError: one can't be used.
    """
    others = {part: read_one(each, settings) for part, each in own.items()}
    return ReadText(
        read_one(source, settings),
        place_of(source),
        others,
        {part: place_of(each) for part, each in own.items()},
    )


def read_one(source: Any, settings: TextSettings) -> Text:
    """One text, in numbers of its own."""
    if isinstance(source, Text):
        return source
    path = cast("str | os.PathLike[str]", source)
    return Text.read(path, unit=settings.unit, characters=settings.characters)


def place_of(source: Any) -> Path | None:
    """Where a text is; None for a `Text`, and for what comes through a pipe."""
    if isinstance(source, Text) or is_descriptor(source):
        return None
    return Path(source)
