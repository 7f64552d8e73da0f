"""What ``thalweg train`` is to do: a new run, or one to go on with."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.cli.inputs import require_target
from thalweg.cli.options import chosen_settings
from thalweg.cli.outputs import (
    model_beside,
    require_model_file,
    require_suffix,
    require_writable,
)
from thalweg.errors import ArgumentError, FileError
from thalweg.tabular.settings import Settings
from thalweg.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store
    from thalweg.network import Network
    from thalweg.training.callbacks import Callback
    from thalweg.training.execution import Execution

LOG = ".jsonl"
OUTPUT = "output"  # the note beside a checkpoint that says where the network goes


@dataclass(frozen=True)
class Job:
    """A run of training, new or to go on with.

    Arguments:
        data: the table's file.
        target: the column to predict.
        settings: how.
        saved: where the network goes.
        execution: what runs it.
        own: files to validate and to test on, by their part.
        callbacks: the logs.
        checkpoint: of a new run.
        resumed: the run to go on with, and the folder that it is in.
    """

    data: Path
    target: str
    settings: Settings
    saved: Path
    execution: Execution
    own: Mapping[str, Path]
    callbacks: tuple[Callback, ...] = ()
    checkpoint: Checkpoint | None = None
    resumed: tuple[Store, Saved[Network]] | None = None

    @property
    def folder(self) -> Path | None:
        """Where its checkpoints are."""
        if self.resumed is not None:
            return self.resumed[0].folder
        return None if self.checkpoint is None else Path(self.checkpoint.folder)


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
            "DATA must be given, the table to train on; or --resume DIR, a run to go "
            "on with"
        )
    settings = chosen_settings(given)
    saved = output or model_beside(data)
    require_target(data, target, settings.dialect)
    require_model_file(saved)
    if checkpoint is not None:
        notes = {**checkpoint.notes, OUTPUT: str(saved.absolute())}
        checkpoint = replace(checkpoint, notes=notes)
    how = (settings, saved, execution, own, callbacks, checkpoint)
    return Job(data, str(target), *how)


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
    from thalweg.tabular.fingerprints import begun

    chosen = {"target": target, **given}
    for name in (name for name, value in chosen.items() if value not in (None, [])):
        raise ArgumentError(
            f"{name} must be left out with --resume: a run goes on as it began"
        )
    with saved_run(folder, Network) as (store, saved):
        run = begun(saved)
        source = data or run.source
        if source is None:
            raise ArgumentError(f"DATA must be given: {saved.path} names no file")
        if data is None:
            require_still(source, f"thalweg train DATA --resume {folder}")
        others = run.own_sources(own)
        for part, path in others.items():
            way = f"thalweg train --{part}-data FILE --resume {folder}"
            require_still(path, way)
        known = saved.setup.notes.get(OUTPUT)
        usual = from_here(known) if isinstance(known, str) else None
        goes_to = output or usual or model_beside(source)
        require_model_file(goes_to)
        execution = replace(execution, engine=saved.setup.engine)
        resumed = (store, saved)
        yield Job(
            *(source, run.target, run.settings, goes_to, execution, others, callbacks),
            resumed=resumed,
        )


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
