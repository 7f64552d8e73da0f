"""Both losses while a network trains: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import TextIO

from thalweg.training.history import EpochRecord


class Progress:
    """A callback that shows the epoch, both losses and the metrics.

    Arguments:
        epochs: how many there are at most.
        stream: where to write; standard error unless told.

    On a terminal one line is written over and over; elsewhere every tenth of the epochs
    gets a line of its own.
    """

    def __init__(self, epochs: int, stream: TextIO | None = None) -> None:
        self._epochs = epochs
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._best = float("inf")

    def __call__(self, record: EpochRecord) -> None:
        """Show one epoch."""
        loss = record.validation_loss
        improved = loss is not None and loss < self._best
        if loss is not None:
            self._best = min(self._best, loss)
        if self._live:
            self._stream.write(f"\r\x1b[2K{line(record, self._epochs, improved)}")
        elif record.epoch == 1 or record.epoch % max(self._epochs // 10, 1) == 0:
            self._stream.write(line(record, self._epochs, improved) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """End the live line, so that what follows starts a new one."""
        if self._live:
            self._stream.write("\n")
            self._stream.flush()


def line(record: EpochRecord, epochs: int, improved: bool) -> str:
    """One epoch as text."""
    parts = [
        f"epoch {record.epoch}/{epochs}",
        f"training loss {record.training_loss:.4g}",
    ]
    if record.validation_loss is not None:
        best = " (best)" if improved else ""
        parts.append(f"validation loss {record.validation_loss:.4g}{best}")
    metrics = record.validation_metrics or record.training_metrics
    parts += [f"{name} {value:.4g}" for name, value in metrics.items()]
    return "  ".join(parts)
