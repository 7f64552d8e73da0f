"""How y becomes what a network learns, and what a network gives becomes an answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np

from thalweg.errors import ArgumentError, ShapeError
from thalweg.estimators.scaling import Scaling
from thalweg.estimators.scikit import multiclass
from thalweg.estimators.unrounded import as_numbers
from thalweg.estimators.weighting import class_factors, label_factors
from thalweg.formulas.losses import Loss
from thalweg.formulas.targets import probabilities
from thalweg.program.types import NumpyArray
from thalweg.words import listed

LAST_ACTIVATION = {
    "cross_entropy": "softmax",
    "binary_cross_entropy": "sigmoid",
    "poisson": "softplus",
}
"""What the last layer must be for a loss to be defined."""

REPEATED = 3  # a label that is there but once looks like a number


class Targets(ABC):
    """What there is to predict."""

    usual_loss: ClassVar[str]
    """The loss where none is asked for."""

    needs_every_stratum: ClassVar[bool] = False
    """Whether training must see each stratum, where groups are held out."""

    @abstractmethod
    def outputs(self, loss: Loss) -> int:
        """How many numbers the network gives for a row."""

    def last_activation(self, loss: Loss) -> str:
        """The last layer's activation where none is asked for."""
        return LAST_ACTIVATION.get(loss.name, "identity")

    @abstractmethod
    def encode(self, y: Any) -> NumpyArray:
        """The rows' targets as numbers.

        Raises:
            ArgumentError: y holds something that wasn't there before.
        """

    @abstractmethod
    def learned(self, encoded: NumpyArray, loss: Loss) -> NumpyArray:
        """What the network is given to learn."""

    @abstractmethod
    def strata(self, encoded: NumpyArray) -> NumpyArray:
        """A number a row; rows of one number should be on both sides of a split."""

    def factors(
        self, given: Any, encoded: NumpyArray, sample_weight: NumpyArray | None
    ) -> NumpyArray | None:
        """What each class counts; None where all count alike."""
        return None

    def by_class(
        self, factors: NumpyArray | None, encoded: NumpyArray
    ) -> NumpyArray | None:
        """What each row counts by its class, shape (rows,)."""
        return None

    def require_learnable(self, encoded: NumpyArray) -> None:  # noqa: B027
        """There is something to tell apart in the rows that count."""


@dataclass(frozen=True)
class Classes(Targets):
    """One class a row.

    Arguments:
        labels: sorted; the place is the class number.
        complete: whether there are no others, as partial_fit is told.
    """

    labels: NumpyArray
    complete: bool = False
    usual_loss: ClassVar[str] = "cross_entropy"
    needs_every_stratum: ClassVar[bool] = True

    def outputs(self, loss: Loss) -> int:
        """A probability for each class; that of the second is enough for some."""
        if loss.name != "binary_cross_entropy":
            return len(self.labels)
        if len(self.labels) > 2:
            raise ArgumentError(
                f"loss binary_cross_entropy needs two classes, y has "
                f"{len(self.labels)}; take cross_entropy"
            )
        return 1

    def last_activation(self, loss: Loss) -> str:
        """One that gives probabilities, whatever the loss."""
        return "sigmoid" if self.outputs(loss) == 1 else "softmax"

    def encode(self, y: Any) -> NumpyArray:
        """Class numbers, int32, shape (rows,)."""
        given = np.asarray(y)
        places = self.places(given)
        for row in np.flatnonzero(places == len(self.labels))[:1]:
            known = listed([str(label) for label in self.labels.tolist()])
            got = f"{str(given[row])!r} at row {row}"
            raise ArgumentError(f"y must be one of the classes {known}, got {got}")
        return places

    def places(self, given: NumpyArray) -> NumpyArray:
        """Class numbers, int32; that of a value that is no class is their count."""
        count = len(self.labels)
        if given.dtype.kind == self.labels.dtype.kind != "O":
            places = np.searchsorted(self.labels, given)
            places[self.labels[np.minimum(places, count - 1)] != given] = count
        else:
            known = {label: place for place, label in enumerate(self.labels.tolist())}
            places = np.array([known.get(each, count) for each in given.tolist()])
        return places.astype(np.int32)

    def learned(self, encoded: NumpyArray, loss: Loss) -> NumpyArray:
        """Class numbers, or one-hot rows for a loss of numbers."""
        if self.outputs(loss) == 1 or loss.match is probabilities:
            return encoded
        return np.eye(len(self.labels))[encoded]

    def strata(self, encoded: NumpyArray) -> NumpyArray:
        """The classes."""
        return encoded

    def factors(
        self, given: Any, encoded: NumpyArray, sample_weight: NumpyArray | None
    ) -> NumpyArray | None:
        """The weight of each class, shape (classes,)."""
        return class_factors(given, encoded, self.labels, sample_weight, self.complete)

    def by_class(
        self, factors: NumpyArray | None, encoded: NumpyArray
    ) -> NumpyArray | None:
        """The weight of each row's class."""
        return None if factors is None else factors[encoded]

    def require_learnable(self, encoded: NumpyArray) -> None:
        """Two classes or more."""
        present = np.unique(encoded)
        if len(present) < 2:
            raise ArgumentError(
                "y must hold two classes or more in the rows whose weight isn't 0, "
                f"got 1 class: {self.labels[present[0]]!r}"
            )


