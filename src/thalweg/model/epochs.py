"""The figures of many epochs, in one array; a record is made when one asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import overload

import numpy as np
from numpy.typing import NDArray

Metrics = dict[str, float]
Floats = NDArray[np.float64]

OF_METRICS = ("training_metrics", "validation_metrics")
SECONDS = "seconds"


@dataclass(frozen=True)
class EpochRecord:
    """One epoch: its losses, metrics, learning rate and duration.

    Arguments:
        epoch: counted from 1.
        training_loss: mean over the epoch's batches, as each was met in training.
        validation_loss: on the validation rows after the epoch; None without any.
        training_metrics, validation_metrics: by name, such as ``accuracy``.
        learning_rate: that of the epoch's last step.
        seconds: how long the epoch took, validation included.

    Example:
        >>> EpochRecord(1, 0.7, 0.6, {"accuracy": 0.5}, {}, 0.01, 0.1).validation_loss
        0.6
    """

    epoch: int
    training_loss: float
    validation_loss: float | None
    training_metrics: Metrics
    validation_metrics: Metrics
    learning_rate: float
    seconds: float

    def figures(self) -> Metrics:
        """All but the seconds, by name.

        Example:
            >>> [*EpochRecord(1, 0.7, None, {"r2": 0.5}, {}, 0.01, 0.1).figures()]
            ['epoch', 'training_loss', 'training_metrics.r2', 'learning_rate']
        """
        found: Metrics = {"epoch": float(self.epoch)}
        found["training_loss"] = float(self.training_loss)
        if self.validation_loss is not None:
            found["validation_loss"] = float(self.validation_loss)
        for group in OF_METRICS:
            metrics: Metrics = getattr(self, group)
            found |= {f"{group}.{name}": float(n) for name, n in metrics.items()}
        found["learning_rate"] = float(self.learning_rate)
        return found

    @classmethod
    def of(
        cls, names: Sequence[str], figures: Iterable[float], seconds: float
    ) -> EpochRecord:
        """The record that has these figures."""
        metrics: dict[str, Metrics] = {group: {} for group in OF_METRICS}
        found: Metrics = {}
        for name, figure in zip(names, figures, strict=True):
            group, dot, metric = name.partition(".")
            (metrics[group] if dot else found)[metric if dot else name] = figure
        return cls(
            int(found["epoch"]),
            found["training_loss"],
            found.get("validation_loss"),
            metrics["training_metrics"],
            metrics["validation_metrics"],
            found["learning_rate"],
            seconds,
        )


class EpochBlock:
    """Epochs that have the same figures: a row for each.

    Arguments:
        names: of the figures; "" for one that counts for nothing.
        rows: shape (epochs, figures); room for more is made when it is needed.
        seconds: how long each epoch took.
    """

    def __init__(self, names: tuple[str, ...], rows: Floats, seconds: Floats) -> None:
        self.names, self._rows, self._seconds = names, rows, seconds
        self._count = len(rows)

    @classmethod
    def empty(cls, names: tuple[str, ...]) -> EpochBlock:
        """Before the first epoch."""
        return cls(names, np.empty((0, len(names))), np.empty(0))

    def copy(self) -> EpochBlock:
        """The same epochs; what is appended to one isn't to the other."""
        rows, seconds = self._rows[: self._count], self._seconds[: self._count]
        return EpochBlock(self.names, rows, seconds)

    def append(self, figures: Iterable[float], seconds: float) -> None:
        """One more row."""
        count = self._count
        if count == len(self._rows):
            room = max(16, 2 * count)
            self._rows = enlarged(self._rows, room)
            self._seconds = enlarged(self._seconds, room)
        self._rows[count], self._seconds[count] = [*figures], seconds
        self._count += 1

    def has(self, name: str) -> bool:
        """Whether there is a figure of that name."""
        return name == SECONDS or name in self.names

    def column(self, name: str) -> Floats:
        """A figure of every epoch."""
        if name == SECONDS:
            return self._seconds[: self._count]
        return self._rows[: self._count, self.names.index(name)]

    def record(self, place: int) -> EpochRecord:
        """The record of one epoch."""
        seconds = float(self._seconds[place])
        return EpochRecord.of(self.names, self._rows[place].tolist(), seconds)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[EpochRecord]:
        return map(self.record, range(self._count))


