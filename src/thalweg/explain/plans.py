"""What the engine runs for a network: the plans of its training step, or prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.backends.engine.assemble import compile_any_rows, compile_rows
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.native import Compiled, NativeProgram
from thalweg.explain.training_step import batch_types, objective_of, rows_of
from thalweg.model.record import NetworkRecord
from thalweg.model.step import prediction_program, step_programs
from thalweg.program.ir import Program
from thalweg.program.types import ArrayType
from thalweg.words import counted

TRAINING = "the training step"
PREDICTION = "prediction, as the training step isn't known"


@dataclass(frozen=True)
class Subject:
    """Plans, and the rows that they are run on.

    Arguments:
        name: what it is.
        compiled: its plans.
        batch: the types of the arrays of rows that it reads.
        block_rows: the rows of a block, at most.
    """

    name: str
    compiled: Compiled
    batch: Mapping[str, ArrayType]
    block_rows: int

    @property
    def rows(self) -> int:
        """How many rows a run has."""
        return self.batch["X"].shape[0]

    @property
    def blocks(self) -> int:
        """How many blocks the rows make."""
        return -(-self.rows // self.block_rows)

    @property
    def shards(self) -> int:
        """How many runs of blocks can go side by side."""
        return min(self.compiled.shards, self.blocks)

    @property
    def titles(self) -> dict[str, str]:
        """What each part is, in words."""
        most = "up to " if self.rows % self.block_rows else ""
        blocks = counted(self.blocks, "block") + " in " + counted(self.shards, "shard")
        block = f"of a block of {most}{counted(self.block_rows, 'row')}; {blocks}"
        return {"before": "before the rows", "block": block, "after": "after the rows"}


def subject_of(network: NetworkRecord) -> Subject:
    """The training step; prediction where that isn't known."""
    objective, rows = objective_of(network), rows_of(network)
    layers, shapes, dtype = network.layers, network.shapes, network.dtype
    if objective is not None:
        batch = batch_types(network, objective.loss)
        learned = objective

        def step(count: int) -> Program:
            types = with_rows(batch, count)
            return step_programs(layers, shapes, learned, types, dtype)["step"]

        return prepared(TRAINING, compile_rows(Batch(step, batch), rows), batch)
    batch = {"X": ArrayType((rows, *shapes.outputs[0]), network.input_dtype)}

    def prediction(count: int) -> Program:
        return prediction_program(layers, shapes, count, dtype, network.input_dtype)

    program = Batch(prediction, batch)
    compiled = compile_any_rows(program) or compile_rows(program, rows)
    return prepared(PREDICTION, compiled, batch)


def with_rows(batch: Mapping[str, ArrayType], rows: int) -> dict[str, ArrayType]:
    """The types of a batch of another number of rows."""
    return {
        name: ArrayType((rows, *type.shape[1:]), type.dtype)
        for name, type in batch.items()
    }


def prepared(name: str, compiled: Compiled, batch: Mapping[str, ArrayType]) -> Subject:
    """What is run on a batch, with the rows of a block as the engine has them."""
    block_rows = NativeProgram(compiled, {}).engine.block_rows
    return Subject(name, compiled, batch, block_rows or batch["X"].shape[0])
