"""Model files: named tensors and one JSON document, in a safetensors file.

The form and the gate are in `modelheader` and `modeldocument`, the way to the disk is
in `atomic`. Here they meet the file: sizes are compared before anything of that size is
read, and the payload's SHA-256 is compared before anything of it is used.
"""

import difflib
import hashlib
import os
import stat
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from thalweg.errors import FileError, ModelFileError
from thalweg.training.atomic import (
    FilePath,
    open_without_waiting,
    write_atomically,
)
from thalweg.training.modeldocument import Document, with_envelope
from thalweg.training.modelheader import (
    DTYPES,
    LENGTH_BYTES,
    Entry,
    check_header,
    check_size,
    decode_header,
    decode_length,
    encode_header,
    lay_out,
    payload_size,
)

__all__ = [
    "header_digest",
    "model_bytes",
    "model_of",
    "read_document",
    "read_model",
    "write_atomically",
    "write_model",
]

IN_MEMORY = "the model"


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

    Memory stays below the file's size plus 64 MB, and nothing in the file is run.

    Returns:
        the arrays by name (read-only, views of one buffer), and the whole document.

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
    with _naming(path), _opened(path) as (file, size):
        return _decoded(file, size)


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
    with _naming(IN_MEMORY):
        return _decoded(BytesIO(content), len(content))


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
    chunks = [_bytes_of(contiguous[entry.name]) for entry in entries]
    header = encode_header(with_envelope(document, _digest(chunks)), entries)
    check_header(header[LENGTH_BYTES:])
    return header, chunks


def _decoded(file: BinaryIO, size: int) -> tuple[dict[str, np.ndarray], Document]:
    """The arrays and the document of an open file."""
    length = decode_length(file.read(LENGTH_BYTES), size)
    document, entries = decode_header(_read_exactly(file, length))
    check_size(size, length, entries)
    payload = _read_exactly(file, payload_size(entries))
    _check_digest(payload, document)
    return {entry.name: _view(payload, entry) for entry in entries}, document


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
        raise ModelFileError("the file became shorter while it was read")
    return content


def _check_digest(payload: bytes, document: Document) -> None:
    if _digest([payload]) != document["payload_sha256"]:
        raise ModelFileError(
            "the payload was altered: its SHA-256 isn't the one in the header"
        )


def _view(payload: bytes, entry: Entry) -> np.ndarray:
    dtype = DTYPES[entry.code]
    array: np.ndarray[Any, Any] = np.ndarray(entry.shape, dtype, payload, entry.begin)
    if dtype == np.bool_ and array.size and array.view(np.uint8).max() > 1:
        raise ModelFileError(f"tensor {entry.name!r}: a truth value must be 0 or 1")
    return array
