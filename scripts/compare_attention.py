"""Attention and what goes with it against PyTorch: random layers, the same numbers.

    python scripts/compare_attention.py                    100 cases
    python scripts/compare_attention.py --cases 1000 --seed 7

A case is a layer with random heads, sizes, masks and positions, on sequences of random
length. What is compared is what `compare_torch.py` compares: value and gradients in
float64 by the interpreter, gradients by the engine in float64 and float32, and 100
steps of Adam. Attention is PyTorch's own, `scaled_dot_product_attention`.

Needs PyTorch, of the extra `benchmarks`. Exits with 1 if an error is too large.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everyone calls it
from compare_torch import BATCH, EPOCHS, RATE, ROWS, error, limit, trained
from numpy.typing import NDArray

import thalweg as tw

Numbers = NDArray[np.float64]
Arrays = dict[str, Numbers]
Tensors = dict[str, torch.Tensor]
Errors = dict[str, float]
Layer = tw.RMSNorm | tw.Positions | tw.Attention | tw.FeedForward | tw.TransformerBlock
KINDS = (tw.RMSNorm, tw.Positions, tw.Attention, tw.FeedForward, tw.TransformerBlock)


# Drawing ------------------------------------------------------------------------------


def drawn(random: np.random.Generator) -> tuple[Layer, tuple[int, int]]:
    """A layer, and the times and features of the sequences that it is given."""
    heads = int(random.integers(1, 5))
    size, units = (int(n) for n in random.integers(1, 6, 2))
    positions = str(random.choice(["", "rotary"])) or None
    if positions:
        size *= 2
    causal, bias = (bool(n) for n in random.integers(0, 2, 2))
    times = int(random.choice([2, 3, 5, 9, 70]))
    kind = KINDS[random.choice(len(KINDS), p=(0.1, 0.1, 0.4, 0.1, 0.3))]
    if kind is tw.Attention:
        features = int(random.integers(1, 9))
        return tw.Attention(heads, causal, heads * size, positions, bias), (
            times,
            features,
        )
    features = heads * size
    if kind is tw.TransformerBlock:
        norm = str(random.choice(["layer", "rms"]))
        block = tw.TransformerBlock(heads, units, causal, norm, positions=positions)
        return block, (times, features)
    if kind is tw.FeedForward:
        return tw.FeedForward(units), (times, features)
    if kind is tw.Positions:
        return tw.Positions(str(random.choice(["learned", "sine"]))), (times, features)
    return tw.RMSNorm(float(random.choice([1e-5, 0.1]))), (times, features)


# PyTorch's side -----------------------------------------------------------------------


def theirs(layer: Any, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """The layer by PyTorch, on parameters as thalweg has them."""
    return FORMULAS[type(layer)](layer, x, p)


def root_mean_square(layer: tw.RMSNorm, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """PyTorch's own."""
    return F.rms_norm(x, x.shape[-1:], p["scale"], layer.epsilon)


