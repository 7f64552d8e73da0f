"""The layers of thalweg by PyTorch, on rows and parameters as thalweg has them.

Where rows have lengths of their own, recurrence goes over packed sequences, attention
has a mask of keys, and what looks at windows or all times is given each row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812 - as everyone calls it
from random_layers import Layer, Recurring, Windowed, reach_of
from torch.nn.utils import rnn

import thalweg as tw

Tensors = dict[str, torch.Tensor]
Lengths: TypeAlias = Sequence[int] | None
Formula = Callable[[Any, torch.Tensor, Tensors, Lengths], torch.Tensor]


def theirs(
    layer: Layer, x: torch.Tensor, p: Tensors, lengths: Lengths = None
) -> torch.Tensor:
    """What a layer gives; zeros, or anything, at times of padding."""
    return FORMULAS[type(layer)](layer, x, p, lengths)


def lengths_behind(layer: Layer, lengths: Lengths) -> Lengths:
    """How many times each row has behind a layer; None where there are no times."""
    is_over = isinstance(layer, tw.GlobalMean | tw.GlobalMax | tw.Last)
    if is_over or (isinstance(layer, Recurring) and not layer.has_times):
        return None
    if lengths is None or not isinstance(layer, Windowed):
        return lengths
    missing = reach_of(layer) - 1 if layer.padding == "valid" else 0
    (stride,) = getattr(layer, "stride", None) or layer.size
    return [(n - missing - 1) // stride + 1 for n in lengths]


def each_row(
    formula: Callable[[Any, torch.Tensor, Tensors], torch.Tensor],
) -> Formula:
    """The formula of each row alone, as long as it is."""

    def applied(
        layer: Any, x: torch.Tensor, p: Tensors, lengths: Lengths
    ) -> torch.Tensor:
        if lengths is None:
            return formula(layer, x, p)
        pairs = zip(x, lengths, strict=True)
        rows = [formula(layer, one[None, :n], p)[0] for one, n in pairs]
        found = rnn.pad_sequence(rows, batch_first=True)
        times = lengths_behind(layer, [x.shape[1]])
        return F.pad(found, (0, 0, 0, times[0] - found.shape[1])) if times else found

    return applied


# Windows ------------------------------------------------------------------------------

CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACKWARDS: dict[int, Any] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}
LARGEST: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
MEANS: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@each_row
def windowed(layer: Windowed, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """A convolution or a pool, with channels first as PyTorch has them."""
    x = x.movedim(-1, 1)
    if isinstance(layer, tw.Conv):
        y = convolved(layer, x, p["weights"], p["bias"])
    elif isinstance(layer, tw.ConvTranspose):
        y = spread(layer, x, p["weights"], p["bias"])
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


@each_row
def overall(layer: Any, x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """Of all places, or of times the last."""
    if isinstance(layer, tw.Last):
        return x[:, -1]
    places = tuple(range(1, x.ndim - 1))
    return x.mean(places) if isinstance(layer, tw.GlobalMean) else x.amax(places)


# Recurrence ---------------------------------------------------------------------------


def over_times(
    layer: Recurring, x: torch.Tensor, p: Tensors, lengths: Lengths
) -> torch.Tensor:
    """A cell in its direction, or in both, over packed sequences.

    Backwards alone is what both directions give, without the first.
    """
    one = layer.in_direction()
    both = isinstance(layer, tw.Bidirectional)
    places = ["forward.", "backward."] if both else [""] * (2 if one.reverse else 1)
    own = [weights for place in places for weights in of_cell(one.cell, p, place)]
    every, last = packed(one.cell, x, own, lengths)
    if one.reverse:
        every, last = every[..., one.cell.units :], last[1:]
    return every if one.sequences else last.transpose(0, 1).flatten(1)


def of_cell(cell: Any, p: Tensors, place: str) -> list[torch.Tensor]:
    """PyTorch's four arrays; of its two biases the second is 0, or d at its end."""
    weights, recurrent, bias = (
        p[place + name] for name in ("weights", "recurrent", "bias")
    )
    second = torch.zeros_like(bias)
    if isinstance(cell, tw.GRU):
        second = torch.cat([second[: -cell.units], p[place + "recurrent_bias"]])
    return [weights.T, recurrent.T, bias, second]


