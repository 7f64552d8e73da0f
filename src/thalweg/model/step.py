"""The programs of a network: one training step, the scoring of rows, prediction."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from thalweg.errors import ShapeError
from thalweg.formulas import optimizers
from thalweg.formulas.chain import Shapes, lengths_through
from thalweg.formulas.clipping import clip_by_global_norm
from thalweg.formulas.layers import Layer, Parameter
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.metrics import Metric
from thalweg.model.stack import (
    RANDOM_INPUTS,
    StepRandom,
    predictions_of,
    training_predictions_of,
)
from thalweg.program import ops
from thalweg.program.compile import (
    finish,
    flat_type,
    make_safe,
    training_program,
    unpack,
)
from thalweg.program.ir import Program
from thalweg.program.trace import Tracer, labeled, trace
from thalweg.program.types import ArrayType, Dtype, Shape

Arrays = dict[str, Any]
LENGTHS = "lengths"  # the input that says how many times each row has
OWN_RULES = optimizers.__name__  # none reads its learning rate but as an argument


@dataclass(frozen=True)
class Objective:
    """What a network is to learn: everything that a training step depends on."""

    loss: Loss
    metric: Metric
    optimizer: Optimizer
    penalty: Penalty | None
    clip_norm: float | None

    @property
    def shared(self) -> Hashable:
        """What the program of a step depends on: the learning rate is its input."""
        rule = self.optimizer
        if is_dataclass(rule) and type(rule).__module__.startswith(OWN_RULES):
            rule = replace(rule, learning_rate=1.0)
        return (self.loss, type(self.metric), rule, self.penalty, self.clip_norm)


def types_of(declared: Mapping[str, Parameter], dtype: Dtype) -> dict[str, ArrayType]:
    """The types of declared parameters or state."""
    return {name: ArrayType(p.shape, dtype) for name, p in declared.items()}


def step_key(
    layers: tuple[Layer, ...],
    shapes: Shapes,
    objective: Objective,
    row: Mapping[str, ArrayType],
    dtype: Dtype,
) -> Hashable:
    """All that the programs of a step depend on but the number of rows.

    Arguments:
        layers, shapes, task, dtype: as `step_programs` takes them.
        row: the types of a batch of one row.
    """
    return (
        "step",
        layers,
        shapes.outputs[0],
        objective.shared,
        tuple(row.items()),
        dtype,
    )


def step_programs(
    layers: Sequence[Layer],
    shapes: Shapes,
    objective: Objective,
    batch: Mapping[str, ArrayType],
    dtype: Dtype,
) -> dict[str, Program]:
    """One training step on a batch, after each pass; ``step`` is the finished program.

    J(θ) = 1/B Σ wᵢ ℓ(f(xᵢ; θ), yᵢ) + R(θ), then the optimizer's rule with ∇J(θ)

    Arguments:
        layers: f.
        shapes: of the network's parameters and state.
        objective: loss, metric, optimizer and penalty.
        batch: the types of ``X``, ``y`` and maybe ``sample_weight`` and ``lengths``,
            B rows each.
        dtype: of the parameters.
    """
    inputs = {
        **batch,
        **types_of(shapes.state, dtype),
        "learning_rate": ArrayType((), dtype),
        "step": RANDOM_INPUTS["step"],
        "seed": RANDOM_INPUTS["seed"],
    }

    def loss_and_state(parameters: Arrays, given: Arrays) -> Arrays:
        random = StepRandom(given["seed"], given["step"], dtype)
        values = {**parameters, **{name: given[name] for name in shapes.state}}
        X = ops.cast(given["X"], dtype)
        lengths = given.get(LENGTHS)
        predictions, state = training_predictions_of(layers, X, values, random, lengths)
        behind = lengths_through(layers, shapes.outputs, lengths)
        sums, losses = scores(
            predictions, given, objective.loss, objective.metric, behind
        )
        total = ops.sum(losses) / losses.shape[0]
        if objective.penalty is not None:
            for name, parameter in shapes.parameters.items():
                if parameter.penalized:
                    total = total + objective.penalty(parameters[name])
        return {"objective": total, **sums, **state}

    def update(
        parameters: Tracer, gradient: Tracer, state: Arrays, rate: Tracer, step: Tracer
    ) -> tuple[Any, Mapping[str, Any]]:
        if objective.clip_norm is not None:
            gradient = clip_by_global_norm(gradient, objective.clip_norm)
        with labeled(f"optimizer {type(objective.optimizer).__name__}"):
            return objective.optimizer.update(parameters, gradient, state, rate, step)

    return training_program(
        loss_and_state,
        types_of(shapes.parameters, dtype),
        inputs,
        update,
        objective.optimizer.state(),
    )


def scores(
    predictions: Tracer,
    given: Arrays,
    loss: Loss,
    metric: Metric,
    lengths: Tracer | None,
) -> tuple[Arrays, Tracer]:
    """The weighted sums of loss and metric over a batch, and the rows' own losses.

    Arguments:
        predictions: what the last layer gives.
        given: the batch, with ``y`` and maybe ``sample_weight``.
        loss, metric: of the network.
        lengths: of what the last layer gives, where rows have lengths of their own.
    """
    with labeled(f"loss {loss.name}"):
        losses = loss.per_row(predictions, given["y"], lengths)
    figures = metric.per_row(predictions, given["y"], lengths)
    weights = given.get("sample_weight")
    if weights is not None:
        losses = losses * weights
        column = ops.reshape(weights, (-1,) + (1,) * (figures.ndim - 1))
        figures = figures * column
    return {"loss_sum": ops.sum(losses), "metric_sum": ops.sum(figures, axis=0)}, losses


def network_inputs(
    shapes: Shapes, rows: int, dtype: Dtype, input_dtype: Dtype | None = None
) -> dict[str, ArrayType]:
    """The inputs of a program without learning: θ, the layers' state, X."""
    return {
        "parameters": flat_type(types_of(shapes.parameters, dtype)),
        **types_of(shapes.state, dtype),
        "X": ArrayType((rows, *shapes.outputs[0]), input_dtype or dtype),
    }


