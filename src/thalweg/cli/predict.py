"""``thalweg predict``: a prediction for every row of a table."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thalweg.cli.failures import say, say_warning
from thalweg.cli.inputs import ModelFile, TableFile, Threads, execution_on, load_model
from thalweg.cli.outputs import require_other_file, require_suffix, require_writable
from thalweg.training.atomic import write_atomically

if TYPE_CHECKING:
    import polars as pl

CSV, PARQUET = ".csv", ".parquet"


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
    threads: Threads = None,
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
    predictions, report = load_model(model).predict_with_report(data, execution)
    for line in report.lines():
        say_warning(f"{data.name}: {line}")
    if output is None:
        sys.stdout.buffer.write(encoded(predictions, CSV))
        sys.stdout.buffer.flush()
    else:
        replaced = ", replacing what was there" if output.exists() else ""
        write_atomically(output, encoded(predictions, output.suffix.lower()))
        say(f"{predictions.height:,} rows in {output}{replaced}")


def encoded(frame: pl.DataFrame, suffix: str) -> bytes:
    """A frame as the bytes of a file."""
    content = io.BytesIO()
    if suffix == PARQUET:
        frame.write_parquet(content)
    else:
        frame.write_csv(content)
    return content.getvalue()
