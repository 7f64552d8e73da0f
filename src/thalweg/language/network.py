"""The network of a text: vectors of characters, cells or attention, probabilities."""

from __future__ import annotations

from collections.abc import Iterator

import thalweg.defaults as defaults
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Dense, Dropout, Layer
from thalweg.formulas.normalization import LayerNorm
from thalweg.formulas.positions import Positions
from thalweg.formulas.transformer import TransformerBlock
from thalweg.language.settings import CELLS, TRANSFORMER, TextSettings
from thalweg.network import Network
from thalweg.text import Vocabulary

HEADS = (4, 2, 1)
WIDER = 4
"""Of a block's feed-forward layer: so many times as wide as the block."""


def build(vocabulary: Vocabulary, settings: TextSettings) -> Network:
    """What gives the probabilities of each next character, at every time."""
    of_attention = settings.cell == TRANSFORMER
    middle = blocks(settings) if of_attention else cells(settings)
    width = settings.layers[0] if of_attention else defaults.TEXT_EMBEDDING
    first = Embedding(vocabulary.size, width)
    return Network([first, *middle, Dense(vocabulary.size, "softmax")])


def cells(settings: TextSettings) -> Iterator[Layer]:
    """Recurrent layers, with dropout behind each if there is any."""
    for units in settings.layers:
        yield CELLS[settings.cell](units)
        if settings.dropout:
            yield Dropout(settings.dropout)


def blocks(settings: TextSettings) -> Iterator[Layer]:
    """Causal blocks of attention, which are told the positions."""
    yield Positions()
    for width in settings.layers:
        heads = next(each for each in HEADS if width % each == 0)
        yield TransformerBlock(
            heads, WIDER * width, causal=True, dropout=settings.dropout
        )
    yield LayerNorm()
