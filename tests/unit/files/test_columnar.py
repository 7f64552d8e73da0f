"""Long lists become arrays and come back, whatever they hold."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.files.columnar import MOST_ITEMS, PackedColumn, pack, unpack

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
ITEMS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_json(value: Any) -> Any:
    """Long lists and parts of arrays as plain lists."""
    if isinstance(value, PackedColumn | list):
        items: Any = value
        return [as_json(each) for each in items]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        found: dict[str, Any] = value
        return {key: as_json(each) for key, each in found.items()}
    return value


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: true isn't 1, and 1 isn't 1.0."""
    return repr(one) == repr(other)


@given(st.lists(ITEMS, max_size=8), st.sampled_from([1, 40]))
def test_a_list_comes_back_whatever_it_holds(items: list[Any], times: int) -> None:
    data = {"short": 1, "inner": {"items": items * times}}
    packed, arrays = pack(data)
    assert same(as_json(unpack(packed, arrays)), data)
    if len(items) * times >= 64:
        assert packed["inner"]["items"].keys() == {"packed"}
    assert pack(data)[0] == packed  # the same each time


def test_numbers_of_an_array_stay_in_it() -> None:
    knots = [np.linspace(0, 1, 5), np.linspace(2, 3, 7)]
    columns = [{"knots": each, "name": "x"} for each in knots] * 50
    packed, arrays = pack({"columns": columns, "alone": knots[0]})
    found = unpack(packed, arrays)
    assert found["alone"] is not None
    np.testing.assert_array_equal(found["alone"], knots[0])
    for column, given_ in zip(found["columns"], columns, strict=True):
        np.testing.assert_array_equal(column["knots"], given_["knots"])
        assert any(np.shares_memory(column["knots"], each) for each in arrays.values())


@pytest.mark.parametrize("item", [2**63, -(2**63) - 1, "\ud800", {1}, 1j])
def test_what_no_file_holds_is_an_error(item: Any) -> None:
    with pytest.raises(ArgumentError, match=r"model file"):
        pack({"items": [item] * 100})


def test_a_vector_must_be_of_float64() -> None:
    with pytest.raises(ArgumentError, match="vector of float64"):
        pack({"items": np.ones((2, 2))})


def test_more_items_than_a_reader_takes_are_not_written() -> None:
    pack({"items": [True] * MOST_ITEMS})
    with pytest.raises(ModelFileError, match=r"2,097,152 items in all"):
        pack({"items": ["x"] * (MOST_ITEMS // 2)})
    with pytest.raises(
        ModelFileError, match=r"2,097,152 items in all, .* got 2,097,153"
    ):
        pack({"items": [True] * (MOST_ITEMS + 1)})
    with pytest.raises(ModelFileError, match=r"2,097,152 items in all"):
        pack({"items": [{}] * (MOST_ITEMS // 2), "more": [None] * MOST_ITEMS})
    pack({"numbers": np.zeros(MOST_ITEMS + 1)})  # they stay in their array


DAMAGED = (ModelFileError, LookupError, TypeError, ValueError, AttributeError)
LIST: dict[str, Any] = {
    "columns": [{"name": f"é{n}", "fill": 0.5, "cells": [n, None]} for n in range(99)]
}


def first(data: Any, key: str) -> dict[str, Any]:
    """The first description that has this key."""
    if isinstance(data, dict) and key in data:
        return data  # pyright: ignore[reportUnknownVariableType]
    inner: Any = data.values() if isinstance(data, dict) else data
    found = (first(each, key) for each in inner if isinstance(each, dict | list))
    return next((each for each in found if each), {})


def on(key: str, **changes: Any) -> Callable[[Any, Any], None]:
    """A change of the first description that has a key."""

    def change(packed: Any, arrays: Any) -> None:
        first(packed, key).update(changes)

    return change


def on_array(key: str, change_of: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    """A change of the array that the first such description names."""

    def change(packed: Any, arrays: Any) -> None:
        name = first(packed, key)[key]
        arrays[name] = change_of(arrays[name])

    return change


def drop(packed: Any, arrays: Any) -> None:
    del arrays[first(packed, "text")["text"]]


def other_end(packed: Any, arrays: Any) -> None:
    first(packed, "text")["ends"] = "lists/99"


def same_array_twice(packed: Any, arrays: Any) -> None:
    packed["again"] = copy.deepcopy(packed["columns"])


WRONG: dict[str, Callable[[Any, Any], None]] = {
    "an array that isn't there": drop,
    "ends that aren't there": other_end,
    "an array twice": same_array_twice,
    "no name": on("text", text=["lists/0"]),
    "another type": on_array("text", lambda a: a.astype(np.int64)),
    "another shape": on_array("number", lambda a: a.reshape(-1, 1)),
    "ends that fall": on_array("ends", lambda a: a[::-1].copy()),
    "ends beyond": on_array("ends", lambda a: a + np.uint32(1)),
    "ends before": on_array("ends", lambda a: np.minimum(a, 3)),
    "fewer": on_array("number", lambda a: a[:-1]),
    "none": on_array("ends", lambda a: a[:0]),
    "another count": on("count", count=98),
    "a negative count": on("count", count=-1),
    "no whole count": on("count", count=99.0),
    "a great count": on("null", null=2**40),
    "a kind that isn't there": on_array("mixed", lambda a: a + np.uint8(7)),
    "more of a kind": on_array("mixed", lambda a: np.zeros_like(a)),
    "no kind": on("mixed", parts=[]),
    "another word": on("whole", truth="lists/0"),
    "no object": on("object", object=[]),
}


@pytest.mark.parametrize("name", WRONG)
def test_arrays_that_are_no_list_are_refused(name: str) -> None:
    packed, arrays = pack(LIST)
    WRONG[name](packed, arrays)
    with pytest.raises(DAMAGED):
        as_json(unpack(packed, arrays))


def test_a_text_that_is_not_utf8_is_an_error() -> None:
    packed, arrays = pack(LIST)
    name = first(packed, "text")["text"]
    arrays[name] = np.where(arrays[name] > 127, np.uint8(255), arrays[name])
    with pytest.raises(ValueError, match="utf-8"):
        as_json(unpack(packed, arrays))


def test_lists_of_texts_come_back() -> None:
    data = {"rows": [["a", "b"], [], ["c"]] * 40}
    packed, arrays = pack(data)
    assert as_json(unpack(packed, arrays)) == data


def test_more_kinds_of_items_than_a_byte_counts_are_refused() -> None:
    with pytest.raises(ArgumentError, match="256 kinds"):
        pack({"rows": [{f"key{number}": 1} for number in range(257)]})
