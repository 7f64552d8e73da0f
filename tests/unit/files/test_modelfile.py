"""Loading any bytes is safe: a ModelFileError, or a file that writes back the same."""

import hashlib
import importlib
import json
import os
import random
import re
import string
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import numpy as safetensors

from thalweg.errors import ArgumentError, DtypeError, FileError, ModelFileError
from thalweg.files.document import (
    CONTAINER_LIMIT,
    DIGIT_LIMIT,
    DOCUMENT_LIMIT,
    QUOTE_LIMIT,
    VALUE_LIMIT,
)
from thalweg.files.header import HEADER_LIMIT, TENSOR_LIMIT
from thalweg.files.modelfile import (
    header_digest,
    read_document,
    read_model,
    require_writable,
    write_model,
)

ROOT = Path(__file__).parents[3]
MEMORY = 64_000_000
NO_DIGEST = hashlib.sha256(b"").hexdigest()
ENVELOPE = {
    "format": 1,
    "min_reader": 1,
    "writer": "0.1",
    "required_features": [],
    "payload_sha256": NO_DIGEST,
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**39), 10**39)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(st.text().filter(lambda key: key not in ENVELOPE), JSON)
NAMES = st.text(string.ascii_letters + string.digits + "_./-", max_size=20).map(
    lambda end: ("n" + end).replace("..", "__")
)
DTYPES = st.sampled_from(["float64", "float32", "int32", "uint32", "bool"])
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))
)


