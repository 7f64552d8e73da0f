"""Figures by name: run, plotted, and written with their numbers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from thalweg.checks import look_up
from thalweg.errors import FileError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = {
    "training_run": "a boundary forms while the losses fall, until early stopping",
    "perceptron": "one unit tells two species of iris apart",
    "activation_functions": "every activation and its derivative",
    "decision_boundary": "what hidden layers add to a network",
    "gradient_descent": "steps down the loss of a perceptron, along its weight",
    "loss_surface": "the path of gradient descent on an exact loss surface",
    "learning_rate_effects": "learning rates: too small, good, too large, diverging",
    "optimizers": "SGD, momentum, RMSProp and Adam on one network",
    "batch_sizes": "all rows, some rows or one row a step",
    "overfitting_regularization": "a network that overfits, early stopping, dropout",
    "dropout": "which units dropout switches off, and what that changes",
    "edge_filter": "filters written by hand, on a digit and a photo",
    "windows_seen": "what windows see: stride, dilation and padding",
    "weight_sharing": "the weights of a dense layer and of a convolution",
    "learned_filters": "filters of a first convolution at epochs 0, 1 and 5",
    "feature_maps": "what each layer makes of one digit",
    "receptive_field": "what one unit of each layer sees of a photo",
    "pooling": "the largest number of each window, and the mean",
    "shifted_digits": "accuracy on digits that are moved aside",
    "what_counts": "saliency and occlusion: what a network looks at",
    "augmentation": "one digit varied, and accuracy with and without",
    "confusions": "which digits are taken for which, with their pictures",
    "checkerboard": "how often a transposed convolution meets each place",
    "autoencoder": "digits through eight numbers and back",
    "unrolled_network": "a recurrent network goes through a word, with its numbers",
    "vanishing_gradients": "gradients back through time, and what clipping changes",
    "lstm_gates": "what the gates of an LSTM do along a line of text",
    "attention_map": "which characters each character of a line looks at",
    "positions": "what tells times apart: sine, learned and rotary positions",
    "language_models": "n-grams and networks: bits per character against seconds",
    "context": "how much a longer context helps to predict a text",
    "temperature": "what temperature does to the next character and to a text",
    "free_running": "a series predicted from its truth, and from predictions",
}


class FigureModule(Protocol):
    """What each module of a figure has."""

    def run(self) -> Any:
        """Train for real; the numbers to draw, as a dataclass of plain values."""
        ...

    def plot(self, data: Any) -> Figure:
        """Draw the numbers."""
        ...


def draw(
    names: Iterable[str],
    out: str | Path,
    progress: Callable[[str], object] | None = None,
) -> list[Path]:
    """Draw figures, each a PNG with a JSON beside it of the numbers in it.

    Arguments:
        names: keys of `FIGURES`; none means all of them.
        out: the folder to write to, made where it's missing.
        progress: called with the name of each figure before its run.

    Returns:
        The PNG files, in the order of the names.

    Raises:
        ArgumentError: there is no figure of that name; nothing is drawn then.
        FileError: a file can't be written.

    Example:
        >>> from thalweg.figures import draw
        >>> [path.name for path in draw(["perceptron"], "figures")]
        ['perceptron.png']
    """
    from thalweg.figures.files import write_figure

    modules = {name: figure_module(name) for name in list(names) or FIGURES}
    folder = make_folder(Path(out))
    paths: list[Path] = []
    for name, module in modules.items():
        if progress is not None:
            progress(name)
        origin = {"figure": name, "command": f"thalweg figures {name}"}
        path = folder / f"{name}.png"
        paths.append(write_figure(path, module.plot, module.run(), origin))
    return paths


def figure_module(name: str) -> FigureModule:
    """The module of a figure; imported only now, as it brings Matplotlib.

    Raises:
        ArgumentError: there is no figure of that name.
    """
    look_up("figure", name, FIGURES)
    return cast(FigureModule, importlib.import_module(f"thalweg.figures.{name}"))


def make_folder(folder: Path) -> Path:
    """The folder, made where it's missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{folder}: the folder can't be made: {reason}") from error
    return folder
