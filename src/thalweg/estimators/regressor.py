"""A network that predicts numbers, as scikit-learn's regressors do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from thalweg.checks import require
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.estimators.base import NetworkEstimator
from thalweg.estimators.continued_fits import restoring
from thalweg.estimators.frozen import require_scaling
from thalweg.estimators.intervals import (
    MEDIAN,
    Conformal,
    checked_levels,
    conformal_data,
    conformal_from,
    in_order,
    quantile_loss,
    stacked,
)
from thalweg.estimators.out_of_fold import OutOfFold
from thalweg.estimators.rows import Given, validation_rows
from thalweg.estimators.scaling import Scaling
from thalweg.estimators.scikit import RegressorMixin, with_callbacks
from thalweg.estimators.targets import Numbers, Targets
from thalweg.estimators.unrounded import require_distinct
from thalweg.formulas.losses import Loss
from thalweg.kinds.pipeline import Answers
from thalweg.program.types import NumpyArray


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A network that predicts numbers, used as any regressor of scikit-learn.

    ŷ = fₙ(… f₁(x)), minimizing Σ wᵢ ℓ(ŷᵢ, yᵢ) / Σ wᵢ

    X may be an array, a sparse array, or a frame of pandas, polars or pyarrow with
    texts, categories, dates and missing cells, understood as by `thalweg train`; or
    images (rows, height, width, channels) and series (rows, times, channels), of which
    bytes (uint8) are read where they lie.
    y holds one number a row, or several.

    Numbers are learned standardized, so losses, and the δ of huber, count in standard
    deviations of y; predictions are in y's own unit. For the loss poisson they are only
    divided, so 0 stays 0. They are learned as they are with ``standardize=False``, with
    an ``output_activation`` of your own, and for losses of probabilities.

    Of up to 64 rows none is held out, and each step takes all of them: a dozen rows
    can't choose an epoch. Below 1,000 rows the arithmetic is in float64.

    Arguments:
        layers: the hidden layers: units, or layers such as ``Dropout(0.2)``.
        activation: of layers given by their units: a name or formula, or one for each.
        output_activation: of the last layer; None takes the one that goes with the
            loss, for most identity.
        dropout: after each layer given by its units.
        loss: a name, a `Loss`, or a function of predictions and targets; None takes
            mean_squared_error.
        optimizer: a name, or an `Optimizer` with its own learning rate.
        learning_rate, schedule, weight_decay: of an optimizer given by its name.
        batch_size: rows of a step, or ``"all"``; None is all of up to 64 rows, else 32
            below 2,000 rows, else 128.
        epochs: at most.
        l1, l2: penalties on the weights.
        clip_norm: the longest gradient allowed.
        early_stopping: stop when the validation loss no longer improves, and go back
            to the best epoch.
        patience: epochs without improvement after which training stops.
        min_delta: the improvement below which it doesn't count.
        validation: the share of the weight to hold out, (X, y) or
            (X, y, sample_weight) of your own, or None.
        quantiles: levels, such as ``(0.05, 0.95)``, that the network predicts beside
            the median, for intervals that are as wide as the rows are uncertain. Rows
            are then held out of small data too.
        standardize: put inputs and targets on the scale that networks learn well on;
            False takes numbers as they are.
        dtype: float32 or float64; None is float64 below 1,000 rows.
        warm_start: let `fit` go on from the last one, optimizer included.
        random_state: the same number gives the same network; None draws another.
        progress: show both losses while training.
        threads: at most; the network is the same to the bit for any number.
        callbacks: objects that follow the training; see `Callback`.
        group_by_length: make batches of rows of similar length, where lengths differ.

    Attributes:
        network_: the trained `Network`.
        history_: the `History` of its training; ``loss_curve_``, ``validation_curve_``,
            ``n_iter_`` and ``best_epoch_`` are taken from it.
        n_features_in_, feature_names_in_: of X; names where it was a frame.

    Raises:
        ArgumentError: from `fit`, where a parameter can't be used; DataError where a
            frame's cell can't.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> X = np.linspace(-1, 1, 600).reshape(-1, 1)
        >>> regressor = tw.NetworkRegressor(layers=(16,), epochs=50)
        >>> regressor = regressor.fit(X, 100 * X[:, 0])
        >>> low, high = regressor.predict_interval([[0.5]], coverage=0.9)[0]
        >>> bool(low < 50 < high)
        True

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986.
    """

    saved_as: ClassVar[str] = "regressor"

    quantiles: Sequence[float] | None = None

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
    ) -> NetworkRegressor:
        """Learn from rows.

        Arguments:
            X: shape (rows, features): an array, a sparse array or a frame.
            y: numbers, shape (rows,) or (rows, outputs).
            sample_weight: one number a row; 2 counts as a row twice, 0 as none.
            X_val, y_val, sample_weight_val: validation rows of your own, in the place
                of those held out.
            groups: one value a row, such as a patient: rows of a group are held out
                together, so that none chooses the epoch for others of its own.

        Returns:
            The regressor itself.

        Raises:
            ArgumentError, DataError, ValueError: a parameter or a cell can't be used.
            DivergenceError: the loss became NaN or infinite.
        """
        own = validation_rows(X_val, y_val, sample_weight_val)
        with restoring(self):
            self._fit(X, y, sample_weight, groups, own)
        return self

    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> NetworkRegressor:
        """Learn for one epoch from more rows, without validation.

        Scales, categories and the network are those of the first rows.

        Arguments:
            X, y, sample_weight: as for `fit`.

        Returns:
            The regressor itself.
        """
        with restoring(self):
            self._partial_fit(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> NumpyArray:
        """The number, or numbers, of every row; with ``quantiles`` the medians.

        Arguments:
            X: shape (rows, features).

        Returns:
            Shape (rows,) or (rows, outputs), as y had, float64, in y's unit.
        """
        return self._answers(self._outputs(X))["prediction"]

    def predict_quantiles(self, X: Any) -> NumpyArray:
        """The quantiles of every row, at the levels of ``quantiles`` and the median.

        Arguments:
            X: shape (rows, features).

        Returns:
            Shape (rows, levels) or (rows, outputs, levels), in increasing order.

        Raises:
            ArgumentError: the regressor was fitted without ``quantiles``.
        """
        outputs = self._outputs(X)
        must = "levels such as (0.05, 0.95) when the regressor is fitted"
        require(len(self._levels) > 1, "quantiles", must, self.quantiles)
        return self._answers(outputs)["quantiles"]

    def predict_interval(self, X: Any, coverage: float = 0.9) -> NumpyArray:
        """An interval for every row that holds its number as often as asked.

        Among rows drawn as the held-out rows were, the share whose number lies inside
        is at least the coverage, on average over such draws; for several outputs, of
        each by itself. Rows that chose the epoch look better there than new ones will,
        so each is seen at the epoch that other folds of them would have chosen.

        Arguments:
            X: shape (rows, features).
            coverage: the share, between 0 and 1.

        Returns:
            Lower and upper end, shape (rows, 2) or (rows, outputs, 2), in y's unit.

        Raises:
            ArgumentError: no rows were held out when the regressor was fitted, or too
                few for so high a coverage.

        Source: Sesia and Candès, "A comparison of some conformal quantile regression
        methods", 2020.
        """
        decoded = stacked(self._decoded(self._outputs(X)))
        if self._conformal is None:
            raise ArgumentError(
                "predict_interval needs rows that were held out: fit on more than "
                "64 rows, with quantiles, or with validation=(X, y)"
            )
        return self._shaped_as_y(self._conformal.interval(decoded, coverage))

    def _decoded(self, outputs: Any) -> list[Any]:
        """What the network gives in y's unit: for each level (rows, numbers)."""
        assert isinstance(self._targets, Numbers)
        # Quantiles that were learned one by one can cross; sorted they are no worse.
        return in_order(self._targets.decode(outputs))

    def _answers(self, outputs: Any) -> dict[str, Any]:
        """What is predicted, of what the network gives: a formula."""
        levels = self._decoded(outputs)
        median = levels[self._levels.index(MEDIAN)]
        answers = {"prediction": self._shaped_as_y(median)}
        if len(levels) > 1:
            answers["quantiles"] = self._shaped_as_y(stacked(levels))
        return answers

    def _described(self) -> tuple[Answers, dict[str, Any]]:
        """The answers, and the levels of the quantiles."""
        assert isinstance(self._targets, Numbers)
        count = self._targets.count
        places = [""] if self._targets.flat else [f" {i}" for i in range(count)]
        columns = {"prediction": [f"prediction{place}" for place in places]}
        if len(self._levels) == 1:
            return Answers(self._answers, columns), {}
        columns["quantiles"] = [
            f"quantile {level:g}{place and ' of'}{place}"
            for place in places
            for level in self._levels
        ]
        return Answers(self._answers, columns), {"levels": self._levels}

    def _shaped_as_y(self, numbers: Any) -> Any:
        """Without the axis of outputs, if y had none."""
        assert isinstance(self._targets, Numbers)
        return numbers[:, 0] if self._targets.flat else numbers

    def _targets_of(self, y: Any) -> Targets:
        """One number a row, or several."""
        self._levels = (MEDIAN,)
        if self.quantiles is not None:
            must = "left out beside quantiles, which have their own"
            require(self.loss is None, "loss", must, self.loss)
            self._levels = checked_levels(self.quantiles)
        require_distinct(y)
        flat = np.ndim(y) == 1
        count = 1 if flat else np.shape(y)[1]
        self._conformal = None
        return Numbers(count, flat, len(self._levels), Scaling.none(count))

    def _loss(self) -> Loss:
        """That of the quantiles, the one that was asked for, or the usual one."""
        if self.quantiles is not None:
            assert isinstance(self._targets, Numbers)
            return quantile_loss(self._levels, self._targets.count)
        return NetworkEstimator._loss(self)

    def _scaled(self, targets: Targets, given: Given, rows: NumpyArray) -> Targets:
        """With the scale of training rows, where the last layer can give any number."""
        assert isinstance(targets, Numbers)
        loss, last = self._loss(), self.output_activation
        if last is None:
            last = targets.last_activation(loss)
        counts = loss.name == "poisson"
        if not self.standardize or not (last == "identity" or counts):
            return targets
        weights = None if given.weights is None else given.weights[rows]
        scaling = Scaling.fit(given.y[rows], weights)
        return replace(targets, scaling=scaling.keeping_zero() if counts else scaling)

    @property
    def _needs_held_out_rows(self) -> bool:
        """For intervals around quantiles."""
        return self.quantiles is not None

    @property
    def _takes_held_out_rows_for_new(self) -> bool:
        """For intervals that hold as many new rows as they say."""
        return True

    def _finish(self, held_out: OutOfFold | None) -> None:
        """What held-out rows show about how far off predictions are."""
        self._conformal = None
        if held_out is None:
            return
        outputs = held_out.outputs(self.network_)
        truth, weights = held_out.rows.y, held_out.rows.weights
        counted = np.ones(len(outputs)) if weights is None else weights / weights.mean()
        decoded = stacked(self._decoded(outputs))
        self._conformal = Conformal(self._levels, decoded, truth, counted)

    def _found_data(self) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
        """The levels of the quantiles, and what held-out rows show."""
        return conformal_data(self._levels, self._conformal)

    def _find_again(self, data: Any, tensors: dict[str, NumpyArray]) -> None:
        """The levels and what held-out rows show, if they go with the network."""
        targets, outputs = self._targets, self.network_.shapes.outputs[-1]
        if not isinstance(targets, Numbers):
            raise ModelFileError("a regressor must have numbers as targets")
        require_scaling(targets.scaling, (targets.count,))
        self._levels, self._conformal = conformal_from(data, tensors, targets.count)
        repeats = len(self._levels)
        if targets.repeats != repeats or outputs != (targets.count * repeats,):
            raise ModelFileError(
                f"{targets.count} numbers of {repeats} levels don't go with outputs "
                f"of {outputs}"
            )
        if targets.flat and targets.count != 1:
            raise ModelFileError("targets of one axis must be one number a row")

    def __sklearn_tags__(self) -> Any:
        inherited: Any = super()
        tags = inherited.__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
