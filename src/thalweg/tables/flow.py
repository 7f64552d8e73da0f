"""Parts of a table as they flow from one stage of the work to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.errors import ThalwegError

if TYPE_CHECKING:
    from thalweg.tables.cell_report import Report
    from thalweg.tables.encode import Encoder
    from thalweg.tables.table import Table

Item = TypeVar("Item")
Floats: TypeAlias = NDArray[np.float32]


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made by another thread while the one before it is used.

    Raises:
        ThalwegError: a forked child goes on, where that thread isn't.

    >>> list(one_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    # A pool that is left alone ends its thread when it is gone, and waits for nothing.
    # Closed, it would take a lock, which the garbage collector, where it ends a
    # generator that an error left behind, may come upon in the hands of its own thread.
    pool, process = ThreadPoolExecutor(max_workers=1), os.getpid()
    try:
        following = pool.submit(next, items, None)
    except RuntimeError:  # there is no room for a thread
        yield from items
        return
    while (item := following.result()) is not None:
        following = pool.submit(next, items, None)
        yield item
        if os.getpid() != process:
            raise ThalwegError(
                "a table must be read on by the process that began to read it, "
                "but a child that it forked goes on"
            )


def encoded_in_turns(
    tables: Iterator[Table], encoder: Encoder, rows: int
) -> Iterator[tuple[Floats, pl.Series, list[Report]]]:
    """A table's features, some rows at a time: so many, or a multiple.

    Two arrays take turns, since new memory costs more time than what is written into
    it: one is written over when the array after the next is asked for.

    Args:
        tables: the parts of a table, of any lengths.
        encoder: makes features of them.
        rows: what the length of each array but the last is a multiple of.

    Returns:
        Arrays of shape (multiple of rows, features), some of them with no rows; for
        each row the columns whose cells can't be read; and what was found in the cells
        meanwhile.
    """
    width = len(encoder.features)
    arrays = [np.empty((0, width), np.float32)] * 2
    rest, rest_marks = arrays[0], pl.Series(dtype=pl.String)
    for turn, table in zip(cycle((0, 1)), tables):
        stop = len(rest) + table.rows
        if stop > len(arrays[turn]):
            arrays[turn] = np.empty((-(-stop // rows) * rows, width), np.float32)
        X = arrays[turn][:stop]
        new = X[len(rest) :]
        X[: len(rest)], new[:] = rest, 0
        report = encoder.encode_into(table, new)
        whole = stop // rows * rows
        marks = rest_marks.append(report.every_mark())
        yield X[:whole], marks[:whole], [report]
        rest, rest_marks = X[whole:], marks[whole:]
    yield rest, rest_marks, []
