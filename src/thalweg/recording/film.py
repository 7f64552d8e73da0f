"""The frames of a run, epoch by epoch, to its last one, and the end of `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.errors import DivergenceError
from thalweg.recording.document import ending_of, standing_of
from thalweg.recording.landscape import landscape
from thalweg.recording.recorder import Arrays, Recorder
from thalweg.recording.recording import Recording
from thalweg.training.session import Session, Snapshot


class Film:
    """A run that is recorded while it goes on.

    Where early stopping would have ended it, it goes on all the same: it shows what
    would have come.

    Arguments:
        recorder: of a session.
        frames: of the epochs that the session has behind it, from the start.
    """

    def __init__(self, recorder: Recorder, frames: Sequence[Arrays] = ()) -> None:
        self.recorder = recorder
        self.frames: list[Arrays] = list(frames) or [recorder.frame()]
        self.diverged = ""  # the words of the error
        self._stop: Snapshot | None = None
        self._ended = False
        self._standing = self._told_now()

    @property
    def session(self) -> Session[Any]:
        """What is recorded."""
        return self.recorder.session

    @property
    def is_over(self) -> bool:
        """Whether there is no further epoch."""
        done = self.session.epochs_done >= self.session.epochs
        return self._ended or bool(self.diverged) or done

    def advance(self) -> None:
        """One epoch on, and its frame; of a run that diverges there is none."""
        session = self.session
        try:
            self.frames.append(self.recorder.frame(session.epoch()))
        except DivergenceError as error:
            self.diverged = str(error)
        if self._stop is None:
            self._standing = self._told_now()
            if session.is_over and not self.diverged:
                self._stop = session.snapshot()

    def standing(self) -> dict[str, Any]:
        """What is told of a run that isn't over, as plain data.

        Behind the stop, the best epoch and the stop are still those of `fit`.
        """
        return {**self._standing, "frames": len(self.frames)}

    def _told_now(self) -> dict[str, Any]:
        return standing_of(self.recorder, len(self.frames), self.diverged)

    def end(self) -> dict[str, Any]:
        """End as `fit` does, with the weights that it keeps.

        Returns:
            What is told of the end, as plain data.
        """
        self._ended = True
        if self._stop is not None:
            self.session.restore(self._stop)
        self.session.finish()
        return ending_of(self.recorder, len(self.frames), self.diverged)

    def path(self) -> Arrays:
        """The landscape around the path of the parameters so far."""
        recorder = self.recorder
        path = np.stack([frame["parameters"] for frame in self.frames])
        seen = landscape(recorder.network, recorder.X, recorder.y, path)
        return {} if seen is None else seen.arrays()

    def recording(self, told: Mapping[str, Any]) -> Recording:
        """All of it, and the landscape.

        Arguments:
            told: of the run and of its end.
        """
        return Recording(
            told, self.recorder.fixed() | self.path(), stacked(self.frames)
        )


def stacked(frames: Sequence[Arrays]) -> Arrays:
    """Frames as one array of each name, (frames, …)."""
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
