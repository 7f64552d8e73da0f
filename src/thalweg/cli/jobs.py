"""What ``thalweg train`` is to do: a new run, or one to go on with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.cli.inputs import require_target
from thalweg.cli.options import (
    chosen_forecast_settings,
    chosen_image_settings,
    chosen_sequence_settings,
    chosen_settings,
    chosen_text_settings,
    is_forecast,
    is_of_sequences,
)
from thalweg.cli.outputs import (
    model_beside,
    require_model_file,
    require_suffix,
    require_writable,
)
from thalweg.errors import ArgumentError, FileError
from thalweg.forecasting.settings import ForecastSettings
from thalweg.images.read import is_images
from thalweg.language.settings import TextSettings
from thalweg.sequences.settings import SequenceSettings
from thalweg.tabular.settings import Settings
from thalweg.text import is_text
from thalweg.training.checkpoint import IMAGES, SEQUENCES, SERIES, TEXT, Checkpoint
from thalweg.vision.settings import ImageSettings

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store
    from thalweg.forecasting.learn import TrainedForecast
    from thalweg.forecasting.prepare import PreparedSeries
    from thalweg.kinds.parts import Parts
    from thalweg.language.fingerprint import BegunOnText
    from thalweg.language.learn import TrainedOnText
    from thalweg.language.prepare import PreparedText
    from thalweg.network import Network
    from thalweg.sequences.learn import TrainedOnSequences
    from thalweg.sequences.prepare import PreparedSequences
    from thalweg.tables.table import Table
    from thalweg.tabular.fingerprints import Begun
    from thalweg.tabular.learn import Trained
    from thalweg.tabular.prepared import Prepared
    from thalweg.training.callbacks import AfterEpoch, Callback
    from thalweg.training.execution import Execution
    from thalweg.vision.fingerprint import BegunOnImages
    from thalweg.vision.learn import TrainedOnImages
    from thalweg.vision.prepare import PreparedImages

    Resumed: TypeAlias = tuple[Store, Saved[Network]]
    AnyTrained: TypeAlias = (
        Trained | TrainedOnImages | TrainedOnText | TrainedForecast | TrainedOnSequences
    )
    Announce: TypeAlias = Callable[[Parts, Network, Callable[[], None]], object]

AnySettings: TypeAlias = (
    Settings | ImageSettings | TextSettings | ForecastSettings | SequenceSettings
)
LOG = ".jsonl"
OUTPUT = "output"  # the note beside a checkpoint that says where the network goes


@dataclass(frozen=True)
class Job(ABC):
    """A run of training, new or to go on with.

    Arguments:
        data: what is trained on.
        settings: how.
        saved: where the network goes.
        execution: what runs it.
        callbacks: the logs.
        checkpoint: of a new run.
        resumed: the run to go on with, and the folder that it is in.
        own: files or folders to validate and to test on, by their part.
    """

    data: Path
    settings: AnySettings
    saved: Path
    execution: Execution
    callbacks: tuple[Callback, ...] = ()
    checkpoint: Checkpoint | None = None
    resumed: Resumed | None = None
    own: Mapping[str, Path] = field(default_factory=dict[str, Path])

    @property
    def folder(self) -> Path | None:
        """Where its checkpoints are."""
        if self.resumed is not None:
            return self.resumed[0].folder
        return None if self.checkpoint is None else Path(self.checkpoint.folder)

    @property
    def sources(self) -> tuple[Path, ...]:
        """All that is read."""
        return (self.data, *self.own.values())

    @abstractmethod
    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""


@dataclass(frozen=True)
class TableJob(Job):
    """A run on a table.

    Arguments:
        target: the column to predict.
    """

    settings: Settings
    target: str = ""

    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""
        from thalweg.cli.report import start
        from thalweg.tabular.learn import learn

        settings = self.settings

        def found(table: Table, prepared: Prepared, network: Network) -> None:
            lines = partial(start, table, prepared, network, settings)
            announce(prepared, network, lines)

        return learn(
            self.data,
            self.target,
            settings,
            after_epoch,
            found,
            self.execution,
            self.callbacks,
            self.checkpoint,
            self.resumed,
            self.own,
        )


@dataclass(frozen=True)
class ImageJob(Job):
    """A run on images."""

    settings: ImageSettings

    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""
        from thalweg.cli.image_report import start
        from thalweg.vision.learn import learn

        settings = self.settings

        def found(prepared: PreparedImages, network: Network) -> None:
            announce(prepared, network, partial(start, prepared, network, settings))

        return learn(
            self.data,
            settings,
            after_epoch,
            found,
            self.execution,
            self.callbacks,
            self.checkpoint,
            self.resumed,
            self.own,
        )


@dataclass(frozen=True)
class TextJob(Job):
    """A run on a text."""

    settings: TextSettings

    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""
        from thalweg.cli.text_report import start
        from thalweg.language.learn import learn

        settings = self.settings

        def found(prepared: PreparedText, network: Network) -> None:
            announce(prepared, network, partial(start, prepared, network, settings))

        return learn(
            self.data,
            settings,
            after_epoch,
            found,
            self.execution,
            self.callbacks,
            self.checkpoint,
            self.resumed,
            self.own,
        )


@dataclass(frozen=True)
class ForecastJob(Job):
    """A run on a series.

    Arguments:
        target: the column to forecast.
    """

    settings: ForecastSettings
    target: str = ""

    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""
        from thalweg.cli.forecast_report import start
        from thalweg.forecasting.learn import learn

        settings = self.settings

        def found(prepared: PreparedSeries, network: Network) -> None:
            announce(prepared, network, partial(start, prepared, network, settings))

        return learn(
            self.data,
            self.target,
            settings,
            after_epoch,
            found,
            self.execution,
            self.callbacks,
            self.checkpoint,
            self.resumed,
            self.own,
        )


@dataclass(frozen=True)
class SequenceJob(Job):
    """A run on sequences.

    Arguments:
        target: the column to predict.
    """

    settings: SequenceSettings
    target: str = ""

    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""
        from thalweg.cli.sequence_report import start
        from thalweg.sequences.learn import learn

        settings = self.settings

        def found(prepared: PreparedSequences, network: Network) -> None:
            announce(prepared, network, partial(start, prepared, network, settings))

        return learn(
            self.data,
            self.target,
            settings,
            after_epoch,
            found,
            self.execution,
            self.callbacks,
            self.checkpoint,
            self.resumed,
            self.own,
        )


def new_job(
    data: Path | None,
    own: Mapping[str, Path],
    target: str | None,
    output: Path | None,
    given: Mapping[str, Any],
    execution: Execution,
    callbacks: tuple[Callback, ...],
    checkpoint: Checkpoint | None,
) -> Job:
    """A run from its start.

    Raises:
        ArgumentError: something is missing or can't be used.
        FileError: the network can't be saved there.
    """
    if data is None:
        raise ArgumentError(
            "DATA must be given, the table, images or text to train on; or --resume "
            "DIR, a run to go on with"
        )
    settings = settings_for(data, target, given)
    saved = output or model_beside(data)
    if isinstance(settings, TextSettings):
        require_no_text_target(target)
    elif isinstance(settings, ImageSettings):
        require_no_target(target)
    else:
        require_target(data, target, settings.dialect)
    require_model_file(saved)
    if checkpoint is not None:
        notes = {**checkpoint.notes, OUTPUT: str(saved.absolute())}
        checkpoint = replace(checkpoint, notes=notes)
    how: Mapping[str, Any] = {
        "callbacks": callbacks,
        "checkpoint": checkpoint,
        "own": own,
    }
    if isinstance(settings, ImageSettings):
        return ImageJob(data, settings, saved, execution, **how)
    if isinstance(settings, TextSettings):
        return TextJob(data, settings, saved, execution, **how)
    if isinstance(settings, ForecastSettings):
        return ForecastJob(data, settings, saved, execution, target=str(target), **how)
    if isinstance(settings, SequenceSettings):
        return SequenceJob(data, settings, saved, execution, target=str(target), **how)
    return TableJob(data, settings, saved, execution, target=str(target), **how)


def settings_for(
    data: Path, target: str | None, given: Mapping[str, Any]
) -> AnySettings:
    """The settings of what DATA is.

    A file whose name is that of a text is one unless a column is to be predicted.

    Raises:
        ArgumentError: one of them can't be used.
    """
    if is_images(data):
        return chosen_image_settings(given)
    if given.get("unit") is not None or (target is None and is_text(data)):
        return chosen_text_settings(given)
    if is_of_sequences(given):
        return chosen_sequence_settings(given)
    if is_forecast(given):
        return chosen_forecast_settings(given)
    return chosen_settings(given)


def require_no_text_target(target: str | None) -> None:
    """No column was given to predict, which only a table has.

    Raises:
        ArgumentError: one was.
    """
    if target is not None:
        raise ArgumentError(
            "target must be left out with --unit, which says that DATA is a text, "
            f"got {target!r}"
        )


def require_no_target(target: str | None) -> None:
    """No column was given to predict, which only a table has.

    Raises:
        ArgumentError: one was.
    """
    if target is not None:
        raise ArgumentError(
            "target must be left out: DATA is images, whose folders or labels say what "
            f"they show, got {target!r}"
        )


@contextmanager
def resumed_job(
    folder: Path,
    data: Path | None,
    own: Mapping[str, Path],
    target: str | None,
    output: Path | None,
    given: Mapping[str, Any],
    execution: Execution,
    callbacks: tuple[Callback, ...],
) -> Generator[Job]:
    """A run to go on with; its folder is this process's own meanwhile.

    Raises:
        ArgumentError: an option can't be given any more.
        FileError: there is no run that can be read.
    """
    from thalweg.checkpoints.resume import saved_run
    from thalweg.network import Network

    chosen = {"target": target, **given}
    for name in (name for name, value in chosen.items() if value not in (None, [])):
        raise ArgumentError(
            f"{name} must be left out with --resume: a run goes on as it began"
        )
    with saved_run(folder, Network) as resumed:
        saved = resumed[1]
        execution = replace(execution, engine=saved.setup.engine)
        run: Mapping[str, Any] = {
            "execution": execution,
            "callbacks": callbacks,
            "resumed": resumed,
        }
        kinds = {
            IMAGES: go_on_with_images,
            TEXT: go_on_with_text,
            SERIES: go_on_with_series,
            SEQUENCES: go_on_with_sequences,
        }
        known = (go_on for note, go_on in kinds.items() if note in saved.setup.notes)
        yield next(known, go_on_with_table)(folder, data, own, output, run)


def go_on_with_table(
    folder: Path,
    data: Path | None,
    own: Mapping[str, Path],
    output: Path | None,
    run: Mapping[str, Any],
) -> Job:
    """The job of a table's run."""
    from thalweg.tabular.fingerprints import begun

    saved = run["resumed"][1]
    known = begun(saved)
    source = still_there(folder, data, known.source, saved)
    others = still_own(folder, known, own)
    goes_to = where_to(source, output, saved)
    return TableJob(
        source, known.settings, goes_to, target=known.target, own=others, **run
    )


