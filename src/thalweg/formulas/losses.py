"""Losses: how far predictions are from targets, a number to be made small.

Each formula gives one value a row; the `Loss` around it brings the targets to the
predictions' shape and averages the rows by their weights, Σ wᵢℓᵢ / Σ wᵢ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from thalweg.backends.numpy.calls import formula
from thalweg.checks import (
    is_number,
    look_up,
    merge_parameters,
    require,
    require_fraction,
    require_positive,
)
from thalweg.errors import ShapeError
from thalweg.formulas.lengths import Lengths
from thalweg.formulas.targets import (
    Match,
    as_array,
    as_columns,
    over_positions,
    probabilities,
    values,
)
from thalweg.program import ops
from thalweg.program.arguments import shape_of

LossFunction: TypeAlias = Callable[..., ops.Array]


@dataclass(frozen=True)
class Loss:
    """A loss by its name: the formula of a row, averaged by the rows' weights.

    L = Σ wᵢℓᵢ / Σ wᵢ, where wᵢ = 1 unless sample weights are given

    Arguments:
        name: what tables and errors call it.
        function: takes predictions (rows, …, outputs), targets of the same shape and
            the parameters; returns one value a row, or one for each of its positions,
            of which a row gets the mean; or a scalar that every row shares.
        match: brings targets to the shape of predictions, or refuses.
        parameters: the numbers that differ from the function's own defaults.

    Raises:
        ShapeError: when called, predictions, targets and weights don't go together.

    Example:
        >>> from thalweg.formulas.losses import mean_squared_error
        >>> print(mean_squared_error([[1.0], [2.0]], [1.0, 4.0]))
        2.0
        >>> print(mean_squared_error([[1.0], [2.0]], [1.0, 4.0], [3.0, 1.0]))
        1.0
    """

    name: str
    function: LossFunction
    match: Match
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.function.__doc__)

    def __call__(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        sample_weight: ops.Array | None = None,
    ) -> ops.Array:
        """The mean over rows, weighted: a scalar."""
        losses = self.per_row(predictions, targets)
        if sample_weight is None:
            return ops.mean(losses)
        weights = ops.cast(as_array(sample_weight), losses.dtype.name)
        if weights.shape != losses.shape:
            raise ShapeError(
                f"sample_weight must hold one number a row, shape {losses.shape}, "
                f"got {weights.shape}"
            )
        return ops.sum(weights * losses) / ops.sum(weights)

    def per_row(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        lengths: Lengths | None = None,
    ) -> ops.Array:
        """The loss of each row: an array of shape (rows,).

        Arguments:
            predictions: (rows, …, outputs).
            targets: of the same shape, or class numbers.
            lengths: how many of its first positions each row has; None for all.
        """
        columns = as_columns(predictions)
        matched = self.match(columns, as_array(targets))
        losses = self.function(columns, matched, **dict(self.parameters))
        return one_value_a_row(losses, columns.shape[:-1], lengths)

    def with_parameters(self, **parameters: float) -> Loss:
        """The same loss with other numbers, as in ``huber.with_parameters(delta=2.0)``.

        Raises:
            ArgumentError: the loss has no such parameter.
        """
        given = {**dict(self.parameters), **parameters}
        return replace(
            self, parameters=merge_parameters(self.name, self.function, given)
        )

    @staticmethod
    def of(chosen: str | Loss | LossFunction) -> Loss:
        """The loss of that name, the loss itself, or a user's function as a loss.

        Arguments:
            chosen: a name, a `Loss`, or a function of predictions (rows, …, outputs)
                and targets of the same shape that gives one value a row or position.
                Class numbers reach it as one-hot rows. A function that gives a scalar
                works too, but sample weights don't reach inside it.

        Raises:
            ArgumentError: there is no loss of that name.

        Example:
            >>> from thalweg.formulas.losses import Loss
            >>> from thalweg.program import ops
            >>> def cubic(predictions, targets):
            ...     return ops.mean(abs(predictions - targets) ** 3, axis=-1)
            >>> print(Loss.of(cubic)([[1.0], [2.0]], [1.0, 4.0]))
            4.0
        """
        if isinstance(chosen, Loss):
            return chosen
        if isinstance(chosen, str):
            return look_up("loss", chosen, LOSSES)
        require(callable(chosen), "loss", "a name, a Loss or a function", chosen)
        return Loss(getattr(chosen, "__name__", "loss"), chosen, probabilities)


def one_value_a_row(
    losses: ops.Array, positions: tuple[int, ...], lengths: Lengths | None
) -> ops.Array:
    """The losses of all rows, the means of their positions; a scalar is every row's."""
    shape = shape_of(losses)
    if lengths is not None and shape != positions:
        raise ShapeError(
            "a loss must give one value for each position of rows whose lengths "
            f"differ, shape {positions}, got {shape}: average over axis=-1 alone"
        )
    if shape not in ((), positions[:1], positions):
        raise ShapeError(
            f"a loss must give one value a row, shape {positions}, or a scalar, "
            f"got {shape}: average over axis=-1"
        )
    if shape == positions and len(positions) > 1:
        losses = over_positions(losses, lengths=lengths)
    return ops.broadcast_to(losses, positions[:1])


