"""What ``thalweg train`` prints of images: as they were read, and what will learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.cli import report
from thalweg.cli.report import layers_line, split_line
from thalweg.cli.show import Facts
from thalweg.network import Network
from thalweg.vision.learn import TrainedOnImages
from thalweg.vision.prepare import PreparedImages

if TYPE_CHECKING:
    pass


ROWS = "images"  # what a step learns from


def found(parts: PreparedImages) -> Facts:
    """What was seen, the task, the split."""
    return [
        ("Images", f"{parts.name}: {parts.seen}"),
        ("Target", parts.task.line()),
        ("Split", split_line(parts)),
        *(("Note", note) for note in parts.notes),
    ]


def layers(parts: PreparedImages, network: Network) -> str:
    """The layers, and the number of parameters."""
    form = parts.form
    given = f"{form.height} × {form.width} × {form.channels}"
    return layers_line(given, network, form.shape)


def plain_facts(parts: PreparedImages) -> dict[str, Any]:
    """What was seen, for programs."""
    form, sets = parts.form, parts.data.sets
    left_out = [each for images in sets for each in images.left_out]
    return {
        "form": {
            "height": form.height,
            "width": form.width,
            "channels": form.channels,
        },
        "left_out": [{"name": each.name, "reason": each.reason} for each in left_out],
    }


def results(
    trained: TrainedOnImages,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
) -> None:
    """Scores, the learning curves in words, and the file."""
    report.results(trained, saved, replaced, seconds, notes, "image", "IMAGES")
