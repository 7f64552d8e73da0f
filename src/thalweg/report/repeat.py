"""The formulas that ran, and what runs them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from thalweg.kinds.own import PARTS
from thalweg.report.blocks import Block, Code, Facts, Paragraph, Section
from thalweg.report.evaluation import Evaluation
from thalweg.report.formatting import cut
from thalweg.report.image_evaluation import ImageEvaluation, own_recorded
from thalweg.report.recorded import Recorded
from thalweg.report.text_evaluation import TextEvaluation
from thalweg.report.text_evaluation import own_recorded as own_texts
from thalweg.tables.frames import FRAME
from thalweg.tables.source import STANDARD_INPUT, STANDARD_INPUT_NAME
from thalweg.tabular.command import changed, images_command, train_command
from thalweg.tabular.settings import Settings

MOST_LETTERS = 200_000


def formulas_section(evaluation: Recorded) -> Section:
    """What the network computes, forward and backward."""
    text = evaluation.model.network.explain()
    if len(text) > MOST_LETTERS:
        text = text[:MOST_LETTERS] + "\n… and more, which thalweg explain shows"
    return Section("formulas", "The formulas", [Code("As they were traced", text)])


def repeat_section(evaluation: Evaluation) -> Section:
    """The command, and how to know the table."""
    settings = evaluation.settings
    if settings is None:
        return unknown()
    return repeated(evaluation, command(evaluation, settings), settings.seed, "table")


def repeat_images_section(evaluation: ImageEvaluation) -> Section:
    """The command, and how to know the images."""
    settings = evaluation.settings
    if settings is None:
        return unknown()
    own = {part: str(x["name"]) for part, x in own_recorded(evaluation.model).items()}
    line = images_command(evaluation.data_name or "IMAGES", own, settings)
    return repeated(evaluation, line, settings.seed, "images")


def repeat_text_section(evaluation: TextEvaluation) -> Section:
    """The command, and how to know the text."""
    settings = evaluation.settings
    if settings is None:
        return unknown()
    own = {part: str(x["name"]) for part, x in own_texts(evaluation.model).items()}
    line = images_command(evaluation.data_name or "TEXT", own, settings)
    return repeated(evaluation, line, settings.seed, "text's numbers")


def unknown() -> Section:
    """The section of a model that doesn't say."""
    text = "The model doesn't say how it was trained."
    return Section("repeat", "How to repeat it", [Paragraph(text)])


def repeated(evaluation: Recorded, line: str, seed: int, what: str) -> Section:
    """The command, the seed, and the digest of what was trained on."""
    label = "The command that trains the same network again"
    pairs = [("Seed", str(seed))]
    if isinstance(digest := evaluation.recorded("data").get("sha256"), str):
        pairs.append((f"SHA-256 of the {what}", cut(digest)))
    blocks: list[Block] = [Code(label, line), Facts(pairs)]
    return Section("repeat", "How to repeat it", blocks)


def command(evaluation: Evaluation, settings: Settings) -> str:
    """A line for a shell; one of Python where a frame was trained on."""
    name, target = evaluation.data_name, evaluation.model.target
    own = {part: data for part in PARTS if (data := own_name(evaluation, part))}
    if name in ("", FRAME):
        given = [f"{key}={value!r}" for key, value in changed(settings).items()]
        others = [f"{part}_data={part}_table" for part in own]
        words = ", ".join([f"target={target!r}", *others, *given])
        return f"thalweg.train(table, {words})"
    source = STANDARD_INPUT if name == STANDARD_INPUT_NAME else name
    return train_command(source, own, target, settings)


def own_name(evaluation: Evaluation, part: str) -> str:
    """What the user's own table for a part was called; nothing if there was none."""
    recorded = evaluation.recorded("data").get(part)
    known = cast("Mapping[str, Any]", recorded if isinstance(recorded, Mapping) else {})
    return str(known.get("name", ""))
