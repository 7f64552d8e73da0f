"""The document of a model file, where `test_modelfile.py` doesn't go through a file."""

import importlib.metadata
import sys

import pytest

from thalweg.errors import ModelFileError
from thalweg.files import document
from thalweg.files.document import decode_document, with_envelope

# What it remembers is of the real system, and stays.
version = document._version.__wrapped__


@pytest.mark.parametrize("text", [b"[]", b"1", b'"a"', b"null"])
def test_a_document_is_an_object(text: bytes) -> None:
    with pytest.raises(ModelFileError, match="must be an object"):
        decode_document(text)


def test_the_writer_is_named() -> None:
    assert with_envelope({}, "0" * 64)["writer"] == version()


def test_a_source_that_was_never_installed_is_an_unknown_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert version() == "unknown"


def test_no_room_for_what_tells_the_version_is_a_lack_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "importlib.metadata", None)
    with pytest.raises(MemoryError):
        version()
