"""The options of ``thalweg train``: one for each setting, with that setting's default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, get_args, get_type_hints

import typer

from thalweg.data.settings import SCHEDULES, Settings, settings_from
from thalweg.errors import ArgumentError
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.formulas.losses import LOSSES
from thalweg.formulas.optimizers import OPTIMIZERS

NO_LAYERS = "none"
ALL_ROWS = "all"


def unit_numbers(text: str) -> tuple[int, ...]:
    """The units of layers.

    >>> unit_numbers("128,64"), unit_numbers("none")
    ((128, 64), ())
    """
    if text.strip().lower() == NO_LAYERS:
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentError(
            "layers must be whole numbers with commas between, such as 128,64, "
            f"or {NO_LAYERS}, got {text!r}"
        ) from None


def row_number(text: str) -> int | str:
    """The rows of a step.

    >>> row_number("32"), row_number("all")
    (32, 'all')
    """
    if text.strip().lower() == ALL_ROWS:
        return ALL_ROWS
    try:
        return int(text)
    except ValueError:
        must = f"a whole number of at least 1, or {ALL_ROWS}"
        raise ArgumentError(f"batch_size must be {must}, got {text!r}") from None


@dataclass(frozen=True)
class Words:
    """How a setting is shown as an option.

    Arguments:
        panel: the heading in the help text that it stands under.
        help: what it is.
        unset: what happens without it, for a setting whose default is None or nothing.
        metavar: what stands for its value; X for a number, N for a whole one.
        parse: makes the setting of a text, where the setting isn't a text or a number.
    """

    panel: str
    help: str
    unset: str = ""
    metavar: str | None = None
    parse: Callable[[str], Any] | None = field(default=None)


def whole_number(text: str) -> int:
    """A whole number."""
    return as_number(int, text, "a whole number")


def number(text: str) -> float:
    """A number."""
    return as_number(float, text, "a number")


ROWS, NETWORK, TRAINING = "Rows and columns", "Network", "Training"
METAVARS: Mapping[Any, str] = {int: "N", float: "X"}

WORDS: Mapping[str, Words] = {
    "task": Words(ROWS, "classes or number.", "by the target", "TASK"),
    "ignore": Words(
        ROWS, "Set a column aside; may be given again and again.", "none", "COLUMN"
    ),
    "weights": Words(ROWS, "The column with each row's weight.", "none", "COLUMN"),
    "validation": Words(ROWS, "The share of rows that choose the best epoch."),
    "test": Words(ROWS, "The share of rows that are scored once, at the end."),
    "layers": Words(
        NETWORK,
        f"The units of each hidden layer; {NO_LAYERS} is a linear model.",
        metavar="N,N,…",
        parse=unit_numbers,
    ),
    "activation": Words(
        NETWORK, f"Of the hidden layers: {', '.join(ACTIVATIONS)}.", metavar="NAME"
    ),
    "dropout": Words(NETWORK, "The share of hidden units switched off in a step."),
    "loss": Words(
        TRAINING,
        f"{', '.join(LOSSES)}.",
        "cross_entropy for classes, mean_squared_error for a number",
        "NAME",
    ),
    "optimizer": Words(TRAINING, f"{', '.join(OPTIMIZERS)}.", metavar="NAME"),
    "learning_rate": Words(TRAINING, "The learning rate at its highest."),
    "schedule": Words(
        TRAINING, f"How it changes: {', '.join(SCHEDULES)}.", metavar="NAME"
    ),
    "batch_size": Words(
        TRAINING,
        f"The rows of a step; {ALL_ROWS} is full-batch gradient descent.",
        "32, for large tables 128",
        "N",
        row_number,
    ),
    "epochs": Words(TRAINING, "How often every row is used, at most."),
    "patience": Words(
        TRAINING, "Stop after so many epochs in which the validation loss stays."
    ),
    "min_delta": Words(TRAINING, "A smaller improvement of it doesn't count."),
    "l1": Words(TRAINING, "Penalty on the absolute weights, added to the loss."),
    "l2": Words(TRAINING, "Penalty on the squared weights, added to the loss."),
    "weight_decay": Words(
        TRAINING, "Decoupled weight decay of adamw and lion.", "the optimizer's own"
    ),
    "clip_norm": Words(TRAINING, "The longest gradient allowed.", "any"),
    "seed": Words(TRAINING, "The same seed gives the same network."),
}


def option_parameters() -> list[inspect.Parameter]:
    """A parameter for each setting, in the order of the help text; None if not given."""
    hints = get_type_hints(Settings)
    defaults = {each.name: each.default for each in fields(Settings)}
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                kind_of(hints[name], words) | None,
                typer.Option(
                    help=f"{words.help} [{words.unset or text_of(defaults[name])}]",
                    metavar=words.metavar or METAVARS[kind_of(hints[name], words)],
                    rich_help_panel=words.panel,
                ),
            ],
        )
        for name, words in WORDS.items()
    ]


def kind_of(hint: Any, words: Words) -> Any:
    """The type that an option's value is read as."""
    if words.parse is not None:
        return str
    if ... in get_args(hint):
        return list[str]
    return next(kind for kind in (hint, *get_args(hint)) if kind in (int, float, str))


def text_of(default: Any) -> str:
    """A default as it would be typed."""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def with_settings(command: Callable[..., int]) -> Callable[..., int]:
    """The command with its ``**given`` spelled out as options, for Typer to read."""
    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.kind != each.VAR_KEYWORD]
    spelled = signature.replace(parameters=[*own, *option_parameters()])
    setattr(command, "__signature__", spelled)
    return command


def chosen_settings(given: Mapping[str, Any]) -> Settings:
    """The settings, from the options that were given.

    Raises:
        ArgumentError: one of them can't be used.
    """
    return settings_from(
        {
            name: parse(value) if (parse := WORDS[name].parse) else value
            for name, value in given.items()
            if value is not None
        }
    )
