"""``thalweg play``: see a network learn, in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.failures import BAD_INPUT, say
from thalweg.cli.inputs import require_target, whole_number
from thalweg.cli.options import WORDS, chosen_settings, dialect_given, with_options
from thalweg.cli.outputs import require_suffix, require_writable
from thalweg.cli.show import show, tell
from thalweg.errors import ArgumentError

if TYPE_CHECKING:
    from thalweg.playground.experiment import Experiment
    from thalweg.playground.lessons import Lesson
    from thalweg.playground.library import Library

PAGE, HAND_IN = ".html", ".json"
OF_TABLES = (
    *("ignore", "category", "number", "date", "missing", "decimal", "thousands"),
    *("limits", "group", "time", "validation", "test"),
    *("separator", "encoding", "skip_rows", "comment"),
)


def with_table_options(command: Any) -> Any:
    """The command with the options for a table's rows and cells."""
    return with_options(command, {name: WORDS[name] for name in OF_TABLES})


@with_table_options
def play(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="LESSON|TABLE|SETTINGS",
            help="A lesson's name, a table, or the settings that a page shared "
            "[an experiment to change at will]",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="COLUMN",
            help="The column to predict, of a table [no table]",
        ),
    ] = None,
    port: Annotated[
        str | None, typer.Option(metavar="N", help="The port [a free one]")
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address alone.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Write the run as one file that plays it, a {PAGE}; opens no page",
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Check what a student handed in by running it again: a file, or a "
            "folder of them",
        ),
    ] = None,
    list_lessons: Annotated[
        bool, typer.Option("--list", help="List the lessons.")
    ] = False,
    **given: Any,
) -> int:
    """See a network learn, epoch by epoch, in a browser.

    The page is served to this machine alone, for as long as the command runs; Ctrl-C
    ends it. Whoever has the printed address can use it.
    """
    if list_lessons:
        return show_lessons()
    if check is not None:
        return show_checked(check)

    if export is not None:
        require_suffix("--export", export, (PAGE,))
        require_writable(export)
    library, experiment, lesson = begun(what, target, given)
    if export is not None:
        save(library, experiment, export)
        return 0
    number = 0 if port is None else whole_number("port", port)
    if not 0 <= number <= 65_535:
        raise ArgumentError(f"port must be a number from 0 to 65535, got {number}")
    serve(library, experiment, lesson, number, opened=not no_browser)
    return 0


def begun(
    what: str | None, target: str | None, given: dict[str, Any]
) -> tuple[Library, Experiment, Lesson | None]:
    """Where rows come from, the first experiment, and the lesson, if it's one.

    Raises:
        ArgumentError, FileError, DataError: what was typed can't be used.
    """
    from thalweg.playground.experiment import Experiment
    from thalweg.playground.lessons import lesson_named
    from thalweg.playground.library import Library

    if target is not None or (what is not None and is_file(what)):
        return of_table(what, target, given)
    for name, value in given.items():
        if value not in (None, []):
            raise ArgumentError(f"{name} must be left out: no table was given")
    if what is None:
        return Library(), Experiment(), None
    if "=" in what:
        query = what.rpartition("#")[2].rpartition("?")[2]
        return Library(), Experiment.from_query(query), None
    lesson = lesson_named(what)
    return Library(), lesson.experiment, lesson


def is_file(what: str) -> bool:
    """Whether it is, or looks like, a file."""
    path = Path(what)
    return path.exists() or ("=" not in what and bool(path.suffix))


def of_table(
    what: str | None, target: str | None, given: dict[str, Any]
) -> tuple[Library, Experiment, None]:
    """A table of the user's own."""
    from thalweg.playground.experiment import Experiment
    from thalweg.playground.library import Library
    from thalweg.playground.table import OwnTable
    from thalweg.tabular.learn import TableKind

    if what is None:
        raise ArgumentError("TABLE must be given with --target, got none")
    path = Path(what)
    require_target(path, target, dialect_given(given))
    assert target is not None
    table = OwnTable.of(path, target, chosen_settings(TableKind(), given))
    return Library(table), Experiment(data="table"), None


def serve(
    library: Library,
    experiment: Experiment,
    lesson: Lesson | None,
    port: int,
    opened: bool,
) -> None:
    """Serve the page until somebody interrupts."""
    from thalweg.playground.conversation import Conversation
    from thalweg.playground.server import PageServer

    def begin() -> Conversation:
        return Conversation(experiment, library, lesson)

    with PageServer(begin, port) as server:
        tell(server.address)
        say("the page is there while this runs; Ctrl-C ends it")
        if opened:
            webbrowser.open(server.address)
        try:
            server.wait()
        except KeyboardInterrupt:
            say("ended")


def save(library: Library, experiment: Experiment, path: Path) -> None:
    """Run an experiment to its end, and write the page that plays it."""
    from thalweg.playground.run import Run

    run = Run(experiment, library.of(experiment))
    run.recording().save(path)
    say(f"wrote {path}: {len(run.film.frames)} frames")


def show_lessons() -> int:
    """The lessons by their names."""
    from thalweg.cli.show import facts
    from thalweg.playground.lessons import lessons

    show(facts([(each.name, each.title) for each in lessons()]))
    return 0


def show_checked(path: Path) -> int:
    """What a file, or each of a folder, is worth; 1 if one isn't what it says.

    Raises:
        FileError: there is none.
    """
    from thalweg.playground.hand_in import check_file, files_in

    fine = True
    for file in files_in(path):
        checked = check_file(file)
        fine = fine and checked.holds
        tell(f"{file.name}: {checked.sentence}")
    return 0 if fine else BAD_INPUT
