"""Layers over windows, times and places against PyTorch: random, the same numbers.

    python scripts/compare_torch.py                    300 cases
    python scripts/compare_torch.py --cases 1000 --seed 7

A case is a layer of random sizes on random rows (`random_layers.py`): convolutions and
pools over one to three axes; cells in any direction; attention and what goes with it.
Half of those over times have rows of random lengths, with numbers in their padding.
What is compared, all scaled by the largest number of an array:

    value, gradients   of x and the parameters in float64, the interpreter's
    engine             gradients of a network with the layer in it, by the engine, from
                       a step of plain gradient descent in float64 and in float32
    steps              weights after 100 steps of Adam in float64, by the engine

What PyTorch computes is in `torch_layers.py`. Needs PyTorch, of the extra
`benchmarks`. Exits with 1 if an error is too large.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from random_layers import ROWS, Case, drawn
from torch_layers import Lengths, Tensors, behind, lengths_behind, theirs

import thalweg as tw
from thalweg.formulas.lengths import within

SMALLEST = 1e-3  # scale of an array's error
LIMITS = {"float64": 1e-10, "float32": 1e-4}
BATCH, EPOCHS = 3, 50  # 100 steps
RATE = 0.003

Numbers = NDArray[np.float64]
Arrays = dict[str, Numbers]
Errors = dict[str, float]


def errors(case: Case, random: np.random.Generator) -> Errors:
    """All of a case."""
    x = random.normal(size=(ROWS, *case.shape))
    parameters = {
        name: random.normal(size=p.shape) / np.sqrt(p.fan_in)
        for name, p in case.layer.parameters(case.shape).items()
    }
    return {
        **of_formula(case, x, parameters, random),
        **of_engine(case, x, parameters, random),
    }


def is_there(shape: tuple[int, ...], lengths: Lengths) -> Numbers:
    """1 at the times that a row has, 0 behind them, for an array of some shape."""
    if lengths is None:
        return np.ones(shape)
    known = np.arange(shape[1]) < np.array(lengths)[:, None]
    column = known.reshape(*shape[:2], *(1 for _ in shape[2:]))
    return np.broadcast_to(column, shape).astype("float64")


# The interpreter ----------------------------------------------------------------------


def of_formula(
    case: Case, x: Numbers, parameters: Arrays, random: np.random.Generator
) -> Errors:
    """Value and gradients in float64, by the interpreter."""
    layer, arrays = case.layer, [x, *parameters.values()]
    known = None if case.lengths is None else np.array(case.lengths, np.int32)

    @tw.formula
    def applied(*at: Any) -> Any:
        own = SimpleNamespace(**dict(zip(parameters, at[1:], strict=True)))
        return layer.forward(at[0], within(own, known))

    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    named = dict(zip(parameters, tensors[1:], strict=True))
    value = theirs(layer, tensors[0], named, case.lengths)
    there = is_there(tuple(value.shape), lengths_behind(layer, case.lengths))
    weigh = random.normal(size=there.shape) * there
    (value * torch.tensor(weigh)).sum().backward()
    slopes = tw.gradient(
        lambda *at: tw.sum(applied(*at) * weigh), argument=tuple(range(len(arrays)))
    )(*arrays)
    of_x, *of_parameters = (
        error(slope, tensor.grad) for slope, tensor in zip(slopes, tensors, strict=True)
    )
    found = {
        "value": error(applied(*arrays) * there, value * torch.tensor(there)),
        "gradient of x": of_x,
    }
    if of_parameters:
        found["gradient of parameters"] = max(of_parameters)
    return found


# The engine ---------------------------------------------------------------------------


def of_engine(
    case: Case, x: Numbers, parameters: Arrays, random: np.random.Generator
) -> Errors:
    """A network of a dense layer, the layer, and a dense one; by the engine.

    The dense layer in front of it learns from the layer's gradient by its input.
    """
    each_time = case.lengths is not None
    layers = [
        tw.Dense(case.shape[-1]),
        case.layer,
        *([] if each_time else [tw.Flatten()]),
        tw.Dense(1),
    ]
    empty = tw.Network(layers).initialize(case.shape, dtype="float64")
    between = {f"2.{name}": array for name, array in parameters.items()}
    start = {
        name: between.get(name, random.normal(size=array.shape) / np.sqrt(len(array)))
        for name, array in empty.parameters.items()
    }
    # What float32 holds, so that a step from there is a gradient.
    start = {name: array.astype("f4").astype("f8") for name, array in start.items()}
    shape = empty.shapes.outputs[-1]
    y = random.normal(size=(ROWS, *(shape if each_time else ())))
    # Adding one vector to all keys changes nothing where none is turned: the gradient
    # of that bias is rounding alone, which Adam magnifies.
    in_vain = () if getattr(case.layer, "positions", None) else ("2.key_bias",)
    known = [name for name in start if name not in in_vain]
    found: Errors = {}
    beside = their_gradients(case, start, x, y)
    once = partial(trained, layers, start, x, y, case.lengths)
    for dtype in ("float64", "float32"):
        after = once(dtype, tw.SGD(1.0), 1, ROWS)
        slopes = {name: start[name] - array for name, array in after.items()}
        found[f"engine, {dtype}"] = max(error(slopes[n], beside[n]) for n in known)
    ours = once("float64", tw.Adam(RATE), EPOCHS, BATCH)
    beside = their_steps(case, start, x, y)
    found["100 steps"] = max(error(ours[name], beside[name]) for name in known)
    return found


def trained(
    layers: Any,
    start: Arrays,
    x: Numbers,
    y: Numbers,
    lengths: Lengths,
    dtype: Any,
    rule: tw.Optimizer,
    epochs: int,
    batch: int,
) -> Arrays:
    """What the engine's network has learned."""
    network = tw.Network(layers).initialize(x.shape[1:], dtype=dtype)
    network.set_parameters(start)
    network.fit(
        x,
        y,
        lengths=None if lengths is None else np.array(lengths),
        optimizer=rule,
        epochs=epochs,
        batch_size=batch,
        dtype=dtype,
        validation=None,
        early_stopping=None,
        shuffle=False,
        warm_start=True,
        engine="native",
    )
    return network.parameters


