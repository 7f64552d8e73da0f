"""What is kept of the data of a run, so that one can go on with the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.kinds.kind import AnyKind, Found, Kind, SettingsT
from thalweg.kinds.own import Sources, own_paths, sources_again
from thalweg.kinds.regimen import Regimen
from thalweg.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved


def noted(
    checkpoint: Checkpoint,
    kind: AnyKind,
    found: Found,
    target: str,
    settings: Regimen,
    data: Mapping[str, Any],
) -> Checkpoint:
    """With the data's places, fingerprint and settings beside every checkpoint."""
    notes = {
        "source": whole(found.path),
        "own": {part: whole(path) for part, path in found.own_paths.items()},
        "settings": settings.to_dict(),
        "data": dict(data),
    }
    if kind.has_target:
        notes["target"] = target
    return replace(checkpoint, notes={**checkpoint.notes, kind.note: notes})


def whole(path: Path | None) -> str | None:
    """The whole path; None for what is no file."""
    return None if path is None else str(path.absolute())


@dataclass(frozen=True)
class Begun(Generic[SettingsT]):
    """A run as a checkpoint has it.

    Arguments:
        source: where its data was read; None for what is no file.
        target: the column to predict; nothing for a kind without one.
        settings: how.
        own: for ``validation`` and ``test`` the same as `source`, where there was data
            of one's own.
    """

    source: Path | None
    target: str
    settings: SettingsT
    own: Mapping[str, Path | None]

    def own_sources(self, given: Sources) -> dict[str, Any]:
        """One's own data: what is given now, or else the files that there were.

        Arguments:
            given: where it is now, as `learn` takes it.

        Raises:
            ArgumentError: some is missing, or there was none.
        """
        return sources_again(self.own, given)


def begun(
    kind: Kind[SettingsT, Any, Any, Any, Any], saved: Saved[Any]
) -> Begun[SettingsT]:
    """What a checkpoint says of its data.

    Raises:
        ModelFileError: what it says is damaged.
    """
    try:
        noted = saved.setup.notes[kind.note]
        source, target = noted["source"], noted["target"] if kind.has_target else ""
        if not isinstance(source, str | None) or not isinstance(target, str):
            raise TypeError(source, target)
        settings = kind.settings.by_name(noted["settings"])
        own = own_paths(noted.get("own", {}))
        for each in (noted["data"], *(noted["data"][part] for part in own)):
            each["sha256"]
    except (KeyError, TypeError, AttributeError, ArgumentError) as error:
        raise ModelFileError(
            f"{saved.path}: what it says of its {kind.noun} is damaged: {error!r}"
        ) from None
    return Begun(None if source is None else Path(source), target, settings, own)


def require_same(kind: AnyKind, saved: Saved[Any], data: Mapping[str, Any]) -> None:
    """The data is what the run had.

    Raises:
        DataError: it isn't; the message says what differs.
    """
    if why := kind.difference(saved.setup.notes[kind.note]["data"], data):
        raise DataError(
            f"{data['name']}: must be the {kind.noun} that the run in {saved.path} "
            f"had, but {why}"
        )
