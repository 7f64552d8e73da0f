"""What ``thalweg train`` prints: the table as it was understood, and the results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rich.text import Text

from thalweg.cli.show import Facts, column_table, facts, score_table, show
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
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.tables.table import Table
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.training.progress import figure
from thalweg.vision.learn import TrainedOnImages
from thalweg.vision.prepare import PreparedImages
from thalweg.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from thalweg.sequences.learn import TrainedOnSequences
    from thalweg.tabular.learn import Trained

    AnyTrained: TypeAlias = Trained | TrainedOnImages | TrainedOnSequences

GUESS = "constant guess"


def start(
    table: Table, prepared: Prepared, network: Network, settings: Settings
) -> None:
    """What each column is, the task, the split, the network."""
    pairs: list[tuple[str, RenderableType]] = [
        *table_lines(table, prepared),
        ("Network", network_line(network, len(prepared.encoder.features))),
        ("Training", training_line(settings, len(prepared.training.X))),
    ]
    show(facts(pairs))


def table_lines(table: Table, prepared: Prepared) -> list[tuple[str, RenderableType]]:
    """What each column is, the task, the split."""
    size = f"{counted(table.rows, 'row')}, {counted(len(table.columns), 'column')}"
    targets = prepared.targets
    learned = (
        "" if targets.learned_name == targets.name else "; its logarithm is learned"
    )
    target = f"{targets.name}, as {prepared.task.line()}{learned}"
    return [
        ("Table", f"{table.name}: {size}"),
        ("Target", target),
        ("Columns", column_table(prepared.schema)),
        ("Rows", split_line(prepared)),
        *(("Note", note) for note in prepared.notes),
    ]


def split_line(prepared: Parts) -> str:
    """How many rows each part has."""
    return (
        f"{len(prepared.training.X):,} to learn from, "
        f"{len(prepared.validation.X):,} to choose the best epoch, "
        f"{len(prepared.test.X):,} to test once at the end"
    )


def network_line(network: Network, features: int) -> str:
    """The layers of a table's network, and the number of parameters."""
    return layers_line(counted(features, "input"), network, (features,))


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
    trained: AnyTrained,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
    noun: str = "row",
) -> None:
    """Scores, the learning curves in words, what was noted before, and the file."""
    of_images = isinstance(trained.prepared, PreparedImages)
    noun = "image" if of_images else noun
    title = f"{counted(len(trained.prepared.test.X), noun)} never used"
    rows = [("network", trained.test), *reversed(trained.baselines.items())]
    show(
        score_table(title, rows),
        facts(
            [
                *conclusions(trained, seconds),
                *(("Note", note) for note in notes),
                *saved_as(saved, replaced, "IMAGES" if of_images else "DATA"),
            ]
        ),
    )


def conclusions(trained: AnyTrained, seconds: float) -> Facts:
    """What the figures mean."""
    history = trained.history
    ended = (
        f"epoch {history.best_epoch} was the best of {history.stopped_epoch}; "
        f"{history.stopped_because}; {seconds:.1f} s in all"
    )
    compared = comparison(trained)
    return [
        *certainty(trained),
        ("Curves", trained.reading.text),
        ("Ended", ended),
        *((("Compared", compared),) if compared else ()),
        *(("Note", note) for note in trained.notes),
    ]


def certainty(trained: AnyTrained) -> Facts:
    """How sure the score of images is, whose errors are known still."""
    if not isinstance(trained.prepared, PreparedImages):
        return []
    assert isinstance(trained, TrainedOnImages)
    deciding = trained.prepared.deciding
    found = interval_of(trained.errors, deciding)
    value = figure(trained.test[deciding.metric])
    ends = f"{figure(found.low)} to {figure(found.high)}"
    return [("Test", f"{deciding.name} {value}, {CONFIDENCE:.0%} interval {ends}")]


def comparison(trained: AnyTrained) -> str:
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
    rows = "images" if isinstance(trained, TrainedOnImages) else "rows"
    return f"on these {rows} the {name} {how} by {deciding.words}"


def strongest(trained: AnyTrained) -> str:
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
