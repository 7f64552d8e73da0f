"""The network for images, by their size: convolutions and pools, then one layer."""

from __future__ import annotations

from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense, Dropout, Layer
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.formulas.preparation import Rescale
from thalweg.images.image_set import ImageForm
from thalweg.kinds.last_layer import output_layer
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.network import Network
from thalweg.vision.filters import (
    KERNEL,
    POOL,
    filters_for,
    padding_for,
    require_places,
)
from thalweg.vision.settings import ImageSettings, augmentation

BYTE = 255


def build(
    form: ImageForm, targets: ClassTargets | NumberTargets, settings: ImageSettings
) -> Network:
    """Convolutions with pools, hidden layers if there are any, and an output.

    Raises:
        ArgumentError: the images are too small for so many convolutions.
    """
    layers: list[Layer] = [Rescale(1 / BYTE)]
    if (varied := augmentation(settings.augment)) is not None:
        layers.append(varied)
    filters = filters_for(form) if settings.filters is None else settings.filters
    require_places(form, filters)
    padding = padding_for(form)
    for number in filters:
        layers.append(
            Conv(number, KERNEL, padding=padding, activation=settings.activation)
        )
        layers.append(MaxPool(POOL))
    layers.append(Flatten())
    for units in settings.layers:
        layers.append(Dense(units, settings.activation))
    if settings.dropout:
        layers.append(Dropout(settings.dropout))
    return Network([*layers, output_layer(targets, settings.loss)])
