"""What an estimator's parameters mean: settings, layers, and the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.checks import is_whole, require, require_seed
from thalweg.defaults import WHOLE_BATCH_ROWS
from thalweg.estimators.rows import is_listed
from thalweg.estimators.scikit import utils
from thalweg.estimators.targets import Targets
from thalweg.formulas.chain import shapes_of
from thalweg.formulas.layers import Columns, Dense, Dropout, Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.pooling import Flatten
from thalweg.program.types import Dtype, Shape
from thalweg.tabular.settings import Settings

OF_NAMED_RULES = ("learning_rate", "schedule", "weight_decay")
SHARED = (
    *("optimizer", "learning_rate", "schedule", "weight_decay", "batch_size", "epochs"),
    *("dropout", "l1", "l2", "clip_norm", "patience", "min_delta"),
)
"""Parameters that mean what `Settings` has them mean."""


def settings_of(estimator: Any, seed: int = 0) -> Settings:
    """The parameters that `thalweg train` has too, checked as there.

    Raises:
        ArgumentError: one can't be used.
    """
    given = {name: getattr(estimator, name) for name in SHARED}
    rule = given["optimizer"]
    if not isinstance(rule, str):
        must = "a name, or an optimizer with its own learning rate"
        require(isinstance(rule, Optimizer), "optimizer", must, rule)
        for name in OF_NAMED_RULES:
            usual = getattr(Settings, name)
            must = f"left out beside {rule!r}, which has its own"
            require(given[name] == usual, name, must, given[name])
        given["optimizer"] = Settings.optimizer
    return Settings(**given, seed=seed)


def seed_of(random_state: Any) -> int:
    """A seed from scikit-learn's random_state; None draws another every time."""
    if is_whole(random_state):
        require_seed(random_state, "random_state")
        return int(random_state)
    return int(utils.check_random_state(random_state).randint(2**31 - 1))


def rule_of(estimator: Any, settings: Settings, rows: int) -> Optimizer:
    """The optimizer with its schedule, for a number of training rows."""
    rule = estimator.optimizer
    return settings.rule(rows) if isinstance(rule, str) else rule


def batch_size_of(settings: Settings, rows: int) -> int | str:
    """The rows of a step."""
    if settings.batch_size is None and rows <= WHOLE_BATCH_ROWS:
        return "all"
    return settings.rows_a_step(rows)


def layers_of(
    layers: Any,
    activation: str | Callable[..., Any] | Sequence[Any],
    dropout: float,
    last: Layer,
    begin: Begin,
) -> list[Layer]:
    """All layers, from the first to the last.

    Those given by their units, and the last, see all numbers of a row: where a row has
    places, `Flatten` comes before.

    Arguments:
        layers: units, or layers as they are.
        activation: of the layers given by their units: one for all, or one for each.
        dropout: after each layer given by its units.
        last: the output layer.
        begin: what comes before the layers.

    Raises:
        ArgumentError: something else was given, or not as many activations as units.
        ShapeError: the layers don't go with each other, or with a row.
    """
    must = "a list of units and layers, such as (64, Dropout(0.2), 32)"
    require(is_listed(layers), "layers", must, layers)
    sizes: list[Any] = [each for each in layers if not isinstance(each, Layer)]
    for units in sizes:
        require(is_whole(units) and units >= 1, "layers", must, units)
    each = iter(activations_for(activation, len(sizes)))
    found = [*begin.layers]
    for given in layers:
        if isinstance(given, Layer):
            found.append(given)
            continue
        found += [*begin.flattening(found), Dense(int(given), next(each))]
        if dropout:
            found.append(Dropout(dropout))
    return [*found, *begin.flattening(found), last]


@dataclass(frozen=True)
class Begin:
    """What a network starts with.

    Arguments:
        layers: the first ones.
        row: the shape of a row that it takes.
        dtype: in which.
    """

    layers: Sequence[Layer]
    row: Shape
    dtype: Dtype

    def flattening(self, layers: Sequence[Layer]) -> list[Layer]:
        """A layer that makes one axis of a row's, if behind these it has several."""
        keeping = (Columns, Dense, Dropout)
        if len(self.row) == 1 and all(isinstance(each, keeping) for each in layers):
            return []
        given = shapes_of(layers, self.row, self.dtype).outputs[-1]
        return [Flatten()] if len(given) > 1 else []


def activations_for(activation: Any, count: int) -> list[Any]:
    """One activation for each layer given by its units."""
    if isinstance(activation, str) or callable(activation):
        return [activation] * count
    fits = is_listed(activation) and len(activation) == count
    must = f"one activation, or {count} for {count} layers given by their units"
    require(fits, "activation", must, activation)
    return list(activation)


def output_layer(targets: Targets, loss: Loss, asked: Any) -> Layer:
    """The last layer: as many outputs as there are answers."""
    activation = targets.last_activation(loss) if asked is None else asked
    return Dense(targets.outputs(loss), activation)
