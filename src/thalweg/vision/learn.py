"""From images to a tested network, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from thalweg.errors import DataError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.constant import constant_loss
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.row_errors import RowErrors
from thalweg.kinds.scores import Metrics, finite
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.tabular.model import USUAL
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import CurveReading, read_curves
from thalweg.training.execution import Execution
from thalweg.vision.baselines import Baseline, baselines, errors_on_test
from thalweg.vision.fingerprint import fingerprint, noted, require_same_images
from thalweg.vision.model import ImageModel
from thalweg.vision.network import build
from thalweg.vision.own import read
from thalweg.vision.prepare import PreparedImages, prepare
from thalweg.vision.settings import ImageSettings

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store


@dataclass(frozen=True)
class TrainedOnImages:
    """A tested network for images, and how it came about.

    Arguments:
        model: the network with the form of its images; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the images, and how they were split.
        test: metrics on images that were never used.
        baselines: the same metrics on the same images for ``constant guess``, ``nearest
            neighbor``, ``linear model`` and a dense network.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
        errors: what the network got wrong of the test.
        others: what the baselines got wrong of it, and the time that each took.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from sklearn.datasets import load_digits
        >>> digits = load_digits()
        >>> pixels = (digits.images[:400] * 15.9).astype(np.uint8)
        >>> np.savez("digits.npz", X=pixels, y=digits.target[:400])
        >>> trained = tw.train("digits.npz", epochs=3)
        >>> isinstance(trained, tw.TrainedOnImages), trained.history.stopped_epoch
        (True, 3)
        >>> list(trained.baselines)[:3]
        ['constant guess', 'nearest neighbor', 'linear model']
    """

    model: ImageModel
    history: History
    prepared: PreparedImages
    test: Metrics
    baselines: dict[str, Metrics]
    reading: CurveReading
    notes: tuple[str, ...]
    diverged: str
    errors: RowErrors
    others: tuple[Baseline, ...]


Announce = Callable[[PreparedImages, Network], object]


def learn(
    source: Any,
    settings: ImageSettings,
    callback: AfterEpoch | None = None,
    announce: Announce | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
    own: Sources = NO_SOURCES,
) -> TrainedOnImages:
    """Read, split, train, and test once on images never used.

    Arguments:
        source: the path of images, or images that were read.
        settings: how.
        callback: called after every epoch.
        announce: called with what was found in the images, and the network, before
            training starts.
        execution: what runs the network, and on how many threads; the saved file is
            the same for any number of them.
        callbacks: objects that follow the run.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
        own: for ``validation`` and ``test`` images of one's own, as `source`, instead
            of some that are drawn.

    Raises:
        FileError, DataError: the images can't be used.
        ArgumentError: a setting can't be used with these images.
        DivergenceError: the loss became NaN or infinite in the first epoch.
    """
    images = read(source, settings, own)
    known = fingerprint(images)
    if resumed is not None:
        require_same_images(resumed[1], known)
    if checkpoint is not None:
        checkpoint = noted(checkpoint, images, settings, known)
    parts = prepare(images.data, images.name, settings)
    if resumed is None:
        network = build(parts.form, parts.targets, settings)
        require_savable(network, parts, settings)
    else:
        network = resumed[1].network
    if announce is not None:
        announce(parts, network)
    context = RunContext(callback, callbacks, execution, checkpoint, resumed)
    diverged = train_network(network, parts, settings, context)
    return tested(network, parts, settings, known, diverged, execution)


def require_savable(
    network: Network, parts: PreparedImages, settings: ImageSettings
) -> None:
    """See before hours of training that there can be a file of what comes of it.

    Raises:
        DataError: a size is beyond what a file may have.
    """
    same = unfilled(network, parts.form.shape)
    results = {"settings": settings.to_dict()}
    try:
        ImageModel(
            same, parts.form, parts.targets, parts.task, results
        ).require_savable()
    except ModelFileError as error:
        raise DataError(
            f"{parts.name}: a model of these images couldn't be saved: {error}"
        ) from error


def tested(
    network: Network,
    parts: PreparedImages,
    settings: ImageSettings,
    data: dict[str, Any],
    diverged: str,
    execution: Execution,
) -> TrainedOnImages:
    """Score the test images once, beside what the network has to beat."""
    model = ImageModel(network, parts.form, parts.targets, parts.task)
    errors = errors_on_test(parts, model.outputs(parts.test.X, execution))
    metrics = errors.every_metric
    others = baselines(parts, settings, network, execution)
    scores = {each.name: each.errors.every_metric for each in others}
    noted = (f"{each.name}: {each.note}" for each in others if each.note)
    notes = (*few_rows(parts, errors), *noted)
    reading = read_curves(network.history, constant_loss(network, parts))
    results: dict[str, Any] = {
        "test": finite(metrics),
        "test_rows": len(parts.test.X),
        "baselines": {name: finite(each) for name, each in scores.items()},
        "compared_by": parts.deciding.to_dict(getattr(parts.targets, "labels", ())),
        "notes": list(notes),
        "reading": reading.text,
        "settings": settings.to_dict(),
        "data": data,
    }
    return TrainedOnImages(
        replace(model, results=results),
        network.history,
        parts,
        metrics,
        scores,
        reading,
        notes,
        diverged,
        errors,
        tuple(others),
    )
