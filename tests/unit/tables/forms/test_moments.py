"""Dates and times; the oracle is Python's own strftime and strptime."""

import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.exports import runtime
from thalweg.tables.forms import DateForm, TimeForm, form_from
from thalweg.tables.forms.moments import SAME, SHORT, SIGNS, parts_and_pattern
from thalweg.tables.recognize.moments import ORDERS

moments = st.datetimes(datetime.datetime(1000, 1, 1), datetime.datetime(9999, 12, 31))
of_two_digits = st.datetimes(
    datetime.datetime(1969, 1, 1), datetime.datetime(2068, 12, 31)
)
MORE = (
    "%Y%m%d",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y-%j",
    "%d.%m.%y %H:%M:%S",
)
ZONED = "%a, %d %b %Y %H:%M:%S %z"


def read(form: DateForm | TimeForm, text: str) -> Any:
    return form.understood(pl.Series([text]))[0]


def in_python(form: DateForm, text: str) -> datetime.datetime | None:
    """What an exported file reads."""
    return runtime.as_date(text, form.pattern, form.parts)


@pytest.mark.parametrize("order", [*ORDERS, *MORE])
@settings(max_examples=15)
@given(st.data())
def test_what_is_written_is_read(order: str, data: st.DataObject) -> None:
    moment = data.draw(of_two_digits if "%y" in order else moments)
    text = moment.strftime(order.replace("%Z", "UTC"))
    meant = datetime.datetime.strptime(text, order.replace("%Z", "UTC"))
    assert read(DateForm(order=order), text) == meant
    assert in_python(DateForm(order=order), text) == meant


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_zones_are_taken_to_utc(moment: datetime.datetime, minutes: int) -> None:
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    there = moment.replace(microsecond=0, tzinfo=zone)
    try:
        utc = there.astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError:
        return
    form = DateForm(order="%a, %d %b %Y")
    for text, chosen in (
        (there.strftime(ZONED), form),
        (there.isoformat(), DateForm()),
    ):
        assert read(chosen, text) == utc
        assert in_python(chosen, text) == utc


texts = st.text(st.sampled_from("0123456789-/:. TZ+APMapmJunDec"), max_size=20)


@pytest.mark.parametrize("order", ["%Y-%m-%d", "%d/%m/%y", "%d %b %Y", "%Y-%j"])
@given(texts | moments.map(str) | moments.map(lambda m: f"{m:%d/%m/%y %H:%M}"))
@example("2020-02-30")
@example("0000-01-01")
@example("2016-12-31 23:59:60")
@example("9999-12-31 23:59:60")
@example("0001-01-01 00:00+02:00")
@example("2020-01-01 13:00 PM")
@example("2020-366")
@example("2021-366")
@example("30 Feb 2020")
@example("1 Sept. 2020")
def test_an_exported_file_reads_the_same(order: str, text: str) -> None:
    form, text = DateForm(order=order), text.strip()
    assert read(form, text) == in_python(form, text)


@given(texts | st.times().map(str))
@example("12:00 AM")
@example("12:30pm")
@example("0:30 am")
@example("23:59:60")
@example("24:00")
def test_an_exported_file_reads_the_same_times(text: str) -> None:
    text = text.strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "TIME", TimeForm.pattern)
        assert read(TimeForm(), text) == runtime.as_time(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("7:05", datetime.time(7, 5)),
        ("23:59:59.25", datetime.time(23, 59, 59, 250_000)),
        ("12:00 AM", datetime.time(0)),
        ("12:00 p.m.", datetime.time(12)),
        ("1:30PM", datetime.time(13, 30)),
        ("2:1", None),
        ("1:3", None),
        ("24:00", None),
        ("13:00 PM", None),
        ("12", None),
    ],
)
def test_times_have_two_digits_of_minutes(
    text: str, time: datetime.time | None
) -> None:
    assert read(TimeForm(), text) == time


@pytest.mark.parametrize(
    "text", ["25-10-21", "021-10-05", "12021-01-01", "+2021-01-01"]
)
def test_years_have_four_digits(text: str) -> None:
    assert read(DateForm(), text) is None


@pytest.mark.parametrize(("text", "year"), [("01/02/68", 2068), ("01/02/69", 1969)])
def test_two_digits_of_a_year_are_those_that_strptime_takes(
    text: str, year: int
) -> None:
    assert read(DateForm(order="%d/%m/%y"), text).year == year


def test_whole_numbers_are_dates_by_their_digits_if_declared_so() -> None:
    cells = pl.Series([20200131, None, 20201301])
    found = DateForm(order="%Y%m%d").understood(cells).to_list()
    assert found == [datetime.datetime(2020, 1, 31), None, None]
    assert DateForm().understood(cells).to_list() == [None] * 3


@pytest.mark.parametrize(
    "order", ["%d/%m", "%Q", "%Y-%Y", "%Y%", "%Y-%m-%d %q", "", "day", "%m/%d/%D", "%c"]
)
def test_forms_that_can_not_be(order: str) -> None:
    with pytest.raises(ArgumentError, match="form"):
        parts_and_pattern(order)
    with pytest.raises(ModelFileError, match="damaged"):
        form_from({"form": "date", "order": order}, "date")


def test_every_sign_is_known_by_strptime() -> None:
    """But those of other strptimes, which stand for one of it."""
    own = {"e", "k", "l", "h", "T", "R", "D", "F"}
    for sign in {*SIGNS, *SAME, *SHORT} - own - {"%", "p", "z", "Z"}:
        text = datetime.datetime(2020, 12, 31, 11).strftime(f"%Y %{sign}")
        if sign != "Y":
            datetime.datetime.strptime(text, f"%Y %{sign}")


@pytest.mark.parametrize("form", [DateForm(), DateForm(("x",), "%d/%m/%Y")], ids=str)
def test_forms_survive_json(form: DateForm) -> None:
    assert form_from(form.to_dict(), "date") == form


def test_a_column_of_few_different_dates_is_read_as_one_of_many() -> None:
    few = [f"{day:02}/01/2020" for day in (1, 2, 31)] * 40 + [None, "x"]
    form = DateForm(order="%d/%m/%Y")
    found = form.understood(pl.Series(few)).to_list()
    assert found == [None if text is None else read(form, text) for text in few]
