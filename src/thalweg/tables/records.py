"""The bytes of a CSV file, cut into records.

An exported file of Python has these functions written out in it, and so reads a table
as `read` does: they use each other, those of `packed` and `words`, and the standard
library.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec, module_from_spec
from itertools import islice
from typing import Any

from thalweg.errors import DataError
from thalweg.words import counted, listed

SEPARATORS = ",\t;|"
SNIFFED_RECORDS = 50
SNIFFED_BYTES = 2**16

MOST_CHARACTERS = 2**31 - 1
"""Of a cell: the largest number that the parser takes on every system."""

MARKS = {
    codecs.BOM_UTF8: "utf-8",
    # That of UTF-16 is the start of that of UTF-32.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""What a text may start with, and the encoding that it tells."""

LIKELY_ENCODINGS = ("utf-16-le", "utf-16-be", "cp1252", "shift_jis", "gb18030")
"""What a text may be in that isn't in UTF-8; the first that fits is suggested."""


# Text ---------------------------------------------------------------------------------


def utf8(data: bytes, name: str, encoding: str | None = None) -> bytes:
    """A file's text as UTF-8, without a byte order mark.

    Raises:
        DataError: it isn't text in its encoding.
    """
    codec = encoding_of(data, name, encoding)
    if codec == "utf-8":
        data = data.removeprefix(codecs.BOM_UTF8)
        if not data.isascii():
            decoded(data, codec, name)
    else:
        data = decoded(data, codec, name).removeprefix("\ufeff").encode()
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise DataError(
            f"{name}, line {line}: must be text, but holds a zero byte (a binary file, "
            f"or UTF-16 without its mark?){suggested(data)}"
        )
    return data


def encoding_of(start: bytes, name: str, encoding: str | None) -> str:
    """The encoding that was declared, else that of the mark at the start, else UTF-8.

    Raises:
        DataError: the mark is that of another encoding.
    """
    marks = [mark for mark in MARKS if start.startswith(mark)]
    told = [MARKS[mark] for mark in marks]
    if encoding is None or not told:
        return encoding or (told or ["utf-8"])[0]
    if not encoding.startswith(tuple(told)):
        raise DataError(
            f"{name}: must be text in {encoding}, but starts with the mark of "
            f"{told[0].upper()}: encoding={told[0]!r}"
        )
    return encoding


def decoded(data: bytes, encoding: str, name: str) -> str:
    """The text of some bytes.

    Raises:
        DataError: they aren't text in that encoding.
    """
    try:
        text = data.decode(encoding)
        text.encode()  # half of a surrogate pair is no character
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, start) + 1
        raise DataError(
            f"{name}, line {line}: must be text in {encoding.upper()}, but byte "
            f"{data[start]:#04x} at offset {start} isn't; save it as UTF-8"
            f"{suggested(data)}"
        ) from None
    return text


def suggested(data: bytes) -> str:
    """The first likely encoding in which the bytes are lines, as a message's end."""
    for encoding in LIKELY_ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        if "\0" not in text and ("\n" in text or "\r" in text):
            return f", or say in what it is: encoding={encoding!r} fits"
    return ""


def lines_of(data: bytes) -> Iterator[str]:
    """Lines of UTF-8, with whatever ends them."""
    return iter(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""))


# Records ------------------------------------------------------------------------------


def csv_parser() -> Any:
    """Python's parser of CSV, for cells of any length.

    How long a cell may be is a setting of the module `csv`, and so of all who use it in
    a process. This is another copy of the module that does its work, with a setting of
    its own.
    """
    spec: Any = find_spec("_csv")
    parser: Any = module_from_spec(spec)
    spec.loader.exec_module(parser)
    parser.field_size_limit(MOST_CHARACTERS)
    return parser


def records(
    lines: Iterable[str],
    separator: str,
    name: str,
    before: int = 0,
    comment: str | None = None,
) -> Iterator[tuple[int, list[str]]]:
    """The records that aren't blank: the line each starts on, and its cells.

    Args:
        lines: with their ends.
        separator: between cells. Of spaces there may be any number.
        name: the file's, for messages.
        before: how many lines of the file come before these.
        comment: what lines between records start with that are left out.

    Raises:
        DataError: they break the rules of CSV.
    """
    line, start, inside = before, before, False

    def given() -> Iterator[str]:
        nonlocal line, start, inside
        for text in lines:
            line += 1
            if not inside:
                if comment is not None and text.startswith(comment):
                    continue
                start, inside = line, True
            yield text

    parser, spaces = csv_parser(), separator == " "
    reader = parser.reader(
        given(), delimiter=separator, strict=True, skipinitialspace=not spaces
    )
    while True:
        inside = False
        try:
            cells = next(reader)
        except StopIteration:
            return
        except parser.Error as error:
            raise DataError(
                f"{name}, line {start}: must follow the rules of CSV, "
                f"but the parser found: {error}"
            ) from None
        if spaces:
            cells = [cell for cell in cells if cell]
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield start, cells


