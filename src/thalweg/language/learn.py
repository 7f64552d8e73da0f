"""Texts as a kind of data: how their characters are learned, and tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.files.modelfile import Content
from thalweg.kinds.kind import Kind, Tested
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.scores import Metrics
from thalweg.kinds.trained import TrainedModel
from thalweg.language.fingerprint import difference, fingerprint
from thalweg.language.model import LanguageModel, model_from
from thalweg.language.network import build
from thalweg.language.ngrams import MOST_COUNTED, ORDERS, NGrams
from thalweg.language.own import ReadText, read
from thalweg.language.prepare import PreparedText, prepare
from thalweg.language.scores import scores_of
from thalweg.language.settings import TextSettings
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.training.checkpoint import TEXT
from thalweg.training.execution import Execution

FEW = 1000


@dataclass(frozen=True)
class TrainedOnText(TrainedModel[LanguageModel, PreparedText]):
    """A tested network for text, and how it came about.

    Arguments:
        model: the network with its vocabulary; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the text, and how it was split.
        test: metrics on the part that was never used.
        baselines: bits and perplexity on the same characters for ``unigram``,
            ``bigram`` and ``5-gram``.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.

    Example:
        >>> import pathlib, thalweg as tw
        >>> verse = "so long as men can breathe or eyes can see,\\n" * 40
        >>> _ = pathlib.Path("verse.txt").write_text(verse)
        >>> trained = tw.train("verse.txt", layers=(16,), epochs=3)
        >>> isinstance(trained, tw.TrainedOnText), list(trained.baselines)
        (True, ['unigram', 'bigram', '5-gram'])
    """


class TextKind(
    Kind[TextSettings, ReadText, PreparedText, LanguageModel, TrainedOnText]
):
    """A text, of which each next character is predicted."""

    name, note, noun = "text", TEXT, "text"
    what = "a text"
    has_target = False
    why_no_target = "whose next characters are predicted"
    settings, trained = TextSettings, TrainedOnText

    def read(
        self, source: Any, settings: TextSettings, own: Sources = NO_SOURCES
    ) -> ReadText:
        """See `Kind`; a source is the path of a text, or a `Text`."""
        return read(source, settings, own)

    def fingerprint(self, found: ReadText) -> dict[str, Any]:
        """See `Kind`."""
        return fingerprint(found)

    def difference(self, before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        """See `Kind`."""
        return difference(before, found)

    def prepare(
        self, found: ReadText, target: str, settings: TextSettings
    ) -> PreparedText:
        """See `Kind`."""
        return prepare(found, settings)

    def build(self, parts: PreparedText, settings: TextSettings) -> Network:
        """See `Kind`."""
        return build(parts.vocabulary, settings)

    def shape(self, parts: PreparedText, settings: TextSettings) -> Shape:
        """See `Kind`."""
        return (settings.length,)

    def model(
        self, network: Network, parts: PreparedText, settings: TextSettings
    ) -> LanguageModel:
        """See `Kind`."""
        return LanguageModel(network, parts.vocabulary)

    def is_of(self, model: LanguageModel, parts: PreparedText) -> bool:
        """See `Kind`."""
        return parts.vocabulary == model.vocabulary

    def tested(
        self,
        model: LanguageModel,
        parts: PreparedText,
        settings: TextSettings,
        execution: Execution,
    ) -> Tested:
        """Score the test beside n-grams."""
        texts, vocabulary = parts.texts, parts.vocabulary
        longest = max(ORDERS.values())
        counted = NGrams(texts.training.numbers, vocabulary.size, longest)
        return Tested(
            model.scores(texts.test, execution),
            baselines(counted, texts.test.numbers, vocabulary.unit),
            notes_on(parts),
            {"test_characters": len(texts.test)},
            guess=guessed(counted, parts),
        )

    def model_from(self, content: Content) -> LanguageModel:
        """See `Kind`."""
        return model_from(content)


def baselines(counted: NGrams, numbers: Any, unit: str) -> dict[str, Metrics]:
    """Bits and perplexity of each n-gram on a text, the weakest first."""
    return {
        name: scores_of(counted.surprise(numbers, order), unit)
        for name, order in ORDERS.items()
    }


def guessed(counted: NGrams, parts: PreparedText) -> float:
    """The validation loss, in nats, of a guess that looks at no character before."""
    bits = counted.surprise(parts.texts.validation.numbers, order=1)
    return float(bits.mean()) * float(np.log(2))


def notes_on(parts: PreparedText) -> tuple[str, ...]:
    """What the scores don't say by themselves."""
    found: list[str] = []
    tested, learned = len(parts.texts.test), len(parts.texts.training)
    if tested < FEW:
        found.append(f"the test has only {tested:,} characters, which say little")
    if learned > MOST_COUNTED:
        found.append(
            f"the n-grams were counted in the last {MOST_COUNTED:,} characters of "
            "those learned from"
        )
    return tuple(found)


TEXTS = TextKind()