def positions(layer: tw.Positions, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """A table, or what the paper prints, number by number."""
    if layer.kind == "learned":
        return x + p["table"]
    table = torch.empty(x.shape[1:], dtype=x.dtype)
    for t in range(x.shape[1]):
        for j in range(x.shape[2]):
            angle = torch.tensor(t / 10000 ** (j // 2 * 2 / x.shape[2]), dtype=x.dtype)
            table[t, j] = torch.cos(angle) if j % 2 else torch.sin(angle)
    return x + table


def attention(layer: tw.Attention, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """Heads side by side, and PyTorch's attention in each."""

    def projected(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, p[f"{name}_weights"].T, p.get(f"{name}_bias"))

    parts = [
        projected(x, name).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
        for name in ("query", "key", "value")
    ]
    if layer.positions:
        parts = [*map(turned, parts[:2]), parts[2]]
    y = F.scaled_dot_product_attention(*parts, is_causal=layer.causal)
    return projected(y.transpose(1, 2).flatten(-2), "output")


def turned(x: torch.Tensor) -> torch.Tensor:
    """Rotary positions, as a product of complex numbers."""
    times, size = x.shape[-2:]
    speeds = 10000 ** (-torch.arange(0, size, 2, dtype=x.dtype) / size)
    angle = torch.outer(torch.arange(times, dtype=x.dtype), speeds)
    points = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    turns = torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(points * turns).flatten(-2)


def feed_forward(layer: tw.FeedForward, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """Two linear layers, gelu between."""
    inner = F.gelu(F.linear(x, p["inner_weights"].T, p["inner_bias"]))
    return F.linear(inner, p["output_weights"].T, p["output_bias"])


def block(layer: tw.TransformerBlock, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """Norm, layer and sum, twice."""
    inside = (
        tw.Attention(layer.heads, layer.causal, positions=layer.positions),
        tw.FeedForward(layer.units),
    )
    for number, each in enumerate(inside, 1):
        scale, shift = p[f"{number}.1.scale"], p.get(f"{number}.1.shift")
        sizes = x.shape[-1:]
        z = (
            F.layer_norm(x, sizes, scale, shift)
            if layer.norm == "layer"
            else F.rms_norm(x, sizes, scale, 1e-5)
        )
        x = x + theirs(each, z, behind(p, f"{number}.2."))
    return x


def behind(p: Tensors, prefix: str) -> Tensors:
    """The parameters whose names start so, without it."""
    return {n.removeprefix(prefix): t for n, t in p.items() if n.startswith(prefix)}


FORMULAS: dict[type, Any] = {
    tw.RMSNorm: root_mean_square,
    tw.Positions: positions,
    tw.Attention: attention,
    tw.FeedForward: feed_forward,
    tw.TransformerBlock: block,
}


# Comparing ----------------------------------------------------------------------------


def errors(layer: Any, shape: tuple[int, int], random: np.random.Generator) -> Errors:
    """All of a case."""
    x = random.normal(size=(ROWS, *shape))
    parameters = {
        name: random.normal(size=p.shape) / np.sqrt(p.fan_in)
        for name, p in layer.parameters(shape).items()
    }
    return {
        **of_formula(layer, x, parameters, random),
        **of_engine(layer, x, parameters, random),
    }


def of_formula(
    layer: Any, x: Numbers, parameters: Arrays, random: np.random.Generator
) -> Errors:
    """Value and gradients in float64, by the interpreter."""

    @tw.formula
    def applied(x: Any, *values: Any) -> Any:
        named = dict(zip(parameters, values, strict=True))
        return layer.forward(x, SimpleNamespace(**named))

    arrays = [x, *parameters.values()]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = theirs(layer, tensors[0], dict(zip(parameters, tensors[1:], strict=True)))
    weigh = random.normal(size=tuple(value.shape))
    (value * torch.tensor(weigh)).sum().backward()
    slopes = tw.gradient(
        lambda *at: tw.sum(applied(*at) * weigh), argument=tuple(range(len(arrays)))
    )(*arrays)
    both = zip(slopes, tensors, strict=True)
    gradients = [error(slope, tensor.grad) for slope, tensor in both]
    return {"value": error(applied(*arrays), value), "gradients": max(gradients)}


def of_engine(
    layer: Any, x: Numbers, parameters: Arrays, random: np.random.Generator
) -> Errors:
    """A network of a dense layer, the layer, and a dense one; by the engine.

    The dense layer in front of it learns from the layer's gradient by its input.
    """
    features = x.shape[-1]
    layers = [tw.Dense(features), layer, tw.Flatten(), tw.Dense(1)]
    empty = tw.Network(layers).initialize(x.shape[1:], dtype="float64").parameters
    between = {f"2.{name}": array for name, array in parameters.items()}
    start = {
        name: between.get(name, random.normal(size=array.shape) / np.sqrt(len(array)))
        for name, array in empty.items()
    }
    # What float32 holds, so that a step from there is a gradient.
    start = {name: array.astype("f4").astype("f8") for name, array in start.items()}
    y = random.normal(size=ROWS)
    # Adding one vector to all keys changes nothing where none is turned: the gradient
    # of that bias is rounding alone, which Adam magnifies.
    in_vain = () if getattr(layer, "positions", None) else ("2.key_bias",)
    known = [name for name in start if name not in in_vain]
    found: Errors = {}
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    their_loss(layer, at, torch.tensor(x), torch.tensor(y)).backward()
    for dtype in ("float64", "float32"):
        once = trained(layers, start, x, y, dtype, tw.SGD(1.0), 1, ROWS)
        slopes = {name: start[name] - array for name, array in once.items()}
        found[f"engine, {dtype}"] = max(error(slopes[n], at[n].grad) for n in known)
    ours = trained(layers, start, x, y, "float64", tw.Adam(RATE), EPOCHS, BATCH)
    beside = their_steps(layer, start, x, y)
    found["100 steps"] = max(error(ours[name], beside[name]) for name in known)
    return found


def their_loss(
    layer: Any, at: Tensors, x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """The mean squared error of the network."""
    z = theirs(layer, x @ at["1.weights"] + at["1.bias"], behind(at, "2."))
    return F.mse_loss((z.flatten(1) @ at["4.weights"] + at["4.bias"])[:, 0], y)


def their_steps(layer: Any, start: Arrays, x: Numbers, y: Numbers) -> Tensors:
    """All weights after 100 steps of PyTorch's Adam in float64."""
    at = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(at.values(), lr=RATE)
    rows, targets = torch.tensor(x).split(BATCH), torch.tensor(y).split(BATCH)
    for _ in range(EPOCHS):
        for some, wanted in zip(rows, targets, strict=True):
            optimizer.zero_grad()
            their_loss(layer, at, some, wanted).backward()
            optimizer.step()
    return {name: tensor.detach() for name, tensor in at.items()}


# Telling ------------------------------------------------------------------------------


def main() -> None:
    """Compare, print the worst of each kind, and fail where one is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    worst: dict[str, Errors] = defaultdict(dict)
    wrong: list[str] = []
    for number in range(arguments.cases):
        random = np.random.default_rng([arguments.seed, number])
        layer, shape = drawn(random)
        kind = type(layer).__name__
        for what, size in errors(layer, shape, random).items():
            worst[kind][what] = max(size, worst[kind].get(what, 0.0))
            if not size <= limit(what):
                wrong.append(f"case {number}, {what}: {size:.1e} for {layer}, {shape}")
    for kind, found in sorted(worst.items()):
        print(f"{kind:18}", *(f"{what} {size:.0e}" for what, size in found.items()))
    print("\n".join(wrong) or f"{arguments.cases} cases agree")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