def load_script(name: str) -> Any:
    """A script as a module; it imports others that lie beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        return importlib.import_module(name)


fuzzer = load_script("fuzz_model_file")
mutations = load_script("mutations")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property: each writes its files anew."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def path(folder: Path) -> Iterator[Path]:
    yield folder / "iris.thalweg"
    (folder / "iris.thalweg").unlink(missing_ok=True)


@pytest.fixture
def valid(folder: Path) -> bytes:
    return fuzzer.valid_file(folder)


@pytest.fixture(autouse=True, scope="module")
def no_sync() -> Iterator[None]:
    """Thousands of files need not survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        yield


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def escaped(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def crafted(
    table: str | bytes = "", text: str | bytes | None = None, payload: bytes = b""
) -> bytes:
    """A file with this table of tensors, this document and this payload."""
    if text is None:
        digest = hashlib.sha256(payload).hexdigest()
        text = compact(ENVELOPE | {"payload_sha256": digest})
    table = table.encode() if isinstance(table, str) else table
    start = b'{"__metadata__":{"thalweg":"' + escaped(text)
    return mutations.join(start + b'"}' + table + b"}", payload)


def document(**fields: object) -> str:
    return compact(ENVELOPE | fields)


def entry(
    name: str = "a",
    dtype: str = "F32",
    shape: str = "[2]",
    offsets: str = "[0,8]",
) -> str:
    return f',"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'


def assert_refused(path: Path, data: bytes, reason: str) -> None:
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert re.search(reason, str(caught.value)), str(caught.value)


def assert_accepted(path: Path, data: bytes) -> tuple[dict[str, np.ndarray], Any]:
    path.write_bytes(data)
    model = read_model(path)
    write_model(path, *model)
    assert path.read_bytes() == data
    return model


def assert_same(arrays: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        assert array.dtype == expected[name].dtype
        assert array.shape == expected[name].shape
        assert array.tobytes() == expected[name].tobytes()


# What is written is what is read


@given(tensors=st.dictionaries(NAMES, ARRAYS, max_size=5), fields=DOCUMENTS)
def test_what_is_written_is_read_and_written_again(
    folder: Path, tensors: dict[str, np.ndarray], fields: dict[str, Any]
) -> None:
    path = folder / "model.thalweg"
    write_model(path, tensors, fields)
    data = path.read_bytes()
    arrays, read = assert_accepted(path, data)
    assert read == read | fields
    assert list(read) == [*ENVELOPE, *fields]
    assert_same(arrays, tensors)
    assert_same(safetensors.load(data), tensors)  # what the format's own library reads


@given(tensors=st.dictionaries(NAMES, ARRAYS, max_size=5))
def test_the_payload_and_every_tensor_are_aligned(
    folder: Path, tensors: dict[str, np.ndarray]
) -> None:
    write_model(folder / "model.thalweg", tensors, {})
    data = (folder / "model.thalweg").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    assert start % 64 == 0
    entries = json.loads(data[8:start])
    for name, tensor in tensors.items():
        assert (start + entries[name]["data_offsets"][0]) % tensor.itemsize == 0
    arrays, _ = read_model(folder / "model.thalweg")
    assert all(array.flags.aligned for array in arrays.values())


def test_the_order_of_the_arguments_does_not_matter(path: Path) -> None:
    tensors = {"b": np.ones(2), "a": np.ones(3), "c": np.ones(1, np.float32)}
    write_model(path, tensors, {})
    first = path.read_bytes()
    write_model(path, dict(reversed(tensors.items())), {})
    assert path.read_bytes() == first


def test_arrays_that_are_not_contiguous_keep_their_values(path: Path) -> None:
    table = np.arange(12.0).reshape(3, 4)
    write_model(path, {"transposed": table.T, "every_other": table[::2, ::-1]}, {})
    arrays, _ = read_model(path)
    np.testing.assert_array_equal(arrays["transposed"], table.T)
    np.testing.assert_array_equal(arrays["every_other"], table[::2, ::-1])


def test_nan_and_its_payload_bits_survive(path: Path) -> None:
    bits = np.array([0x7FC00001, 0xFF800000, 0x80000000], np.uint32)
    write_model(path, {"a": bits.view(np.float32)}, {})
    array = read_model(path)[0]["a"]
    np.testing.assert_array_equal(array.view(np.uint32), bits)
    assert not array.flags.writeable


def test_the_envelope_is_added(path: Path) -> None:
    write_model(path, {"a": np.ones(2)}, {"network": "mine"})
    _, read = read_model(path)
    digest = hashlib.sha256(np.ones(2).tobytes()).hexdigest()
    assert read["payload_sha256"] == digest
    assert (read["format"], read["min_reader"]) == (1, 1)
    assert read["required_features"] == []
    assert read["writer"]
    assert read["network"] == "mine"


def test_a_newer_file_that_we_can_read_keeps_what_we_do_not_know(path: Path) -> None:
    newer = document(format=2, writer="9.0", colors={"x": [1, None]})
    _, read = assert_accepted(path, crafted(text=newer))
    assert read["colors"] == {"x": [1, None]}
    assert read["writer"] == "9.0"


# What can't be written


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1, 2}, b"bytes", np.float32(1), "\ud800"],
    ids=repr,
)
def test_a_document_must_be_plain_json(path: Path, value: object) -> None:
    with pytest.raises(ArgumentError, match="must be plain JSON, got"):
        write_model(path, {}, {"value": value})
    assert not path.exists()


@pytest.mark.parametrize("dtype", ["int16", "float16", "complex128", "U3", ">f4"])
def test_a_dtype_that_the_format_lacks_is_refused(path: Path, dtype: str) -> None:
    with pytest.raises(DtypeError, match=r"tensor 'a': must be float64, .*, got"):
        write_model(path, {"a": np.zeros(2, dtype)}, {})
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "1.bias", "a..b", "é", "a b", "__metadata__"])
def test_a_name_that_no_reader_accepts_is_not_written(path: Path, name: str) -> None:
    write_model(path, {"a": np.ones(1)}, {})
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match="a name must be"):
        write_model(path, {name: np.zeros(2)}, {})
    assert path.read_bytes() == before


def test_a_failed_save_keeps_the_model(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    write_model(path, {"a": np.ones(1)}, {})
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match=r"iris\.thalweg: .*No space left"):
        write_model(path, {"a": np.zeros(9)}, {})
    monkeypatch.undo()
    np.testing.assert_array_equal(read_model(path)[0]["a"], np.ones(1))


# The gate: a file for each rule, and one beside it that keeps the rule

