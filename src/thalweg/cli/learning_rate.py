"""``thalweg learning-rate``: a learning rate for a table, by a range test."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.failures import say
from thalweg.cli.inputs import (
    TableFile,
    Target,
    TestData,
    Threads,
    ValidationData,
    execution_on,
    require_no_text,
    require_table,
    require_target,
)
from thalweg.cli.options import chosen_settings, with_settings
from thalweg.cli.outputs import (
    PICTURE,
    require_other_file,
    require_suffix,
    require_writable,
)
from thalweg.cli.show import tell, tell_json
from thalweg.tables.source import name_of
from thalweg.tabular.command import train_command

if TYPE_CHECKING:
    from thalweg.network import Network
    from thalweg.search.learning_rate import RangeTest
    from thalweg.tables.table import Table
    from thalweg.tabular.prepared import Prepared


@with_settings
def learning_rate(
    data: TableFile,
    target: Target = None,
    validation_data: ValidationData = None,
    test_data: TestData = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"Draw the loss by the rate, a {PICTURE} [not drawn]"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON object.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the results alone.")
    ] = False,
    threads: Threads = None,
    **given: Any,
) -> int:
    """Find a learning rate for a table, by training while it grows.

    The network is the one that thalweg train would train with the same options, on the
    same rows. Nothing is saved but the picture that is asked for.
    """
    require_table(data, "learning-rate")
    require_no_text(data, target, "learning-rate")
    from thalweg.tabular.learn import TABLES

    settings, execution = chosen_settings(TABLES, given), execution_on(threads)
    name = require_target(data, target, settings.dialect)
    if figure is not None:
        require_suffix("--figure", figure, (PICTURE,))
        require_other_file("--figure", figure, data)
        require_writable(figure)
    from thalweg.kinds.own import own_sources
    from thalweg.search.table_rate import find_for_table

    own = own_sources(validation_data, test_data, given)

    def announce(table: Table, prepared: Prepared, network: Network) -> None:
        if not (as_json or quiet):
            show_start(prepared, network)

    found = find_for_table(data, name, settings, execution, announce, own)
    if as_json:
        tell_json({"target": name, **found.to_dict()})
    else:
        chosen = replace(settings, learning_rate=float(f"{found.chosen:g}"))
        show_results(found, train_command(data, own, name, chosen))
    if figure is not None:
        draw(found, figure, data, name)
    return 0


def show_start(prepared: Prepared, network: Network) -> None:
    """What was found in the table, and what is tested."""
    from thalweg.cli.show import facts, show
    from thalweg.cli.table_report import network_line, table_lines

    words = network_line(network, len(prepared.encoder.features))
    show(facts([*table_lines(prepared), ("Network", words)]))
    tell()


def show_results(found: RangeTest, command: str) -> None:
    """The rate, and why; and the command that trains with it."""
    from thalweg.cli.show import facts, show

    tried = (
        f"{found.learning_rates[0]:.2g} to {found.learning_rates[-1]:.2g} "
        f"in {len(found.losses)} steps; {found.ended}"
    )
    show(
        facts(
            [
                ("Learning rate", f"{found.chosen:g}"),
                ("Why", found.reason),
                ("Tried", tried),
                ("Next", command),
            ]
        )
    )


def draw(found: RangeTest, figure: Path, data: Path, target: str) -> None:
    """The test as a picture."""
    from thalweg.figures.range_test import range_test

    path = range_test(
        found,
        figure,
        f"{name_of(data)}: {target}",
        source=name_of(data),
        command=shlex.join(["thalweg", *sys.argv[1:]]),
    )
    say(f"drew {path} and {path.with_suffix('.json').name}")
