"""What a command is to learn from: the kind of data, what to predict, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.cli.inputs import require_target
from thalweg.cli.options import chosen_settings, dialect_given
from thalweg.every_kind import kind_for

if TYPE_CHECKING:
    from thalweg.kinds.kind import AnyKind
    from thalweg.kinds.regimen import Regimen


@dataclass(frozen=True)
class Asked:
    """What is to be learned.

    Arguments:
        kind: of data.
        target: the column to predict; nothing for a kind without one.
        settings: how.
    """

    kind: AnyKind
    target: str
    settings: Regimen


def asked(data: Path, target: str | None, given: Mapping[str, Any]) -> Asked:
    """What is to be learned, by what was given.

    Arguments:
        data: where it is.
        target: the column to predict, if there is one.
        given: the options.

    Raises:
        ArgumentError: something is missing or can't be used.
        FileError, DataError: the table without a target can't be read.
    """
    kind = kind_for(data, target, given)
    settings = chosen_settings(kind, given)
    if kind.has_target:
        require_target(data, target, dialect_given(given))
    return Asked(kind, kind.require_target(target), settings)
