"""What ``thalweg train`` prints of any kind of data: the network, the results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.text import Text

from thalweg.cli.show import Facts, facts, score_table, show
from thalweg.formulas.augmentation import Augment
from thalweg.formulas.chain import shapes_of
from thalweg.formulas.convolution import Conv
from thalweg.formulas.embedding import Embedding
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.formulas.preparation import Rescale
from thalweg.formulas.recurrence import GRU, LSTM, RNN, Last
from thalweg.formulas.transformer import TransformerBlock
from thalweg.kinds.bootstrap import CONFIDENCE
from thalweg.kinds.cautions import interval_of
from thalweg.kinds.parts import Parts
from thalweg.kinds.regimen import Regimen
from thalweg.kinds.row_errors import RowErrors
from thalweg.kinds.trained import TrainedModel
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.training.progress import figure
from thalweg.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

Trained: TypeAlias = TrainedModel[Any, Any]

GUESS = "constant guess"


def split_line(prepared: Parts) -> str:
    """How many rows each part has."""
    return (
        f"{len(prepared.training.X):,} to learn from, "
        f"{len(prepared.validation.X):,} to choose the best epoch, "
        f"{len(prepared.test.X):,} to test once at the end"
    )


def layers_line(inputs: str, network: Network, shape: Shape) -> str:
    """What goes in, the layers, and the number of parameters."""
    parameters = shapes_of(network.layers, shape, network.dtype).parameters
    count = sum(math.prod(each.shape) for each in parameters.values())
    parts = [inputs, *(layer_words(each) for each in network.layers)]
    return f"{' → '.join(parts)}; {counted(count, 'parameter')}"


def layer_words(layer: Layer) -> str:
    """A layer in a few words."""
    match layer:
        case Dense():
            return f"{layer.units} {layer.activation}"
        case Dropout():
            return f"dropout {layer.rate:g}"
        case Columns():
            embedded = sum(part is not None for _, _, part in layer.parts)
            return counted(embedded, "embedding")
        case Conv():
            size = f"{layer.size} × {layer.size}"
            return f"{layer.filters} filters {size} {layer.activation}"
        case MaxPool():
            return f"max pool {layer.size}"
        case Augment():
            return f"augment ({', '.join(varied(layer))})"
        case Rescale():
            return "rescale"
        case Flatten():
            return "flatten"
        case Embedding():
            return f"embedding {layer.dimension}"
        case GRU() | LSTM() | RNN():
            return f"{type(layer).__name__} {layer.units}"
        case Last():
            return "last time"
        case TransformerBlock():
            return f"transformer block, {counted(layer.heads, 'head')}"
        case _:
            return str(layer)


def varied(layer: Augment) -> list[str]:
    """How images vary in training."""
    values = {each.name: getattr(layer, each.name) for each in fields(layer)}
    return [f"{name} {value}" for name, value in values.items() if value]


def training_line(settings: Regimen, rows: int, noun: str = "rows") -> str:
    """The optimizer, how fast, how many rows a step."""
    batch = settings.rows_a_step(rows)
    return (
        f"{settings.optimizer}, learning rate {settings.learning_rate:g} "
        f"({settings.schedule}), {'all' if batch == 'all' else batch} {noun} a step, "
        f"at most {counted(settings.most_epochs(rows), 'epoch')}, seed {settings.seed}"
    )


def results(
    trained: Trained,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str],
    row: str,
    data: str = "DATA",
) -> None:
    """Scores, the learning curves in words, what was noted before, and the file.

    Arguments:
        trained: the network.
        saved: its file.
        replaced: whether that was there before.
        seconds: that all took.
        notes: what was noted of the data, where that wasn't shown.
        row: what one row of the test is.
        data: what the model can predict next, in the command.
    """
    title = f"{counted(len(trained.prepared.test.X), row)} never used"
    rows = [("network", trained.test), *reversed(trained.baselines.items())]
    pairs = [
        *conclusions(trained, seconds, row),
        *(("Note", note) for note in notes),
        *saved_as(saved, replaced, data),
    ]
    show(score_table(title, rows), facts(pairs))


def conclusions(trained: Trained, seconds: float, row: str) -> Facts:
    """What the figures mean."""
    history = trained.history
    ended = ended_line(history, seconds)
    compared = comparison(trained, row)
    return [
        *certainty(trained),
        ("Curves", trained.reading.text),
        ("Ended", ended),
        *((("Compared", compared),) if compared else ()),
        *(("Note", note) for note in trained.notes),
    ]


def ended_line(history: History, seconds: float) -> str:
    """The best epoch, why training ended, how long all took."""
    return (
        f"epoch {history.best_epoch} was the best of {history.stopped_epoch}; "
        f"{history.stopped_because}; {seconds:.1f} s in all"
    )


def certainty(trained: Trained) -> Facts:
    """How sure the score is, where the errors of each row are known still."""
    errors = getattr(trained, "errors", None)
    if not isinstance(errors, RowErrors):
        return []
    deciding = trained.prepared.deciding
    found = interval_of(errors, deciding)
    value = figure(trained.test[deciding.metric])
    ends = f"{figure(found.low)} to {figure(found.high)}"
    return [("Test", f"{deciding.name} {value}, {CONFIDENCE:.0%} interval {ends}")]


def comparison(trained: Trained, row: str) -> str:
    """Whether a simpler model would do; nothing if the network is better.

    By which metric is always said where it isn't the usual one.
    """
    deciding = trained.prepared.deciding
    metric, name = deciding.metric, strongest(trained)
    gain = deciding.gain(trained.test[metric], trained.baselines[name][metric])
    if gain > 0 and not deciding.why:
        return ""
    if gain > 0:
        return f"the network is better than the {name} by {deciding.words}"
    how = "is as good" if gain == 0 else "is better"
    return f"on these {row}s the {name} {how} by {deciding.words}"


def strongest(trained: Trained) -> str:
    """The baseline to beat; a guess only where there is no other."""
    deciding, found = trained.prepared.deciding, trained.baselines
    names = [name for name in found if name != GUESS] or [GUESS]
    least = found[GUESS][deciding.metric]
    return max(names, key=lambda n: deciding.gain(found[n][deciding.metric], least))


def saved_as(
    saved: Path, replaced: bool, data: str
) -> Iterable[tuple[str, RenderableType]]:
    """The file, and what can be done with it."""
    yield "Saved", Text(f"{saved}{', replacing what was there' if replaced else ''}")
    yield "Next", Text(f"thalweg predict {saved} {data}", style="dim")
