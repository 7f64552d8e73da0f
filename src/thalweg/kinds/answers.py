"""What a network gives, in the words and units of what is predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from thalweg.kinds.targets import ClassTargets, NumberTargets

if TYPE_CHECKING:
    import polars as pl


def answers_frame(
    targets: ClassTargets | NumberTargets, outputs: NDArray[Any]
) -> pl.DataFrame:
    """The predictions, and for classes the probability of each.

    Arguments:
        targets: what is predicted.
        outputs: of the network, a row each.
    """
    import polars as pl

    answers = targets.answers()
    found = answers.formula(outputs)
    if answers.labels is not None:
        labels = pl.Series(answers.labels, dtype=pl.String)
        found["prediction"] = labels.gather(found["prediction"])
    columns: dict[str, Any] = {"prediction": found["prediction"]}
    for number, name in enumerate(answers.columns.get("probabilities", ())):
        columns[name] = found["probabilities"][:, number]
    return pl.DataFrame(columns)


def positive_of(
    results: Mapping[str, Any], targets: ClassTargets | NumberTargets
) -> int:
    """Of two classes the number of the one that average precision is of.

    It is the rarer one where one was rare in training; else the second.

    Arguments:
        results: what was recorded after training.
        targets: the classes.
    """
    recorded = results.get("compared_by")
    label = recorded.get("class") if isinstance(recorded, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    labels: tuple[str, ...] = getattr(targets, "labels", ())
    return labels.index(label) if label in labels else 1
