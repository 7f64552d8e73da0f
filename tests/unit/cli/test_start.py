"""Ctrl-C while the command starts: never a traceback, and the status 130."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from thalweg import __main__ as start
from thalweg.cli import failures

# Ctrl-C comes when so many modules have been asked for.
AT_AN_IMPORT = """
import os, signal, sys
from thalweg.__main__ import main
left = int(sys.argv[1])
def press(event, arguments):
    global left
    if event == "import":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)
sys.argv[:2] = ["thalweg"]
sys.addaudithook(press)
main()
"""


def started(code: str, *arguments: object, **options: Any) -> tuple[int, str, str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("imports", [1, 2, 3, 10, 40, 150, 500, 1200])
def test_ctrl_c_at_an_import_ends_with_a_word(thalweg, imports: int) -> None:
    command = ("train", "penguins.csv", "--target", "species", "--epochs", 1, "-q")
    found = started(AT_AN_IMPORT, imports, *command)
    assert found == (130, "", start.WORDS.decode())
    assert os.listdir() == ["penguins.csv"]


def test_the_word_and_the_status_are_those_of_a_later_ctrl_c(capsys) -> None:
    assert failures.failure(KeyboardInterrupt()) == start.INTERRUPTED
    assert capsys.readouterr().err.encode() == start.WORDS


def test_what_a_library_makes_of_ctrl_c_is_no_mistake(capsys) -> None:
    def imported() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ImportError("a part failed to import") from None

    with pytest.raises(ImportError) as raised:
        imported()
    assert failures.failure(raised.value) == 130
    assert capsys.readouterr().err.encode() == start.WORDS


def test_in_the_background_ctrl_c_stays_ignored(thalweg) -> None:
    """A shell that starts a job there has its SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status, out, _ = started(AT_AN_IMPORT, 40, "--version")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (status, out.split()[0]) == (0, "thalweg")


@pytest.mark.parametrize("place", ["destructor", "except"])
def test_ctrl_c_where_it_would_be_swallowed_ends_too(
    place: str, tmp_path: Path
) -> None:
    """In a destructor, where Python prints it and goes on; and in a bare except
    the second time."""
    code = f"""
import os, signal, sys
import thalweg.cli
from thalweg import __main__ as start

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

def command():
    if {place!r} == "destructor":
        Dying()
    while True:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException:
            pass
thalweg.cli.main = command
start.main()
"""
    status, out, err = started(code, cwd=tmp_path)
    assert (status, out, err.encode()) == (130, "", start.WORDS)


def test_the_package_is_imported_when_a_name_is_asked_for() -> None:
    code = (
        "import sys, thalweg; print('numpy' in sys.modules, thalweg.Dense.__name__, "
        "'numpy' in sys.modules, 'Dense' in dir(thalweg), thalweg.formulas.__name__)"
    )
    found = started(code)[1].split()
    assert found == ["False", "Dense", "True", "True", "thalweg.formulas"]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import thalweg

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        thalweg.nothing  # noqa: B018 # pyright: ignore[reportAttributeAccessIssue]
