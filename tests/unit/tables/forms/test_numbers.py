"""Numbers in every way of writing; what they mean is known before they are written."""

import math
import re
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.writing import Style, styles
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.exports import runtime
from thalweg.exports.python_columns import arguments_of
from thalweg.tables.forms import USUAL, DurationForm, NumberForm, form_from
from thalweg.tables.forms.numbers import unit_pattern

decimals = st.decimals(-(10**9), 10**9, places=2)


def form_of(style: Style) -> NumberForm:
    """The form that reads what a style writes."""
    separators = {"’": "'", " ": "space", "\u00a0": "space", "\u202f": "space"}
    thousands = separators.get(style.thousands, style.thousands)
    return NumberForm(
        decimal=style.decimal,
        thousands="space" if thousands == "\u2009" else thousands,
        prefix=style.before.strip(),
        suffix=style.behind.strip(),
        accounting=style.minus == "()",
    )


@given(styles, st.lists(decimals, min_size=1, max_size=5))
def test_what_is_written_is_read(style: Style, numbers: list[Decimal]) -> None:
    cells = pl.Series([style.write(number) for number in numbers])
    found = form_of(style).understood(cells)
    assert found.to_list() == [float(number) for number in numbers]


@given(styles, st.lists(decimals, min_size=1, max_size=5))
def test_labels_of_whole_numbers_have_all_their_digits(
    style: Style, numbers: list[Decimal]
) -> None:
    whole = [Decimal(int(number)) * 10**12 + 7 for number in numbers]
    cells = pl.Series([style.write(number) for number in whole])
    assert form_of(style).labels(cells).to_list() == [str(number) for number in whole]


texts = st.text(st.sampled_from("0123456789.,'+-−()eE $%kgKG<>≤ \u00a0"), max_size=9)


