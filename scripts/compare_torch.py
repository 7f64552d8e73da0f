"""Layers over windows and times, against PyTorch: random ones, the same numbers.

    python scripts/compare_torch.py                    300 cases
    python scripts/compare_torch.py --cases 1000 --seed 7

A case is a layer with a random size, stride, dilation, groups and padding, on rows of
one to three axes; or a cell of random units in a random direction over random times.
What is compared, all scaled by the largest number of an array:

    value, gradients   of x and the parameters in float64, the interpreter's
    engine             gradients of a network with the layer in it, by the engine, from
                       a step of plain gradient descent in float64 and in float32
    steps              weights after 100 steps of Adam in float64, by the engine

Needs PyTorch, of the extra `benchmarks`. Exits with 1 if an error is too large.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everyone calls it

import thalweg as tw

SMALLEST = 1e-3  # scale of an array's error
LIMITS = {"float64": 1e-10, "float32": 1e-4}
ROWS, BATCH, EPOCHS = 6, 3, 50  # 100 steps
RATE = 0.003
WIDEST = {1: 11, 2: 8, 3: 5}

Windowed = tw.Conv | tw.ConvTranspose | tw.MaxPool | tw.MeanPool
Recurring = tw.Recurrent | tw.Bidirectional
Layer = Windowed | Recurring
Errors = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A layer, and the shape of the rows that it is given."""

    layer: Layer
    shape: tuple[int, ...]

    @property
    def kind(self) -> str:
        """Such as Conv, 2 axes, same; or GRU, backwards."""
        if isinstance(self.layer, Recurring):
            both = isinstance(self.layer, tw.Bidirectional)
            one = self.layer.in_direction()
            way = "both" if both else "backwards" if one.reverse else "forwards"
            last = "" if one.sequences else "last"
            return f"{type(one.cell).__name__} {way} {last}"
        padding = getattr(self.layer, "padding", "")
        parts = [type(self.layer).__name__, f"{len(self.shape) - 1}-D", padding]
        return " ".join(filter(None, parts))


# Drawing ------------------------------------------------------------------------------


def drawn(random: np.random.Generator) -> Case:
    """Any case."""
    rank = int(random.integers(1, 4))
    kinds = (convolution, convolution, transposed, pooling, recurrence, recurrence)
    return kinds[random.integers(len(kinds))](random, rank)


def several(random: np.random.Generator, rank: int, most: int) -> tuple[int, ...]:
    """A number for each axis."""
    return tuple(int(n) for n in random.integers(1, most + 1, rank))


def places(
    random: np.random.Generator, least: tuple[int, ...], rank: int
) -> tuple[int, ...]:
    """How long each axis is, at least so long."""
    found = random.integers(1, WIDEST[rank] + 1, rank)
    return tuple(max(int(n), k) for n, k in zip(found, least, strict=True))


def convolution(random: np.random.Generator, rank: int) -> Case:
    """Any padding, stride, dilation and groups."""
    size, dilation = several(random, rank, 4), several(random, rank, 3)
    paddings = ["valid", "same", "reflect", *(["causal"] if rank == 1 else [])]
    padding = str(random.choice(paddings))
    reach = tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))
    least = {"valid": reach, "reflect": tuple(n + 1 for n in reach)}
    groups = int(random.choice([1, 1, 2, 3]))
    channels, filters = (
        groups * several(random, 2, 3)[0],
        groups * several(random, 2, 3)[1],
    )
    layer = tw.Conv(filters, size, several(random, rank, 4), padding, dilation, groups)
    shape = places(random, least.get(padding, (1,) * rank), rank)
    return Case(layer, (*shape, channels))


def transposed(random: np.random.Generator, rank: int) -> Case:
    """Any stride; with padding same, windows as large as the stride at least."""
    size, stride = several(random, rank, 4), several(random, rank, 4)
    padding = str(random.choice(["valid", "same"]))
    if padding == "same":
        size = tuple(map(max, size, stride))
    layer = tw.ConvTranspose(several(random, 1, 3)[0], size, stride, padding)
    shape = places(random, (1,) * rank, rank)
    return Case(layer, (*(min(n, 5) for n in shape), several(random, 1, 3)[0]))


def pooling(random: np.random.Generator, rank: int) -> Case:
    """Largest or mean, windows side by side or not."""
    size = several(random, rank, 4)
    stride = None if random.random() < 0.4 else several(random, rank, 4)
    padding = str(random.choice(["valid", "same"]))
    layer = (tw.MaxPool, tw.MeanPool)[random.integers(2)](size, stride, padding)
    least = size if padding == "valid" else (1,) * rank
    return Case(layer, (*places(random, least, rank), several(random, 1, 3)[0]))