PAIR = entry("a") + entry("b", offsets="[8,16]")
ENTRY_FAULTS = {
    "bool": (entry(shape="[true]", offsets="[0,4]"), "entry must be like"),
    "float": (entry(shape="[2.0]"), "entry must be like"),
    "exponent": (entry(shape="[2e0]"), "entry must be like"),
    "nan": (entry(shape="[NaN]"), "entry must be like"),
    "null": (entry(shape="null"), "entry must be like"),
    "negative": (entry(shape="[-2]"), "entry must be like"),
    "text": (entry(shape='["2"]'), "entry must be like"),
    "leading zero": (entry(shape="[02]"), "entry must be like"),
    "nested shape": (entry(shape="[[2]]"), "entry must be like"),
    "space": (entry(shape="[ 2]"), "entry must be like"),
    "20 digits": (entry(shape=f"[{10**19}]"), "entry must be like"),
    "one offset": (entry(offsets="[8]"), "entry must be like"),
    "three offsets": (entry(offsets="[0,8,8]"), "entry must be like"),
    "extra key": (entry(offsets='[0,8],"more":1'), "entry must be like"),
    "missing key": (',"a":{"dtype":"F32","shape":[2]}', "entry must be like"),
    "other order": (
        ',"a":{"shape":[2],"dtype":"F32","data_offsets":[0,8]}',
        "entry must be like",
    ),
    "key twice": (entry(shape='[2],"shape":[2]'), "entry must be like"),
    "number for an entry": (',"a":1', "entry must be like"),
    "metadata again": (',"__metadata__":{}', "entry must be like"),
    "metadata as a tensor": (entry("__metadata__"), "a name must be"),
    "empty name": (entry(""), "a name must be"),
    "name starts with a digit": (entry("1a"), "a name must be"),
    "name starts with a slash": (entry("/etc"), "a name must be"),
    "name climbs": (entry("a/../b"), "a name must be"),
    "name with a space": (entry("a b"), "a name must be"),
    "name with a zero byte": (entry("a\0"), "a name must be"),
    "name not in ASCII": (entry("é"), "a name must be"),
    "name not in UTF-8": (entry("a?").encode().replace(b"?", b"\xff"), "a name must"),
    "name escaped": (entry("\\u0061"), "entry must be like"),
    "long name": (entry("a" * 257), "a name must be"),
    "very long name": (entry("a" * 5000), "entry must be like"),
    "half": (entry(dtype="F16", offsets="[0,4]"), "dtype must be F64, I64, F32.*'F16'"),
    "lower case": (entry(dtype="f32"), "dtype must be"),
    "rank 9": (entry(shape="[2,1,1,1,1,1,1,1,1]"), "rank must be at most 8, got 9"),
    "hole at the start": (entry(offsets="[8,16]"), "begin at byte 0, got 8.*a hole"),
    "hole": (entry() + entry("b", offsets="[12,20]"), "at byte 8, got 12.*a hole"),
    "overlap": (entry() + entry("b", offsets="[4,12]"), "at byte 8, got 4.*overlap"),
    "same bytes": (entry() + entry("b"), "at byte 8, got 0.*an overlap"),
    "backwards": (entry(offsets="[0,4]"), "takes 8 bytes, its offsets span 4"),
    "negative span": (entry() + entry("b", offsets="[8,0]"), "takes 8 .* span -8"),
    "too long": (entry(offsets="[0,12]"), "takes 8 bytes, its offsets span 12"),
    "wraps at 2^32": (entry(shape=f"[{2**30 + 2}]"), "payload must have at most"),
    "wraps at 2^64": (entry(shape=f"[{2**32},{2**30},4]"), "payload must have at"),
    "hides in zero": (
        entry(shape=f"[{2**62},{2**62},0]", offsets="[0,0]"),
        "payload must have at most",
    ),
    "tensor twice": (PAIR.replace('"b"', '"a"'), "'a' is there twice"),
    "other order of names": (
        entry("b") + entry("a", offsets="[8,16]"),
        "'a' must stand before 'b'",
    ),
    "small items first": (
        entry("a", "BOOL", "[8]") + entry("b", offsets="[8,16]"),
        "'b' must stand before 'a'",
    ),
}
DOCUMENT_FAULTS = {
    "key twice": (document()[:-1] + ',"x":1,"x":1}', "the key 'x' twice"),
    "key twice inside": (document(x=0).replace(":0}", ':[{"y":1,"y":2}]}'), "'y' twi"),
    "envelope twice": (document()[:-1] + ',"format":1}', "the key 'format' twice"),
    "NaN": (document()[:-1] + ',"x":NaN}', "finite numbers, got NaN"),
    "infinity": (document()[:-1] + ',"x":-Infinity}', "finite numbers, got -Infi"),
    "infinity in disguise": (document()[:-1] + ',"x":1e999}', "form that thalweg"),
    "float in disguise": (document()[:-1] + ',"x":1.50}', "form that thalweg writes"),
    "minus zero": (document()[:-1] + ',"x":-0}', "form that thalweg writes"),
    "space": (document()[:-1] + ', "x":1}', "form that thalweg writes"),
    "needless escape": (document()[:-1] + ',"x":"\\u0061"}', "form that thalweg"),
    "half a pair": (document()[:-1] + ',"x":"\\ud800"}', "form that thalweg writes"),
    "depth 25": (document(x=0).replace(":0}", ":" + "[" * 24 + "]" * 24 + "}"), "25"),
    "depth 4000000": ("[" * 4_000_000 + "}", "values must be at most"),
    "number without end": (document(x=10**DIGIT_LIMIT), "at most 40 digits"),
    "not UTF-8": (document(x="?").encode().replace(b"?", b"\xff"), "decode byte 0xff"),
    "overlong UTF-8": (document(x="?").encode().replace(b"?", b"\xc0\xaf"), "decode"),
    "surrogate in UTF-8": (
        document(x="?").encode().replace(b"?", b"\xed\xa0\x80"),
        "decode byte 0xed",
    ),
    "byte order mark": ("\ufeff" + document(), "isn't JSON"),
    "no JSON": ("{x}", "isn't JSON"),
    "two objects": (document() + "{}", "Extra data"),
    "control character": (document(x="?").replace("?", "\n"), "control character"),
    "no format": ("{}", "'format' must be 1, 2, 3, ..., it is missing"),
    "format is a bool": (document(format=True), "'format' must be .*got True"),
    "format is a float": (document(format=1.0), "'format' must be .*got 1.0"),
    "format zero": (document(format=0), "'format' must be .*got 0"),
    "reader is a text": (document(min_reader="1"), "'min_reader' must be .*got '1'"),
    "newer": (document(format=2, min_reader=2), "format 2 or later.*install a newer"),
    "writer is a number": (document(writer=1), "'writer' must be a text, got 1"),
    "features in a text": (document(required_features="ab"), "must be a list of"),
    "feature is a number": (document(required_features=[1]), "must be a list of"),
    "unknown feature": (
        document(required_features=["telepathy"]),
        "needs the feature 'telepathy'.*install a newer",
    ),
    "short digest": (document(payload_sha256="00"), "must be 64 hexadecimal digits"),
    "upper-case digest": (document(payload_sha256="A" * 64), "64 hexadecimal digits"),
    "other digest": (document(payload_sha256="0" * 64), "payload was altered"),
    "envelope in another order": (
        compact(dict(reversed(ENVELOPE.items()))),
        "must start with format, min_reader",
    ),
}


