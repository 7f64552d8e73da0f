"""What a search does with a text: what there is to choose, and folds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from thalweg.checks import require_whole
from thalweg.errors import DataError
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.own import PARTS
from thalweg.language.own import ReadText
from thalweg.language.prepare import EVERY_PART, PreparedText, prepared_text
from thalweg.language.settings import TRANSFORMER, TextSettings
from thalweg.search.share import validation_share
from thalweg.search.space import (
    RISING_RATES,
    Choice,
    Space,
    batch_sizes,
    learning_rates,
)
from thalweg.text import Text, TextParts
from thalweg.text.text import present
from thalweg.words import counted


def space(base: TextSettings, parts: PreparedText) -> Space:
    """What there is to choose for a text.

    A GRU, an LSTM or a transformer of one or two layers, 64 to 256 wide; the learning
    rate over a decade and a half; the usual windows of a step, half, double or four
    times as many; and dropout. A window's length isn't chosen: what comes before a
    character is then another for each settings.

    Arguments:
        base: the settings that hold where nothing is chosen.
        parts: the text.
    """
    cells = ["gru", "gru", "lstm", TRANSFORMER]
    if len(set(base.layers)) > 1:  # as given, which a transformer can't have
        cells.remove(TRANSFORMER)
    return {
        "cell": Choice(tuple(cells)),
        "width": Choice((64, 128, 128, 256)),
        "depth": Choice((1, 1, 2)),
        "learning_rate": learning_rates(base, RISING_RATES),
        "batch_size": batch_sizes(base, len(parts.training.X)),
        "dropout": Choice((0.0, 0.1, 0.1, 0.2, 0.3)),
    }


def folds(
    found: ReadText, parts: PreparedText, settings: TextSettings, count: int
) -> list[PreparedText]:
    """The text for each fold, a piece that stands where the test stood.

    All but the test is cut into pieces as long as each other, one after the other. Each
    is scored once; what stands before and behind it is learned from, but for its end,
    which chooses the epoch, unless there is a text for that. No window lies across a
    cut, and the vocabulary is that of what is learned from.

    Arguments:
        found: the text as it was read, and those of one's own.
        parts: which part of it is for the test.
        settings: the shares, and the windows' length.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds.
        DataError: a piece is no longer than a window.
    """
    require_whole("folds", count, least=2)
    tested = 0 if "test" in found.own else len(parts.texts.test)
    text = found.text[: len(found.text) - tested]
    ends = [len(text) * part // count for part in range(count + 1)]
    drawn = {
        part: 0.0 if part in found.own else float(getattr(settings, part))
        for part in PARTS
    }
    share = validation_share(drawn, len(text), count)
    try:
        return [
            fold_of(found, text, parts, settings, start, end, share)
            for start, end in pairwise(ends)
        ]
    except DataError as error:
        raise DataError(f"{found.name}, {count} folds: {error}") from None


def fold_of(
    found: ReadText,
    text: Text,
    parts: PreparedText,
    settings: TextSettings,
    start: int,
    end: int,
    share: float,
) -> PreparedText:
    """The text with the piece from `start` to `end` to score."""
    rest, scored = [text[:start], text[end:]], text[start:end]
    learned, chosen = cut(rest, round(share * sum(map(len, rest))))
    if "validation" in found.own:
        chosen = [found.own["validation"]]
    for pieces in (learned, chosen, [scored]):
        require_window(pieces, settings.length)
    vocabulary = present(joined(learned).numbers, text.vocabulary)
    parted = [
        [each.in_vocabulary(vocabulary) for each in pieces]
        for pieces in (learned, chosen, [scored])
    ]
    windows = [windows_of(pieces, settings.length) for pieces in parted]
    rows: dict[str, EncodedRows] = dict(zip(EVERY_PART, windows, strict=True))
    # Of what is joined only characters are asked; no window is of two pieces.
    texts = TextParts(*map(joined, parted))
    return prepared_text(texts, rows, parts.notes, parts.name)


def cut(pieces: Sequence[Text], last: int) -> tuple[list[Text], list[Text]]:
    """Pieces without so many characters at their end, and those characters' pieces."""
    before, behind = list[Text](), list[Text]()
    left = last
    for each in reversed(pieces):
        at = max(len(each) - left, 0)
        left -= len(each) - at
        before.insert(0, each[:at])
        behind.insert(0, each[at:])
    return list(filter(len, before)), list(filter(len, behind))


def joined(pieces: Sequence[Text]) -> Text:
    """Pieces of one text as one."""
    if len(pieces) == 1:
        return pieces[0]
    return replace(pieces[0], numbers=np.concatenate([each.numbers for each in pieces]))


def require_window(pieces: Sequence[Text], length: int) -> None:
    """One of the pieces is longer than a window.

    Raises:
        DataError: none is.
    """
    longest = max(map(len, pieces), default=0)
    if longest <= length:
        raise DataError(
            f"each piece must have more than {counted(length, 'character')}, the "
            f"length of a window, got {longest:,}; fewer folds have longer pieces, and "
            "a smaller length needs shorter ones"
        )


def windows_of(pieces: Sequence[Text], length: int) -> EncodedRows:
    """The windows of each piece that is longer than one."""
    rows = [each.next_characters(length) for each in pieces if len(each) > length]
    X, y = (
        each[0] if len(each) == 1 else np.concatenate(each)
        for each in zip(*rows, strict=True)
    )
    return EncodedRows(X, y, y, None)
