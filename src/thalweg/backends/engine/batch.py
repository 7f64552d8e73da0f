"""A program over a batch of rows, traced once for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache

from thalweg.backends.engine.split import Parts, split
from thalweg.cached import cached_property
from thalweg.program.ir import Program
from thalweg.program.row_axes import RowAxes, find_rows
from thalweg.program.sizes import FEWEST, ROWS

KEPT = 8  # programs of different numbers of rows


class Batch:
    """A program that a function gives for a number of rows, traced as seldom as can be.

    Arguments:
        make: gives the program for a number of rows, or for `ROWS`, any number.
        inputs: the names of its inputs that hold rows.

    A formula that needs the number itself, such as ``losses / len(losses)``, is traced
    anew for each; so is a single row, for which a formula may choose another way.
    """

    def __init__(self, make: Callable[[int], Program], inputs: Collection[str]) -> None:
        self.inputs = tuple(inputs)
        self._make = make
        self._counted = lru_cache(KEPT)(make)

    @cached_property
    def traced(self) -> Program | None:
        """The program for any number of rows; None if its formula needs the number."""
        try:
            return self._make(ROWS)
        except Exception:  # what is wrong for every number is told of a number
            return None

    @cached_property
    def rows(self) -> RowAxes | None:
        """How rows run through the program; None where they meet."""
        return None if self.traced is None else find_rows(self.traced)

    @cached_property
    def parts(self) -> Parts | None:
        """The program cut into what runs on blocks of rows, and the rest, if it can."""
        if self.traced is None or self.rows is None:
            return None
        return split(self.traced, self.rows)

    def parts_at(self, rows: int) -> Parts | None:
        """The same, where there are as many rows as parts are for."""
        return self.parts if rows >= FEWEST else None

    def at(self, rows: int) -> Program:
        """The program for a number of rows."""
        if self.traced is None or rows < FEWEST:
            return self._counted(rows)
        return self.traced.at(rows=rows)
