"""What is written in one way is read as it was meant, or refused; never otherwise."""

import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.writing import Style, styles
from thalweg.errors import DataError
from thalweg.tables.declared import Declared, OfColumn
from thalweg.tables.infer import infer, infer_column
from thalweg.tables.recognize.moments import ORDERS
from thalweg.tables.schema import Column
from thalweg.tables.table import Table

MARKERS = ("-", ".", "?", "\\N", "n/a", "#DIV/0!", "unknown", "N/A", "NaN", "--", "*")


def column(
    cells: list[Any] | pl.Series, said: OfColumn | None = None, **how: Any
) -> Column:
    """What a column is inferred to be."""
    frame = pl.DataFrame({"x": pl.Series(cells)})
    return infer_column(Table.of("t", frame, **how), "x", said or OfColumn())


def meant(cells: list[str], said: OfColumn | None = None) -> tuple[Column, list[Any]]:
    found = column(cells, said)
    return found, found.form.understood(pl.Series(cells)).to_list()


def refused(cells: list[Any], message: str, said: OfColumn | None = None) -> str:
    with pytest.raises(DataError, match=message) as caught:
        column(cells, said)
    return str(caught.value)


def require_undecided(error: DataError) -> None:
    """Only where no cell decides is what is written in one way refused."""
    assert "no cell of the column decides" in str(error)


# Numbers ------------------------------------------------------------------------------

decimals = st.decimals(-(10**7), 10**7, places=2) | st.integers(-(10**7), 10**7).map(
    Decimal
)


@settings(max_examples=300)
@given(styles, st.lists(decimals, min_size=3, max_size=9), st.sampled_from(MARKERS))
def test_numbers_of_one_way_of_writing_are_read_or_refused(
    style: Style, numbers: list[Decimal], marker: str
) -> None:
    cells = [*(style.write(number) for number in numbers), marker]
    lone = all(cell.count(".") < 2 and "," not in cell for cell in cells)
    if style.thousands == "." and lone:
        return  # such a point is decimal
    try:
        found, values = meant(cells)
    except DataError as error:
        require_undecided(error)
        return
    assert found.kind == "number"
    assert values == [*(float(number) for number in numbers), None]


@given(styles, st.lists(decimals, min_size=3, max_size=9))
def test_what_no_cell_decides_is_decided_by_what_is_declared(
    style: Style, numbers: list[Decimal]
) -> None:
    cells = [style.write(number) for number in numbers]
    thousands = {"": "none", ",": ",", ".": ".", "'": "'", "’": "'"}
    said = OfColumn(
        decimal=style.decimal, thousands=thousands.get(style.thousands, "space")
    )
    found, values = meant(cells, said)
    assert found.kind == "number"
    assert values == [float(number) for number in numbers]


@pytest.mark.parametrize(
    ("cells", "numbers", "said"),
    [
        (
            ["$24,679.79", "$5.00", "$-3.10"],
            [24679.79, 5, -3.1],
            "'$' taken off 3 cells",
        ),
        (["37%", "4 %", "0"], [37, 4, 0], "'%' taken off 3 cells"),
        (
            ["86.4 kg", "88kg", "-"],
            [86.4, 88, None],
            "'kg' taken off 2 cells, 1 missing",
        ),
        (["24 680", "1 234 567", "3"], [24680, 1234567, 3], "separated by space"),
        (["1'234", "1’234", "12.5"], [1234, 1234, 12.5], 'separated by "\'"'),
        (["1.234,5", "7,25", "3"], [1234.5, 7.25, 3], "decimal comma, thousands"),
        (["1,23,456.0", "1,234.0", "5"], [123456, 1234, 5], "separated by ','"),
        (["(1,234.5)", "7.0", "0.5-"], [-1234.5, 7, -0.5], "below 0"),
        (["−30.9", "−8.9", "7"], [-30.9, -8.9, 7], "3 of 3 cells are numbers"),
        (["1e3", "2.5E-1", "7"], [1000, 0.25, 7], "3 of 3 cells are numbers"),
        (["1.234.567", "1.234", "12"], [1234567, 1234, 12], "separated by '.'"),
        (["1 hour", "2 hours", "3 hours"], [1, 2, 3], "'hours' taken off 3 cells"),
        (["$15/h", "$9.5/h", "$20/h"], [15, 9.5, 20], "'$' and '/h' taken off 3"),
        (["28:16:00", "6:10:00", "22:04:00"], [101760, 22200, 79440], "as seconds"),
    ],
)
def test_numbers_as_people_write_them(
    cells: list[str], numbers: list[float | None], said: str
) -> None:
    found, values = meant(cells)
    assert found.kind == "number"
    assert values == numbers
    assert said in found.reason


