"""Give the reader of model files broken files for a while, and count what it says.

    python scripts/fuzz_model_file.py --seconds 60 --seed 1

Each file is a valid one after a few mutations: of its bytes, of its header's text with
the length put right, or of its document or payload with the digest put right too. It
must be refused with a ModelFileError, or write back byte for byte. Anything else ends
the run with a traceback, and the file is kept.
"""

import argparse
import hashlib
import json
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.errors import ModelFileError
from thalweg.training.modelfile import read_model, write_model

FRAGMENTS = (
    *("{", "}", "[", "]", ",", ":", '"', "\\", '\\"', " ", "\0", "é", "\ud800", "-"),
    *("0", "1", "-1", "1.0", "1e9", "1e999", "NaN", "Infinity", "true", "null", "[]"),
    *("00", str(2**31), str(2**63), str(2**64), "9" * 30, "9" * 5000, "[" * 40),
    *('"a":1,', '"dtype":"F16"', '"shape":[0]', "..", "\\ud800", "\\u0041"),
)


def valid_file(folder: Path) -> bytes:
    """A small model file with every dtype, an empty tensor and a scalar."""
    tensors = {
        "parameters/1.weights": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
        "parameters/1.bias": np.zeros(3, np.float32),
        "scale": np.array(0.5),
        "categories": np.arange(4, dtype=np.int32),
        "key": np.array([1, 2], np.uint32),
        "mask": np.array([True, False, True]),
        "nothing": np.zeros((0, 7)),
    }
    document = {"network": ["Dense", 3, {"é": None}], "history": [0.5, 0.25, 1e-9]}
    write_model(folder / "valid.thalweg", tensors, document)
    return (folder / "valid.thalweg").read_bytes()


def join(header: bytes, payload: bytes) -> bytes:
    """A file of this header, padded as the format wants, and this payload."""
    header += b" " * (-(8 + len(header)) % 64)
    return len(header).to_bytes(8, "little") + header + payload


def split(data: bytes) -> tuple[bytes, bytes]:
    """The header without its padding, and the payload."""
    end = 8 + int.from_bytes(data[:8], "little")
    return data[8:end].rstrip(b" "), data[end:]


def flip_bit(data: bytes, choose: random.Random) -> bytes:
    """One bit of the file turned over."""
    position = choose.randrange(len(data))
    altered = bytes([data[position] ^ 1 << choose.randrange(8)])
    return data[:position] + altered + data[position + 1 :]


def cut_end(data: bytes, choose: random.Random) -> bytes:
    """The file without some of its end."""
    return data[: choose.randrange(len(data))]


def insert_bytes(data: bytes, choose: random.Random) -> bytes:
    """Random bytes put somewhere into the file."""
    position = choose.randrange(len(data) + 1)
    return data[:position] + choose.randbytes(choose.randint(1, 9)) + data[position:]


def copy_range(data: bytes, choose: random.Random) -> bytes:
    """A piece of the file put over another, or left out."""
    start, end = sorted(choose.choices(range(len(data) + 1), k=2))
    position = choose.randrange(len(data))
    return data[:position] + data[start:end] + data[position + choose.randrange(99) :]


def edit_header_text(data: bytes, choose: random.Random) -> bytes:
    """A fragment of JSON put over some characters of the header."""
    header, payload = split(data)
    position = choose.randrange(len(header) + 1)
    fragment = choose.choice(FRAGMENTS).encode("utf-8", "surrogatepass")
    rest = header[position + choose.randrange(6) :]
    return join(header[:position] + fragment + rest, payload)


def edit_table(data: bytes, choose: random.Random) -> bytes:
    """Another number, text or key somewhere in the entry of a tensor."""
    header, payload = split(data)
    table = json.loads(header)
    name = choose.choice([name for name in table if name != "__metadata__"])
    alter(table[name], choose)
    return join(dump(table), payload)


