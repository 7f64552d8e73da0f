"""The options of ``thalweg train``: one for each setting, with its default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

import thalweg.defaults as defaults
from thalweg.errors import ArgumentError
from thalweg.every_kind import settings_of
from thalweg.forecasting.settings import CELLS, NO_CELL, ForecastSettings
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.formulas.losses import LOSSES
from thalweg.formulas.optimizers import OPTIMIZERS
from thalweg.kinds.regimen import DECAYING, SCHEDULES
from thalweg.language.settings import TextSettings
from thalweg.sequences.settings import SequenceSettings
from thalweg.tables.choices import DECIMALS
from thalweg.tables.dialect import SEPARATOR_NAMES, USUAL_DIALECT, Dialect
from thalweg.tabular.command import NO_LAYERS, typed
from thalweg.tabular.settings import CHOICES, LISTS, Settings
from thalweg.text.read import UNIT_NAMES
from thalweg.vision.settings import ImageSettings

if TYPE_CHECKING:
    from thalweg.kinds.kind import Kind, SettingsT

Given = TypeVar("Given", bound=Callable[..., Any])

ALL_ROWS = "all"


def yes_or_no(text: str) -> bool:
    """What was answered.

    >>> yes_or_no("yes")
    True
    """
    return {"yes": True, "no": False}[text.lower()]


def comma_parts(text: str) -> tuple[str, ...]:
    """What stands between commas.

    >>> comma_parts("shift=2,rotate=10")
    ('shift=2', 'rotate=10')
    """
    return tuple(text.split(","))


def length_text(text: str) -> int | str:
    """Rows as a number; a duration as it was typed.

    >>> length_text("48"), length_text("2d")
    (48, '2d')
    """
    return int(text) if text.isdecimal() else text


def unit_numbers(text: str) -> tuple[int, ...]:
    """The units of layers.

    >>> unit_numbers("128,64"), unit_numbers("none")
    ((128, 64), ())
    """
    return () if text == NO_LAYERS else tuple(int(part) for part in text.split(","))


def row_number(text: str) -> int | str:
    """The rows of a step.

    >>> row_number("32"), row_number("all")
    (32, 'all')
    """
    return ALL_ROWS if text == ALL_ROWS else int(text)


@dataclass(frozen=True)
class Value:
    """What can be typed for an option.

    Arguments:
        metavar: what stands for it in the help text.
        must: what it must be, for an error.
        read: makes the setting's value of the text.
    """

    metavar: str
    must: str
    read: Callable[[str], Any]


NAME = Value("NAME", "a name", str)
COLUMN = Value("COLUMN", "a column's name", str)
DATE = Value("COLUMN[=FORM]", "a column's name, perhaps with =FORM", str)
BY_CLASS = Value("balanced|LABEL=W", "balanced, or a label with =W", str)
ABSENT = Value("[COLUMN=]TEXT", "a text, perhaps after COLUMN=", str)
MARK = Value("MARK", "a mark", str)
WHOLE = Value("N", "a whole number", int)
NUMBER = Value("X", "a number", float)
UNITS = Value(
    "N,N,…",
    f"whole numbers such as {typed(Settings.layers)}, or {NO_LAYERS}",
    unit_numbers,
)
ANSWER = Value("yes|no", "yes or no", yes_or_no)
PARTS = Value("WHAT=X,…", "such as shift=2,flip=horizontal", comma_parts)
FILTERS = Value("N,N,…", f"whole numbers such as 16,32, or {NO_LAYERS}", unit_numbers)
LENGTH = Value("N|TIME", "rows, or a duration such as 120h or 7d", length_text)
COLUMNS = Value("COLUMN,…", "names of columns, with commas between", comma_parts)
TEXT = Value("TEXT", "a text", lambda text: text or None)
CHARACTER = Value("CHARACTER", "a character", lambda text: text or None)
BATCH = Value("N", f"a whole number, 1 or more, or {ALL_ROWS}", row_number)

FILE, ROWS, NETWORK, TRAINING = (
    *("The table's file", "Rows and columns"),
    *("Network", "Training"),
)
IMAGES = "Images, where DATA is a folder or a file of them"
TEXTS = "Text, where DATA is one"
SEQUENCES = "Sequences, where rows of DATA belong together"
FORECAST = "A forecast, where DATA is a series in order of --time"
CELLS_OF_TIMES = "What goes through a series, sequences or a text"
READING = "What cells mean, where they don't decide it"


@dataclass(frozen=True)
class Words:
    """How a setting is shown as an option.

    Arguments:
        panel: the heading in the help text that it stands under.
        value: what can be typed.
        help: what it is.
        unset: what happens without it, where the default doesn't say so itself.
    """

    panel: str
    value: Value
    help: str
    unset: str = ""


WORDS: Mapping[str, Words] = {
    "separator": Words(
        FILE,
        CHARACTER,
        f"What stands between cells; also {' or '.join(SEPARATOR_NAMES)}.",
        "by the first lines",
    ),
    "encoding": Words(
        FILE,
        NAME,
        "Of the text, such as cp1252.",
        "UTF-8, or what a mark at the start says",
    ),
    "skip_rows": Words(FILE, WHOLE, "How many lines above the header are left out."),
    "comment": Words(
        FILE, TEXT, "Leave out lines that start with it, such as #.", "none are"
    ),
    "task": Words(ROWS, NAME, "What to predict: classes or number.", "by the target"),
    "target_scale": Words(
        ROWS,
        NAME,
        "What is learned of a number: linear, itself, or log, its logarithm.",
        "linear",
    ),
    "ignore": Words(ROWS, COLUMN, "Set a column aside; may be repeated.", "none"),
    "category": Words(
        READING, COLUMN, "A column of categories, also of numbers; may be repeated."
    ),
    "number": Words(READING, COLUMN, "A column of numbers; may be repeated."),
    "date": Words(
        READING, DATE, "A column of dates, as strptime has its FORM; may be repeated."
    ),
    "missing": Words(
        READING, ABSENT, "A text that means that nothing is known; may be repeated."
    ),
    "decimal": Words(READING, MARK, f"The point of numbers: {' or '.join(DECIMALS)}"),
    "thousands": Words(
        READING, MARK, f"What separates thousands: {' '.join(CHOICES['thousands'])}"
    ),
    "limits": Words(
        READING,
        NAME,
        "What <0.5 is: bound, the number itself, or missing.",
        "an error",
    ),
    "weights": Words(ROWS, COLUMN, "The column with each row's weight.", "none"),
    "class_weight": Words(
        ROWS,
        BY_CLASS,
        "What rows of a class count while learning; balanced is all classes alike; may "
        "be repeated.",
        "1 each",
    ),
    "group": Words(
        ROWS, COLUMN, "Rows of one group stay together, such as a patient's.", "none"
    ),
    "time": Words(
        ROWS,
        COLUMN,
        "Put rows in its order: test on the last, validate on those before.",
        "none",
    ),
    "validation": Words(ROWS, NUMBER, "The share of rows that choose the best epoch."),
    "test": Words(ROWS, NUMBER, "The share of rows scored once, at the end."),
    "layers": Words(
        NETWORK,
        UNITS,
        f"The units of each hidden layer; {NO_LAYERS} is a linear model.",
    ),
    "activation": Words(NETWORK, NAME, f"Of hidden layers: {', '.join(ACTIVATIONS)}."),
    "dropout": Words(NETWORK, NUMBER, "The share of hidden units dropped in a step."),
    "loss": Words(
        TRAINING,
        NAME,
        f"{', '.join(LOSSES)}.",
        "cross_entropy for classes, mean_squared_error for a number",
    ),
    "optimizer": Words(TRAINING, NAME, f"{', '.join(OPTIMIZERS)}."),
    "learning_rate": Words(TRAINING, NUMBER, "The learning rate at its highest."),
    "schedule": Words(TRAINING, NAME, f"How it changes: {', '.join(SCHEDULES)}."),
    "batch_size": Words(
        TRAINING,
        BATCH,
        f"The rows of a step; {ALL_ROWS} is full-batch gradient descent.",
        "by the number of rows",
    ),
    "epochs": Words(TRAINING, WHOLE, "How often every row is used, at most."),
    "patience": Words(
        TRAINING,
        WHOLE,
        "Stop after so many epochs in which the validation loss doesn't improve.",
    ),
    "min_delta": Words(TRAINING, NUMBER, "A smaller improvement of it doesn't count."),
    "l1": Words(TRAINING, NUMBER, "Penalty on absolute weights, added to the loss."),
    "l2": Words(TRAINING, NUMBER, "Penalty on squared weights, added to the loss."),
    "weight_decay": Words(
        TRAINING,
        NUMBER,
        f"Decoupled decay of {' and '.join(DECAYING)}.",
        "the optimizer's own",
    ),
    "clip_norm": Words(TRAINING, NUMBER, "The longest gradient allowed.", "any"),
    "seed": Words(TRAINING, WHOLE, "The same seed gives the same network."),
}
IMAGE_WORDS: Mapping[str, Words] = {
    "height": Words(
        IMAGES, WHOLE, "That every image is brought to, in pixels.", "what they have"
    ),
    "width": Words(
        IMAGES, WHOLE, "That every image is brought to, in pixels.", "what they have"
    ),
    "color": Words(IMAGES, ANSWER, "Whether to read in color.", "as the images are"),
    "augment": Words(
        IMAGES,
        PARTS,
        "How images vary in training, such as shift=2,flip=horizontal,rotate=10.",
        "not at all",
    ),
    "filters": Words(
        IMAGES,
        FILTERS,
        f"Of each convolution, which a max pool follows; {NO_LAYERS} is without.",
        "by their size",
    ),
}
TEXT_WORDS: Mapping[str, Words] = {
    "unit": Words(
        TEXTS,
        NAME,
        f"What is predicted: {' or '.join(UNIT_NAMES)}; with it any file is a text.",
        typed(TextSettings.unit),
    ),
    "characters": Words(
        TEXTS,
        WHOLE,
        "How many different ones are known at most; rarer ones are one unknown.",
        f"{TextSettings.characters:,}",
    ),
    "length": Words(
        TEXTS,
        WHOLE,
        "Characters of a window, through which gradients go.",
        typed(TextSettings.length),
    ),
}
TEXT_DEFAULTS: Mapping[str, Any] = {
    each.name: each.default for each in fields(TextSettings)
}
FOR_TEXTS: Mapping[str, str] = {
    "epochs": "by its length",
    "batch_size": f"{defaults.TEXT_BATCH} windows",
}
"""What happens with a text, where None stands for it."""

FORECAST_WORDS: Mapping[str, Words] = {
    "history": Words(
        FORECAST, LENGTH, "How much a forecast looks at: rows, or 120h, 7d.", "none"
    ),
    "ahead": Words(
        FORECAST, LENGTH, "How far it goes: rows, or 12h, 30min.", "no forecast"
    ),
    "known_ahead": Words(
        FORECAST,
        COLUMNS,
        "What is known of the times ahead, too, such as holidays.",
        "the calendar alone",
    ),
}
CELL_WORDS: Mapping[str, Words] = {
    "cell": Words(
        CELLS_OF_TIMES,
        NAME,
        f"What goes through the times: {', '.join(CELLS)}; of a text also rnn and "
        f"transformer; with {NO_CELL} a forecast gives its history to dense layers.",
        ForecastSettings.cell,
    ),
    "units": Words(
        CELLS_OF_TIMES,
        WHOLE,
        "Of the cell; of a text those are --layers.",
        str(ForecastSettings.units),
    ),
}
SEQUENCE_WORDS: Mapping[str, Words] = {
    "sequence": Words(
        SEQUENCES, COLUMN, "Rows with the same cell of it are one sequence.", "none"
    ),
    "order": Words(
        SEQUENCES, COLUMN, "Put the rows of a sequence in its order.", "as they stand"
    ),
    "group_by_length": Words(
        SEQUENCES,
        ANSWER,
        "Whether batches are of sequences of similar length, which takes less time.",
        "no",
    ),
}
SEQUENCE_DEFAULTS: Mapping[str, Any] = {
    each.name: each.default for each in fields(SequenceSettings)
}
FORECAST_DEFAULTS: Mapping[str, Any] = {
    each.name: each.default for each in fields(ForecastSettings)
}
OTHER_WORDS: Mapping[str, Words] = {
    **IMAGE_WORDS,
    **TEXT_WORDS,
    **FORECAST_WORDS,
    **SEQUENCE_WORDS,
    **CELL_WORDS,
}
EVERY_WORD: Mapping[str, Words] = {**WORDS, **OTHER_WORDS}

IMAGE_DEFAULTS: Mapping[str, Any] = {
    each.name: each.default for each in fields(ImageSettings)
}
FOR_IMAGES: Mapping[str, str] = {
    "epochs": "by their number",
    "validation": f"at most {defaults.MOST_VALIDATION_IMAGES:,}",
}
"""What happens with images, where None stands for it."""

OTHERS = {"images": (IMAGE_DEFAULTS, FOR_IMAGES), "text": (TEXT_DEFAULTS, FOR_TEXTS)}
"""The defaults of data that isn't a table, and what None stands for."""