def go_on_with_images(
    folder: Path,
    data: Path | None,
    own: Mapping[str, Path],
    output: Path | None,
    run: Mapping[str, Any],
) -> Job:
    """The job of a run on images."""
    from thalweg.vision.fingerprint import begun

    saved = run["resumed"][1]
    known = begun(saved)
    source = still_there(folder, data, known.source, saved)
    others = still_own(folder, known, own)
    goes_to = where_to(source, output, saved)
    return ImageJob(source, known.settings, goes_to, own=others, **run)


def go_on_with_text(
    folder: Path,
    data: Path | None,
    own: Mapping[str, Path],
    output: Path | None,
    run: Mapping[str, Any],
) -> Job:
    """The job of a run on a text."""
    from thalweg.language.fingerprint import begun

    saved = run["resumed"][1]
    known = begun(saved)
    source = still_there(folder, data, known.source, saved)
    others = still_own(folder, known, own)
    goes_to = where_to(source, output, saved)
    return TextJob(source, known.settings, goes_to, own=others, **run)


def go_on_with_series(
    folder: Path,
    data: Path | None,
    own: Mapping[str, Path],
    output: Path | None,
    run: Mapping[str, Any],
) -> Job:
    """The job of a run on a series."""
    from thalweg.forecasting.fingerprint import begun

    saved = run["resumed"][1]
    known = begun(saved)
    source = still_there(folder, data, known.source, saved)
    goes_to = where_to(source, output, saved)
    return ForecastJob(
        source, known.settings, goes_to, target=known.target, own=own, **run
    )