def packed(
    cell: Any, x: torch.Tensor, own: list[torch.Tensor], lengths: Lengths
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first states of all times, (rows, times, …), and the last of each way."""
    rows, times, _ = x.shape
    known = torch.tensor(lengths or [times] * rows)
    given = rnn.pack_padded_sequence(x, known, batch_first=True, enforce_sorted=False)
    ways = len(own) // 4
    zeros = x.new_zeros(ways, rows, cell.units)
    start = (zeros, zeros) if isinstance(cell, tw.LSTM) else zeros
    rest = (own, True, 1, 0.0, False, ways == 2)
    data, last, *_ = kernel(cell)(given.data, given.batch_sizes, start, *rest)
    found = given._replace(data=data)
    every, _ = rnn.pad_packed_sequence(found, batch_first=True, total_length=times)
    assert given.unsorted_indices is not None
    return every, last[:, given.unsorted_indices]


def kernel(cell: Any) -> Any:
    """PyTorch's function for a cell."""
    if isinstance(cell, tw.RNN):
        return {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[str(cell.activation)]
    return torch.lstm if isinstance(cell, tw.LSTM) else torch.gru


# Attention ----------------------------------------------------------------------------


def root_mean_square(
    layer: tw.RMSNorm, x: torch.Tensor, p: Tensors, lengths: Lengths
) -> torch.Tensor:
    """PyTorch's own."""
    return F.rms_norm(x, x.shape[-1:], p["scale"], layer.epsilon)


def positions(
    layer: tw.Positions, x: torch.Tensor, p: Tensors, lengths: Lengths
) -> torch.Tensor:
    """A table, or what the paper prints, number by number."""
    if layer.kind == "learned":
        return x + p["table"]
    table = torch.empty(x.shape[1:], dtype=x.dtype)
    for t in range(x.shape[1]):
        for j in range(x.shape[2]):
            angle = torch.tensor(t / 10000 ** (j // 2 * 2 / x.shape[2]), dtype=x.dtype)
            table[t, j] = torch.cos(angle) if j % 2 else torch.sin(angle)
    return x + table


def attention(
    layer: tw.Attention, x: torch.Tensor, p: Tensors, lengths: Lengths
) -> torch.Tensor:
    """Heads side by side, and PyTorch's attention in each."""

    def projected(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, p[f"{name}_weights"].T, p.get(f"{name}_bias"))

    parts = [
        projected(x, name).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
        for name in ("query", "key", "value")
    ]
    if layer.positions:
        parts = [*map(turned, parts[:2]), parts[2]]
    seen = mask_of(layer, x, lengths)
    y = F.scaled_dot_product_attention(*parts, attn_mask=seen)
    return projected(y.transpose(1, 2).flatten(-2), "output")


def mask_of(layer: tw.Attention, x: torch.Tensor, lengths: Lengths) -> torch.Tensor:
    """Which times each time sees: those that its row has, and none to come."""
    rows, times, _ = x.shape
    known = torch.tensor(lengths or [times] * rows)
    keys = (torch.arange(times) < known[:, None])[:, None, None, :]
    before = torch.ones(times, times, dtype=torch.bool)
    return keys & (before.tril() if layer.causal else before)


def turned(x: torch.Tensor) -> torch.Tensor:
    """Rotary positions, as a product of complex numbers."""
    times, size = x.shape[-2:]
    speeds = 10000 ** (-torch.arange(0, size, 2, dtype=x.dtype) / size)
    angle = torch.outer(torch.arange(times, dtype=x.dtype), speeds)
    points = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    turns = torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(points * turns).flatten(-2)


def feed_forward(
    layer: tw.FeedForward, x: torch.Tensor, p: Tensors, lengths: Lengths
) -> torch.Tensor:
    """Two linear layers, gelu between."""
    inner = F.gelu(F.linear(x, p["inner_weights"].T, p["inner_bias"]))
    return F.linear(inner, p["output_weights"].T, p["output_bias"])


def block(
    layer: tw.TransformerBlock, x: torch.Tensor, p: Tensors, lengths: Lengths
) -> torch.Tensor:
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
        x = x + theirs(each, z, behind(p, f"{number}.2."), lengths)
    return x


def behind(p: Tensors, prefix: str) -> Tensors:
    """The parameters whose names start so, without it."""
    return {n.removeprefix(prefix): t for n, t in p.items() if n.startswith(prefix)}


FORMULAS: dict[type, Formula] = {
    **dict.fromkeys((tw.Conv, tw.ConvTranspose, tw.MaxPool, tw.MeanPool), windowed),
    **dict.fromkeys((tw.GlobalMean, tw.GlobalMax, tw.Last), overall),
    **dict.fromkeys((tw.Recurrent, tw.Bidirectional), over_times),
    tw.RMSNorm: root_mean_square,
    tw.Positions: positions,
    tw.Attention: attention,
    tw.FeedForward: feed_forward,
    tw.TransformerBlock: block,
}
