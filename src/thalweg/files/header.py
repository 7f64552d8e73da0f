r"""The header of a model file, and the gate that every header has to pass.

A model file is a safetensors file in one canonical form::

    8 bytes     length of the header, little-endian
    header      {"__metadata__":{"thalweg":"<document>"},"<name>":{"dtype":"F32",
                "shape":[2,3],"data_offsets":[0,24]},...}, then spaces
    payload     the tensors, one right after the other

- The document is our JSON, escaped once more: safetensors allows only strings there.
- The payload starts at a multiple of 64. Safetensors forbids holes, so the tensors
  stand by falling item size, then by name: each is aligned to its own items.
- No spaces but those that pad the header, no escapes that aren't needed, no other
  order. So each accepted file writes back byte for byte, and there is nothing in it
  that was not understood.

The gate reads the table with one pattern, which leaves no room for a duplicate key, a
float or anything nested, and the document in `document`. Time and memory are
bounded whatever the bytes.
"""

import math
import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from thalweg.errors import DtypeError, ModelFileError
from thalweg.files.document import (
    Document,
    decode_document,
    encode_document,
    parse_document,
)

HEADER_LIMIT = 8 * 2**20
TENSOR_LIMIT = 2**16
RANK_LIMIT = 8
PAYLOAD_LIMIT = 4 * 2**30
ALIGNMENT = 64
LENGTH_BYTES = 8

DTYPES = {
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}

START = b'{"__metadata__":{"thalweg":"'
# In an escaped document each quote follows a backslash, so this can only be its end.
END_OF_DOCUMENT = b'}"}'
NUMBER = rb"(?:0|[1-9][0-9]{0,18})"
ENTRY = re.compile(
    rb',"([^"\\]{0,300})":\{"dtype":"([^"\\]{0,20})",'
    rb'"shape":\[(%b(?:,%b){0,31})?\],"data_offsets":\[(%b),(%b)\]\}' % ((NUMBER,) * 4)
)
NAME = re.compile(r"[A-Za-z_][\w./-]{0,255}", re.ASCII)


class TensorEntry(NamedTuple):
    """Where one tensor lies in the payload, in bytes from its start."""

    name: str
    code: str
    shape: tuple[int, ...]
    begin: int
    end: int

    def __str__(self) -> str:
        shape = ",".join(map(str, self.shape))
        return (
            f'"{self.name}":{{"dtype":"{self.code}","shape":[{shape}],'
            f'"data_offsets":[{self.begin},{self.end}]}}'
        )


def lay_out(tensors: Mapping[str, np.ndarray]) -> list[TensorEntry]:
    """The entries of these tensors in the order in which they are stored.

    Raises:
        DtypeError: a tensor of a type that model files don't hold.
    """
    codes = {name: _code(name, tensor) for name, tensor in tensors.items()}
    order = sorted(tensors, key=lambda name: _place(name, tensors[name].dtype))
    ends = list(accumulate(tensors[name].nbytes for name in order))
    return [
        TensorEntry(
            name, codes[name], tensors[name].shape, end - tensors[name].nbytes, end
        )
        for name, end in zip(order, ends, strict=True)
    ]


def _place(name: str, dtype: np.dtype) -> tuple[int, str]:
    return -dtype.itemsize, name


def _code(name: str, tensor: np.ndarray) -> str:
    if tensor.dtype not in CODES:
        known = ", ".join(dtype.name for dtype in CODES)
        raise DtypeError(f"tensor {name!r}: must be {known}, got {tensor.dtype}")
    return CODES[tensor.dtype]


def encode_header(
    document: Mapping[str, object], entries: Iterable[TensorEntry]
) -> bytes:
    """The file's bytes before the payload, the header's length included.

    Raises:
        ArgumentError: the document isn't plain JSON.
    """
    text = _escape(encode_document(document))
    table = "".join(f",{entry}" for entry in entries).encode()
    header = START + text + b'"}' + table + b"}"
    header += _padding(len(header))
    return len(header).to_bytes(LENGTH_BYTES, "little") + header


def _padding(length: int) -> bytes:
    return b" " * (-(LENGTH_BYTES + length) % ALIGNMENT)


def _escape(text: bytes) -> bytes:
    return text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _unescape(text: bytes) -> bytes:
    """Undo `_escape`; a zero byte stands for a backslash on the way."""
    halved = text.replace(b"\\\\", b"\0")
    return halved.replace(b'\\"', b'"').replace(b"\0", b"\\")


def decode_length(start: bytes, file_size: int) -> int:
    """The header's length, from the file's first eight bytes.

    Raises:
        ModelFileError: no header of this length can be in a file of this size.
    """
    if len(start) < LENGTH_BYTES:
        raise ModelFileError(
            f"a model file has at least {LENGTH_BYTES} bytes, this has {len(start)}"
        )
    length = int.from_bytes(start, "little")
    if not 0 < length <= HEADER_LIMIT:
        raise ModelFileError(
            f"this is no thalweg model: the header must have 1 to {HEADER_LIMIT:,} "
            f"bytes, its length says {length:,}"
        )
    if LENGTH_BYTES + length > file_size:
        raise _wrong_size(file_size, LENGTH_BYTES + length)
    return length


def check_size(file_size: int, length: int, entries: list[TensorEntry]) -> None:
    """Compare the file's size with what its header promises.

    Raises:
        ModelFileError: the file is shorter or longer.
    """
    promised = LENGTH_BYTES + length + payload_size(entries)
    if file_size != promised:
        raise _wrong_size(file_size, promised)


