"""What a network gives, by what is predicted and by the loss."""

from __future__ import annotations

from thalweg.errors import ArgumentError
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.losses import Loss
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.kinds.task import Task
from thalweg.model.metrics import CLASS_LOSSES

ONE_OUTPUT = "binary_cross_entropy"
POSITIVE = "poisson"


def output_layer(targets: ClassTargets | NumberTargets, loss: str | None) -> Layer:
    """A probability for each class, or one number."""
    if isinstance(targets, NumberTargets):
        return Dense(1, "softplus" if loss == POSITIVE else "identity")
    if loss == ONE_OUTPUT:
        return Dense(1, "sigmoid")
    return Dense(len(targets.labels), "softmax")


def require_fitting(
    loss: str | None, targets: ClassTargets | NumberTargets, task: Task
) -> None:
    """The loss goes with the task.

    Raises:
        ArgumentError: it doesn't; the message names one that does.
    """
    if loss is None:
        return
    classes = isinstance(targets, ClassTargets)
    if classes != (Loss.of(loss).name in CLASS_LOSSES):
        fitting = "cross_entropy" if classes else "mean_squared_error"
        raise ArgumentError(
            f"loss {loss} doesn't go with {targets.name!r}, which is {task.line()}; "
            f"one that does is {fitting}"
        )
    if isinstance(targets, ClassTargets):
        count = len(targets.labels)
        if loss == ONE_OUTPUT and count != 2:
            raise ArgumentError(
                f"loss {loss} needs two classes, {targets.name!r} has {count}"
            )
