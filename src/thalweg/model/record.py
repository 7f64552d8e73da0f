"""What is known of a network: its layers, what they learned, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from thalweg.checks import require, require_instance
from thalweg.errors import NotFittedError
from thalweg.formulas.chain import Shapes
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.history import History
from thalweg.model.memory import Memory, parts_of
from thalweg.model.programs import Programs
from thalweg.model.state import OptimizerState
from thalweg.program.types import Dtype, NumpyArray

KEPT_PROGRAMS = 16  # about one network, those that were used last


class NetworkRecord:
    """A network as what trains, writes or explains it sees it: no deeds of its own.

    Arguments:
        layers: one or more layers, first to last.

    Raises:
        ArgumentError: there are no layers, or one of them isn't a layer.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        must = "a list of layers, such as [Dense(64), Dense(1)]"
        require_instance("layers", layers, Sequence, must)
        require(len(layers) > 0, "layers", must, layers)
        for layer in layers:
            require_instance("layers", layer, Layer, must)
        self.layers = tuple(layers)
        self.history = History()
        self.interrupted = False  # whether Ctrl-C was pressed in the last training
        self.loss: Loss | None = None
        self.optimizer: Optimizer | None = None
        self.penalty: Penalty | None = None
        self.dtype: Dtype = "float32"
        self.input_dtype: Dtype = "float32"  # of the rows it was fitted on, or uint8
        self.takes_lengths = False  # whether rows had lengths of their own in fit
        self.optimizer_state: OptimizerState | None = None
        self.programs: Programs | None = None  # those that a sweep shares
        self.own_programs = Programs(KEPT_PROGRAMS)  # of what is seen inside
        self._shapes: Shapes | None = None
        self._memory: Memory | None = None

    def take(self, shapes: Shapes, memory: Memory, dtype: Dtype) -> None:
        """Make parameters and state of those shapes the network's own."""
        if memory is not self._memory:
            self.optimizer_state = None
        self._shapes, self._memory = shapes, memory
        self.dtype = self.input_dtype = dtype

    def as_it_is(self) -> dict[str, Any]:
        """All that is known now, to go `back` to."""
        return dict(vars(self))

    def back(self, before: dict[str, Any]) -> None:
        """Know again what was known before."""
        vars(self).update(before)

    @property
    def is_initialized(self) -> bool:
        """Whether there are parameters."""
        return self._memory is not None

    @property
    def shapes(self) -> Shapes:
        """The shapes of outputs, parameters and state.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        return self._fitted()[0]

    @property
    def memory(self) -> Memory:
        """The arrays that all programs of the network share.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        return self._fitted()[1]

    @property
    def parameters(self) -> dict[str, NumpyArray]:
        """A copy of every parameter, by names such as ``1.weights``.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        shapes, memory = self._fitted()
        return {k: v.copy() for k, v in parts_of(memory.parameters, shapes).items()}

    @property
    def state(self) -> dict[str, NumpyArray]:
        """A copy of what layers keep without learning it, such as running means.

        Raises:
            NotFittedError: the network has no parameters yet.
        """
        return {name: array.copy() for name, array in self._fitted()[1].state.items()}

    def _fitted(self) -> tuple[Shapes, Memory]:
        if self._shapes is None or self._memory is None:
            raise NotFittedError(
                "the network has no parameters yet: call fit or initialize"
            )
        return self._shapes, self._memory


AnyNetwork = TypeVar("AnyNetwork", bound=NetworkRecord)
