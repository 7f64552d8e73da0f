"""Files of tables, plain and odd, that every way of reading must read alike."""

import gzip
import io
import lzma
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from thalweg.tables.dialect import USUAL_DIALECT, Dialect


@dataclass(frozen=True)
class TableFile:
    """A file, and how its text is written."""

    content: bytes
    dialect: Dialect = USUAL_DIALECT
    name: str = field(default="data.csv")

    def written(self, folder: Path) -> Path:
        """The file in a folder."""
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def refused(content: bytes | str, message: str) -> tuple[bytes, str]:
    """A file that holds no table, and what is said about it."""
    return (content if isinstance(content, bytes) else content.encode()), message


REFUSED = {
    "empty": refused("", "data.csv: there must be a header and rows; it is empty"),
    "blank": refused(" \n\n ", "it is empty"),
    "header alone": refused("a,b\n", "at least one row below the header"),
    "short row": refused(
        "a,b,c\n1,2,3\n4,5\n", "data.csv, line 3: must have 3 cells like "
    ),
    "long row": refused("a,b\n1,2\n3,4,5\n", "line 3: must have 2 cells"),
    "long last row of nothing": refused("a,b\n1,2\n\n,,", "line 4: must have 2 cells"),
    "short row and blank line": refused("a,b\n1\n\n2,3\n", "line 2: must have 2 cells"),
    "short row after quotes": refused(
        'a,b\n"x\ny,",2\n3\n', "line 4: must have 2 cells"
    ),
    "open quote": refused('a,b\n1,2\n"3,4\n', "line 3: must follow the rules of CSV"),
    "text after quote": refused(
        'a,b\n"3"x,4\n', "line 2: must follow the rules of CSV"
    ),
    "twice a name": refused("a,b, a\n1,2,3\n", "'a' is the name of columns 1 and 3"),
    "no name": refused("a,,b\n1,2,3\n", "line 1: column 2 must have a name"),
    "latin-1": refused(
        "a,b\n1,é\n".encode("latin-1"), "line 2: must be text in UTF-8, but b"
    ),
    "latin-1 header": refused("é,b\n1,2\n".encode("latin-1"), "byte 0xe9 at offset 0"),
    "half of utf-16": refused(
        "a,b\n1,é\n".encode("utf-16")[:-1], "must be text in UTF-16"
    ),
    "zero byte": refused("a,b\n1,\0\n", "line 2: must be text, but holds a zero byte"),
    "zero byte in utf-16": refused(
        "n,c\n1,a\n2,\0\n".encode("utf-16"), "line 3: must be text, but holds a zero"
    ),
    "late latin-1": refused(b"n,c\n" + b"1,a\n" * 99 + b"\xe9,2\n", "line 101: must"),
    "start of utf-16": refused(b"\xff\xfen\x00,", "must be text in UTF-16"),
    "title": refused(
        "Sales\n\na,b\n1,2\n",
        "line 3: must have 1 cell like the header on line 1, but"
        " has 2; if this is the header, give skip_rows=2",
    ),
    "title of two lines": refused(
        "Sales\nof 2024\na,b\n1,2\n", "if this is the header, give skip_rows=2"
    ),
    "padded title": refused(
        "Sales,,\n,,\na,b,c\n1,2,3\n", "if the header stands N lines further down"
    ),
    "comment that wasn't declared": refused("a,b\n# c\n1,2\n", "line 2: must have 2"),
    "json": refused('[{"a": 1}]', "data.csv: must be text or Parquet, but is JSON"),
    "json lines": refused('{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "but is JSON; save"),
    "web page": refused("\n<!DOCTYPE html>\n<p>", "but is a web page; what was down"),
    "pickle": refused(b"\x80\x04\x95\x00", "but is a pickle; save it as CSV, or read"),
    "old workbook": refused(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "but is a workbook; save its"
    ),
    "packed by bzip2": refused(b"BZh91AY&SY\x00", "is packed by bzip2; unpack it"),
}
"""Files that hold no table, and what is said about each."""


# Rows of one table, of which files are made -------------------------------------------

HEADER = "n,c,b,d,unused"
PLAIN = ["1,red,yes,2020-01-02,x", "2.5,blue,no,2021-12-31,y", "-3e2,,,,", "7,a,t,,z"]
ODD = [
    *("NA, red ,?,nan,", "x,red,maybe,1999,", "inf,NA,TRUE,,w", " 4 ,a, no,, q "),
    *('5,"a, b",no,,"two\nlines"', '"6","say ""hi""",yes,,', "nan,ü,f,,", "8,a,t,,é"),
    *(",,,,", '9,"\n\nblank lines\n",no,,'),
]
BLANK = ["", "\r"]
WRONG = ["1,2", "1,2,3,4,5,6", '1,"a"b,yes,,', '1,"never closed,yes,,', "1,a\0,yes,,"]


def joined_lines(lines: list[str], end: str = "\n") -> str:
    """The lines below the header."""
    return end.join([HEADER, *lines])


def shuffled(more: list[str], seed: int) -> list[str]:
    """Many plain lines, and a few of others."""
    draw = random.Random(seed)
    few = draw.choice([1, 9])
    lines = draw.choices(PLAIN, k=60) + draw.choices(more or PLAIN, k=few)
    draw.shuffle(lines)
    return lines


def with_wrong(wrong: str, seed: int) -> list[str]:
    """Lines of which one is wrong."""
    draw = random.Random(seed)
    lines = draw.choices([*PLAIN, *PLAIN, *ODD], k=40)
    lines.insert(draw.randrange(40), wrong)
    return lines


def zipped(**members: bytes) -> bytes:
    """An archive of some files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def table_files() -> Iterator[tuple[str, TableFile]]:
    """Every file by a name: those that are read, and those that are refused."""
    for name, (content, _) in REFUSED.items():
        yield name, TableFile(content)
    for name, text in TEXTS.items():
        yield name, TableFile(text if isinstance(text, bytes) else text.encode())
    yield from DECLARED.items()
    for seed in range(3):
        for more in ([], ODD, BLANK, [*ODD, *BLANK]):
            text = joined_lines(shuffled(more, seed))
            yield f"shuffled {len(more)} {seed}", TableFile(text.encode())
        for wrong in WRONG:
            text = joined_lines(with_wrong(wrong, seed))
            yield f"{wrong!r} {seed}", TableFile(text.encode())
    text = joined_lines(PLAIN + ODD)
    for end in ("\r\n", "\r"):
        yield f"lines end with {end!r}", TableFile(joined_lines(PLAIN, end).encode())
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        yield encoding, TableFile(text.encode(encoding))
    yield "utf-16-be", TableFile(b"\xfe\xff" + text.encode("utf-16-be"))
    for name, content in packed_files(text.encode()).items():
        yield name, TableFile(content)


TEXTS: dict[str, str | bytes] = {
    "spaces": "a, b \n 1,NA\n?,x \n\n",
    "tabs and lines of Windows": "a\tb\r\n1\t2\r\n\r\n3\t4\r\n",
    "quoted header": '"a,b,c";d\n"x,y,z";1\n',
    "quoted header of commas": '"a;b","c;d"\n1,2\n',
    "header of two lines": 'a,"b\nc"\n1,2\n',
    "other separators in cells": "a|b|c\n1;5|1;5|1;5\n",
    "commas in a file of semicolons": "name;price\nbread;1,20\nmilk;0,90\n",
    "more commas than semicolons": "a;b,c,d\n1;2\r3;4\r5;6\r",
    "rows of separators alone": "x,z,y\n1,2,a\n,,\n3,4,b\n,,\n",
    "rows of other separators alone": "x;z\n1;2\n;\n3;4\n",
    "mark in the middle": "n,c\n1,a\n\ufeff2,b\n3,c\n",
    "mark after the header": "n,c\n\ufeff2,b\n3,c\n",
    "two marks": "\ufeff\ufeffn,c\n1,a\n",
    "no name first": ",n\n0,1\n1,2\n",
    "one column": "n\n1\n\n2\nx\n",
    "one column with bars": "n\na|b\nc|d\n",
    "a cell of two lines, and no last end": 'n,c\n1,"a\nb"\n2,c\n3,d',
    "cell of blank lines": 'n,c\n1,"a\n\n\nb"\n2,c\n',
    "quotes in quotes": 'n,c\n1,"say ""hi"""\n"2",""\n',
    "quote in the middle": 'n,c\n1,a"b\n2,c\n',
    "space before quotes": 'n,c\n1, "a,b"\n2, c\n',
    "separators of Unicode": "n,c\n1,a\u2028b\n2,c\x85d\n3,\x0b\x0c\n",
    "sep line": "sep=;\na;b\n1,5;2\n",
    "sep line in quotes": '"sep=|"\r\na|b\r\n1|2\r\n',
    "sep line of tabs": "SEP=\t\na\tb,c\n1\t2\n",
    "sep line of another": "sep=^\na^b\n1^2\n",
    "sep line of two bytes": "sep=§\na§b\n1§2\n",
    "long cell": f'text,n\n"{"word " * 30_000}",1\nshort,2\n',
    "long cell of lines": f'text;n\n"{"word, " * 30_000}\n\n\n";1\nshort;2\n',
    "long header": f"{'a' * 200_000},n\n1,2\n",
    "wide": ",".join(f"c{i}" for i in range(300)) + "\n" + ",".join("1" * 300),
    **{
        f"before the header {before!r}": f"{before}n,c\r1,a\r2,b"
        for before in ("\n", "\r\n", " \n\n", "\u00a0\n")
    },
    **{
        f"blank lines {blank!r} {end!r}": f"n;c\n{blank}1;a\n2;b\n{blank}3;c{end}"
        for blank in ("", "\n", "\n\n", " \n")
        for end in ("", "\n", "\n\n")
    },
}


