"""From a text to the parts that training takes, in one call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.kinds.deciding import Deciding
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.parts import Parts
from thalweg.kinds.targets import ClassTargets
from thalweg.kinds.task import Task
from thalweg.language.own import ReadText
from thalweg.language.scores import bits_per
from thalweg.language.settings import TextSettings
from thalweg.tables.forms import USUAL
from thalweg.text import Text, TextParts, Vocabulary
from thalweg.words import counted

MANY_UNKNOWN = 0.001
EVERY_PART = ("training", "validation", "test")
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

    def metrics_in_unit(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics with perplexity as bits."""
        others = dict(metrics)
        if (perplexity := others.pop("perplexity", None)) is None:
            return others
        return {self.deciding.metric: math.log2(perplexity), **others}

    def plain_facts(self) -> dict[str, Any]:
        """What was seen, for programs."""
        texts, unit = self.texts, self.vocabulary.unit
        return {
            unit: {part: len(getattr(texts, part)) for part in EVERY_PART},
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
    rows = {part: windows_of(getattr(texts, part), settings) for part in EVERY_PART}
    notes = (*text.notes, *own_notes(own), *unknown_notes(texts))
    return prepared_text(texts, rows, notes, text.name)


def prepared_text(
    texts: TextParts,
    rows: Mapping[str, EncodedRows],
    notes: tuple[str, ...],
    name: str,
) -> PreparedText:
    """Texts of one vocabulary as they are trained on.

    Args:
        texts: the parts.
        rows: the windows of each, by its name.
        notes: what was found.
        name: what was read.
    """
    labels = tuple(texts.training.vocabulary.labels())
    unit = texts.training.vocabulary.unit.removesuffix("s")
    targets = ClassTargets(f"next {unit}", USUAL["category"], labels, labels)
    task = Task("classes", f"the next {unit}, of {len(labels):,}")
    return PreparedText(task, targets, **rows, notes=notes, name=name, texts=texts)


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
