"""Give what reads tables broken files for a while, and count what it says.

    python scripts/fuzz_tables.py --count 100000 --seed 1
    python scripts/fuzz_tables.py --tables 100000 --seed 1

With --count, CSV and Parquet files are broken, read and prepared as for training, and
given to a trained model, at once and in parts; some are packed. Each must be refused
with an error of thalweg's own that names the file, or be accepted. Then the cells of a
CSV are those that Python's csv module finds, numbers and dates mean what Python's float
and strptime say, and the predictions are the same to the bit in both ways. What
exported files read with gives the same cells, or the same error. Anything else is a
finding: it is told, its file is kept, and the exit status is 1.

With --tables, tables are written whose meaning is known (`written_tables`), as files of
any dialect. Each column must be read as it was meant, be the same after saving and in
an exported file, or, where that is due, be an error that names it and an option by
which it is read as it was meant.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import lzma
import random
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import fuzzing
import polars as pl
import written_tables
from fuzzing import BrokenPromiseError, Meter
from model_samples import table_text
from table_mutations import broken_bytes, broken_csv

import thalweg as tw
from thalweg.errors import ThalwegError
from thalweg.exports.runtime import read_csv
from thalweg.tables import batches
from thalweg.tables.cell_report import Report
from thalweg.tables.forms import DateForm, Form, NumberForm
from thalweg.tables.forms.moments import ISO
from thalweg.tables.packed import zstd_module
from thalweg.tables.read import read
from thalweg.tables.records import utf8
from thalweg.tables.source import file_of
from thalweg.tables.table import Table
from thalweg.tabular.model import TableModel
from thalweg.tabular.prepare import prepare
from thalweg.tabular.prepared import Prepared

ROWS = 40
CSV_SHARE = 0.98  # a broken Parquet file starts a process each time that it is read
TARGETS = ("species", "price", "member", "code")
BLOCKS = (300, 1000, 2**23)  # bytes that are read at a time
MICROSECOND = datetime.timedelta(microseconds=1)
PLACE = re.compile(r", (line|row) (\d+)")
# Unicode's, which lacks four separators that Python strips too.
SPACE = "".join(filter(str.isspace, map(chr, [*range(28), *range(32, 2**16)])))


# What was read ------------------------------------------------------------------------


def attempt(path: Path, call: Callable[[], Any]) -> Any:
    """What is given, or an error that names the file as text."""
    try:
        return call()
    except ThalwegError as error:
        said = f"{type(error).__name__}: {error}"
        if path.name not in said:
            raise BrokenPromiseError(f"the file isn't named: {said}") from error
        place, content = PLACE.search(said), content_of(path)
        # In UTF-16 a line's end may be part of another character.
        lines = len(content) if b"\0" in content else len(re.split(b"[\r\n]", content))
        if place and not 1 <= int(place[2]) <= lines:
            raise BrokenPromiseError(f"there is no such line: {said}") from error
        return said


def content_of(path: Path) -> bytes:
    """What is in a file, unpacked if it can be."""
    try:
        return file_of(path).content()
    except ThalwegError:
        return path.read_bytes()


def require_exported_files_read_alike(path: Path, table: Table | str) -> None:
    """What an exported file reads with gives the same cells, or the same error."""
    try:
        found = read_csv(str(path))
    except ThalwegError as error:
        said = f"{type(error).__name__}: {error}".replace(str(path), path.name)
        # In what place a damaged archive is wrong, depends on how it is read.
        if not isinstance(table, str) or cause(said) != cause(table):
            raise BrokenPromiseError(f"exported: {said}\nread: {table}") from error
        return
    if isinstance(table, str):
        # Not what is read, but what is made of it.
        raise BrokenPromiseError(f"an exported file reads it, but read says: {table}")
    cells = {name: [*map(known, column)] for name, column in found.items()}
    if cells != table.frame.to_dict(as_series=False):
        raise BrokenPromiseError("an exported file reads other cells")


def cause(said: str) -> str:
    """An error without the words of other libraries."""
    return said.partition(", but isn't (")[0]


def require_cells_as_written(path: Path, table: Table) -> None:
    """The cells of a CSV are those of Python's csv module, by one of the separators."""
    text = utf8(content_of(path), path.name).decode()
    found = [[*map(str, table.columns)], *map(list, table.frame.iter_rows())]
    for separator in ",\t;|":
        with suppress(csv.Error):
            if found == cells_of(text, separator):
                return
    raise BrokenPromiseError("the cells aren't those that the csv module finds")


