"""What each row counts: its own weight times its class's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.checks import is_number, nearest, require
from thalweg.errors import ArgumentError
from thalweg.estimators.rows import is_listed
from thalweg.estimators.scikit import validation
from thalweg.estimators.splitting import dtype_for
from thalweg.kinds.magnitude import near_one
from thalweg.program.types import NumpyArray, require_unmasked
from thalweg.tabular.class_weights import BALANCED, balanced_factors
from thalweg.training.rows import require_balance


def checked_weights(sample_weight: Any, y: NumpyArray) -> NumpyArray | None:
    """One number a row, 0 or more and not all 0; None stays None.

    Raises:
        ValueError: by scikit-learn's check; ArgumentError by this one.
    """
    if sample_weight is None:
        return None
    require_unmasked(sample_weight, "sample_weight")
    weights = validation._check_sample_weight(sample_weight, y, dtype=np.float64)
    for row in np.flatnonzero(weights < 0)[:1]:
        raise ArgumentError(
            f"sample_weight must be 0 or more, got {weights[row]} at row {row}"
        )
    if not weights.any():
        raise ArgumentError("sample_weight must not be zero everywhere")
    return weights


def class_factors(
    class_weight: Any,
    numbers: NumpyArray,
    classes: NumpyArray,
    sample_weight: NumpyArray | None,
    complete: bool = True,
) -> NumpyArray | None:
    """The weight of each class, shape (classes,); None where all count alike.

    Balanced is W / (k Wᶜ): W the weight of all rows, Wᶜ that of the class's, k the
    number of classes that are there.

    Arguments:
        class_weight: None, ``"balanced"``, or a weight for each class by its label; a
            class that isn't named has 1.
        numbers: the class number of each row, shape (rows,).
        classes: the labels.
        sample_weight: the rows' own weights, or None.
        complete: whether there are no other classes. Of rows that may lack some, as
            those of a fold, others can be named beside all that are there; so a label
            that is misspelled is found, as scikit-learn finds it.

    Raises:
        ArgumentError: something else was given, or a label isn't among the classes.

    Example:
        >>> import numpy as np
        >>> labels = np.array(["a", "b"])
        >>> class_factors("balanced", np.array([0, 0, 0, 1]), labels, None).round(2)
        array([0.67, 2.  ])
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == BALANCED:
        return balanced_factors(numbers, sample_weight, len(classes))
    named, known = by_label(class_weight), dict.fromkeys(classes.tolist())
    unknown = [label for label in named if label not in known]
    if unknown and (complete or known.keys() - named.keys()):
        raise ArgumentError(unknown_words(unknown[0], list(known)))
    return np.array([named.get(label, 1.0) for label in known], np.float64)


def by_label(class_weight: Any) -> dict[Any, float]:
    """The weights that were given, by labels as Python has them.

    Raises:
        ArgumentError: it is no dict, or a weight is none.
    """
    must = "None, 'balanced' or a dict from class to weight"
    require(isinstance(class_weight, Mapping), "class_weight", must, class_weight)
    for weight in class_weight.values():
        fits = is_number(weight) and weight >= 0
        require(fits, "class_weight", "0 or more", weight)
    return {
        label.item() if hasattr(label, "item") else label: weight
        for label, weight in class_weight.items()
    }


def unknown_words(label: Any, known: list[Any]) -> str:
    """What to say of a label that is none of the classes."""
    texts = [each for each in known if isinstance(each, str)]
    near = nearest(label, texts) if isinstance(label, str) else ""
    words = f"class_weight must be of classes {known}, got {label!r}{near}"
    return words if near else f"{words}; a class that y lacks can be in it if all are"


def label_factors(
    class_weight: Any, labels: NumpyArray, sample_weight: NumpyArray | None
) -> NumpyArray | None:
    """The weights of no and yes for each of many labels, shape (labels, 2).

    Arguments:
        class_weight: None, ``"balanced"``, or a list with a dict from 0 and 1 to
            weights for each label.
        labels: 0 or 1, shape (rows, labels).
        sample_weight: the rows' own weights, or None.
    """
    if class_weight is None:
        return None
    count = labels.shape[1]
    each: Any = class_weight
    if isinstance(class_weight, str) and class_weight == BALANCED:
        each = [BALANCED] * count
    fits = is_listed(each) and len(each) == count
    must = f"None, 'balanced' or a list of {count} dicts for {count} labels"
    require(fits, "class_weight", must, class_weight)
    factors = [
        class_factors(given, column.astype(np.int64), np.arange(2), sample_weight)
        for given, column in zip(each, labels.T, strict=True)
    ]
    return np.array([np.ones(2) if each is None else each for each in factors])


def combined(
    own: NumpyArray | None, by_class: NumpyArray | None, dtype: str | None = None
) -> NumpyArray | None:
    """What each row counts: its weight times its class's, the largest near 1.

    Arguments:
        own: the rows' weights, or None.
        by_class: what each row counts by its class, or None.
        dtype: of the network, as it was asked for.

    Raises:
        ArgumentError: nothing counts at all, or a row more than most others can beside.
    """
    weights, name = own, "sample_weight"
    if by_class is not None:
        weights = by_class if own is None else near_one(own) * near_one(by_class)
        name = "class_weight" if own is None else "sample_weight times class_weight"
    if weights is None:
        return None
    if not weights.any():
        raise ArgumentError(f"{name} must not be zero for every row")
    require_balance(weights, dtype_for(dtype, int(np.count_nonzero(weights))), name)
    return near_one(weights)
