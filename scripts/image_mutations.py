"""Ways to break a file of images: its bytes, its numbers, its parts, its members.

Those that go deepest put checksums right again, so that what is wrong reaches the
decoder.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from table_mutations import broken_bytes

NUMBERS = (
    *(0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 257, 1000, 2**13, 2**15, 2**16 - 1),
    *(2**16, 2**16 + 1, 2**20, 2**26, 2**28, 2**31 - 1, 2**31, 2**32 - 1, 2**63),
)
"""What sizes, counts and places are set to."""

NAMES = (
    *("", ".", "..", "../x.png", "/x.png", "C:\\x.png", "a\\b.png", "a//b.png", "\0"),
    *("a/", "a.png/", "\x1b[2J.png", "\u202e.png", "x" * 300, "x_train.npy", "y.npy"),
    *("__MACOSX/a.png", ".a.png", "labels.csv", "train/a/x.png", "a/\ud83d\udc27.png"),
)
"""What members of archives are called."""

PNG = b"\x89PNG\r\n\x1a\n"

Parts = list[tuple[bytes, bytes]]
Edit = Callable[[Parts, random.Random], Parts]


def renumbered(data: bytes, choose: random.Random) -> bytes:
    """A number of some width set to another, mostly near the start."""
    width = choose.choice((1, 2, 2, 4, 4, 8))
    most = len(data) - width
    if most < 0:
        return data
    at = choose.randint(0, min(most, choose.choice((32, 128, 512, most))))
    number = choose.choice(NUMBERS) % 256**width
    order = choose.choice(("big", "little"))
    return data[:at] + number.to_bytes(width, order) + data[at + width :]


def mixed_parts(parts: Parts, choose: random.Random) -> Parts:
    """A part left out, doubled, put elsewhere, broken or given other numbers."""
    at, to = choose.choices(range(len(parts)), k=2)
    kind, content = parts[at]
    rest = parts[:at] + parts[at + 1 :]
    broken = choose.choice((broken_bytes, renumbered, renumbered))(content, choose)
    return choose.choice(
        (
            rest,
            [*parts[:to], parts[at], *parts[to:]],
            [*rest[:to], parts[at], *rest[to:]],
            [*parts[:at], (kind, broken), *parts[at + 1 :]],
            [*parts[:at], (kind, broken), *parts[at + 1 :]],
            [
                *parts[:at],
                (kind, unpacked_and_broken(content, choose)),
                *parts[at + 1 :],
            ],
        )
    )


def unpacked_and_broken(content: bytes, choose: random.Random) -> bytes:
    """What was packed, broken and packed again; anything else, broken."""
    with suppress(zlib.error):
        return zlib.compress(broken_bytes(zlib.decompress(content), choose))
    return broken_bytes(content, choose)


# Formats ------------------------------------------------------------------------------


def broken_png(data: bytes, choose: random.Random) -> bytes:
    """Chunks mixed up, with their checksums."""
    parts: Parts = []
    at = len(PNG)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    for _ in range(choose.choice((1, 1, 2, 4))):
        parts = mixed_parts(parts, choose) or parts
    return PNG + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def broken_jpeg(data: bytes, choose: random.Random) -> bytes:
    """Segments before the pixels mixed up, with their lengths."""
    parts: Parts = []
    at = 2
    while data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append((data[at : at + 2], data[at + 4 : at + 2 + size]))
        at += 2 + size
    for _ in range(choose.choice((1, 1, 2, 4))):
        parts = mixed_parts(parts, choose) or parts
    segments = (
        kind + struct.pack(">H", (len(content) + 2) % 2**16) + content
        for kind, content in parts
    )
    return data[:2] + b"".join(segments) + data[at:]


def broken_archive(data: bytes, choose: random.Random) -> bytes:
    """Members broken, renamed, left out or doubled, with their checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed: list[tuple[str, bytes]] = []
    chosen = choose.choice(list(members))
    for name, content in members.items():
        if name != chosen:
            changed.append((name, content))
            continue
        changed += strange_member(name, content, choose)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in changed:
            member = zipfile.ZipInfo(name)
            member.compress_type = choose.choice((0, 8, 8, 12, 14))
            member.external_attr = choose.choice((0, 0, 0o120777, 0o100644)) << 16
            archive.writestr(member, content)
    return out.getvalue()


def strange_member(
    name: str, content: bytes, choose: random.Random
) -> Sequence[tuple[str, bytes]]:
    """What becomes of one member."""
    return choose.choice(
        (
            [],
            [(name, content), (choose.choice(NAMES), content)],
            [(choose.choice(NAMES), content)],
            [(name, broken_bytes(content, choose))],
            [(name, renumbered(content, choose))],
            [(name, bytes(choose.choice((0, 1, 10**5, 10**7))))],
        )
    )


DEEP = {
    "png": broken_png,
    "jpg": broken_jpeg,
    "npz": broken_archive,
    "zip": broken_archive,
}
"""What breaks a kind of files with regard to what they are made of."""


def broken_file(kind: str, data: bytes, choose: random.Random) -> bytes:
    """A file that is broken in one way or in several."""
    ways: list[Callable[[bytes, random.Random], bytes]] = [broken_bytes, renumbered]
    if kind in DEEP:
        ways = [*ways, DEEP[kind], DEEP[kind]]
    with suppress(Exception):  # twice broken, it may have no parts any more
        for _ in range(choose.choice((1, 1, 1, 2, 3))):
            data = choose.choice(ways)(data, choose)
    return data
