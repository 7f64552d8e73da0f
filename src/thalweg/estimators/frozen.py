"""A fitted network as the bytes of a model file, for pickles and copies.

A pickle can run whatever it names, a model file can't: what was learned travels as one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.errors import ModelFileError
from thalweg.estimators.features import Features, features_from
from thalweg.formulas.optimizers import Optimizer
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Programs
from thalweg.training.modelfile import model_bytes, model_of
from thalweg.training.network import Network
from thalweg.training.networkdata import network_data, network_from
from thalweg.training.state import OptimizerState

SLOT, FEATURES = "optimizer/", "features/"
NAME = "the estimator's network"


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
    return model_bytes(tensors, {"kind": "network", **document, "features": prepared})


def thawed(content: bytes, rule: Optimizer) -> tuple[Network, Features]:
    """The network and the features of such bytes.

    Arguments:
        content: what `frozen` gave.
        rule: the optimizer, which can be a person's own and so isn't in them.

    Raises:
        ModelFileError: the bytes break a rule of the format.
    """
    tensors, document = model_of(content)
    network = network_from(document, tensors, NAME)
    network.programs = Programs()
    position = document.get("position")
    if position is not None:
        network.optimizer_state = state_from(position, tensors, rule, network)
    arrays = {
        name.removeprefix(FEATURES): array
        for name, array in tensors.items()
        if name.startswith(FEATURES)
    }
    prepared: Any = document["features"]
    return network, features_from(prepared, arrays)


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
            raise ModelFileError(f"{NAME}: {SLOT}{number} must have {slot.shape}")
        np.copyto(slot, array)
    state.steps, state.epochs = int(position["steps"]), int(position["epochs"])
    return state
