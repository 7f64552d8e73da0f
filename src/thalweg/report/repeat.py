"""The formulas that ran, and what runs them again."""

from __future__ import annotations

from thalweg.kinds.regimen import Regimen
from thalweg.report.blocks import Block, Code, Facts, Paragraph, Section
from thalweg.report.evaluation import Recorded
from thalweg.report.formatting import cut
from thalweg.tables.frames import FRAME
from thalweg.tables.source import STANDARD_INPUT, STANDARD_INPUT_NAME
from thalweg.tabular.command import changed, train_command

MOST_LETTERS = 200_000
HASHED = {"text": "text's numbers"}
"""What a digest is of, where that isn't the data itself."""


def formulas_section(evaluation: Recorded) -> Section:
    """What the network computes, forward and backward."""
    text = evaluation.model.network.explain()
    if len(text) > MOST_LETTERS:
        text = text[:MOST_LETTERS] + "\n… and more, which thalweg explain shows"
    return Section("formulas", "The formulas", [Code("As they were traced", text)])


def repeat_section(evaluation: Recorded) -> Section:
    """The command, the seed, and the digest of what was trained on."""
    settings = evaluation.settings
    if settings is None:
        text = "The model doesn't say how it was trained."
        return Section("repeat", "How to repeat it", [Paragraph(text)])
    label = "The command that trains the same network again"
    pairs = [("Seed", str(settings.seed))]
    if isinstance(digest := evaluation.recorded("data").get("sha256"), str):
        what = HASHED.get(evaluation.kind.name, evaluation.kind.noun)
        pairs.append((f"SHA-256 of the {what}", cut(digest)))
    blocks: list[Block] = [Code(label, command(evaluation, settings)), Facts(pairs)]
    return Section("repeat", "How to repeat it", blocks)


def command(evaluation: Recorded, settings: Regimen) -> str:
    """A line for a shell; one of Python where a frame was trained on."""
    kind, name, own = evaluation.kind, evaluation.data_name, evaluation.own_names
    if not kind.has_target:
        return train_command(name or kind.noun.upper(), own, "", settings)
    target = evaluation.model.target
    if name in ("", FRAME):
        given = [f"{key}={value!r}" for key, value in changed(settings).items()]
        others = [f"{part}_data={part}_table" for part in own]
        words = ", ".join([f"target={target!r}", *others, *given])
        return f"thalweg.train(table, {words})"
    source = STANDARD_INPUT if name == STANDARD_INPUT_NAME else name
    return train_command(source, own, target, settings)