@pytest.mark.parametrize(
    ("cells", "both"),
    [
        (["1,234", "5,678"], ("1.234", "1234")),
        (["$368,387", "$527,039"], ("368.387", "368387")),
        (["1,234", "12", "7"], ("--decimal ,", "--thousands ,")),
        (["1,234", "1.234"], ("may be", "and no cell")),
    ],
)
def test_a_separator_that_nothing_decides_is_an_error_that_shows_both_readings(
    cells: list[str], both: tuple[str, str]
) -> None:
    said = refused(cells, r"t, row 1, column 'x'")
    assert all(part in said for part in both)


def test_a_lone_point_is_decimal() -> None:
    assert meant(["1.234", "5.678"])[1] == [1.234, 5.678]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["5 kg", "6 kg", "11 lb"], r"row 3.*number in kg like 2 other.*'11 lb'"),
        (["5 kg", "6 kg", "7"], r"row 3.*number in kg.*'7'"),
        (["5 kg", "11 lb", "3 kg", "7 lb"], r"in one unit, but are in 'kg', 'lb'"),
        (["$5", "€6", "$7", "€8"], r"in one unit, but are in"),
        (["1.5k", "2M", "3k", "4M"], r"in one unit, but are in"),
        (["5%", "0.05", "6%", "0.06"], r"in one unit, but are in '%' and none"),
        (["5 EUR", "6 USD", "7 EUR", "8 USD"], r"in one unit, but are in 'eur', 'usd'"),
        (["5 €", "6 $", "7 €", "8 $"], r"in one unit, but are in"),
        (["5 zł", "6 Kč", "7 zł", "8 Kč"], r"in one unit, but are in"),
    ],
)
def test_mixed_units_are_an_error(cells: list[str], message: str) -> None:
    refused(cells, message)


@pytest.mark.parametrize(
    "cells",
    [
        ["12A", "14B", "3C", "12A", "14D"],
        ["1st", "2nd", "3rd", "1st", "2nd"],
        ["P000", "P001", "P000", "P001"],
        ["Q1", "Q2", "Q1", "Q2"],
        ["<=50K", ">50K", "<=50K"],
        ["10-20", "20-30", "10-20"],
        ["1/2/2021", "3/4/5", "rev. 2021-01-01", "3/4/6"],
        ["1.2.3", "1.2.4", "1.2.3"],
        ["192.168.0.1", "10.0.0.1", "10.0.0.1"],
        ["5'11\"", "6'2\"", "6'2\""],
        ["1:3", "2:1", "1:3"],
        ["12/15", "3/4", "12/15"],
        ["12/a", "13/a", "12/a"],
        ["S", "M", "38", "40"],
    ],
    ids=str,
)
def test_labels_stay_texts(cells: list[str]) -> None:
    found, values = meant(cells)
    assert found.kind == "category"
    assert values == cells


@pytest.mark.parametrize("marker", [*MARKERS, "None", "null", "UNKNOWN", "(blank)"])
def test_markers_among_numbers_are_missing_and_counted(marker: str) -> None:
    found, values = meant(["1.5", "2.5", marker, "3.5", marker, "4.5"])
    assert values == [1.5, 2.5, None, 3.5, None, 4.5]
    assert ", 2 missing" in found.reason


def test_other_cells_among_numbers_are_an_error_that_says_how_to_decide() -> None:
    cells = ["1.5", "refused", "2.5", "3.5", "no answer", "refused", "4.5"]
    said = refused(cells, r"row 2, column 'x': must be a number like 4 other cells")
    assert "'refused' (3 cells aren't, also 'no answer')" in said
    for way in ("--missing x=refused", "--category x", "--ignore x"):
        assert way in said
    said = OfColumn(missing=("refused", "no answer"))
    assert meant(cells, said)[1] == [1.5, None, 2.5, 3.5, None, None, 4.5]


def test_a_frame_s_error_says_it_in_python() -> None:
    with pytest.raises(DataError, match=r"missing=\{'x': 'refused'\} takes it"):
        column(["1.5", "2.5", "refused"], typed=True)


