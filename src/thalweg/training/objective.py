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
from thalweg.model.constant_guess import Targets, constant_loss
from thalweg.model.metrics import metric_for
from thalweg.model.record import NetworkRecord
from thalweg.model.step import Objective, require_outputs
from thalweg.program.types import Shape
from thalweg.training.arguments import check_targets
from thalweg.training.rows import Rows

LOSS_OF_LAST_ACTIVATION = {
    "softmax": "cross_entropy",
    "sigmoid": "binary_cross_entropy",
}

MOST_BYTES = 2**26  # of targets of which a constant guess is made


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


def constant_loss_of(
    loss: Loss, training: Rows, held_out: Rows | None, outputs: Shape
) -> float | None:
    """What the best constant guess loses on the rows that choose the best epoch.

    It isn't computed of very many targets, as that would take memory.
    """
    scored = training if held_out is None else held_out
    bytes_a_row = training.y.nbytes // max(len(training.y), 1)
    if (len(training) + len(scored)) * bytes_a_row > MOST_BYTES:
        return None
    made_of = Targets(training.targets, training.own_weights)
    return constant_loss(
        loss, made_of, Targets(scored.targets, scored.own_weights), outputs
    )
