"""Model files that ask for much, by a few sizes that a search can change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.files.columnar import pack
from thalweg.files.network_codec import as_written

Data = dict[str, Any]
Tensors = dict[str, Any]
Sizes = dict[str, int]

ROWS: Data = {"rows": [1, 0]}
MANY = 3  # inputs of a row where it doesn't matter


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Arguments:
        craft: its tensors and document, from sizes.
        first: sizes to begin with.
        bytes_of: roughly the file's size for sizes, before it is made.
    """

    craft: Callable[..., tuple[Tensors, Data]]
    first: Sizes
    bytes_of: Callable[[Sizes], float] = lambda sizes: 0.0


def network(
    layers: list[Data], tensors: Tensors, inputs: int = MANY, **others: Any
) -> tuple[Tensors, Data]:
    """A network of layers as a file describes them."""
    document: Data = {
        "kind": "network",
        "network": {"input_shape": [inputs], "dtype": "float32", "layers": layers},
        "loss": None,
        "optimizer": None,
        "penalty": None,
        "history": {
            "best_epoch": 0,
            "stopped_because": "",
            "settings": {},
            "columns": [],
        },
    }
    nothing = {"history": np.zeros((0, 0)), "times": np.zeros(0)}
    return as_written(document | others, nothing | tensors)


def number(*sizes: Any) -> list[Any]:
    """The type of an array in a program."""
    return ["float32", [*sizes]]


def traced(instructions: list[Any], **others: Any) -> Data:
    """A layer of these instructions, the last of which is what it gives."""
    parameters: Data = others.get("parameters", {})
    inputs = {"x": number(ROWS, others.get("inputs", MANY))}
    inputs |= {name: number(*each["shape"]) for name, each in parameters.items()}
    return {
        "type": "traced",
        "name": "mine",
        "parameters": parameters,
        "state": {},
        "prediction": {
            "opcodes": dict.fromkeys(sorted({each[0] for each in instructions}), 1),
            "inputs": inputs,
            "instructions": instructions,
            "outputs": {"y": len(inputs) + len(instructions) - 1},
        },
    }


# Programs -----------------------------------------------------------------------------


def chain(count: int, layers: int) -> tuple[Tensors, Data]:
    """Each instruction reads the one before."""
    each = [["tanh", [place], {}, number(ROWS, MANY)] for place in range(count + 1)]
    return network([traced(each)] * (layers + 1), {})


def diamonds(count: int, layers: int) -> tuple[Tensors, Data]:
    """Each instruction reads the one before twice: 2ⁿ ways lead to the first."""
    each = [["add", [n, n], {}, number(ROWS, MANY)] for n in range(count + 1)]
    return network([traced(each)] * (layers + 1), {})


def fan(count: int, width: int) -> tuple[Tensors, Data]:
    """Many wide values that are all there until the last ones read them."""
    wide = number(ROWS, width + 1)
    room = {"starts": [0, 0], "steps": [1, 1], "shape": [ROWS, width + 1]}
    steps: list[Any] = [["pad", [0], room, wide]]
    steps += [["sin", [place], {}, wide] for place in range(1, count + 2)]
    for place in range(count):
        left = 2 if place == 0 else len(steps)
        steps.append(["add", [left, 3 + place], {}, wide])
    steps.append(["sum", [len(steps)], {"axes": [1]}, number(ROWS, 1)])
    return network([traced(steps, inputs=1)], {}, inputs=1)


def given(width: int) -> tuple[Tensors, Data]:
    """A wide output."""
    wide = number(ROWS, width + 1)
    step = ["broadcast", [0], {"shape": [ROWS, width + 1]}, wide]
    return network([traced([step], inputs=1)], {}, inputs=1)


def kept(size: int, layers: int) -> tuple[Tensors, Data]:
    """Layers that each make a large value without looking at a row."""
    size += 1
    large, wide = number(1, size), number(ROWS, size)
    one = {"value": {"rows": [0, 1], "dtype": "float32", "rank": 2}}
    last: list[Any] = [
        ["sin", [2], {}, large],
        ["broadcast", [0], {"shape": [ROWS, size]}, wide],
        ["broadcast", [3], {"shape": [ROWS, size]}, wide],
        ["multiply", [4, 5], {}, wide],
        ["sum", [6], {"axes": [1]}, number(ROWS, 1)],
    ]
    every: list[Data] = []
    for layer in range(layers + 1):  # none is the same as another
        room = {"starts": [0, layer % size], "steps": [1, 1], "shape": [1, size]}
        first = [["constant", [], one, number(1, 1)], ["pad", [1], room, large]]
        every.append(traced([*first, *last], inputs=1))
    return network(every, {}, inputs=1)


