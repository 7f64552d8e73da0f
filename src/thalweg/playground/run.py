"""An experiment that is trained and looked at, and every place it was at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from thalweg.checks import is_whole, require
from thalweg.network import Network
from thalweg.playground.experiment import Experiment
from thalweg.playground.program import program_of
from thalweg.playground.rows import Data
from thalweg.playground.setup import session_of
from thalweg.program.types import NumpyArray
from thalweg.recording.batches import step_frame
from thalweg.recording.document import Names, document_of
from thalweg.recording.film import Film
from thalweg.recording.recorder import Arrays, FiguresRecorder, Recorder
from thalweg.recording.recording import Recording
from thalweg.training.session import Session, Snapshot

EVERY = 10
"""Epochs from one snapshot to the next: to be at another, so many are run again."""


class Run:
    """An experiment's network, its film, and the way back to any epoch.

    Arguments:
        experiment: what is run.
        data: its rows.
        row: the training row that is followed.
        before: the run that this one is a branch of.
        recorder: what looks at it.
    """

    def __init__(
        self,
        experiment: Experiment,
        data: Data,
        row: int = 0,
        before: Run | None = None,
        recorder: type[Recorder] = Recorder,
    ) -> None:
        self.experiment, self.data, self._before = experiment, data, before
        self._begin(Film(recorder(session_of(experiment, data), row)))

    def _begin(self, film: Film) -> None:
        self.film = film
        self._marks: dict[int, Snapshot] = {
            film.session.epochs_done: film.session.snapshot()
        }
        self._ending: dict[str, Any] | None = None

    @property
    def is_branch(self) -> bool:
        """Whether it began as another run."""
        return self._before is not None

    @property
    def network(self) -> Network:
        """With the weights of the film's last frame, or, at the end, those kept."""
        return self.film.session.network

    def told(self) -> dict[str, Any]:
        """The document of the run, as it stands."""
        return self._document() | self.standing()

    def _document(self) -> dict[str, Any]:
        data, experiment = self.data, self.experiment
        names = Names("", data.features, data.classes, data.target, data.source)
        python = program_of(experiment, data)
        document = document_of(self.film.recorder, names, python)
        each = self.film.session.steps_an_epoch
        return {**document, "steps_an_epoch": each, "experiment": experiment.to_dict()}

    # Its frames -----------------------------------------------------------------------

    def advance(self) -> None:
        """One epoch on, if there is one, and the end behind the last."""
        film = self.film
        if film.is_over:
            return
        film.advance()
        done = film.session.epochs_done
        if done % EVERY == 0 and not film.diverged:
            self._marks[done] = film.session.snapshot()
        if film.is_over:
            self._ending = film.end()

    def standing(self) -> dict[str, Any]:
        """How it stands: of a run that is over, how it ended."""
        return self.film.standing() if self._ending is None else self._ending

    def to_end(self) -> None:
        """All epochs that are left."""
        while not self.film.is_over:
            self.advance()

    def recording(self) -> Recording:
        """What `thalweg.record` gives of the same experiment."""
        self.to_end()
        return self.film.recording(self.told())

    # Other places ---------------------------------------------------------------------

    def at(self, epoch: int) -> Session[Network]:
        """A session of its own, as the run was behind an epoch, to the bit.

        Raises:
            ArgumentError: the run wasn't there yet.
        """
        last = len(self.film.frames) - 1
        fits = is_whole(epoch) and 0 <= epoch <= last
        require(fits, "epoch", f"a number from 0 to {last}", epoch)
        if self._before is not None and epoch < min(self._marks):
            return self._before.at(epoch)
        aside = self.film.session.branch()
        aside.restore(self._marks[max(each for each in self._marks if each <= epoch)])
        while aside.epochs_done < epoch:
            aside.epoch()
        return aside

    def step(self, epoch: int, steps: int) -> Arrays:
        """What the last of some steps behind an epoch did.

        Arguments:
            epoch: where to begin.
            steps: 1 to all of the next epoch.
        """
        aside = self.at(epoch)
        most = aside.steps_an_epoch
        require(is_whole(steps) and 1 <= steps <= most, "steps", f"1 to {most}", steps)
        for _ in range(steps - 1):
            aside.step()
        return step_frame(replace(self.film.recorder, session=aside))

    def branch(self, epoch: int, experiment: Experiment) -> Run:
        """Another run that is this one up to an epoch, and then goes its own way.

        Arguments:
            epoch: where they part.
            experiment: of the same data and layers.
        """
        there = self.at(epoch).snapshot()
        other = Run(experiment, self.data, self.film.recorder.row, self)
        session = other.film.session
        own = session.snapshot()
        same_rule = own.slots.keys() == there.slots.keys()
        slots = there.slots if same_rule else own.slots
        session.restore(replace(there, slots=slots, learning_rate=own.learning_rate))
        other._begin(Film(other.film.recorder, self.film.frames[: epoch + 1]))
        return other

    def follow(self, row: int) -> None:
        """Follow another training row, in the frames so far and in those to come.

        Raises:
            ArgumentError: there is no such row.
        """
        aside = self.film.session.branch()
        looking = replace(self.film.recorder, session=aside, row=row)
        for frame in self.film.frames:
            aside.network.memory.parameters[...] = frame["parameters"]
            frame |= looking.followed()
        self.film.recorder.row = row

    def outputs(self, epoch: int, X: NumpyArray) -> NumpyArray:
        """What the network gave for rows behind an epoch."""
        return self.at(epoch).network.predict(X)


def ended(experiment: Experiment, data: Data) -> Run:
    """A run to its end, of which only the figures are kept."""
    run = Run(experiment, data, recorder=FiguresRecorder)
    run.to_end()
    return run
