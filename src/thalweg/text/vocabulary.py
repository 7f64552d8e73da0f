"""Which characters there are, and the number of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from thalweg.cached import cached_property
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.program.types import NumpyArray
from thalweg.tables.strict import require_keys
from thalweg.words import listed

UNKNOWN = 0
"""The number of every character that a vocabulary of characters lacks."""

REPLACEMENT = "\ufffd"
"""How such a character is shown, which is no longer known."""

BYTES = 256
LAST_CODE = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)
MOST_CHARACTERS = 2**16
"""More than any script has in use; each costs the network a row of its tables."""


class Vocabulary(ABC):
    """What a text is made of, numbered from 0."""

    unit: str

    @property
    @abstractmethod
    def size(self) -> int:
        """How many numbers there are."""

    @abstractmethod
    def numbers(self, codes: NumpyArray) -> NumpyArray:
        """The number of each code point, or byte, in this vocabulary's dtype."""

    @abstractmethod
    def text(self, numbers: NumpyArray) -> str:
        """What numbers stand for."""

    @abstractmethod
    def encode(self, text: str, name: str = "text") -> NumpyArray:
        """The numbers of a text, every character of which must be known.

        Raises:
            ArgumentError: one isn't; the message names it.
        """

    @abstractmethod
    def labels(self) -> list[str]:
        """What each number stands for, in the order of the numbers."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The vocabulary as JSON."""

    @property
    def dtype(self) -> type[Any]:
        """Of numbers: uint8 where they fit, else int32."""
        return np.uint8 if self.size <= BYTES else np.int32


@dataclass(frozen=True)
class Bytes(Vocabulary):
    """The 256 bytes, each its own number.

    Example:
        >>> Bytes().encode("né").tolist()
        [110, 195, 169]
    """

    unit = "bytes"

    @property
    def size(self) -> int:
        """256."""
        return BYTES

    def numbers(self, codes: NumpyArray) -> NumpyArray:
        """The bytes themselves."""
        return codes.astype(np.uint8, copy=False)

    def text(self, numbers: NumpyArray) -> str:
        """What the bytes are in UTF-8; those that are nothing are shown as �."""
        return numbers.astype(np.uint8).tobytes().decode("utf-8", "replace")

    def encode(self, text: str, name: str = "text") -> NumpyArray:
        """The bytes of a text in UTF-8.

        Raises:
            ArgumentError: it holds half a surrogate pair, which UTF-8 lacks.
        """
        try:
            return np.frombuffer(text.encode(), np.uint8)
        except UnicodeEncodeError:
            raise ArgumentError(f"{name} must be text that UTF-8 has") from None

    def labels(self) -> list[str]:
        """Each byte in hexadecimal."""
        return [f"{byte:02x}" for byte in range(BYTES)]

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary as JSON."""
        return {"unit": self.unit}


@dataclass(frozen=True)
class Characters(Vocabulary):
    """Characters in the order of their code points, from 1; 0 is any other.

    Arguments:
        codes: the code points, rising.

    Example:
        >>> letters = Characters((97, 98, 110))
        >>> letters.encode("ban").tolist(), letters.text(np.array([2, 1, 0]))
        ([2, 1, 3], 'ba�')
    """

    codes: tuple[int, ...]
    unit = "characters"

    @classmethod
    def counted(cls, counts: NumpyArray, most: int) -> Characters:
        """The most frequent characters.

        Arguments:
            counts: how often each code point occurs, by its number.
            most: how many characters there may be; of two that are as frequent, the
                one with the smaller code point comes first.
        """
        there = np.flatnonzero(counts)
        order = np.argsort(-counts[there], kind="stable")
        return cls(tuple(np.sort(there[order[:most]]).tolist()))

    @property
    def size(self) -> int:
        """One more than there are characters."""
        return 1 + len(self.codes)

    @cached_property
    def known(self) -> NumpyArray:
        """The code points as an array."""
        return np.array(self.codes, np.uint32)

    def numbers(self, codes: NumpyArray) -> NumpyArray:
        """The place of each code point among the known ones, from 1; else 0."""
        if not self.codes:
            return np.zeros(len(codes), self.dtype)
        places = np.searchsorted(self.known, codes)
        places[places == len(self.codes)] = 0
        found = self.known[places] == codes
        return np.where(found, places + 1, UNKNOWN).astype(self.dtype)

    def text(self, numbers: NumpyArray) -> str:
        """The characters; unknown ones are shown as �."""
        codes = np.concatenate([[ord(REPLACEMENT)], self.known])
        return codes[numbers].astype("<u4").tobytes().decode("utf-32-le")

    def encode(self, text: str, name: str = "text") -> NumpyArray:
        """The numbers of a text's characters.

        Raises:
            ArgumentError: the vocabulary lacks one.
        """
        codes = np.array([ord(each) for each in text], np.uint32)
        numbers = self.numbers(codes)
        if not numbers.all():
            lacking = dict.fromkeys(chr(code) for code in codes[numbers == UNKNOWN])
            raise ArgumentError(
                f"{name} must have characters that the text had which was learned "
                f"from, got {listed(list(lacking))}; it had {shown(self.text_of_all)}"
            )
        return numbers

    @property
    def text_of_all(self) -> str:
        """All characters that are known, in their order."""
        return "".join(map(chr, self.codes))

    def labels(self) -> list[str]:
        """Each character itself."""
        return [REPLACEMENT, *map(chr, self.codes)]

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary as JSON."""
        return {"unit": self.unit, "codes": list(self.codes)}


def shown(characters: str, most: int = 100) -> str:
    """Characters in quotes, cut where they are many.

    >>> shown("abc", most=2)
    "'ab' and 1 more"
    """
    hidden = len(characters) - most
    more = f" and {hidden:,} more" if hidden > 0 else ""
    return f"{characters[:most]!r}{more}"


def vocabulary_from(data: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary that `to_dict` wrote.

    Raises:
        ModelFileError: it isn't one.
    """
    unit = data.get("unit")
    if unit == Bytes.unit:
        require_keys(data, "a vocabulary of bytes", "unit")
        return Bytes()
    found = require_keys(data, "a vocabulary", "unit", "codes")
    if unit != Characters.unit:
        raise ModelFileError(
            f"a vocabulary must be of characters or bytes, got {unit!r:.40}"
        )
    codes = list(found["codes"])
    if not 1 <= len(codes) <= MOST_CHARACTERS:
        raise ModelFileError(
            f"a vocabulary must have 1 to {MOST_CHARACTERS:,} characters, "
            f"got {len(codes):,}"
        )
    if not all(map(is_code, codes)):
        raise ModelFileError("a vocabulary must hold the code points of characters")
    if not all(one < other for one, other in pairwise(codes)):
        raise ModelFileError("a vocabulary's code points must rise")
    return Characters(tuple(codes))


def is_code(code: object) -> bool:
    """Whether a character can have that code point: no half of a surrogate pair."""
    fits = type(code) is int and 0 <= code <= LAST_CODE
    return fits and code not in SURROGATES
