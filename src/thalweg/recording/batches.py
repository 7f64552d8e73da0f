"""One step, seen: its rows, and the units that were switched off in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.backends.numpy.interpret import interpret
from thalweg.formulas.layers import Dropout
from thalweg.model.stack import RANDOM_INPUTS, LayerValues, StepRandom
from thalweg.network import Network
from thalweg.program import ops
from thalweg.program.trace import trace
from thalweg.program.types import NumpyArray
from thalweg.recording.recorder import Arrays, Recorder


def step_frame(recorder: Recorder) -> Arrays:
    """Take a step of the session, and show it.

    Returns:
        The frame after it, and besides: ``batch.rows``, the numbers of its training
        rows; ``batch.loss``, their mean loss in it; ``batch.gradient``, the gradient of
        their mean loss before it, with nothing switched off and no penalty;
        ``dropped``, 1 for each unit that was switched off for the row ``batch.row``:
        the one that is followed, if it's in the batch, else the batch's first.
    """
    session, network = recorder.session, recorder.network
    rows = session.next_rows
    shown = recorder.row if recorder.row in rows else int(rows[0])
    off = dropped(network, len(rows), session.seed, session.next_step)
    gradient = network.backpropagation(recorder.X[rows], recorder.y[rows]).gradient
    loss = session.step()
    place = rows.tolist().index(shown)
    return {
        **recorder.frame(),
        "batch.rows": rows.astype(np.int32),
        "batch.row": np.array(shown, np.int32),
        "batch.loss": np.array(loss, np.float64),
        "batch.gradient": gradient.astype(np.float32),
        "dropped": np.concatenate(
            [
                off[column.number + 1][place]
                if column.number + 1 in off
                else np.zeros(column.units, np.uint8)
                for column in recorder.columns
            ]
        ),
    }


def dropped(network: Network, rows: int, seed: int, step: int) -> dict[int, NumpyArray]:
    """What each `Dropout` switches off in a step of training, by the layers' numbers.

    The layers' own formula, of ones: what became 0 was switched off. Bits are counted,
    so these are the ones that the engine draws in that step.

    Arguments:
        network: whose other layers draw nothing.
        rows: of the batch.
        seed, step: of the run.

    Returns:
        For each `Dropout` an array (rows, features): 1 where it's off.
    """
    dtype = network.dtype

    def outputs(arrays: dict[str, Any]) -> dict[str, Any]:
        random = StepRandom(arrays["seed"], arrays["step"], dtype)
        found: dict[str, Any] = {}
        for number, layer in enumerate(network.layers, 1):
            if isinstance(layer, Dropout):
                shape = (rows, *network.shapes.outputs[number])
                one = arrays["seed"].trace.constant(np.ones((), dtype))
                x = ops.broadcast_to(one, shape)
                y, _ = layer.training_forward(x, LayerValues("", {}), random)
                found[str(number)] = y
        return found

    if not any(isinstance(layer, Dropout) for layer in network.layers):
        return {}
    program = trace(outputs, RANDOM_INPUTS)
    given = {"seed": np.uint32(seed), "step": np.int32(step)}
    found = interpret(program, given)
    return {int(number): (y == 0).astype(np.uint8) for number, y in found.items()}