@dataclass(frozen=True)
class Labels(Targets):
    """Several labels a row, each there or not.

    Arguments:
        count: how many labels there are.
    """

    count: int
    usual_loss: ClassVar[str] = "binary_cross_entropy"

    def outputs(self, loss: Loss) -> int:
        """A probability for each label."""
        if loss.name == "cross_entropy":
            raise ArgumentError(
                "loss cross_entropy is for one class a row, y has several labels; "
                "take binary_cross_entropy"
            )
        return self.count

    def last_activation(self, loss: Loss) -> str:
        """One that gives a probability for each label by itself."""
        return "sigmoid"

    def encode(self, y: Any) -> NumpyArray:
        """0 or 1, float64, shape (rows, labels)."""
        given = np.asarray(y.toarray() if hasattr(y, "toarray") else y, np.float64)
        if given.ndim != 2 or given.shape[1] != self.count:
            raise ShapeError(
                f"y must have shape (rows, {self.count}), got {given.shape}"
            )
        if not np.isin(given, (0, 1)).all():
            raise ArgumentError("y must hold 0 and 1, a column for each label")
        return given

    def learned(self, encoded: NumpyArray, loss: Loss) -> NumpyArray:
        """0 or 1, as they are."""
        return encoded

    def strata(self, encoded: NumpyArray) -> NumpyArray:
        """Which labels go together in the row."""
        return np.unique(encoded, axis=0, return_inverse=True)[1].reshape(-1)

    def factors(
        self, given: Any, encoded: NumpyArray, sample_weight: NumpyArray | None
    ) -> NumpyArray | None:
        """The weights of no and yes, shape (labels, 2)."""
        return label_factors(given, encoded, sample_weight)

    def by_class(
        self, factors: NumpyArray | None, encoded: NumpyArray
    ) -> NumpyArray | None:
        """The product of the weights of each row's answers."""
        if factors is None:
            return None
        return np.where(encoded > 0, factors[:, 1], factors[:, 0]).prod(axis=1)


@dataclass(frozen=True)
class Numbers(Targets):
    """One number a row, or several.

    Arguments:
        count: how many a row has.
        flat: whether y had shape (rows,), as predictions then have.
        repeats: how many outputs of the network each number has.
        scaling: of the numbers, learned from training rows.
    """

    count: int
    flat: bool
    repeats: int = 1
    scaling: Scaling = field(default_factory=lambda: Scaling.none(1))
    usual_loss: ClassVar[str] = "mean_squared_error"

    def outputs(self, loss: Loss) -> int:
        """A number for each, or one for each of its quantiles."""
        return self.count * self.repeats

    def encode(self, y: Any) -> NumpyArray:
        """float64, shape (rows, numbers)."""
        given = as_numbers(y)
        columns = given.reshape(len(given), -1)
        if columns.shape[1] != self.count:
            raise ShapeError(
                f"y must have shape (rows, {self.count}), got {given.shape}"
            )
        return columns

    def learned(self, encoded: NumpyArray, loss: Loss) -> NumpyArray:
        """Standardized numbers, each once for every output that is to be near it."""
        if loss.name == "poisson" and (encoded < 0).any():
            raise ArgumentError(
                f"the loss poisson takes counts, 0 or more, got {encoded.min():g} in y"
            )
        return np.repeat(self.scaling(encoded, "float64"), self.repeats, axis=1)

    def strata(self, encoded: NumpyArray) -> NumpyArray:
        """All alike."""
        return np.zeros(len(encoded), np.int64)

    def decode(self, outputs: Any) -> list[Any]:
        """What the network gives in y's unit: for each repeat (rows, numbers)."""
        repeats = range(self.repeats)
        return [self.scaling.inverse(outputs[:, i :: self.repeats]) for i in repeats]


def classes_of(y: Any) -> Classes | Labels:
    """What a classifier's y holds.

    Raises:
        ValueError: by scikit-learn, if y holds no classes.
    """
    if np.ndim(y) == 1:
        labels = sorted_labels(y)
        require_classes(labels)
        return Classes(labels)
    multiclass.check_classification_targets(y)
    if multiclass.type_of_target(y) == "multilabel-indicator":
        return Labels(y.shape[1])
    raise ArgumentError(
        "y must hold one class a row, or 0 and 1 in a column for each label, got "
        f"shape {np.shape(y)}"
    )


def require_classes(labels: NumpyArray) -> None:
    """What is true of labels is true of y, which takes longer to look through.

    Raises:
        ValueError: by scikit-learn, which knows no whole numbers beyond 64 bits.
    """
    numbers: list[Any] = labels.tolist() if are_pythons_numbers(labels) else []
    if numbers and all(number % 1 == 0 for number in numbers):
        return
    checked = labels.astype(np.float64) if numbers else labels
    multiclass.check_classification_targets(np.tile(checked, REPEATED))


def are_pythons_numbers(labels: NumpyArray) -> bool:
    """Whether they are numbers that NumPy has no dtype for: large ones, decimals."""
    kinds = set(map(type, labels.tolist())) if labels.dtype.kind == "O" else set[type]()
    return bool(kinds) and kinds <= {int, Decimal}


def sorted_labels(y: NumpyArray) -> NumpyArray:
    """Each label once; those that are Python's are told apart by hash, not by sorting.

    Raises:
        ArgumentError: labels of types that have no order.
    """
    if y.dtype.kind != "O":
        return np.unique(y)
    try:
        return np.array(sorted(set(y.tolist())), object)
    except TypeError:
        raise ArgumentError(
            "Unknown label type: y must hold texts, or numbers, but not both"
        ) from None