def go_on_with_sequences(
    folder: Path,
    data: Path | None,
    own: Mapping[str, Path],
    output: Path | None,
    run: Mapping[str, Any],
) -> Job:
    """The job of a run on sequences."""
    from thalweg.sequences.fingerprint import begun

    saved = run["resumed"][1]
    known = begun(saved)
    source = still_there(folder, data, known.source, saved)
    goes_to = where_to(source, output, saved)
    return SequenceJob(
        source, known.settings, goes_to, target=known.target, own=own, **run
    )


def still_own(
    folder: Path, known: Begun | BegunOnImages | BegunOnText, given: Mapping[str, Path]
) -> dict[str, Path]:
    """What a run was validated and tested on: what is given now, or what there was.

    Raises:
        ArgumentError: neither is known, or there was none.
        FileError: it isn't there any more.
    """
    others = known.own_sources(given)
    for part, path in others.items():
        require_still(path, f"thalweg train --{part}-data FILE --resume {folder}")
    return others


def still_there(
    folder: Path, given: Path | None, known: Path | None, saved: Saved[Network]
) -> Path:
    """What a run was trained on: what is given now, or else what there was.

    Raises:
        ArgumentError: neither is known.
        FileError: it isn't there any more.
    """
    if given is not None:
        return given
    if known is None:
        raise ArgumentError(f"DATA must be given: {saved.path} names no file")
    require_still(known, f"thalweg train DATA --resume {folder}")
    return known


