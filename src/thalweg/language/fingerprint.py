"""What is kept of a run's text, so that one can go on with the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.kinds.own import Sources, own_paths, sources_again
from thalweg.language.own import ReadText
from thalweg.language.settings import TextSettings, text_settings_from
from thalweg.text import Text
from thalweg.training.checkpoint import TEXT, Checkpoint

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved


def fingerprint(given: ReadText) -> dict[str, Any]:
    """What tells some text from others: its length, and a hash of all there is."""
    found = {"name": given.text.name, **fingerprint_of(given.text)}
    for part, each in given.own.items():
        found[part] = {"name": each.name, **fingerprint_of(each)}
    return found


def fingerprint_of(text: Text) -> dict[str, Any]:
    """How many characters there are, and the SHA-256 of numbers and vocabulary."""
    hashed = hashlib.sha256(np.ascontiguousarray(text.numbers).data)
    hashed.update(json.dumps(text.vocabulary.to_dict()).encode())
    return {"characters": len(text), "sha256": hashed.hexdigest()}


def noted(
    checkpoint: Checkpoint,
    given: ReadText,
    settings: TextSettings,
    data: Mapping[str, Any],
) -> Checkpoint:
    """With the text's place, fingerprint and settings beside every checkpoint."""
    notes = {
        "source": whole(given.path),
        "own": {part: whole(path) for part, path in given.own_paths.items()},
        "settings": settings.to_dict(),
        "data": dict(data),
    }
    return replace(checkpoint, notes={**checkpoint.notes, TEXT: notes})


def whole(path: Path | None) -> str | None:
    """The whole path of a text; None where it is no file."""
    return None if path is None else str(path.absolute())


@dataclass(frozen=True)
class BegunOnText:
    """A run on a text as a checkpoint has it.

    Arguments:
        source: what it was read from; None for a `Text` of the user's own.
        settings: how.
        own: for ``validation`` and ``test`` the same as `source`, where there were
            texts of one's own.
    """

    source: Path | None
    settings: TextSettings
    own: Mapping[str, Path | None]

    def own_sources(self, given: Sources) -> dict[str, Any]:
        """One's own texts: those given now, or else where they were.

        Raises:
            ArgumentError: some are missing, or there were none.
        """
        return sources_again(self.own, given)


def begun(saved: Saved[Any]) -> BegunOnText:
    """What a checkpoint says of its text.

    Raises:
        ModelFileError: what it says is damaged.
    """
    try:
        text = saved.setup.notes[TEXT]
        source = text["source"]
        if not isinstance(source, str | None):
            raise TypeError(source)
        settings = text_settings_from(text["settings"])
        own = own_paths(text["own"])
        for each in (text["data"], *(text["data"][part] for part in own)):
            each["sha256"]
    except (KeyError, TypeError, AttributeError, ArgumentError) as error:
        raise ModelFileError(
            f"{saved.path}: what it says of its text is damaged: {error!r}"
        ) from None
    return BegunOnText(None if source is None else Path(source), settings, own)


def require_same_text(saved: Saved[Any], data: Mapping[str, Any]) -> None:
    """The text is the one that the run had, to the character.

    Raises:
        DataError: it isn't; the message says what differs.
    """
    if why := difference(saved.setup.notes[TEXT]["data"], data):
        raise DataError(
            f"{data['name']}: must be the text that the run in {saved.path} had, but "
            f"{why}"
        )


def difference(before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """In what a text isn't that of before; nothing if it is.

    >>> one = {"characters": 5, "sha256": "a"}
    >>> difference(one, one), difference(one, {**one, "characters": 6})
    ('', 'it has 6 characters, it had 5')
    """
    if before.get("characters") != found["characters"]:
        now, was = found["characters"], before.get("characters")
        had = f"{was:,}" if isinstance(was, int) else str(was)
        return f"it has {now:,} characters, it had {had}"
    if before.get("sha256") != found["sha256"]:
        return "a character was changed since"
    for part in ("validation", "test"):
        mine, other = before.get(part), found.get(part)
        if mine is None and other is None:
            continue
        if mine is None or other is None:
            return f"it had {'no' if mine is None else 'a'} text of its own for {part}"
        if why := difference(mine, other):
            return f"of the text for {part} {why}"
    return ""
