"""What is known about a model of a table or of images: its record, its test."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from thalweg.errors import ArgumentError
from thalweg.kinds.own import Sources
from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import RowErrors
from thalweg.kinds.targets import ClassTargets
from thalweg.model.history import History
from thalweg.report.formatting import cut
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.forecasting.model import ForecastModel
    from thalweg.language.model import LanguageModel
    from thalweg.tabular.model import TableModel
    from thalweg.vision.model import ImageModel


@dataclass(frozen=True)
class Evaluated:
    """Rows as they were split for training, and what the network gets wrong.

    Arguments:
        prepared: the parts, encoded.
        errors: what it gets wrong of the test rows.
    """

    prepared: Parts
    errors: RowErrors

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
class Recorded:
    """What a model says of itself.

    Arguments:
        model: as it was saved.
        missing: why what it was trained on isn't there; nothing if it is.
        execution: what runs the network.
    """

    model: TableModel | ImageModel | LanguageModel | ForecastModel
    missing: str
    execution: Execution

    @property
    def history(self) -> History:
        """The run."""
        return self.model.network.history

    @property
    def results(self) -> Mapping[str, Any]:
        """What was recorded after training."""
        return self.model.results

    def recorded(self, name: str) -> dict[str, Any]:
        """A part of the results that has names of its own; empty if there is none."""
        found = self.results.get(name)
        return dict(found) if isinstance(found, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]

    @property
    def notes(self) -> list[str]:
        """What was said of the scores after training, each with a capital."""
        found = self.results.get("notes")
        texts = found if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType]
        return [
            cut(each[:1].upper() + each[1:], 500)
            for each in texts  # pyright: ignore[reportUnknownVariableType]
            if isinstance(each, str)
        ]

    @property
    def data_name(self) -> str:
        """What the data was called, or nothing."""
        name = self.recorded("data").get("name")
        return name if isinstance(name, str) else ""


def require_had(had: Collection[str], own: Sources, none: str, drawn: str) -> None:
    """The model had what is given of a user's own to validate or to test on.

    Arguments:
        had: the parts that it had.
        own: what is given.
        none: what it didn't have, in words.
        drawn: what it had instead.

    Raises:
        ArgumentError: it had none.
    """
    for part in own:
        if part not in had:
            raise ArgumentError(
                f"{part}_data must be left out: the model had {none} for that, but "
                f"{drawn} of what it was trained on"
            )
