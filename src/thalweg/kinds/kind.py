"""What a kind of data is: how it's read, told from other data, learned from and kept.

Tables, images, texts, series and sequences each say this once. Learning, going on with
a run, reports and the search for settings are written once for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from thalweg.errors import ArgumentError
from thalweg.files.modelfile import Content
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.regimen import Regimen
from thalweg.kinds.scores import Metrics
from thalweg.kinds.trained import ModelT, PartsT, TrainedModel
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.training.execution import Execution


class Found(Protocol):
    """What was read to learn from."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def path(self) -> Path | None:
        """Where it is; None for what is no file."""
        ...

    @property
    def own_paths(self) -> Mapping[str, Path | None]:
        """Where the user's own data for ``validation`` and ``test`` are."""
        ...


@dataclass(frozen=True)
class Tested:
    """What the one test of a network said.

    Arguments:
        metrics: of the network.
        baselines: of simpler models on the same, by their names.
        notes: what the scores don't say by themselves.
        results: what is kept of it in the model's file beside.
        beside: what the kind's own `TrainedModel` has beside, by name.
        guess: the validation loss of a guess that looks at nothing; None for that of
            the history.
    """

    metrics: Metrics
    baselines: dict[str, Metrics]
    notes: tuple[str, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict[str, Any])
    beside: Mapping[str, Any] = field(default_factory=dict[str, Any])
    guess: float | None = None


SettingsT = TypeVar("SettingsT", bound=Regimen)
FoundT = TypeVar("FoundT", bound=Found)
TrainedT = TypeVar("TrainedT", bound=TrainedModel[Any, Any])


class Kind(ABC, Generic[SettingsT, FoundT, PartsT, ModelT, TrainedT]):
    """A kind of data.

    Attributes:
        name: what files of its models call it.
        note: what checkpoints of its runs call it.
        noun: what messages call the data of a run.
        what: what messages call the kind.
        has_target: whether the user names a column to predict.
        why_no_target: why not, as a clause.
        settings: the class of its settings.
        trained: the class of what learning gives.
    """

    name: ClassVar[str]
    note: ClassVar[str]
    noun: ClassVar[str]
    what: ClassVar[str]
    has_target: ClassVar[bool] = True
    why_no_target: ClassVar[str] = ""
    settings: type[SettingsT]
    trained: type[TrainedT]

    @abstractmethod
    def read(
        self, source: Any, settings: SettingsT, own: Sources = NO_SOURCES
    ) -> FoundT:
        """Read what is to be learned from.

        Arguments:
            source: a path, or what was read.
            settings: how it is read.
            own: for ``validation`` and ``test`` what the user has, as `source`.

        Raises:
            FileError, DataError: it can't be used.
            ArgumentError: this kind has nothing of one's own.
        """

    @abstractmethod
    def fingerprint(self, found: FoundT) -> dict[str, Any]:
        """What tells it from others, as plain data: ``name``, size, ``sha256``.

        What the user has of their own has the same under its part's name.
        """

    @abstractmethod
    def difference(self, before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        """In what one fingerprint isn't another, as a clause; nothing if it is."""

    @abstractmethod
    def prepare(self, found: FoundT, target: str, settings: SettingsT) -> PartsT:
        """Split it into parts, and encode them.

        Raises:
            DataError: it can't be used.
            ArgumentError: a setting can't be used with it.
        """

    @abstractmethod
    def build(self, parts: PartsT, settings: SettingsT) -> Network:
        """The network that settings ask for."""

    @abstractmethod
    def shape(self, parts: PartsT, settings: SettingsT) -> Shape:
        """That of a row as the network takes it."""

    @abstractmethod
    def model(self, network: Network, parts: PartsT, settings: SettingsT) -> ModelT:
        """The network with what it needs to read data."""

    @abstractmethod
    def is_of(self, model: ModelT, parts: PartsT) -> bool:
        """Whether a model has what these parts would have taught."""

    @abstractmethod
    def tested(
        self, model: ModelT, parts: PartsT, settings: SettingsT, execution: Execution
    ) -> Tested:
        """Score the test once, beside what the network has to beat."""

    @abstractmethod
    def model_from(self, content: Content) -> ModelT:
        """A model of what a file holds.

        Raises:
            ModelFileError: a part is missing or doesn't fit the others.
        """

    def require_target(self, target: str | None) -> str:
        """The column to predict, which only some kinds have.

        Returns:
            Its name; nothing for a kind without one.

        Raises:
            ArgumentError: there is one too many, or none.
        """
        if self.has_target and target is None:
            raise ArgumentError(
                f"target must be given: the column of the {self.noun} to predict"
            )
        if not self.has_target and target is not None:
            raise ArgumentError(
                f"target must be left out with {self.noun}, {self.why_no_target}, got "
                f"{target!r}"
            )
        return target or ""


AnyKind: TypeAlias = Kind[Any, Any, Any, Any, Any]