@pytest.mark.parametrize("cell", ["inf", "1e999", "-Infinity"])
def test_an_infinite_number_is_an_error_that_says_how_to_decide(cell: str) -> None:
    cells = ["1.5", "2.5", cell]
    said = refused(cells, r"row 3, column 'x': a number must be finite, but is")
    assert f"--missing x={cell} takes it as missing" in said
    assert meant(cells, OfColumn(missing=(cell,)))[1] == [1.5, 2.5, None]


LIMITS = ["<0.5", "1.5", "2.5", ">100", "3.5"]


@pytest.mark.parametrize("unit", ["", " kg"])
@pytest.mark.parametrize("count", [1, 6, 30])
def test_limits_are_an_error_however_many_there_are(unit: str, count: int) -> None:
    cells = [f"{n}.5{unit}" for n in range(5)]
    cells += [f"{'<>'[n % 2]} {n}.25{unit}" for n in range(count)]
    refused(cells, "'[<>] [0-9.]+( kg)?' is a limit, as .*--limits bound.*--limits mis")
    found, values = meant(cells, OfColumn(limits="bound"))
    assert found.kind == "number"
    assert values == [n + 0.5 for n in range(5)] + [n + 0.25 for n in range(count)]


@pytest.mark.parametrize("classes", [["<=50K", ">50K"], ["<10", "10", ">10"]])
def test_limits_with_hardly_a_number_among_them_are_classes(classes: list[str]) -> None:
    assert column(classes * 20).kind == "category"


def test_limits_are_an_error_until_it_is_said_what_they_are() -> None:
    refused(
        LIMITS, r"row 1.*'<0.5' is a limit, as 2 cells.*--limits bound.*--limits mis"
    )
    found, values = meant(LIMITS, OfColumn(limits="bound"))
    assert values == [0.5, 1.5, 2.5, 100, 3.5]
    assert "2 limits taken as the number itself" in found.reason
    found, values = meant(LIMITS, OfColumn(limits="missing"))
    assert values == [None, 1.5, 2.5, None, 3.5]
    assert found.form.absent(pl.Series(LIMITS)).to_list() == [True, 0, 0, True, 0]


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        (["7", "07", "007"], True),
        (["02139", "94110"], True),
        (["00", "15", "30"], True),
        (["0.5", "00.5", "7"], False),
        (["0", "5", "10"], False),
    ],
)
def test_zeros_in_front_make_codes(cells: list[str], codes: bool) -> None:
    found, values = meant(cells)
    assert (found.kind == "category") == codes
    if codes:
        assert values == cells
    number = column(cells, OfColumn(kind="number"))
    assert number.kind == "number"


DIGITS = pytest.mark.parametrize("digits", [["07", "012"], [str(2**60), str(2**63)]])


@DIGITS
@pytest.mark.parametrize("marker", ["-", ".", "unknown", "#DIV/0!", "n/a"])
def test_rare_markers_among_codes_are_missing(digits: list[str], marker: str) -> None:
    cells = [*digits * 20, marker]
    found, values = meant(cells)
    assert (found.kind, values) == ("category", [*digits * 20, None])
    assert found.form.absent(pl.Series(cells)).to_list() == [False] * 40 + [True]
    assert ", 1 missing" in found.reason


@DIGITS
@pytest.mark.parametrize("marker", ["-", "unknown"])
def test_frequent_markers_among_codes_may_be_codes_too(
    digits: list[str], marker: str
) -> None:
    cells = [*digits, marker] * 20
    said = refused(cells, r"row 3, column 'x'.*20 cells of 60")
    assert f"--missing {marker}" in said
    assert "--category x" in said
    assert meant(cells, OfColumn(kind="category"))[1] == cells
    none = meant(cells, OfColumn(missing=(marker,)))[1]
    assert none == [*digits, None] * 20


# Whole numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64, pl.UInt64, pl.Decimal(30, 0)])
def test_whole_numbers_beyond_2_to_53_are_never_rounded(dtype: Any) -> None:
    cells = [2**53 + number for number in (1, 3, 2)] * 20
    given = pl.Series([str(cell) for cell in cells])
    given = given if dtype == pl.String else given.cast(dtype)
    found = column(given.to_list() if dtype == pl.String else given, typed=True)
    assert found.kind == "category"
    assert "beyond 2⁵³" in found.reason
    assert found.form.understood(given).to_list() == [str(cell) for cell in cells]