def parameters(count: int, layers: int) -> tuple[Tensors, Data]:
    """Many parameters of one number."""
    declared = {
        f"p{place}": {
            "shape": [],
            "initializer": "zeros",
            "parameters": {},
            "penalized": False,
        }
        for place in range(count)
    }
    steps = [["tanh", [0], {}, number(ROWS, MANY)]]
    tensors = {
        f"parameters/{layer}.{name}": np.zeros((), np.float32)
        for layer in range(1, layers + 2)
        for name in declared
    }
    layer = traced(steps, parameters=declared)
    return network([layer] * (layers + 1), tensors)


# Networks -----------------------------------------------------------------------------


def deep(count: int, width: int) -> tuple[Tensors, Data]:
    """Many layers with parameters."""
    layer = {"type": "LayerNorm", "epsilon": 1e-5}
    values = {"scale": np.ones(width + 1, np.float32)}
    values["shift"] = np.zeros(width + 1, np.float32)
    tensors = {
        f"parameters/{place}.{name}": array
        for place in range(1, count + 1)
        for name, array in values.items()
    }
    return network([layer] * count, tensors, inputs=width + 1)


def repeated(parts: int, layers: int) -> tuple[Tensors, Data]:
    """Layers that give all their columns several times."""
    every: list[Data] = []
    width = MANY
    for _ in range(layers + 1):
        every.append({"type": "Columns", "parts": [[0, width, None]] * (parts + 1)})
        width *= parts + 1
    return network(every, {})


def epochs(count: int, metrics: int) -> tuple[Tensors, Data]:
    """A long history."""
    names = ["epoch", "training_loss", "validation_loss"]
    names += [f"training_metrics.m{place}" for place in range(metrics)]
    names += ["learning_rate"]
    figures = np.ones((count, len(names)))
    figures[:, 0] = np.arange(1, count + 1)
    history = {"best_epoch": 0, "stopped_because": "", "settings": {}, "columns": names}
    arrays = {"history": figures, "times": np.ones(count)}
    return network([{"type": "Dropout", "rate": 0.5}], arrays, history=history)


def arrays(count: int, size: int) -> tuple[Tensors, Data]:
    """Arrays that nobody asked for."""
    tensors = {f"a{place}": np.zeros(size, np.uint8) for place in range(count)}
    return network([{"type": "Dropout", "rate": 0.5}], tensors)


def words(lists: int, items: int, length: int) -> tuple[Tensors, Data]:
    """Much JSON of an unknown field."""
    unknown = [{f"k{place}": "x" * length for place in range(items)}] * lists
    return network([{"type": "Dropout", "rate": 0.5}], {}, history_of_it=unknown)


# Tables -------------------------------------------------------------------------------


def columns(
    ignored: int, numbers: int, knots: int, codes: int, categories: int, length: int
) -> tuple[Tensors, Data]:
    """A table of columns that are set aside, of numbers, and of categories."""
    every: list[Data] = []
    encodings: list[Data] = []
    text = "x" * length
    kinds = ["ignored"] * ignored + ["number"] * numbers + ["category"] * codes
    for place, kind in enumerate(kinds):
        every.append({"name": f"{place}", "kind": kind, "reason": f"{text}{place}"})
        shared: Data = {"name": f"{place}", "kind": kind, "missing": False}
        if kind == "number":
            scores = None
            if knots:
                scores = {"knots": np.arange(knots + 1.0), "scores": np.ones(knots + 1)}
            scale = {"mean": 0.5, "deviation": 1.5}
            number = {"fill": 0.25, "scale": scale, "scores": scores}
            encodings.append({"encoding": "number", **shared, **number})
        if kind == "category":
            texts = [f"{each:x}" for each in range(categories + 1)]
            found = {"other": False, "categories": texts}
            encodings.append({"encoding": "category", **shared, **found})
    features = numbers * (1 + (knots > 0)) + codes * (categories + 1)
    target = {"name": "y", "kind": "number", "reason": ""}
    table: Data = {
        "encoder": {
            "schema": {"target": target, "weights": None, "columns": every},
            "encodings": encodings,
        },
        "targets": {
            "task": "number",
            "name": "y",
            "scale": {"mean": 0.5, "deviation": 1.0},
        },
        "task": {"kind": "number", "reason": ""},
        "results": {},
    }
    return dense(max(features, 1), 1, table)