def in_python(form: NumberForm, text: str) -> float:
    """What an exported file reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "BOOLEANS", {"yes": "true", "no": "false"})
        return runtime.as_number(text, **arguments_of(form))


FORMS = [
    NumberForm(),
    NumberForm(accounting=True),
    NumberForm(words=True),
    NumberForm(decimal=",", thousands=".", suffix="kg"),
    NumberForm(thousands=",", prefix="$", accounting=True),
    NumberForm(thousands="space", suffix="%", bare=True),
    NumberForm(thousands="'", limits="bound"),
    NumberForm(limits="missing"),
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@given(texts)
@example("yes")
@example("<0.5")
@example("1e999")
@example("0,")
def test_an_exported_file_reads_the_same(form: NumberForm, text: str) -> None:
    text = text.strip()
    here = form.understood(pl.Series([text]))[0]
    there = in_python(form, text)
    # An infinity is no number that a network takes, here nor there.
    assert (here is None or math.isinf(here)) == (not math.isfinite(there))
    if here is not None and math.isfinite(here):
        assert here == there


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (NumberForm(), "--1"),
        (NumberForm(), "+-1"),
        (NumberForm(prefix="$"), "-$-1"),
        (NumberForm(suffix="%", bare=True), "- -1"),
        (NumberForm(accounting=True), "(-1)"),
        (NumberForm(accounting=True), "-1-"),
        (NumberForm(accounting=True), "(1"),
        (NumberForm(accounting=True), "1)"),
    ],
    ids=str,
)
def test_two_signs_and_half_of_a_pair_are_no_number(
    form: NumberForm, text: str
) -> None:
    assert form.understood(pl.Series([text]))[0] is None
    assert math.isnan(in_python(form, text))


@given(st.one_of(st.floats(allow_nan=False).map(repr), texts))
def test_plain_numbers_are_those_of_python(text: str) -> None:
    found = NumberForm().understood(pl.Series([text]))[0]
    usual = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
    if usual:
        assert found == float(text)


@pytest.mark.parametrize(
    "text",
    ["1,23,456", "12,34", "1,2345", ",123", "1,234,56", "0,123", "1,,234", "1,234,"],
)
def test_thousands_stand_in_groups_of_three(text: str) -> None:
    found = NumberForm(thousands=",").understood(pl.Series([text]))[0]
    lakhs = {"1,23,456": 123456.0}
    assert found == lakhs.get(text)


@pytest.mark.parametrize(
    ("unit", "same", "other"),
    [
        ("hours", ["hour", "Hours", "HOURS."], ["h", "our", "hourss"]),
        ("kg", ["kg"], ["KG", "g", "kgs"]),
        ("m²", ["m²"], ["m2", "M²"]),
        ("lbs", ["lb", "LBS"], ["l"]),
    ],
)
def test_units_are_the_same_in_any_letters_if_they_are_words(
    unit: str, same: list[str], other: list[str]
) -> None:
    assert all(re.fullmatch(unit_pattern(unit), text) for text in same)
    assert not any(re.fullmatch(unit_pattern(unit), text) for text in other)


def test_of_an_affix_only_nothing_may_lack_it() -> None:
    form = NumberForm(suffix="kg")
    assert form.understood(pl.Series(["5 kg", "5", "5 lb"])).to_list() == [
        5,
        None,
        None,
    ]
    bare = NumberForm(suffix="kg", bare=True)
    assert bare.understood(pl.Series(["5 kg", "5", "5 lb"])).to_list() == [5, 5, None]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("28:16:00", 101_760.0),
        ("0:00:01.5", 1.5),
        ("75:30", 75 * 3600 + 30 * 60.0),
        ("-1:00:00", -3600.0),
        ("2 days 01:00:00", 176_400.0),
        ("1 day, 0:00:01", 86_401.0),
        ("1:60:00", None),
        ("1:2", None),
        ("x", None),
    ],
)
def test_durations_are_seconds(cell: str, seconds: float | None) -> None:
    assert DurationForm().understood(pl.Series([cell]))[0] == seconds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "DURATION", DurationForm.pattern)
        there = runtime.as_duration(cell)
    assert there == seconds if seconds is not None else math.isnan(there)


@pytest.mark.parametrize(
    ("missing", "cells", "found"),
    [
        (("-9",), ["-9", "-9.0", "9", "x"], [None, -9.0, 9.0, None]),
        (("n/k",), ["n/k", "1", "N/K"], [None, 1.0, None]),
    ],
)
def test_declared_texts_are_missing(
    missing: tuple[str, ...], cells: list[str], found: list[float | None]
) -> None:
    form = NumberForm(missing)
    assert form.understood(pl.Series(cells)).to_list() == found
    assert form.absent(pl.Series(cells))[0]


@pytest.mark.parametrize("missing", [("n/k",), ("-9", "n/k"), ("0",)], ids=str)
def test_an_exported_file_takes_the_same_as_missing(missing: tuple[str, ...]) -> None:
    form = NumberForm(missing, suffix="kg", bare=True)
    cells = ["n/k", "5 kg", "-9", "-9.0", "0", "0.0 kg", "N/K"]
    there = runtime.without([*cells], missing)
    numbers = [runtime.as_number(cell, **arguments_of(form)) for cell in there]
    here = form.understood(pl.Series(cells)).to_list()
    assert [None if math.isnan(number) else number for number in numbers] == here
    numbers = [-9, 3, 0.0, None]
    absent = [cell is None for cell in runtime.without(numbers, missing)]
    assert absent == form.absent(pl.Series(numbers, strict=False)).to_list()


def test_declared_numbers_are_missing_in_columns_of_numbers_too() -> None:
    form = NumberForm(("-9", "n/k"))
    for dtype in (pl.Int64, pl.Float32, pl.Int8):
        cells = pl.Series([-9, 3, None], dtype=dtype)
        assert form.understood(cells).to_list() == [None, 3.0, None]
        assert form.absent(cells).to_list() == [True, False, True]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (pl.Series([2**60 + 1, 7]), ["1152921504606846977", "7"]),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), ["18446744073709551615"]),
        (pl.Series([2**100], dtype=pl.Int128), [str(2**100)]),
        (pl.Series([1.0, 2.5]), ["1", "2.5"]),
        (pl.Series([Decimal("1.50"), Decimal("2.00")]), ["1.5", "2"]),
        (pl.Series(["1.0", "1e3", "+7", "-0", "2.50"]), ["1", "1000", "7", "0", "2.5"]),
        (pl.Series([str(10**30 + 1)]), [str(10**30 + 1)]),
    ],
)
def test_labels_are_exact(cells: pl.Series, labels: list[str]) -> None:
    assert NumberForm().labels(cells).to_list() == labels


@pytest.mark.parametrize(
    ("cells", "exceeds"),
    [
        ([str(2**53)], False),
        ([str(2**53 + 1)], True),
        (["1" * 5000], True),
        (["0" * 5000 + "1"], False),
        ([str(-(2**53) - 1)], True),
        (["1", "9" * 40], True),
        (["1e300", "0.1234567890123456789"], False),
        ([2**53, 5], False),
        ([2**53 + 1, 5], True),
        ([1e300], False),
    ],
)
def test_whole_numbers_beyond_2_to_53_are_found(
    cells: list[Any], exceeds: bool
) -> None:
    assert NumberForm().exceeds(pl.Series(cells)) == exceeds


@pytest.mark.parametrize("form", [*FORMS, DurationForm(("x",))], ids=str)
def test_forms_survive_json(form: Any) -> None:
    assert form_from(form.to_dict(), "number") == form


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"form": "picture"},
        {"form": "date"},
        {"form": "number", "more": 1},
        {"form": "number", "decimal": ";"},
        {"form": "number", "decimal": ""},
        {"form": "number", "decimal": ",", "thousands": ","},
        {"form": "number", "thousands": "x"},
        {"form": "number", "limits": "maybe"},
        {"form": "number", "bare": 1},
        {"form": "number", "missing": "x"},
        {"form": "number", "missing": ["x", "x"]},
        {"form": "number", "prefix": None},
    ],
    ids=str,
)
def test_damaged_forms_are_refused(data: Any) -> None:
    with pytest.raises(ModelFileError):
        form_from(data, "number")


def test_a_form_that_can_not_be_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="thousands must be another separator"):
        NumberForm(decimal=",", thousands=",")


def test_the_usual_form_says_nothing_of_itself() -> None:
    assert USUAL["number"].to_dict() == {"form": "number"}
