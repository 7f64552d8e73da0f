"""What is printed of each kind of data, by the kind's name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from thalweg.cli.show import Facts, facts, show

if TYPE_CHECKING:
    from thalweg.kinds.parts import Parts
    from thalweg.kinds.regimen import Regimen
    from thalweg.network import Network


class Told(Protocol):
    """What the module of a kind has."""

    @property
    def ROWS(self) -> str:  # noqa: N802 - a constant of the module
        """What a step learns from."""
        ...

    def found(self, parts: Any, /) -> Facts:
        """What was found in the data, and how it's split."""
        ...

    def layers(self, parts: Any, network: Network, /) -> str:
        """The network, in a line."""
        ...

    def results(
        self,
        trained: Any,
        saved: Path,
        replaced: bool,
        seconds: float,
        notes: Sequence[str] = (),
        /,
    ) -> None:
        """Scores, the learning curves in words, and the file."""

    def plain_facts(self, parts: Any, /) -> dict[str, Any]:
        """What was seen, for programs."""
        ...


def told_of(kind: str) -> Told:
    """What is printed of a kind of data."""
    match kind:
        case "images":
            from thalweg.cli import image_report

            return image_report
        case "text":
            from thalweg.cli import text_report

            return text_report
        case "forecast":
            from thalweg.cli import forecast_report

            return forecast_report
        case "sequences":
            from thalweg.cli import sequence_report

            return sequence_report
        case _:
            from thalweg.cli import table_report

            return table_report


def show_start(told: Told, parts: Parts, network: Network, settings: Regimen) -> None:
    """What was found in the data, and what will learn."""
    from thalweg.cli.report import training_line

    rows = len(parts.training.X)
    pairs: Facts = [
        *told.found(parts),
        ("Network", told.layers(parts, network)),
        ("Training", training_line(settings, rows, told.ROWS)),
    ]
    show(facts(pairs))
