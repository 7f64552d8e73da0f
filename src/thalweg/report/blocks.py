"""What a page is made of: sections of paragraphs, tables, pictures and code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True)
class Paragraph:
    """Sentences; a note stands apart from what surrounds it."""

    text: str
    note: bool = False
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Facts:
    """Words, and beside each what it is."""

    pairs: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Shaded:
    """A cell on a ground as strong as its share of 1; the text says the same."""

    text: str
    share: float


Cell: TypeAlias = str | Shaded


@dataclass(frozen=True)
class Grid:
    """A table whose first column names its rows.

    Arguments:
        caption: what the table says.
        heads: the columns' names.
        rows: as many cells each as there are heads.
        numbers: from this column on, cells are numbers and stand to the right.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: int = 1
    kind: ClassVar[str] = "grid"


@dataclass(frozen=True)
class Picture:
    """A drawing with what it shows, for those who see it and those who don't.

    Arguments:
        svg: the drawing, safe to stand in HTML as it is.
        caption: below it.
        alternative: what the user would see in it, in words.
    """

    svg: str
    caption: str
    alternative: str
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, where there is room."""

    pictures: Sequence[Picture]
    kind: ClassVar[str] = "pictures"


@dataclass(frozen=True)
class Code:
    """Text whose lines and spaces stay as they are."""

    label: str
    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Shot:
    """One image of a data set.

    Arguments:
        source: the image itself, a ``data:`` address.
        caption: below it.
        alternative: what it is, in words.
        coarse: whether it has so few pixels that they are shown as squares.
    """

    source: str
    caption: str
    alternative: str
    coarse: bool


@dataclass(frozen=True)
class Album:
    """Images of a data set in a row, under a heading of their own."""

    label: str
    shots: Sequence[Shot]
    kind: ClassVar[str] = "album"


Block: TypeAlias = Paragraph | Facts | Grid | Pictures | Code | Album


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    name: str
    heading: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """All of a report."""

    title: str
    subtitle: str
    sections: Sequence[Section]
