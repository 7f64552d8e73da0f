"""How training went, epoch by epoch."""

from __future__ import annotations

import numpy as np

from thalweg.figures.learning_curves import Data, data_of
from thalweg.formulas.chain import describe
from thalweg.language.model import LanguageModel
from thalweg.model.history import DIVERGED, History
from thalweg.report import pictures
from thalweg.report.blocks import (
    Block,
    Facts,
    Grid,
    Paragraph,
    Picture,
    Pictures,
    Section,
)
from thalweg.report.evaluation import Recorded
from thalweg.report.formatting import cut, number, seconds
from thalweg.report.svg import svg

MOST_EPOCHS = 12  # in the table


def training_section(evaluation: Recorded) -> Section:
    """The learning curves, in pictures, words and numbers."""
    history = evaluation.history
    blocks: list[Block] = [Facts(training_facts(evaluation))]
    if history.stopped_because == DIVERGED:
        text = "Training diverged: the loss became NaN or infinite. " + (
            f"The model has the weights of epoch {history.best_epoch}, the best before."
        )
        blocks.append(Paragraph(text, note=True))
    if not history.epochs:
        blocks.append(Paragraph("No epoch was finished, so there are no curves."))
        return Section("training", "Learning curves", blocks)
    data = curves_of(evaluation)
    shown = [picture(data, place) for place in range(len(data.panels))]
    blocks += [Pictures(shown), epochs_grid(history)]
    return Section("training", "Learning curves", blocks)


def training_facts(evaluation: Recorded) -> list[tuple[str, str]]:
    """What was trained, how, and how it ended."""
    network, history = evaluation.model.network, evaluation.history
    count = sum(each.size for each in network.parameters.values())
    pairs = [
        ("Layers", cut(" → ".join(map(describe, network.layers)), 2_000)),
        ("Parameters", f"{count:,}"),
    ]
    for word, key in (("Loss", "loss"), ("Optimizer", "optimizer")):
        if key in history.settings:
            pairs.append((word, cut(str(history.settings[key]), 500)))
    pairs.append(("Ended", ended(history)))
    reading = evaluation.results.get("reading")
    if isinstance(reading, str):
        pairs.append(("The curves say", cut(reading, 1_000)))
    return pairs


def ended(history: History) -> str:
    """The best epoch, the last one, why it ended, how long it took."""
    took = f"{seconds(sum(history.seconds))} s"
    best = f"epoch {history.best_epoch} was the best of {history.stopped_epoch}"
    because = (
        f"; {cut(history.stopped_because, 300)}" if history.stopped_because else ""
    )
    return f"{best}{because}; {took}"


def curves_of(evaluation: Recorded) -> Data:
    """What there is to draw."""
    model = evaluation.model
    if isinstance(model, LanguageModel):
        return data_of(evaluation.history, "", "", "")
    learned = pictures.short(model.targets.learned_name)
    unit = f"standard deviations of {learned}"
    return data_of(evaluation.history, "", "", unit)


def picture(data: Data, place: int) -> Picture:
    """One quantity in training and validation."""
    panel = data.panels[place]
    drawing = svg(f"curves-{place}", lambda: pictures.curves(data, panel))
    name = panel.name[:1].upper() + panel.name[1:]
    lines = [f"training solid, from {number(panel.training.y[0])} to "]
    lines[0] += number(panel.training.y[-1])
    if panel.validation is not None:
        best = panel.validation.y[data.best_epoch - 1]
        lines.append(
            f"validation dashed, from {number(panel.validation.y[0])} to "
            f"{number(panel.validation.y[-1])}, {number(best)} in the best epoch"
        )
    last = f"dash-dotted line: training stopped after epoch {data.stopped_epoch}"
    dotted = f"dotted line: best epoch {data.best_epoch}"
    caption = f"{name}. Training solid, validation dashed; {dotted}; {last}."
    return Picture(drawing, caption, f"{name} by epoch: {'; '.join(lines)}.")


def epochs_grid(history: History) -> Grid:
    """Some epochs in numbers: the first, the best, the last, and some between."""
    last = history.stopped_epoch
    spread = np.linspace(1, last, min(last, MOST_EPOCHS)).round().astype(int).tolist()
    chosen = sorted({*spread, history.best_epoch or 1})
    validated = bool(history.validation_loss)
    names = [*history.training_metrics]
    heads = ["Epoch", "Training loss"] + ["Validation loss"] * validated
    for name in names:
        heads += [f"Training {name}"] + [f"Validation {name}"] * validated
    rows: list[list[str]] = []
    for epoch in chosen:
        record = history.epochs[epoch - 1]
        best = " (best)" if epoch == history.best_epoch else ""
        cells = [f"{epoch}{best}", number(record.training_loss)]
        if validated:
            cells.append(number(record.validation_loss))
        for name in names:
            cells.append(number(record.training_metrics.get(name)))
            if validated:
                cells.append(number(record.validation_metrics.get(name)))
        rows.append([*cells, f"{record.learning_rate:.4g}", seconds(record.seconds)])
    heads += ["Learning rate", "Seconds"]
    return Grid("Some epochs in numbers", heads, rows)
