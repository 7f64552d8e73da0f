"""``thalweg learning-rate``: a learning rate for any data, by a range test."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.asked import asked
from thalweg.cli.failures import say
from thalweg.cli.inputs import (
    Data,
    Target,
    TestData,
    Threads,
    ValidationData,
    execution_on,
)
from thalweg.cli.options import with_settings
from thalweg.cli.outputs import (
    PICTURE,
    require_other_file,
    require_suffix,
    require_writable,
)
from thalweg.cli.show import facts, show, tell, tell_json
from thalweg.cli.told import told_of
from thalweg.tables.source import name_of
from thalweg.tabular.command import train_command

if TYPE_CHECKING:
    from thalweg.kinds.parts import Parts
    from thalweg.network import Network
    from thalweg.search.learning_rate import RangeTest


@with_settings
def learning_rate(
    data: Data,
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
    """Find a learning rate for a table, images or a text, by training while it grows.

    With --time, --history and --ahead a table is a series; with --sequence its rows are
    sequences. The network is the one that thalweg train would train with the same
    options, on the same rows. Nothing is saved but the picture that is asked for.
    """
    execution, to_learn = execution_on(threads), asked(data, target, given)
    if figure is not None:
        require_suffix("--figure", figure, (PICTURE,))
        require_other_file("--figure", figure, data)
        require_writable(figure)
    from thalweg.kinds.own import own_sources
    from thalweg.search.rate_for import rate_for

    own = own_sources(validation_data, test_data, given)
    kind, settings = to_learn.kind, to_learn.settings
    names: list[str] = []

    def announce(parts: Parts, network: Network) -> None:
        names.append(parts.targets.name)
        if not (as_json or quiet):
            told = told_of(kind.name)
            words = told.layers(parts, network)
            show(facts([*told.found(parts), ("Network", words)]))
            tell()

    how = settings, execution, announce, own
    found = rate_for(kind, data, to_learn.target, *how)
    if as_json:
        tell_json({"target": names[0], **found.to_dict()})
    else:
        chosen = settings.with_values(learning_rate=float(f"{found.chosen:g}"))
        show_results(found, train_command(data, own, to_learn.target, chosen))
    if figure is not None:
        draw(found, figure, data, names[0])
    return 0


def show_results(found: RangeTest, command: str) -> None:
    """The rate, and why; and the command that trains with it."""
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
