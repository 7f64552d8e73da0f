"""A model with what it was trained on, of whatever kind that is."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from thalweg.checks import require
from thalweg.errors import ArgumentError, DataError, ThalwegError
from thalweg.every_kind import NAMED, kind_named
from thalweg.kinds.kind import AnyKind
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.parts import Parts
from thalweg.report.evaluation import (
    Evaluation,
    Recorded,
    data_of,
    own_recorded,
    settings_of,
)
from thalweg.training.execution import Execution

WITHOUT_NAME = ("", "..")
"""Names that are none of a file in the current folder."""


class Measures(Protocol):
    """What the module of a kind has."""

    def kept(self, trained: Any, execution: Execution, /) -> Any:
        """What a report needs of a run that is just over."""

    def measured(
        self, model: Any, parts: Any, settings: Any, execution: Execution, /
    ) -> Any:
        """The same of data that was read and split again."""


def measures_of(kind: str) -> Measures:
    """What is measured of a kind of data."""
    match kind:
        case "images":
            from thalweg.report import image_evaluation

            return image_evaluation
        case "text":
            from thalweg.report import text_evaluation

            return text_evaluation
        case "forecast":
            from thalweg.report import forecast_evaluation

            return forecast_evaluation
        case "sequences":
            from thalweg.report import sequence_evaluation

            return sequence_evaluation
        case _:
            from thalweg.report import table_evaluation

            return table_evaluation


def evaluated(
    found: Any, source: Any, execution: Execution, own: Sources = NO_SOURCES
) -> Recorded:
    """A model with its data, where that can be had.

    Arguments:
        found: what `train` gave, or its model.
        source: what it was trained on; None looks for it.
        execution: what runs the network.
        own: what it was validated and tested on, where that was given.

    Raises:
        ArgumentError: there is no such model, or it had nothing of one's own.
        DataError: what is given isn't what the model had.
        FileError: it can't be read.
    """
    model: Any = getattr(found, "model", found)
    name = getattr(model, "kind", None)
    what = "what train gave, or its model"
    require(name in NAMED, "model", what, type(found).__name__)
    kind, measures = kind_named(str(name)), measures_of(str(name))
    if model is not found:
        rows = measures.kept(found, execution)
        return Evaluation(kind, model, "", execution, rows)
    require_had(own_recorded(data_of(model.results)), own)
    try:
        parts, settings = read_again(kind, model, source, own)
        rows = measures.measured(model, parts, settings, execution)
    except ThalwegError as error:
        if source is not None:
            raise
        return Evaluation(kind, model, str(error), execution, None)
    return Evaluation(kind, model, "", execution, rows)


def require_had(had: Collection[str], own: Sources) -> None:
    """The model had what is given of a user's own to validate or to test on.

    Raises:
        ArgumentError: it had none.
    """
    for part in own:
        if part not in had:
            raise ArgumentError(
                f"{part}_data must be left out: the model had none of your own for "
                "that, but a part of what it was trained on"
            )


def read_again(
    kind: AnyKind, model: Any, source: Any, own: Sources
) -> tuple[Parts, Any]:
    """What a model was trained on, split as for training, and its settings.

    Raises:
        DataError: it isn't there, or isn't what the model had.
        FileError: it can't be read.
    """
    recorded = data_of(model.results)
    path = found_here(recorded) if source is None else source
    others = {
        part: own[part] if part in own else found_here(each)
        for part, each in own_recorded(recorded).items()
    }
    settings = settings_of(kind, model.results)
    if settings is None:
        raise DataError("the model doesn't say how it was trained")
    if not recorded:
        raise DataError("the model doesn't say what it was trained on")
    found = kind.read(path, settings, others)
    if why := kind.difference(recorded, kind.fingerprint(found)):
        raise DataError(
            f"{found.name}: must be the {kind.noun} that the model was trained on, but "
            f"{why}"
        )
    parts = kind.prepare(found, model.target, settings)
    if not kind.is_of(model, parts):
        raise DataError(
            f"this version of thalweg understands or splits the {kind.noun} in another "
            "way than the one that trained the model, so the test isn't known"
        )
    return parts, settings


def found_here(recorded: Mapping[str, Any]) -> Path:
    """What has the recorded name in the current folder.

    Raises:
        DataError: there is nothing.
    """
    said = recorded.get("name")
    # A model's file may come from anybody: no other folder is looked into.
    name = Path(said).name if isinstance(said, str) else ""
    if name in WITHOUT_NAME:
        raise DataError("the model doesn't say what it was trained on")
    # A whole path, as a file may have the name that stands for standard input.
    path = Path(name).absolute()
    if not os.path.exists(path):  # it knows of names that are too long to be there
        raise DataError(f"there is no {name} in the current folder")
    return path
