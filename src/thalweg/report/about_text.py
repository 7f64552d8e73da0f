"""What the text is, how far the network looks back, and how it writes."""

from __future__ import annotations

from functools import partial

import numpy as np

from thalweg.language.prepare import PreparedText
from thalweg.language.scores import bits_by_place
from thalweg.program.types import NumpyArray
from thalweg.report import pictures
from thalweg.report.blocks import (
    Block,
    Code,
    Facts,
    Grid,
    Paragraph,
    Picture,
    Pictures,
    Section,
)
from thalweg.report.formatting import cut, number, percent
from thalweg.report.svg import svg
from thalweg.report.text_evaluation import TextEvaluation
from thalweg.text.vocabulary import UNKNOWN, Bytes

TEMPERATURES = (0.5, 0.8, 1.0)
WRITTEN = 400
START, LETTERS = 300, 40
MOST_PLACES = 12
PARTS = {
    "training": "to learn from",
    "validation": "to choose the epoch by",
    "test": "to test once",
}
WHY = (
    "Each part is one piece of the text, in its order: pieces drawn at random would "
    "lie beside others that were learned by heart."
)
ABOUT_PLACES = (
    "At a window's first place the network has seen one character, at its last all of "
    "them. Where the line no longer falls, more context says nothing that the network "
    "makes use of."
)


def text_section(evaluation: TextEvaluation) -> Section:
    """How long it is, what it is made of, and how it was split."""
    model, prepared = evaluation.model, evaluation.rows
    name, unit = evaluation.data_name, model.vocabulary.unit
    pairs = [("Text", cut(name))] if name else []
    seen = "" if prepared is None else prepared.seen
    pairs += [("Seen", seen)] if seen else []
    pairs += [("Windows", f"of {model.length:,} {unit}")]
    if not isinstance(model.vocabulary, Bytes):
        known = "".join(model.vocabulary.labels()[UNKNOWN + 1 :])
        pairs.append(("Characters known", cut(known, 1_000)))
    blocks: list[Block] = [Facts(pairs)]
    if prepared is not None:
        notes = [Paragraph(f"{cut(n, 500)}.", note=True) for n in prepared.notes]
        blocks += [*notes, split_grid(prepared), Paragraph(WHY)]
    return Section("text", "The text", blocks)


def split_grid(prepared: PreparedText) -> Grid:
    """How long each part is, and how much of it is unknown."""
    rows = [
        [use, f"{len(text):,}", percent(text.unknown / len(text))]
        for part, use in PARTS.items()
        for text in [getattr(prepared.texts, part)]
    ]
    unit = prepared.vocabulary.unit.capitalize()
    return Grid("The parts, in their order", ["Part", unit, "Unknown"], rows)


def places_section(evaluation: TextEvaluation, prepared: PreparedText) -> Section:
    """Bits by the place in a window: the perplexity against the context."""
    model = evaluation.model
    numbers = prepared.texts.test.numbers
    bits = bits_by_place(model.network, numbers, evaluation.execution)
    chosen = np.unique(np.geomspace(1, len(bits), MOST_PLACES).round().astype(int))
    unit = model.vocabulary.unit.removesuffix("s")
    rows = [
        [
            f"{place:,}",
            number(float(bits[place - 1])),
            number(2 ** float(bits[place - 1])),
        ]
        for place in chosen.tolist()
    ]
    heads = [f"{unit.capitalize()}s seen", f"Bits per {unit}", "Perplexity"]
    blocks: list[Block] = [
        Paragraph(ABOUT_PLACES),
        Pictures([places_picture(bits, unit)]),
        Grid("Some places in numbers", heads, rows),
    ]
    return Section("context", "How far it looks back", blocks)


def places_picture(bits: NumpyArray, unit: str) -> Picture:
    """Bits at each place."""
    told = f"{number(float(bits[0]))} after one, {number(float(bits[-1]))} after all"
    caption = f"Bits per {unit} of the test, by how much of a window was seen."
    drawing = svg("places", partial(pictures.bits_by_place, bits, unit), bits)
    return Picture(drawing, caption, f"{caption} {told}.")


def written_section(evaluation: TextEvaluation) -> Section:
    """What the network writes at several temperatures."""
    model, prepared = evaluation.model, evaluation.rows
    start = "\n" if prepared is None else beginning(prepared)
    try:
        model.vocabulary.encode(start)
    except ValueError:  # one character that it doesn't know
        start = model.vocabulary.labels()[-1]
    blocks: list[Block] = [
        Code(f"At temperature {each:g}", model.write(start, WRITTEN, temperature=each))
        for each in TEMPERATURES
    ]
    about = (
        "Each character is drawn by its probability; below temperature 1 likely ones "
        "become likelier. Seed 0."
    )
    return Section("written", "What it writes", [Paragraph(about), *blocks])


def beginning(prepared: PreparedText) -> str:
    """The first whole line of the test, or how it begins."""
    start = str(prepared.texts.test[:START])
    _, _, later = start.partition("\n")
    line, end, _ = later.partition("\n")
    return line + end or start[:LETTERS]
