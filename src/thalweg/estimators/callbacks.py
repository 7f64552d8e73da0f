"""scikit-learn's callbacks, where its version has them."""

from __future__ import annotations

import copy
from typing import Any

from thalweg.training.history import EpochRecord, History


class SklearnCallbacks:
    """Tells scikit-learn's callbacks of every epoch, as a subtask of the fit.

    Arguments:
        estimator: the one that is fitted.
        epochs: at most.
        given: X, y and metadata as they were given to fit.
    """

    def __init__(self, estimator: Any, epochs: int, given: dict[str, Any]) -> None:
        self._estimator = estimator
        self._given = given
        self._context = None
        if hasattr(estimator, "_init_callback_context"):
            self._context = estimator._init_callback_context(max_subtasks=epochs)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(getattr(self._estimator, "_skl_callbacks", []))

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
        if self._context is None or not self.wanted:
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
        return {"network_": network, "history_": network.history}
