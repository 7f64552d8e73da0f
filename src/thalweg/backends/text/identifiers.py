"""Names for what is written as Python: each is one thing's alone."""

from __future__ import annotations

import itertools
import keyword
import unicodedata
from collections.abc import Iterable


class Identifiers:
    """Gives out identifiers; none is a word of Python, reserved, or given twice.

    Whatever writes formulas or code takes each name in it from here, those that a
    user gave and those of its own, so that no two of them meet.

    Arguments:
        reserved: names that mean something else where the text is read.

    Example:
        >>> from thalweg.backends.text.identifiers import Identifiers
        >>> names = Identifiers(reserved=["exp"])
        >>> [names.give(name) for name in ("weights", "weights", "exp", "a b", "t1")]
        ['weights', 'weights2', 'exp_', 'a_b', 't1']
        >>> names.number("t")
        't2'
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._reserved = {*keyword.kwlist, *reserved}
        self._given: set[str] = set()

    def give(self, wanted: str) -> str:
        """The identifier that is nearest to a text."""
        plain = identifier(wanted)
        plain = f"{plain}_" if plain in self._reserved else plain
        numbered = (f"{plain}{count}" for count in itertools.count(2))
        return self._first(itertools.chain([plain], numbered))

    def number(self, letter: str) -> str:
        """The next of t1, t2, …"""
        return self._first(f"{letter}{count}" for count in itertools.count(1))

    def _first(self, candidates: Iterable[str]) -> str:
        taken = self._reserved | self._given
        name = next(name for name in candidates if name not in taken)
        self._given.add(name)
        return name


def identifier(text: str) -> str:
    """A text as Python would read it in code, with ``_`` for what can't be in a name.

    >>> identifier("ﬁrst name"), identifier("2nd"), identifier("lambda")
    ('first_name', '_2nd', 'lambda')
    """
    read = unicodedata.normalize("NFKC", text)
    plain = "".join(each if f"_{each}".isidentifier() else "_" for each in read)
    return plain if plain.isidentifier() else f"_{plain}"
