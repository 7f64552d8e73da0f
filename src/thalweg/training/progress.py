"""Both losses while a network trains: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from thalweg.printable import printable

if TYPE_CHECKING:
    from thalweg.model.history import EpochRecord

PLAIN_LINES = 20  # about as many where nothing can be written over
UP_AND_CLEAR = "\x1b[A\r\x1b[2K"


class Progress:
    """A callback that shows the epoch, both losses and the metrics, as a table.

    Arguments:
        epochs: how many there are at most.
        stream: where to write; standard error unless told.

    On a terminal the last row is written over and over; elsewhere every twentieth of
    the epochs gets a row of its own, and so does the last one when `close` is called.
    """

    def __init__(self, epochs: int, stream: TextIO | None = None) -> None:
        self._epochs = epochs
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._best: tuple[float, int] | None = None
        self._shown: EpochRecord | None = None
        self._last: EpochRecord | None = None

    def __call__(self, record: EpochRecord) -> None:
        """Show one epoch."""
        loss = record.validation_loss
        if loss is not None and (self._best is None or loss < self._best[0]):
            self._best = (loss, record.epoch)
        self._last = record
        every = max(self._epochs // PLAIN_LINES, 1)
        if self._live or record.epoch == 1 or record.epoch % every == 0:
            self._show(record)

    def close(self, remark: str = "") -> None:
        """Show the last epoch, if it wasn't yet.

        Arguments:
            remark: a line below it.
        """
        if self._last is not None and self._last is not self._shown:
            self._show(self._last)
        if remark:
            with suppress(OSError):
                self._stream.write(f"{printable(remark)}\n")
                self._stream.flush()

    def _show(self, record: EpochRecord) -> None:
        with suppress(OSError):  # a terminal that was closed doesn't end training
            self._write(record)
        self._shown = record

    def _write(self, record: EpochRecord) -> None:
        cells = row(record, self._epochs, self._best and self._best[1])
        if self._shown is None:
            self._stream.write(aligned(cells, tuple(cells)) + "\n")
        elif self._live:
            self._stream.write(UP_AND_CLEAR)
        self._stream.write(aligned(cells, tuple(cells.values())) + "\n")
        self._stream.flush()


def row(record: EpochRecord, epochs: int, best_epoch: int | None) -> dict[str, str]:
    """One epoch as cells by the names of their columns."""
    cells = {
        "epoch": f"{record.epoch}/{epochs}",
        "training loss": figure(record.training_loss),
    }
    if record.validation_loss is not None:
        cells["validation loss"] = figure(record.validation_loss)
    metrics = record.validation_metrics or record.training_metrics
    cells |= {printable(in_words(name)): figure(x) for name, x in metrics.items()}
    if best_epoch is not None:
        cells["best epoch"] = str(best_epoch)
    return cells


def aligned(cells: dict[str, str], texts: tuple[str, ...]) -> str:
    """Texts under each other, to the right; a metric's name may be short."""
    widths = [max(len(name), 9) for name in cells]
    return "  ".join(f"{t:>{w}}" for t, w in zip(texts, widths, strict=True))


def in_words(metric: str) -> str:
    """The name of a metric as it is read.

    >>> in_words("bits_per_character")
    'bits per character'
    """
    return metric.replace("_", " ")


def figure(value: float) -> str:
    """A number to four digits, of the same length whatever its digits are.

    >>> figure(0.5), figure(54321.0)
    ('0.5000', '54,321')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:#.4g}"
