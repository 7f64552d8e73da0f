"""Model files: named tensors and one JSON document, in a safetensors file.

The form and the gate are in `header` and `document`, the way to the disk is
in `atomic`. Here they meet the file: sizes are compared before anything of that size is
read, and the payload's SHA-256 is compared before anything of it is used.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from thalweg.errors import FileError, ModelFileError
from thalweg.files.atomic import (
    FilePath,
    open_without_waiting,
    write_atomically,
)
from thalweg.files.document import TIMES, Document, with_envelope
from thalweg.files.header import (
    DTYPES,
    LENGTH_BYTES,
    TensorEntry,
    check_header,
    check_size,
    decode_header,
    decode_length,
    encode_header,
    lay_out,
)

__all__ = [
    "Content",
    "content_of",
    "header_digest",
    "model_bytes",
    "model_of",
    "opened_model",
    "read_document",
    "read_model",
    "require_writable",
    "write_atomically",
    "write_model",
]

IN_MEMORY = "the model"
CUT = "the file became shorter while it was read"
BYTES_AT_ONCE = 2**20  # stay in the processor's cache from reading to the digest
NO_DIGEST = "0" * 64


def write_model(
    path: FilePath,
    tensors: Mapping[str, np.ndarray],
    document: Mapping[str, object],
) -> str:
    """Write a model file, whole or not at all.

    The fields `format`, `min_reader`, `writer` and `required_features` are added where
    the document lacks them, `payload_sha256` always. What `read_model` returned writes
    back byte for byte.

    Args:
        path: the file, new or replaced.
        tensors: arrays of float64, float32, int32, uint32 or bool, of any shape.
        document: plain JSON, keys in the order in which they are to be kept.

    Returns:
        the SHA-256 of the header, which holds that of the payload.

    Raises:
        ArgumentError: the document isn't plain JSON (NaN isn't).
        DtypeError: an array of another type.
        ModelFileError: a name, or the size of something, that no reader would accept.
        FileError: the operating system refused; the old file is untouched.

    Example:
        >>> import numpy as np
        >>> slope = np.array([2.0, 3.0])
        >>> digest = write_model("line.thalweg", {"slope": slope}, {"task": "number"})
        >>> tensors, document = read_model("line.thalweg")
        >>> tensors["slope"], document["task"]
        (array([2., 3.]), 'number')
        >>> digest == header_digest("line.thalweg")
        True
    """
    with _naming(path):
        header, chunks = _encoded(tensors, document)
    write_atomically(path, header, *chunks)
    return _digest([header[LENGTH_BYTES:]])


def read_model(path: FilePath) -> tuple[dict[str, np.ndarray], Document]:
    """Read a model file, whatever bytes are in it.

    Memory stays below 1.2 times the file's size plus 64 MB; nothing in the file is run.

    Returns:
        the arrays by name (read-only), and the whole document.

    Raises:
        FileError: there is no such file, or it can't be read.
        ModelFileError: the file breaks a rule of the format, was cut or altered, or
            needs a newer thalweg.

    Example:
        >>> read_model("nowhere/iris.thalweg")
        Traceback (most recent call last):
            ...
        thalweg.errors.FileError: nowhere/iris.thalweg: no such file
        (the folder nowhere doesn't exist)
    """
    with opened_model(path) as content, _naming(path):
        content.fill()
        return content.tensors, content.document


@dataclass
class Content:
    """What is in a model file: its document, and its arrays, which are filled last.

    So who knows from the document where an array is to lie in the end can have it read
    into that place, and no array is ever there twice.

    Arguments:
        name: of the file, for errors.
        document: of the file.
        tensors: the arrays by name, of the file's shapes and dtypes.
        source: where their bytes come from; None where the arrays are filled.
    """

    name: str
    document: Document
    tensors: dict[str, np.ndarray]
    source: Source | None = None

    def __post_init__(self) -> None:
        self._placed: set[str] = set()

    def make_room(self, names: Iterable[str]) -> None:
        """Give back the memory of tensors that are going to be placed elsewhere."""
        if self.source is not None:
            for name in names:
                del self.tensors[name]

    def place(self, name: str, array: np.ndarray) -> None:
        """Have a tensor in this array, which is contiguous and like it."""
        if self.source is None:
            np.copyto(array, self.tensors[name])
        self.tensors[name] = array
        self._placed.add(name)

    def fill(self) -> None:
        """Read the arrays, each into its place.

        Raises:
            ModelFileError: the payload was cut or altered.
        """
        source, self.source = self.source, None
        if source is not None:
            source.read_into(self.tensors, self.document)
            for name in self.tensors.keys() - self._placed:
                self.tensors[name].flags.writeable = False


@dataclass(frozen=True)
class Source:
    """The payload of an open file.

    Arguments:
        file: which stands where the payload starts.
        entries: of its tensors, in order.
    """

    file: BinaryIO
    entries: Sequence[TensorEntry]

    def read_into(self, tensors: Mapping[str, np.ndarray], document: Document) -> None:
        """Read every tensor where it is to be, and compare the digest.

        Raises:
            ModelFileError: the payload was cut or altered.
        """
        digest, beside = hashlib.sha256(), _outside_digest(document)
        for entry in self.entries:
            place = tensors[entry.name].reshape(-1).view(np.uint8)
            for start in range(0, len(place), BYTES_AT_ONCE):
                part = place[start : start + BYTES_AT_ONCE].data
                _read_whole(self.file, part)
                if entry.name not in beside:
                    digest.update(part)
        if digest.hexdigest() != document["payload_sha256"]:
            raise ModelFileError(
                "the payload was altered: its SHA-256 isn't the one in the header"
            )
        for entry in self.entries:
            _require_truths(entry.name, tensors[entry.name])


@contextmanager
def opened_model(path: FilePath) -> Generator[Content]:
    """What is in a model file, whose header was checked; its arrays are to be filled.

    Raises:
        FileError, ModelFileError: as `read_model`.
    """
    with _opened(path) as (file, size):
        yield _content(os.fspath(path), file, size)


def model_bytes(
    tensors: Mapping[str, np.ndarray], document: Mapping[str, object]
) -> bytes:
    """What `write_model` would write, in memory.

    Args:
        tensors, document: as for `write_model`.

    Raises:
        ArgumentError, DtypeError, ModelFileError: as in `write_model`.

    Example:
        >>> import numpy as np
        >>> content = model_bytes({"slope": np.array([2.0])}, {"task": "number"})
        >>> model_of(content)[1]["task"]
        'number'
    """
    with _naming(IN_MEMORY):
        header, chunks = _encoded(tensors, document)
    return b"".join([header, *chunks])


def model_of(content: bytes) -> tuple[dict[str, np.ndarray], Document]:
    """What `read_model` would read from a file of these bytes.

    Raises:
        ModelFileError: they break a rule of the format.
    """
    found = content_of(content)
    with _naming(IN_MEMORY):
        found.fill()
    return found.tensors, found.document


def content_of(content: bytes, name: str = IN_MEMORY) -> Content:
    """What `opened_model` would give of a file of these bytes.

    Raises:
        ModelFileError: the header breaks a rule of the format.
    """
    return _content(name, BytesIO(content), len(content))


def read_document(path: FilePath) -> Document:
    """The document of a model file, without its arrays, which aren't looked at.

    Raises:
        FileError, ModelFileError: as in `read_model`, of the header.
    """
    with _naming(path), _opened(path) as (file, size):
        length = decode_length(file.read(LENGTH_BYTES), size)
        return decode_header(_read_exactly(file, length))[0]


def _encoded(
    tensors: Mapping[str, np.ndarray], document: Mapping[str, object]
) -> tuple[bytes, list[memoryview]]:
    """The header and the payload's parts."""
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    entries = lay_out(contiguous)
    beside = _outside_digest(document)
    digest = _digest(
        _bytes_of(contiguous[each.name]) for each in entries if each.name not in beside
    )
    header = encode_header(with_envelope(document, digest), entries)
    check_header(header[LENGTH_BYTES:])
    return header, [_bytes_of(contiguous[entry.name]) for entry in entries]


def _outside_digest(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The tensors that the payload's digest leaves out.

    How long an epoch took differs each time; all else that equal trainings give is
    equal, and its digest says so.
    """
    needed = document.get("required_features")
    return (TIMES,) if isinstance(needed, list) and TIMES in needed else ()


def require_writable(
    tensors: Mapping[str, np.ndarray], document: Mapping[str, object]
) -> None:
    """See before the numbers are known whether there can be such a file.

    Args:
        tensors: arrays of the shapes and dtypes that are to be written.
        document: as it is to be written.

    Raises:
        ArgumentError, DtypeError, ModelFileError: as in `write_model`.
    """
    header = encode_header(with_envelope(document, NO_DIGEST), lay_out(tensors))
    check_header(header[LENGTH_BYTES:])


def _content(name: str, file: BinaryIO, size: int) -> Content:
    """What is in an open file, after its header was checked."""
    with _naming(name):
        length = decode_length(file.read(LENGTH_BYTES), size)
        document, entries = decode_header(_read_exactly(file, length))
        check_size(size, length, entries)
        tensors = {e.name: np.empty(e.shape, DTYPES[e.code]) for e in entries}
    return Content(name, document, tensors, Source(file, entries))


def header_digest(path: FilePath) -> str:
    """The SHA-256 of a model file's header, which holds that of the payload.

    Raises:
        FileError: there is no such file, or it can't be read.
        ModelFileError: no header can be in it.
    """
    with _naming(path), _opened(path) as (file, size):
        length = decode_length(file.read(LENGTH_BYTES), size)
        return _digest([_read_exactly(file, length)])


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _digest(chunks: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _naming(path: FilePath) -> Generator[None]:
    """Put the file's name before what the gate says."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from None


@contextmanager
def _opened(path: FilePath) -> Generator[tuple[BinaryIO, int]]:
    name = os.fspath(path)
    try:
        with open(name, "rb", opener=open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FileError(f"{name}: must be a regular file")
            yield file, status.st_size
    except FileNotFoundError as error:
        raise FileError(f"{name}: no such file{_nearest(name)}") from error
    except FileError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{name}: can't be read: {reason}") from error


def _nearest(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        names = [other for other in os.listdir(folder or ".") if "thalweg" in other]
    except OSError:
        return f" (the folder {folder} doesn't exist)"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {os.path.join(folder, close[0])}?" if close else ""


def _read_exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise ModelFileError(CUT)
    return content


def _read_whole(file: BinaryIO, place: memoryview) -> None:
    """Fill a place with what comes next in a file."""
    while place:
        count: int = file.readinto(place)  # pyright: ignore
        if not count:
            raise ModelFileError(CUT)
        place = place[count:]


def _require_truths(name: str, array: np.ndarray) -> None:
    if array.dtype == np.bool_ and array.size and array.view(np.uint8).max() > 1:
        raise ModelFileError(f"tensor {name!r}: a truth value must be 0 or 1")