@pytest.mark.parametrize("fault", ENTRY_FAULTS)
def test_the_gate_refuses_a_table_that_breaks_a_rule(path: Path, fault: str) -> None:
    table, reason = ENTRY_FAULTS[fault]
    assert_refused(path, crafted(table, payload=bytes(16)), reason)


@pytest.mark.parametrize("fault", DOCUMENT_FAULTS)
def test_the_gate_refuses_a_document_that_breaks_a_rule(path: Path, fault: str) -> None:
    text, reason = DOCUMENT_FAULTS[fault]
    assert_refused(path, crafted(text=text), reason)


@pytest.mark.parametrize(
    ("table", "size"),
    [
        ("", 0),
        (PAIR, 16),
        (entry("a" * 256), 8),
        (entry("_/a.b-c.d/1"), 8),
        (entry(shape="[2,1,1,1,1,1,1,1]"), 8),
        (entry(shape="[]", offsets="[0,4]"), 4),
        (entry(shape=f"[{2**30},0]", offsets="[0,0]"), 0),
        (entry("b", "F64", "[1]") + entry("a", "BOOL", "[2]", "[8,10]"), 10),
    ],
)
def test_the_gate_accepts_what_keeps_the_rules(
    path: Path, table: str, size: int
) -> None:
    assert_accepted(path, crafted(table, payload=bytes(size)))