def labels(count: int, length: int) -> tuple[Tensors, Data]:
    """A table of many classes."""
    texts = [f"{place:x}" + "é" * length for place in range(count + 3)]
    column = {"name": "x", "kind": "number", "reason": ""}
    number = {
        "encoding": "number",
        "name": "x",
        "kind": "number",
        "missing": False,
        "fill": 0.5,
        "scale": {"mean": 0.5, "deviation": 1.5},
        "scores": None,
    }
    target = {"name": "y", "kind": "category", "reason": ""}
    table: Data = {
        "encoder": {
            "schema": {"target": target, "weights": None, "columns": [column]},
            "encodings": [number],
        },
        "targets": {
            "task": "classes",
            "name": "y",
            "kind": "category",
            "keys": texts,
            "labels": texts,
        },
        "task": {"kind": "classes", "reason": ""},
        "results": {},
    }
    return dense(1, count + 3, table)


def dense(inputs: int, outputs: int, table: Data) -> tuple[Tensors, Data]:
    """One layer, with a table."""
    layer: Data = {
        "type": "Dense",
        "units": outputs,
        "activation": "identity",
        "bias": True,
        "initializer": None,
    }
    tensors = {
        "parameters/1.weights": np.zeros((inputs, outputs), np.float32),
        "parameters/1.bias": np.zeros(outputs, np.float32),
    }
    packed, lists = pack({name: table[name] for name in ("encoder", "targets")})
    every = tensors | lists
    return network([layer], every, inputs, kind="table", table=table | packed)


def size_of_columns(sizes: Sizes) -> float:
    """Roughly the bytes of a table's columns."""
    each = sizes["numbers"] * (60 + 16 * sizes["knots"])
    each += sizes["codes"] * 12 * (sizes["categories"] + 6)
    return each + sum(sizes[k] for k in ("ignored", "numbers")) * (sizes["length"] + 30)


KINDS: dict[str, Kind] = {
    "chain": Kind(chain, {"count": 2000, "layers": 0}),
    "diamonds": Kind(diamonds, {"count": 2000, "layers": 0}),
    "fan": Kind(fan, {"count": 10, "width": 500_000}),
    "given": Kind(given, {"width": 2_000_000}),
    "kept": Kind(kept, {"size": 1_000_000, "layers": 10}),
    "parameters": Kind(parameters, {"count": 1000, "layers": 1}),
    "deep": Kind(
        deep, {"count": 500, "width": 4}, lambda s: 8 * s["count"] * s["width"]
    ),
    "repeated": Kind(repeated, {"parts": 79, "layers": 2}),
    "epochs": Kind(
        epochs,
        {"count": 100_000, "metrics": 1},
        lambda s: 8 * s["count"] * (5 + s["metrics"]),
    ),
    "arrays": Kind(
        arrays, {"count": 60_000, "size": 1}, lambda s: s["count"] * (90 + s["size"])
    ),
    "words": Kind(
        words,
        {"lists": 100, "items": 500, "length": 1},
        lambda s: s["lists"] * s["items"] * (12 + s["length"]),
    ),
    "columns": Kind(
        columns,
        {
            **{"ignored": 9, "numbers": 58_000, "knots": 0},
            **{"codes": 0, "categories": 0, "length": 0},
        },
        size_of_columns,
    ),
    "set aside": Kind(
        columns,
        {
            **{"ignored": 200_000, "numbers": 1, "knots": 0},
            **{"codes": 0, "categories": 0, "length": 0},
        },
        size_of_columns,
    ),
    "categories": Kind(
        columns,
        {
            **{"ignored": 0, "numbers": 1, "knots": 20},
            **{"codes": 5_000, "categories": 40, "length": 0},
        },
        size_of_columns,
    ),
    "labels": Kind(
        labels,
        {"count": 330_000, "length": 1},
        lambda s: s["count"] * (30 + 4 * s["length"]),
    ),
}
