"""A network together with the form of the images it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import thalweg.defaults as defaults
from thalweg.errors import ModelFileError
from thalweg.files.columnar import pack, unpack
from thalweg.files.document import IMAGES
from thalweg.files.modelfile import Content
from thalweg.files.network_codec import as_written, network_data, network_from
from thalweg.images.image_set import COLOR, GREY, ImageForm, ImageSet
from thalweg.kinds.answers import answers_frame, positive_of
from thalweg.kinds.model import Model, reading
from thalweg.kinds.pipeline import ArrayInputs, Pipeline
from thalweg.kinds.row_errors import RowErrors, errors_of
from thalweg.kinds.scores import Metrics, parts_of
from thalweg.kinds.targets import ClassTargets, targets_from_dict
from thalweg.kinds.task import Task
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.tables.strict import require_keys
from thalweg.training.execution import Execution
from thalweg.vision.source import new_images
from thalweg.vision.truth import Targets, truth_of

if TYPE_CHECKING:
    import polars as pl

FILE = "file"
LARGEST_SIDE = 2**14


@dataclass(frozen=True)
class ImageModel(Model):
    """A trained network, how images become its inputs, and its outputs an answer.

    Arguments:
        network: the trained network.
        form: what every image is brought to.
        targets: how what images show became what was learned.
        task: what is predicted.
        results: plain data about how it was trained: test metrics, baselines, notes.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from sklearn.datasets import load_digits
        >>> digits = load_digits()
        >>> pixels = (digits.images[:400] * 15.9).astype(np.uint8)
        >>> np.savez("digits.npz", X=pixels, y=digits.target[:400])
        >>> model = tw.train("digits.npz", epochs=3).model
        >>> model.predict(pixels[:5]).columns[:2]
        ['prediction', 'probability of 0']
    """

    kind = "images"
    network: Network
    form: ImageForm
    targets: Targets
    task: Task
    results: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def target(self) -> str:
        """What is predicted, in a word."""
        return self.targets.name

    @property
    def positive(self) -> int:
        """Of two classes the number of the one that average precision is of."""
        return positive_of(self.results, self.targets)

    def predict(
        self,
        source: Any,
        *,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> pl.DataFrame:
        """A prediction for every image.

        Arguments:
            source: the path of a folder or a file; or an array (rows, height, width) or
                (rows, height, width, channels) of whole numbers from 0 to 255.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.

        Returns:
            A polars frame of as many rows: ``file``, where images were read from a
            path; ``prediction``; and for classes the probability of each.

        Raises:
            FileError, DataError: the images can't be read.
            ShapeError: those of an array have another size than in training.
        """
        images = new_images(source, self.form)
        frame = self.answers(images, Execution(engine, threads))
        return frame.drop(FILE) if isinstance(source, np.ndarray) else frame

    def answers(self, images: ImageSet, execution: Execution = USUAL) -> pl.DataFrame:
        """A prediction for each of some images that were read, with its file."""
        import polars as pl

        outputs = np.concatenate([*self.outputs(images.pixels, execution)])
        names = pl.Series(FILE, list(images.names), dtype=pl.String)
        return answers_frame(self.targets, outputs).insert_column(0, names)

    def outputs(
        self, pixels: NDArray[Any], execution: Execution = USUAL
    ) -> Iterator[NDArray[Any]]:
        """What the network gives, in parts."""
        engine, threads = execution.engine, execution.threads
        for part in parts_of(len(pixels), max(pixels[0].size, 1)):
            yield self.network.predict(pixels[part], engine=engine, threads=threads)

    def evaluate(
        self,
        source: Any,
        *,
        engine: str = defaults.ENGINE,
        threads: int | None = None,
    ) -> Metrics:
        """Metrics on images of which something says what they show.

        Arguments:
            source: the path of a folder or a file.
            engine: ``native``, or ``interpreter``, which is NumPy.
            threads: at most; None for as many as are fastest.

        Returns:
            For classes ``accuracy``, ``balanced_accuracy``, ``f1`` (mean over classes)
            and ``log_loss``, for two classes also ``roc_auc`` and ``average_precision``
            (NaN where all images are of one class); for a number ``rmse``, ``mae`` (in
            its unit) and ``r2``.

        Raises:
            FileError, DataError: as `predict`; or nothing says what an image shows, or
                it shows no class that the model knows.
        """
        images = new_images(source, self.form)
        where = str(source) if isinstance(source, str | Path) else "images"
        return self.errors(images, where, Execution(engine, threads)).every_metric

    def errors(
        self, images: ImageSet, where: str, execution: Execution = USUAL
    ) -> RowErrors:
        """What the network gets wrong of images, for any metric of them.

        Raises:
            DataError: nothing says what an image shows, or it shows no known class.
        """
        truth = truth_of(images, where, self.targets)
        outputs = self.outputs(images.pixels, execution)
        return errors_of(self.targets, outputs, truth, None, self.positive)

    def __pipeline__(self) -> Pipeline:
        """Pixels in, the answers out, for `thalweg.export`."""
        network, form = self.network, self.form
        inputs = ArrayInputs(form.shape, network.dtype, lambda X: X, finite=True)
        about: dict[str, Any] = {
            "kind": "images",
            "height": form.height,
            "width": form.width,
            "channels": form.channels,
            "pixels": "from 0 to 255",
            "target": self.target,
            "task": self.task.kind,
        }
        if isinstance(self.targets, ClassTargets):
            about |= {"classes": self.targets.labels}
        return Pipeline(network, inputs, self.targets.answers(), about)

    def _content(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What a file of the model holds."""
        document, tensors = network_data(self.network)
        packed, arrays = pack({"targets": self.targets.to_dict()})
        form = self.form
        images = {
            "form": {
                "height": form.height,
                "width": form.width,
                "channels": form.channels,
            },
            **packed,
            "task": self.task.to_dict(),
            "results": self.results,
        }
        document = {"kind": self.kind, **document, "images": images}
        return as_written({**document, "required_features": [IMAGES]}, tensors | arrays)


def model_from(content: Content) -> ImageModel:
    """A model of images from what a file holds.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    network, path = network_from(content, Network), content.name
    with reading(path, "the model is"):
        images = content.document["images"]
        found = unpack({"targets": images["targets"]}, content.tensors)
        targets = targets_from_dict(found["targets"])
        form = form_from(images["form"])
        task, results = Task.from_dict(images["task"]), dict(images["results"])
    require_fit(network, form, targets, path)
    return ImageModel(network, form, targets, task, results)


def form_from(data: object) -> ImageForm:
    """The form that a file describes.

    Raises:
        ModelFileError: it is none.
    """
    found = require_keys(data, "a form", "height", "width", "channels")
    sides = found["height"], found["width"]
    if not all(type(each) is int and 1 <= each <= LARGEST_SIDE for each in sides):
        raise ModelFileError(
            f"an image's sides must be whole numbers, 1 to {LARGEST_SIDE:,}"
        )
    if type(found["channels"]) is not int or found["channels"] not in (GREY, COLOR):
        raise ModelFileError(f"an image must have {GREY} or {COLOR} channels")
    return ImageForm(*sides, found["channels"])


def require_fit(network: Network, form: ImageForm, targets: Targets, path: str) -> None:
    """The network takes images of the form, and gives what the targets need."""
    inputs, outputs = network.shapes.outputs[0], network.shapes.outputs[-1]
    if inputs != form.shape or outputs not in targets.output_shapes():
        raise ModelFileError(
            f"{path}: a network of {inputs} inputs and {outputs} outputs doesn't go "
            f"with images of {form}"
        )