@pytest.mark.parametrize(
    "fields",
    [
        {"x": 10 ** (DIGIT_LIMIT - 1)},
        {"x": json.loads("[" * 15 + "]" * 15)},
        {"x": [-0.0, 1e300, 5e-324, 0.1]},
        {"x": '"\\[{\n\u2028\x7f é 😀', '"': {"\\": []}},
        {"": "", "__proto__": None},
    ],
    ids=str,
)
def test_the_gate_accepts_documents_that_keep_the_rules(
    path: Path, fields: dict[str, Any]
) -> None:
    _, read = assert_accepted(path, crafted(text=document(**fields)))
    assert read == ENVELOPE | fields


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b'["__metadata__"]', "must start with '{'"),
        (b' {"__metadata__":{}}', "must start with '{'"),
        (b"\xef\xbb\xbf{}", "must start with '{'"),
        (b"{}", "another program's safetensors file"),
        (b'{"__metadata__":{"thalweg":1}}', "another program's safetensors file"),
        (b'{"__metadata__":{"thalweg":"{}","more":"x"}}', "has no end"),
        (b'{"__metadata__":{"thalweg":"{}', "has no end"),
        (b'{"__metadata__":{"thalweg":"{"}"}}', "backslash before each quote"),
        (b'{"__metadata__":{"thalweg":"{\\n}"}}', "backslash before each quote"),
        (b'{"__metadata__":{"thalweg":"{\0}"}}', "backslash before each quote"),
    ],
)
def test_the_gate_refuses_headers_of_another_kind(
    path: Path, header: bytes, reason: str
) -> None:
    assert_refused(path, mutations.join(header, b""), reason)


def test_another_programs_safetensors_file_is_called_that(path: Path) -> None:
    safetensors.save_file({"a": np.ones(3)}, path, {"format": "pt"})
    assert_refused(path, path.read_bytes(), "no thalweg model.*safetensors file")


@pytest.mark.parametrize("change", [-1, 1, 64])
def test_the_header_ends_where_the_alignment_says(path: Path, change: int) -> None:
    data = crafted()
    header = data[8:].rstrip(b" ")
    header += b" " * (len(data) - 8 - len(header) + change)
    moved = len(header).to_bytes(8, "little") + header
    assert_refused(path, moved, "spaces that lead to the next multiple of 64")


def test_the_padding_is_spaces(path: Path) -> None:
    data = crafted(payload=b"")
    assert data.endswith(b" ")
    assert_refused(path, data[:-1] + b"\n", "just the spaces")


@pytest.mark.parametrize("length", [0, HEADER_LIMIT + 1, 2**63, 2**64 - 1])
def test_the_headers_length_is_bounded(path: Path, length: int) -> None:
    data = length.to_bytes(8, "little") + crafted()[8:]
    assert_refused(path, data, f"its length says {length:,}")


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(7)])
def test_a_file_without_a_header_says_so(path: Path, data: bytes) -> None:
    assert_refused(path, data, f"at least 8 bytes, this has {len(data)}")


def test_a_cut_file_says_what_is_missing(path: Path, valid: bytes) -> None:
    length = len(valid)
    header = 8 + int.from_bytes(valid[:8], "little")
    assert_refused(path, valid[:-1], f"ends after {length - 1} .*promises {length}")
    assert_refused(path, valid[:99], f"ends after 99 bytes.*promises {header}")
    assert_refused(path, valid + b"\0", f"goes on to {length + 1} .*promises {length}")


def test_an_altered_payload_is_refused(path: Path, valid: bytes) -> None:
    altered = valid[:-1] + bytes([valid[-1] ^ 1])
    assert_refused(path, altered, "payload was altered")


