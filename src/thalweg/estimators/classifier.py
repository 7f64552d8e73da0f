"""A network that tells classes apart, as scikit-learn's classifiers do."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thalweg.checks import require
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.estimators.base import NetworkEstimator
from thalweg.estimators.calibration import fitted_temperature, with_temperature
from thalweg.estimators.continued_fits import restoring
from thalweg.estimators.out_of_fold import OutOfFold
from thalweg.estimators.rows import validation_rows
from thalweg.estimators.scikit import (
    ClassifierMixin,
    exceptions,
    metrics,
    with_callbacks,
)
from thalweg.estimators.targets import (
    Classes,
    Labels,
    Targets,
    are_pythons_numbers,
    classes_of,
    sorted_labels,
)
from thalweg.estimators.unrounded import unrounded
from thalweg.kinds.pipeline import Answers
from thalweg.kinds.scores import both_columns
from thalweg.program import ops
from thalweg.program.types import NumpyArray
from thalweg.tables.strict import number, require_keys
from thalweg.tabular.class_weights import BALANCED


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network that tells classes apart, used as any classifier of scikit-learn.

    p(class | x) = softmax(fₙ(… f₁(x))), minimizing −Σ wᵢ log p(yᵢ | xᵢ) / Σ wᵢ

    X may be an array, a sparse array, or a frame of pandas, polars or pyarrow with
    texts, categories, dates and missing cells, understood as by `thalweg train`; or
    images (rows, height, width, channels) and series (rows, times, channels), of which
    bytes (uint8) are read where they lie.
    y holds one class a row, or 0 and 1 in a column for each label.

    Of up to 64 rows none is held out, and each step takes all of them: a dozen rows
    can't choose an epoch. Below 1,000 rows the arithmetic is in float64.

    Arguments:
        layers: the hidden layers: units, or layers such as ``Dropout(0.2)``.
        activation: of layers given by their units: a name or formula, or one for each.
        output_activation: of the last layer; None takes softmax, or sigmoid for labels.
        dropout: after each layer given by its units.
        loss: a name, a `Loss`, or a function of predictions and targets; None takes
            cross_entropy, or binary_cross_entropy for labels.
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
        validation: the share of each class's weight to hold out, (X, y) or
            (X, y, sample_weight) of your own, or None.
        class_weight: None, ``"balanced"``, or a dict from class to weight; multiplies
            sample weights. For labels a list of dicts.
        calibrate: fit a temperature for the probabilities on held-out rows, which are
            then held out of small data too.
        standardize: put inputs on the scale that networks learn well on; False takes
            numbers as they are.
        dtype: float32 or float64; None is float64 below 1,000 rows.
        warm_start: let `fit` go on from the last one, optimizer included.
        random_state: the same number gives the same network; None draws another.
        progress: show both losses while training.
        threads: at most; the network is the same to the bit for any number.
        callbacks: objects that follow the training; see `Callback`.
        group_by_length: make batches of rows of similar length, where lengths differ.

    Attributes:
        classes_: the labels, in the order of the probabilities.
        network_: the trained `Network`.
        history_: the `History` of its training; ``loss_curve_``, ``validation_curve_``,
            ``n_iter_`` and ``best_epoch_`` are taken from it.
        temperature_: T, with ``calibrate=True``.
        n_features_in_, feature_names_in_: of X; names where it was a frame.

    Raises:
        ArgumentError: from `fit`, where a parameter can't be used; DataError where a
            frame's cell can't.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> import thalweg as tw
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> classifier = tw.NetworkClassifier(layers=(16,), epochs=50).fit(X, y)
        >>> classifier.score(X, y) > 0.9
        True

    Source: Bridle, "Probabilistic interpretation of feedforward classification network
    outputs", 1990.
    """

    saved_as: ClassVar[str] = "classifier"

    class_weight: Any = None
    calibrate: bool = False

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
    ) -> NetworkClassifier:
        """Learn from rows.

        Arguments:
            X: shape (rows, features): an array, a sparse array or a frame.
            y: classes, shape (rows,), or 0 and 1, shape (rows, labels).
            sample_weight: one number a row; 2 counts as a row twice, 0 as none.
            X_val, y_val, sample_weight_val: validation rows of your own, in the place
                of those held out.
            groups: one value a row, such as a patient: rows of a group are held out
                together, so that none chooses the epoch for others of its own.

        Returns:
            The classifier itself.

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
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> NetworkClassifier:
        """Learn for one epoch from more rows, without validation.

        Scales, categories and the network are those of the first rows.

        Arguments:
            X, y, sample_weight: as for `fit`.
            classes: all there will ever be; needed in the first call.

        Returns:
            The classifier itself.
        """
        balanced = isinstance(self.class_weight, str) and self.class_weight == BALANCED
        must = "None or a dict for partial_fit, which doesn't see all rows"
        require(not balanced, "class_weight", must, self.class_weight)
        first = not hasattr(self, "history_")
        if first and classes is None:
            raise ArgumentError(
                "classes must be given in the first call of partial_fit"
            )
        foreseen = None if classes is None else sorted_labels(unrounded(classes))
        if not first and foreseen is not None:
            same = np.array_equal(foreseen, self.classes_)
            must = f"those of the first call, {self.classes_.tolist()}"
            require(same, "classes", must, foreseen.tolist())
        with restoring(self):
            self._foreseen = foreseen
            try:
                self._partial_fit(X, y, sample_weight)
            finally:
                del self._foreseen
        return self

    def predict(self, X: Any) -> NumpyArray:
        """The most probable class of every row, or which labels it has.

        Arguments:
            X: shape (rows, features).

        Returns:
            Shape (rows,), or 0 and 1 of shape (rows, labels).
        """
        answers = self._answers(self._outputs(X))
        return self._labels()[answers["prediction"]]

    def predict_proba(self, X: Any) -> NumpyArray:
        """The probability of each class, in the order of ``classes_``.

        Arguments:
            X: shape (rows, features).

        Returns:
            Shape (rows, classes); for labels, the probability that each is there.
        """
        return self._calibrated(self._outputs(X))

    def predict_log_proba(self, X: Any) -> NumpyArray:
        """The logarithm of `predict_proba`; minus infinity for a probability of 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy: the share of rows whose class is right, all labels of it.

        Arguments:
            X: shape (rows, features).
            y: the classes, as for `fit`.
            sample_weight: one number a row, or None.

        Returns:
            From 0 to 1.
        """
        inherited, truth = super(), unrounded(y)
        targets = self._targets
        if isinstance(targets, Classes) and are_pythons_numbers(self.classes_):
            # scikit-learn compares no numbers that NumPy has no dtype for.
            truth, found = map(targets.places, (truth, self.predict(X)))
            return metrics.accuracy_score(truth, found, sample_weight=sample_weight)
        return inherited.score(X, truth, sample_weight)

    def _answers(self, outputs: Any) -> dict[str, Any]:
        """What is predicted, of what the network gives: a formula."""
        found = self._calibrated(outputs)
        several = isinstance(self._targets, Labels)
        number = ops.cast(found > 0.5, "int32") if several else ops.argmax(found, 1)
        return {"prediction": number, "probabilities": found}

    def _labels(self) -> NumpyArray:
        """What the numbers of the prediction stand for: classes, or no and yes."""
        several = isinstance(self._targets, Labels)
        return np.arange(2, dtype=np.int64) if several else self.classes_

    def _described(self) -> tuple[Answers, dict[str, Any]]:
        """The answers, and the classes."""
        classes = self.classes_.tolist()
        several = isinstance(self._targets, Labels)
        columns = {
            "prediction": [f"prediction {i}" for i in classes]
            if several
            else ["prediction"],
            "probabilities": [f"probability of {label}" for label in classes],
        }
        return Answers(self._answers, columns, self._labels()), {"classes": classes}

    def _calibrated(self, outputs: Any) -> Any:
        """The probabilities, with the temperature if there is one."""
        probabilities = self._probabilities(outputs)
        if not hasattr(self, "temperature_"):
            return probabilities
        if isinstance(self._targets, Labels):
            both = with_temperature(no_and_yes(probabilities), self.temperature_)
            return both[..., 1]
        return with_temperature(probabilities, self.temperature_)

    def _probabilities(self, outputs: Any) -> Any:
        """What the network gives, with both classes where it gives the second's."""
        outputs = outputs.astype(np.float64)
        if isinstance(self._targets, Labels):
            return outputs
        probabilities = both_columns(outputs)
        # Their sum is 1 in the network's dtype; here it is in float64.
        total = probabilities.sum(axis=1, keepdims=True)
        return probabilities / np.where(total > 0, total, 1.0)

    def _targets_of(self, y: Any) -> Targets:
        """Classes or labels, and ``classes_``."""
        targets = classes_of(y)
        foreseen = getattr(self, "_foreseen", None)
        if foreseen is not None and isinstance(targets, Classes):
            targets = Classes(foreseen, complete=True)
        self.classes_ = class_labels(targets)
        return targets

    def _shaped(self, y: Any) -> Any:
        """A single column is one class a row."""
        if y.ndim != 2 or y.shape[1] != 1:
            return y
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected: give y.ravel()",
            exceptions.DataConversionWarning,
            stacklevel=4,
        )
        return np.asarray(y).ravel()

    @property
    def _needs_held_out_rows(self) -> bool:
        """For the temperature."""
        return bool(self.calibrate)

    def _finish(self, held_out: OutOfFold | None) -> None:
        """The temperature, if it is wanted."""
        if hasattr(self, "temperature_"):
            del self.temperature_
        if not self.calibrate or held_out is None:
            return
        probabilities = self._probabilities(held_out.outputs(self.network_))
        truth, weights = held_out.rows.y, held_out.rows.weights
        if isinstance(self._targets, Labels):
            labels = probabilities.shape[1]
            probabilities = no_and_yes(probabilities).reshape(-1, 2)
            truth = truth.reshape(-1)
            weights = None if weights is None else np.repeat(weights, labels)
        self.temperature_ = fitted_temperature(probabilities, truth, weights)

    def _found_data(self) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
        """The temperature, if there is one."""
        return {"temperature": getattr(self, "temperature_", None)}, {}

    def _find_again(self, data: Any, tensors: dict[str, NumpyArray]) -> None:
        """The classes, as many as the network tells apart, and the temperature."""
        targets, outputs = self._targets, self.network_.shapes.outputs[-1]
        if not isinstance(targets, Classes | Labels):
            raise ModelFileError("a classifier must have classes or labels")
        self.classes_ = class_labels(targets)
        count = len(self.classes_)
        several = isinstance(targets, Labels)
        fitting = {(count,)} if several or count != 2 else {(1,), (2,)}
        if outputs not in fitting or (count < 2 and not several):
            raise ModelFileError(f"{count} classes don't go with outputs of {outputs}")
        found = require_keys(data, "what was found", "temperature")["temperature"]
        if found is not None:
            self.temperature_ = number(found, "the temperature")
            if self.temperature_ <= 0:
                raise ModelFileError("the temperature must be above 0")

    def __sklearn_tags__(self) -> Any:
        inherited: Any = super()
        tags = inherited.__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def class_labels(targets: Classes | Labels) -> NumpyArray:
    """``classes_``: what the columns of the probabilities are for."""
    if isinstance(targets, Classes):
        return targets.labels
    return np.arange(targets.count)


def no_and_yes(probabilities: Any) -> Any:
    """Probabilities of labels as those of no and of yes, shape (rows, labels, 2)."""
    yes = probabilities[..., None]
    return np.concatenate([1 - yes, yes], axis=-1)
