"""scikit-learn's callbacks, where its version has them."""

from __future__ import annotations

import copy
from typing import Any

from thalweg.estimators.continued_fits import with_more
from thalweg.model.history import EpochRecord, History


class SklearnCallbacks:
    """Tells scikit-learn's callbacks of every epoch, as a subtask of the fit.

    Arguments:
        estimator: the one that is fitted.
        epochs: at most.
        X, y, sample_weight: as they were given.
        before: what was trained before, where epochs count on, as in partial_fit.
    """

    def __init__(
        self,
        estimator: Any,
        epochs: int,
        X: Any,
        y: Any,
        sample_weight: Any,
        before: History | None = None,
    ) -> None:
        self._estimator = estimator
        self._before = before
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        self._given = {"X": X, "y": y, "metadata": metadata}
        self._context = None
        if hasattr(estimator, "_init_callback_context"):
            self._context = estimator._init_callback_context(max_subtasks=epochs)

    @property
    def own(self) -> list[SklearnCallbacks]:
        """Itself, as a callback of thalweg's, if anybody listens."""
        return [self] if getattr(self._estimator, "_skl_callbacks", []) else []

    def begin(self) -> None:
        """The fit begins."""
        if self._context is not None:
            self._context.call_on_fit_task_begin(
                estimator=self._estimator, **self._given
            )

    def end(self) -> None:
        """The fit ends."""
        if self._context is not None:
            self._tell_end(self._context)

    def on_start(self, run: Any) -> None:
        """Training starts; `begin` said so."""

    def on_epoch(self, record: EpochRecord) -> bool:
        """An epoch is done; whether a callback wants it to be the last."""
        if self._context is None:
            return False
        task = self._context.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(estimator=self._estimator, **self._given)
        return bool(self._tell_end(task))

    def on_end(self, history: History) -> None:
        """Training ends; `end` says so."""

    def _tell_end(self, context: Any) -> Any:
        return context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=self._as_fitted,
            **self._given,
        )

    def _as_fitted(self) -> dict[str, Any]:
        """What an estimator needs to predict as if training had ended here."""
        network = copy.deepcopy(self._estimator.network_)
        history = network.history
        if self._before is not None:
            history = with_more(self._before, history)
        return {"network_": network, "history_": history}