def test_a_truth_value_is_0_or_1(path: Path) -> None:
    table = entry("mask", "BOOL", "[3]", "[0,3]")
    assert_accepted(path, crafted(table, payload=b"\0\1\1"))
    assert_refused(path, crafted(table, payload=b"\0\1\2"), "'mask': .* 0 or 1")


def empty_tensors(count: int) -> str:
    return "".join(entry(f"n{i:05d}", "F64", "[0]", "[0,0]") for i in range(count))


def test_the_number_of_tensors_is_bounded(path: Path) -> None:
    tensors, _ = assert_accepted(path, crafted(empty_tensors(TENSOR_LIMIT)))
    assert len(tensors) == TENSOR_LIMIT
    assert_refused(path, crafted(empty_tensors(TENSOR_LIMIT + 1)), "at most 65,536")


def test_the_documents_length_is_bounded(path: Path) -> None:
    room = DOCUMENT_LIMIT - len(document(x=""))
    assert_accepted(path, crafted(text=document(x="y" * room)))
    longer = document(x="y" * (room + 1))
    assert_refused(path, crafted(text=longer), "must have at most 4,194,304 bytes")


@pytest.mark.parametrize(
    ("unit", "limit", "reason"),
    [
        ("1", VALUE_LIMIT - 8, "values must be at most"),
        ("[]", CONTAINER_LIMIT - 3, "lists and objects must be at most"),
    ],
)
def test_the_documents_values_are_bounded(
    path: Path, unit: str, limit: int, reason: str
) -> None:
    def repeated(count: int) -> bytes:
        return crafted(text=document(x=[json.loads(unit)] * count))

    assert_accepted(path, repeated(limit))
    assert_refused(path, repeated(limit + 10), reason)


