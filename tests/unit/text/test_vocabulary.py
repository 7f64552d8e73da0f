"""Characters have numbers, and come back from them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.text import Bytes, Characters, Text
from thalweg.text.vocabulary import MOST_CHARACTERS, vocabulary_from

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXTS)
def test_a_text_comes_back(text: str) -> None:
    found = Text.of(text)
    assert str(found) == text
    assert found.vocabulary.text(found.vocabulary.encode(text)) == text
    assert found.unknown == 0
    assert Bytes().text(Bytes().encode(text)) == text


@given(TEXTS)
def test_a_vocabulary_comes_back(text: str) -> None:
    for vocabulary in (Text.of(text).vocabulary, Bytes()):
        assert vocabulary_from(vocabulary.to_dict()) == vocabulary


@given(TEXTS, TEXTS)
def test_numbers_are_those_of_a_dictionary(text: str, other: str) -> None:
    vocabulary = Text.of(text).vocabulary
    known = {each: number for number, each in enumerate(sorted(set(text)), 1)}
    found = Text.of(other, vocabulary)
    assert found.numbers.tolist() == [known.get(each, 0) for each in other]
    assert str(found) == "".join(each if each in known else "�" for each in other)
    assert str(Text.of(other).in_vocabulary(vocabulary)) == str(found)


def test_the_most_frequent_stay() -> None:
    counts = np.bincount([ord(each) for each in "cabbabdd"])
    assert Characters.counted(counts, 2).text_of_all == "ab"
    assert Characters.counted(counts, 9).text_of_all == "abcd"


def test_an_unknown_character_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"got 'é'; it had 'ab'"):
        Text.of("abba").vocabulary.encode("bébé", "start")


def test_numbers_need_a_byte_while_they_fit() -> None:
    assert Characters(tuple(range(255))).dtype is np.uint8
    assert Characters(tuple(range(256))).dtype is np.int32


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"unit": "words", "codes": [1]},
        {"unit": "bytes", "codes": [1]},
        {"unit": "characters", "codes": []},
        {"unit": "characters", "codes": [2, 1]},
        {"unit": "characters", "codes": [1, 1]},
        {"unit": "characters", "codes": [0xD800]},
        {"unit": "characters", "codes": [0x110000]},
        {"unit": "characters", "codes": [-1]},
        {"unit": "characters", "codes": [1.0]},
        {"unit": "characters", "codes": [True]},
        {"unit": "characters", "codes": ["a"]},
        {"unit": "characters", "codes": list(range(MOST_CHARACTERS + 1))},
        {"unit": "characters", "codes": [1], "more": 1},
    ],
)
def test_what_is_no_vocabulary_is_refused(data: Any) -> None:
    with pytest.raises(ModelFileError):
        vocabulary_from(data)
