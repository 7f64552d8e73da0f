"""Bytes become code points, a chunk at a time."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NoReturn

import numpy as np

from thalweg.errors import DataError
from thalweg.program.types import NumpyArray
from thalweg.words import counted

MARK = 0xFEFF
RETURN, NEW_LINE = 13, 10
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass
class Seen:
    """What was changed of a text while it was decoded.

    Arguments:
        mark: whether a byte order mark stood at its start, which is left out.
        returns: how many line ends of Windows became plain ones.
    """

    mark: bool = False
    returns: int = 0

    def notes(self) -> tuple[str, ...]:
        """The same in sentences."""
        found = ["the byte order mark at its start is left out"] if self.mark else []
        if self.returns:
            ends = counted(self.returns, "line end")
            found.append(rf"{ends} of Windows, \r\n, are read as \n")
        return tuple(found)


def code_points(
    chunks: Iterable[bytes], name: str, seen: Seen | None = None
) -> Iterator[NumpyArray]:
    """The code points of UTF-8; each line end is one, ``\\n``.

    Arguments:
        chunks: the text's bytes.
        name: of the text, for messages.
        seen: is told what was changed.

    Raises:
        DataError: it isn't UTF-8; names the byte's place.
    """
    told, first, kept = seen or Seen(), True, np.empty(0, np.uint32)
    for codes in decoded(chunks, name):
        if first and codes.size:
            first, told.mark = False, bool(codes[0] == MARK)
            codes = codes[int(told.mark) :]
        codes = np.concatenate([kept, codes])
        # The line may end in the next chunk.
        until = len(codes) - bool(codes.size and codes[-1] == RETURN)
        ends = np.flatnonzero((codes[:-1] == RETURN) & (codes[1:] == NEW_LINE))
        told.returns += len(ends)
        kept = codes[until:]
        yield np.delete(codes[:until], ends) if len(ends) else codes[:until]
    yield kept


def decoded(chunks: Iterable[bytes], name: str) -> Iterator[NumpyArray]:
    """The code points of UTF-8 as they are.

    Raises:
        DataError: it isn't UTF-8; names the byte's place.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, start = 0, b""
    for chunk, final in chain(((each, False) for each in chunks), [(b"", True)]):
        held, _ = decoder.getstate()
        start = start or (held + chunk)[:2]
        try:
            text = decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            place = before - len(held) + error.start
            refuse(name, place, (held + chunk)[error.start], start)
        before += len(chunk)
        yield np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.uint32)


def refuse(name: str, place: int, byte: int, start: bytes) -> NoReturn:
    """The error for a byte that UTF-8 hasn't there."""
    advice = "convert it, or read it as bytes: unit='bytes'"
    if start in UTF_16:
        advice = "it starts as UTF-16 does, so convert it: iconv -f UTF-16 -t UTF-8"
    raise DataError(
        f"{name}: must be text in UTF-8, but the byte at place {place:,} is "
        f"0x{byte:02x}, which can't stand there; {advice}"
    )