# PyTorch ------------------------------------------------------------------------------


def their_loss(
    case: Case, at: Tensors, x: torch.Tensor, y: torch.Tensor, lengths: Lengths
) -> torch.Tensor:
    """The mean squared error of the network, over all times that there are.

    A row weighs as much as it has times, beside what all rows have on average: so steps
    over a few of them add up to one over all.
    """
    x = x @ at["1.weights"] + at["1.bias"]
    z = theirs(case.layer, x, behind(at, "2."), lengths)
    if lengths is None:
        z = z.flatten(1)
    head = "4." if lengths is None else "3."
    found = (z @ at[head + "weights"] + at[head + "bias"]).reshape(y.shape)
    there = is_there(tuple(y.shape), lengths_behind(case.layer, lengths))
    every = is_there((ROWS, *y.shape[1:]), lengths_behind(case.layer, case.lengths))
    total = ((found - y) ** 2 * torch.tensor(there)).sum()
    return total / (every.sum() * len(y) / ROWS)


def their_gradients(case: Case, start: Arrays, x: Numbers, y: Numbers) -> Tensors:
    """Of all weights, by PyTorch in float64."""
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    their_loss(case, at, torch.tensor(x), torch.tensor(y), case.lengths).backward()
    return {name: tensor.grad for name, tensor in at.items() if tensor.grad is not None}


def their_steps(case: Case, start: Arrays, x: Numbers, y: Numbers) -> Tensors:
    """All weights after 100 steps of PyTorch's Adam in float64."""
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(at.values(), lr=RATE)
    inputs, targets = torch.tensor(x), torch.tensor(y)
    for _ in range(EPOCHS):
        for first in range(0, ROWS, BATCH):
            rows = slice(first, first + BATCH)
            lengths = None if case.lengths is None else case.lengths[rows]
            optimizer.zero_grad()
            their_loss(case, at, inputs[rows], targets[rows], lengths).backward()
            optimizer.step()
    return {name: tensor.detach() for name, tensor in at.items()}


def error(ours: Any, beside: torch.Tensor | None) -> float:
    """The largest difference, as a share of the largest number."""
    assert beside is not None
    expected = beside.detach().numpy()
    if expected.shape != np.shape(ours):
        return float("inf")
    scale = max(float(np.max(np.abs(expected), initial=0)), SMALLEST)
    return float(np.max(np.abs(ours - expected), initial=0)) / scale


# Telling ------------------------------------------------------------------------------


def main() -> None:
    """Compare, print the worst of each kind, and fail where one is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    worst: dict[str, Errors] = defaultdict(dict)
    wrong: list[str] = []
    for number in range(arguments.cases):
        random = np.random.default_rng([arguments.seed, number])
        case = drawn(random)
        for what, size in errors(case, random).items():
            worst[case.kind][what] = max(size, worst[case.kind].get(what, 0.0))
            if not size <= limit(what):
                wrong.append(f"case {number}, {what}: {size:.1e} for {case}")
    print(table(worst))
    print("\n".join(wrong) or f"{arguments.cases} cases agree")
    sys.exit(bool(wrong))


def limit(what: str) -> float:
    """How large an error may be."""
    return LIMITS["float32" if "float32" in what else "float64"]


def table(worst: dict[str, Errors]) -> str:
    """The worst error of each kind of case, in each way."""
    columns = [
        "value",
        "gradient of x",
        "gradient of parameters",
        "engine, float64",
        "engine, float32",
        "100 steps",
    ]
    head = f"{'worst errors':38}" + "".join(f"{name:>24}" for name in columns)
    rows = [
        f"{kind:38}" + "".join(f"{cell(found, name):>24}" for name in columns)
        for kind, found in sorted(worst.items())
    ]
    return "\n".join([head, *rows])


def cell(found: Errors, name: str) -> str:
    """An error, where there is one."""
    return f"{found[name]:.0e}" if name in found else ""


if __name__ == "__main__":
    main()