def cells_of(text: str, separator: str) -> list[list[str | None]]:
    """Names and cells, stripped, None where nothing is known."""
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        strict=True,
        skipinitialspace=True,
    )
    rows = [row for row in lines if len(row) > 1 or any(map(str.strip, row))]
    names: list[str | None] = [name.strip() for name in rows[0]]
    return [names, *([known(cell) for cell in row] for row in rows[1:])]


def known(cell: str) -> str | None:
    """A cell without the space around it, or None."""
    return cell.strip(SPACE) or None


def require_meanings(table: Table, prepared: Prepared) -> None:
    """Every plain number and every ISO date is what Python takes it for."""
    for column in prepared.schema.features:
        cells, reader = table.column(column.name), reader_of(column.form)
        if reader is None or cells.dtype != pl.String:
            continue
        meant = column.form.understood(cells).to_physical()
        for cell, value in zip(cells, meant, strict=True):
            if value is not None and reader(cell) not in (value, None):
                raise BrokenPromiseError(f"{cell!r} was taken for {value!r}")


def reader_of(form: Form) -> Callable[[str], Any] | None:
    """What reads the cells of a form in Python; None for those of `written_columns`."""
    if isinstance(form, NumberForm) and form.plain and not form.words:
        return lambda cell: float(
            re.sub("[\u2010\u2011\u2212\u2013\ufe63\uff0d] *", "-", cell)
        )
    plain = isinstance(form, DateForm) and form.order == ISO
    return microseconds if plain else None


def microseconds(cell: str) -> int | None:
    """A date as Python reads it, since 1970 in UTC; None for what it doesn't know."""
    try:
        return (moment(cell) - datetime.datetime(1970, 1, 1)) // MICROSECOND
    except ValueError:
        return None


def moment(cell: str) -> datetime.datetime:
    """A date as Python reads it, in UTC."""
    found = datetime.datetime.fromisoformat(cell.replace("Z", "+00:00"))
    aware = found.tzinfo is not None
    return found.astimezone(datetime.UTC).replace(tzinfo=None) if aware else found


# What was predicted -------------------------------------------------------------------


def predict_both_ways(model: TableModel, path: Path) -> str:
    """At once and in parts: the same predictions and report, or the same error."""
    whole = attempt(path, lambda: model.predict_with_report(path))
    parts = attempt(path, lambda: predicted_in_parts(model, path))
    if isinstance(whole, str) and isinstance(parts, str):
        # Of two mistakes the one that stands first, or the one that is seen first.
        return "refused" if whole == parts else "refused, each way for another reason"
    if isinstance(whole, str) or isinstance(parts, str):
        raise BrokenPromiseError(f"at once: {whole}\nin parts: {parts}")
    if not whole[0].equals(parts[0], null_equal=True):
        raise BrokenPromiseError("other predictions in parts than at once")
    if whole[1] != parts[1]:
        raise BrokenPromiseError(f"at once: {whole[1]}\nin parts: {parts[1]}")
    return "predicted"


def predicted_in_parts(model: TableModel, path: Path) -> tuple[pl.DataFrame, Report]:
    """The predictions and the reports, joined."""
    reports: list[Report] = []
    frames = list(model.predict_batches(path, tell=reports.append))
    report = reports[0]
    for later in reports[1:]:
        report = report.joined(later)
    return pl.concat(frames), report


# Cases --------------------------------------------------------------------------------

MODELS: list[TableModel] = []
TEXTS: list[str] = []
PARQUET: list[bytes] = []