DEFAULTS: Mapping[str, Any] = {each.name: each.default for each in fields(Settings)}
REPEATED = tuple(LISTS)


def with_settings(command: Callable[..., int]) -> Callable[..., int]:
    """The command of any data, with an option for each setting of every kind."""
    shared = words_for("images", "text")
    return with_options(command, {**shared, **OTHER_WORDS})


def words_for(*kinds: str) -> dict[str, Words]:
    """The words of a table's settings, which say what other kinds do without them."""
    return {
        name: replace(words, unset=unset_for(name, kinds))
        for name, words in WORDS.items()
    }


def unset_for(name: str, kinds: Sequence[str]) -> str:
    """What happens without an option, with tables and with other kinds of data."""
    found = WORDS[name].unset or shown_default(name)
    for kind in kinds:
        own, of_none = OTHERS[kind]
        if name in own and (own[name] != DEFAULTS[name] or name in of_none):
            value = own[name]
            found += f"] [{kind}: {of_none[name] if value is None else typed(value)}"
    return found


def with_dialect(command: Callable[..., None]) -> Callable[..., None]:
    """The command of a model, with options for a file that is written otherwise."""
    names = [each.name for each in fields(Dialect)]
    trained = {name: replace(WORDS[name], unset="as in training") for name in names}
    return with_options(command, trained)


