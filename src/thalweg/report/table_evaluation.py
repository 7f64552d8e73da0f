"""What is measured on a table for its report."""

from __future__ import annotations

from typing import TypeAlias

from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import Outputs, RowErrors, errors_of
from thalweg.report.evaluation import Evaluated, Evaluation
from thalweg.tables.table import Table
from thalweg.tabular.learn import Trained
from thalweg.tabular.model import TableModel
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.training.execution import Execution

EvaluatedRows: TypeAlias = Evaluated[Prepared]
TableEvaluation: TypeAlias = Evaluation[TableModel, EvaluatedRows]


def kept(trained: Trained, execution: Execution) -> EvaluatedRows:
    """The rows of a run that is just over, with what the network gets wrong."""
    return with_errors(trained.model, trained.prepared, execution)


def measured(
    model: TableModel, parts: Prepared, settings: Settings, execution: Execution
) -> EvaluatedRows:
    """The rows that were read again, with what the network gets wrong."""
    return with_errors(model, parts, execution)


def with_errors(
    model: TableModel, prepared: Prepared, execution: Execution
) -> EvaluatedRows:
    """The rows with what the network gets wrong of those it is tested on."""
    outputs = model.outputs(prepared.test.X, execution)
    return Evaluated(prepared, tested(prepared, outputs))


def tested(prepared: Parts, outputs: Outputs) -> RowErrors:
    """What outputs for the test rows got wrong."""
    test = prepared.test
    known = test.truth, test.weights, prepared.deciding.positive
    return errors_of(prepared.targets, outputs, *known)


def tested_table(rows: EvaluatedRows) -> Table:
    """The table that the test rows are of."""
    return rows.prepared.own.test or rows.prepared.table