def enlarged(array: Floats, rows: int) -> Floats:
    """A copy with room for so many rows."""
    room = np.empty((rows, *array.shape[1:]))
    room[: len(array)] = array
    return room


class Epochs(Sequence[EpochRecord]):
    """Records of epochs, as a list has them, in an eighth of a list's memory.

    Arguments:
        records: the first ones.

    Example:
        >>> epochs = Epochs([EpochRecord(1, 0.7, 0.6, {}, {}, 0.01, 0.1)])
        >>> epochs.append(EpochRecord(2, 0.5, 0.4, {}, {}, 0.01, 0.1))
        >>> len(epochs), epochs[-1].training_loss, epochs.figure("validation_loss")
        (2, 0.5, [0.6, 0.4])
    """

    def __init__(self, records: Iterable[EpochRecord] = ()) -> None:
        self._runs: list[EpochBlock] = []
        for record in records:
            self.append(record)

    @classmethod
    def of(cls, names: Sequence[str], rows: Floats, seconds: Floats) -> Epochs:
        """Epochs of these figures, shape (epochs, figures), which aren't copied."""
        epochs = cls()
        if len(rows):
            epochs._runs.append(EpochBlock(tuple(names), rows, seconds))
        return epochs

    def copy(self) -> Epochs:
        """The same epochs, to which others can be appended."""
        copied = Epochs()
        copied._runs = [run.copy() for run in self._runs]
        return copied

    def append(self, record: EpochRecord) -> None:
        """One more epoch."""
        figures = record.figures()
        names = tuple(figures)
        if not self._runs or self._runs[-1].names != names:
            self._runs.append(EpochBlock.empty(names))
        self._runs[-1].append(figures.values(), record.seconds)

    @property
    def names(self) -> tuple[str, ...]:
        """The figures that any epoch has, each once, without the seconds."""
        every = chain.from_iterable(run.names for run in self._runs)
        return tuple(name for name in dict.fromkeys(every) if name)

    @property
    def alike(self) -> bool:
        """Whether all epochs have the same figures."""
        return len(self._runs) <= 1

    def figure(self, name: str) -> list[float]:
        """A figure of all epochs that have it."""
        having = [run for run in self._runs if run.has(name)]
        return [number for run in having for number in run.column(name).tolist()]

    def array(self, names: Sequence[str]) -> Floats:
        """Figures of all epochs, shape (epochs, figures); NaN where there is none."""
        found = np.full((len(self), len(names)), np.nan)
        start = 0
        for run in self._runs:
            rows = found[start : start + len(run)]
            for place, name in enumerate(names):
                if run.has(name):
                    rows[:, place] = run.column(name)
            start += len(run)
        return found

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def __iter__(self) -> Iterator[EpochRecord]:
        return chain.from_iterable(self._runs)

    @overload
    def __getitem__(self, place: int) -> EpochRecord: ...
    @overload
    def __getitem__(self, place: slice) -> list[EpochRecord]: ...
    def __getitem__(self, place: int | slice) -> EpochRecord | list[EpochRecord]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        left = place + len(self) if place < 0 else place
        for run in self._runs:
            if 0 <= left < len(run):
                return run.record(left)
            left -= len(run)
        raise IndexError(f"there are {len(self):,} epochs, none at {place}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        found: Sequence[object] = other  # pyright: ignore[reportUnknownVariableType]
        return len(self) == len(found) and all(
            one == another for one, another in zip(self, found, strict=True)
        )

    def __repr__(self) -> str:
        return repr([*self])
