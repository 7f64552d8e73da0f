"""Texts as they can be shown, whatever stands in a name.

A terminal obeys control characters, and one that reverses the direction of a line makes
it say something else. So everything that is printed, and every page, goes through here.
"""

from __future__ import annotations

import json
from typing import Any


def printable(text: str) -> str:
    """A text on one line; what Unicode doesn't count as printable is its escape.

    That is every control character, what changes the direction of writing, the ends of
    lines and paragraphs, spaces that aren't the usual one, and lone surrogates.

    >>> print(printable("a\\x1b[2Jb\\n\\u202ec"))
    a\\x1b[2Jb\\n\\u202ec
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else escape(each) for each in text)


def printable_lines(text: str) -> str:
    """The same of each line of a text.

    >>> print(printable_lines("a\\n\\tb"))
    a
    \\tb
    """
    return "\n".join(map(printable, text.split("\n")))


def escape(character: str) -> str:
    r"""A character as Python writes it: ``\x1b``.

    >>> print(escape("\u2028"))
    \u2028
    """
    return repr(character)[1:-1]


def json_text(value: Any, ascii_alone: bool = False) -> str:
    """JSON on one line, with JSON's escapes for what isn't printable.

    Arguments:
        value: of which JSON can be made, without NaN and infinity.
        ascii_alone: escape all that isn't ASCII.

    Raises:
        ValueError: there is a NaN or infinity.

    >>> print(json_text({"é": "\\x9b\\U000e0001"}))
    {"é": "\\u009b\\udb40\\udc01"}
    """
    text = json.dumps(value, ensure_ascii=ascii_alone, allow_nan=False)
    if text.isprintable():
        return text
    escaped = (each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
    return "".join(escaped)