def recurrence(random: np.random.Generator, rank: int) -> Case:
    """Any cell, in any direction; all times or the last."""
    (units,) = several(random, 1, 6)
    cells = (tw.RNN(units), tw.RNN(units, "relu"), tw.LSTM(units), tw.GRU(units))
    cell, sequences = cells[random.integers(len(cells))], random.random() < 0.7
    layer: Layer = tw.Recurrent(cell, random.random() < 0.5, sequences)
    if random.random() < 0.4:
        layer = tw.Bidirectional(tw.Recurrent(cell, sequences=sequences))
    return Case(layer, (*several(random, 1, 11), *several(random, 1, 4)))


# PyTorch's side -----------------------------------------------------------------------

CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACKWARDS: dict[int, Any] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}
LARGEST: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
MEANS: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def theirs(layer: Layer, x: torch.Tensor, *pair: torch.Tensor) -> torch.Tensor:
    """The layer by PyTorch, on rows and weights as thalweg has them."""
    if isinstance(layer, Recurring):
        return over_times(layer, x, *pair)
    x = x.movedim(-1, 1)
    if isinstance(layer, tw.Conv):
        y = convolved(layer, x, *pair)
    elif isinstance(layer, tw.ConvTranspose):
        y = spread(layer, x, *pair)
    else:
        y = pooled(layer, x)
    return y.movedim(1, -1)