def of_one_length(
    found: Iterable[tuple[int, list[str]]], header: tuple[int, list[str]], name: str
) -> Iterator[tuple[int, list[str]]]:
    """The records, if each has as many cells as the header.

    Raises:
        DataError: one hasn't; the message names its line.
    """
    header_line, names = header
    for line, cells in found:
        if len(cells) != len(names):
            # What was taken for the header may be the table's title.
            near = len(names) == 1 or line <= header_line + 2
            title = near and len(cells) > len(names)
            raise DataError(
                f"{name}, line {line}: must have {counted(len(names), 'cell')} like "
                f"the header on line {header_line}, but has {len(cells)}"
                + f"; if this is the header, give skip_rows={line - 1}"
                * title
            )
        yield line, cells


# The start of a file ------------------------------------------------------------------


def opening(
    data: bytes,
    name: str,
    separator: str | None = None,
    skip_rows: int = 0,
    comment: str | None = None,
) -> tuple[str, tuple[int, list[str]], int, int]:
    """What stands before the rows.

    Returns:
        The separator; the header, its line and its cells; at which byte the rows
        start; and how many lines come before them.

    Raises:
        DataError: there is no header.
    """
    told, at, before = before_header(data, skip_rows, comment)
    found = separator or told or sniffed(data[at : at + SNIFFED_BYTES], comment)
    sizes: list[int] = []

    def measured() -> Iterator[str]:
        for line in lines_of(data[at:]):
            sizes.append(len(line.encode()))
            yield line

    header = next(records(measured(), found, name, before, comment), None)
    if header is None:
        left_out = f" below {counted(skip_rows, 'line')}" if skip_rows else ""
        raise DataError(
            f"{name}: there must be a header and rows{left_out}; it is empty"
        )
    return found, header, at + sum(sizes), before + len(sizes)


def before_header(
    data: bytes, skip_rows: int, comment: str | None
) -> tuple[str | None, int, int]:
    """What stands above the header: lines to skip, comments, blank ones, ``sep=;``.

    Returns:
        The separator that a first line such as ``sep=;`` tells; at which byte the
        header starts; and how many lines come before it.
    """
    told, at, before = None, 0, 0
    for line in lines_of(data):
        # Excel heeds such a line, and writes none.
        is_first = before == skip_rows
        separates = re.fullmatch(r'"?sep=([^\w"\r\n])"?\s*', line, re.IGNORECASE)
        if is_first and separates:
            told = separates[1]
        elif before >= skip_rows:
            is_comment = comment is not None and line.startswith(comment)
            if line.strip() and not is_comment:
                break
        at += len(line.encode())
        before += 1
    return told, at, before


def sniffed(data: bytes, comment: str | None = None) -> str:
    """The separator that cuts the first lines into rows of one length, the longest."""
    head = data.decode("utf-8", errors="ignore")
    return max(SEPARATORS, key=lambda separator: fit(head, separator, comment))


def fit(head: str, separator: str, comment: str | None) -> tuple[float, int]:
    """How well a separator fits: the share of rows as long as the first; its length."""
    lines = io.StringIO(head, newline="")
    rows = (line for line in lines if comment is None or not line.startswith(comment))
    parser = csv_parser()
    try:
        cut = parser.reader(rows, delimiter=separator, skipinitialspace=True)
        widths = [len(cells) for cells in islice(cut, SNIFFED_RECORDS) if cells]
    except parser.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]


def header_names(name: str, header: tuple[int, list[str]]) -> list[str]:
    """The names of a file's columns, by its header and the line that it starts on.

    Raises:
        DataError: they can't be used.
    """
    line, cells = header
    hint = "; if the header stands N lines further down, skip_rows=N leaves them out"
    return checked_names(f"{name}, line {line}", cells, hint)


def checked_names(where: str, header: Sequence[str], hint: str = "") -> list[str]:
    """Column names without the space around them.

    Raises:
        DataError: two columns share a name, or one other than the first has none.
    """
    names = [name.strip() for name in header]
    # pandas and R write row numbers as a first column without a name.
    if "" in names[1:]:
        position = names.index("", 1) + 1
        raise DataError(
            f"{where}: column {position} must have a name, but has none{hint}"
        )
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        positions = [str(i) for i, name in enumerate(names, 1) if name == repeated]
        raise DataError(
            f"{where}: column names must differ, but {listed([repeated])} is the name "
            f"of columns {', '.join(positions[:-1])} and {positions[-1]}"
        )
    return names
