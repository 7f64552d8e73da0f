"""Whether a Parquet file is plainly whole, by its footer and the headers of its pages.

Both lie open in the file, whatever packs its pages. polars believes the headers: of one
that says that a page has −41 values it makes 2⁶⁴ − 41, asks for the memory, and where
there is none ends the process.

Source: `parquet.thrift` in the repository apache/parquet-format.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from thalweg.tables.thrift import Decoder, Struct

MAGIC = b"PAR1"
TAIL = 8
"""Bytes behind the footer: its length, and the mark."""

MOST_FOOTER, MOST_PAGES, MOST_HEADER = 2**19, 2**13, 2**12
"""How much is looked at: what has more, takes longer than a process of its own."""

NUM_ROWS, ROW_GROUPS = 3, 4  # of a file
COLUMNS, GROUP_ROWS = 1, 3  # of a row group
META_DATA = 3  # of a column
VALUES, UNPACKED, PACKED, DATA_AT, DICTIONARY_AT = 5, 6, 7, 9, 11  # of that
PAGE_UNPACKED, PAGE_PACKED = 2, 3  # of a page
DATA, DICTIONARY, DATA_2 = 5, 7, 8
PAGE_VALUES, NULLS, PAGE_ROWS, DEFINITIONS, REPETITIONS = 1, 2, 3, 5, 6  # of its header


class _DamagedError(Exception):
    """Something isn't as it must be."""


def is_plainly_whole(file: BinaryIO) -> bool:
    """Whether footer and pages say the same of how many values there are, and where.

    False as well where that would take long to find out.

    >>> from io import BytesIO
    >>> import polars as pl
    >>> file = BytesIO()
    >>> pl.DataFrame({"age": [31, 42]}).write_parquet(file)
    >>> is_plainly_whole(file), is_plainly_whole(BytesIO(file.getvalue()[:-9]))
    (True, False)
    """
    try:
        _require_whole(file)
    except (_DamagedError, LookupError, TypeError, ValueError, RecursionError):
        # A damaged struct lacks fields, or has others in their places.
        return False
    return True


def _require_whole(file: BinaryIO) -> None:
    footer, end = _footer(file)
    groups = footer[ROW_GROUPS]
    _require(footer[NUM_ROWS] == sum(group[GROUP_ROWS] for group in groups))
    left = MOST_PAGES
    for group in groups:
        for column in group[COLUMNS]:
            left -= _require_pages(
                file, column[META_DATA], group[GROUP_ROWS], end, left
            )


def _footer(file: BinaryIO) -> tuple[Struct, int]:
    """The footer, and where it starts."""
    size = file.seek(0, os.SEEK_END)
    tail = _read(file, size - TAIL, TAIL)
    length = int.from_bytes(tail[:4], "little")
    _require(tail[4:] == MAGIC and length <= MOST_FOOTER)
    start = size - TAIL - length
    return Decoder(_read(file, start, length)).struct(), start


def _require_pages(
    file: BinaryIO, chunk: Struct, rows: int, end: int, most: int
) -> int:
    """How many pages a column has in a row group, if they are as it says."""
    at = min(chunk[DATA_AT], chunk.get(DICTIONARY_AT) or chunk[DATA_AT])
    stop = at + chunk[PACKED]
    _require(chunk[PACKED] >= 0 and stop <= end and 0 <= rows <= chunk[VALUES])
    pages = values = unpacked = 0
    while at < stop:
        pages += 1
        _require(pages <= most)
        file.seek(max(at, 0))
        header = Decoder(file.read(MOST_HEADER))
        page = header.struct()
        values += _values(page)
        unpacked += header.at + page[PAGE_UNPACKED]
        at += header.at + page[PAGE_PACKED]
    _require(at == stop and values == chunk[VALUES])
    _require(unpacked == chunk[UNPACKED])
    return pages


def _values(page: Struct) -> int:
    """How many cells a page has; a dictionary has none."""
    _require(page[PAGE_PACKED] >= 0 and page[PAGE_UNPACKED] >= 0)
    if DICTIONARY in page:
        # Each takes a bit at least.
        _require(0 <= page[DICTIONARY][PAGE_VALUES] <= 8 * page[PAGE_UNPACKED])
        return 0
    header = page.get(DATA) or page[DATA_2]
    values = header[PAGE_VALUES]
    _require(values >= 0)
    if DATA_2 in page:
        counts = (header[NULLS], header[PAGE_ROWS])
        levels = (header[DEFINITIONS], header[REPETITIONS])
        _require(all(0 <= count <= values for count in counts))
        _require(min(levels) >= 0 and sum(levels) <= page[PAGE_UNPACKED])
    return values


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    _require(at >= 0)
    file.seek(at)
    return file.read(size)


def _require(condition: bool) -> None:
    if not condition:
        raise _DamagedError
