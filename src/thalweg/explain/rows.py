"""What programs about a network give for rows, by the engine."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import numpy as np

from thalweg.backends.engine.batch import Batch
from thalweg.checks import is_whole, require
from thalweg.formulas.layers import Layer
from thalweg.model.record import NetworkRecord
from thalweg.program.ir import Program
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution


def for_rows(
    network: NetworkRecord,
    program: Callable[[int], Program],
    rows: Mapping[str, NumpyArray],
    output: str,
    key: Hashable,
) -> NumpyArray:
    """One output of a program that reads a network's memory, for all rows.

    Arguments:
        network, program, rows, key: as `parts` takes them.
        output: its name.
    """
    found = parts(network, program, rows, key)
    return np.concatenate([part[output] for part in found])


def parts(
    network: NetworkRecord,
    program: Callable[[int], Program],
    rows: Mapping[str, NumpyArray],
    key: Hashable,
) -> Iterator[dict[str, NumpyArray]]:
    """What a program that reads a network's memory gives for some rows after others.

    Arguments:
        network: whose parameters and state are read.
        program: gives the program for a number of rows.
        rows: an array for each of its other inputs, as many rows in each.
        key: of all that the program depends on.
    """
    batch = Batch(program, list(rows))
    execution = Execution(programs=network.own_programs)
    forward = execution.forward(batch, network.memory.buffers(), key)
    for part in forward.chunks(len(next(iter(rows.values())))):
        given = {name: array[part] for name, array in rows.items()}
        found = forward.run(given)
        yield {name: array.copy() for name, array in found.items()}


def require_layer(layers: Sequence[Layer], number: int) -> None:
    """There is a layer of that number.

    Raises:
        ArgumentError: there is none.
    """
    fits = is_whole(number) and 1 <= number <= len(layers)
    require(fits, "layer", f"a number from 1 to {len(layers)}", number)
