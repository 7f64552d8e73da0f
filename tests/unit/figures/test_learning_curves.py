"""A run's own learning curves."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.figures.learning_curves import data_of, learning_curves, plot, require_png
from thalweg.figures.style import BLUE, VERMILION
from thalweg.model.history import EpochRecord, History


def history_of(
    validation: bool = True, metric: str = "accuracy", epochs: int = 6
) -> History:
    """A history whose validation loss is lowest in its third epoch."""
    records = [
        EpochRecord(
            n,
            1 / n,
            0.5 + 0.01 * (n - 3) ** 2 if validation else None,
            {metric: 0.1 * n},
            {metric: 0.09 * n} if validation else {},
            0.1,
            0.0,
        )
        for n in range(1, epochs + 1)
    ]
    settings = {"seed": 7, "loss": "cross_entropy"}
    best = min(3, epochs) if validation else epochs
    return History(records, best, "it had to end", settings)


def test_both_files_hold_the_history(tmp_path):
    history = history_of()
    path = tmp_path / "curves.png"
    command = "thalweg train a.csv"
    learning_curves(history, path, "Title", source="a.csv", command=command)
    assert path.read_bytes().startswith(b"\x89PNG")
    record = json.loads((tmp_path / "curves.json").read_text("utf-8"))
    assert record["command"] == command
    given = record["title"], record["source"], record["seeds"]
    assert given == ("Title", "a.csv", [7])
    loss, accuracy = record["panels"]
    assert loss["training"]["y"] == history.training_loss
    assert loss["validation"]["y"] == history.validation_loss
    assert accuracy["validation"]["y"] == history.validation_metrics["accuracy"]
    assert record["best_epoch"] == 3


def test_curves_and_lines_are_drawn_where_the_history_says():
    history = history_of()
    loss, accuracy = axes_of(history)
    training, validation = history.training_metrics, history.validation_metrics
    require_lines(loss, history.training_loss, history.validation_loss)
    require_lines(accuracy, training["accuracy"], validation["accuracy"])


def axes_of(history: History, unit: str = "") -> Any:
    return plot(data_of(history, "title", "", unit)).axes


def require_lines(axes: Any, training: list[float], validation: list[float]) -> None:
    """Training solid and blue, validation dashed and vermilion, best and last epoch."""
    first, second = axes.lines[:2]
    assert (first.get_color(), first.get_linestyle()) == (BLUE, "-")
    assert (second.get_color(), second.get_linestyle()) == (VERMILION, "--")
    assert list(first.get_ydata()) == training
    assert list(second.get_ydata()) == validation
    marks = {line.get_gid(): line.get_xdata()[0] for line in axes.lines[2:]}
    assert marks.pop(None) == marks["best"] == 3
    assert marks["stopped"] == 6


def test_without_validation_only_the_training_curve_is_drawn():
    loss, accuracy = axes_of(history_of(validation=False))
    assert len(loss.lines) == len(accuracy.lines) == 2
    assert loss.get_title().startswith("No validation rows")


def test_an_error_is_labeled_with_its_unit():
    _, error = axes_of(history_of(metric="rmse"), "standard deviations")
    assert error.get_ylabel() == "rmse (standard deviations)"


def test_one_epoch_is_a_picture_too(tmp_path):
    assert learning_curves(history_of(epochs=1), tmp_path / "one.png").exists()


def test_a_loss_over_decades_gets_a_logarithmic_scale():
    assert axes_of(history_of())[0].get_yscale() == "linear"
    assert axes_of(history_of(epochs=50))[0].get_yscale() == "log"


def test_no_finished_epoch_is_an_error(tmp_path):
    with pytest.raises(tw.ArgumentError, match="one finished epoch"):
        learning_curves(History(), tmp_path / "curves.png")


@pytest.mark.parametrize("name", ["curves.pdf", "curves", ".png.txt"])
def test_only_png_is_written(name):
    with pytest.raises(tw.ArgumentError, match=r"ends in \.png"):
        require_png(name)


def fourth_power(predictions, targets):
    return tw.mean((predictions - targets) ** 4, axis=-1)


def test_a_real_run_with_a_loss_of_ones_own(tmp_path):
    X = np.linspace(-1, 1, 40).reshape(-1, 1)
    network = tw.Network([tw.Dense(1)])
    history = network.fit(X, X, loss=fourth_power, epochs=3)
    assert learning_curves(history, tmp_path / "own.PNG").name == "own.PNG"


def test_a_history_plots_itself():
    history = history_of()
    figure: Any = history.plot(title="a $title$")
    loss, accuracy = figure.axes
    require_lines(loss, history.training_loss, history.validation_loss)
    require_lines(
        accuracy,
        history.training_metrics["accuracy"],
        history.validation_metrics["accuracy"],
    )
    (best,) = [line for line in loss.lines if line.get_gid() == "best"]
    assert list(best.get_xdata()) == [3, 3]
    (title,) = figure.findobj(lambda artist: artist is figure._suptitle)
    assert title.get_text() == "a $title$"
    assert not title.get_parse_math()


def test_a_history_without_epochs_can_not_be_plotted():
    with pytest.raises(tw.ArgumentError, match="one finished epoch"):
        History().plot()


def test_matplotlib_is_imported_by_the_call_alone():
    code = """
import sys, thalweg as tw
network = tw.Network([tw.Dense(1)])
history = network.fit([[0.0], [1.0]], [0, 1], epochs=1, validation=None)
assert "matplotlib" not in sys.modules
history.plot()
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
