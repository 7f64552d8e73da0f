"""Running a program by NumPy: what a program means, and the oracle of every test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from thalweg.backends.alignment import aligned_bytes
from thalweg.backends.layout import ARENA, Location, Plan, Step
from thalweg.backends.numpy.bind import bind
from thalweg.backends.plan import plan_singly
from thalweg.errors import ShapeError
from thalweg.program.ir import Program
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import NumpyArray, as_numpy


def interpret(program: Program, inputs: Mapping[str, object]) -> dict[str, NumpyArray]:
    """The outputs of a program at some inputs, one primitive after the other.

    Arguments:
        program: what to compute.
        inputs: an array for every input, of its shape.

    Raises:
        ShapeError: an input's shape isn't the program's.
    """
    values: list[NumpyArray] = []
    for name, type in program.inputs.items():
        array = as_numpy(inputs[name], type.dtype)
        if array.shape != type.shape:
            raise ShapeError(
                f"input {name} must have shape {type.shape}, got {array.shape}"
            )
        values.append(array)
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            arguments = [values[v] for v in instruction.inputs]
            result = instruction.primitive.meaning(*arguments, **instruction.attributes)
            values.append(np.asarray(result))
    return {name: values[value] for name, value in program.outputs.items()}


class Executable:
    """A plan bound to its memory: write `inputs`, `run`, read `outputs`.

    Arguments:
        plan: what to run.
        buffers: arrays to use for inputs instead of new ones, such as the parameters
            that two executables share. They must be contiguous and of the input's type.

    Nothing of the size of an array is allocated after this. A program that reaches NaN
    or infinity goes on, as arithmetic does: run it under ``np.errstate(all="ignore")``.
    """

    def __init__(
        self, plan: Plan, buffers: Mapping[str, NumpyArray] | None = None
    ) -> None:
        self.plan = plan
        given = buffers or {}
        every = {
            name: given[name] if name in given else np.zeros(type.shape, type.dtype)
            for name, type in plan.buffers.items()
        }
        for name, type in plan.buffers.items():
            check_buffer(name, every[name], type.shape, type.dtype)
        self.inputs = {name: every[name] for name in plan.inputs}
        self.outputs = {name: every[name] for name in plan.outputs}
        arena = aligned_bytes(plan.arena_bytes)
        constants = {k: np.ascontiguousarray(v) for k, v in plan.constants.items()}
        self._buffers = {
            name: array.reshape(-1).view(np.uint8)
            for name, array in {**every, **constants, ARENA: arena}.items()
        }
        self._views: dict[Location, NumpyArray] = {}
        self._steps = [call for step in plan.steps for call in self._calls(step)]

    def _calls(self, step: Step) -> list[Callable[[], object]]:
        """The calls that run one step."""
        inputs = [self._array(place) for place in step.inputs]
        outputs = {number: self._array(place) for number, place in step.outputs}
        line = step.lines[0]
        if len(step.lines) > 1:
            return [partial(run_lines, step, inputs, outputs)]
        operands = [inputs[operand] for operand in line.operands]
        return bind(line.opcode, operands, outputs[0], line.attributes)

    def _array(self, place: Location) -> NumpyArray:
        """The array at a place, over its buffer's memory; constants stay constant.

        A place has one array: NumPy sees at once that it works in place, where for two
        arrays it would compare their memory at every call.
        """
        if place in self._views:
            return self._views[place]
        array: NumpyArray = np.ndarray(
            place.type.shape,
            place.type.dtype,
            buffer=self._buffers[place.buffer],
            offset=place.offset,
            strides=place.strides,
        )
        if place.buffer in self.plan.constants:
            array.flags.writeable = False
        self._views[place] = array
        return array

    def run(self) -> None:
        """Run every step once."""
        for step in self._steps:
            step()


def run_lines(
    step: Step, inputs: Sequence[NumpyArray], outputs: Mapping[int, NumpyArray]
) -> None:
    """Run the lines of a kernel one after the other, and write when all are read."""
    values = list(inputs)
    for line in step.lines:
        operands = [values[operand] for operand in line.operands]
        values.append(PRIMITIVES[line.opcode].meaning(*operands, **line.attributes))
    for number, array in outputs.items():
        np.copyto(array, values[len(inputs) + number])


def check_buffer(
    name: str, array: NumpyArray, shape: tuple[int, ...], dtype: str
) -> None:
    """A given buffer is contiguous and of the input's type."""
    if (
        array.shape != shape
        or array.dtype.name != dtype
        or not array.flags.c_contiguous
    ):
        raise ShapeError(
            f"buffer {name} must be a contiguous {dtype} array of shape {shape}, "
            f"got {array.dtype} of shape {array.shape}"
        )


def make_executable(
    program: Program, buffers: Mapping[str, NumpyArray] | None = None
) -> Executable:
    """Plan a finished program and bind it to memory."""
    return Executable(plan_singly(program), buffers)