def payload_size(entries: list[TensorEntry]) -> int:
    """The bytes that all tensors take together."""
    return entries[-1].end if entries else 0


def _wrong_size(actual: int, promised: int) -> ModelFileError:
    verb = "ends after" if actual < promised else "goes on to"
    return ModelFileError(
        f"the file {verb} {actual:,} bytes, its header promises {promised:,}"
    )


def decode_header(header: bytes) -> tuple[Document, list[TensorEntry]]:
    """Read a header (without its length) through the gate.

    Returns:
        the document, and the tensors' entries in the payload's order.

    Raises:
        ModelFileError: the header breaks a rule of the format; the message says which.
    """
    escaped, table = _find_document(header)
    text = _unescape(escaped)
    if _escape(text) != escaped:
        raise ModelFileError(
            "the document in the header must have a backslash before each quote and "
            "backslash, and nowhere else"
        )
    return decode_document(text), _decode_table(header, table)


def check_header(header: bytes) -> None:
    """What a reader would refuse of a header that was just written is refused now.

    Raises:
        ModelFileError: the header breaks a rule of the format; the message says which.
    """
    escaped, table = _find_document(header)
    parse_document(_unescape(escaped))
    _decode_table(header, table)


def _find_document(header: bytes) -> tuple[bytes, int]:
    """The escaped document, and the position of the table after it."""
    if not header.startswith(b"{"):
        raise ModelFileError(
            f"this is no thalweg model: the header must start with '{{', "
            f"it starts with {header[:1]!r}"
        )
    if not header.startswith(START):
        raise ModelFileError(
            "this is no thalweg model: its header doesn't start with thalweg's own "
            "metadata (another program's safetensors file?)"
        )
    end = header.find(END_OF_DOCUMENT, len(START))
    if end < 0:
        raise ModelFileError("the document in the header has no end")
    return header[len(START) : end + 1], end + len(END_OF_DOCUMENT)


def _decode_table(header: bytes, position: int) -> list[TensorEntry]:
    entries: list[TensorEntry] = []
    names: set[str] = set()
    end, previous = 0, (-math.inf, "")
    while match := ENTRY.match(header, position):
        entry = _decode_entry(match)
        _check_entry(entry, end)
        if entry.name in names:
            raise ModelFileError(f"tensor {entry.name!r} is there twice")
        place = _place(entry.name, DTYPES[entry.code])
        if place < previous:
            raise ModelFileError(
                f"tensor {entry.name!r} must stand before {previous[1]!r}: the order "
                "is by falling item size, then by name"
            )
        if len(entries) == TENSOR_LIMIT:
            raise ModelFileError(f"there must be at most {TENSOR_LIMIT:,} tensors")
        names.add(entry.name)
        entries.append(entry)
        position, end, previous = match.end(), entry.end, place
    _check_end(header, position)
    return entries


def _check_end(header: bytes, position: int) -> None:
    if header[position : position + 1] != b"}":
        raise ModelFileError(
            'a tensor\'s entry must be like "name":{"dtype":"F32","shape":[2,3],'
            f'"data_offsets":[0,24]}}, got {header[position : position + 120]!r}'
        )
    if header[position + 1 :] != _padding(position + 1):
        raise ModelFileError(
            f"after its object the header must have just the spaces that lead to the "
            f"next multiple of {ALIGNMENT}"
        )


def _decode_entry(match: re.Match[bytes]) -> TensorEntry:
    name, code, shape, begin, end = match.groups(default=b"")
    return TensorEntry(
        name.decode("ascii", "backslashreplace"),
        code.decode("ascii", "backslashreplace"),
        tuple(map(int, shape.split(b","))) if shape else (),
        int(begin),
        int(end),
    )


def _check_entry(entry: TensorEntry, previous_end: int) -> None:
    name = entry.name
    if not NAME.fullmatch(name) or ".." in name or name == "__metadata__":
        raise ModelFileError(
            f"tensor {name!r}: a name must be {NAME.pattern} without '..', "
            "and not '__metadata__'"
        )
    if entry.code not in DTYPES:
        raise ModelFileError(
            f"tensor {name!r}: the dtype must be {', '.join(DTYPES)}, "
            f"got {entry.code!r}"
        )
    if len(entry.shape) > RANK_LIMIT:
        raise ModelFileError(
            f"tensor {name!r}: the rank must be at most {RANK_LIMIT}, "
            f"got {len(entry.shape):,}"
        )
    _check_offsets(entry, previous_end)


def _check_offsets(entry: TensorEntry, previous_end: int) -> None:
    if entry.begin != previous_end:
        fault = "a hole" if entry.begin > previous_end else "an overlap"
        raise ModelFileError(
            f"tensor {entry.name!r}: must begin at byte {previous_end:,}, "
            f"got {entry.begin:,} ({fault})"
        )
    size = _size(entry)
    if entry.end != entry.begin + size:
        raise ModelFileError(
            f"tensor {entry.name!r}: {entry.code} of shape {entry.shape} takes "
            f"{size:,} bytes, its offsets span {entry.end - entry.begin:,}"
        )


def _size(entry: TensorEntry) -> int:
    """The bytes that a tensor takes.

    Zeros are left out at first: what overflows must not hide behind an empty axis.
    """
    extent = DTYPES[entry.code].itemsize * math.prod(filter(None, entry.shape))
    if entry.begin + extent > PAYLOAD_LIMIT:
        raise ModelFileError(
            f"tensor {entry.name!r}: the payload must have at most {PAYLOAD_LIMIT:,} "
            f"bytes, the shape {entry.shape} leads beyond"
        )
    return 0 if 0 in entry.shape else extent
