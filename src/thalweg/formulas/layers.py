"""Layers: what a network is stacked from.

A layer says which parameters it has for inputs of a shape, and how it computes; the
shape of what it gives is found by tracing. Its fields are all that there is to it.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from thalweg.checks import (
    require,
    require_fraction,
    require_instance,
    require_whole,
)
from thalweg.errors import ShapeError
from thalweg.formulas.activations import Activation, activation
from thalweg.formulas.initializers import (
    Initializer,
    initializer,
    initializer_for,
    zeros,
)
from thalweg.formulas.lengths import Lengths
from thalweg.program import ops
from thalweg.program.types import Dtype

Shape: TypeAlias = tuple[int, ...]
State: TypeAlias = dict[str, ops.Array]


@dataclass(frozen=True)
class Parameter:
    """An array that a layer keeps: its shape, and where its first values come from.

    Arguments:
        shape: inputs first, outputs last.
        initializer: draws the first values.
        penalized: whether penalties such as `L2` count it; weights do, biases don't.

    Example:
        >>> from thalweg.formulas.initializers import glorot_uniform
        >>> from thalweg.formulas.layers import Parameter
        >>> weights = Parameter((20, 64), glorot_uniform, penalized=True)
        >>> weights.fan_in, weights.fan_out
        (20, 64)
    """

    shape: Shape
    initializer: Initializer
    penalized: bool = False

    @property
    def fan_in(self) -> int:
        """How many inputs meet in a unit."""
        return math.prod(self.shape[:-1] or self.shape)

    @property
    def fan_out(self) -> int:
        """How many units an input reaches; of a convolution, as parts of windows."""
        return math.prod(self.shape[:-2]) * self.shape[-1] if self.shape else 1


class Namespace(Protocol):
    """A layer's parameters and state by their names: ``p.weights``, ``p.bias``."""

    def __getattribute__(self, name: str, /) -> ops.Array: ...


class Random(Protocol):
    """The only source of randomness while a network trains."""

    def uniform(self, shape: Shape, /) -> ops.Array:
        """Numbers in [0, 1), others in every step."""
        ...


class Layer(abc.ABC):
    """A part of a network. One's own is a frozen dataclass with `forward`.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np
        >>> from thalweg.formulas.layers import Layer
        >>> @dataclass(frozen=True)
        ... class Scale(Layer):
        ...     factor: float
        ...     def forward(self, x, p):
        ...         return self.factor * x
        >>> Scale(2.0).forward(np.array([[1.0, 3.0]]), None).tolist()
        [[2.0, 6.0]]

    Where rows (rows, times, …) have lengths of their own, ``p.lengths`` says how many
    times each has. A layer that looks at more than one time must read it, and says so
    by ``knows_lengths = True``: any other that does is refused.
    """

    knows_lengths: ClassVar[bool] = False

    def lengths_behind(
        self, lengths: Lengths, input_shape: Shape, output_shape: Shape
    ) -> Lengths | None:
        """How many times each row of what the layer gives has; None if there are none.

        Arguments:
            lengths: how many each row of its inputs has.
            input_shape, output_shape: of a row before and behind the layer.
        """
        has_times = len(output_shape) > 1 or len(output_shape) == len(input_shape)
        return lengths if has_times and output_shape[:1] == input_shape[:1] else None

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """What is learned, for inputs of a shape (without the axis of rows)."""
        return {}

    def state(self, input_shape: Shape) -> dict[str, Parameter]:
        """What is kept without being learned, such as running means."""
        return {}

    def parameters_and_state(
        self, input_shape: Shape, dtype: Dtype
    ) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
        """Both; a layer that holds layers finds them at once, by tracing in a dtype."""
        return self.parameters(input_shape), self.state(input_shape)

    @abc.abstractmethod
    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """What the layer gives in prediction.

        Arguments:
            x: inputs, rows first.
            p: parameters and state, as attributes.
        """

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """What the layer gives in training, and what of its state is new."""
        return self.forward(x, p), {}

    @property
    def trains_as_it_predicts(self) -> bool:
        """Whether it surely gives the same in training."""
        return type(self).training_forward is Layer.training_forward


