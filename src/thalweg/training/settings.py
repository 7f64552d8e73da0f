"""How a network was trained, as its training step needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.formulas.losses import Loss
from thalweg.formulas.names import is_whole
from thalweg.program.types import ArrayType
from thalweg.training.metrics import CLASS_LOSSES, Accuracy, SquaredError
from thalweg.training.step import Task
from thalweg.training.traced import can_train

if TYPE_CHECKING:
    from thalweg.training.network import Network

USUAL_ROWS = 32


def task_of(network: Network) -> Task | None:
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
    outputs = network.shapes.outputs[-1][0]
    metric = Accuracy() if classes else SquaredError((1.0,) * outputs)
    return Task(network.loss, metric, rule, penalty, settings.get("clip_norm"))


def batch_types(network: Network, loss: Loss) -> dict[str, ArrayType]:
    """The rows of a step: class numbers where classes are learned, else numbers."""
    rows, dtype = rows_of(network), network.dtype
    (outputs,) = network.shapes.outputs[-1]
    classes = loss.name in CLASS_LOSSES
    y = ArrayType(
        (rows,) if classes or outputs == 1 else (rows, outputs),
        "int32" if classes else dtype,
    )
    return {"X": ArrayType((rows, *network.shapes.outputs[0]), dtype), "y": y}


def rows_of(network: Network) -> int:
    """The rows of a batch."""
    size = network.history.settings.get("batch_size")
    # A file may hold anything there, such as true, which Python takes for 1.
    if isinstance(size, int) and is_whole(size) and size > 0:
        return size
    return USUAL_ROWS
