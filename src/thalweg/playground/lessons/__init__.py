"""The lessons: each a page of Markdown with settings, a question and a task."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from thalweg.checks import look_up
from thalweg.playground.experiment import Experiment
from thalweg.playground.measures import Condition
from thalweg.playground.run import Run

FENCE = "+++"


@dataclass(frozen=True)
class Answer:
    """One of the answers to a question: right where the number is in its range.

    Arguments:
        text: of the answer.
        low, high: from the one on, below the other.
    """

    text: str
    low: float
    high: float


@dataclass(frozen=True)
class Lesson:
    """A lesson: what it says, asks before the run, and sets after it.

    Arguments:
        name: as it is typed.
        number: its place among all, from 1.
        title: of the page.
        concept: the page of the documentation.
        experiment: that it begins with.
        text: paragraphs.
        question: asked before the run.
        measure: the number that decides which answer is right.
        answers: of which one is.
        task: in words.
        conditions: all of which a run of the task keeps.
        keep: settings that the task leaves as they are.
    """

    name: str
    number: int
    title: str
    concept: str
    experiment: Experiment
    text: tuple[str, ...]
    question: str
    measure: str
    answers: tuple[Answer, ...]
    task: str
    conditions: tuple[Condition, ...]
    keep: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """What a page shows of it, as plain data; not which answer is right."""
        return {
            "name": self.name,
            "number": self.number,
            "title": self.title,
            "concept": self.concept,
            "text": list(self.text),
            "question": self.question,
            "answers": [each.text for each in self.answers],
            "task": self.task,
            "conditions": [str(each) for each in self.conditions],
        }

    def right_answer(self, numbers: Mapping[str, float]) -> int:
        """Which of the answers is right for a run of the lesson's own settings."""
        value = numbers[self.measure]
        return next(i for i, a in enumerate(self.answers) if a.low <= value < a.high)

    def changed(self, experiment: Experiment) -> list[str]:
        """Which of the settings that are to stay an experiment has otherwise."""
        own = self.experiment
        return [n for n in self.keep if getattr(own, n) != getattr(experiment, n)]

    def missed(self, run: Run, numbers: Mapping[str, float]) -> list[str]:
        """What a run lacks of the task, in words; nothing if it is done."""
        changed = [
            f"{n.replace('_', ' ')} as it was" for n in self.changed(run.experiment)
        ]
        return changed + [str(c) for c in self.conditions if not c.holds(numbers)]


def lesson_in(name: str, number: int, content: str) -> Lesson:
    """A lesson from its file.

    Raises:
        ArgumentError: its settings can't be used.
    """
    _, head, body = content.split(FENCE, 2)
    told = tomllib.loads(head)
    return Lesson(
        name,
        number,
        told["title"],
        told["concept"],
        Experiment.from_query(told["settings"]),
        tuple(" ".join(part.split()) for part in body.strip().split("\n\n")),
        told["question"],
        told["measure"],
        tuple(answers_in(told["answers"])),
        told["task"],
        tuple(map(Condition.read, told["conditions"])),
        tuple(told["keep"]),
    )


def answers_in(written: Sequence[Sequence[Any]]) -> list[Answer]:
    """Answers from their texts and where each begins; the last has no end."""
    ends = [float(low) for _, low in written[1:]] + [float("inf")]
    return [
        Answer(text, float(low), high)
        for (text, low), high in zip(written, ends, strict=True)
    ]


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons in the order of the course."""
    found = sorted(
        (each for each in files(__name__).iterdir() if each.name.endswith(".md")),
        key=lambda each: each.name,
    )
    return tuple(
        lesson_in(each.name[3:-3], number, each.read_text(encoding="utf-8"))
        for number, each in enumerate(found, 1)
    )


def lesson_named(name: str) -> Lesson:
    """A lesson by its name, or its number.

    Raises:
        ArgumentError: there is none such; it names the nearest.
    """
    every = lessons()
    if name.isdecimal() and 1 <= int(name) <= len(every):
        return every[int(name) - 1]
    return look_up("lesson", name, {each.name: each for each in every})
