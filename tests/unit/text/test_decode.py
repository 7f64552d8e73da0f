"""Bytes become code points as Python decodes them, whatever chunks they come in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import DataError
from thalweg.text.decode import Seen, code_points

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n\ufeff")
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The bytes in chunks of some sizes, the last as long as it must be."""
    chunks, start = list[bytes](), 0
    for size in sizes:
        chunks.append(data[start : start + size])
        start += size
    return [*chunks, data[start:]]


def decoded(chunks: list[bytes], seen: Seen | None = None) -> str:
    codes = np.concatenate(list(code_points(chunks, "t.txt", seen)))
    return "".join(map(chr, codes.tolist()))


@given(TEXTS, st.lists(st.integers(0, 5)))
def test_text_is_as_python_reads_it(text: str, sizes: list[int]) -> None:
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    assert decoded(cut(text.encode(), sizes)) == plain


@given(st.binary(), st.lists(st.integers(0, 5)))
def test_what_is_no_utf_8_is_refused_at_its_place(
    data: bytes, sizes: list[int]
) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        with pytest.raises(DataError, match=f"byte at place {error.start:,} is 0x"):
            decoded(cut(data, sizes))
    else:
        found = decoded(cut(data, sizes))
        assert found == text.removeprefix("\ufeff").replace("\r\n", "\n")


def test_what_was_changed_is_told() -> None:
    seen = Seen()
    assert decoded([b"\xef\xbb\xbfa\r", b"\nb\rc\r\n"], seen) == "a\nb\rc\n"
    assert (seen.mark, seen.returns) == (True, 2)
    assert "2 line ends" in seen.notes()[1]


def test_utf_16_is_named() -> None:
    with pytest.raises(DataError, match="iconv -f UTF-16"):
        decoded(["abc".encode("utf-16")])
