"""Train a network, and keep what a page shows of every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from thalweg.network import Network
from thalweg.recording.as_python import as_python
from thalweg.recording.document import Names, document_of
from thalweg.recording.film import Film
from thalweg.recording.recorder import Recorder
from thalweg.recording.recording import Recording
from thalweg.training.fit_arguments import FitKeywords


def record(
    network: Network,
    X: Any,
    y: Any,
    *,
    row: int = 0,
    axes: tuple[int, int] = (0, 1),
    title: str = "",
    features: Sequence[str] = (),
    classes: Sequence[str] = (),
    **settings: Unpack[FitKeywords],
) -> Recording:
    """Train a network as `fit` does, and record every epoch.

    The network is then that of `fit`, to the bit. Where early stopping ends the run,
    the recording goes on to the last epoch all the same: it shows what would have come.

    Arguments:
        network: of `Dense` and `Dropout` layers.
        X, y: as `Network.fit` takes them.
        row: the number of the training row that is followed through the network: its
            sums, outputs, and gradients, among the rows that are left to train on.
        axes: the two features that pictures of the plane go along; every other is at
            its mean.
        title: of the page; empty for the sizes of the layers.
        features: names of the inputs; empty for x₁, x₂ and so on.
        classes: names of the classes; empty for their numbers.
        settings: of `Network.fit`.

    Returns:
        The recording. ``save("run.html")`` writes it as a page that plays it, and a
        notebook shows that page.

    Raises:
        ArgumentError: the network has other layers, or there is no such row or feature.
        ArgumentError, ShapeError, DtypeError: as `Network.fit`.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> network = tw.Network([tw.Dense(8, "tanh"), tw.Dense(1, "sigmoid")])
        >>> how = {"optimizer": tw.Adam(0.1), "epochs": 50, "validation": None}
        >>> recording = tw.record(network, X, [0, 1, 1, 0], title="xor", **how)
        >>> recording
        Recording('xor', 51 frames)
        >>> recording.frames["training_metric"][-1].item()
        1.0
        >>> recording.save("xor.html").name
        'xor.html'
    """
    session = network.session(X, y, **settings)
    recorder = Recorder(session, row, axes)
    names = Names(title, tuple(features), tuple(classes))
    document = document_of(recorder, names, as_python(network.layers, settings))
    film = Film(recorder)
    while not film.is_over:
        film.advance()
    return film.recording(document | film.end())
