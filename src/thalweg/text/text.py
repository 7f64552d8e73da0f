"""A text as numbers, and the rows that a network learns from."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from thalweg.checks import is_number, require, require_whole
from thalweg.errors import DataError
from thalweg.program.types import NumpyArray
from thalweg.text.read import USUAL_MOST, numbered, require_most, require_unit
from thalweg.text.vocabulary import (
    UNKNOWN,
    Bytes,
    Characters,
    Vocabulary,
)
from thalweg.text.windows import require_long, windows

LENGTH = 64


@dataclass(frozen=True, eq=False)
class Text:
    """A text as the numbers of its characters, or of its bytes.

    Characters are numbered from 1 in the order of their code points; 0 is any character
    that the vocabulary lacks. Bytes are their own numbers.

    Arguments:
        numbers: one a character; uint8 where the vocabulary has at most 256 numbers,
            else int32.
        vocabulary: what each number stands for.
        name: what messages call it.
        notes: what was changed while it was read, in sentences.

    Example:
        >>> import thalweg as tw
        >>> text = tw.Text.read("examples/shakespeare.txt")
        >>> len(text), text.vocabulary.size, str(text[:14])
        (199994, 63, 'First Citizen:')
    """

    numbers: NumpyArray
    vocabulary: Vocabulary
    name: str = "text"
    notes: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        source: str | os.PathLike[str],
        *,
        unit: str = Characters.unit,
        characters: int = USUAL_MOST,
        vocabulary: Vocabulary | None = None,
    ) -> Text:
        """Read a file, which may be packed (.gz, .xz, .zst, .zip).

        A byte order mark at the start is left out, and line ends of Windows become
        plain ones. Bytes are read as they are.

        Arguments:
            source: its path; ``-`` is standard input.
            unit: ``characters``, of UTF-8, or ``bytes``.
            characters: how many the vocabulary has at most: the most frequent ones.
            vocabulary: that of another text, instead of one of its own.

        Raises:
            FileError: there is no such file, or it can't be read.
            DataError: it is empty, or isn't UTF-8 (the message says at which byte), or
                what is packed isn't whole or becomes too much.
            ArgumentError: an argument can't be used.
        """
        require_unit(unit)
        require_most(characters)
        name, numbers, own, notes = numbered(source, unit, characters, vocabulary)
        return cls(numbers, own, name, notes)

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary | None = None) -> Text:
        """A text that is there already.

        Example:
            >>> Text.of("abba").numbers.tolist()
            [1, 2, 2, 1]
        """
        codes = np.array([ord(each) for each in text], np.uint32)
        if vocabulary is None:
            vocabulary = Characters(tuple(np.unique(codes).tolist()))
        if isinstance(vocabulary, Bytes):
            return cls(vocabulary.encode(text), vocabulary)
        return cls(vocabulary.numbers(codes), vocabulary)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, part: slice) -> Text:
        """A part of the text, without a copy of it."""
        return replace(self, numbers=self.numbers[part])

    def __str__(self) -> str:
        """The text; characters that the vocabulary lacks are shown as �."""
        return self.vocabulary.text(self.numbers)

    @property
    def unknown(self) -> int:
        """How many of its characters the vocabulary lacks."""
        if isinstance(self.vocabulary, Bytes):
            return 0
        return len(self) - int(np.count_nonzero(self.numbers != UNKNOWN))

    def next_characters(
        self, length: int = LENGTH, step: int | None = None
    ) -> tuple[NumpyArray, NumpyArray]:
        """Rows to learn from: at each of a row's times, which character comes next.

        X[r, t] = n[r·step + t], y[r, t] = n[r·step + t + 1]

        Both are views of one array each, whatever the step: rows that overlap take no
        memory, and `fit` reads them where they lie.

        Arguments:
            length: the times of a row.
            step: how far apart rows begin; None is their length, so that each character
                is asked for once.

        Returns:
            X, shape (rows, length): uint8 where the vocabulary has at most 256 numbers,
            else float32; and y, shape (rows, length), int32.

        Raises:
            DataError: the text is no longer than a row.
            ArgumentError: an argument isn't a whole number of 1 or more.

        Example:
            >>> X, y = Text.of("abcab").next_characters(length=2)
            >>> X.tolist(), y.tolist()
            ([[1, 2], [3, 1]], [[2, 3], [1, 2]])
        """
        require_whole("length", length, least=1)
        apart = length if step is None else step
        require_whole("step", apart, least=1)
        require_long(self.numbers, length, self.name)
        small = self.numbers.dtype == np.uint8
        inputs = self.numbers if small else self.numbers.astype(np.float32)
        targets = self.numbers.astype(np.int32, copy=False)
        return (
            windows(inputs[:-1], length, apart),
            windows(targets[1:], length, apart),
        )

    def in_vocabulary(self, vocabulary: Vocabulary) -> Text:
        """The same text in other numbers; what the other vocabulary lacks is unknown.

        Raises:
            DataError: one is of characters, the other of bytes.
        """
        if vocabulary == self.vocabulary:
            return self
        if not (
            isinstance(vocabulary, Characters)
            and isinstance(self.vocabulary, Characters)
        ):
            raise DataError(
                f"{self.name}: must be read as {vocabulary.unit}, as in training, but "
                f"was read as {self.vocabulary.unit}"
            )
        known = vocabulary.numbers(self.vocabulary.known)
        table = np.concatenate([np.zeros(1, vocabulary.dtype), known])
        return replace(self, numbers=table[self.numbers], vocabulary=vocabulary)

    def split(self, validation: float = 0.1, test: float = 0.1) -> TextParts:
        """The text in three: to learn from, then to choose the epoch by, then to test.

        Each part is one piece, in the order of the text. Rows drawn at random would lie
        beside rows to learn from, or over them, and a network that knows those by heart
        would seem to know others. The vocabulary is that of the part to learn from.

        Arguments:
            validation, test: shares of the characters, below 1; 0 where there is a text
                of one's own for that.

        Raises:
            ArgumentError: a share can't be one, or nothing is left.
            DataError: a part would be empty.

        Example:
            >>> parts = Text.of("to be or not to be, that is").split(0.2, 0.2)
            >>> [str(part) for part in (parts.training, parts.validation, parts.test)]
            ['to be or not to b', 'e� t�', '�t ��']
        """
        for name, share in (("validation", validation), ("test", test)):
            fits = is_number(share) and 0 <= share < 1
            require(fits, name, "a share of the text, 0 to below 1", share)
        fits = validation + test < 1
        require(fits, "validation", "below 1 together with test", validation)
        count = len(self)
        last, chosen = round(count * test), round(count * validation)
        first = count - last - chosen
        if first < 1 or (validation and not chosen) or (test and not last):
            raise DataError(
                f"{self.name}: must have characters enough for three parts, "
                f"got {count:,}"
            )
        text = self.in_vocabulary(present(self.numbers[:first], self.vocabulary))
        middle = first + chosen
        return TextParts(text[:first], text[first:middle], text[middle:])


@dataclass(frozen=True)
class TextParts:
    """A text in three parts, one after the other, of one vocabulary.

    Arguments:
        training: to learn from.
        validation: to choose the epoch by.
        test: to be scored once.
    """

    training: Text
    validation: Text
    test: Text


def present(numbers: NumpyArray, vocabulary: Vocabulary) -> Vocabulary:
    """The characters that are there; all bytes, where those are numbered."""
    if not isinstance(vocabulary, Characters):
        return vocabulary
    counts = np.bincount(numbers, minlength=vocabulary.size)[1:]
    there = np.flatnonzero(counts).tolist()
    return Characters(tuple(vocabulary.codes[place] for place in there))
