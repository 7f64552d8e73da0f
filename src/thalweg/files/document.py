"""The document of a model file: our JSON, and the rules it has to keep.

It starts with five fields that readers of every version understand; what follows is the
model. A field that a reader doesn't know is kept as it is. What a reader must know to
use the model at all is listed in `required_features`.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError, ModelFileError

FORMAT = 1
DIALECT = "dialect"  # how the text of a table's files is written
FORMS = "forms of columns"  # how a table's cells are, where one isn't as usual
LOG_TARGET = "log_target"  # the logarithm of a table's target was learned
LONG_LISTS = "long lists"  # they are arrays
TIMES = "times"  # an array of that name isn't part of the payload's digest
BRANCHES = "branches"  # a layer holds layers, whose parameters have longer names
FROZEN = "frozen layers"  # what layers learned is state now
LOOPS = "loops"  # a formula's program holds another, gone through time after time
CONVOLUTIONS = "convolutions"  # layers, or a formula's program, look at windows
RECURRENCE = "recurrence"  # cells go through times, or weights start orthogonal
TRANSFORMERS = "transformers"  # layers are attention, or what goes with it
PREPARATION = "preparation"  # layers prepare what a network is given
EMBEDDINGS = "embeddings"  # they give a vector at every position
BYTES = "uint8 inputs"  # a network was fitted on rows of bytes
LENGTHS = "lengths"  # a network's rows have lengths of their own
BACKWARDS = "slices backwards"  # a formula's program has slices with negative steps
CONTRACTIONS = "contractions"  # a formula's program has products over several axes
IMAGES = "images"  # it is a model of images: pixels go in, of a size that it says
TEXT = "text"  # it is a model of text: numbers of characters go in, which it lists
FORECAST = "forecast"  # it is a model of a series: windows of its last rows go in
SEQUENCES = "sequences"  # it is a model of a table's rows that belong together
ESTIMATOR = "estimator"  # it is one of scikit-learn's kind, with its own features
KNOWN_FEATURES = frozenset(
    {
        *(BACKWARDS, BRANCHES, BYTES, CONTRACTIONS, CONVOLUTIONS, DIALECT),
        *(EMBEDDINGS, ESTIMATOR, FORECAST, FORMS, FROZEN, IMAGES, LENGTHS, LOG_TARGET),
        *(LONG_LISTS, LOOPS, PREPARATION, RECURRENCE, SEQUENCES, TEXT, TIMES),
        TRANSFORMERS,
    }
)
"""What a model may need its reader to know."""
ENVELOPE = ["format", "min_reader", "writer", "required_features", "payload_sha256"]

DOCUMENT_LIMIT = 4 * 2**20
DEPTH_LIMIT = 24
# These four bound the memory and the time that a document can take.
VALUE_LIMIT = 2**17
CONTAINER_LIMIT = 2**15
QUOTE_LIMIT = 2**20
DIGIT_LIMIT = 40

DIGEST = re.compile(r"[0-9a-f]{64}")
JSON_STRING = re.compile(rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"')
LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (DIGIT_LIMIT + 1))
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

Document = dict[str, Any]


def with_envelope(document: Mapping[str, object], payload_sha256: str) -> Document:
    """The document with the five fields in front; those that it has are kept."""
    no_features: list[str] = []
    values = (FORMAT, FORMAT, _version(), no_features, payload_sha256)
    envelope: Document = dict(zip(ENVELOPE, values, strict=True))
    return envelope | dict(document) | {"payload_sha256": payload_sha256}


@cache
def _version() -> str:
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError as error:
        # Python has it, so there was no room to load what it needs.
        raise MemoryError(str(error)) from None

    try:
        return version("thalweg")
    except PackageNotFoundError:  # run from its source, never installed
        return "unknown"


def encode_document(document: Mapping[str, object]) -> bytes:
    """The document as canonical JSON: no spaces, UTF-8, keys in their own order.

    Raises:
        ArgumentError: it isn't plain JSON.
    """
    try:
        return json.dumps(
            dict(document), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            f"a model file's document must be plain JSON, got: {error}"
        ) from error


def decode_document(text: bytes) -> Document:
    """Read a document through the gate.

    Raises:
        ModelFileError: it breaks a rule of the format; the message says which.
    """
    document = parse_document(text)
    if not _is_canonical(text, document):
        raise ModelFileError(
            "the document must be in the form that thalweg writes, "
            "its spaces, numbers or escapes differ"
        )
    return document


def parse_document(text: bytes) -> Document:
    """Read a document in the form that thalweg writes, as it was just written.

    Raises:
        ModelFileError: it breaks another rule of the format.
    """
    if len(text) > DOCUMENT_LIMIT:
        raise ModelFileError(
            f"the document must have at most {DOCUMENT_LIMIT:,} bytes, "
            f"it has {len(text):,}"
        )
    _check_extent(text)
    document = _parse(text)
    _check_envelope(document)
    return document


def _parse(text: bytes) -> Document:
    try:
        document = json.loads(
            text.decode("utf-8", "strict"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"the document isn't JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelFileError(f"the document must be an object, got {text[:20]!r}")
    return cast(Document, document)


def _check_extent(text: bytes) -> None:
    """Refuse what would take much to parse, before any of it is parsed."""
    _check_limit(text.count(b'"'), QUOTE_LIMIT, "the document's quotes")
    skeleton = JSON_STRING.sub(b"", text)
    containers = skeleton.count(b"[") + skeleton.count(b"{")
    values = skeleton.count(b",") + containers + 1
    _check_limit(values, VALUE_LIMIT, "the document's values")
    _check_limit(containers, CONTAINER_LIMIT, "the document's lists and objects")
    _check_limit(_depth(skeleton), DEPTH_LIMIT, "the document's depth")
    if LONG_NUMBER.search(skeleton):
        raise ModelFileError(
            f"a number must have at most {DIGIT_LIMIT} digits in a row"
        )


def _depth(skeleton: bytes) -> int:
    brackets = np.frombuffer(skeleton.translate(None, NOT_BRACKETS), np.uint8)
    opening = (brackets == ord("[")) | (brackets == ord("{"))
    steps = np.where(opening, np.int8(1), np.int8(-1))
    return int(steps.cumsum(dtype=np.int32).max(initial=0))


def _check_limit(value: int, limit: int, what: str) -> None:
    if value > limit:
        raise ModelFileError(f"{what} must be at most {limit:,}, got {value:,}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Document:
    content: Document = {}
    for name, value in pairs:
        if name in content:
            raise ModelFileError(f"the document has the key {name!r:.80} twice")
        content[name] = value
    return content


def _refuse_constant(constant: str) -> None:
    raise ModelFileError(f"the document must hold finite numbers, got {constant}")


def _check_envelope(document: Document) -> None:
    """The fields that every reader of every version understands."""
    for field in ("format", "min_reader"):
        _check_field(document, field, _is_version(document.get(field)), "1, 2, 3, ...")
    _check_field(document, "writer", isinstance(document.get("writer"), str), "a text")
    features = document.get("required_features")
    _check_field(document, "required_features", _are_texts(features), "a list of texts")
    digest = document.get("payload_sha256")
    is_digest = isinstance(digest, str) and DIGEST.fullmatch(digest) is not None
    _check_field(document, "payload_sha256", is_digest, "64 hexadecimal digits")
    if list(document)[: len(ENVELOPE)] != ENVELOPE:
        raise ModelFileError(f"the document must start with {', '.join(ENVELOPE)}")
    _check_readable(document)


def _is_version(value: object) -> bool:
    return type(value) is int and value >= 1


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, str) for item in cast(list[object], value)
    )


def _check_field(document: Document, field: str, right: bool, what: str) -> None:
    if not right:
        got = f"got {document[field]!r:.80}" if field in document else "it is missing"
        raise ModelFileError(f"the document's {field!r} must be {what}, {got}")


def _check_readable(document: Document) -> None:
    if document["min_reader"] > FORMAT:
        raise ModelFileError(
            f"written by thalweg {document['writer']!r:.40} for readers of format "
            f"{document['min_reader']!r:.20} or later, this one reads up to {FORMAT}: "
            "install a newer thalweg"
        )
    for feature in document["required_features"]:
        if feature not in KNOWN_FEATURES:
            raise ModelFileError(
                f"the model needs the feature {feature!r:.80}, which this thalweg "
                "doesn't know: install a newer thalweg"
            )


def _is_canonical(text: bytes, document: Document) -> bool:
    try:
        return encode_document(document) == text
    except ArgumentError:  # 1e999 and half a surrogate pair can be read, not written
        return False
