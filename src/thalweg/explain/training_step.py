"""How a network was trained, as its training step needs it."""

from __future__ import annotations

from thalweg.checks import is_whole
from thalweg.formulas.losses import Loss
from thalweg.model.metrics import CLASS_LOSSES, Accuracy, SquaredError
from thalweg.model.record import NetworkRecord
from thalweg.model.step import Objective
from thalweg.model.traced import can_train
from thalweg.program.types import ArrayType

USUAL_ROWS = 32


def objective_of(network: NetworkRecord) -> Objective | None:
    """What the network was fitted to do; None if not all of that is known."""
    settings = network.history.settings
    rule, penalty = network.optimizer, network.penalty
    if network.loss is None or rule is None:
        return None
    if not all(can_train(layer) for layer in network.layers):
        return None
    if settings.get("penalty") is not None and penalty is None:
        return None
    classes = network.loss.name in CLASS_LOSSES
    outputs = network.shapes.outputs[-1][-1]
    metric = Accuracy() if classes else SquaredError((1.0,) * outputs)
    return Objective(network.loss, metric, rule, penalty, settings.get("clip_norm"))


def batch_types(network: NetworkRecord, loss: Loss) -> dict[str, ArrayType]:
    """The rows of a step: class numbers where classes are learned, else numbers."""
    rows, dtype = rows_of(network), network.dtype
    *positions, outputs = network.shapes.outputs[-1]
    classes = loss.name in CLASS_LOSSES
    last = () if classes or outputs == 1 else (outputs,)
    y = ArrayType((rows, *positions, *last), "int32" if classes else dtype)
    X = ArrayType((rows, *network.shapes.outputs[0]), network.input_dtype)
    return {"X": X, "y": y}


def rows_of(network: NetworkRecord) -> int:
    """The rows of a batch."""
    size = network.history.settings.get("batch_size")
    # A file may hold anything there, such as true, which Python takes for 1.
    if isinstance(size, int) and is_whole(size) and size > 0:
        return size
    return USUAL_ROWS
