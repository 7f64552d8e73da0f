"""Random layers over windows, times and places, and the rows that they are given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import thalweg as tw

ROWS = 6
WIDEST = {1: 11, 2: 8, 3: 5}

Windowed = tw.Conv | tw.ConvTranspose | tw.MaxPool | tw.MeanPool
Recurring = tw.Recurrent | tw.Bidirectional
Overall = tw.GlobalMean | tw.GlobalMax | tw.Last
Attending = (
    tw.RMSNorm | tw.Positions | tw.Attention | tw.FeedForward | tw.TransformerBlock
)
Layer = Windowed | Recurring | Overall | Attending


@dataclass(frozen=True)
class Case:
    """A layer, the shape of the rows that it is given, and how many times each has."""

    layer: Layer
    shape: tuple[int, ...]
    lengths: tuple[int, ...] | None = None

    @property
    def kind(self) -> str:
        """Such as Conv 2-D same; or GRU backwards lengths."""
        parts = [type(self.layer).__name__, *about(self.layer, len(self.shape) - 1)]
        return " ".join(filter(None, [*parts, "lengths" if self.lengths else ""]))


def about(layer: Layer, rank: int) -> list[str]:
    """What else there is to say of a layer."""
    if isinstance(layer, Recurring):
        one = layer.in_direction()
        way = "backwards" if one.reverse else ""
        return [type(one.cell).__name__, way, "" if one.sequences else "last"]
    if isinstance(layer, Attending):
        return ["causal" if getattr(layer, "causal", False) else ""]
    return [f"{rank}-D", getattr(layer, "padding", "")]


def drawn(random: np.random.Generator) -> Case:
    """Any case; half of those that may have lengths have some."""
    kinds = (
        *(convolution, convolution, transposed, pooling, overall),
        *(recurrence, recurrence, recurrence, attention, attention),
    )
    case = kinds[random.integers(len(kinds))](random, int(random.integers(1, 4)))
    least = fewest_times(case)
    if least is None or random.random() < 0.5:
        return case
    times = case.shape[0]
    lengths = random.integers(least, times + 1, ROWS)
    lengths[random.integers(ROWS)] = times
    return replace(case, lengths=tuple(lengths.tolist()))


def fewest_times(case: Case) -> int | None:
    """How many times a row has at least; None where all rows must have the same."""
    layer = case.layer
    if not isinstance(layer, Windowed):
        return 1 if len(case.shape) == 2 else None
    if len(case.shape) > 2 or isinstance(layer, tw.ConvTranspose):
        return None
    least = {"valid": reach_of(layer), "causal": 1}
    return least.get(layer.padding)


def reach_of(layer: Windowed) -> int:
    """How many times a window spans."""
    (dilation,) = getattr(layer, "dilation", (1,))
    return (layer.size[0] - 1) * dilation + 1


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


def overall(random: np.random.Generator, rank: int) -> Case:
    """Of all places, or of times the last."""
    shape = (*places(random, (1,) * rank, rank), several(random, 1, 3)[0])
    layers = (tw.GlobalMean(), tw.GlobalMax(), *([tw.Last()] if rank == 1 else []))
    return Case(layers[random.integers(len(layers))], shape)


def attention(random: np.random.Generator, rank: int) -> Case:
    """Attention, or what goes with it: any heads, sizes, masks and positions."""
    heads = int(random.integers(1, 5))
    size, units = several(random, 2, 5)
    positions = str(random.choice(["", "rotary"])) or None
    if positions:
        size *= 2
    causal, bias = (bool(n) for n in random.integers(0, 2, 2))
    times, features = int(random.choice([2, 3, 5, 9, 70])), heads * size
    layers: list[Layer] = [
        tw.RMSNorm(float(random.choice([1e-5, 0.1]))),
        tw.Positions(str(random.choice(["learned", "sine"]))),
        tw.Attention(heads, causal, features, positions, bias),
        tw.FeedForward(units),
        tw.TransformerBlock(
            heads,
            units,
            causal,
            str(random.choice(["layer", "rms"])),
            positions=positions,
        ),
    ]
    layer = layers[random.choice(len(layers), p=(0.1, 0.1, 0.4, 0.1, 0.3))]
    if isinstance(layer, tw.Attention):
        features = int(random.integers(1, 9))
    return Case(layer, (times, features))
