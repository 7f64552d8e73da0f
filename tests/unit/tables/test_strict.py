"""What a file says is of just the type that is asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from thalweg.errors import ModelFileError
from thalweg.tables import strict

VECTOR = np.array([0.5, -2.0])

TAKEN: list[tuple[Callable[[Any, str], Any], list[Any]]] = [
    (strict.text, ["", "a"]),
    (strict.truth, [True, False]),
    (strict.whole, [0, 10**18]),
    (strict.number, [0, -1, 0.5, 1e308]),
    (strict.items, [[], [1, "a"]]),
]
REFUSED: list[tuple[Callable[[Any, str], Any], list[Any], str]] = [
    (strict.text, [None, 1, b"a"], "a text"),
    (strict.truth, [0, 1, "true", None], "true or false"),
    (strict.whole, [True, -1, 1.0, "1"], "a whole number"),
    (strict.number, [True, "1", None], "a number"),
    (strict.number, [float("inf"), float("nan"), 10**400, -(10**400)], "finite"),
    (strict.items, [(), "ab", {}, VECTOR], "a list"),
    (strict.texts, [["a", "a"]], "differ from one another"),
    (
        strict.numbers,
        [
            VECTOR.astype("float32"),
            VECTOR.reshape(1, 2),
            np.array([np.inf]),
            np.array([np.nan]),
        ],
        "a list of finite numbers",
    ),
]


@pytest.mark.parametrize(("reads", "values"), TAKEN)
def test_the_type_is_taken(reads: Callable[[Any, str], Any], values: list[Any]) -> None:
    for value in values:
        assert reads(value, "it") == value


@pytest.mark.parametrize(("reads", "values", "must_be"), REFUSED)
def test_another_type_is_refused(
    reads: Callable[[Any, str], Any], values: list[Any], must_be: str
) -> None:
    for value in values:
        with pytest.raises(ModelFileError, match=f"it must (be )?{must_be}"):
            reads(value, "it")


def test_numbers_may_be_in_an_array_already() -> None:
    assert strict.numbers(VECTOR, "they") is VECTOR
    assert strict.numbers([0.5, -2], "they").tolist() == VECTOR.tolist()


def test_a_tag_is_a_text_of_an_object() -> None:
    assert strict.tag_of({"kind": "a"}, "kind") == "a"
    assert [strict.tag_of(data, "kind") for data in ({}, {"kind": 1}, [], None)] == [
        "",
        "",
        "",
        "",
    ]


def test_keys_are_those_that_are_asked_for() -> None:
    assert strict.require_keys({"a": 1, "b": 2}, "it", "a", optional=["b"])
    for data in ({}, {"a": 1, "c": 2}, {"b": 2}, ["a"]):
        with pytest.raises(ModelFileError, match="it must be an object of a"):
            strict.require_keys(data, "it", "a", optional=["b"])
