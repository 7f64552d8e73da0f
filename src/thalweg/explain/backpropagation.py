"""Every number of backpropagation: sums, outputs, deltas and gradients of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeGuard, cast, get_args

import numpy as np

from thalweg.backends.engine.batch import Batch
from thalweg.errors import NotFittedError
from thalweg.explain.rows import parts
from thalweg.formulas.activations import activation
from thalweg.formulas.chain import label
from thalweg.formulas.convolution import Conv, ConvTranspose
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.perceptron import Perceptron
from thalweg.model.memory import parts_of
from thalweg.model.record import NetworkRecord
from thalweg.model.stack import predictions_of, values_by_layer
from thalweg.model.step import network_inputs, types_of, values_in
from thalweg.program import ops
from thalweg.program.compile import (
    backward_program,
    finish,
    make_safe,
    move_work,
    unpack,
)
from thalweg.program.ir import Program
from thalweg.program.trace import call, labeled, trace
from thalweg.program.types import ArrayType, NumpyArray
from thalweg.training.execution import Execution

OfSums: TypeAlias = Dense | Perceptron | Conv | ConvTranspose
"""Layers that give φ(z) of sums z."""

Arrays = dict[str, Any]

STEP = 1e-5  # of finite differences: their error is about its square


@dataclass(frozen=True)
class LayerNumbers:
    """What happens in a layer with an activation φ, row by row.

    Arguments:
        z: the sums before the activation, x W + b of a dense layer, shape (rows, …).
        a: φ(z), what the layer gives.
        delta: δ = ∂ℓ/∂z, how the row's own loss moves with each sum.
    """

    z: NumpyArray
    a: NumpyArray
    delta: NumpyArray


@dataclass(frozen=True)
class Backpropagation:
    """What backpropagation computes of rows.

    Arguments:
        losses: ℓ of each row, shape (rows,).
        layers: of every layer that has an activation, by its number, 1 for the first.
        gradients: ∂J/∂θ of every parameter by its name, where J is the mean of the
            losses: of a single row its own gradient.
        gradient: the same as one vector, in the order of the parameters.
    """

    losses: NumpyArray
    layers: Mapping[int, LayerNumbers]
    gradients: Mapping[str, NumpyArray]
    gradient: NumpyArray


def backpropagation(
    network: NetworkRecord, X: NumpyArray, y: NumpyArray
) -> Backpropagation:
    """All numbers that backpropagation computes of rows, by one compiled program.

    z = x W + b, a = φ(z); δ = ∂ℓ/∂z, ∂ℓ/∂W = xᵀ δ, ∂ℓ/∂b = δ, ∂ℓ/∂x = δ Wᵀ

    As in prediction: dropout is off, and no penalty is added.

    Arguments:
        network: fitted, so that it has a loss ℓ.
        X: rows in the network's shape and dtype.
        y: their targets, as training takes them.

    Returns:
        The numbers, in the network's dtype.

    Raises:
        NotFittedError: the network has no parameters or no loss yet.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> network = tw.Network([tw.Dense(1, "sigmoid")])
        >>> X, y = np.array([[1.0], [-1.0]]), np.array([1, 0])
        >>> history = network.fit(X, y, epochs=1, validation=None)
        >>> found = network.backpropagation(X[:1], y[:1])
        >>> bool(np.isclose(found.layers[1].delta, network.predict(X[:1]) - 1).all())
        True

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986; Nielsen, "Neural networks and deep learning", 2015,
    chapter 2.
    """
    loss = loss_of(network)
    row = ArrayType((1, *y.shape[1:]), cast(Any, y.dtype.name))

    def program(rows: int) -> Program:
        return backpropagation_program(network, loss, row, rows)

    key = ("backpropagation", network.layers, network.shapes.outputs[0], loss, row)
    found = [*parts(network, program, {"X": X, "y": y}, (*key, network.dtype))]

    def every(name: str) -> NumpyArray:
        return np.concatenate([part[name] for part in found])

    total = np.sum([part["gradient"] for part in found], axis=0)
    gradient = total / network.memory.parameters.dtype.type(len(X))
    return Backpropagation(
        every("losses"),
        {
            number: LayerNumbers(
                every(f"z.{number}"),
                every(f"a.{number}"),
                every(f"delta.{number}"),
            )
            for number in sums_in(network)
        },
        parts_of(gradient, network.shapes),
        gradient,
    )


def loss_of(network: NetworkRecord) -> Loss:
    """What the network was trained with.

    Raises:
        NotFittedError: it has none yet.
    """
    if network.loss is None:
        raise NotFittedError(
            "the network was never fitted, so it has no loss: call fit"
        )
    return network.loss


def backpropagation_program(
    network: NetworkRecord, loss: Loss, row: ArrayType, rows: int
) -> Program:
    """The losses of rows, every z and a, and Σ ℓ by every z and by all parameters.

    The gradient by z is that by an ε that is added to it, and is 0: a rewriting may go
    around a value, but not around an input.

    Arguments:
        network, loss: as above.
        row: the type of one target.
        rows: how many there are.
    """
    shapes, dtype = network.shapes, network.dtype
    leaves = types_of(shapes.parameters, dtype)
    epsilons = {
        f"epsilon.{number}": ArrayType((rows, *shapes.outputs[number]), dtype)
        for number in sums_in(network)
    }
    given = network_inputs(shapes, rows, dtype)
    given["y"] = ArrayType((rows, *row.shape[1:]), row.dtype)
    named = {**leaves, **{n: t for n, t in given.items() if n != "parameters"}}
    traced = trace(lambda a: forward(network, loss, a), {**named, **epsilons})
    safe = move_work(make_safe(traced))
    both = backward_program(safe, "total", [*leaves, *epsilons], {})

    def at_zero(arrays: Arrays) -> Arrays:
        zero = arrays["X"].trace.constant(np.zeros((), dtype))
        zeros = {n: ops.broadcast_to(zero, type.shape) for n, type in epsilons.items()}
        every = {**arrays, **unpack(arrays["parameters"], leaves), **zeros}
        found = call(both, {name: every[name] for name in both.inputs})
        flat = [ops.reshape(found.pop(f"gradient.{name}"), (-1,)) for name in leaves]
        for number in sums_in(network):
            found[f"delta.{number}"] = found.pop(f"gradient.epsilon.{number}")
        del found["total"]
        return {**found, "gradient": ops.concatenate(flat)}

    return finish(trace(at_zero, given))


def forward(network: NetworkRecord, loss: Loss, arrays: Arrays) -> Arrays:
    """The losses of rows and their sum, with every z and a, as in prediction.

    Arguments:
        network, loss: as above.
        arrays: X, y, parameters and state by their names, and what is added to each z.
    """
    found: Arrays = {}
    x, values = arrays["X"], values_by_layer(network.layers, arrays)
    for number, (layer, p) in enumerate(zip(network.layers, values, strict=True), 1):
        with labeled(label(number, layer)):
            if gives_activation_of_sums(layer):
                z = replace(layer, activation="identity").forward(x, p)
                found[f"z.{number}"] = z = z + arrays[f"epsilon.{number}"]
                found[f"a.{number}"] = x = activation(layer.activation)(z)
            else:
                x = layer.forward(x, p)
    losses = loss.per_row(x, arrays["y"])
    return {**found, "losses": losses, "total": ops.sum(losses)}


def sums_in(network: NetworkRecord) -> list[int]:
    """The numbers of the layers that give φ(z)."""
    every = enumerate(network.layers, 1)
    return [number for number, each in every if gives_activation_of_sums(each)]


def gives_activation_of_sums(layer: Layer) -> TypeGuard[OfSums]:
    """Whether a layer gives φ(z), and z without its activation."""
    return type(layer) in get_args(OfSums)  # one of a user's own may compute anything


def finite_differences(
    network: NetworkRecord, X: NumpyArray, y: NumpyArray, step: float = STEP
) -> NumpyArray:
    """The slope of the mean loss by every parameter, without any calculus.

    (J(θᵢ + h) − J(θᵢ − h)) / 2h, in float64

    Arguments:
        network: fitted, so that it has a loss.
        X, y: rows as `backpropagation` takes them.
        step: h.

    Returns:
        As many numbers as parameters, in their order. The network stays as it is.

    Raises:
        NotFittedError: the network has no parameters or no loss yet.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.backpropagation import finite_differences
        >>> X, y = np.array([[1.0, 2.0]]), np.array([[1.0]])
        >>> network = tw.Network([tw.Dense(1)])
        >>> history = network.fit(X, y, epochs=1, validation=None)
        >>> by_hand = finite_differences(network, X, y)
        >>> by_chain_rule = network.backpropagation(X, y).gradient
        >>> bool(np.allclose(by_hand, by_chain_rule, atol=1e-5))
        True

    Source: Burden and Faires, "Numerical analysis", 2010, chapter 4.
    """
    loss = loss_of(network)
    given = {"X": X.astype(np.float64), "y": in_float64(y)}
    row = ArrayType((1, *y.shape[1:]), cast(Any, given["y"].dtype.name))
    flat = network.memory.parameters.astype(np.float64)
    state = network.memory.state.items()
    memory = {"parameters": flat, **{n: array.astype(float) for n, array in state}}

    def program(rows: int) -> Program:
        return total_loss_program(network, loss, row, rows)

    key = ("loss in float64", network.layers, network.shapes.outputs[0], loss, row)
    execution = Execution(programs=network.own_programs)
    run = execution.forward(Batch(program, ["X", "y"]), memory, key).bound(given)

    def mean_loss() -> float:
        return float(run()["total"]) / len(X)

    slopes = np.empty_like(flat)
    for place, here in enumerate(flat.tolist()):
        flat[place] = here + step
        above = mean_loss()
        flat[place] = here - step
        slopes[place] = (above - mean_loss()) / (2 * step)
        flat[place] = here
    return slopes


def total_loss_program(
    network: NetworkRecord, loss: Loss, row: ArrayType, rows: int
) -> Program:
    """Σ ℓ of rows in float64, as in prediction."""
    shapes = network.shapes

    def total(arrays: Arrays) -> Arrays:
        values = values_in(arrays, shapes, "float64")
        predictions = predictions_of(network.layers, arrays["X"], values)
        return {"total": ops.sum(loss.per_row(predictions, arrays["y"]))}

    types = network_inputs(shapes, rows, "float64")
    types["y"] = ArrayType((rows, *row.shape[1:]), row.dtype)
    return finish(make_safe(trace(total, types)))


def in_float64(y: NumpyArray) -> NumpyArray:
    """Targets as a loss in float64 takes them; class numbers stay whole."""
    return y if y.dtype.kind == "i" else y.astype(np.float64)
