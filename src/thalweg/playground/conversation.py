"""What a page asks, and what it is given for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, cast

import numpy as np

from thalweg.checks import is_whole, require, require_text
from thalweg.errors import ArgumentError, ThalwegError
from thalweg.playground.experiment import Experiment, choices
from thalweg.playground.hand_in import hand_in
from thalweg.playground.lessons import Lesson, lesson_named, lessons
from thalweg.playground.library import Library
from thalweg.playground.many import curves_of_rates, curves_of_seeds
from thalweg.playground.measures import measures
from thalweg.playground.run import Run, ended
from thalweg.playground.thumbnails import thumbnails
from thalweg.recording.film import stacked
from thalweg.recording.recorder import Arrays
from thalweg.recording.tensors import packed

AT_ONCE = 8
"""Epochs in an answer, at most, so that a page soon has something to show."""

Answer = tuple[Mapping[str, Any], Arrays]


class Conversation:
    """With one page: it asks, and has one run at a time.

    A question is an object with ``id``, ``do``, and what that needs. An answer is what
    `thalweg.recording.tensors.packed` gives: arrays, and in the metadata as ``told`` an
    object with the question's ``id``; with ``more`` until the last answer, and with
    ``refused``, a sentence, where nothing came of it.

    Arguments:
        start: the experiment that a page begins with.
        rows: where the rows of experiments come from.
        lesson: that the page opens with, if there is one.
    """

    def __init__(
        self, start: Experiment, rows: Library, lesson: Lesson | None = None
    ) -> None:
        self.start, self.rows, self.lesson = start, rows, lesson
        self.run: Run | None = None

    def told(self, message: str) -> Generator[bytes]:
        """The answers to a question, one after the other.

        Arguments:
            message: the question, as JSON.
        """
        number: Any = None
        try:
            question = question_in(message)
            number = question["id"]
            waiting: Answer | None = None
            for answer in self._answers(question):
                if waiting is not None:
                    yield bytes_of(waiting, id=number, more=True)
                waiting = answer
            yield bytes_of(waiting or ({}, {}), id=number)
        except ThalwegError as error:
            yield bytes_of(({"refused": str(error)}, {}), id=number)

    def cancelled(self, message: str) -> bytes | None:
        """The end of the question before a message that cancels it; else None."""
        try:
            question = question_in(message)
        except ArgumentError:
            return None
        if question["do"] != "cancel":
            return None
        return bytes_of(({"refused": "cancelled"}, {}), id=question["id"])

    def closed(self) -> None:
        """The page is gone."""
        self.run = None  # and all that it holds

    def _answers(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        deed = DEEDS.get(question["do"])
        if deed is None:
            known = ", ".join(DEEDS)
            raise ArgumentError(f"do must be one of {known}, got {question['do']!r}")
        return deed(self, question)

    # The run --------------------------------------------------------------------------

    def hello(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """What there is to choose, and the experiment to begin with."""
        known = choices()
        if self.rows.table is None:
            del known["data"]["options"][-1]
        told = {"choices": known, "thumbnails": thumbnails()}
        course = [
            {**each.to_dict(), "experiment": each.experiment.to_dict()}
            for each in lessons()
        ]
        first = None if self.lesson is None else self.lesson.name
        start = self.start.to_dict()
        yield {**told, "experiment": start, "lessons": course, "lesson": first}, {}

    def begin(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """A new run, its rows, and its frame before the first step."""
        experiment = Experiment.from_dict(of_kind(question, "experiment", dict))
        self.run = Run(experiment, self.rows.of(experiment))
        yield self._whole(0)

    def branch(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """A run that is the one there is up to an epoch, and then another."""
        run, epoch = self._now(), of_kind(question, "epoch", int)
        changed = Experiment.from_dict(of_kind(question, "experiment", dict))
        self.run = run.branch(epoch, changed)
        yield self._whole(0)

    def _whole(self, first: int) -> Answer:
        """A run from one of its frames on, with all that stays."""
        run = self._now()
        fixed = {f"fixed.{name}": a for name, a in run.film.recorder.fixed().items()}
        told = {"document": run.told(), "first": first}
        return told, fixed | framed(run, first)

    def on(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The run's next epochs, until there is a frame of some number."""
        run, until = self._now(), of_kind(question, "until", int)
        first = len(run.film.frames)
        until = min(until, first + AT_ONCE - 1)
        while not run.film.is_over and len(run.film.frames) <= until:
            run.advance()
        told = {"standing": run.standing(), "over": run.film.is_over}
        yield told, framed(run, first)

    def follow(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Another row through the network, in every frame there is."""
        run = self._now()
        run.follow(of_kind(question, "row", int))
        told = {"row": run.film.recorder.describe_row()}
        every = stacked(run.film.frames)
        yield told, {n: a for n, a in every.items() if n.startswith("row.")}

    def step(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """One batch behind an epoch."""
        run, epoch = self._now(), of_kind(question, "epoch", int)
        steps = of_kind(question, "steps", int)
        each = run.film.session.steps_an_epoch
        told = {"epoch": epoch, "step": steps, "steps_an_epoch": each}
        yield told, run.step(epoch, steps)

    def landscape(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The loss around the run's path so far."""
        yield {}, self._now().film.path()

    def errors(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """What the network gave for the validation rows behind an epoch."""
        run, epoch = self._now(), of_kind(question, "epoch", int)
        held_out = run.film.session.validation
        require(held_out is not None, "errors", "asked where rows are held out", "none")
        given = run.outputs(epoch, cast(Any, held_out)[0])
        yield {"epoch": epoch}, {"outputs": np.asarray(given, np.float32)}

    def test(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The score of the test rows, once."""
        run = self._now()
        run.to_end()
        yield {"standing": run.standing(), "test": self.rows.unseal(run)}, {}

    # Many runs ------------------------------------------------------------------------

    def seeds(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The same experiment from eight seeds, and the median of them."""
        experiment = Experiment.from_dict(of_kind(question, "experiment", dict))
        yield from curves_of_seeds(experiment, self.rows.of(experiment))

    def rates(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The same experiment with nine learning rates."""
        experiment = Experiment.from_dict(of_kind(question, "experiment", dict))
        yield from curves_of_rates(experiment, self.rows.of(experiment))

    # Lessons --------------------------------------------------------------------------

    def answer(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Which answer to a lesson's question is right: its own run tells."""
        lesson = lesson_named(of_kind(question, "lesson", str))
        own = ended(lesson.experiment, self.rows.of(lesson.experiment))
        numbers = measures(own)
        value = numbers[lesson.measure]
        yield {"right": lesson.right_answer(numbers), "value": float(value)}, {}

    def task(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """What the run lacks of a lesson's task."""
        lesson, run = lesson_named(of_kind(question, "lesson", str)), self._now()
        run.to_end()
        missed = lesson.missed(run, measures(run))
        yield {"missed": missed, "standing": run.standing()}, {}

    def hand_in(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The run as a file to hand in."""
        lesson = lesson_named(of_kind(question, "lesson", str))
        student, guess = of_kind(question, "student", str), question.get("guess")
        require_text("student", student)
        made = hand_in(lesson, self._now(), cast(Any, guess), student[:100])
        yield {"name": f"{lesson.name}.json", "file": json.dumps(made, indent=1)}, {}

    # Out of the page ------------------------------------------------------------------

    def share(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The settings as the text of an address."""
        experiment = Experiment.from_dict(of_kind(question, "experiment", dict))
        yield {"query": experiment.to_query()}, {}

    def export(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """The run as one file that plays it."""
        page = self._now().recording().html().encode()
        yield {"name": "run.html"}, {"page": np.frombuffer(page, np.uint8)}

    def _now(self) -> Run:
        if self.run is None:
            raise ArgumentError("there must be a run: begin one first")
        return self.run


Deed = Callable[[Conversation, Mapping[str, Any]], Iterator[Answer]]
DEEDS: dict[str, Deed] = {
    each.__name__: each
    for each in (
        Conversation.hello,
        Conversation.begin,
        Conversation.branch,
        Conversation.on,
        Conversation.follow,
        Conversation.step,
        Conversation.landscape,
        Conversation.errors,
        Conversation.test,
        Conversation.seeds,
        Conversation.rates,
        Conversation.answer,
        Conversation.task,
        Conversation.hand_in,
        Conversation.share,
        Conversation.export,
    )
}


def question_in(message: str) -> dict[str, Any]:
    """The question in a message.

    Raises:
        ArgumentError: it is none.
    """
    try:
        read: Any = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise ArgumentError("a question must be JSON, got something else") from error
    question = cast("dict[str, Any]", read if isinstance(read, dict) else {})
    if not isinstance(question.get("do"), str) or not is_whole(question.get("id")):
        raise ArgumentError("a question must be an object with do and a whole id")
    return question


def of_kind(question: Mapping[str, Any], name: str, kind: type) -> Any:
    """A value of a question.

    Raises:
        ArgumentError: it isn't there, or of another kind.
    """
    value = question.get(name)
    fits = is_whole(value) if kind is int else isinstance(value, kind)
    kinds: dict[type, str] = {int: "a whole number", str: "a text", dict: "an object"}
    require(fits, name, kinds[kind], value)
    return value


def framed(run: Run, first: int) -> Arrays:
    """Frames of a run from one on."""
    frames = run.film.frames[first:]
    return {f"frame.{name}": a for name, a in stacked(frames).items()} if frames else {}


def bytes_of(answer: Answer, **more: Any) -> bytes:
    """An answer as it is sent."""
    told, arrays = answer
    text = json.dumps({**more, **told}, ensure_ascii=False, allow_nan=False)
    return packed(arrays, told=text)
