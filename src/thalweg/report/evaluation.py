"""What a report goes by: a model, what it says of itself, and what it's tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from numpy.typing import NDArray

from thalweg.kinds.kind import AnyKind
from thalweg.kinds.own import PARTS
from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import RowErrors
from thalweg.kinds.targets import ClassTargets
from thalweg.kinds.trained import Model
from thalweg.model.history import History
from thalweg.report.formatting import cut
from thalweg.training.execution import Execution

ModelT = TypeVar("ModelT", bound=Model, covariant=True)
PartsT = TypeVar("PartsT", bound=Parts, covariant=True)
RowsT = TypeVar("RowsT", covariant=True)


@dataclass(frozen=True)
class Evaluated(Generic[PartsT]):
    """Rows as they were split for training, and what the network gets wrong.

    Arguments:
        prepared: the parts, encoded.
        errors: what it gets wrong of the test rows.
        noun: what a row of a part is.
    """

    prepared: PartsT
    errors: RowErrors
    noun: str = "row"

    @property
    def classes(self) -> int:
        """The number of classes; 0 where a number is predicted."""
        targets = self.prepared.targets
        return len(targets.labels) if isinstance(targets, ClassTargets) else 0

    @property
    def weights(self) -> NDArray[Any] | None:
        """The weights of the test rows, if they have any."""
        return self.prepared.test.weights


@dataclass(frozen=True)
class Evaluation(Generic[ModelT, RowsT]):
    """What is known about a model.

    Arguments:
        kind: of data.
        model: as it was saved.
        missing: why what it was trained on isn't there; nothing if it is.
        execution: what runs the network.
        rows: what that adds, if it is there.
    """

    kind: AnyKind
    model: ModelT
    missing: str
    execution: Execution
    rows: RowsT | None

    @property
    def history(self) -> History:
        """The run."""
        return self.model.network.history

    @property
    def results(self) -> Mapping[str, Any]:
        """What was recorded after training."""
        return self.model.results

    @property
    def settings(self) -> Any:
        """How the network was trained; None if that wasn't recorded."""
        return settings_of(self.kind, self.results)

    def recorded(self, name: str) -> dict[str, Any]:
        """A part of the results that has names of its own; empty if there is none."""
        return dict(mapping(self.results.get(name)))

    @property
    def notes(self) -> list[str]:
        """What was said of the scores after training, each with a capital."""
        found = self.results.get("notes")
        texts = cast("list[Any]", found if isinstance(found, list) else [])
        return [
            cut(each[:1].upper() + each[1:], 500)
            for each in texts
            if isinstance(each, str)
        ]

    @property
    def data_name(self) -> str:
        """What the data was called, or nothing."""
        name = self.recorded("data").get("name")
        return name if isinstance(name, str) else ""

    @property
    def own_names(self) -> dict[str, str]:
        """What the user's own data to validate and to test on was called."""
        own = own_recorded(data_of(self.results))
        return {part: str(each["name"]) for part, each in own.items()}


Recorded: TypeAlias = Evaluation[Any, Any]
"""A model of any kind, for what every report says."""


def mapping(found: Any) -> Mapping[str, Any]:
    """What has names of its own; empty if it doesn't."""
    return cast("Mapping[str, Any]", found if isinstance(found, Mapping) else {})


def settings_of(kind: AnyKind, results: Mapping[str, Any]) -> Any:
    """The recorded settings; None if there are none that can be used."""
    recorded = results.get("settings")
    if not isinstance(recorded, Mapping):
        return None
    try:
        return kind.settings.by_name(cast("Mapping[str, Any]", recorded))
    except (TypeError, ValueError):
        return None


def data_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """What a model says of its data; empty if it doesn't.

    A model's file may come from anybody: a part that is no data of a part is left out.
    """
    found = dict(mapping(results.get("data")))
    for part in PARTS:
        if not isinstance(found.get(part, {}), Mapping):
            del found[part]
    return found


def own_recorded(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What is said of data of the user's own, by its part; it has a name."""
    every = {part: mapping(data.get(part)) for part in PARTS}
    return {part: each for part, each in every.items() if "name" in each}
