"""What went wrong, as one line and an exit status."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import fields
from typing import Any, cast

import typer

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, ThalwegError
from thalweg.forecasting.settings import ForecastSettings
from thalweg.interrupts import Terminated
from thalweg.language.settings import TextSettings
from thalweg.printable import printable
from thalweg.sequences.settings import SequenceSettings
from thalweg.tables.dialect import Dialect
from thalweg.tables.room import is_limited
from thalweg.tables.system import of_the_system
from thalweg.tabular.settings import Settings
from thalweg.training.checkpoint import CheckpointWarning
from thalweg.vision.settings import ImageSettings

# typer has click inside or beside it, by its version; both have this class.
USAGE_ERROR = cast(type[Exception], typer.BadParameter.__bases__[0])
BAD_INPUT, BAD_USAGE, OWN_MISTAKE, INTERRUPTED, NO_READER = 1, 2, 70, 130, 141
EVERY_SETTINGS = (
    *(Settings, ImageSettings, TextSettings),
    *(ForecastSettings, SequenceSettings),
)
OPTIONS = {each.name for settings in EVERY_SETTINGS for each in fields(settings)} | {
    *("start", "temperature", "top_k"),
    *("target", "threads", "checkpoint", "checkpoint_epochs", "checkpoint_minutes"),
    *("validation_data", "test_data", "lenient"),
    *("budget", "folds", "trials", "sampler", "storage", "folder"),
    "port",
}
POLARS_ENGINE = "plr"  # what polars goes on without where it couldn't be loaded
POISONED = "previously been poisoned"  # says what couldn't be started at first
DECIDING = "|".join([*(field.name for field in fields(Dialect)), "unit"])
NO_ROOM = re.compile(
    r"failed to map segment|[Cc]annot allocate memory|can't start new thread"
)
"""What the loader of libraries and Python's threads say where there is no memory."""
ADVICE = re.compile(rf"\b({DECIDING})=('?)(\S+)\2")


def failure(error: BaseException) -> int:
    """Say what went wrong; the exit status that goes with it."""
    if isinstance(error, BrokenPipeError):
        return NO_READER
    if isinstance(error, Terminated):
        say(f"terminated; {error.words}")
        return int(str(error.code))
    if isinstance(error, KeyboardInterrupt) or is_of_ctrl_c(error):
        say("interrupted; nothing was saved")
        return INTERRUPTED
    message, status = described(error)
    say_error(message)
    return status


def is_of_ctrl_c(error: BaseException) -> bool:
    """Whether it's what a library made of Ctrl-C, such as an ImportError."""
    if isinstance(error, (ThalwegError, SystemExit, USAGE_ERROR)):
        return False
    before = error.__cause__ or error.__context__
    while before is not None and not isinstance(before, KeyboardInterrupt):
        before = before.__cause__ or before.__context__
    return before is not None


def described(error: BaseException) -> tuple[str, int]:
    """A sentence, and the exit status."""
    if isinstance(error, USAGE_ERROR):
        return usage(error), BAD_USAGE
    if isinstance(error, ArgumentError):
        return with_options(as_option(str(error))), BAD_USAGE
    if isinstance(error, ThalwegError):
        return with_options(str(error)), BAD_INPUT
    if isinstance(error, MemoryError):
        reason = f": {error}" if str(error) else ""
        return f"there isn't enough memory{reason}", BAD_INPUT
    if is_limited() and NO_ROOM.search(str(error)):
        return f"there isn't enough memory: {error}", BAD_INPUT
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", BAD_INPUT
    if isinstance(error, ImportError):
        return f"a part of the installation can't be loaded: {error}", BAD_INPUT
    if isinstance(error, NameError) and error.name == POLARS_ENGINE:
        return "polars can't be loaded; there may be too little memory", BAD_INPUT
    if POISONED in str(error):
        return (
            "polars can't start: the system allows too few files or threads",
            BAD_INPUT,
        )
    told = of_the_system(error)
    if told is not error:
        return described(told)
    return (
        f"thalweg made a mistake ({type(error).__name__}: {error}); please report it "
        "with what is shown when THALWEG_DEBUG=1 is set",
        OWN_MISTAKE,
    )


def usage(error: Any) -> str:
    """What is wrong in what was typed, and the command whose help says more."""
    context = error.ctx
    command = "thalweg" if context is None else context.command_path
    return f"{what_is_wrong(error)} (see {command} --help)"


def what_is_wrong(error: Any) -> str:
    """What is wrong in what was typed; a misspelled option gets the nearest."""
    if hasattr(error, "possibilities"):
        known = [name for option in error.ctx.command.params for name in option.opts]
        close = nearest(error.option_name, [*known, "--help"])
        return f"there is no option {error.option_name}{close}"
    message = error.format_message().rstrip(".").replace(". Did", ": did")
    return message[:1].lower() + message[1:]


def as_option(message: str) -> str:
    """A setting that starts a message, as it's written on the command line."""
    name, space, rest = message.partition(" ")
    if name not in OPTIONS:
        return message
    return f"--{option_name(name)}{space}{rest}"


def with_options(message: str) -> str:
    """A message whose advice is a setting, with the option in its place.

    >>> with_options("must be UTF-8; encoding='cp1252' fits")
    'must be UTF-8; --encoding cp1252 fits'
    """
    return ADVICE.sub(lambda found: f"--{option_name(found[1])} {found[3]}", message)


def option_name(setting: str) -> str:
    """A setting as it's written on the command line."""
    return setting.replace("_", "-")


def say_error(message: str) -> None:
    """An error as one line on standard error."""
    say(message, "error: ", "red")


def say_warning(message: str) -> None:
    """Something that a user should know, as one line on standard error."""
    say(message, "warning: ", "yellow")


def say(message: str, prefix: str = "", color: str | None = None) -> None:
    """One line on standard error, its start in a color where that is a terminal.

    Where nobody can read it, as on a terminal that was closed, nothing is said.
    """
    colored = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    start = typer.style(prefix, fg=color, bold=True) if colored and prefix else prefix
    line = printable(" ".join(message.split()))
    with suppress(OSError):
        sys.stderr.write(f"{start}{line}\n")
        sys.stderr.flush()


@contextmanager
def checkpoint_warnings() -> Generator[None]:
    """What couldn't be kept or read again is said in one line each."""

    def show(message: Warning | str, *_: Any) -> None:
        say_warning(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", CheckpointWarning)
        warnings.showwarning = show
        yield
