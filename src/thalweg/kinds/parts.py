"""Rows in parts: to learn from, to choose the epoch by, to be scored once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.kinds.deciding import Deciding, deciding_metric
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.kinds.task import Task
from thalweg.model.history import EpochRecord


@dataclass(frozen=True)
class Parts:
    """What a network is trained and tested on, whatever it is of.

    Args:
        task: what is to be predicted, and why that.
        targets: how the target becomes what is learned.
        training: rows to learn from.
        validation: rows that choose the epoch.
        test: rows to be scored once.
        notes: what the user should know, such as rows that are left out.
    """

    task: Task
    targets: ClassTargets | NumberTargets
    training: EncodedRows
    validation: EncodedRows
    test: EncodedRows
    notes: tuple[str, ...]

    @property
    def compared_by(self) -> dict[str, Any]:
        """The metric by which models are compared, as plain data."""
        return self.deciding.to_dict(getattr(self.targets, "labels", ()))

    def in_unit(self, record: EpochRecord) -> EpochRecord:
        """An epoch's record with its errors in the target's unit."""
        metrics = self.metrics_in_unit(record.validation_metrics)
        return replace(record, validation_metrics=metrics)

    def metrics_in_unit(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """What a network says of itself, with errors in the target's unit."""
        if isinstance(self.targets, NumberTargets):
            return self.targets.in_unit(metrics)
        return dict(metrics)

    @property
    def deciding(self) -> Deciding:
        """The metric by which models are compared."""
        test = self.test
        y = np.concatenate([self.training.y, self.validation.y, test.y])
        counting = test.y if test.weights is None else test.y[test.weights > 0]
        return deciding_metric(self.targets, y, counting)
