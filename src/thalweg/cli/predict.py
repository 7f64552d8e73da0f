"""``thalweg predict``: a prediction for every row of a table."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from thalweg.cli.failures import say, say_warning
from thalweg.cli.inputs import (
    Lenient,
    ModelFile,
    TableFile,
    Threads,
    execution_on,
    load_model,
)
from thalweg.cli.options import chosen_dialect, with_dialect
from thalweg.cli.outputs import require_other_file, require_suffix, require_writable
from thalweg.data.files import name_of
from thalweg.training.atomic import open_atomically

if TYPE_CHECKING:
    import polars as pl

    from thalweg.data.report import Report

CSV, PARQUET = ".csv", ".parquet"


@with_dialect
def predict(
    model: ModelFile,
    data: TableFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Write to a {CSV} or {PARQUET} [CSV on standard output]",
        ),
    ] = None,
    lenient: Lenient = False,
    threads: Threads = None,
    **given: Any,
) -> None:
    """Predict every row of a table, which needn't have the target.

    A row of the output belongs to the row of DATA at the same place. Standard error
    says what was new: unseen categories, missing cells, columns that aren't used.
    """
    execution = execution_on(threads)
    if output is not None:
        require_suffix("--output", output, (CSV, PARQUET))
        require_other_file("--output", output, data, model)
        require_writable(output)
    reports: list[Report] = []
    found = load_model(model)
    dialect = chosen_dialect(given, found.dialect)
    parts = found.predict_batches(data, execution, reports.append, dialect, lenient)
    replaced = ", replacing what was there" if output and output.exists() else ""
    if output is None:
        write_csv(parts, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        with open_atomically(output) as file:
            WRITERS[output.suffix.lower()](parts, file)
    report = reduce(lambda first, later: first.joined(later), reports)
    if output is not None:
        say(f"{report.rows:,} rows in {output}{replaced}")
    for line in report.lines():
        say_warning(f"{name_of(data)}: {line}")


def write_csv(parts: Iterable[pl.DataFrame], file: BinaryIO) -> None:
    """Write the parts of a frame, which a reader sees as they come."""
    for number, part in enumerate(parts):
        content = io.BytesIO()
        part.write_csv(content, include_header=number == 0)
        file.write(content.getbuffer())


def write_parquet(parts: Iterable[pl.DataFrame], file: BinaryIO) -> None:
    """Write the parts of a frame, each as groups of rows of their own."""
    from polars.io.plugins import register_io_source

    failures: list[BaseException] = []
    every = iter(parts)
    first = next(every)

    def source(*_: object) -> Iterator[pl.DataFrame]:
        try:
            yield from chain([first], every)
        except BaseException as error:
            failures.append(error)
            raise

    frame = register_io_source(source, schema=first.schema)
    try:
        frame.sink_parquet(file)
    except BaseException as error:
        # polars says that its source failed; why it did is known here.
        raise (failures[0] if failures else error) from None


WRITERS = {CSV: write_csv, PARQUET: write_parquet}
