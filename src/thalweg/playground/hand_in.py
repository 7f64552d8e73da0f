"""What a student hands in, and how it is checked: by running it again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from thalweg.backends.engine.native import usual_isa
from thalweg.checks import is_number, is_whole
from thalweg.errors import ArgumentError, FileError
from thalweg.playground.experiment import Experiment
from thalweg.playground.lessons import Lesson, lesson_named
from thalweg.playground.measures import MEASURES, measures
from thalweg.playground.rows import data_of
from thalweg.playground.run import Run, ended
from thalweg.printable import printable
from thalweg.version import __version__

FORMAT = "thalweg hand-in"
VERSION = 1
MOST_BYTES = 100_000
TOLERANCE = 0.02
"""By which a number may differ on another instruction set, of its size or of one."""

FIELDS = {
    "format": str,
    "version": int,
    "writer": str,
    "instruction_set": str,
    "lesson": str,
    "student": str,
    "guess": int,
    "settings": str,
    "numbers": dict,
    "losses_sha256": str,
    "weights_sha256": str,
}


@dataclass(frozen=True)
class Checked:
    """What a file is worth.

    Arguments:
        holds: whether its numbers are those of its settings, and its task is done.
        sentence: what is said of it.
    """

    holds: bool
    sentence: str


def hand_in(lesson: Lesson, run: Run, guess: int, student: str) -> dict[str, Any]:
    """A run of a lesson's task as plain data, with all that is needed to run it again.

    Arguments:
        lesson: whose task it is.
        run: that was made for it; it is run to its end.
        guess: the number of the answer that was given before the run, from 0.
        student: who hands it in.

    Raises:
        ArgumentError: there is no such answer, or the rows are of a table that isn't
            here to run again.
    """
    if not (is_whole(guess) and 0 <= guess < len(lesson.answers)):
        most = len(lesson.answers) - 1
        raise ArgumentError(f"guess must be 0 to {most}, got {guess!r}: answer first")
    if run.is_branch:
        raise ArgumentError(
            "a hand-in must be a run from its start, got one that changed on the way"
        )
    if run.experiment.data == "table":
        raise ArgumentError("a hand-in must be of data that comes with thalweg")
    run.to_end()
    return {
        "format": FORMAT,
        "version": VERSION,
        "writer": __version__,
        "instruction_set": usual_isa(),
        "lesson": lesson.name,
        "student": student,
        "guess": guess,
        "settings": run.experiment.to_query(),
        "numbers": {name: float(n) for name, n in measures(run).items()},
        "losses_sha256": losses_digest(run),
        "weights_sha256": run.standing()["sha256"],
    }


def losses_digest(run: Run) -> str:
    """What tells the losses of all epochs from others."""
    names = ("training_loss", "validation_loss")
    every = [frame[name].tobytes() for frame in run.film.frames for name in names]
    return hashlib.sha256(b"".join(every)).hexdigest()


def read_hand_in(path: Path) -> dict[str, Any]:
    """What is in a file.

    Raises:
        FileError: it can't be read, or is no hand-in.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if size > MOST_BYTES:
        raise FileError(f"{path}: a hand-in has at most {MOST_BYTES:,} bytes")
    try:
        read: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: this is no hand-in: it isn't JSON") from error
    given = cast("dict[str, Any]", read if isinstance(read, dict) else {})
    if given.get("format") != FORMAT:
        raise FileError(f"{path}: this is no hand-in of thalweg play")
    for name, kind in FIELDS.items():
        value = given.get(name)
        if type(value) is not kind:
            raise FileError(
                f"{path}: {name} must be {kind.__name__}, got {type(value).__name__}"
            )
    if given["version"] != VERSION:
        raise FileError(
            f"{path}: this hand-in has version {given['version']}; thalweg "
            f"{__version__} reads version {VERSION}"
        )
    require_numbers(path, given["numbers"])
    return given


def require_numbers(path: Path, numbers: Mapping[str, Any]) -> None:
    """They are those that a run has.

    Raises:
        FileError: they aren't.
    """
    if set(numbers) != set(MEASURES) or not all(map(is_number, numbers.values())):
        raise FileError(f"{path}: numbers must be those of a run")


def check_file(path: Path) -> Checked:
    """Run a hand-in again, and compare.

    On the instruction set that it was made on every bit must be the same. On another
    one the numbers may differ a little; where they differ more, nothing can be said.

    Raises:
        FileError: it can't be read, or is no hand-in.
    """
    given = read_hand_in(path)
    try:
        lesson = lesson_named(given["lesson"])
        experiment = Experiment.from_query(given["settings"])
        run = ended(experiment, data_of(experiment))
        again = hand_in(lesson, run, given["guess"], given["student"])
    except ArgumentError as error:
        return Checked(False, f"can't be run: {error}")
    who = printable(f"{given['student'] or 'no name'}, {lesson.name}")
    wrong = difference(given, again)
    if wrong and given["instruction_set"] == again["instruction_set"]:
        return Checked(False, f"{who}: not what its settings give: {wrong}")
    if wrong and not near(given["numbers"], again["numbers"]):
        return Checked(
            False,
            f"{who}: can't be verified here: it was made on the instruction set "
            f"{printable(given['instruction_set'])}, and here, on "
            f"{again['instruction_set']}, numbers differ by more than {TOLERANCE:g}",
        )
    numbers = measures(run)
    missed = lesson.missed(run, numbers)
    done = f"task not done: {'; '.join(missed)}" if missed else "task done"
    return Checked(not missed, f"{who}: verified; {done}; {guessed(lesson, given)}")


def guessed(lesson: Lesson, given: Mapping[str, Any]) -> str:
    """Whether the answer before the run was right."""
    run = ended(lesson.experiment, data_of(lesson.experiment))
    right = lesson.right_answer(measures(run)) == given["guess"]
    return f"guessed {'right' if right else 'wrong'}"


def difference(given: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """What a hand-in says otherwise than its run; empty if nothing."""
    for name, value in again["numbers"].items():
        own = given["numbers"][name]
        if own != value:
            return f"{name} is {value:g}, not {own:g}"
    for name in ("losses_sha256", "weights_sha256"):
        if given[name] != again[name]:
            return f"another {name}"
    return ""


def near(given: Mapping[str, float], again: Mapping[str, float]) -> bool:
    """Whether all numbers agree within the tolerance."""
    return all(
        math.isclose(given[name], value, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        for name, value in again.items()
    )


def files_in(path: Path) -> list[Path]:
    """A file, or the hand-ins of a folder in the order of their names.

    Raises:
        FileError: there are none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.json"))
    if not found:
        raise FileError(f"{path}: there is no hand-in (*.json) in this folder")
    return found
