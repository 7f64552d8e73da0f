"""Columns of plain numbers, of which wide tables have thousands, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thalweg.tables.counting import counts
from thalweg.tables.forms import USUAL, NumberForm
from thalweg.tables.forms.numbers import EXACT
from thalweg.tables.infer.set_aside import NAMED_IDENTIFIER
from thalweg.tables.number_block import NumberBlock, have_zeros_in_front, number_blocks
from thalweg.tables.schema import Column
from thalweg.tables.table import Table

WITH_WORDS = NumberForm(words=True)


def plain_numbers(table: Table, names: Sequence[str]) -> dict[str, Column]:
    """The columns of which it is plain that they are numbers, and no identifiers."""
    found: dict[str, Column] = {}
    for block in number_blocks(table, names):
        if not block.names:
            continue
        plain = _plainly_numbers(block, table)
        digits = _zeros_and_ones(block)
        rows = block.values.shape[1]
        for place in np.flatnonzero(plain):
            missing = int(block.missing[place])
            present = rows - missing
            said = f", {missing:,} missing" if missing else ""
            why = f"{present:,} of {present:,} cells are numbers{said}"
            form = WITH_WORDS if digits[place] else USUAL["number"]
            name = block.names[place]
            found[name] = Column(name, "number", why, form)
    return found


def _plainly_numbers(block: NumberBlock, table: Table) -> NDArray[np.bool_]:
    """Which columns nothing speaks against, shape (columns,)."""
    values, known = block.values, ~np.isnan(block.values)
    low = np.where(known, values, np.inf).min(axis=1)
    high = np.where(known, values, -np.inf).max(axis=1)
    plain = (low < high) & (np.maximum(-low, high) <= EXACT)
    plain &= ~counts(values)
    named = [NAMED_IDENTIFIER.search(name) is not None for name in block.names]
    plain &= ~np.array(named)
    if table.typed:  # texts of a frame may be meant as texts
        return plain & ~block.texts
    whole = ((values == np.rint(values)) | ~known).all(axis=1)  # as codes are
    texts = np.flatnonzero(plain & block.texts & whole)
    names = [block.names[place] for place in texts]
    plain[texts[have_zeros_in_front(table, names)]] = False
    return plain


def _zeros_and_ones(block: NumberBlock) -> NDArray[np.bool_]:
    """Which columns hold both 0 and 1, and nothing else."""
    zeros, ones = block.values == 0, block.values == 1
    only = (zeros | ones | np.isnan(block.values)).all(axis=1)
    return only & zeros.any(axis=1) & ones.any(axis=1)
