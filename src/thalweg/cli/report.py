"""What ``thalweg train`` prints: the table as it was understood, and the results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from thalweg.cli.show import Facts, column_table, facts, score_table, show
from thalweg.formulas.chain import shapes_of
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer
from thalweg.network import Network
from thalweg.tables.table import Table
from thalweg.tabular.learn import Trained
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType


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


def split_line(prepared: Prepared) -> str:
    """How many rows each part has."""
    return (
        f"{len(prepared.training.X):,} to learn from, "
        f"{len(prepared.validation.X):,} to choose the best epoch, "
        f"{len(prepared.test.X):,} to test once at the end"
    )


def network_line(network: Network, features: int) -> str:
    """The layers, and the number of parameters."""
    parameters = shapes_of(network.layers, (features,), network.dtype).parameters
    count = sum(math.prod(each.shape) for each in parameters.values())
    parts = [counted(features, "input"), *(layer_words(x) for x in network.layers)]
    return f"{' → '.join(parts)}; {counted(count, 'parameter')}"


def layer_words(layer: Layer) -> str:
    """A layer in a few words."""
    if isinstance(layer, Dense):
        return f"{layer.units} {layer.activation}"
    if isinstance(layer, Dropout):
        return f"dropout {layer.rate:g}"
    if isinstance(layer, Columns):
        embedded = sum(part is not None for _, _, part in layer.parts)
        return counted(embedded, "embedding")
    return str(layer)


def training_line(settings: Settings, rows: int) -> str:
    """The optimizer, how fast, how many rows a step."""
    batch = settings.rows_a_step(rows)
    return (
        f"{settings.optimizer}, learning rate {settings.learning_rate:g} "
        f"({settings.schedule}), {'all' if batch == 'all' else batch} rows a step, "
        f"at most {counted(settings.epochs, 'epoch')}, seed {settings.seed}"
    )


def results(
    trained: Trained,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
) -> None:
    """Scores, the learning curves in words, what was noted before, and the file."""
    title = f"{counted(len(trained.prepared.test.X), 'row')} never used"
    rows = [("network", trained.test), *reversed(trained.baselines.items())]
    show(
        score_table(title, rows),
        facts(
            [
                *conclusions(trained, seconds),
                *(("Note", note) for note in notes),
                *saved_as(saved, replaced),
            ]
        ),
    )


def conclusions(trained: Trained, seconds: float) -> Facts:
    """What the figures mean."""
    history = trained.history
    ended = (
        f"epoch {history.best_epoch} was the best of {history.stopped_epoch}; "
        f"{history.stopped_because}; {seconds:.1f} s in all"
    )
    compared = comparison(trained)
    return [
        ("Curves", trained.reading.text),
        ("Ended", ended),
        *((("Compared", compared),) if compared else ()),
        *(("Note", note) for note in trained.notes),
    ]


def comparison(trained: Trained) -> str:
    """Whether a simpler model would do; nothing if the network is better.

    By which metric is always said where it isn't the usual one.
    """
    deciding = trained.prepared.deciding
    metric, linear = deciding.metric, trained.baselines["linear model"]
    gain = deciding.gain(trained.test[metric], linear[metric])
    if gain > 0 and not deciding.why:
        return ""
    if gain > 0:
        return f"the network is better than the linear model by {deciding.words}"
    how = "is as good" if gain == 0 else "is better"
    return f"on these rows the linear model {how} by {deciding.words}"


def saved_as(saved: Path, replaced: bool) -> Iterable[tuple[str, RenderableType]]:
    """The file, and what can be done with it."""
    yield "Saved", Text(f"{saved}{', replacing what was there' if replaced else ''}")
    yield "Next", Text(f"thalweg predict {saved} DATA", style="dim")