def test_whole_numbers_beyond_2_to_53_that_differ_are_an_identifier() -> None:
    frame = pl.DataFrame({"x": [2**60 + n for n in range(50)], "y": ["a", "b"] * 25})
    found = infer(Table.of("t", frame), "y").columns[0]
    assert (found.kind, found.reason[:10]) == ("ignored", "identifier")


# Dates --------------------------------------------------------------------------------

days = st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 12, 31))
CLOCKS = ("", " %H:%M", " %H:%M:%S", "T%H:%M", " %I:%M %p", ", %I:%M:%S %p")


@pytest.mark.parametrize("order", [o for o in ORDERS if "%H" not in o])
@settings(max_examples=15)
@given(st.lists(days, min_size=2, max_size=8), st.sampled_from(CLOCKS))
def test_dates_of_one_form_are_read_or_refused(
    order: str, moments: list[datetime.datetime], clock: str
) -> None:
    cells = [moment.strftime(order + clock) for moment in moments]
    try:
        found, values = meant(cells)
    except DataError as error:
        require_undecided(error)
        return
    if "%y" in order and found.kind != "date":
        return  # two digits of a year are few to go by
    assert found.kind == "date", found.reason
    day = [datetime.datetime.strptime(cell, order + clock) for cell in cells]
    assert values == day


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["05/06/2021", "25/06/2021"], "day first: 1 cell has a day over 12"),
        (["05/26/2021", "06/30/2021"], "month first: 2 cells have a day over 12"),
        (["2021/05/06", "2021/06/05"], "year first"),
        (["01/01/2021", "01/01/2022"], "day first, though month first reads the same"),
        (["31.12.2020", "01.01.2021"], "day first: 1 cell"),
        (["5 June 2021", "7 May 2021"], "written %d %b %Y"),
        (
            ["Mon, 25 Oct 2021 10:00:00 +0200", "Tue, 26 Oct 2021 10:00:00 GMT"],
            "%a, %d",
        ),
        (["25-10-21", "26-11-32"], "day first: 2 cells have a day over 12"),
    ],
)
def test_what_decides_is_said(cells: list[str], said: str) -> None:
    found = column(cells)
    assert (found.kind, said in found.reason) == ("date", True), found.reason


@pytest.mark.parametrize(
    ("cells", "ways"),
    [
        (["05/06/2021", "06/05/2021"], ("x=%d/%m/%Y", "x=%m/%d/%Y")),
        (["05-06-21", "18-05-16"], ("x=%d-%m-%y", "x=%y-%m-%d")),
    ],
)
def test_an_order_that_nothing_decides_is_an_error_that_shows_both(
    cells: list[str], ways: tuple[str, str]
) -> None:
    said = refused(cells, r"row 1, column 'x'.*may be")
    assert all(f"--date {way}" in said for way in ways)
    for way in ways:
        order = way.partition("=")[2]
        found, values = meant(cells, OfColumn(kind="date", order=order))
        assert found.kind == "date"
        assert values[0] == datetime.datetime.strptime(cells[0], order)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["13/01/2021", "14/01/2021", "01/15/2021"],
            r"row 3.*must be a date like 2 oth",
        ),
        (
            ["2020-01-01", "2020-01-02", "soon"],
            r"row 3.*must be a date.*--missing x=soon",
        ),
        (["2020-01-01", "2020-01-02", "2020-02-30"], r"row 3.*must be a date"),
        (["10:30", "11:30", "late"], r"row 3.*must be a time"),
        (
            ["2021-01-30", "31/01/2021", "2021-02-20", "28/02/2021"],
            r"row 1.*dates must be in one form, but.*'%Y-%m-%d', '%d/%m/%Y'.*--categ",
        ),
        (
            ["30/01/2021", "01/31/2021", "20/02/2021", "02/20/2021"],
            r"one form, but.*'%d/%m/%Y', '%m/%d/%Y'",
        ),
    ],
)
def test_other_cells_among_moments_are_an_error(cells: list[str], message: str) -> None:
    refused(cells, message)


def test_markers_among_dates_are_missing() -> None:
    found, values = meant(["2020-01-01", "-", "2020-01-03", "n/a"])
    assert found.kind == "date"
    assert [value is None for value in values] == [False, True, False, True]