def zipped(content: bytes) -> bytes:
    """An archive of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("table.csv"), content)
    return out.getvalue()


PACKERS: tuple[Callable[[bytes], bytes], ...] = (
    partial(gzip.compress, mtime=0),
    lzma.compress,
    zstd_module("").compress,
    zipped,
)


def judge(choose: random.Random, case: Path, meter: Meter) -> str:
    """Break a file, read it, prepare it, predict from it."""
    if choose.random() < CSV_SHARE:
        path = case / "broken.csv"
        content = broken_csv(choose.choice(TEXTS), choose)
        if choose.random() < 0.15:
            content = choose.choice(PACKERS)(content)
            content = (
                broken_bytes(content, choose) if choose.random() < 0.5 else content
            )
        path.write_bytes(content)
    else:
        path = case / "broken.parquet"
        path.write_bytes(broken_bytes(choose.choice(PARQUET), choose))
    return use(path, choose)


def use(path: Path, choose: random.Random) -> str:
    """Read a file, prepare it, predict from it."""
    batches.BLOCK = choose.choice(BLOCKS)
    batches.SNIFFED_BYTES = min(batches.BLOCK, 2**16)
    target = choose.choice(TARGETS)
    kind = path.suffix.removeprefix(".")
    table = attempt(path, lambda: read(path))
    prepared = ""
    if kind == "csv":
        require_exported_files_read_alike(path, table)
    if isinstance(table, Table):
        if kind == "csv":
            require_cells_as_written(path, table)
        prepared = attempt(path, lambda: prepare(table, target))
        if isinstance(prepared, Prepared):
            require_meanings(table, prepared)
    said = predict_both_ways(choose.choice(MODELS), path)
    learned = "prepared" if isinstance(prepared, Prepared) else "not prepared"
    return f"{kind}, {'read, ' + learned if prepared else 'not read'}, {said}"


def prepare_samples(folder: Path) -> None:
    """Write tables, the same as Parquet files, and models that were trained on them."""
    samples = folder / "samples"
    samples.mkdir()
    table = samples / "table.csv"
    table.write_text(table_text(), encoding="utf-8")
    how: dict[str, Any] = {"layers": (3,), "epochs": 2}
    tw.train(table, "species", **how).model.save(samples / "classes.thalweg")
    tw.train(table, "price", **how).model.save(samples / "number.thalweg")
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    few = "".join(lines[: ROWS + 1])
    (samples / "few.csv").write_text(few, encoding="utf-8")
    odd = few + 'x,"1,5",,"say ""hi""",maybe,2020-13-01,25:00,,"two\nlines"\n'
    (samples / "odd.csv").write_text(odd, encoding="utf-8")
    write_parquet(samples)


def write_parquet(samples: Path) -> None:
    """Tables with cells of many types."""
    texts = pl.read_csv(samples / "few.csv", infer_schema=False)
    typed = pl.read_csv(samples / "few.csv", try_parse_dates=True)
    many = typed.with_columns(
        pl.col("amount").cast(pl.Decimal(12, 3), strict=False),
        pl.col("color").cast(pl.Categorical),
        pl.col("member") == "yes",
        pl.col("size").cast(pl.Float32),
        pl.col("day").cast(pl.Datetime("ms", "Europe/Paris"), strict=False),
        odd=pl.concat_list("size", "size"),
        nested=pl.struct("size", "color"),
        spent=pl.duration(minutes=pl.col("size")),
        nothing=None,
    )
    for name, frame in (("texts", texts), ("typed", typed), ("many", many)):
        frame.write_parquet(samples / f"{name}.parquet", statistics=True)
        plain = samples / f"{name}-plain.parquet"
        frame.write_parquet(plain, compression="uncompressed", row_group_size=17)


def warm_up(folder: Path) -> None:
    """Every sample as it is must be predicted from."""
    samples = folder / "samples"
    for path in sorted(samples.glob("*.thalweg")):
        model = tw.load(path)
        assert isinstance(model, TableModel)
        MODELS.append(model)
    tables = (samples / "few.csv", samples / "odd.csv")
    TEXTS.extend(path.read_text(encoding="utf-8") for path in tables)
    paths = sorted(samples.glob("*.parquet"))
    PARQUET.extend(path.read_bytes() for path in paths)
    for path in (*paths, *tables):
        said = use(path, random.Random(0))
        if not said.endswith("predicted"):
            raise BrokenPromiseError(f"of {path.name}, which is whole, it says: {said}")


def main() -> None:
    """Read the command line, and judge."""
    fuzzing.main(
        (__doc__ or "").partition("\n")[0],
        *(prepare_samples, warm_up, judge),
        tables=written_tables.judge,
    )


if __name__ == "__main__":
    main()
