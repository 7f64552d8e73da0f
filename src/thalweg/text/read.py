"""A text's file as numbers, read twice: to count characters, and to number them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from thalweg.checks import look_up, require
from thalweg.errors import DataError
from thalweg.program.types import NumpyArray
from thalweg.tables.source import PACKED_SUFFIXES, File, file_of, readable
from thalweg.text.decode import Seen, code_points
from thalweg.text.vocabulary import (
    LAST_CODE,
    MOST_CHARACTERS,
    Bytes,
    Characters,
    Vocabulary,
)

SUFFIXES = (".txt", ".text", ".md", ".rst")
"""How names of texts end; of one with another ending its unit must be said."""

UNIT_NAMES = {Characters.unit: "of UTF-8", Bytes.unit: "as they are"}

USUAL_MOST = 4096
"""So many characters write most languages; rarer ones are unknown."""


def is_text(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it is a text, and no table.

    >>> is_text("shakespeare.txt"), is_text("notes.md.gz"), is_text("iris.csv")
    (True, True, False)
    """
    place = Path(path)
    packed = place.suffix.lower() in PACKED_SUFFIXES
    named = Path(place.stem) if packed else place
    return named.suffix.lower() in SUFFIXES


def require_unit(unit: str) -> None:
    """A text can be read so.

    Raises:
        ArgumentError: it can't.
    """
    look_up("unit", unit, UNIT_NAMES)


def require_most(most: int) -> None:
    """A vocabulary can have so many characters.

    Raises:
        ArgumentError: it can't.
    """
    fits = type(most) is int and 1 <= most <= MOST_CHARACTERS
    must = f"a whole number, 1 to {MOST_CHARACTERS:,}"
    require(fits, "characters", must, most)


def numbered(
    source: str | os.PathLike[str], unit: str, most: int, known: Vocabulary | None
) -> tuple[str, NumpyArray, Vocabulary, tuple[str, ...]]:
    """A text's name, its numbers, what they stand for, and what was changed in it.

    Arguments:
        source: its path; ``-`` is standard input.
        unit: ``characters`` or ``bytes``.
        most: how many characters the vocabulary may have.
        known: the vocabulary, where it is known before.

    Raises:
        FileError: there is no such file, or it can't be read.
        DataError: it is empty, or isn't UTF-8, or is packed and isn't whole.
    """
    file = file_of(source)
    with readable(file.shown):
        return of_file(file, unit if known is None else known.unit, most, known)


def of_file(
    file: File, unit: str, most: int, known: Vocabulary | None
) -> tuple[str, NumpyArray, Vocabulary, tuple[str, ...]]:
    """The same of a file that is there."""
    seen = Seen()
    counts = counted_codes(codes_of(file, unit, seen))
    if not counts.any():
        raise DataError(f"{file.name}: must hold a text, but is empty")
    vocabulary = known or (
        Bytes() if unit == Bytes.unit else Characters.counted(counts, most)
    )
    numbers, stop = np.empty(int(counts.sum()), vocabulary.dtype), 0
    for codes in codes_of(file, unit):
        start, stop = stop, stop + len(codes)
        numbers[start:stop] = vocabulary.numbers(codes)
    return file.name, numbers, vocabulary, seen.notes()


def codes_of(file: File, unit: str, seen: Seen | None = None) -> Iterator[NumpyArray]:
    """What a file holds, a chunk at a time: code points, or bytes."""
    if unit == Characters.unit:
        yield from code_points(file.chunks(), file.name, seen)
        return
    for chunk in file.chunks():
        yield np.frombuffer(chunk, np.uint8)


def counted_codes(chunks: Iterator[NumpyArray]) -> NumpyArray:
    """How often each code point occurs."""
    counts = np.zeros(LAST_CODE + 1, np.int64)
    for codes in chunks:
        found = np.bincount(codes)
        counts[: len(found)] += found
    return counts