class Roomy(Layer):
    """A layer that takes more room for a row on its way than it gives."""

    @abc.abstractmethod
    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """The shapes of a row's arrays on the way."""


def features_of(layer: Layer, input_shape: Shape) -> int:
    """The number of features of a row, which must be a vector."""
    if len(input_shape) != 1:
        got = ", ".join(["rows", *map(str, input_shape)])
        raise ShapeError(
            f"{type(layer).__name__} must be given x of shape (rows, features), "
            f"got ({got}{'' if input_shape else ','})"
        )
    return input_shape[0]


def last_of(layer: Layer, input_shape: Shape) -> int:
    """The number of features at each position of a row."""
    if not input_shape:
        raise ShapeError(
            f"{type(layer).__name__} must be given x of shape (rows, …, features), "
            "got (rows,)"
        )
    return input_shape[-1]


def sequence_of(layer: Layer, input_shape: Shape) -> tuple[int, int]:
    """The times and features of a row, which must be a sequence of vectors."""
    if len(input_shape) != 2:
        got = ", ".join(["rows", *map(str, input_shape)])
        raise ShapeError(
            f"{type(layer).__name__} must be given x of shape (rows, times, features), "
            f"got ({got}{'' if input_shape else ','})"
        )
    times, features = input_shape
    return times, features


@dataclass(frozen=True)
class Dense(Layer):
    """Every unit sees every feature.

    y = φ(x W + b)

    Arguments:
        units: how many outputs there are.
        activation: φ, a name or any function of an array.
        bias: whether there is b.
        initializer: of W, a name or an `Initializer`; None takes the one that goes
            with the activation. b starts at zero.

    Returns:
        When applied to x of shape (rows, …, features), an array (rows, …, units): each
        position of a row goes through the same W.

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.
        ShapeError: x isn't of shape (rows, …, features).

    Example:
        >>> from thalweg.formulas.layers import Dense
        >>> for name, parameter in Dense(3, "relu").parameters((4,)).items():
        ...     print(name, parameter.shape, parameter.initializer.name)
        weights (4, 3) he_uniform
        bias (3,) zeros

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986.
    """

    units: int
    activation: str | Activation = "identity"
    bias: bool = True
    initializer: str | Initializer | None = None

    def __post_init__(self) -> None:
        require_whole("units", self.units, least=1)
        activation(self.activation)
        if self.initializer is not None:
            initializer(self.initializer)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Weights (features, units), and a bias (units,) if there is one."""
        chosen = self.initializer or initializer_for(self.activation)
        shape = (last_of(self, input_shape), self.units)
        weights = Parameter(shape, initializer(chosen), penalized=True)
        bias = {"bias": Parameter((self.units,), zeros)} if self.bias else {}
        return {"weights": weights, **bias}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """φ(x W + b)."""
        z = x @ p.weights
        return activation(self.activation)(z + p.bias if self.bias else z)


@dataclass(frozen=True)
class Dropout(Layer):
    """Switches off a random part of the features in every step of training.

    y = x m / (1 − r), where each mᵢ is 0 with probability r, else 1

    What remains is scaled up, so the mean stays, and prediction leaves x alone.

    Arguments:
        rate: r, the part switched off, in [0, 1).

    Returns:
        When applied to x of any shape, an array of that shape.

    Raises:
        ArgumentError: rate isn't in [0, 1).

    Example:
        >>> from thalweg.formulas.layers import Dropout
        >>> Dropout(1.5)
        Traceback (most recent call last):
        thalweg.errors.ArgumentError: rate must be in [0, 1), got 1.5

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a
    simple way to prevent neural networks from overfitting", 2014.
    """

    rate: float

    knows_lengths = True  # each number stays or goes by itself

    def __post_init__(self) -> None:
        require_fraction("rate", self.rate)

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x as it is."""
        return x

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """x m / (1 − r)."""
        kept = random.uniform(x.shape) >= self.rate
        return ops.where(kept, x / (1 - self.rate), 0.0), {}


