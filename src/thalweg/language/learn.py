"""From a text to a tested network, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.errors import DataError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.scores import Metrics, finite
from thalweg.language.fingerprint import fingerprint, noted, require_same_text
from thalweg.language.model import LanguageModel
from thalweg.language.network import build
from thalweg.language.ngrams import MOST_COUNTED, ORDERS, NGrams
from thalweg.language.own import read
from thalweg.language.prepare import PreparedText, prepare
from thalweg.language.scores import scores_of
from thalweg.language.settings import TextSettings
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.tabular.model import USUAL
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import CurveReading, read_curves
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store

FEW = 1000


@dataclass(frozen=True)
class TrainedOnText:
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

    model: LanguageModel
    history: History
    prepared: PreparedText
    test: Metrics
    baselines: dict[str, Metrics]
    reading: CurveReading
    notes: tuple[str, ...]
    diverged: str


Announce = Callable[[PreparedText, Network], object]


def learn(
    source: Any,
    settings: TextSettings,
    callback: AfterEpoch | None = None,
    announce: Announce | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
    own: Sources = NO_SOURCES,
) -> TrainedOnText:
    """Read, split, train, and test once on a part never used.

    Arguments:
        source: the path of a text, or a `Text`.
        settings: how.
        callback: called after every epoch.
        announce: called with what was found in the text, and the network, before
            training starts.
        execution: what runs the network, and on how many threads; the saved file is
            the same for any number of them.
        callbacks: objects that follow the run.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
        own: for ``validation`` and ``test`` texts of one's own, as `source`, instead
            of parts of it.

    Raises:
        FileError, DataError: the text can't be used.
        DivergenceError: the loss became NaN or infinite in the first epoch.
    """
    given = read(source, settings, own)
    known = fingerprint(given)
    if resumed is not None:
        require_same_text(resumed[1], known)
    if checkpoint is not None:
        checkpoint = noted(checkpoint, given, settings, known)
    parts = prepare(given, settings)
    if resumed is None:
        network = build(parts.vocabulary, settings)
        require_savable(network, parts, settings)
    else:
        network = resumed[1].network
    if announce is not None:
        announce(parts, network)
    context = RunContext(callback, callbacks, execution, checkpoint, resumed)
    diverged = train_network(network, parts, settings, context)
    return tested(network, parts, settings, known, diverged, execution)


def require_savable(
    network: Network, parts: PreparedText, settings: TextSettings
) -> None:
    """See before hours of training that there can be a file of what comes of it.

    Raises:
        DataError: a size is beyond what a file may have.
    """
    same = unfilled(network, (settings.length,))
    results = {"settings": settings.to_dict()}
    try:
        LanguageModel(same, parts.vocabulary, results).require_savable()
    except ModelFileError as error:
        raise DataError(
            f"{parts.name}: a model of this text couldn't be saved: {error}"
        ) from error


def tested(
    network: Network,
    parts: PreparedText,
    settings: TextSettings,
    data: dict[str, Any],
    diverged: str,
    execution: Execution,
) -> TrainedOnText:
    """Score the test once, beside what the network has to beat."""
    model = LanguageModel(network, parts.vocabulary)
    metrics = model.scores(parts.texts.test, execution)
    counted = NGrams(
        parts.texts.training.numbers, parts.vocabulary.size, max(ORDERS.values())
    )
    scores = baselines(counted, parts.texts.test.numbers, parts.vocabulary.unit)
    notes = notes_on(parts)
    reading = read_curves(network.history, guessed(counted, parts))
    results: dict[str, Any] = {
        "test": finite(metrics),
        "test_characters": len(parts.texts.test),
        "baselines": {name: finite(each) for name, each in scores.items()},
        "compared_by": parts.deciding.to_dict(()),
        "notes": list(notes),
        "reading": reading.text,
        "settings": settings.to_dict(),
        "data": data,
    }
    return TrainedOnText(
        replace(model, results=results),
        network.history,
        parts,
        metrics,
        scores,
        reading,
        notes,
        diverged,
    )


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
