"""What ``thalweg train`` prints of a text: as it was read, what learns, how well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from thalweg.cli.report import ended_line, layers_line
from thalweg.cli.show import Facts, facts, score_table, show
from thalweg.language.learn import TrainedOnText
from thalweg.language.prepare import PreparedText
from thalweg.network import Network
from thalweg.training.progress import figure

if TYPE_CHECKING:
    from rich.console import RenderableType


ROWS = "windows"  # what a step learns from


def found(parts: PreparedText) -> Facts:
    """What was seen, and the split."""
    texts = parts.texts
    split = (
        f"{len(texts.training):,} to learn from, then {len(texts.validation):,} to "
        f"choose the best epoch, then {len(texts.test):,} to test once at the end"
    )
    return [
        ("Text", f"{parts.name}: {parts.seen}"),
        ("Target", parts.targets.name),
        ("Split", split),
        *(("Note", note) for note in parts.notes),
    ]


def layers(parts: PreparedText, network: Network) -> str:
    """The layers, and the number of parameters."""
    length = parts.training.X.shape[1]
    return layers_line(f"{length} {parts.vocabulary.unit}", network, (length,))


def results(
    trained: TrainedOnText,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
) -> None:
    """Bits beside those of n-grams, the curves in words, and the file."""
    unit = trained.model.vocabulary.unit
    title = f"{len(trained.prepared.texts.test):,} {unit} never used"
    shown = next(iter(trained.baselines.values()))
    network = {name: trained.test[name] for name in shown}
    rows = [("network", network), *reversed(trained.baselines.items())]
    history = trained.history
    ended = ended_line(history, seconds)
    pairs: list[tuple[str, RenderableType]] = [
        ("Test", f"{figure(100 * trained.test['accuracy'])}% of {unit} guessed right"),
        ("Curves", trained.reading.text),
        ("Ended", ended),
        *compared(trained),
        *(("Note", note) for note in (*trained.notes, *notes)),
        ("Saved", f"{saved}{', replacing what was there' if replaced else ''}"),
        ("Next", Text(f"thalweg write {saved}", style="dim")),
    ]
    show(score_table(title, rows), facts(pairs))


def compared(trained: TrainedOnText) -> list[tuple[str, RenderableType]]:
    """Which n-gram would do as well; nothing if the network is better."""
    deciding = trained.prepared.deciding
    metric, found = deciding.metric, trained.baselines
    name = min(found, key=lambda each: found[each][metric])
    gain = deciding.gain(trained.test[metric], found[name][metric])
    if gain > 0:
        return []
    return [("Compared", f"on this text the {name} is better by {deciding.name}")]


def plain_facts(parts: PreparedText) -> dict[str, Any]:
    """What was seen, for programs."""
    return parts.plain_facts()
