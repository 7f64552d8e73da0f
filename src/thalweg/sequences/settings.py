"""What the user may choose when sequences are learned."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from thalweg.checks import require_instance, require_text
from thalweg.errors import ArgumentError
from thalweg.forecasting.settings import NO_CELL, SeriesRegimen, SeriesTrainSettings
from thalweg.tabular.settings import plain_setting


@dataclass(frozen=True)
class SequenceSettings(SeriesRegimen):
    """How sequences are learned, each with a class or a number.

    Arguments:
        sequence: the column whose same cells are one sequence.
        order: the column by which the rows of one are ordered; None takes them as they
            stand.
        task: "classes" or "number"; None goes by the target.
        group_by_length: whether batches are of sequences of similar length, which takes
            less time where lengths differ much.

    The others are those of `ForecastSettings`; shares are of sequences.

    Raises:
        ArgumentError: a setting can't be used; the message says what it must be.

    Example:
        >>> import thalweg as tw
        >>> tw.SequenceSettings(sequence="id", order="t").units
        64
    """

    sequence: str | None = None
    order: str | None = None
    task: str | None = None
    group_by_length: bool = False

    @staticmethod
    def plain(name: str, value: Any) -> Any:
        """See `plain_setting`."""
        return plain_setting(name, value)

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        if self.sequence is None:
            raise ArgumentError(
                "sequence must be given: the column whose same cells are one sequence"
            )
        for name in ("sequence", "order"):
            if getattr(self, name) is not None:
                require_instance(name, getattr(self, name), str, "a column's name")
        if self.sequence == self.order:
            raise ArgumentError(f"order must be another column than {self.sequence!r}")
        require_instance("group_by_length", self.group_by_length, bool, "True or False")
        self.require_series("sequences")
        if self.cell == NO_CELL:
            raise ArgumentError(
                "cell must be gru, lstm or rnn, as sequences have different lengths, "
                f"got {self.cell!r}"
            )


class SequenceTrainSettings(SeriesTrainSettings, total=False):
    """The settings of sequences as `train` takes them; see `SequenceSettings`.

    That which must be given is an argument of `train`.
    """

    order: str | None
    task: str | None
    group_by_length: bool
