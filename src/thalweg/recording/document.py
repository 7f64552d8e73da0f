"""What is told of a recorded run, beside its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.checks import require
from thalweg.network import Network
from thalweg.recording.columns import Column
from thalweg.recording.recorder import BINS, HIGH, LOW, Recorder
from thalweg.training.curves import read_curves
from thalweg.version import __version__

VERSION = 1
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Names:
    """What people call a run and its data.

    Arguments:
        title: of the run; empty for the sizes of the layers.
        features: of the inputs; empty for x₁, x₂ and so on.
        classes: empty for their numbers.
        target: what is told of a row.
        source: where the rows come from.
    """

    title: str = ""
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    target: str = "y"
    source: str = ""


def document_of(recorder: Recorder, names: Names, python: str) -> dict[str, Any]:
    """What is told of a run as it stands now, as plain data.

    Arguments:
        recorder: of the run.
        names: of it and its data.
        python: a program that gives the same weights.

    Raises:
        ArgumentError: there aren't as many names as features or classes.
    """
    session, network, history = recorder.session, recorder.network, recorder.history
    plane = recorder.plane
    return {
        "format": "thalweg recording",
        "version": VERSION,
        "writer": __version__,
        "title": names.title or sizes_of(recorder.columns),
        "data": {
            "source": names.source,
            "features": features_of(recorder, names),
            "target": names.target,
            "task": recorder.task,
            "classes": classes_of(recorder, names),
        },
        "layers": [column.to_dict() for column in recorder.columns],
        "parameter_count": network.memory.parameters.size,
        "training": {
            **history.settings,
            "learning_rate": recorder.first_rate,
            "patience": session.patience,
        },
        "metric": recorder.metric,
        "epochs": session.epochs,
        "map": None if plane is None else plane.to_dict(),
        "z": {"low": LOW, "high": HIGH, "bins": BINS},
        "row": recorder.describe_row(),
        "formulas": network.explain(),
        "python": python,
    }


def standing_of(recorder: Recorder, frames: int, diverged: str) -> dict[str, Any]:
    """How a run stands, as plain data, for its document.

    Arguments:
        recorder: of the run.
        frames: how many were recorded.
        diverged: the error that ended it; empty without one.
    """
    history, epochs = recorder.history, recorder.session.epochs
    stopped, over = history.stopped_epoch, bool(history.stopped_because)
    guessed = history.constant_loss
    return {
        "frames": frames,
        "best_epoch": history.best_epoch,
        "stopped_epoch": stopped
        if over and not diverged and stopped < epochs
        else None,
        "stopped_because": history.stopped_because,
        "diverged": diverged or None,
        "constant_guess": None if guessed is None else {"loss": guessed},
    }


def ending_of(recorder: Recorder, frames: int, diverged: str) -> dict[str, Any]:
    """How a run ended, as plain data, for its document.

    Arguments:
        recorder: of the run, whose network has the weights that are kept.
        frames, diverged: as above.
    """
    return {
        **standing_of(recorder, frames, diverged),
        "verdict": [read_curves(recorder.history).text],
        "sha256": digest_of(recorder.network),
    }


def digest_of(network: Network) -> str:
    """What tells parameters from others: the SHA-256 of all in one vector."""
    return hashlib.sha256(network.memory.parameters.tobytes()).hexdigest()


def sizes_of(columns: Sequence[Column]) -> str:
    """The sizes of the layers: ``2-8-1``."""
    return "-".join(str(n) for n in (columns[0].inputs, *(c.units for c in columns)))


def features_of(recorder: Recorder, names: Names) -> list[str]:
    """The names of the inputs."""
    count = recorder.columns[0].inputs
    usual = [f"x{number}".translate(SUBSCRIPTS) for number in range(1, count + 1)]
    return named("features", names.features, usual)


def classes_of(recorder: Recorder, names: Names) -> list[str] | None:
    """The names of the classes; None where numbers are told."""
    if recorder.task == "numbers":
        return None
    count = 2 if recorder.task == "binary" else recorder.columns[-1].units
    return named("classes", names.classes, [str(number) for number in range(count)])


def named(what: str, given: Sequence[str], usual: list[str]) -> list[str]:
    """The names that are given, or else the usual ones.

    Raises:
        ArgumentError: there aren't as many.
    """
    if not given:
        return usual
    fits = len(given) == len(usual)
    require(fits, what, f"{len(usual)} names", f"{len(given)}: {', '.join(given)}")
    return [str(name) for name in given]
