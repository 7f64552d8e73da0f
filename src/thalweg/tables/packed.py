"""Files that are packed, known by their first bytes, and what comes out of them.

Exported files of Python have these functions written out in them, as those of
`records`.
"""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from thalweg.errors import DataError
from thalweg.words import listed

PACKINGS = {
    "gzip": rb"\x1f\x8b",
    "xz": rb"\xfd7zXZ\0",
    "zip": rb"PK(\x03\x04|\x05\x06)",
    "zstd": rb"\x28\xb5\x2f\xfd",
}
"""What packs a file, and a pattern of what it starts with then; no text does."""

FREE_BYTES = 2**28
FREE_RATIO = 100
"""What a packed file may unpack to: so many bytes, or so many times its own size.

Tables become 3 to 30 times as small, and a thousand times if they are zeros nearly
everywhere: up to 256 MiB that does no harm. Beyond, who wants to fill a memory has to
send a hundredth of it.
"""

OTHERS = {
    "a workbook": rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "JSON": rb'\s*(\{\s*["}]|\[\s*["\[{])',
    "a web page": rb"(?i:\s*<(!doctype html|html)\b)",
    "XML": rb"\s*<\?xml\s",
    "a PDF": rb"%PDF-",
    "a pickle": rb"\x80[\x02-\x05]",
    "an array of NumPy": rb"\x93NUMPY",
    "an Arrow file": rb"ARROW1\0\0",
    "an HDF5 file": rb"\x89HDF\r\n",
    "a database of SQLite": rb"SQLite format 3\0",
    "an SPSS file": rb"\$FL2@\(#\)",
    "a Stata file": rb"<stata_dta>",
    "a tar archive": rb"(?s:(?=.{0,256}\0).{257}ustar)",
    "a RAR archive": rb"Rar!\x1a\x07",
    "a 7-Zip archive": rb"7z\xbc\xaf\x27\x1c",
    "packed by bzip2": rb"BZh[1-9]1AY&SY",
    "packed by compress": rb"\x1f\x9d",
    "packed by LZ4": rb"\x04\x22\x4d\x18",
}
"""What isn't read, and a pattern of what it starts with; no table does."""

IN_PYTHON = "or read it in Python, and give thalweg.train the frame"
ADVICE = {
    "a workbook": f"save its sheet as CSV, {IN_PYTHON}",
    "a web page": "what was downloaded is no table",
}
"""What to do with it, if it isn't to unpack it."""

PARQUET_START = b"PAR1\x15"
"""The mark of Parquet, and how each of what may follow it starts; no text does."""

START_BYTES = 512
"""How much of a file tells what it is."""


def packing_of(start: bytes) -> str:
    """What packs a file that starts so, or nothing."""
    found = [name for name, magic in PACKINGS.items() if re.match(magic, start)]
    return found[0] if found else ""


def require_table(start: bytes, name: str) -> None:
    """The file isn't known to be something else than a table.

    Raises:
        DataError: it is.
    """
    others = [what for what, magic in OTHERS.items() if re.match(magic, start)]
    if packing := packing_of(start):
        others = [f"packed by {packing} in a packed file"]
    if others:
        to_unpack = "packed" in others[0] or "archive" in others[0]
        usual = "unpack it" if to_unpack else f"save it as CSV, {IN_PYTHON}"
        raise DataError(
            f"{name}: must be text or Parquet, but is {others[0]}; "
            f"{ADVICE.get(others[0], usual)}"
        )


def unpacked(file: Any, packing: str, name: str) -> Any:
    """What is in a packed file, as a file.

    Raises:
        DataError: there isn't just one file in it, or Python can't unpack it.
    """
    if packing == "gzip":
        from gzip import GzipFile

        return GzipFile(fileobj=file)
    if packing == "xz":
        from lzma import LZMAFile

        return LZMAFile(file)
    if packing == "zstd":
        return zstd_module(name).ZstdFile(file)
    return only_member(file, name)


def zstd_module(name: str) -> Any:
    """Python's own module from 3.14 on, before that its backport.

    Raises:
        DataError: there is none.
    """
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise DataError(
            f"{name}: is packed by zstd, which Python can unpack from 3.14 on; "
            "unpack it first"
        ) from None
    return zstd


def only_member(file: Any, name: str) -> Any:
    """The one file in an archive.

    Raises:
        DataError: it holds none or several, or it's that of a workbook.
    """
    from zipfile import ZipFile

    archive = ZipFile(file)
    members = [
        each.filename
        for each in archive.infolist()
        # macOS puts a folder of its own beside the file that was asked for.
        if not each.is_dir() and not each.filename.startswith("__MACOSX/")
    ]
    workbooks = ("[Content_Types].xml", "content.xml", "Index/Document.iwa")
    if not set(workbooks).isdisjoint(members):
        raise DataError(
            f"{name}: must be text or Parquet, but is a workbook; "
            f"{ADVICE['a workbook']}"
        )
    if len(members) != 1:
        what = listed(members) if members else "none"
        raise DataError(f"{name}: must hold one file, but holds {what}")
    return archive.open(members[0])


def chunks_of(
    file: Any, size: int, packing: str, packed: int, name: str
) -> Iterator[bytes]:
    """What is in a packed file, so many bytes at a time.

    Args:
        file: the packed one, open.
        size: bytes of a chunk, at most.
        packing: what packs it.
        packed: its own bytes.
        name: for messages.

    Raises:
        DataError: it isn't whole, or more comes out of it than may.
    """
    try:
        inside = unpacked(file, packing, name)
        yield from bounded(iter(partial(inside.read, size), b""), packed, name)
    except (DataError, MemoryError):
        raise
    except Exception as error:
        # Each way of packing has errors of its own. Those of the system have a number;
        # that of a wrong place comes of what a damaged file says.
        if getattr(error, "errno", None) not in (None, errno.EINVAL):
            raise
        raise DataError(
            f"{name}: must be a whole {packing} file, but isn't ({error})"
        ) from None


def bounded(chunks: Iterable[bytes], packed: int, name: str) -> Iterator[bytes]:
    """The chunks, if there aren't more than a packed file may give.

    Raises:
        DataError: there are.
    """
    most, total = max(FREE_BYTES, FREE_RATIO * packed), 0
    for chunk in chunks:
        total += len(chunk)
        if total > most:
            raise DataError(
                f"{name}: must unpack to at most {most:,} bytes, but has more (its "
                f"limit is {FREE_RATIO} times its own size, {FREE_BYTES:,} at least); "
                "if you trust it, unpack it first"
            )
        yield chunk
