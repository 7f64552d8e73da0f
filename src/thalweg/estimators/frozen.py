"""A fitted network as the bytes of a model file, for pickles and copies.

A pickle can run whatever it names, a model file can't: what was learned travels as one.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from thalweg.data.strict import texts, whole
from thalweg.errors import ModelFileError
from thalweg.estimators.features import (
    ArrayFeatures,
    Features,
    RawFeatures,
    TableFeatures,
    features_from,
)
from thalweg.estimators.scaling import Scaling
from thalweg.formulas.optimizers import Optimizer
from thalweg.program.types import NumpyArray, Shape
from thalweg.training.columnar import pack, unpack
from thalweg.training.modelfile import content_of, model_bytes
from thalweg.training.network import Network
from thalweg.training.networkdata import as_written, network_data, network_from
from thalweg.training.programs import Programs
from thalweg.training.state import OptimizerState

SLOT, FEATURES = "optimizer/", "features/"
NAME = "the estimator's network"
KINDS = {"array": ArrayFeatures, "raw": RawFeatures, "table": TableFeatures}


def frozen(network: Network, features: Features) -> bytes:
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
    packed, lists = pack({"features": prepared})
    tensors |= lists
    document = {"kind": "network", **document, **packed}
    return model_bytes(*as_written(document, tensors))


def thawed(content: bytes, rule: Optimizer) -> tuple[Network, Features]:
    """The network and the features of such bytes.

    Arguments:
        content: what `frozen` gave.
        rule: the optimizer, which can be a person's own and so isn't in them.

    Raises:
        ModelFileError: the bytes break a rule of the format.
    """
    found = content_of(content, NAME)
    network = network_from(found)
    document, tensors = found.document, found.tensors
    network.programs = Programs()
    try:
        described = unpack({"features": document["features"]}, tensors)
        features = decoded_features(described["features"], tensors)
        require_fit(features, network)
        position = document.get("position")
        if position is not None:
            network.optimizer_state = state_from(position, tensors, rule, network)
    except ModelFileError as error:
        raise ModelFileError(f"{NAME}: {error}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{NAME} is damaged: {error!r}") from None
    return network, features


def decoded_features(data: Any, tensors: dict[str, NumpyArray]) -> Features:
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
    """A mean and a deviation for each input."""
    for name, array in asdict(scaling).items():
        if array.dtype != np.float64 or array.shape != inputs:
            raise ModelFileError(f"{FEATURES}{name} must be float64 of shape {inputs}")
        if not np.isfinite(array).all():
            raise ModelFileError(f"{FEATURES}{name} must be finite")
    if (scaling.deviation <= 0).any():
        raise ModelFileError("a deviation must be above 0")


def state_from(
    position: Any, tensors: dict[str, NumpyArray], rule: Optimizer, network: Network
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
