"""A fitted network as what a model file holds, for files, pickles and copies.

A pickle can run whatever it names, a model file can't: what was learned travels as one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np

from thalweg.errors import ModelFileError, ThalwegError
from thalweg.estimators.features import (
    ArrayFeatures,
    Features,
    RawFeatures,
    TableFeatures,
    features_from,
)
from thalweg.estimators.scaling import Scaling
from thalweg.files.columnar import pack, unpack
from thalweg.files.modelfile import Content, content_of, model_bytes
from thalweg.files.network_codec import as_written, network_data, network_from
from thalweg.formulas.optimizers import Optimizer
from thalweg.model.programs import Programs
from thalweg.model.state import OptimizerState
from thalweg.network import Network
from thalweg.program.types import NumpyArray, Shape
from thalweg.tables.strict import texts, whole

SLOT, FEATURES = "optimizer/", "features/"
NAME = "the estimator's network"
Data = dict[str, Any]
Tensors = dict[str, NumpyArray]
KINDS = {"array": ArrayFeatures, "raw": RawFeatures, "table": TableFeatures}


def frozen(network: Network, features: Features) -> bytes:
    """The bytes of a model file with what `frozen_data` gives."""
    document, tensors = frozen_data(network, features)
    packed, lists = pack({"features": document["features"]})
    document = {"kind": "network", **document, **packed}
    return model_bytes(*as_written(document, tensors | lists))


def thawed(content: bytes, rule: Optimizer | None) -> tuple[Network, Features]:
    """What `frozen` made such bytes of.

    Raises:
        ModelFileError: the bytes break a rule of the format.
    """
    held = content_of(content, NAME)
    network = network_from(held, Network)
    return network, features_of(held, network, rule)


def frozen_data(network: Network, features: Features) -> tuple[Data, Tensors]:
    """The network, how far its optimizer has come, and how X becomes its inputs."""
    document, tensors = network_data(network)
    prepared, arrays = features.to_data()
    tensors |= {FEATURES + name: array for name, array in arrays.items()}
    past = network.optimizer_state
    if past is not None:
        slots = enumerate(past.slots.values())
        tensors |= {f"{SLOT}{number}": slot for number, slot in slots}
        position = {"steps": past.steps, "epochs": past.epochs}
        document = {**document, "position": position}
    return {**document, "features": prepared}, tensors


def features_of(content: Content, network: Network, rule: Optimizer | None) -> Features:
    """How X becomes the network's inputs; how far its optimizer has come goes into it.

    Arguments:
        content: of a file in which is what `frozen_data` gave.
        network: that was read from it.
        rule: the optimizer, which can be a user's own and so isn't in it; None if
            nobody knows it.

    Raises:
        ModelFileError: the content breaks a rule of the format.
    """
    network.programs = Programs()
    document, tensors = content.document, content.tensors
    with refusing(content.name):
        described = unpack({"features": document["features"]}, tensors)
        features = decoded_features(described["features"], tensors)
        require_fit(features, network)
        position = document.get("position")
        if position is not None and rule is not None:
            network.optimizer_state = state_from(position, tensors, rule, network)
    return features


@contextmanager
def refusing(path: str) -> Generator[None]:
    """Whatever doesn't fit together is an error that names the file.

    Raises:
        ModelFileError: in the place of whatever was raised.
    """
    try:
        yield
    except ThalwegError as error:
        raise ModelFileError(f"{path}: {error}") from None
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
    ) as error:
        raise ModelFileError(f"{path} is damaged: {error!r}") from None


def decoded_features(data: Any, tensors: Tensors) -> Features:
    """How X becomes inputs, if it is of the kind that the data says."""
    arrays = {
        name.removeprefix(FEATURES): array
        for name, array in tensors.items()
        if name.startswith(FEATURES)
    }
    features = features_from(data, arrays)
    if type(features) is not KINDS.get(data["kind"]):
        raise ModelFileError(f"features must be of {', '.join(KINDS)}")
    return features


def require_fit(features: Features, network: Network) -> None:
    """The features are those that the network takes."""
    inputs = network.shapes.outputs[0]
    if isinstance(features, ArrayFeatures):
        require_scaling(features.scaling, inputs)
    if isinstance(features, TableFeatures):
        names = texts(list(features.names), "a frame's columns")
        known = {encoding.name for encoding in features.encoder.encodings}
        if not known <= set(names):
            raise ModelFileError("an encoding must be that of one of the columns")
        if inputs != (len(features.encoder.features),):
            raise ModelFileError(f"{inputs} inputs don't go with the columns")


def require_scaling(scaling: Scaling, inputs: Shape) -> None:
    """A mean and a deviation for each input, or for each channel."""
    for name, array in asdict(scaling).items():
        if array.dtype != np.float64 or array.shape != inputs[-1:]:
            raise ModelFileError(
                f"{FEATURES}{name} must be float64 of shape {inputs[-1:]}"
            )
        if not np.isfinite(array).all():
            raise ModelFileError(f"{FEATURES}{name} must be finite")
    if (scaling.deviation <= 0).any():
        raise ModelFileError("a deviation must be above 0")


def state_from(
    position: Any, tensors: Tensors, rule: Optimizer, network: Network
) -> OptimizerState | None:
    """How far the optimizer has come; None for another one, which starts afresh."""
    state = OptimizerState.first(rule, network.memory)
    if len(state.slots) != sum(name.startswith(SLOT) for name in tensors):
        return None
    for number, slot in enumerate(state.slots.values()):
        array = tensors[f"{SLOT}{number}"]
        if (array.shape, array.dtype) != (slot.shape, slot.dtype):
            raise ModelFileError(f"{SLOT}{number} must have {slot.shape}")
        np.copyto(slot, array)
    state.steps = whole(position["steps"], "the steps")
    state.epochs = whole(position["epochs"], "the epochs")
    if state.epochs > state.steps:
        raise ModelFileError(
            f"{state.epochs} epochs take more than {state.steps} steps"
        )
    return state
