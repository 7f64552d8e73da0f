"""What the user may choose when images are trained on; everything has a default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict, cast

import thalweg.defaults as defaults
from thalweg.checks import look_up, require_instance, require_text, require_whole
from thalweg.errors import ArgumentError
from thalweg.formulas.augmentation import Augment
from thalweg.kinds.regimen import PredictionRegimen, Regimen

AUGMENTED: Mapping[str, Callable[[str], Any]] = {
    "shift": int,
    "flip": str,
    "rotate": float,
    "noise": float,
}
"""What `Augment` takes, and how it is read."""


@dataclass(frozen=True)
class ImageSettings(PredictionRegimen):
    """How images are trained on.

    Arguments:
        task: "classes" or "number"; None goes by the targets.
        height, width: that every image is brought to, in pixels; None is what they
            have.
        color: whether to read in color; None goes by the images.
        augment: how images vary in training, as `Augment` takes it: a mapping, or texts
            such as ``"shift=2"``; none is not at all.
        filters: of each convolution, which a max pool follows; None goes by the size
            of the images.
        layers: the units of each hidden layer after them; none is usual.
        activation: of convolutions and hidden layers.
        loss: None is cross_entropy for classes, mean_squared_error for a number.
        optimizer: the rule's name.
        learning_rate: at its highest.
        schedule: how it changes: plateau, constant, step, exponential, cosine or
            one_cycle.
        batch_size: images of a step, or "all"; None is 32 below 2,000 training images,
            else 128.
        epochs: at most; None goes by the number of training images.
        dropout: the share of the last layer's inputs switched off in a step.
        l1, l2: penalties on the weights, added to the loss.
        weight_decay: decoupled, for adamw and lion; None is the rule's own.
        clip_norm: the longest gradient allowed; None is any.
        patience: epochs without improvement after which training stops.
        min_delta: the improvement of the validation loss below which it doesn't count.
        validation: the share of images that choose the epoch; None is a fifth, and at
            most 5,000 images.
        test: the share of images that are scored once at the end, where none stand
            apart for that.
        seed: the same seed gives the same network.

    Raises:
        ArgumentError: a setting can't be used; the message says what it must be.

    Example:
        >>> import thalweg as tw
        >>> settings = tw.ImageSettings()
        >>> settings.most_epochs(60_000), settings.most_epochs(1_000)
        (5, 50)
    """

    task: str | None = None
    height: int | None = None
    width: int | None = None
    color: bool | None = None
    augment: tuple[str, ...] = ()
    filters: tuple[int, ...] | None = None
    layers: tuple[int, ...] = ()
    activation: str = defaults.IMAGE_ACTIVATION
    loss: str | None = None
    optimizer: str = defaults.OPTIMIZER
    learning_rate: float = defaults.IMAGE_LEARNING_RATE
    schedule: str = defaults.IMAGE_SCHEDULE
    batch_size: int | str | None = None
    epochs: int | None = None
    dropout: float = defaults.IMAGE_DROPOUT
    l1: float = defaults.L1
    l2: float = defaults.L2
    weight_decay: float | None = None
    clip_norm: float | None = None
    patience: int = defaults.PATIENCE
    min_delta: float = defaults.MIN_DELTA
    validation: float | None = None
    test: float = defaults.TEST
    seed: int = defaults.SEED

    @staticmethod
    def plain(name: str, value: Any) -> Any:
        """A setting as it is kept: lists as tuples, parts of augmentation as texts.

        >>> ImageSettings.plain("augment", {"shift": 2, "flip": "horizontal"})
        ('shift=2', 'flip=horizontal')
        """
        if name == "augment" and isinstance(value, Mapping):
            parts = cast(Mapping[str, Any], value)
            return tuple(f"{part}={number}" for part, number in parts.items())
        if name == "augment" and isinstance(value, str):
            return (value,)
        return Regimen.plain(name, value)

    def __post_init__(self) -> None:
        for each in fields(self):
            require_text(each.name, getattr(self, each.name))
        self.require_usable()
        for name in ("height", "width", "epochs"):
            value = getattr(self, name)
            if value is not None:
                require_whole(name, value, least=1)
        if self.color is not None:
            require_instance("color", self.color, bool, "True, False or None")
        augmentation(self.augment)
        for number in self.filters or ():
            require_whole("filters", number, least=1)
        if self.validation is not None:
            self.require_share("validation", self.validation, "images")
        self.require_share("test", self.test, "images")

    def most_epochs(self, training_rows: int) -> int:
        """Fewer where there are many images, as each epoch takes more steps."""
        if self.epochs is not None:
            return self.epochs
        size = self.rows_a_step(training_rows)
        rows = training_rows if isinstance(size, str) else size
        wanted = -(-defaults.IMAGE_STEPS * rows // training_rows)
        fewest, most = defaults.FEWEST_IMAGE_EPOCHS, defaults.MOST_IMAGE_EPOCHS
        return min(max(wanted, fewest), most)

    def validation_share(self, images: int) -> float:
        """The share of a number of images that chooses the epoch."""
        if self.validation is not None:
            return self.validation
        return min(defaults.VALIDATION, defaults.MOST_VALIDATION_IMAGES / images)


class ImageTrainSettings(TypedDict, total=False):
    """The settings of images as `train` takes them, by name; see `ImageSettings`."""

    task: str | None
    height: int | None
    width: int | None
    color: bool | None
    augment: str | Iterable[str] | Mapping[str, float | str]
    filters: Sequence[int] | None
    layers: Sequence[int]
    activation: str
    loss: str | None
    optimizer: str
    learning_rate: float
    schedule: str
    batch_size: int | str | None
    epochs: int | None
    dropout: float
    l1: float
    l2: float
    weight_decay: float | None
    clip_norm: float | None
    patience: int
    min_delta: float
    validation: float | None
    test: float
    seed: int


def augmentation(parts: Sequence[str]) -> Augment | None:
    """The layer that varies images in training; None where nothing does.

    Raises:
        ArgumentError: a part isn't one.

    >>> augmentation(("shift=2", "flip=horizontal"))
    Augment(shift=2, flip='horizontal', rotate=0.0, noise=0.0)
    """
    given: dict[str, Any] = {}
    for part in parts:
        require_instance("augment", part, str, "texts such as shift=2")
        name, _, value = part.partition("=")
        look_up("augment", name, AUGMENTED)
        try:
            given[name] = AUGMENTED[name](value)
        except ValueError:
            raise ArgumentError(
                f"augment must have a number for {name}, got {value!r}"
            ) from None
    return Augment(**given) if given else None
