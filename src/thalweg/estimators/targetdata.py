"""What an estimator learned about y as plain data and arrays, for a model file."""

from __future__ import annotations

import re
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.estimators.scaling import Scaling
from thalweg.estimators.targets import (
    Classes,
    Labels,
    Numbers,
    Targets,
    sorted_labels,
)
from thalweg.program.types import NumpyArray
from thalweg.tables.strict import items, require_keys, tag_of, text, truth, whole

Tensors = dict[str, NumpyArray]
PREFIX = "targets/"
KINDS: dict[type, str] = {bool: "b", int: "iu", float: "f", str: "U", Decimal: ""}
"""The types of labels that come back as they were, and their kinds in NumPy."""
NAMES = {kind.__name__: kind for kind in KINDS}
TEXT_DTYPE = re.compile(r"U[1-9][0-9]{0,8}")
MOST_CHARACTERS = 2**23
"""Of labels in NumPy's texts, which give each the room of the longest."""


def targets_data(targets: Targets) -> tuple[dict[str, Any], Tensors]:
    """The targets as plain data, and their arrays.

    Raises:
        ArgumentError: labels that wouldn't come back as they are.
    """
    if isinstance(targets, Classes):
        labels = labels_data(targets.labels)
        return {"kind": "classes", "labels": labels, "complete": targets.complete}, {}
    if isinstance(targets, Labels):
        return {"kind": "labels", "count": targets.count}, {}
    assert isinstance(targets, Numbers)
    data = {
        "kind": "numbers",
        "count": targets.count,
        "flat": targets.flat,
        "repeats": targets.repeats,
    }
    scaling = asdict(targets.scaling)
    return data, {PREFIX + name: array for name, array in scaling.items()}


def targets_from(data: Any, tensors: Tensors) -> Targets:
    """What `targets_data` gave, read back.

    Raises:
        ModelFileError: it isn't that.
    """
    kind = tag_of(data, "kind")
    if kind == "classes":
        found = require_keys(data, "classes", "kind", "labels", "complete")
        complete = truth(found["complete"], "complete")
        return Classes(labels_from(found["labels"]), complete)
    if kind == "labels":
        found = require_keys(data, "labels", "kind", "count")
        return Labels(whole(found["count"], "the count of labels"))
    keys = ("kind", "count", "flat", "repeats")
    found = require_keys(data, "targets", *keys)
    if kind != "numbers":
        raise ModelFileError(f"targets can't be {kind!r}")
    return Numbers(
        whole(found["count"], "the count of numbers"),
        truth(found["flat"], "flat"),
        whole(found["repeats"], "the repeats"),
        Scaling(tensors[f"{PREFIX}mean"], tensors[f"{PREFIX}deviation"]),
    )


def labels_data(labels: NumpyArray) -> dict[str, Any]:
    """Labels with their type and their dtype, so that both come back.

    Raises:
        ArgumentError: they are of another type, or of several.

    Example:
        >>> import numpy as np
        >>> labels_data(np.array(["no", "yes"]))
        {'type': 'str', 'dtype': 'U3', 'values': ['no', 'yes']}
    """
    values: list[Any] = labels.tolist()
    kinds = set(map(type, values))
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind not in KINDS:
        raise ArgumentError(
            f"classes must be all of one of the types {', '.join(NAMES)} to be in a "
            f"model file, got {values[0]!r} of {type(values[0]).__name__} among "
            f"{len(values)} of the dtype {labels.dtype}"
        )
    dtype = labels.dtype.name
    if labels.dtype.kind == "U":
        dtype = f"U{labels.dtype.itemsize // 4}"
        require_few_characters(len(values), dtype, ArgumentError)
    # JSON has no decimals, and the gate takes no long numbers.
    written = list(map(str, values)) if dtype == "object" else values
    return {"type": kind.__name__, "dtype": dtype, "values": written}


def labels_from(data: Any) -> NumpyArray:
    """Labels from what `labels_data` gave: each once, in order.

    Raises:
        ModelFileError: it isn't that.
    """
    found = require_keys(data, "the labels", "type", "dtype", "values")
    kind = NAMES[text(found["type"], "the labels' type")]
    dtype = label_dtype(text(found["dtype"], "the labels' dtype"), kind)
    values = list(items(found["values"], "the labels"))
    as_texts = dtype.kind == "O"
    for value in values:
        if type(value) is not (str if as_texts else kind):
            raise ModelFileError(f"a label must be of {kind.__name__}, got {value!r}")
    if dtype.kind == "U":
        require_few_characters(len(values), found["dtype"], ModelFileError)
    labels = np.empty(len(values), dtype)
    labels[:] = [kind(value) for value in values]
    written: list[Any] = labels.tolist()
    if as_texts:
        written = list(map(str, written))
    in_order = np.array_equal(sorted_labels(labels), labels)
    if not values or written != values or not in_order:
        raise ModelFileError("labels must be written in order, each once")
    return labels


def label_dtype(name: str, kind: type) -> np.dtype[Any]:
    """A dtype that labels of a type can have.

    Raises:
        ModelFileError: there is none of that name.
    """
    if name == "object" and kind in (int, str, Decimal):
        return np.dtype(object)
    known = {np.dtype(each).name for each in "?bhiqBHIQefd"}
    if TEXT_DTYPE.fullmatch(name) or name in known:
        dtype = np.dtype(name)
        if dtype.kind in KINDS[kind]:
            return dtype
    raise ModelFileError(f"labels of {kind.__name__} can't have the dtype {name!r}")


def require_few_characters(count: int, dtype: str, error: type[Exception]) -> None:
    """What NumPy's texts take is bounded, however few of them are long."""
    if count * int(dtype[1:]) > MOST_CHARACTERS:
        raise error(
            f"labels of the dtype {dtype} may take {MOST_CHARACTERS:,} characters, "
            f"{count:,} take more; as objects each takes its own"
        )
