"""Give the reader of texts broken files for a while, and count what it says.

    python scripts/fuzz_text.py --count 100000 --seed 1

Texts in many scripts are broken, packed or not. What Python decodes must be read to the
character, in rows that overlap too; what it doesn't decode must be refused with the
place of the byte at which Python stops. Read as bytes, it is itself. What is packed is
read, or refused with an error that names the file. Anything else is a finding: it is
told, its file is kept, and the exit status is 1.
"""

from __future__ import annotations

import gzip
import lzma
import random
from pathlib import Path

import fuzzing
import numpy as np
from fuzzing import BrokenPromiseError, Meter
from mutations import copy_range, cut_end, flip_bit, insert_bytes

from thalweg.errors import DataError, ThalwegError
from thalweg.text import Bytes, Text
from thalweg.text.read import UNIT_NAMES

fuzzing.MEMORY_A_BYTE = 16.0
"""A chunk is decoded to code points, four bytes a character, some arrays at a time."""

SCRIPTS = (
    *(
        "abc XYZ,.\n",
        "äöüß éà\n",
        "αβγδε ",
        "абвгд ",
        "אבגד ",
        "अआइई ",
        "あいう漢字",
        "🙂🚀𝔘",
    ),
    *("\r\n", "\n\r", "\0\x01\x1b[2J", "\ufeff", "\u202e\u2028\x85", "\ufffd"),
)
STARTS = (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"PK\x03\x04")
PACKINGS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}
MUTATIONS = (copy_range, cut_end, flip_bit, insert_bytes)
LONG = 3 * 2**20  # more than a chunk
LONG_SHARE = 0.02


def prepare_nothing(folder: Path) -> None:
    """A case makes all that it needs."""


def warm_up(folder: Path) -> None:
    """Read once, so that what is loaded then isn't counted."""
    path = folder / "warm.txt.gz"
    path.write_bytes(gzip.compress(b"warm"))
    Text.read(path)
    path.unlink()


def judge(choose: random.Random, case: Path, meter: Meter) -> str:
    """Make a text, break it, and read it."""
    plain = broken(choose, written(choose))
    suffix = choose.choice([*PACKINGS])
    data = PACKINGS[suffix](plain)
    damaged = suffix and choose.random() < 0.3
    if damaged:
        data = broken(choose, data)
    path = case / f"t.txt{suffix}"
    path.write_bytes(data)
    unit, most = choose.choice([*UNIT_NAMES]), choose.choice((1, 5, 300, 4096))

    def read() -> Text:
        return Text.read(path, unit=unit, characters=most)

    try:
        text = meter.measure(read, max(len(data), len(plain)))
    except ThalwegError as error:
        return refused(plain, unit, bool(damaged), str(error), path.name)
    if not damaged:
        require_same(text, plain, most)
    require_rows(text, choose)
    return f"read {suffix or 'plain'} {unit}"


def written(choose: random.Random) -> bytes:
    """A text in one or several scripts."""
    letters = "".join(choose.sample(SCRIPTS, choose.randint(1, 4)))
    few = "".join(choose.choice(letters) for _ in range(choose.randint(0, 60)))
    times = 1
    if choose.random() < LONG_SHARE:
        times = LONG // max(len(few.encode()), 1)
    return choose.choice(STARTS) * (choose.random() < 0.2) + few.encode() * times


def broken(choose: random.Random, data: bytes) -> bytes:
    """The text as it is, or with changes."""
    while data and choose.random() < 0.4:
        data = choose.choice(MUTATIONS)(data, choose)
    return data


def refused(plain: bytes, unit: str, damaged: bool, said: str, name: str) -> str:
    """What is refused isn't a text, and the error says where."""
    if not said.startswith(f"{name}: "):
        raise BrokenPromiseError(f"the file isn't named: {said}")
    rule = said.removeprefix(f"{name}: ").partition("(")[0].partition(",")[0]
    if damaged or packed(plain):
        return f"refused packed: {rule[:40]}"
    text, place = decoded(plain)
    if unit == Bytes.unit:
        wrongly = len(plain) > 0
    else:
        wrongly = bool(text) or (
            place > 0 and f"the byte at place {place - 1:,} is" not in said
        )
    if wrongly:
        raise BrokenPromiseError(f"it is refused so: {said}")
    return f"refused: {rule[:40]}"


def packed(plain: bytes) -> bool:
    """Whether it starts as a packed file does."""
    return plain.startswith(STARTS[4:])


def decoded(plain: bytes) -> tuple[str, int]:
    """What a text is of what Python reads; one more than the place where it can't."""
    try:
        return plain.decode().removeprefix("\ufeff").replace("\r\n", "\n"), 0
    except UnicodeDecodeError as error:
        return "", error.start + 1


def require_same(text: Text, plain: bytes, most: int) -> None:
    """The text is what Python reads, but for what is unknown."""
    if packed(plain):
        return
    if isinstance(text.vocabulary, Bytes):
        if text.numbers.tobytes() != plain:
            raise BrokenPromiseError("bytes differ")
        return
    wanted, known = decoded(plain)[0], set(text.vocabulary.labels()[1:])
    if len(known) != min(most, len(set(wanted))):
        raise BrokenPromiseError(f"{len(known)} characters are known")
    same = "".join(each if each in known else "\ufffd" for each in wanted)
    if str(text) != same:
        raise BrokenPromiseError("characters differ")
    if text.unknown != sum(each not in known for each in wanted):
        raise BrokenPromiseError("unknown ones are counted otherwise")


def require_rows(text: Text, choose: random.Random) -> None:
    """Rows are the text, one further on in their targets."""
    length, step = choose.randint(1, 9), choose.randint(1, 9)
    try:
        X, y = text.next_characters(length, step)
    except DataError:
        if len(text) > length:
            raise
        return
    row = choose.randrange(len(X))
    start, n = row * step, text.numbers
    same = np.array_equal(X[row], n[start : start + length])
    if not (same and np.array_equal(y[row], n[start + 1 : start + length + 1])):
        raise BrokenPromiseError("rows differ")


if __name__ == "__main__":
    fuzzing.main(__doc__ or "", prepare_nothing, warm_up, judge)
