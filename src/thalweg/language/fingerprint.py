"""What tells a text from others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.language.own import ReadText
from thalweg.text import Text


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
