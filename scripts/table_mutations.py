"""Ways to break a table's file: its bytes, its text, its cells, its encoding."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable

from mutations import BYTES

STRANGE_CELLS = (
    *("", " ", "NA", "nan", "?", "inf", "-inf", "1e999", "-1e-999", "9" * 400),
    *("1" * 5000, "1,5", "1.234,5", "1_000", "0x1F", "+7", ".5", "5.", "1e5", "1E+05"),
    *(
        "007",
        "-0",
        "1 000",
        "12%",
        "$3",
        "true",
        "TRUE",
        "yes",
        "No",
        "maybe",
        "t",
        "f",
    ),
    *("2020-02-30", "2020-1-5", "2020-01-05T10:00:00Z", "05/01/2020", "+12020-01-01"),
    *("24:00", "23:59:60", "7:5", "a\tb", "a;b", "a|b", "'quoted'", "\\", "\\n", "#"),
    *('"', '""', '"""', 'a"b', '"a', 'a"', '"a"b', '"a","b"', '"a\nb"', '"a\r\nb"'),
    *("\ufeff", "\u00a0", "\u2003x", "٣", "１２", "Ünïcödé", "\U0001f427", "e\u0301"),
    *("\x00", "\x0b", "\x1c", "\x1f7", "\x7f", "\x85", "\u2028", "=1+1", "nan()"),
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "utf-32", "utf-7")
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE)
ENDS = ("\n", "\r\n", "\r", "\n\n", "\n\r", "\r\r\n", " \n", "\n ", ",\n", "\u2028", "")


def strange_cell(text: str, choose: random.Random) -> str:
    """Another cell somewhere, without regard to quotes."""
    return edit_cells(text, choose, lambda cells, at: replaced(cells, at, choose))


def ragged(text: str, choose: random.Random) -> str:
    """A cell too many in a line, or too few."""

    def edit(cells: list[str], at: int) -> list[str]:
        more = choose.random() < 0.5
        return cells[:at] + [cells[at]] * (2 if more else 0) + cells[at + 1 :]

    return edit_cells(text, choose, edit)


def quoted(text: str, choose: random.Random) -> str:
    """Quotes put around a cell, in it, or at one of its ends."""
    forms = ('"{}"', '"{}', '{}"', ' "{}"', '"{}" ', '""{}""', '"{}""', '{}"{}')

    def edit(cells: list[str], at: int) -> list[str]:
        form = choose.choice(forms)
        return [*cells[:at], form.replace("{}", cells[at]), *cells[at + 1 :]]

    return edit_cells(text, choose, edit)


def edit_cells(
    text: str, choose: random.Random, edit: Callable[[list[str], int], list[str]]
) -> str:
    """The text with the cells of one line edited, at one of them."""
    lines = text.split("\n")
    number = choose.randrange(len(lines))
    separator = max(",;\t|", key=lines[number].count)
    cells = lines[number].split(separator)
    lines[number] = separator.join(edit(cells, choose.randrange(len(cells))))
    return "\n".join(lines)


def replaced(cells: list[str], at: int, choose: random.Random) -> list[str]:
    """The cells with a strange one."""
    return [*cells[:at], choose.choice(STRANGE_CELLS), *cells[at + 1 :]]


def strange_column(text: str, choose: random.Random) -> str:
    """A strange cell in many lines, at the same place."""
    lines = text.split("\n")
    place, share = choose.randrange(lines[0].count(",") + 1), choose.random()
    cell = choose.choice(STRANGE_CELLS)
    for number, line in enumerate(lines):
        cells = line.split(",")
        if place < len(cells) and number and choose.random() < share:
            lines[number] = ",".join([*cells[:place], cell, *cells[place + 1 :]])
    return "\n".join(lines)


def edit_lines(text: str, choose: random.Random) -> str:
    """Lines left out, twice, empty, or in another order."""
    lines = text.split("\n")
    at, other = choose.randrange(len(lines)), choose.randrange(len(lines))
    change = choose.randrange(6)
    if change == 0:
        del lines[at]
    elif change == 1:
        lines.insert(other, lines[at])
    elif change == 2:
        lines.insert(at, choose.choice(("", " ", ",", ",,,,,,,,", '""', "\t", "#")))
    elif change == 3:
        lines[at], lines[other] = lines[other], lines[at]
    elif change == 4:
        lines = lines[: 1 + at]
    else:
        del lines[at:other]
    return "\n".join(lines)


def separators(text: str, choose: random.Random) -> str:
    """Another separator everywhere, or in one place."""
    other = choose.choice(";\t|, .:")
    if choose.random() < 0.5:
        return text.replace(",", other)
    places = [at for at, character in enumerate(text) if character == ","] or [0]
    at = choose.choice(places)
    return text[:at] + other + text[at + 1 :]


def line_ends(text: str, choose: random.Random) -> str:
    """Other ends of lines, all of them or one."""
    end = choose.choice(ENDS)
    if choose.random() < 0.5:
        return text.replace("\n", end)
    head, _, tail = text.partition("\n")
    return head + end + tail if choose.random() < 0.3 else text.rstrip("\n") + end


def names(text: str, choose: random.Random) -> str:
    """A column's name twice, empty, or another."""
    header, _, rest = text.partition("\n")
    cells = header.split(",")
    at = choose.randrange(len(cells))
    cells[at] = choose.choice((*cells, "", " ", f" {cells[at]} ", *STRANGE_CELLS[:30]))
    return ",".join(cells) + "\n" + rest


TEXTS: tuple[Callable[[str, random.Random], str], ...] = (
    *(strange_cell, strange_cell, strange_column, ragged, quoted, edit_lines),
    *(separators, line_ends, names),
)


def broken_csv(text: str, choose: random.Random) -> bytes:
    """The text of a table after a few mutations, in some encoding."""
    for mutation in choose.choices(TEXTS, k=choose.choice((0, 1, 1, 1, 2, 3))):
        text = mutation(text, choose) if text else text
    data = encoded(text, choose)
    for mutation in choose.choices(BYTES, k=choose.choice((0, 0, 0, 1, 1, 2))):
        data = mutation(data, choose) if data else data
    return data


def encoded(text: str, choose: random.Random) -> bytes:
    """UTF-8 most often, and sometimes a mark that does or doesn't belong there."""
    chance = choose.random()
    if chance < 0.85:
        data = text.encode("utf-8", "replace")
    else:
        data = text.encode(choose.choice(ENCODINGS), "replace")
    if choose.random() < 0.06:
        at = choose.choice((0, 0, choose.randrange(len(data) + 1)))
        data = data[:at] + choose.choice(MARKS) + data[at:]
    return data


def broken_bytes(data: bytes, choose: random.Random) -> bytes:
    """A file of bytes, flipped, cut, mixed up; sometimes in its end, where most is."""
    for mutation in choose.choices(BYTES, k=choose.choice((1, 1, 2, 3))):
        if choose.random() < 0.3 and len(data) > 400:
            data = data[:-400] + mutation(data[-400:], choose)
        elif data:
            data = mutation(data, choose)
    return data