def convolved(
    layer: tw.Conv, x: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """A convolution after the padding, which PyTorch has for stride 1 alone."""
    rank = x.ndim - 2
    lengths = zip(x.shape[2:], layer.size, layer.stride, layer.dilation, strict=True)
    around = around_all(lengths, layer.padding)
    if any(around):
        mode = "reflect" if layer.padding == "reflect" else "constant"
        x = F.pad(x, around, mode)
    return CONVOLUTIONS[rank](
        x,
        weights.movedim(-1, 0).movedim(-1, 1).contiguous(),
        bias,
        stride=layer.stride,
        dilation=layer.dilation,
        groups=layer.groups,
    )


def pooled(layer: tw.MaxPool | tw.MeanPool, x: torch.Tensor) -> torch.Tensor:
    """A pooling of what exists: nothing is as small as −∞, and a mean counts."""
    rank, strides = x.ndim - 2, layer.stride or layer.size
    ones = (1,) * rank
    lengths = zip(x.shape[2:], layer.size, strides, ones, strict=True)
    around = around_all(lengths, layer.padding)
    if isinstance(layer, tw.MaxPool):
        wide = F.pad(x, around, value=-torch.inf)
        return LARGEST[rank](wide, layer.size, strides)
    there = MEANS[rank](F.pad(torch.ones_like(x), around), layer.size, strides)
    return MEANS[rank](F.pad(x, around), layer.size, strides) / there


def over_times(layer: Recurring, x: torch.Tensor, *own: torch.Tensor) -> torch.Tensor:
    """A cell in its direction, or in both."""
    one = layer.in_direction()
    count = len(own) // (2 if isinstance(layer, tw.Bidirectional) else 1)
    found: list[torch.Tensor] = []
    for start in range(0, len(own), count):
        back = one.reverse or start > 0
        y = through(one.cell, x.flip(1) if back else x, *own[start : start + count])
        every = y.flip(1) if back else y
        found.append(every if one.sequences else y[:, -1])
    return torch.cat(found, -1)


def through(cell: tw.Cell, x: torch.Tensor, *own: torch.Tensor) -> torch.Tensor:
    """A cell's first state after each time; of two biases the second is 0 or d."""
    weights, recurrent, bias, *d = own
    second = torch.zeros_like(bias)
    if d:
        second = torch.cat([second[: -len(d[0])], d[0]])
    parameters = [weights.T, recurrent.T, bias, second]
    rest = (parameters, True, 1, 0.0, False, False, True)
    start = x.new_zeros(1, len(x), cell.units)
    if isinstance(cell, tw.LSTM):
        return torch.lstm(x, (start, start), *rest)[0]
    if isinstance(cell, tw.GRU):
        return torch.gru(x, start, *rest)[0]
    assert isinstance(cell, tw.RNN)
    return {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[cell.activation](
        x, start, *rest
    )[0]


def around_all(lengths: Iterable[tuple[int, int, int, int]], padding: str) -> list[int]:
    """What `F.pad` takes, the last axis first."""
    each = [around_of(*axis, padding) for axis in lengths]
    return [amount for pair in reversed(each) for amount in pair]


def around_of(n: int, k: int, s: int, d: int, padding: str) -> tuple[int, int]:
    """How many places before and behind n, as TensorFlow has them for ``same``."""
    reach = (k - 1) * d
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach, 0
    total = max(reach + 1 - s, 0) if n % s == 0 else max(reach + 1 - n % s, 0)
    return total // 2, total - total // 2


def spread(
    layer: tw.ConvTranspose, x: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """A transposed convolution; with ``same``, the places in the middle."""
    rank = x.ndim - 2
    y = BACKWARDS[rank](x, weights.movedim(-1, 1), bias, stride=layer.stride)
    if layer.padding == "same":
        for axis in range(rank):
            size, stride = layer.size[axis], layer.stride[axis]
            y = y.narrow(axis + 2, (size - stride) // 2, x.shape[axis + 2] * stride)
    return y


# Comparing ----------------------------------------------------------------------------


def errors(case: Case, random: np.random.Generator) -> Errors:
    """All of a case."""
    declared = case.layer.parameters(case.shape)
    x = random.normal(size=(ROWS, *case.shape))
    parameters = {n: random.normal(size=p.shape) for n, p in declared.items()}
    return {
        **of_formula(case.layer, x, parameters, random),
        **of_engine(case, x, parameters, random),
    }


def of_formula(
    layer: Layer,
    x: np.ndarray,
    parameters: dict[str, np.ndarray],
    random: np.random.Generator,
) -> Errors:
    """Value and gradients in float64, by the interpreter."""
    arrays = [x, *parameters.values()]

    def applied(*at: Any) -> Any:
        own = dict(zip(parameters, at[1:], strict=True))
        return layer.forward(at[0], SimpleNamespace(**own))

    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = theirs(layer, *tensors)
    weigh = random.normal(size=tuple(value.shape))
    (value * torch.tensor(weigh)).sum().backward()
    found = {"value": error(applied(*arrays), value)}
    for number, tensor in enumerate(tensors):
        slope = tw.gradient(lambda *at: tw.sum(applied(*at) * weigh), argument=number)
        name = "gradient of parameters" if number else "gradient of x"
        found[name] = max(error(slope(*arrays), tensor.grad), found.get(name, 0.0))
    return found


def of_engine(
    case: Case,
    x: np.ndarray,
    parameters: dict[str, np.ndarray],
    random: np.random.Generator,
) -> Errors:
    """A network of a convolution, the layer, and a dense one; by the engine.

    The convolution in front of it learns from the layer's gradient by its input.
    """
    layers = [tw.Conv(case.shape[-1], 1), case.layer, tw.Flatten(), tw.Dense(1)]
    drawn = tw.Network(layers).initialize(case.shape, dtype="float64").parameters
    between = {f"2.{name}": array for name, array in parameters.items()}
    start = {
        name: between.get(name, random.normal(size=array.shape) / np.sqrt(len(array)))
        for name, array in drawn.items()
    }
    # What float32 holds, so that a step from there is a gradient.
    start = {name: array.astype("f4").astype("f8") for name, array in start.items()}
    y = random.normal(size=ROWS)
    found: Errors = {}
    beside = their_gradients(case.layer, start, x, y)
    for dtype in ("float64", "float32"):
        once = partial(trained, layers, start, x, y, dtype)
        slope = {n: start[n] - a for n, a in once(tw.SGD(1.0), 1, ROWS).items()}
        found[f"engine, {dtype}"] = max(error(slope[n], beside[n]) for n in start)
    ours = trained(layers, start, x, y, "float64", tw.Adam(RATE), EPOCHS, BATCH)
    beside = their_steps(case.layer, start, x, y)
    found["100 steps"] = max(error(ours[name], beside[name]) for name in start)
    return found


def trained(
    layers: Any,
    start: dict[str, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    dtype: str,
    rule: tw.Optimizer,
    epochs: int,
    batch: int,
) -> dict[str, np.ndarray]:
    """What the engine's network has learned."""
    network = tw.Network(layers).initialize(x.shape[1:], dtype=dtype)
    network.set_parameters(start)
    network.fit(
        x,
        y,
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


def their_loss(
    layer: Layer, at: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """The mean squared error of the network."""
    first = at["1.weights"].reshape(at["1.weights"].shape[-2:])
    x = x @ first + at["1.bias"]
    own = [tensor for name, tensor in at.items() if name.startswith("2.")]
    z = theirs(layer, x, *own).flatten(1)
    return F.mse_loss((z @ at["4.weights"] + at["4.bias"])[:, 0], y)


def their_gradients(
    layer: Layer, start: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray
) -> dict[str, torch.Tensor]:
    """Of all weights, by PyTorch in float64."""
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    their_loss(layer, at, torch.tensor(x), torch.tensor(y)).backward()
    return {name: tensor.grad for name, tensor in at.items() if tensor.grad is not None}


def their_steps(
    layer: Layer, start: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray
) -> dict[str, torch.Tensor]:
    """All weights after 100 steps of PyTorch's Adam in float64."""
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(at.values(), lr=RATE)
    rows, targets = torch.tensor(x).split(BATCH), torch.tensor(y).split(BATCH)
    for _ in range(EPOCHS):
        for some, their_targets in zip(rows, targets, strict=True):
            optimizer.zero_grad()
            their_loss(layer, at, some, their_targets).backward()
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
    head = f"{'worst errors':30}" + "".join(f"{name:>24}" for name in columns)
    rows = [
        f"{kind:30}" + "".join(f"{cell(found, name):>24}" for name in columns)
        for kind, found in sorted(worst.items())
    ]
    return "\n".join([head, *rows])


def cell(found: Errors, name: str) -> str:
    """An error, where there is one."""
    return f"{found[name]:.0e}" if name in found else ""


if __name__ == "__main__":
    main()