# Words --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["None", "NA", "null", "?", "N/A", "nan"])
def test_a_frequent_word_that_means_missing_is_an_error_that_shows_both(
    word: str,
) -> None:
    cells = ["a", "b", word] * 20
    said = refused(cells, r"row 3, column 'x'.*20 cells of 60")
    assert f"--missing '{word}'" in said or f"--missing {word}" in said
    assert "--category x" in said
    every = column(cells, OfColumn(kind="category"))
    assert every.form.understood(pl.Series(cells)).to_list() == cells
    missing = column(cells, OfColumn(missing=(word,)))
    assert missing.form.understood(pl.Series(cells)).to_list() == ["a", "b", None] * 20


def test_a_rare_word_that_means_missing_is_missing_and_said() -> None:
    found, values = meant([*["a", "b"] * 30, "NA"])
    assert values[-1] is None
    assert "1 missing" in found.reason


def test_empty_cells_are_missing_however_many() -> None:
    assert column(["a", "b", "", "", "a", "b"]).reason.endswith("2 missing")


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan"])
def test_a_frame_tells_a_word_from_a_missing_cell(word: str) -> None:
    cells = pl.Series(["a", word, None] * 20)
    found = column(cells, typed=True)
    assert found.kind == "category"
    assert found.form.understood(cells).to_list() == cells.to_list()
    assert "20 missing" in found.reason


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["yes", "no", "1", "0"], ["true", "false", "true", "false"]),
        (["True", "0", "false"], ["true", "false", "false"]),
        (["Y", "n", "1"], ["true", "false", "true"]),
    ],
)
def test_yes_and_no_are_1_and_0_where_both_are(
    cells: list[str], words: list[str]
) -> None:
    found, values = meant(cells)
    assert (found.kind, values) == ("boolean", words)


@pytest.mark.parametrize(
    "cells",
    [
        pl.Series(["1", "0", None]),
        pl.Series([1, 0, None]),
        pl.Series([1.0, 0.0, None]),
        pl.Series([True, False, None]),
        pl.Series(["yes", "NO", ""]),
    ],
)
def test_a_boolean_of_training_is_read_however_it_is_written_later(
    cells: pl.Series,
) -> None:
    words = column(["yes", "no", "yes", "no"])
    assert words.form.understood(cells).to_list() == ["true", "false", None]
    digits = column(["1", "0", "1", "0"])
    assert digits.kind == "number"
    assert digits.form.understood(cells).to_list() == [1, 0, None]


def test_words_are_no_numbers_where_training_had_more_than_0_and_1() -> None:
    assert column(["2", "1", "0"]).form.understood(pl.Series(["yes"]))[0] is None


# A frame's types ----------------------------------------------------------------------


def test_texts_of_a_frame_that_repeat_are_categories_also_of_digits() -> None:
    cells = ["101", "102", "103"] * 10
    assert column(cells, typed=True).kind == "category"
    assert column(cells).kind == "number"


def test_texts_of_a_frame_that_only_a_reader_left_so_are_numbers() -> None:
    assert column(["12.5", "-", "13.1"], typed=True).kind == "number"
    assert column([str(number) for number in range(90)], typed=True).kind == "number"


# Declared -----------------------------------------------------------------------------


def test_what_is_declared_overrules_the_cells() -> None:
    frame = pl.DataFrame({"store": [17, 4, 17, 4], "code": ["007", "012"] * 2, "y": 1})
    table = Table.of("t", frame)
    said = Declared({"store": OfColumn("category"), "code": OfColumn("number")})
    found = {c.name: c for c in infer(table, "y", declared=said).columns}
    assert (found["store"].kind, found["code"].kind) == ("category", "number")
    assert "as declared" in found["store"].reason
    store = found["store"].form.understood(table.column("store"))
    assert store.to_list() == ["17", "4", "17", "4"]


def test_a_declared_column_is_not_set_aside() -> None:
    frame = pl.DataFrame({"x": [f"k{n}" for n in range(60)], "y": [1, 2] * 30})
    said = Declared({"x": OfColumn("category")})
    (found,) = infer(Table.of("t", frame), "y", declared=said).columns
    assert found.kind == "category"


@pytest.mark.parametrize(
    ("cells", "kind", "message"),
    [
        (["a", "b", "c"], "number", "must be numbers, as was declared, but most"),
        (["a", "b", "c"], "date", "must be dates, as was declared, but most"),
        (["1", "2", "b"], "number", r"row 3.*must be a number like 2"),
    ],
)
def test_cells_that_are_not_what_was_declared_are_an_error(
    cells: list[str], kind: str, message: str
) -> None:
    refused(cells, message, OfColumn(kind=kind))
