"""How a network was trained, read back from its history's settings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from thalweg.errors import ThalwegError
from thalweg.formulas import schedules
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import OPTIMIZERS, Optimizer
from thalweg.formulas.penalties import L1, L2, Penalties, Penalty
from thalweg.program.types import ArrayType
from thalweg.training.metrics import CLASS_LOSSES, Accuracy, SquaredError
from thalweg.training.step import Task
from thalweg.training.traced import TracedLayer

if TYPE_CHECKING:
    from thalweg.training.network import Network

USUAL_ROWS = 32
LONGEST = 1000  # characters of a setting; a file may hold anything
Kind = TypeVar("Kind")
SCHEDULES = (
    schedules.Constant,
    schedules.StepDecay,
    schedules.ExponentialDecay,
    schedules.CosineWithWarmup,
    schedules.OneCycle,
    schedules.ReduceOnPlateau,
)
SETTINGS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (*OPTIMIZERS.values(), *SCHEDULES, L1, L2, Penalties)
}


def task_of(network: Network) -> Task | None:
    """What the network was fitted to do; None if not all of that is known."""
    settings = network.history.settings
    rule = rebuilt(settings.get("optimizer"), Optimizer)
    penalty = rebuilt(settings.get("penalty"), Penalty)
    if network.loss is None or rule is None:
        return None
    if not all(is_learnable(layer) for layer in network.layers):
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


def rebuilt(spelled: object, kind: type[Kind]) -> Kind | None:
    """A rule or penalty as it was written; None if it isn't one of thalweg's own."""
    if not isinstance(spelled, str) or len(spelled) > LONGEST:
        return None
    try:
        found = value_of(ast.parse(spelled, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, KeyError, ThalwegError):
        return None
    return found if isinstance(found, kind) else None


def value_of(node: ast.expr) -> Any:
    """Numbers, tuples, and calls of what is in the table: nothing is evaluated."""
    if isinstance(node, ast.Tuple):
        return tuple(value_of(each) for each in node.elts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        given = {str(each.arg): value_of(each.value) for each in node.keywords}
        return SETTINGS[node.func.id](**given)
    return ast.literal_eval(node)


def rows_of(network: Network) -> int:
    """The rows of a batch."""
    size = network.history.settings.get("batch_size")
    return size if isinstance(size, int) and size > 0 else USUAL_ROWS


def is_learnable(layer: Layer) -> bool:
    """Whether a layer's training formula is there; a file can lack it."""
    return not isinstance(layer, TracedLayer) or layer.training is not None
