"""``thalweg write``: a text goes on as a model of text would have it."""

from __future__ import annotations

from typing import Annotated

import typer

import thalweg.defaults as defaults
from thalweg.cli.inputs import ModelFile, load_text_model
from thalweg.cli.show import tell_written


def write(
    model: ModelFile,
    start: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="How the text begins, in characters that MODEL knows; \\n is an end "
            "of a line [an end of a line]",
            show_default=False,
        ),
    ] = r"\n",
    length: Annotated[
        int,
        typer.Option(metavar="N", help="How many characters are to come."),
    ] = 500,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="Below 1 likely characters become likelier, above 1 less; 0 always "
            "takes the likeliest.",
        ),
    ] = 1.0,
    top_k: Annotated[
        int | None,
        typer.Option(metavar="N", help="Draw from so many likeliest alone [all]"),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same seed writes the same.")
    ] = defaults.SEED,
) -> None:
    """Write a text, a character at a time, each drawn by the network's probabilities.

    The text goes to standard output, its start included.
    """
    found = load_text_model(model, "write")
    begin = start.replace("\\n", "\n")
    written = found.write(
        begin, length, temperature=temperature, top_k=top_k, seed=seed
    )
    tell_written(written)
