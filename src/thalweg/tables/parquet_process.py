"""Reads a Parquet file in a process of its own, and hands its rows to another.

A damaged file can make polars ask for memory that no machine has, and end the process.
This one needs polars alone, and is run by its path, so that it starts soon::

    python parquet_process.py ROWS PATH

Without a path the file's bytes come through standard input. Standard output has
messages: a letter, eight bytes for a length, and so many bytes. Parts of at most ROWS
rows (``P``, a stream of Arrow) end with an empty message (``.``) or an error's text
(``E``).
"""

import io
import sys
from collections.abc import Iterator
from typing import BinaryIO

import polars as pl

LENGTH = 8
PART, ERROR, END = b"P", b"E", b"."


def main() -> None:
    """Read, and write messages."""
    rows = int(sys.argv[1])
    source = sys.argv[2] if sys.argv[2:] else io.BytesIO(sys.stdin.buffer.read())
    try:
        for part in parts(source, rows):
            send_part(part)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        send(ERROR, str(error).encode(errors="replace"))
    else:
        send(END, b"")


def parts(source: str | BinaryIO, rows: int) -> Iterator[pl.DataFrame]:
    """The rows in their order; one part at least, as it has the columns' names."""
    scanned = pl.scan_parquet(source, glob=False)
    empty = True
    for part in scanned.collect_batches(chunk_size=rows, maintain_order=True):
        if part.height:
            empty = False
            yield part
    if empty:
        yield scanned.head(0).collect()


def send_part(part: pl.DataFrame) -> None:
    """Some rows."""
    content = io.BytesIO()
    part.write_ipc_stream(content)
    send(PART, content.getbuffer())


def send(kind: bytes, content: bytes | memoryview) -> None:
    """A message."""
    sys.stdout.buffer.write(kind + len(content).to_bytes(LENGTH, "big"))
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
