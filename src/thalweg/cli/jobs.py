"""What ``thalweg train`` is to do: a new run, or one to go on with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.cli.asked import asked
from thalweg.cli.outputs import (
    model_beside,
    require_model_file,
    require_suffix,
    require_writable,
)
from thalweg.cli.told import show_start, told_of
from thalweg.errors import ArgumentError, FileError
from thalweg.every_kind import kind_noted
from thalweg.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store
    from thalweg.kinds.begun import Begun
    from thalweg.kinds.kind import AnyKind
    from thalweg.kinds.parts import Parts
    from thalweg.kinds.regimen import Regimen
    from thalweg.kinds.trained import TrainedModel
    from thalweg.network import Network
    from thalweg.training.callbacks import AfterEpoch, Callback
    from thalweg.training.execution import Execution

    Resumed: TypeAlias = tuple[Store, Saved[Network]]
    AnyTrained: TypeAlias = TrainedModel[Any, Any]
    Announce: TypeAlias = Callable[[Parts, Network, Callable[[], None]], object]

LOG = ".jsonl"
OUTPUT = "output"  # the note beside a checkpoint that says where the network goes


@dataclass(frozen=True)
class Job:
    """A run of training, new or to go on with.

    Arguments:
        kind: of data.
        data: what is trained on.
        target: the column to predict; nothing for a kind without one.
        settings: how.
        saved: where the network goes.
        execution: what runs it.
        callbacks: the logs.
        checkpoint: of a new run.
        resumed: the run to go on with, and the folder that it is in.
        own: files or folders to validate and to test on, by their part.
    """

    kind: AnyKind
    data: Path
    target: str
    settings: Regimen
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

    def learn(self, after_epoch: AfterEpoch, announce: Announce) -> AnyTrained:
        """Train and test."""
        from thalweg.kinds.learn import learn

        told, settings = told_of(self.kind.name), self.settings

        def found(parts: Parts, network: Network) -> None:
            announce(
                parts, network, partial(show_start, told, parts, network, settings)
            )

        return learn(
            self.kind,
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
    to_learn = asked(data, target, given)
    saved = output or model_beside(data)
    require_model_file(saved)
    if checkpoint is not None:
        notes = {**checkpoint.notes, OUTPUT: str(saved.absolute())}
        checkpoint = replace(checkpoint, notes=notes)
    kind, name, settings = to_learn.kind, to_learn.target, to_learn.settings
    run = kind, data, name, settings, saved, execution, callbacks
    return Job(*run, checkpoint, own=own)


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
    from thalweg.kinds.begun import begun
    from thalweg.network import Network

    chosen = {"target": target, **given}
    for name in (name for name, value in chosen.items() if value not in (None, [])):
        raise ArgumentError(
            f"{name} must be left out with --resume: a run goes on as it began"
        )
    with saved_run(folder, Network) as resumed:
        saved = resumed[1]
        execution = replace(execution, engine=saved.setup.engine)
        kind = kind_noted(saved.setup.notes)
        if kind is None:
            raise ArgumentError(
                f"{saved.path} must be a run of thalweg train, but is that of a "
                "network; thalweg.resume goes on with it in Python"
            )
        known = begun(kind, saved)
        source = still_there(folder, data, known.source, saved)
        goes_to = where_to(source, output, saved)
        run = kind, source, known.target, known.settings, goes_to, execution, callbacks
        yield Job(*run, resumed=resumed, own=still_own(folder, known, own))


def still_own(
    folder: Path, known: Begun[Any], given: Mapping[str, Path]
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
