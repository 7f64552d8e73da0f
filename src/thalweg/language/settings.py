"""What the user may choose when a text is trained on; everything has a default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypedDict

import thalweg.defaults as defaults
from thalweg.checks import look_up, require, require_text, require_whole
from thalweg.formulas.recurrence import GRU, LSTM, RNN
from thalweg.kinds.regimen import Regimen
from thalweg.text.read import USUAL_MOST, require_most, require_unit
from thalweg.text.vocabulary import Characters

CELLS = {"gru": GRU, "lstm": LSTM, "rnn": RNN}
TRANSFORMER = "transformer"
CLASSES_LOSS = "cross_entropy"
KINDS = {**dict.fromkeys(CELLS, "recurrent"), TRANSFORMER: "attention"}


@dataclass(frozen=True)
class TextSettings(Regimen):
    """How a text is trained on.

    Arguments:
        unit: what is predicted: characters, of UTF-8, or bytes.
        characters: how many different ones are known at most, the most frequent; all
            others are one unknown character.
        cell: gru, lstm or rnn; or transformer, blocks of causal attention.
        layers: the units of each layer of cells, or of each block, which must be alike.
        length: characters of a window, through which gradients go.
        dropout: the share of each layer's outputs switched off in a step.
        loss: cross_entropy, which None is too: characters are classes.
        optimizer: the rule's name.
        learning_rate: at its highest.
        schedule: how it changes: plateau, constant, step, exponential, cosine or
            one_cycle.
        batch_size: windows of a step, or "all".
        epochs: at most; None goes by the number of training windows.
        l1, l2: penalties on the weights, added to the loss.
        weight_decay: decoupled, for adamw and lion; None is the rule's own.
        clip_norm: the longest gradient allowed; None is any.
        patience: epochs without improvement after which training stops.
        min_delta: the improvement of the validation loss below which it doesn't count.
        validation: the share of the text, before its end, that chooses the epoch.
        test: the share of the text, at its end, that is scored once.
        seed: the same seed gives the same network.

    Raises:
        ArgumentError: a setting can't be used; the message says what it must be.

    Example:
        >>> import thalweg as tw
        >>> tw.TextSettings().most_epochs(2_500), tw.TextSettings().most_epochs(100_000)
        (13, 4)
    """

    unit: str = Characters.unit
    characters: int = USUAL_MOST
    cell: str = defaults.TEXT_CELL
    layers: tuple[int, ...] = defaults.TEXT_LAYERS
    length: int = defaults.TEXT_LENGTH
    dropout: float = defaults.TEXT_DROPOUT
    loss: str | None = None
    optimizer: str = defaults.OPTIMIZER
    learning_rate: float = defaults.TEXT_LEARNING_RATE
    schedule: str = defaults.TEXT_SCHEDULE
    batch_size: int | str | None = None
    epochs: int | None = None
    l1: float = defaults.L1
    l2: float = defaults.L2
    weight_decay: float | None = None
    clip_norm: float | None = None
    patience: int = defaults.TEXT_PATIENCE
    min_delta: float = defaults.MIN_DELTA
    validation: float = defaults.TEXT_SHARE
    test: float = defaults.TEXT_SHARE
    seed: int = defaults.SEED

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        self.require_usable()
        require_unit(self.unit)
        require_most(self.characters)
        look_up("cell", self.cell, KINDS)
        fits = self.loss in (None, CLASSES_LOSS)
        must = f"{CLASSES_LOSS} with a text, whose characters are classes"
        require(fits, "loss", must, self.loss)
        require_whole("length", self.length, least=1)
        if self.epochs is not None:
            require_whole("epochs", self.epochs, least=1)
        require(len(self.layers) > 0, "layers", "one or more", self.layers)
        if self.cell == TRANSFORMER:
            alike = len(set(self.layers)) == 1
            require(alike, "layers", "alike for a transformer", self.layers)
        self.require_share("validation", self.validation, "text")
        self.require_share("test", self.test, "text")
        fits = self.validation + self.test < 1
        require(fits, "validation", "below 1 together with test", self.validation)

    def rows_a_step(self, training_rows: int) -> int | str:
        """The windows of a step, whatever their number."""
        return defaults.TEXT_BATCH if self.batch_size is None else self.batch_size

    def most_epochs(self, training_rows: int) -> int:
        """Fewer where there is much text, as each epoch takes more steps."""
        if self.epochs is not None:
            return self.epochs
        size = self.rows_a_step(training_rows)
        rows = training_rows if isinstance(size, str) else size
        wanted = -(-defaults.TEXT_STEPS * rows // training_rows)
        fewest, most = defaults.FEWEST_TEXT_EPOCHS, defaults.MOST_TEXT_EPOCHS
        return min(max(wanted, fewest), most)


class TextTrainSettings(TypedDict, total=False):
    """The settings of a text as `train` takes them, by name; see `TextSettings`."""

    unit: str
    characters: int
    cell: str
    layers: Sequence[int]
    length: int
    dropout: float
    loss: str | None
    optimizer: str
    learning_rate: float
    schedule: str
    batch_size: int | str | None
    epochs: int | None
    l1: float
    l2: float
    weight_decay: float | None
    clip_norm: float | None
    patience: int
    min_delta: float
    validation: float
    test: float
    seed: int