def where_to(source: Path, output: Path | None, saved: Saved[Network]) -> Path:
    """Where the network of a run that goes on is saved.

    Raises:
        FileError: it can't be saved there.
    """
    known = saved.setup.notes.get(OUTPUT)
    usual = from_here(known) if isinstance(known, str) else None
    goes_to = output or usual or model_beside(source)
    require_model_file(goes_to)
    return goes_to


def require_still(path: Path, way: str) -> None:
    """A file of a run is where it was.

    Raises:
        FileError: it isn't; the message says how to tell where it is.
    """
    if not path.exists():
        raise FileError(
            f"{path}: there is no such file any more; where it is now may be given: "
            f"{way}"
        )


def from_here(path: str) -> Path:
    """A path as one would type it in this folder."""
    here = Path.cwd()
    return (
        Path(path).relative_to(here) if Path(path).is_relative_to(here) else Path(path)
    )


def chosen_checkpoint(
    folder: Path | None, resume: Path | None, minutes: float | None, epochs: int | None
) -> Checkpoint | None:
    """Where and how often a new run is written down.

    Raises:
        ArgumentError: the options don't go together.
    """
    if folder is not None and resume is not None:
        raise ArgumentError(
            "checkpoint must be left out with --resume, which goes on in its own folder"
        )
    if folder is None:
        for name, value in (("minutes", minutes), ("epochs", epochs)):
            if value is not None:
                raise ArgumentError(
                    f"checkpoint_{name} must come with --checkpoint DIR, the folder"
                )
        return None
    often = 1 if minutes is None and epochs is None else epochs
    try:
        return Checkpoint(folder, often, minutes)
    except ArgumentError as error:
        raise ArgumentError(str(error).replace("every_", "checkpoint_", 1)) from None


def chosen_logs(log: Path | None, tensorboard: Path | None) -> tuple[Callback, ...]:
    """The logs that were asked for.

    Raises:
        ArgumentError: a log can't be called so, or a package is missing.
        FileError: it can't be written.
    """
    from thalweg.training.logs import JSONLines, TensorBoard

    found: list[Callback] = []
    if log is not None:
        require_suffix("--log", log, (LOG,))
        require_writable(log)
        found.append(JSONLines(log))
    if tensorboard is not None:
        found.append(TensorBoard(tensorboard))
    return tuple(found)
