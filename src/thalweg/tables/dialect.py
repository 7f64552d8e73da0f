"""How the text of a table's file is written."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from encodings.aliases import aliases
from typing import Any

from thalweg.checks import (
    nearest,
    require,
    require_instance,
    require_text,
    require_whole,
)
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.tables.strict import require_keys

SEPARATOR_NAMES: Mapping[str, str] = {"tab": "\t", "space": " "}
"""What may be typed for a separator that is hard to type; and for a tab also \\t."""

NO_SEPARATORS = '"\r\n\0'
"""What ends a line, stands around a cell, or isn't text."""

LINE_ENDS = "\r\n"

NOT_OF_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape")
"""Encodings of names in the internet, and of Python's own texts."""


@dataclass(frozen=True)
class Dialect:
    r"""How the text of a table's file is written, where that isn't to be found out.

    Frames and Parquet files have no text, so it says nothing about them.

    Arguments:
        separator: the character between cells, or its name: ``tab`` or ``space``.
            Spaces count as one, however many there are. None is the comma, tab,
            semicolon or bar that cuts the first lines into rows of one length.
        encoding: of the text, by a name that Python knows. None is UTF-8, or UTF-16 or
            UTF-32 where the file starts with their mark.
        skip_rows: how many lines above the header are left out.
        comment: lines that start with it are left out. None leaves out none.

    Raises:
        ArgumentError: one of them can't be used; the message says what it must be.

    Example:
        >>> from pathlib import Path
        >>> import thalweg as tw
        >>> lines = ["Sales of 2024", "town;class"] + ["Gent;low", "Aalst;high"] * 20
        >>> Path("sales.csv").write_text("\n".join(lines))
        424
        >>> model = tw.train("sales.csv", "class", skip_rows=1, epochs=5).model
        >>> model.dialect
        Dialect(separator=None, encoding=None, skip_rows=1, comment=None)
        >>> Path("towns.csv").write_text("town,people\nAalst,90000\n")
        24
        >>> model.predict("towns.csv", dialect=tw.Dialect())["prediction"].to_list()
        ['high']
    """

    separator: str | None = None
    encoding: str | None = None
    skip_rows: int = 0
    comment: str | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        require_whole("skip_rows", self.skip_rows, least=0)
        object.__setattr__(self, "skip_rows", int(self.skip_rows))
        if self.comment is not None:
            must = "the start of lines that are left out, such as #"
            require_instance("comment", self.comment, str, must)
            fits = bool(self.comment.strip()) and not set(self.comment) & {*LINE_ENDS}
            require(fits, "comment", must, self.comment)
        if self.separator is not None:
            object.__setattr__(self, "separator", _character(self.separator))
            must = "another character than comment starts with"
            same = (self.comment or "").startswith(str(self.separator))
            require(not same, "separator", must, self.separator)
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _known_encoding(self.encoding))

    def to_dict(self) -> dict[str, Any]:
        """The dialect as plain data.

        >>> Dialect(encoding="latin-1").to_dict()["encoding"]
        'iso8859-1'
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Dialect:
        """The dialect that `to_dict` described.

        Raises:
            ModelFileError: it isn't one.

        >>> Dialect.from_dict(Dialect(separator="tab").to_dict())
        Dialect(separator='\\t', encoding=None, skip_rows=0, comment=None)
        """
        keys = ("separator", "encoding", "skip_rows", "comment")
        try:
            return cls(**require_keys(data, "a dialect", *keys))
        except ArgumentError as error:
            raise ModelFileError(f"a dialect's {error}") from None


USUAL_DIALECT = Dialect()
"""Everything is found out."""


def _character(separator: object) -> str:
    """The character that separates cells."""
    must = f"one character, or {' or '.join(SEPARATOR_NAMES)}"
    require_instance("separator", separator, str, must)
    names = {**SEPARATOR_NAMES, r"\t": "\t"}
    character = names.get(str(separator).lower(), str(separator))
    require(len(character) == 1, "separator", must, separator)
    fits = character not in NO_SEPARATORS
    must = "a character other than a quote and what ends a line"
    require(fits, "separator", must, separator)
    return character


def _known_encoding(name: object) -> str:
    """Python's own name of an encoding.

    Raises:
        ArgumentError: Python knows none of this name, or it isn't one of text.
    """
    must = "the name of an encoding, such as cp1252"
    require_instance("encoding", name, str, must)
    if not _is_encoding(str(name)):
        known = {each.replace("_", "-") for each in (*aliases, *aliases.values())}
        close = nearest(str(name), sorted(filter(_is_encoding, known)))
        must = "an encoding of text that Python knows"
        raise ArgumentError(f"encoding must be {must}, got {name!r}{close}")
    return codecs.lookup(str(name)).name


def _is_encoding(name: str) -> bool:
    """Whether Python knows an encoding of text by this name."""
    try:
        "a".encode(name)
        codecs.getincrementaldecoder(name)
        return codecs.lookup(name).name not in NOT_OF_FILES
    except (LookupError, ValueError):
        return False


def dialect_in(described: Mapping[str, Any]) -> Dialect:
    """How the text of tables is written, as a model's file says it if it isn't usual.

    Raises:
        ModelFileError: what it says is no dialect.
    """
    if "dialect" not in described:
        return USUAL_DIALECT
    return Dialect.from_dict(described["dialect"])
