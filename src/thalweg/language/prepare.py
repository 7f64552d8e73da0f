"""From a text to the parts that training takes, in one call."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from thalweg.kinds.deciding import Deciding
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.parts import Parts
from thalweg.kinds.targets import ClassTargets
from thalweg.kinds.task import Task
from thalweg.language.own import ReadText
from thalweg.language.scores import bits_per
from thalweg.language.settings import TextSettings
from thalweg.model.history import EpochRecord
from thalweg.tables.forms import USUAL
from thalweg.text import Text, TextParts, Vocabulary
from thalweg.words import counted

MANY_UNKNOWN = 0.001
PURPOSES = {"validation": "validated", "test": "tested"}


@dataclass(frozen=True)
class PreparedText(Parts):
    """A text ready to be trained on.

    Args:
        name: what was read.
        texts: its parts, of one vocabulary.
    """

    name: str
    texts: TextParts

    @property
    def vocabulary(self) -> Vocabulary:
        """What each number stands for: the characters of the part to learn from."""
        return self.texts.training.vocabulary

    @property
    def deciding(self) -> Deciding:
        """The metric by which models are compared: bits."""
        return Deciding(bits_per(self.vocabulary.unit))

    @property
    def compared_by(self) -> dict[str, Any]:
        """The metric by which models are compared, which is of no one character."""
        return self.deciding.to_dict(())

    @property
    def seen(self) -> str:
        """How long the text is, and how many different characters there are."""
        unit = self.vocabulary.unit
        texts = self.texts
        total = sum(map(len, (texts.training, texts.validation, texts.test)))
        return f"{total:,} {unit}, {len(self.vocabulary.labels()):,} different ones"

    def in_unit(self, record: EpochRecord) -> EpochRecord:
        """The record with its perplexity as bits."""
        metrics = dict(record.validation_metrics)
        if (perplexity := metrics.pop("perplexity", None)) is not None:
            metrics = {self.deciding.name: math.log2(perplexity), **metrics}
        return replace(record, validation_metrics=metrics)

    def plain_facts(self) -> dict[str, Any]:
        """What was seen, for programs."""
        texts, unit = self.texts, self.vocabulary.unit
        parts = ("training", "validation", "test")
        return {
            unit: {part: len(getattr(texts, part)) for part in parts},
            "different": len(self.vocabulary.labels()),
        }


def prepare(given: ReadText, settings: TextSettings) -> PreparedText:
    """Split a text, and cut it into windows.

    Args:
        given: the text as it was read, and those of one's own.
        settings: the shares, and the windows' length.

    Raises:
        DataError: it is too short.
    """
    text = given.text
    shares = {
        part: 0 if part in given.own else getattr(settings, part)
        for part in ("validation", "test")
    }
    texts = text.split(**shares)
    own = {
        part: each.in_vocabulary(texts.training.vocabulary)
        for part, each in given.own.items()
    }
    texts = TextParts(
        texts.training,
        own.get("validation", texts.validation),
        own.get("test", texts.test),
    )
    labels = tuple(texts.training.vocabulary.labels())
    unit = texts.training.vocabulary.unit.removesuffix("s")
    targets = ClassTargets(f"next {unit}", USUAL["category"], labels, labels)
    return PreparedText(
        Task("classes", f"the next {unit}, of {len(labels):,}"),
        targets,
        windows_of(texts.training, settings),
        windows_of(texts.validation, settings),
        windows_of(texts.test, settings),
        (*text.notes, *own_notes(own), *unknown_notes(texts)),
        text.name,
        texts,
    )


def windows_of(text: Text, settings: TextSettings) -> EncodedRows:
    """A part as rows, which are views of it.

    Raises:
        DataError: it is no longer than a window.
    """
    X, y = text.next_characters(settings.length)
    return EncodedRows(X, y, y, None)


def own_notes(own: dict[str, Text]) -> list[str]:
    """What texts of one's own are used."""
    return [
        f"{PURPOSES[part]} on {text.name}, {counted(len(text), 'character')}"
        for part, text in own.items()
    ]


def unknown_notes(texts: TextParts) -> list[str]:
    """How much of each part is unknown, where that is much."""
    found: list[str] = []
    parts = {"learned from": texts.training, "tested on": texts.test}
    for use, text in parts.items():
        share = text.unknown / len(text)
        if share > MANY_UNKNOWN:
            found.append(
                f"{share:.2%} of the text {use} are characters that are unknown, "
                "which all count as one: bits don't say which it is"
            )
    return found
