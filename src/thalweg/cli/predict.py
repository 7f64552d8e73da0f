"""``thalweg predict``: a prediction for every row of a table."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial, reduce
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TypeAlias

import typer

from thalweg.cli.failures import say, say_warning
from thalweg.cli.inputs import (
    Lenient,
    ModelFile,
    Threads,
    ToPredict,
    execution_on,
    load_model,
)
from thalweg.cli.options import chosen_dialect, require_no_dialect, with_dialect
from thalweg.cli.outputs import require_other_file, require_suffix, require_writable
from thalweg.cli.show import tell
from thalweg.errors import ArgumentError
from thalweg.files.atomic import open_atomically
from thalweg.tables.source import name_of
from thalweg.tables.system import of_the_system
from thalweg.words import counted

if TYPE_CHECKING:
    import polars as pl

    from thalweg.forecasting.model import ForecastModel
    from thalweg.language.model import LanguageModel
    from thalweg.tables.cell_report import Report
    from thalweg.tables.dialect import Dialect
    from thalweg.tabular.model import TableModel
    from thalweg.training.execution import Execution
    from thalweg.vision.model import ImageModel

    Write: TypeAlias = Callable[[Iterator[pl.DataFrame]], None]

CSV, PARQUET = ".csv", ".parquet"
FORMULA = r"^[=+\-@\t\r\n]"
SIGNED_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@with_dialect
def predict(
    model: ModelFile,
    data: ToPredict,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Write to a {CSV} or {PARQUET} [CSV on standard output]",
        ),
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="Put ' before labels that a spreadsheet would compute, such as =1+1.",
        ),
    ] = False,
    lenient: Lenient = False,
    threads: Threads = None,
    **given: Any,
) -> None:
    """Predict every row of a table, which needn't have the target, or every image.

    A row of the output belongs to the row of DATA at the same place; one of an image
    says its file. Of a text there is a row for each character but the first: how
    probable it was, given those before it. Of a series what comes after its last row is
    forecast. Standard error says what was new: unseen categories, missing cells,
    columns that aren't used, files that are left out.
    """
    from thalweg.forecasting.model import ForecastModel
    from thalweg.language.model import LanguageModel
    from thalweg.sequences.model import SequenceModel
    from thalweg.tabular.model import TableModel

    execution = execution_on(threads)
    if output is not None:
        require_suffix("--output", output, (CSV, PARQUET))
        require_csv("--escape-formulas", escape_formulas, output)
        require_other_file("--output", output, data, model)
        require_writable(output)
    found = load_model(model)
    replaced = ", replacing what was there" if output and output.exists() else ""
    write = partial(write_parts, output=output, escaped=escape_formulas)
    if isinstance(found, TableModel):
        dialect = chosen_dialect(given, found.dialect)
        count, lines = of_table(found, data, write, execution, dialect, lenient)
    elif isinstance(found, LanguageModel):
        require_no_dialect(given, lenient, "a text")
        count, lines = of_text(found, data, write, execution)
    elif isinstance(found, SequenceModel):
        dialect = chosen_dialect(given, found.dialect)
        frame, lines = found.predict_with_report(data, execution, dialect, lenient)
        write(iter([frame]))
        count = counted(frame.height, "sequence")
    elif isinstance(found, ForecastModel):
        dialect = chosen_dialect(given, found.dialect)
        count, lines = of_series(found, data, write, execution, dialect, lenient)
    else:
        require_no_dialect(given, lenient)
        count, lines = of_images(found, data, write, execution)
    if output is not None:
        say(f"{count} in {output}{replaced}")
    for line in lines:
        say_warning(f"{name_of(data)}: {line}")


def of_table(
    model: TableModel,
    data: Path,
    write: Write,
    execution: Execution,
    dialect: Dialect,
    lenient: bool,
) -> tuple[str, list[str]]:
    """Write what is predicted; how many rows there were, and what was new in them."""
    reports: list[Report] = []
    write(model.predict_batches(data, execution, reports.append, dialect, lenient))
    report = reduce(lambda first, later: first.joined(later), reports)
    return f"{report.rows:,} rows", report.lines()


def of_series(
    model: ForecastModel,
    data: Path,
    write: Write,
    execution: Execution,
    dialect: Dialect,
    lenient: bool,
) -> tuple[str, list[str]]:
    """Write what comes next; how many times ahead, and what was new in the table."""
    from thalweg.series.writing import written

    frame, lines = model.predict_with_report(data, execution, dialect, lenient)
    name = model.time.name
    times = written(frame.get_column(name), model.time.form)
    write(iter([frame.with_columns(times.alias(name))]))
    return counted(frame.height, "time"), lines


def of_images(
    model: ImageModel, data: Path, write: Write, execution: Execution
) -> tuple[str, list[str]]:
    """Write what is predicted; how many images there were, and what was seen."""
    from thalweg.vision.source import new_images, said_of

    images = new_images(data, model.form)
    write(iter([model.answers(images, execution)]))
    return counted(len(images), "image"), said_of(images)


def of_text(
    model: LanguageModel, data: Path, write: Write, execution: Execution
) -> tuple[str, list[str]]:
    """Write what is predicted; how many characters there were, and what was seen."""
    text = model.text(data)
    frame = model.answers(text, execution)
    write(iter([frame]))
    return f"{len(frame):,} {model.vocabulary.unit}", [*text.notes]


def write_parts(
    parts: Iterator[pl.DataFrame], output: Path | None, escaped: bool
) -> None:
    """Write predictions to a file, or as CSV to standard output."""
    if escaped:
        parts = map(without_formulas, parts)
    if output is None and sys.stdout.isatty():
        for text in csv_texts(parts):
            tell(text.decode().removesuffix("\n"))
    elif output is None:
        write_csv(parts, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        with open_atomically(output) as file:
            WRITERS[output.suffix.lower()](parts, file)


def require_csv(option: str, given: bool, output: Path) -> None:
    """An option that is about text isn't given for another kind of file.

    Raises:
        ArgumentError: it is.
    """
    if given and output.suffix.lower() != CSV:
        raise ArgumentError(
            f"{option} must come with CSV, whose cells a spreadsheet may compute, "
            f"got {str(output)!r}"
        )


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with ' before each text that a spreadsheet would take for a formula.

    Source: OWASP, "CSV injection".
    """
    import polars as pl

    texts = [pl.col(n) for n, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(
        pl.when(text.str.contains(FORMULA) & ~text.str.contains(SIGNED_NUMBER))
        .then(text.str.replace("^", "'"))
        .otherwise(text)
        for text in texts
    )


def csv_texts(parts: Iterable[pl.DataFrame]) -> Iterator[bytes]:
    """The text of each part of a frame, the first with a header."""
    for number, part in enumerate(parts):
        content = io.BytesIO()
        part.write_csv(content, include_header=number == 0)
        yield content.getvalue()


def write_csv(parts: Iterable[pl.DataFrame], file: BinaryIO) -> None:
    """Write the parts of a frame, which a reader sees as they come."""
    file.writelines(csv_texts(parts))


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
        raise (failures[0] if failures else of_the_system(error)) from None


WRITERS = {CSV: write_csv, PARQUET: write_parquet}
