"""Recurrence: a cell, which is a formula of one time, goes through the times of a row.

x has the shape (rows, times, …). A cell carries one state or several from each time to
the next; the first of them, h, is what a layer gives:

    h_t = f(x_t, h_{t−1}),  h₀ = 0
"""

from __future__ import annotations

import abc
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from thalweg.checks import require, require_instance, require_whole
from thalweg.errors import ShapeError
from thalweg.formulas.activations import Activation, activation, sigmoid, tanh
from thalweg.formulas.chain import OWN, PROBE_ROWS, LayerValues, describe
from thalweg.formulas.initializers import (
    Initializer,
    Values,
    glorot_uniform,
    initializer_for,
    orthogonal,
    zeros,
)
from thalweg.formulas.layers import Layer, Namespace, Parameter, Prefixed, Shape
from thalweg.formulas.lengths import Lengths, is_there, lengths_of
from thalweg.formulas.moments import Kept, Moment, Remembering, needs_later_times
from thalweg.program import ops
from thalweg.program.composed import split
from thalweg.program.ir import Program
from thalweg.program.loops import as_tuple, scan
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype

State = Any  # of a cell: an array, or a tuple of several
STATE, NEW = "state.", "new."  # before the names of states, in a step's program


class Recurring(Remembering):
    """A layer in which a cell goes through the times, of each row as many as it has."""

    knows_lengths = True

    @property
    @abc.abstractmethod
    def own_cell(self) -> Cell:
        """The cell."""

    @abc.abstractmethod
    def with_cell(self, cell: Cell) -> Recurring:
        """The same with another cell."""

    @abc.abstractmethod
    def in_direction(self) -> Recurrent:
        """The same as a layer that says its direction."""

    def parameters_and_state(
        self, input_shape: Shape, dtype: Dtype
    ) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
        """Both, for rows of times.

        Raises:
            ShapeError: a row has no times, or nothing at each.
        """
        require_times(self, input_shape)
        return super().parameters_and_state(input_shape, dtype)

    def numbers_inside(self, input_shape: Shape, dtype: Dtype) -> int:
        """How many numbers of a row are there together: for each time, those of states,
        and of what is ready before them.
        """
        program = step_program(self.own_cell, input_shape, dtype, PROBE_ROWS)
        states = [name for name in program.inputs if name.startswith(STATE)]
        kept = sum(program.inputs[name].size for name in states)
        return input_shape[0] * (kept + ready(program, states)) // PROBE_ROWS

    @property
    def has_times(self) -> bool:
        """Whether the states of all times are given."""
        return self.in_direction().sequences

    def kept(self, input_shape: Shape, times: int) -> dict[str, Shape]:
        """The states of the cell."""
        if self.in_direction().reverse:
            raise needs_later_times("this goes from the last time to the first")
        return self.own_cell.states(input_shape)

    def at_time(
        self, x: ops.Array, kept: Kept, p: Namespace, moment: Moment
    ) -> tuple[ops.Array, Kept]:
        """A step of the cell."""
        state = one_or_several(list(kept.values()))
        new = as_tuple(self.own_cell.step(x[:, 0], state, p))
        h = new[0][:, None] if self.has_times else new[0]
        return h, dict(zip(kept, new, strict=True))