def test_brackets_and_commas_in_texts_are_not_counted(path: Path) -> None:
    text = '[{,"\\' * (QUOTE_LIMIT // 2)
    assert_accepted(path, crafted(text=document(x=text[: DOCUMENT_LIMIT // 2])))


def test_an_error_message_stays_short_whatever_is_in_the_file(path: Path) -> None:
    long = "y" * 1_000_000
    for text in (
        document(writer=[long]),
        document(min_reader=10**39),
        document(required_features=[long]),
        document()[:-1] + f',"{long}":1,"{long}":1}}',
        document(x=0).replace(":0}", f":{long}}}"),
    ):
        path.write_bytes(crafted(text=text))
        with pytest.raises(ModelFileError) as caught:
            read_model(path)
        assert len(str(caught.value)) < 400


# Memory


def wide_text() -> str:
    """As many values as may be, and each character takes four bytes once decoded."""
    containers = CONTAINER_LIMIT - 5
    values = [{"a": 1.25}] * containers + ["ab"] * (VALUE_LIMIT - 2 * containers - 20)
    room = DOCUMENT_LIMIT - len(document(x=["😀", *values, ""]).encode())
    return document(x=["😀", *values, "y" * room])


def many_keys() -> str:
    return document(x={f"k{i}": i for i in range(VALUE_LIMIT - 20)})


def large_tensors() -> bytes:
    table = "".join(
        entry(f"n{i:05d}", shape="[1,1,1,1,1,1,1,300]", offsets=f"[{at},{at + 1200}]")
        for i, at in enumerate(range(0, 24_000_000, 1200))
    )
    return crafted(table, payload=bytes(24_000_000))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "lists": lambda: crafted(text=b"{" + b"[]," * 1_300_000 + b"}"),
    "texts": lambda: crafted(text=b"{" + b'"",' * 1_300_000 + b"}"),
    "brackets": lambda: mutations.join(b"{" + b"[" * (HEADER_LIMIT - 99), b""),
    "axes": lambda: crafted(entry(shape=f"[{'1,' * 3_900_000}1]"), payload=bytes(8)),
    "wide text": lambda: crafted(empty_tensors(30_000), wide_text()),
    "keys": lambda: crafted(empty_tensors(30_000), many_keys()),
    "payload": large_tensors,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_takes_at_most_the_file_and_64_megabytes(path: Path, name: str) -> None:
    path.write_bytes(HOSTILE[name]())
    tracemalloc.start()
    try:
        with suppress(ModelFileError):
            read_model(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= path.stat().st_size + MEMORY


def test_a_file_much_longer_than_promised_is_not_read(path: Path, valid: bytes) -> None:
    path.write_bytes(valid)
    os.truncate(path, 2**33)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="goes on to 8,589,934,592 bytes"):
            read_model(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


# Any bytes


def test_every_cut_is_refused_and_every_flipped_bit_is_seen(
    folder: Path, valid: bytes
) -> None:
    for end in range(len(valid)):
        assert fuzzer.judge_container(valid[:end], folder).startswith("refused")
    accepted = 0
    for position in range(8 * len(valid)):
        byte, bit = divmod(position, 8)
        flipped = bytearray(valid)
        flipped[byte] ^= 1 << bit
        accepted += fuzzer.judge_container(bytes(flipped), folder) == "accepted"
    # Names, numbers of the document: what no rule and no digest covers.
    assert 0 < accepted < len(valid)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_refused_or_write_back(
    folder: Path, valid: bytes, seed: int
) -> None:
    choose = random.Random(seed)
    said = {
        fuzzer.judge_container(mutations.mutate(valid, choose), folder)
        for _ in range(1000)
    }
    assert "accepted" in said
    assert len(said) > 15, "the mutations no longer reach the rules"


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(folder: Path, data: bytes) -> None:
    assert fuzzer.judge_container(data, folder).startswith("refused")


@given(header=st.binary(max_size=300))
def test_arbitrary_headers_are_refused(folder: Path, header: bytes) -> None:
    assert fuzzer.judge_container(mutations.join(header, b""), folder).startswith(
        "refused"
    )
    assert (
        fuzzer.judge_container(crafted(header), folder).startswith("refused")
        or not header
    )
    assert fuzzer.judge_container(crafted(text=header), folder).startswith("refused")


# Files that can't be read


def test_a_missing_file_suggests_the_nearest_name(path: Path) -> None:
    path.touch()
    with pytest.raises(
        FileError, match=r"irs\.thalweg: no such file; did you mean .*"
    ) as caught:
        read_model(path.parent / "irs.thalweg")
    assert str(path) in str(caught.value)
    assert not isinstance(caught.value, ModelFileError)
    with pytest.raises(FileError, match=r"did you mean .*iris\.thalweg\?"):
        read_model(path.parent / "iris")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"the folder .*nowhere doesn't exist"):
        read_model(tmp_path / "nowhere" / "iris.thalweg")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="directory"):
        read_model(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="must be a regular file"):
        read_model(tmp_path / "pipe")


def test_an_endless_device_is_refused() -> None:
    with pytest.raises(FileError, match="must be a regular file"):
        read_model("/dev/zero")


def test_a_file_cut_while_it_is_read_is_refused(
    path: Path, valid: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(valid[:-5])
    status = SimpleNamespace(st_mode=path.stat().st_mode, st_size=len(valid))
    monkeypatch.setattr(os, "fstat", lambda fd: status)
    with pytest.raises(ModelFileError, match="shorter while it was read"):
        read_model(path)


def test_a_header_cut_while_it_is_read_is_refused(
    path: Path, valid: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(valid[:20])
    status = SimpleNamespace(st_mode=path.stat().st_mode, st_size=len(valid))
    monkeypatch.setattr(os, "fstat", lambda fd: status)
    with pytest.raises(ModelFileError, match="shorter while it was read"):
        read_model(path)


def test_the_document_is_read_without_the_arrays(path: Path, valid: bytes) -> None:
    path.write_bytes(valid)
    assert read_document(path) == read_model(path)[1]
    path.write_bytes(valid[:-5])
    assert read_document(path)["format"] == 1


def test_the_headers_digest_is_of_the_file(path: Path) -> None:
    digests = {write_model(path, {"a": np.full(2, value)}, {}) for value in (1.0, 2.0)}
    assert len(digests) == 2
    assert header_digest(path) in digests


def test_what_no_reader_takes_is_refused_before_its_numbers_are_known() -> None:
    require_writable({"a": np.empty(2)}, {})
    with pytest.raises(ModelFileError, match="a name must be"):
        require_writable({"a..b": np.empty(2)}, {})
