"""Small networks that learn a text's next characters, for several figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thalweg.figures.examples import Text, shakespeare
from thalweg.figures.runs import trained
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.normalization import LayerNorm
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.positions import Positions
from thalweg.formulas.recurrence import GRU, LSTM, RNN
from thalweg.formulas.schedules import OneCycle
from thalweg.formulas.transformer import TransformerBlock
from thalweg.model.history import EpochRecord
from thalweg.network import Network
from thalweg.program.types import NumpyArray

CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
UNSEEN = 20_000  # characters at the text's end, which nothing learns from
APART = 20_000  # before them, by which `thalweg train` chooses its best epoch


@dataclass(frozen=True)
class Learner:
    """A network of a text, and how it learns.

    Arguments:
        kind: a cell's name, or ``transformer``.
        units: of the cell, or the width of the transformer.
        blocks: of the transformer.
        heads: of each block.
        positions: ``learned`` and ``sine`` ones are added, ``rotary`` ones turn.
        characters: how many there are to learn from, at most those of `parts`.
        times: the characters of a window.
    """

    kind: str = "LSTM"
    units: int = 96
    blocks: int = 2
    heads: int = 4
    positions: str = "rotary"
    characters: int = 100_000
    times: int = 64
    epochs: int = 4
    batch_size: int = 16
    learning_rate: float = 0.01
    seed: int = 0

    def learned(self, after: Callable[[EpochRecord], None] | None = None) -> Network:
        """The network after its training."""
        seen, unseen = parts(self.characters)
        return trained(
            self.layers(len(seen.alphabet)),
            seen.windows(self.times),
            optimizer=Adam(OneCycle(self.learning_rate)),
            epochs=self.epochs,
            batch_size=self.batch_size,
            validation=unseen.windows(self.times).pair,
            clip_norm=1.0,
            seed=self.seed,
            callback=after,
        )

    def layers(self, classes: int) -> list[Layer]:
        """From numbers of characters to probabilities of the next ones."""
        last = Dense(classes, "softmax")
        if self.kind in CELLS:
            return [Embedding(classes, 32), CELLS[self.kind](self.units), last]
        rotary = self.positions == "rotary"
        added = [] if rotary else [Positions(self.positions)]
        block = TransformerBlock(
            self.heads,
            2 * self.units,
            causal=True,
            positions="rotary" if rotary else None,
        )
        first = Embedding(classes, self.units)
        return [first, *added, *[block] * self.blocks, LayerNorm(), last]


WRITER = Learner(characters=160_000, learning_rate=0.02)
"""The LSTM that several figures look at."""


def parts(characters: int) -> tuple[Text, Text]:
    """What there is to learn from, and what stays unseen."""
    text = shakespeare()
    last, first = len(text) - UNSEEN - APART, len(text) - UNSEEN
    return text.part(max(0, last - characters), last), text.part(first, len(text))


def surprises(network: Network, text: Text, times: int) -> NumpyArray:
    """−log₂ of the probability of each next character, (windows, times)."""
    rows = text.windows(times)
    p = np.take_along_axis(network.predict(rows.X), rows.y[..., np.newaxis], axis=-1)
    return -np.log2(p[..., 0].astype(np.float64))