def loss(match: Match) -> Callable[[LossFunction], Loss]:
    """Make a formula that gives one value a row a `Loss` of its name."""
    return lambda function: Loss(function.__name__, formula(function), match)


# The formulas ------------------------------------------------------------------------


@loss(values)
def mean_squared_error(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """The mean of squared errors: its best constant guess is the mean.

    ℓ = mean of (ŷ − y)² over outputs

    Arguments:
        predictions: ŷ, shape (rows, …, outputs) or (rows,).
        targets: y, the same shape, or (rows, …) for one output.
        sample_weight: one number a row, or None.

    Returns:
        The weighted mean over rows, in the square of the targets' unit.

    Raises:
        ShapeError: the shapes don't go together.

    Example:
        >>> from thalweg.formulas.losses import mean_squared_error
        >>> print(mean_squared_error([1.0, 2.0], [1.0, 4.0]))
        2.0

    Source: Legendre, "New methods for the determination of the orbits of comets",
    1805.
    """
    return ops.mean((predictions - targets) ** 2, axis=-1)


@loss(values)
def mean_absolute_error(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """The mean of absolute errors: its best constant guess is the median.

    ℓ = mean of |ŷ − y| over outputs

    Arguments:
        predictions: ŷ, shape (rows, …, outputs) or (rows,).
        targets: y, the same shape, or (rows, …) for one output.
        sample_weight: one number a row, or None.

    Returns:
        The weighted mean over rows, in the targets' unit.

    Raises:
        ShapeError: the shapes don't go together.

    Example:
        >>> from thalweg.formulas.losses import mean_absolute_error
        >>> print(mean_absolute_error([1.0, 2.0], [1.0, 4.0]))
        1.0

    Source: Boscovich, "De litteraria expeditione per pontificiam ditionem", 1757.
    """
    return ops.mean(ops.absolute(predictions - targets), axis=-1)


@loss(values)
def huber(
    predictions: ops.Array, targets: ops.Array, *, delta: float = 1.0
) -> ops.Array:
    """Squared for small errors, absolute for large ones, so outliers pull less.

    ℓ = mean over outputs of e²/2 if |e| ≤ δ, else δ (|e| − δ/2), where e = ŷ − y

    Arguments:
        predictions: ŷ, shape (rows, …, outputs) or (rows,).
        targets: y, the same shape, or (rows, …) for one output.
        sample_weight: one number a row, or None.
        delta: δ, from which error on it is absolute, in the targets' unit; set by
            ``huber.with_parameters(delta=2.0)``.

    Returns:
        The weighted mean over rows, in the square of the targets' unit.

    Raises:
        ArgumentError: delta isn't greater than 0.
        ShapeError: the shapes don't go together.

    Example:
        >>> from thalweg.formulas.losses import huber
        >>> print(huber([1.0, 2.0], [1.5, 5.0]))
        1.3125

    Source: Huber, "Robust estimation of a location parameter", 1964.
    """
    require_positive("delta", delta)
    error = ops.absolute(predictions - targets)
    return ops.mean(
        ops.where(error <= delta, error**2 / 2, delta * (error - delta / 2)), axis=-1
    )


@loss(values)
def binary_cross_entropy(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """How surprising yes-or-no answers are under the predicted probabilities.

    ℓ = mean over outputs of −(y log ŷ + (1 − y) log(1 − ŷ))

    With a sigmoid before it, it is safe at any z: log(sigmoid(z)) is never computed
    as it stands.

    Arguments:
        predictions: ŷ, probabilities, shape (rows, …, outputs) or (rows,).
        targets: y, from 0 to 1, the same shape, or (rows, …) for one output.
        sample_weight: one number a row, or None.

    Returns:
        The weighted mean over rows, in nats.

    Raises:
        ShapeError: the shapes don't go together.

    Example:
        >>> from thalweg.formulas.losses import binary_cross_entropy
        >>> print(round(binary_cross_entropy([0.5, 0.5], [0, 1]), 4))
        0.6931

    Source: Good, "Rational decisions", 1952.
    """
    yes, no = ops.xlogy(targets, predictions), ops.xlogy(1 - targets, 1 - predictions)
    return ops.mean(-(yes + no), axis=-1)


@loss(probabilities)
def cross_entropy(
    predictions: ops.Array, targets: ops.Array, *, label_smoothing: float = 0.0
) -> ops.Array:
    """How surprising the true classes are under the predicted probabilities.

    ℓ = −Σ y log ŷ over classes, where y becomes (1 − ε) y + ε / classes

    With a softmax before it, it is safe at any z: log(softmax(z)) is never computed
    as it stands.

    Arguments:
        predictions: ŷ, probabilities, shape (rows, …, classes).
        targets: class numbers from 0, shape (rows, …), or probabilities (such as
            one-hot rows), shape (rows, …, classes).
        sample_weight: one number a row, or None.
        label_smoothing: ε, the part of each target spread over all classes; set by
            ``cross_entropy.with_parameters(label_smoothing=0.1)``.

    Returns:
        The weighted mean over rows, in nats.

    Raises:
        ArgumentError: label_smoothing isn't in [0, 1), or a class number is too large.
        ShapeError: the shapes don't go together, or there is only one class.

    Example:
        >>> from thalweg.formulas.losses import cross_entropy
        >>> print(round(cross_entropy([[0.25, 0.75], [0.5, 0.5]], [1, 0]), 4))
        0.4904

    Source: Good, "Rational decisions", 1952; smoothing: Szegedy, Vanhoucke, Ioffe,
    Shlens and Wojna, "Rethinking the Inception architecture", 2016.
    """
    require_fraction("label_smoothing", label_smoothing)
    classes = predictions.shape[-1]
    if classes < 2:
        raise ShapeError(
            f"cross_entropy needs 2 outputs or more, got {predictions.shape}: "
            "for a single probability take binary_cross_entropy"
        )
    smoothed = (1 - label_smoothing) * targets + label_smoothing / classes
    return -ops.sum(ops.xlogy(smoothed, predictions), axis=-1)


@loss(values)
def poisson(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """How surprising counts are under predicted rates, up to a constant.

    ℓ = mean over outputs of ŷ − y log ŷ

    It is smallest, but not 0, where ŷ = y. The last layer must be positive:
    softplus, or a formula of one's own such as exp.

    Arguments:
        predictions: ŷ, rates above 0, shape (rows, …, outputs) or (rows,).
        targets: y, counts of 0 or more, the same shape, or (rows, …) for one output.
        sample_weight: one number a row, or None.

    Returns:
        The weighted mean over rows, in nats.

    Raises:
        ShapeError: the shapes don't go together.

    Example:
        >>> from thalweg.formulas.losses import poisson
        >>> print(poisson([1.0, 2.0], [3, 0]))
        1.5

    Source: Nelder and Wedderburn, "Generalized linear models", 1972.
    """
    return ops.mean(predictions - ops.xlogy(targets, predictions), axis=-1)


@loss(values)
def quantile(
    predictions: ops.Array, targets: ops.Array, *, quantile: float = 0.5
) -> ops.Array:
    """The pinball loss: its best constant guess is the wanted quantile.

    ℓ = mean over outputs of max(q e, (q − 1) e), where e = y − ŷ

    Arguments:
        predictions: ŷ, shape (rows, …, outputs) or (rows,).
        targets: y, the same shape, or (rows, …) for one output.
        sample_weight: one number a row, or None.
        quantile: q, the share of targets to lie below, between 0 and 1; set by
            ``quantile.with_parameters(quantile=0.9)``.

    Returns:
        The weighted mean over rows, in the targets' unit.

    Raises:
        ArgumentError: quantile isn't between 0 and 1.
        ShapeError: the shapes don't go together.

    Example:
        >>> from thalweg.formulas.losses import quantile
        >>> print(quantile.with_parameters(quantile=0.75)([1.0, 2.0], [3.0, 1.0]))
        0.875

    Source: Koenker and Bassett, "Regression quantiles", 1978.
    """
    fits = is_number(quantile) and 0 < quantile < 1
    require(fits, "quantile", "between 0 and 1", quantile)
    error = targets - predictions
    return ops.mean(ops.maximum(quantile * error, (quantile - 1) * error), axis=-1)


LOSSES: Mapping[str, Loss] = {
    each.name: each
    for each in (
        mean_squared_error,
        mean_absolute_error,
        huber,
        binary_cross_entropy,
        cross_entropy,
        poisson,
        quantile,
    )
}