def edit_document(data: bytes, choose: random.Random) -> bytes:
    """Another value or key somewhere in the document."""
    header, payload = split(data)
    table = json.loads(header)
    document = json.loads(table["__metadata__"]["thalweg"])
    alter(document, choose)
    table["__metadata__"]["thalweg"] = dump(document).decode()
    return join(dump(table), payload)


def edit_payload(data: bytes, choose: random.Random) -> bytes:
    """Other bytes in the payload, with their right digest in the document."""
    header, payload = split(data)
    altered = flip_bit(payload, choose)
    old, new = (hashlib.sha256(part).hexdigest() for part in (payload, altered))
    return join(header.replace(old.encode(), new.encode()), altered)


def dump(value: Any) -> bytes:
    """The value as the format writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def alter(container: Any, choose: random.Random) -> None:
    """Change one value of nested lists and objects."""
    if not container:
        return
    has_keys = hasattr(container, "keys")
    key: Any = choose.choice([*container] if has_keys else range(len(container)))
    if type(container[key]) in (dict, list) and choose.random() < 0.7:
        alter(container[key], choose)
    elif choose.random() < 0.2:
        del container[key]
    else:
        container[key] = another(container[key], choose)


def another(value: Any, choose: random.Random) -> Any:
    """A value near this one, or a strange one."""
    if type(value) is int and choose.random() < 0.6:
        return value + choose.choice((-1, 1, 4, 2**31, 2**63))
    strange: tuple[Any, ...] = (
        True,
        None,
        0,
        -1,
        1.5,
        "",
        "..",
        [],
        {},
        [[]],
        "F16",
        [2**62, 4, 0],
    )
    return choose.choice(strange)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(flip_bit, cut_end, insert_bytes, copy_range),
    *(edit_header_text, edit_table, edit_document, edit_payload),
)


def mutate(data: bytes, choose: random.Random) -> bytes:
    """The file after one to three mutations, the later ones of its bytes alone."""
    data = choose.choice(MUTATIONS)(data, choose)
    for mutation in choose.choices(MUTATIONS[:4], k=choose.choice((0, 0, 0, 1, 2))):
        data = mutation(data, choose) if data else data
    return data


def judge(data: bytes, folder: Path) -> str:
    """What the reader says: "accepted", or the rule by which it refuses.

    Raises:
        AssertionError: an accepted file doesn't write back byte for byte.
    """
    (folder / "fuzzed.thalweg").write_bytes(data)
    try:
        model = read_model(folder / "fuzzed.thalweg")
    except ModelFileError as error:
        return "refused: " + rule(str(error).split(".thalweg: ", 1)[1])
    write_model(folder / "written.thalweg", *model)
    assert (folder / "written.thalweg").read_bytes() == data, "written back otherwise"
    return "accepted"


def rule(message: str) -> str:
    """The part of a message that is the same for each file that breaks the rule."""
    message = re.sub(r"^tensor ('.*?'|\".*?\")(?=:| must| is)", "a tensor", message)
    return re.split(r"(?<!\w)['\"\d({]", message)[0].strip()


def fuzz(seconds: float, seed: int, folder: Path) -> tuple[Counter[str], float]:
    """The counts of what was said, and the longest that a file took."""
    choose = random.Random(seed)
    original = valid_file(folder)
    counts: Counter[str] = Counter()
    end, slowest = time.monotonic() + seconds, 0.0
    while (start := time.monotonic()) < end:
        counts[judge(mutate(original, choose), folder)] += 1
        slowest = max(slowest, time.monotonic() - start)
    return counts, slowest


def main() -> None:
    """Read the command line, fuzz, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-model-file-"))
    print(f"seed {options.seed}, files in {folder}")
    counts, slowest = fuzz(options.seconds, options.seed, folder)
    for reason, count in counts.most_common():
        print(f"{count:9,}  {reason}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{counts.total():9,}  files, slowest {slowest:.3f} s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
