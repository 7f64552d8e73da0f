"""What there is to learn from rows."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.formulas.chain import lengths_through
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss, LossFunction
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.optimizers import optimizer as optimizer_named
from thalweg.formulas.penalties import Penalty
from thalweg.formulas.penalties import penalty as penalty_of
from thalweg.model.metrics import metric_for
from thalweg.model.record import NetworkRecord
from thalweg.model.step import Objective, require_outputs
from thalweg.training.arguments import check_targets
from thalweg.training.rows import Rows

LOSS_OF_LAST_ACTIVATION = {
    "softmax": "cross_entropy",
    "sigmoid": "binary_cross_entropy",
}


def usual_loss(layers: Sequence[Layer]) -> str:
    """The loss that goes with the activation of the last layer."""
    last = getattr(layers[-1], "activation", None)
    name = last if isinstance(last, str) else getattr(last, "__name__", "")
    return LOSS_OF_LAST_ACTIVATION.get(name, "mean_squared_error")


def objective_of_rows(
    network: NetworkRecord,
    training: Rows,
    loss: str | Loss | LossFunction | None,
    optimizer: str | Optimizer,
    penalty: Penalty | None,
    clip_norm: float | None,
) -> Objective:
    """What a network is to learn from these rows, with all names resolved."""
    outputs = require_outputs(network.shapes)
    chosen = Loss.of(loss if loss is not None else usual_loss(network.layers))
    check_targets(training.targets, outputs, chosen)
    behind = lengths_through(
        network.layers, network.shapes.outputs, training.own_lengths
    )
    metric = metric_for(chosen, outputs, training.targets, training.own_weights, behind)
    costs = None if penalty is None else penalty_of(penalty)
    return Objective(chosen, metric, optimizer_named(optimizer), costs, clip_norm)
