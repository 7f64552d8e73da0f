"""The formulas that ran, and what runs them again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from thalweg.report.blocks import Block, Code, Facts, Paragraph, Section
from thalweg.report.evaluation import Evidence
from thalweg.report.words import cut
from thalweg.tables.frames import FRAME
from thalweg.tables.source import STANDARD_INPUT, STANDARD_INPUT_NAME
from thalweg.tabular.own import PARTS
from thalweg.tabular.settings import Settings

NO_LAYERS = "none"
MOST_LETTERS = 200_000


def formulas_section(evidence: Evidence) -> Section:
    """What the network computes, forward and backward."""
    text = evidence.model.network.explain()
    if len(text) > MOST_LETTERS:
        text = text[:MOST_LETTERS] + "\n… and more, which thalweg explain shows"
    return Section("formulas", "The formulas", [Code("As they were traced", text)])


def repeat_section(evidence: Evidence) -> Section:
    """The command, and how to know the table."""
    settings, blocks = evidence.settings, list[Block]()
    if settings is None:
        return Section(
            "repeat",
            "How to repeat it",
            [Paragraph("The model doesn't say how it was trained.")],
        )
    label = "The command that trains the same network again"
    blocks.append(Code(label, command(evidence, settings)))
    data = evidence.recorded("data")
    pairs = [("Seed", str(settings.seed))]
    if isinstance(digest := data.get("sha256"), str):
        pairs.append(("SHA-256 of the table", cut(digest)))
    blocks.append(Facts(pairs))
    return Section("repeat", "How to repeat it", blocks)


def command(evidence: Evidence, settings: Settings) -> str:
    """A line for a shell; one of Python where a frame was trained on."""
    name, target = evidence.data_name, evidence.model.target
    own = {part: data for part in PARTS if (data := own_name(evidence, part))}
    if name in ("", FRAME):
        given = [f"{key}={value!r}" for key, value in changed(settings).items()]
        others = [f"{part}_data={part}_table" for part in own]
        words = ", ".join([f"target={target!r}", *others, *given])
        return f"thalweg.train(table, {words})"
    source = STANDARD_INPUT if name == STANDARD_INPUT_NAME else name
    words = ["thalweg", "train", source, "--target", target]
    words += [word for part in own for word in (f"--{part}-data", own[part])]
    return shlex.join([*words, *options(settings)])


def own_name(evidence: Evidence, part: str) -> str:
    """What the user's own table for a part was called; nothing if there was none."""
    recorded = evidence.recorded("data").get(part)
    known = cast("Mapping[str, Any]", recorded if isinstance(recorded, Mapping) else {})
    return str(known.get("name", ""))


def changed(settings: Settings) -> dict[str, Any]:
    """The settings that aren't the defaults."""
    values = {each.name: getattr(settings, each.name) for each in fields(Settings)}
    return {
        each.name: values[each.name]
        for each in fields(Settings)
        if values[each.name] != each.default
    }


def options(settings: Settings) -> list[str]:
    """The same as they are typed.

    >>> options(Settings(layers=(8, 4), ignore=("id", "name"), seed=1))
    ['--layers', '8,4', '--ignore', 'id', '--ignore', 'name', '--seed', '1']
    """
    words: list[str] = []
    for name, value in changed(settings).items():
        option = f"--{name.replace('_', '-')}"
        if name == "layers":
            words += [option, ",".join(map(str, value)) or NO_LAYERS]
        elif isinstance(value, tuple):
            words += [word for each in value for word in (option, each)]  # pyright: ignore[reportUnknownVariableType]
        else:
            words += [option, str(value)]
    return words