class Cell(Recurring):
    """What happens at one time. One's own is a frozen dataclass with `step`.

    s_t = f(x_t, s_{t−1}; θ), s₀ = 0

    A cell is a layer: for x of shape (rows, times, …) it gives its first state after
    each time. `Recurrent` has it go backwards, or give the last state alone. The loop,
    its gradient, files and exports follow from the formula of one time.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np, thalweg as tw
        >>> @dataclass(frozen=True)
        ... class Leaky(tw.Cell):
        ...     units: int
        ...     def parameters(self, input_shape):
        ...         shape = (input_shape[-1], self.units)
        ...         return {"weights": tw.Parameter(shape, tw.initializers.ones)}
        ...     def step(self, x, h, p):
        ...         return h / 2 + x @ p.weights
        >>> network = tw.Network([Leaky(1)]).initialize((4, 1))
        >>> network.predict(np.array([[[1.0], [0.0], [0.0], [8.0]]]))[0, :, 0].tolist()
        [1.0, 0.5, 0.25, 8.125]

    Source: Elman, "Finding structure in time", 1990.
    """

    units: int

    def states(self, input_shape: Shape) -> dict[str, Shape]:
        """The shape of each state of a row, by its name; the first is what it gives.

        One state h of as many numbers as the cell has ``units``, unless a cell says
        otherwise: ``{"h": (self.units,), "c": (self.units,)}``.

        Arguments:
            input_shape: of a row, (times, …), as it is for `parameters`.
        """
        units: Any = getattr(self, "units", None)
        must = "how many numbers a state has; or states says its own shapes"
        require(units is not None, f"units of {type(self).__name__}", must, units)
        return {"h": (units,)}

    @abc.abstractmethod
    def step(self, x: ops.Array, state: State, p: Namespace) -> State:
        """The state after a time.

        Arguments:
            x: inputs at this time, (rows, …).
            state: that after the time before, (rows, …); a tuple where there are
                several.
            p: parameters, as attributes.

        Returns:
            The new state, or a tuple of them in the same order.
        """

    @property
    def own_cell(self) -> Cell:
        """Itself."""
        return self

    def with_cell(self, cell: Cell) -> Cell:
        """The other cell."""
        return cell

    def in_direction(self) -> Recurrent:
        """From the first time to the last, all of them given."""
        return Recurrent(self)

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The first state after each time."""
        return states_of(self, x, p, reverse=False)[0]


def states_of(
    cell: Cell, x: ops.Array, p: Namespace, reverse: bool
) -> tuple[ops.Array, ...]:
    """Every state of a cell after each time, (rows, times, …).

    Arguments:
        cell: that goes through the times.
        x: inputs, (rows, times, …).
        p: the cell's parameters.
        reverse: whether it goes from the last time to the first.

    Where rows have lengths of their own, a state stays what it is at times that its row
    doesn't have: behind the last it is that of the last, and backwards it is still 0.
    """
    require_times(cell, tuple(x.shape[1:]))
    shapes = cell.states(tuple(x.shape[1:]))
    require_states(cell, shapes)
    start = [zeros_for(x, shape) for shape in shapes.values()]
    count = len(start)

    def step(*given: ops.Array) -> State:
        return cell.step(given[count], one_or_several(given[:count]), p)

    def step_within(*given: ops.Array) -> State:
        states, there = given[:count], given[-1]
        return one_or_several(
            [
                ops.where(in_front_of(there, old), new, old)
                for old, new in zip(states, as_tuple(step(*given)), strict=True)
            ]
        )

    lengths = lengths_of(p)
    if lengths is None:
        named, sequences = with_names(step, [*shapes, "x"]), (x,)
    else:
        named = with_names(step_within, [*shapes, "x", "is_there"])
        sequences = (x, ops.reshape(is_there(x, lengths), x.shape[:2]))
    return as_tuple(scan(named, one_or_several(start), sequences, reverse=reverse))


def in_front_of(there: ops.Array, state: ops.Array) -> ops.Array:
    """Whether each row is there, of a shape that repeats to that of its state."""
    return ops.reshape(there, (there.shape[0], *(1 for _ in state.shape[1:])))


def one_or_several(states: Sequence[ops.Array]) -> State:
    """A state by itself, or a tuple of them."""
    return tuple(states) if len(states) > 1 else states[0]


def require_times(layer: Layer, input_shape: Shape) -> None:
    """A row has times, and something at each of them.

    Raises:
        ShapeError: it hasn't.
    """
    if len(input_shape) < 2:
        got = ", ".join(["rows", *map(str, input_shape)])
        raise ShapeError(
            f"{type(layer).__name__} must be given x of shape (rows, times, features), "
            f"got ({got}{'' if input_shape else ','}): Reshape gives a row of numbers "
            "times, and Embedding gives those of whole numbers features"
        )


def require_states(cell: Cell, shapes: Any) -> None:
    """What a cell says of its states are names and shapes.

    Raises:
        ArgumentError: they aren't.
    """
    must = 'a dict of a name and a shape for each, such as {"h": (8,), "c": (8,)}'
    name = f"what {type(cell).__name__}.states gives"
    require_instance(name, shapes, dict, must)
    fits = len(shapes) > 0 and all(
        isinstance(key, str)
        and key.isidentifier()
        and key != "x"
        and isinstance(shape, tuple)
        for key, shape in shapes.items()
    )
    require(fits, name, must, shapes)


def zeros_for(x: ops.Array, shape: Shape) -> ops.Array:
    """The state before the first time: zeros for each row of x."""
    rows = x.shape[0]
    zero = ops.zeros_like(ops.reshape(x[:, 0], (rows, -1))[:, :1])
    column = ops.reshape(zero, (rows, *(1 for _ in shape)))
    return ops.broadcast_to(column, (rows, *shape))


def with_names(step: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """The step, whose arguments have names, which `explain` prints."""
    kind = inspect.Parameter.POSITIONAL_ONLY
    parameters = [inspect.Parameter(name, kind) for name in names]
    step.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return step


def step_program(cell: Cell, input_shape: Shape, dtype: Dtype, rows: int) -> Program:
    """The step of a cell as a program: new states from x, states and parameters.

    Arguments:
        cell: whose step it is.
        input_shape: of a row, (times, …).
        dtype: of the network.
        rows: how many there are.
    """
    carried = cell.states(input_shape)
    names = [STATE + name for name in carried]
    shapes = [input_shape[1:], *carried.values()]
    types = {
        name: ArrayType((rows, *shape), dtype)
        for name, shape in zip(["x", *names], shapes, strict=True)
    }
    for name, parameter in cell.parameters(input_shape).items():
        types[OWN + name] = ArrayType(parameter.shape, dtype)

    def step(a: dict[str, Any]) -> dict[str, Any]:
        p = LayerValues.among(describe(cell), a)
        given = cell.step(a["x"], one_or_several([a[name] for name in names]), p)
        return {
            NEW + name: array
            for name, array in zip(carried, as_tuple(given), strict=True)
        }

    return trace(step, types)


def ready(program: Program, states: Sequence[str]) -> int:
    """How many numbers a step reads that follow without its states.

    A loop has them for all times at once.
    """
    first = len(program.inputs)
    late = {value for value, name in enumerate(program.inputs) if name in states}
    met: set[int] = set()
    for value, instruction in enumerate(program.instructions, first):
        if not late.isdisjoint(instruction.inputs):
            met.update(set(instruction.inputs) - late)
            late.add(value)
    met.update(set(program.outputs.values()) - late)
    free = ("constant", "broadcast")
    return sum(
        program.type(value).size
        for value in met
        if value >= first and program.instructions[value - first].opcode not in free
    )


# Where a cell goes --------------------------------------------------------------------


@dataclass(frozen=True)
class Recurrent(Recurring):
    """A cell that goes through the times of a row.

    h_t = f(x_t, h_{t−1}), for t = 1 … T; backwards h_t = f(x_t, h_{t+1}), for T … 1

    Arguments:
        cell: f, such as `LSTM` or a `Cell` of one's own.
        reverse: go from the last time to the first.
        sequences: give the states of all times; else that after the last turn alone,
            which backwards is the first time.

    Returns:
        When applied to x of shape (rows, times, features), an array (rows, times,
        units), or (rows, units) of the last turn. Its parameters are the cell's.

    Raises:
        ArgumentError: cell isn't a cell.
        ShapeError: x has no times, or a step gives a state of another shape.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> last = tw.Recurrent(tw.LSTM(3), reverse=True, sequences=False)
        >>> tw.Network([last]).initialize((5, 2)).predict(np.ones((4, 5, 2))).shape
        (4, 3)

    Source: Elman, "Finding structure in time", 1990.
    """

    cell: Cell
    reverse: bool = False
    sequences: bool = True

    def __post_init__(self) -> None:
        require_instance("cell", self.cell, Cell, "a cell, such as LSTM(8)")

    @property
    def own_cell(self) -> Cell:
        """The cell."""
        return self.cell

    def with_cell(self, cell: Cell) -> Recurrent:
        """The same with another cell."""
        return replace(self, cell=cell)

    def in_direction(self) -> Recurrent:
        """Itself."""
        return self

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Those of the cell."""
        return self.cell.parameters(input_shape)

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The first state after each time, or after the last turn."""
        states = states_of(self.cell, x, p, self.reverse)[0]
        if self.sequences:
            return states
        return states[:, 0 if self.reverse else -1]


@dataclass(frozen=True)
class Bidirectional(Recurring):
    """Two cells of one kind, one from the first time on, one from the last.

    y_t = h_t, k_t side by side, with h_t = f(x_t, h_{t−1}; θ), k_t = f(x_t, k_{t+1}; η)

    What it gives at a time depends on the whole row.

    Arguments:
        layer: a cell, or a `Recurrent` layer that goes forwards.

    Returns:
        When applied to x of shape (rows, times, features), an array (rows, times,
        2·units); where the layer gives the last state alone, (rows, 2·units), each
        direction's last. Parameters are named ``forward.weights``,
        ``backward.weights`` and so on.

    Raises:
        ArgumentError: layer is neither, or goes backwards.

    Example:
        >>> import thalweg as tw
        >>> both = tw.Bidirectional(tw.RNN(3))
        >>> {name: p.shape[-1] for name, p in both.parameters((5, 2)).items()}
        ... # doctest: +NORMALIZE_WHITESPACE
        {'forward.weights': 3, 'forward.recurrent': 3, 'forward.bias': 3,
        'backward.weights': 3, 'backward.recurrent': 3, 'backward.bias': 3}

    Source: Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997.
    """

    layer: Cell | Recurrent

    def __post_init__(self) -> None:
        layer: Any = self.layer
        fits = isinstance(layer, Cell | Recurrent) and not layer.in_direction().reverse
        require(fits, "layer", "a cell, or Recurrent(cell) without reverse", layer)

    @property
    def own_cell(self) -> Cell:
        """The cell of both."""
        return self.layer.own_cell

    def with_cell(self, cell: Cell) -> Bidirectional:
        """The same with another cell."""
        return replace(self, layer=self.layer.with_cell(cell))

    def in_direction(self) -> Recurrent:
        """The one that goes forwards."""
        return self.layer.in_direction()

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Those of the cell, for each direction."""
        own = self.own_cell.parameters(input_shape)
        return {
            place + name: parameter
            for place in ("forward.", "backward.")
            for name, parameter in own.items()
        }

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """Both directions' states."""
        ahead = self.in_direction()
        back = replace(ahead, reverse=True)
        results = [
            ahead.forward(x, Prefixed(p, "forward.")),
            back.forward(x, Prefixed(p, "backward.")),
        ]
        return ops.concatenate(results, axis=-1)

    def numbers_inside(self, input_shape: Shape, dtype: Dtype) -> int:
        """Those of both directions."""
        return 2 * super().numbers_inside(input_shape, dtype)

    def kept(self, input_shape: Shape, times: int) -> dict[str, Shape]:
        """One direction begins where the row ends."""
        raise needs_later_times("this goes from the last time to the first as well")


