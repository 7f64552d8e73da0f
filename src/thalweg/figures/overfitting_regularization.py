"""A network that overfits, where early stopping ends it, and the same with dropout."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.runs import Curve, trained
from thalweg.figures.samples import Sample, diabetes
from thalweg.figures.style import (
    GRAY,
    GREEN,
    TRAINING,
    VALIDATION,
    EndLabel,
    label_ends,
    new_figure,
)
from thalweg.formulas.layers import Dense, Dropout, Layer
from thalweg.formulas.optimizers import Adam
from thalweg.model.history import History
from thalweg.training.stopping import EarlyStopping


@dataclass(frozen=True)
class Settings:
    """The network, its rows, and how long it may train."""

    training_rows: int = 150
    units: int = 128
    dropout: float = 0.5
    learning_rate: float = 0.003
    epochs: int = 200
    patience: int = 20
    seed: int = 0


@dataclass(frozen=True)
class Panel:
    """One network: its losses when nothing stops it, and where stopping ends it."""

    label: str
    training: Curve
    validation: Curve
    best_epoch: int
    best_loss: float
    stopped_epoch: int
    stopped_because: str


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    network: str
    seeds: list[int]
    panels: list[Panel]


def run(settings: Settings | None = None) -> Data:
    """Train with and without dropout, each with and without early stopping."""
    chosen = settings or Settings()
    rows = diabetes().shuffled(chosen.seed)
    training = rows.first(chosen.training_rows)
    rows = rows.standardized(training).standardized_target(training)
    panels = [panel(0.0, rows, chosen), panel(chosen.dropout, rows, chosen)]
    return Data(
        title_of(*panels),
        f"{rows.source}; {chosen.training_rows} to train, the others to validate",
        f"10 inputs, {chosen.units} relu units, 1 output; {Adam(chosen.learning_rate)}",
        [chosen.seed],
        panels,
    )


def panel(dropout: float, rows: Sample, settings: Settings) -> Panel:
    """One network, trained to the end, and trained again with early stopping."""
    whole = history_of(dropout, rows, settings, None)
    stopped = history_of(dropout, rows, settings, EarlyStopping(settings.patience))
    epochs = list(map(float, range(1, whole.stopped_epoch + 1)))
    return Panel(
        f"Dropout {dropout:g}" if dropout else "No dropout",
        Curve(
            "training\n(dropout on)" if dropout else "training",
            epochs,
            whole.training_loss,
        ),
        Curve("validation", epochs, whole.validation_loss),
        stopped.best_epoch,
        stopped.validation_loss[stopped.best_epoch - 1],
        stopped.stopped_epoch,
        stopped.stopped_because,
    )


def history_of(
    dropout: float, rows: Sample, settings: Settings, stopping: EarlyStopping | None
) -> History:
    """The losses of a run."""
    held_out = rows.rest(settings.training_rows)
    hidden: list[Layer] = [Dense(settings.units, "relu")]
    if dropout:
        hidden.append(Dropout(dropout))
    return trained(
        [*hidden, Dense(1)],
        rows.first(settings.training_rows),
        optimizer=Adam(settings.learning_rate),
        epochs=settings.epochs,
        validation=(held_out.X, held_out.y),
        early_stopping=stopping,
        seed=settings.seed,
    ).history


def title_of(plain: Panel, dropped: Panel) -> str:
    """The statement, where the runs bear it out."""
    rise = rise_of(plain)
    if rise > 1.1 and rise_of(dropped) < rise and dropped.best_loss < plain.best_loss:
        return (
            f"From epoch {plain.best_epoch} on the network learns its training rows by "
            "heart; dropout holds that back"
        )
    return "Training and validation loss, without dropout and with it"


def rise_of(panel: Panel) -> float:
    """How many times its lowest value the validation loss ends at."""
    return panel.validation.y[-1] / min(panel.validation.y)


def plot(data: Data) -> Figure:
    """Two panels on the same axes."""
    figure = new_figure(4.8, data.title)
    pair = figure.subplots(1, 2, sharex=True, sharey=True)
    highest = max(panel.validation.y[-1] for panel in data.panels)
    pair[0].set_ylim(0, 1.8 * highest)
    pair[0].set_xlim(0, data.panels[0].training.x[-1])
    pair[0].set_ylabel("loss: mean squared error\n(1 = guessing the mean)")
    for axes, panel in zip(pair, data.panels, strict=True):
        draw_panel(axes, panel)
    return figure


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Both losses, the best epoch, and the line where early stopping ends the run."""
    curves = (panel.training, TRAINING), (panel.validation, VALIDATION)
    for curve, look in curves:
        axes.plot(curve.x, curve.y, label=curve.label, **look)
    axes.axvspan(
        panel.stopped_epoch, panel.training.x[-1], color=GRAY, alpha=0.09, lw=0
    )
    axes.axvline(panel.stopped_epoch, color=GRAY, linestyle="-.", gid="stopped")
    axes.plot(
        [panel.best_epoch],
        [panel.best_loss],
        "o",
        color=GREEN,
        markersize=8,
        gid="best",
    )
    top = axes.get_ylim()[1]
    axes.annotate(
        f"early stopping: epoch {panel.stopped_epoch}\n(shaded: without it)",
        (panel.stopped_epoch, top),
        (5, -4),
        textcoords="offset points",
        color=GRAY,
        verticalalignment="top",
    )
    axes.set_title(
        f"{panel.label}: lowest validation\n"
        f"loss {panel.best_loss:.2f} in epoch {panel.best_epoch} (●)"
    )
    axes.set_xlabel("epoch")
    label_ends(
        axes,
        [EndLabel(curve.y[-1], curve.label, look["color"]) for curve, look in curves],
    )