def values_in(arrays: Arrays, shapes: Shapes, dtype: Dtype) -> Arrays:
    """Parameters and state by their names, from a program's inputs."""
    leaves = unpack(arrays["parameters"], types_of(shapes.parameters, dtype))
    return {**leaves, **{name: arrays[name] for name in shapes.state}}


def prediction_program(
    layers: Sequence[Layer],
    shapes: Shapes,
    rows: int,
    dtype: Dtype,
    input_dtype: Dtype | None = None,
    with_lengths: bool = False,
) -> Program:
    """f(X; θ) for a number of rows, without anything that only training needs.

    Arguments:
        layers, shapes, dtype: of the network.
        rows: how many there are.
        input_dtype: of X, uint8; None for the network's own.
        with_lengths: whether rows have lengths of their own, another input.
    """

    def predictions(arrays: Arrays) -> Arrays:
        values = values_in(arrays, shapes, dtype)
        x, lengths = ops.cast(arrays["X"], dtype), arrays.get(LENGTHS)
        return {"predictions": predictions_of(layers, x, values, lengths)}

    types = network_inputs(shapes, rows, dtype, input_dtype)
    if with_lengths:
        types[LENGTHS] = ArrayType((rows,), "int32")
    return finish(make_safe(trace(predictions, types)))


def scoring_program(
    layers: Sequence[Layer],
    shapes: Shapes,
    loss: Loss,
    metric: Metric,
    batch: Mapping[str, ArrayType],
    dtype: Dtype,
) -> Program:
    """The sums of loss and metric over rows, as in prediction."""
    rows = batch["X"].shape[0]

    def sums(arrays: Arrays) -> Arrays:
        values = values_in(arrays, shapes, dtype)
        x, lengths = ops.cast(arrays["X"], dtype), arrays.get(LENGTHS)
        predictions = predictions_of(layers, x, values, lengths)
        behind = lengths_through(layers, shapes.outputs, lengths)
        return scores(predictions, arrays, loss, metric, behind)[0]

    traced = trace(sums, {**network_inputs(shapes, rows, dtype), **batch})
    return finish(make_safe(traced))


def require_outputs(shapes: Shapes) -> Shape:
    """The shape of what a row gives: outputs, or outputs at each of its positions."""
    last: Shape = shapes.outputs[-1]
    if not last:
        raise ShapeError(
            "the last layer must give (rows, outputs) or (rows, positions, outputs), "
            "got (rows,)"
        )
    return last