def with_options(command: Given, words: Mapping[str, Words]) -> Given:
    """The command with its ``**given`` spelled out as options, for Typer to read."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind != p.VAR_KEYWORD]
    options = [option(name, each) for name, each in words.items()]
    command.__dict__["__signature__"] = signature.replace(parameters=[*own, *options])
    return command


def option(name: str, words: Words) -> inspect.Parameter:
    """A setting as a parameter; it is None unless given."""
    shown = typer.Option(
        help=f"{words.help} [{words.unset or shown_default(name)}]",
        metavar=words.value.metavar,
        rich_help_panel=words.panel,
    )
    kind: Any = list[str] if name in REPEATED else str
    annotation = Annotated[kind | None, shown]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=None, annotation=annotation)


def shown_default(name: str) -> str:
    """What happens without the option, in the help text."""
    if WORDS[name].panel == READING:
        return "none" if name in REPEATED else "by the cells"
    return typed(DEFAULTS[name])


def chosen_settings(
    kind: Kind[SettingsT, Any, Any, Any, Any], given: Mapping[str, Any]
) -> SettingsT:
    """The settings of some data, from the options that were given.

    Raises:
        ArgumentError: one of them can't be used, or is of another kind of data.
    """
    return settings_of(kind, texts_given(given))


def require_no_dialect(
    given: Mapping[str, Any], lenient: bool, takes: str = "images"
) -> None:
    """Nothing was given that is about a table's cells.

    Raises:
        ArgumentError: something was.
    """
    named = {**given, "lenient": lenient or None}
    for name in (name for name, value in named.items() if value is not None):
        raise ArgumentError(
            f"{name} must be left out: MODEL takes {takes}, not a table"
        )


def texts_given(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, each as the setting's value."""
    return {
        name: value if isinstance(value, list) else read(name, value)
        for name, value in given.items()
        if value not in (None, [])
    }


def chosen_dialect(given: Mapping[str, Any], usual: Dialect) -> Dialect:
    """The usual dialect, but for the options that were given.

    Raises:
        ArgumentError: one of them can't be used.
    """
    texts = {name: text for name, text in given.items() if text is not None}
    return replace(usual, **{name: read(name, text) for name, text in texts.items()})


def dialect_given(given: Mapping[str, Any]) -> Dialect:
    """How a file's text is written, of all options that were given.

    Raises:
        ArgumentError: one of them can't be used.
    """
    names = [each.name for each in fields(Dialect)]
    return chosen_dialect({name: given.get(name) for name in names}, USUAL_DIALECT)


def read(name: str, text: str) -> Any:
    """What was typed, as the setting's value."""
    value = EVERY_WORD[name].value
    try:
        return value.read(text)
    except (ValueError, KeyError):
        raise ArgumentError(f"{name} must be {value.must}, got {text!r}") from None
