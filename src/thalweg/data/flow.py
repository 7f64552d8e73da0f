"""Parts of a table as they flow from one stage of the work to the next."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made by another thread while the one before it is used.

    >>> list(one_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    following = next_of(items)
    while (item := following.result()) is not None:
        following = next_of(items)
        yield item


def next_of(items: Iterator[Item]) -> Future[Item | None]:
    """The next item, or None after the last, made by a thread of its own.

    A pool of threads would have to be closed. Where an error leaves a generator behind,
    that is done by the garbage collector, which may come in the middle of the start of
    a thread, and then the one waits for the other forever.
    """
    future: Future[Item | None] = Future()

    def make() -> None:
        try:
            future.set_result(next(items, None))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=make).start()
    return future


def of_equal_length(parts: Iterator[NDArray[Any]], rows: int) -> Iterator[NDArray[Any]]:
    """The same rows in parts of so many each, the last of fewer; at least one part.

    >>> [part.tolist() for part in of_equal_length(iter([np.arange(3)] * 2), 4)]
    [[0, 1, 2, 0], [1, 2]]
    """
    rest: NDArray[Any] | None = None
    first = True
    for part in parts:
        start = 0
        if rest is not None and len(rest):
            start = rows - len(rest)
            part_of_both = np.concatenate([rest, part[:start]])
            if len(part_of_both) < rows:
                rest = part_of_both
                continue
            yield part_of_both
            first = False
        whole = start + (len(part) - start) // rows * rows
        for place in range(start, whole, rows):
            yield part[place : place + rows]
            first = False
        rest = part[whole:].copy()
    if rest is not None and (first or len(rest)):
        yield rest