def latin(text: str) -> bytes:
    return text.encode("cp1252")


DECLARED = {
    "cp1252": TableFile(latin("größe;b\né;1\n"), Dialect(encoding="cp1252")),
    "cp1252 §": TableFile(latin("größe§b\né;1§x\n"), Dialect("§", "cp1252")),
    "shift_jis": TableFile("日,本\n表,1\n".encode("shift_jis"), Dialect(None, "sjis")),
    "utf-16 without mark": TableFile(
        "a,b\né,2\n".encode("utf-16-le"), Dialect(encoding="utf-16-le")
    ),
    "utf-16 with mark": TableFile(
        "a,b\né,2\n".encode("utf-16"), Dialect(None, "utf-16")
    ),
    "wrong mark": TableFile("a,b\né,2\n".encode("utf-8-sig"), Dialect(None, "cp1252")),
    "wrong encoding": TableFile("a,b\né,\x81\n".encode(), Dialect(None, "cp1252")),
    "EBCDIC": TableFile("a,b\n1,2\n".encode("cp037"), Dialect(encoding="cp037")),
    "comma though semicolons fit": TableFile(b"a;b,c;d\n1;2,3;4\n", Dialect(",")),
    "spaces": TableFile(b' a  b c\n1 2   3 \n\n  "x y" 4  NA\n', Dialect("space")),
    "spaces that aren't cells": TableFile(b"a b c\n1 2 3\n4  5\n", Dialect("space")),
    "tab": TableFile(b"a\tb,c\n1\t\n", Dialect("tab")),
    "letter": TableFile(b"axb\n1x2\n", Dialect("x")),
    "skipped": TableFile(b'Sales "of 2024\n\na,b\n1,2\n', Dialect(skip_rows=1)),
    "skipped before a sep line": TableFile(
        b"Sales\nsep=;\na;b\n1;2\n", Dialect(skip_rows=1)
    ),
    "skipped sep line": TableFile(b"sep=;\na,b\n1;,2\n", Dialect(skip_rows=1)),
    "all skipped": TableFile(b"a,b\n1,2\n", Dialect(skip_rows=9)),
    "skipped lone returns": TableFile(b"x\ry\ra,b\r1,2\r", Dialect(skip_rows=2)),
    "comments": TableFile(
        b'# by hand, "2024\n#\na,b\n#x\n1,"2\n#3"\n # 4,5\n\n#\n6,7\n#',
        Dialect(comment="#"),
    ),
    "comments like rows": TableFile(b"a,b\n1,2\n#3,4\n5,6\n#7,8", Dialect(comment="#")),
    "comments of two letters": TableFile(
        b"//;\na;b\n/1;2\n//3\n4;5//\n", Dialect(comment="//")
    ),
    "comments with many separators": TableFile(
        b"#a;b;c;d\n" * 60 + b"a,b\n1,2\n#;;;\n", Dialect(comment="#")
    ),
    "everything": TableFile(
        "Tabel §\n% é\nsep=;\n% ü\ngröße§b\n% x\n\né§1\n".encode("utf-16-be"),
        Dialect("§", "utf-16-be", 1, "%"),
    ),
}
"""Files whose dialect says how they are written."""


def packed_files(content: bytes) -> dict[str, bytes]:
    """A file packed in each way that Python itself knows, and broken ones."""
    return {
        "gzip": gzip.compress(content),
        "gzip of two parts": gzip.compress(content) + gzip.compress(b"\n1,a,no,,"),
        "xz": lzma.compress(content),
        "zip": zipped(**{"data.csv": content}),
        "zip of macOS": zipped(**{"a/": b"", "a/b.csv": content, "__MACOSX/a": b"x"}),
        "zip of two": zipped(**{"a.csv": content, "b.csv": content}),
        "zip of none": zipped(),
        "workbook": zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": b""}),
        "packed twice": gzip.compress(gzip.compress(content)),
        "cut gzip": gzip.compress(content)[:-9],
        "cut xz": lzma.compress(content)[:-9],
        "cut zip": zipped(**{"data.csv": content})[:-9],
        "wrong gzip": gzip.compress(content)[:-8] + bytes(8),
        "half of gzip": b"\x1f\x8b",
    }
