"""What a report on text goes by: a model, and the text it had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from thalweg.errors import ArgumentError, DataError, ThalwegError
from thalweg.kinds.own import NO_SOURCES, PARTS, Sources
from thalweg.language.fingerprint import difference, fingerprint
from thalweg.language.learn import TrainedOnText
from thalweg.language.model import LanguageModel
from thalweg.language.own import read
from thalweg.language.prepare import PreparedText, prepare
from thalweg.language.settings import TextSettings
from thalweg.report.recorded import Recorded, require_had
from thalweg.training.execution import Execution


@dataclass(frozen=True)
class TextEvaluation(Recorded):
    """What is known about a model of text.

    Arguments:
        prepared: the text as it was split, if it is there.
    """

    model: LanguageModel
    prepared: PreparedText | None

    @property
    def settings(self) -> TextSettings | None:
        """How the network was trained, if that was recorded."""
        return settings_of(self.model)


def evaluation_of_text(
    model: LanguageModel | TrainedOnText,
    source: Any,
    execution: Execution,
    own: Sources = NO_SOURCES,
) -> TextEvaluation:
    """A model with its text, where that can be had.

    Arguments:
        model: what `train` gave, or its model.
        source: the path of the text that it was trained on; None looks for it.
        execution: what runs the network.
        own: the texts that it was validated and tested on, where they were given.

    Raises:
        ArgumentError: it had none of one's own.
        DataError: the text given isn't the one that the model had.
        FileError: it can't be read.
    """
    if isinstance(model, TrainedOnText):
        return TextEvaluation(model.model, "", execution, model.prepared)
    had = own_recorded(model)
    require_had(had, own, "no text of your own", "some")
    try:
        found = found_here(recorded_data(model)) if source is None else source
        others = {
            part: own[part] if part in own else found_here(recorded)
            for part, recorded in had.items()
        }
        prepared = prepared_again(model, found, others)
    except ThalwegError as error:
        if source is not None:
            raise
        return TextEvaluation(model, str(error), execution, None)
    return TextEvaluation(model, "", execution, prepared)


def own_recorded(model: LanguageModel) -> dict[str, Mapping[str, Any]]:
    """What the model says of texts of one's own, by their part."""
    found = {part: recorded_data(model).get(part) for part in PARTS}
    return {
        part: cast("Mapping[str, Any]", each)
        for part, each in found.items()
        if isinstance(each, Mapping)
    }


def found_here(recorded: Mapping[str, Any]) -> Path:
    """The text in the current folder that has the recorded name.

    Raises:
        DataError: there is none.
    """
    said = recorded.get("name")
    # A model's file may come from anybody: no other folder is looked into.
    name = Path(said).name if isinstance(said, str) else ""
    if not name:
        raise DataError("the model doesn't say what its text was called")
    if not Path(name).exists():
        raise DataError(f"there is no {name} in the current folder")
    return Path(name)


def prepared_again(model: LanguageModel, source: Any, own: Sources) -> PreparedText:
    """The text, split as for training.

    Raises:
        DataError: it can't be had.
    """
    settings = settings_of(model)
    if settings is None:
        raise DataError("the model doesn't say how its text was split")
    given = read(source, settings, own)
    if why := difference(recorded_data(model), fingerprint(given)):
        raise DataError(
            f"{given.text.name}: must be the text that the model was trained on, but "
            f"{why}"
        )
    prepared = prepare(given, settings)
    if prepared.vocabulary != model.vocabulary:
        raise DataError(
            "this version of thalweg reads or splits the text in another way than the "
            "one that trained the model, so the test isn't known"
        )
    return prepared


def recorded_data(model: LanguageModel) -> Mapping[str, Any]:
    """What the model says of its text; empty if it doesn't."""
    recorded = model.results.get("data")
    return cast("Mapping[str, Any]", recorded if isinstance(recorded, Mapping) else {})


def settings_of(model: LanguageModel) -> TextSettings | None:
    """The recorded settings, if there are any that can be used."""
    recorded = model.results.get("settings")
    if not isinstance(recorded, Mapping):
        return None
    try:
        return TextSettings.by_name(cast("Mapping[str, Any]", recorded))
    except (ArgumentError, TypeError, ValueError):
        return None