class Prefixed:
    """A namespace that shows the names behind a prefix, without it."""

    __slots__ = ("_prefix", "_whole", "lengths")

    def __init__(self, whole: Namespace, prefix: str) -> None:
        self._whole = whole
        self._prefix = prefix
        self.lengths = getattr(whole, "lengths", None)

    def __getattr__(self, name: str, /) -> ops.Array:
        return getattr(self._whole, self._prefix + name)


@dataclass(frozen=True)
class Columns(Layer):
    """Sends ranges of columns through layers of their own, and joins the results.

    y = f₁(x[:, a₁:b₁]), f₂(x[:, a₂:b₂]), … side by side

    Arguments:
        parts: (start, stop, layer) for each range of columns; None in the layer's
            place passes them on as they are. Columns in no range are left out.

    Returns:
        When applied to x of shape (rows, features), an array (rows, outputs of all
        layers together). A parameter of the second layer is named
        ``part2_weights``.

    Raises:
        ArgumentError: a range is empty or turned around.
        ShapeError: x isn't of shape (rows, features), or has too few features.

    Example:
        >>> import thalweg as tw
        >>> mixed = tw.Columns(((0, 3, None), (3, 4, tw.Embedding(7, 2))))
        >>> {name: p.shape for name, p in mixed.parameters((4,)).items()}
        {'part2_table': (7, 2)}

    Source: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016.
    """

    parts: tuple[tuple[int, int, Layer | None], ...]

    def __post_init__(self) -> None:
        require(len(self.parts) > 0, "parts", "one or more", self.parts)
        for start, stop, layer in self.parts:
            require_whole("start", start, least=0)
            require_whole("stop", stop, least=start + 1)
            if layer is not None:
                require_instance("layer", layer, Layer, "a layer or None")

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Those of the layers, each name behind ``part1_`` and so on."""
        self._require_width(features_of(self, input_shape))
        return {
            prefix(number) + name: parameter
            for number, (start, stop, layer) in enumerate(self.parts, 1)
            if layer is not None
            for name, parameter in layer.parameters((stop - start,)).items()
        }

    def state(self, input_shape: Shape) -> dict[str, Parameter]:
        """That of the layers, each name behind ``part1_`` and so on."""
        return {
            prefix(number) + name: parameter
            for number, (start, stop, layer) in enumerate(self.parts, 1)
            if layer is not None
            for name, parameter in layer.state((stop - start,)).items()
        }

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """What the layers give, side by side."""
        self._require_width(features_of(self, x.shape[1:]))
        results: list[ops.Array] = []
        for number, (start, stop, layer) in enumerate(self.parts, 1):
            columns = x[:, start:stop]
            if layer is not None:
                columns = layer.forward(columns, Prefixed(p, prefix(number)))
            results.append(flat(columns))
        return ops.concatenate(results, axis=-1)

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """What the layers give in training, side by side, and their new state."""
        self._require_width(features_of(self, x.shape[1:]))
        results: list[ops.Array] = []
        state: State = {}
        for number, (start, stop, layer) in enumerate(self.parts, 1):
            columns = x[:, start:stop]
            if layer is not None:
                view = Prefixed(p, prefix(number))
                columns, new = layer.training_forward(columns, view, random)
                state.update(prefixed(number, new))
            results.append(flat(columns))
        return ops.concatenate(results, axis=-1), state

    def _require_width(self, features: int) -> None:
        last = max(stop for _, stop, _ in self.parts)
        if features < last:
            raise ShapeError(
                f"Columns reads columns up to {last}, got x of {features} features"
            )


def flat(x: ops.Array) -> ops.Array:
    """All numbers of a row side by side."""
    return x if len(x.shape) == 2 else ops.reshape(x, (x.shape[0], -1))


def prefix(number: int) -> str:
    """What stands before the names of the layer of that number."""
    return f"part{number}_"


def prefixed(number: int, state: Mapping[str, ops.Array]) -> State:
    """A layer's state under the names that the whole has for it."""
    return {prefix(number) + name: value for name, value in state.items()}
