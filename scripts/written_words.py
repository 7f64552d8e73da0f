"""Columns of words, whose categories are known beforehand."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from written_column import EVERYWHERE, FILE_MARKERS, MARKERS, Decision, Written

LABELS: tuple[Sequence[str], ...] = (
    ("2:1", "0:0", "1:3", "10:2"),
    ("2-1", "0-0", "3-4"),
    ("10-20", "20-30", "30-40", "40+"),
    ("<=50K", ">50K"),
    ("1st", "2nd", "3rd"),
    ("12A", "14B", "3C"),
    ("Q1", "Q2", "Q3"),
    ("P000", "P001", "P1e3"),
    ("1.2.3", "1.2.4", "2.0.0"),
    ("192.168.0.1", "10.0.0.1", "10.0.0.255"),
    ("12/15", "3/4", "1/2"),
    ("5'11\"", "6'2\"", "5'9\""),
    ("0x1F", "0x2A", "0xFF"),
    ("1_000", "2_500", "1_0"),
    ("١٢", "٣٤", "٥٦"),
    ("１２", "３４", "５６"),
    ("51°30'N", "0°7'W", "48°51'N"),
    ("2021-W05", "2021-W06", "2021-W07"),
    ("2021Q1", "2021Q2", "2022Q1"),
    ("a,b", 'say "hi"', "two\nlines", "semi;colon", "a|b", "tab\tbed"),
    ("May", "June", "April", "March"),
    ("Mon", "Tue", "Wed"),
    ("S", "M", "38", "40", "L"),
    ("low", "mid", "high"),
    ("Ünïcödé", "ümlaut", "🐧", "e\u0301"),
    ("#1", "#2", "#3"),
    ("+", "++", "0"),
    ("½", "¼", "1½"),
    ("II", "IV", "X"),
    ("1.000.00", "2.0.0.0", "3.000.00"),
    ("10:2:3", "1:2:3", "9:9:9"),
    ("IMO 1234567", "IMO 7654321", "IMO 1111111"),
    ("A1", "B2", "C3"),
    ("no one", "yes man", "true north"),
    ("Y", "N", "unknown"),
    ("yes", "no", "-"),
    ("555-1234", "555-4321", "555-0000"),
    ("2021-05", "2021-06", "2022-01"),
    ("20 to 30", "30 to 40", "50 to 60"),
    ("1 and 2", "2 and 3", "3 and 4"),
    ("4x4", "6x4", "8x8"),
    ("--5", "--6", "+-7"),
    ("12:00-13:00", "13:00-14:00", "14:00-15:00"),
    ("12:5", "3:7", "11:9"),
    ("(a)", "(b)", "(c)"),
    ("3/4/5", "1/1/1", "9/9/9"),
    ("7 of 9", "3 of 9", "1 of 9"),
)
"""What looks like numbers or moments, and is none; and words of every sort."""

PAIRS = (("no", "yes"), ("false", "true"), ("f", "t"), ("n", "y"))
CLASSES = ("None", "NA", "null", "nan", "N/A")


def labels(choose: random.Random, name: str, rows: int) -> Written:
    """Words; few say that nothing is known."""
    pool = choose.choice(LABELS)
    cells = [pool[row % len(pool)] for row in range(rows)]
    choose.shuffle(cells)  # as often each, as of one unit most may be numbers
    meant: list[Any] = list(cells)
    for row in choose.sample(
        range(rows // 2, rows), int(choose.uniform(0, 0.049 * rows))
    ):
        cells[row], meant[row] = choose.choice(FILE_MARKERS), None
    return Written(name, "labels", "category", cells, meant, plain=True)


def booleans(choose: random.Random, name: str, rows: int) -> Written:
    """Yes and no in one pair of words, some of them as 1 and 0."""
    pair = choose.choice(PAIRS)
    digits = choose.random() < 0.3
    said = [choose.randrange(2) for _ in range(rows)]
    said[:2] = 0, 1
    cells = [
        str(number) if digits and row > 1 and choose.random() < 0.3 else pair[number]
        for row, number in enumerate(said)
    ]
    case = choose.choice((str, str.upper, str.title))
    meant: list[Any] = [("false", "true")[number] for number in said]
    cells = [case(cell) for cell in cells]
    for row in choose.sample(range(2, rows), int(choose.uniform(0, 0.3 * rows))):
        cells[row], meant[row] = "", None
    return Written(name, "yes or no", "boolean", cells, meant, plain=True)


def zero_or_one(choose: random.Random, name: str, rows: int) -> Written:
    """1 and 0 alone are numbers."""
    numbers = [choose.randrange(2) for _ in range(rows)]
    numbers[:3] = 1, 0, 0
    cells, meant = [*map(str, numbers)], [*map(float, numbers)]
    found: list[Any] = list(meant)
    for row in choose.sample(range(3, rows), int(choose.uniform(0, 0.3 * rows))):
        cells[row], found[row] = choose.choice(MARKERS), None
    return Written(name, "zero or one", "number", cells, found)


def words_that_are_classes(choose: random.Random, name: str, rows: int) -> Written:
    """None, NA, null as often as a class: an error, until it is said what they are."""
    word = choose.choice(CLASSES)
    pool = choose.choice((("a", "b"), ("Broken",), ("Cu", "Fe"), ("no", "yes")))
    cells = [choose.choice((*pool, word)) for _ in range(rows)]
    cells[:4] = *pool[:1], word, word, pool[-1]
    many = [word if cell == word else cell for cell in cells]
    missing = [None if cell == word else cell for cell in many]
    if pool == ("no", "yes"):
        said = {"no": "false", "yes": "true", None: None}
        missing = [said[cell] for cell in missing]
    kind = "boolean" if pool == ("no", "yes") else "category"
    every = Decision("category", name, "category", many)
    none = Decision("missing", word, kind, missing)
    written = Written(
        name, "words that are classes", "category", many, many, plain=True
    )
    turn = choose.randrange(3)
    if turn == 0:
        return replace(written, refusal="must", decisions=(every, none))
    if turn == 1:
        return replace(written, settings={"category": name})
    return replace(
        written, kind=kind, meant=missing, settings={"missing": f"{name}={word}"}
    )


def a_word_is_missing(choose: random.Random, name: str, rows: int) -> Written:
    """Categories, of which one is declared to be missing."""
    word = choose.choice(("n/k", EVERYWHERE))
    cells = [choose.choice(("red", "blue", word, "green")) for _ in range(rows)]
    cells[:3] = "red", word, "blue"
    meant = [None if cell == word else cell for cell in cells]
    written = Written(name, "a word is missing", "category", cells, meant, plain=True)
    text = word if word == EVERYWHERE else f"{name}={word}"
    return replace(written, settings={"missing": text})


WORDS: tuple[Callable[[random.Random, str, int], Written], ...] = (
    *(labels, labels, labels, booleans, zero_or_one),
    *(words_that_are_classes, a_word_is_missing),
)
