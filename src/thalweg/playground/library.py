"""Where experiments get their rows, and whose test rows were opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thalweg.errors import ArgumentError
from thalweg.playground.experiment import Experiment
from thalweg.playground.program import rows_alone
from thalweg.playground.rows import Data, data_of
from thalweg.playground.run import Run

if TYPE_CHECKING:
    from thalweg.playground.table import OwnTable  # needs polars

MOST = 8
"""Rows of so many experiments are kept at hand."""


class Library:
    """The rows of experiments, one copy for all pages that are open.

    Arguments:
        table: the user's own, if there is one.
    """

    def __init__(self, table: OwnTable | None = None) -> None:
        self.table = table
        self._kept: dict[Experiment, Data] = {}
        self._opened: dict[Experiment, str] = {}

    def of(self, experiment: Experiment) -> Data:
        """The rows of an experiment.

        Raises:
            ArgumentError: there are none such.
        """
        key = rows_alone(experiment)
        if key not in self._kept:
            while len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._made(experiment)
        return self._kept[key]

    def _made(self, experiment: Experiment) -> Data:
        if experiment.data == "table" and self.table is not None:
            return self.table.data(experiment.data_seed)
        return data_of(experiment)

    def unseal(self, run: Run) -> dict[str, Any]:
        """What a run's network makes of the test rows: once for each choice of rows.

        Who looks twice chooses by them, and then they are no test any more.

        Raises:
            ArgumentError: these rows were opened already.
        """
        key = rows_alone(run.experiment)
        if key in self._opened:
            raise ArgumentError(
                "test rows must be opened once, got a second time: they gave "
                f"{self._opened[key]}. Other rows (data_seed) have a test of their own"
            )
        scores = run.network.evaluate(*run.data.test)
        told = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        self._opened[key] = told
        return {"rows": len(run.data.test[0]), **scores}