@dataclass(frozen=True)
class Last(Remembering):
    """What is at the last time that a row has.

    y = x_T

    A stream's last time is the newest.

    Returns:
        When applied to x of shape (rows, times, …), an array (rows, …).

    Raises:
        ShapeError: x has no times.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.Last().forward(np.array([[[1.0, 2.0], [3.0, 4.0]]]), None).tolist()
        [[3.0, 4.0]]

    Source: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural
    networks", 2014.
    """

    knows_lengths = True

    def lengths_behind(
        self, lengths: Lengths, input_shape: Shape, output_shape: Shape
    ) -> None:
        """There are no times."""

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x_T."""
        require_times(self, tuple(x.shape[1:]))
        lengths = lengths_of(p)
        if lengths is None:
            return x[:, -1]
        times = np.arange(x.shape[1], dtype=np.int32)
        last = ops.equal(times, ops.reshape(lengths - 1, (x.shape[0], 1)))
        return ops.sum(
            ops.where(
                ops.reshape(last, (*x.shape[:2], *(1 for _ in x.shape[2:]))), x, 0.0
            ),
            axis=1,
        )

    @property
    def has_times(self) -> bool:
        """No longer."""
        return False

    def kept(self, input_shape: Shape, times: int) -> dict[str, Shape]:
        """Nothing."""
        return {}

    def at_time(
        self, x: ops.Array, kept: Kept, p: Namespace, moment: Moment
    ) -> tuple[ops.Array, Kept]:
        """The newest."""
        return x[:, -1], {}


# The textbook's cells -----------------------------------------------------------------


@dataclass(frozen=True)
class RNN(Cell):
    """A cell that sees what comes in, and what it gave before.

    h_t = φ(x_t W + h_{t−1} U + b)

    Arguments:
        units: how many numbers h has.
        activation: φ, a name or any function of an array.

    Returns:
        When applied to x of shape (rows, times, features), h after each time, (rows,
        times, units). W starts as `Dense` has it, U orthogonal, b at zero.

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.
        ShapeError: x has no times.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np, thalweg as tw
        >>> one = np.ones((1, 1))
        >>> p = SimpleNamespace(weights=one, recurrent=one, bias=np.zeros(1))
        >>> tw.RNN(1, "identity").forward(np.ones((1, 4, 1)), p)[0, :, 0].tolist()
        [1.0, 2.0, 3.0, 4.0]

    Source: Elman, "Finding structure in time", 1990.
    """

    units: int
    activation: str | Activation = "tanh"

    def __post_init__(self) -> None:
        require_whole("units", self.units, least=1)
        activation(self.activation)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """W (features, units), U (units, units), and b (units,)."""
        chosen = initializer_for(self.activation)
        return of_gates(input_shape[-1], self.units, 1, chosen)

    def step(self, x: ops.Array, state: State, p: Namespace) -> State:
        """φ(x W + h U + b)."""
        h = state
        return activation(self.activation)(x @ p.weights + p.bias + h @ p.recurrent)


@dataclass(frozen=True)
class LSTM(Cell):
    """A cell with long short-term memory: gates say what it keeps, takes and shows.

    i_t = σ(x_t Wᵢ + h_{t−1} Uᵢ + bᵢ)
    f_t = σ(x_t W_f + h_{t−1} U_f + b_f)
    g_t = tanh(x_t W_g + h_{t−1} U_g + b_g)
    o_t = σ(x_t W_o + h_{t−1} U_o + b_o)
    c_t = f_t c_{t−1} + i_t g_t
    h_t = o_t tanh(c_t)

    Arguments:
        units: how many numbers h and c have.

    Returns:
        When applied to x of shape (rows, times, features), h after each time, (rows,
        times, units). W, U and b hold the gates i, f, g, o side by side, as those of
        PyTorch and Keras do. Each gate's W starts by Glorot's rule, its U orthogonal;
        b at zero, but b_f at 1, so that it keeps at first.

    Raises:
        ArgumentError: units isn't a whole number of 1 or more.
        ShapeError: x has no times.

    Example:
        >>> import thalweg as tw
        >>> for name, parameter in tw.LSTM(3).parameters((5, 2)).items():
        ...     print(name, parameter.shape)
        weights (2, 12)
        recurrent (3, 12)
        bias (12,)

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; the gate f:
    Gers, Schmidhuber and Cummins, "Learning to forget", 2000; its bias: Jozefowicz,
    Zaremba and Sutskever, "An empirical exploration of recurrent network
    architectures", 2015.
    """

    units: int

    def __post_init__(self) -> None:
        require_whole("units", self.units, least=1)

    def states(self, input_shape: Shape) -> dict[str, Shape]:
        """h, and the memory c."""
        return {"h": (self.units,), "c": (self.units,)}

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """W (features, 4·units), U (units, 4·units), and b (4·units,)."""
        own = of_gates(input_shape[-1], self.units, 4, glorot_uniform)
        return {**own, "bias": Parameter((4 * self.units,), keeping)}

    def step(self, x: ops.Array, state: State, p: Namespace) -> State:
        """o tanh(c), and c."""
        h, c = state
        i, f, g, o = split(x @ p.weights + p.bias + h @ p.recurrent, 4)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c


@dataclass(frozen=True)
class GRU(Cell):
    """A gated recurrent unit: what it gives is its memory.

    r_t = σ(x_t W_r + h_{t−1} U_r + b_r)
    z_t = σ(x_t W_z + h_{t−1} U_z + b_z)
    n_t = tanh(x_t W_n + b_n + r_t (h_{t−1} U_n + d))
    h_t = (1 − z_t) n_t + z_t h_{t−1}

    The gate r acts behind the product with U_n, and z is the part that is kept: what
    PyTorch computes, and Keras with ``reset_after=True``. In the paper r acts on h
    before the product.

    Arguments:
        units: how many numbers h has.

    Returns:
        When applied to x of shape (rows, times, features), h after each time, (rows,
        times, units). W, U and b hold r, z, n side by side, as PyTorch's do; Keras has
        z first. d is ``recurrent_bias``. Each gate's W starts by Glorot's rule, its U
        orthogonal, b and d at zero.

    Raises:
        ArgumentError: units isn't a whole number of 1 or more.
        ShapeError: x has no times.

    Example:
        >>> import thalweg as tw
        >>> for name, parameter in tw.GRU(3).parameters((5, 2)).items():
        ...     print(name, parameter.shape)
        weights (2, 9)
        recurrent (3, 9)
        bias (9,)
        recurrent_bias (3,)

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", 2014.
    """

    units: int

    def __post_init__(self) -> None:
        require_whole("units", self.units, least=1)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """W (features, 3·units), U (units, 3·units), b (3·units,), and d (units,)."""
        own = of_gates(input_shape[-1], self.units, 3, glorot_uniform)
        return {**own, "recurrent_bias": Parameter((self.units,), zeros)}

    def step(self, x: ops.Array, state: State, p: Namespace) -> State:
        """(1 − z) n + z h."""
        h = state
        x_r, x_z, x_n = split(x @ p.weights + p.bias, 3)
        h_r, h_z, h_n = split(h @ p.recurrent, 3)
        r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
        n = tanh(x_n + r * (h_n + p.recurrent_bias))
        return (1 - z) * n + z * h


# First values -------------------------------------------------------------------------


def of_gates(
    features: int, units: int, gates: int, chosen: Initializer
) -> dict[str, Parameter]:
    """W, U and b of so many gates side by side; U starts orthogonal, b at zero."""
    shapes = (features, gates * units), (units, gates * units)
    weights, recurrent = (
        Parameter(shape, for_each(rule, gates), penalized=True)
        for shape, rule in zip(shapes, (chosen, orthogonal), strict=True)
    )
    bias = Parameter((gates * units,), zeros)
    return {"weights": weights, "recurrent": recurrent, "bias": bias}


def for_each(chosen: Initializer, gates: int) -> Initializer:
    """Draws each gate's part by itself, as if it were all."""

    def drawn(shape: Shape, fan_in: int, fan_out: int, generator: Generator) -> Values:
        own = (*shape[:-1], shape[-1] // gates)
        parts = [chosen(own, fan_in, fan_out // gates, generator) for _ in range(gates)]
        return np.concatenate(parts, axis=-1)

    return chosen if gates == 1 else Initializer(f"{chosen.name} of gates", drawn)


def keep_at_first(
    shape: Shape, fan_in: int, fan_out: int, generator: Generator
) -> Values:
    """Zeros, but ones for the second of four gates, which says what is kept."""
    return np.repeat([0.0, 1.0, 0.0, 0.0], math.prod(shape) // 4)


keeping = Initializer("keeping", keep_at_first)
