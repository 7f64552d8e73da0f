"""Where and how often a run is written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from thalweg.checks import require_positive, require_whole
from thalweg.errors import ArgumentError

if TYPE_CHECKING:
    from thalweg.model.record import NetworkRecord
    from thalweg.model.state import TrainingState

TABLE = "table"  # the note that tells a table's run from a network's
IMAGES = "images"  # the note of a run on images
TEXT = "text"  # the note of a run on a text
SEQUENCES = "sequences"  # the note of a run on sequences
SERIES = "series"  # the note of a run that learns to forecast


class CheckpointWarning(UserWarning):
    """What was to be kept beside the work couldn't be written, or read.

    Of a checkpoint an older one is there; trials of a search are kept in memory, and
    lines of a log until they can be written.
    """


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often a run is written down, so that `resume` can go on with it.

    One is written before the first step, so that whatever stands in the way is found
    before training, and one when training has ended. One that can't be written later,
    as on a full disk, is a warning: the last good one stays, and training goes on.

    Arguments:
        folder: made if it isn't there. It must not hold a run that isn't finished, nor
            checkpoints without the ``latest.json`` that says which of them count.
        every_epochs: write after every so many epochs; None for never.
        every_minutes: write when so many minutes have passed since the last, in the
            middle of an epoch too; None for never.
        keep: how many to keep, 2 or more.
        notes: plain data to keep beside.

    Raises:
        ArgumentError: an argument can't be used.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
        >>> network = tw.Network([tw.Dense(1)])
        >>> checkpoint = tw.Checkpoint("slope", every_epochs=10)
        >>> history = network.fit(X, 3 * X + 1, epochs=25, checkpoint=checkpoint)
        >>> import os
        >>> sorted(os.listdir("slope"))
        ['latest.json', 'step-60.thalweg', 'step-75.thalweg']
    """

    folder: str | os.PathLike[str]
    every_epochs: int | None = 1
    every_minutes: float | None = None
    keep: int = 2
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def __post_init__(self) -> None:
        if self.every_epochs is None and self.every_minutes is None:
            raise ArgumentError("a checkpoint needs every_epochs or every_minutes")
        if self.every_epochs is not None:
            require_whole("every_epochs", self.every_epochs, least=1)
        if self.every_minutes is not None:
            require_positive("every_minutes", self.every_minutes)
        require_whole("keep", self.keep, least=2)

    def to_dict(self) -> dict[str, Any]:
        """All but the folder, as plain data."""
        data = asdict(self)
        del data["folder"]
        return data


class CheckpointWriter(Protocol):
    """What writes a run's checkpoints while it trains."""

    def begin(self, network: NetworkRecord, state: TrainingState) -> None:
        """Write the first one."""

    def after_epoch(self, state: TrainingState) -> None:
        """Write if it's time, or if this was the last epoch."""

    def between_steps(self, state: TrainingState) -> None:
        """Write if it's time."""

    def before_end(self, state: TrainingState, asked: BaseException) -> None:
        """Write what there is, when somebody asked to stop."""
