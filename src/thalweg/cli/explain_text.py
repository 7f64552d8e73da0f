"""``thalweg explain MODEL --text TEXT``: what a network sees in a line of text."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thalweg.cli.failures import say
from thalweg.cli.inputs import load_text_model
from thalweg.cli.outputs import (
    PICTURE,
    require_other_file,
    require_suffix,
    require_writable,
)
from thalweg.cli.show import facts, show, tell
from thalweg.errors import ArgumentError
from thalweg.text import Text
from thalweg.text.vocabulary import UNKNOWN, Characters
from thalweg.words import counted, listed

if TYPE_CHECKING:
    from thalweg.figures.explained_text import Data

MOST = 64
"""Characters that a picture and a terminal have room for."""


def explain_text(model: Path, text: str, figure: Path | None) -> None:
    r"""Say and draw what a model of text looks at, or keeps, along a line.

    Arguments:
        model: the file of a model of text.
        text: the line; ``\n`` in it is an end of a line.
        figure: the picture; None is beside where the command runs, called after the
            model.

    Raises:
        ArgumentError: the text is empty, the network has neither attention nor gates,
            or the picture can't be called so.
        FileError: the file holds no model of text, or the picture can't be written.
    """
    found = load_text_model(model, "explain --text")
    if not text:
        raise ArgumentError("--text must be a text of a character or more, got ''")
    picture = figure or Path(f"{model.stem}-seen{PICTURE}")
    require_suffix("--figure", picture, (PICTURE,))
    require_other_file("--figure", picture, model)
    require_writable(picture)
    line = text.replace("\\n", "\n")
    whole = Text.of(line, found.vocabulary)
    read = whole[-min(found.length, MOST) :]
    from thalweg.figures.explained_text import data_of, explained_text

    title = f"What {model.name} sees in {length_of(read)} of text"
    data = data_of(found.network, read.numbers, characters_of(read), title)
    show(facts(list(about_line(model, line, whole, read))))
    for said in lines_of(data):
        tell(said)
    path = explained_text(data, picture, shlex.join(["thalweg", *sys.argv[1:]]))
    say(f"drew {path} and {path.with_suffix('.json').name}")


def length_of(text: Text) -> str:
    """How many characters, or bytes, a text has."""
    return counted(len(text), text.vocabulary.unit.removesuffix("s"))


def characters_of(text: Text) -> str:
    """A character for each number: also of bytes, of which some are none alone."""
    each = np.split(text.numbers, len(text))
    return "".join(map(text.vocabulary.text, each))


def about_line(
    model: Path, line: str, whole: Text, read: Text
) -> Iterator[tuple[str, str]]:
    """What was read, how much of it, and which characters the model doesn't know."""
    yield "Model", model.name
    yield "Text", repr(str(read))
    if len(read) < len(whole):
        yield "Taken", f"the last {len(read):,} of {length_of(whole)}"
    if isinstance(read.vocabulary, Characters) and read.unknown:
        pairs = zip(line[-len(read) :], read.numbers, strict=True)
        lacking = dict.fromkeys(each for each, n in pairs if n == UNKNOWN)
        yield "Unknown", listed(list(lacking))


def lines_of(data: Data) -> Iterator[str]:
    """Under the text, each character's most looked-at one, and the means of gates."""
    from thalweg.figures.along_text import GATES, letter_of, letters_of

    letters = letters_of(data.characters)
    for layer in data.attention:
        yield from ("", f"{layer.label}; below each character the one it looks at most")
        rows = {
            f"head {head.number}": [letters[int(np.argmax(w))] for w in head.weights]
            for head in layer.heads
        }
        yield from aligned({"": letters, **rows})
    for layer in data.gates:
        yield from ("", f"{layer.label}; tenths to which gates are open on average")
        rows = {
            f"{gate.name}, {GATES[letter_of(gate.name)][0]}": list(
                map(tenth, gate.mean)
            )
            for gate in layer.gates
        }
        yield from aligned({"": letters, **rows})


def aligned(rows: dict[str, list[str]]) -> Iterator[str]:
    """Characters under each other, right of their names."""
    width = max(map(len, rows))
    for name, characters in rows.items():
        yield f"  {name:{width}}  {''.join(characters)}"


def tenth(value: float) -> str:
    """A digit for a number from 0 to 1.

    >>> [tenth(value) for value in (0.0, 0.58, 1.0, float("nan"))]
    ['0', '5', '9', '?']
    """
    return str(min(int(10 * value), 9)) if math.isfinite(value) else "?"
