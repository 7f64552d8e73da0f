"""Generating: each class is drawn by what a network gives after those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import Compiled, NativeProgram, clear_errors
from thalweg.checks import require, require_non_negative, require_seed, require_whole
from thalweg.errors import ArgumentError, ShapeError
from thalweg.model.programs import compiled_once
from thalweg.model.record import NetworkRecord
from thalweg.model.sampling import sampling_program
from thalweg.model.stream import Going, going_of
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution
from thalweg.training.objective import usual_loss
from thalweg.training.rows import numbers_from

PROBABILITIES = "cross_entropy"  # the loss of what gives one for each class


class Generator:
    """A network that goes on with a sequence of classes.

    Arguments:
        network: takes class numbers, and gives the probability of each class.
        predict: what it gives for whole rows.
        temperature, top_k, seed: as `Network.generate` has them.

    Raises:
        ArgumentError, ShapeError: an argument or the network can't be used so.
    """

    def __init__(
        self,
        network: NetworkRecord,
        predict: Callable[[NumpyArray], NumpyArray],
        temperature: float,
        top_k: int | None,
        seed: int,
    ) -> None:
        require_non_negative("temperature", temperature)
        if top_k is not None:
            require_whole("top_k", top_k, least=1)
        require_seed(seed)
        self._predict = predict
        self.going = going_of(network.layers, network.shapes, network.dtype, None)
        require_classes(network, self.going)
        (self.classes,) = self.going.output_shape
        execution = Execution(programs=network.programs)
        self._turns = execution.turns(self.going, 1, network.memory.buffers())
        self._sample = NativeProgram(
            self._compiled(top_k),
            {"predictions": self._turns.predictions, "X": self._turns.x},
        )
        for name, value in (("temperature", temperature), ("seed", seed)):
            self._sample.arrays[name][...] = value

    def _compiled(self, top_k: int | None) -> Compiled:
        """The program that draws a class."""
        dtype = self.going.dtype

        def make() -> Compiled:
            return compile_program(sampling_program(self.classes, top_k, dtype))

        return compiled_once(("sampling", self.classes, top_k, dtype), make)

    def after(self, start: Any) -> Iterator[int]:
        """One class number after the other, without an end.

        Arguments:
            start: class numbers, one or more.
        """
        known = self._start(start)
        self._turns.reset()
        with clear_errors():
            if self.going.is_endless or len(known) <= self.going.times:
                yield from self._in_turns(known)
            yield from self._in_windows(known)

    def _start(self, start: Any) -> list[int]:
        """Class numbers as a list, which grows.

        Raises:
            ArgumentError: one isn't a class, or there are none.
            ShapeError: they aren't in a row.
        """
        given = numbers_from(start, "start")
        if given.ndim != 1:
            raise ShapeError(f"start must have shape (times,), got {given.shape}")
        require(given.size > 0, "start", "one class number or more", start)
        fits = (given >= 0) & (given < self.classes) & (given == np.floor(given))
        if not fits.all():
            raise ArgumentError(
                f"start must hold whole numbers from 0 to {self.classes - 1}, got "
                f"{given[~fits][0]}"
            )
        return given.astype(np.int64).tolist()

    def _in_turns(self, known: list[int]) -> Iterator[int]:
        """Each after one turn, while there is room."""
        turns = self._turns
        for number in known:
            turns.x[0] = number
            turns.turn()
        while True:
            known.append(self._drawn(len(known)))
            yield known[-1]
            if turns.time == self.going.times and not self.going.is_endless:
                return
            turns.turn()

    def _in_windows(self, known: list[int]) -> Iterator[int]:
        """Each after as many as the network was made for, which move along."""
        while True:
            window = np.array([known[-self.going.times :]], self.going.dtype)
            given = self._predict(window)
            self._turns.predictions[...] = given.reshape(-1, self.classes)[-1]
            known.append(self._drawn(len(known)))
            yield known[-1]

    def _drawn(self, step: int) -> int:
        """A class by the predictions, which is the next input as well."""
        self._sample.arrays["step"][...] = step
        self._sample.engine.run()
        return int(self._turns.x[0])


def require_classes(network: NetworkRecord, going: Going) -> None:
    """A network takes class numbers, and gives the probability of each.

    Raises:
        ArgumentError: it doesn't.
    """
    known = network.loss.name if network.loss else ""
    gives = PROBABILITIES in (usual_loss(network.layers), known)
    if going.input_shape or len(going.output_shape) != 1 or not gives:
        given, got = network.shapes.outputs[0], network.shapes.outputs[-1]
        raise ArgumentError(
            "to generate classes, a network must take class numbers, (rows, times), as "
            "Embedding does, and its last layer give the probabilities of classes, as "
            f"softmax does; it takes rows of shape {given} and gives {got}"
        )


def generate(
    network: NetworkRecord,
    predict: Callable[[NumpyArray], NumpyArray],
    start: Any,
    length: int,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> NumpyArray:
    """So many class numbers after some; see `Network.generate`."""
    require_whole("length", length, least=0)
    after = Generator(network, predict, temperature, top_k, seed).after(start)
    found = np.empty(length, np.int64)
    for place, number in zip(range(length), after, strict=False):
        found[place] = number
    return found
