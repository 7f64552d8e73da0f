"""The command that trains with some settings, as it is typed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from thalweg.kinds.regimen import Regimen
from thalweg.tabular.settings import LISTS

NO_LAYERS = "none"


def train_command(
    source: object, own: Mapping[str, object], target: str, settings: Regimen
) -> str:
    """The command that trains on any data with some settings, for a shell.

    Arguments:
        source: the data's file.
        own: data of one's own by their part.
        target: the column to predict; nothing for data without one.
        settings: those that aren't the usual ones become options.

    Example:
        >>> from thalweg.tabular.settings import Settings
        >>> settings = Settings(group="who", layers=(8, 4), ignore=("a b",))
        >>> train_command("t.csv", {}, "y", settings)
        "thalweg train t.csv --target y --layers 8,4 --ignore 'a b' --group who"
    """
    words = ["thalweg", "train", str(source)]
    if target:
        words += ["--target", target]
    return shlex.join([*words, *own_options(own), *options(settings)])


def own_options(own: Mapping[str, object]) -> list[str]:
    """What is one's own by its part, as options."""
    return [word for part in own for word in (f"--{part}-data", str(own[part]))]


def options(settings: Regimen) -> list[str]:
    """The settings that aren't the defaults, as options.

    >>> from thalweg.tabular.settings import Settings
    >>> options(Settings(layers=(8, 4), ignore=("id", "name"), seed=1))
    ['--layers', '8,4', '--ignore', 'id', '--ignore', 'name', '--seed', '1']
    """
    words: list[str] = []
    for name, value in changed(settings).items():
        each = value if name in LISTS else [value]
        option = f"--{name.replace('_', '-')}"
        words += [word for one in each for word in (option, typed(one))]
    return words


def changed(settings: Regimen) -> dict[str, Any]:
    """The settings that aren't the defaults."""
    known = fields(settings)  # pyright: ignore[reportArgumentType] - each is a dataclass
    values = {each: getattr(settings, each.name) for each in known}
    return {each.name: value for each, value in values.items() if value != each.default}


def typed(value: object) -> str:
    """A setting as it would be typed.

    >>> typed((128, 64)), typed((8,)), typed(()), typed(0.003), typed(True)
    ('128,64', '8', 'none', '0.003', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        units = cast(tuple[int, ...], value)
        return ",".join(map(str, units)) or NO_LAYERS
    return str(value)
