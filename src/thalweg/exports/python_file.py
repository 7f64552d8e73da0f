"""A trained network as one file of Python that needs NumPy alone."""

from __future__ import annotations

import ast
import base64
import inspect
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.data.categories import CategoryEncoding, CodeEncoding
from thalweg.data.encodings import Encoding, MomentEncoding, NumberEncoding
from thalweg.data.kinds import BOOLEANS
from thalweg.data.model import TableModel
from thalweg.data.table import MISSING_TEXTS
from thalweg.data.targets import NumberTargets
from thalweg.exports import runtime
from thalweg.exports.python_lines import ROWS, Lines, identifier
from thalweg.exports.traced import one_layer
from thalweg.program.types import NumpyArray
from thalweg.training.atomic import write_atomically
from thalweg.training.network import Network
from thalweg.training.stack import describe

FUNCTIONS: Mapping[str, Any] = {
    name: function
    for name, function in vars(runtime).items()
    if inspect.isfunction(function)
}
CONSTANTS = {
    "MISSING": MISSING_TEXTS,
    "BOOLEANS": {
        text: word
        for pair in BOOLEANS
        for text, word in zip(pair, ("false", "true"), strict=True)
    },
}
IMPORTS = """\
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Table = dict[str, Any] | list[dict[str, Any]]"""
MODULES = ("base64", "csv", "datetime", "io", "math", "re", "sys")
FEW = 8  # numbers that stand in the text; more of them are base64
Section = list[str]


def write_python(model: Network | TableModel, path: str | Path) -> None:
    """Write a network, or a table's model, as a file of Python.

    Raises:
        ProgramError: a person's own formula can't be written for any number of rows.
        FileError: the file can't be written.
    """
    write_atomically(path, source(model).encode())


def source(model: Network | TableModel) -> str:
    """The text of the file."""
    arrays: dict[str, NumpyArray] = {}
    network = model if isinstance(model, Network) else model.network
    layers = [
        layer_text(network, number, arrays)
        for number in range(1, len(network.layers) + 1)
    ]
    parts = [
        *([features_text(model)] if isinstance(model, TableModel) else []),
        *layers,
        network_text(network, arrays),
        *(network_ends() if isinstance(model, Network) else table_ends(model)),
    ]
    body = "\n\n\n".join(parts)
    numbers = arrays_text(arrays)
    helpers = helpers_for(f"{body}\n{numbers}")
    text = "\n\n\n".join([*helpers, body, numbers, ENDS])
    return f"{heading(model, network, text)}\n\n\n{text}\n"


def heading(model: Network | TableModel, network: Network, text: str) -> str:
    """What the file is, how it is used, and what it imports."""
    layers = len(network.layers)
    count = sum(math.prod(p.shape) for p in network.shapes.parameters.values())
    what = (
        f"A network of {layers} layer{'s' * (layers != 1)} with {count:,} "
        f"parameter{'s' * (count != 1)}, written by thalweg."
    )
    imports = [f"import {module}" for module in MODULES if module in names_in(text)]
    usage = USAGE_OF_NETWORK if isinstance(model, Network) else usage_of(model)
    start = ['"""' + what, "", *usage, '"""', "", "from __future__ import annotations"]
    return "\n".join([*start, "", *imports, IMPORTS])


USAGE_OF_NETWORK = [
    "It needs NumPy alone. predict(X) takes rows of numbers, shape (rows, ...); run",
    "as a program, the file reads a CSV of numbers and prints what the network gives.",
]


def usage_of(model: TableModel) -> Section:
    """How a table's file is used."""
    target = model.target.replace("\\", "").replace('"', "'")
    return [
        *textwrap.wrap(f"It predicts {target!r}, and needs NumPy alone.", 84),
        "predict(rows) takes a list of dicts or a dict of columns. Cells are texts, as",
        "in a CSV file, or what Python has for them. As a program the file reads a CSV",
        "file and prints predictions as one.",
    ]


# The network --------------------------------------------------------------------------


def layer_text(network: Network, number: int, arrays: dict[str, NumpyArray]) -> str:
    """A layer as a function of x and its own parameters."""
    traced = one_layer(network, number)
    arrays |= {f"{number}.{name}": array for name, array in traced.values.items()}
    names = {"x": "x", **{name: identifier(name) for name in traced.values}}

    def constant_name(array: NumpyArray) -> str:
        name = f"{number}.constant{len(arrays)}"
        arrays[name] = array
        return f"ARRAYS[{name!r}]"

    lines, (result,) = Lines(traced, names, constant_name).run()
    before, after = (
        f"({', '.join([ROWS, *map(str, shape)])})"
        for shape in network.shapes.outputs[number - 1 : number + 1]
    )
    said = printable(f"{describe(network.layers[number - 1])}: {before} to {after}.")
    text = "\n".join([*lines, result])
    start = [f"{ROWS} = len(x)"] if re.search(rf"\b{ROWS}\b", text) else []
    arguments = ", ".join(f"{name}: Array" for name in names.values())
    body = [f'"""{said}"""', *start, *lines, f"return {result}"]
    return "\n".join(
        [
            f"def layer_{number}({arguments}) -> Array:",
            *(f"    {b}" for b in body),
        ]
    )


def printable(text: str) -> str:
    """A person's text as it can stand in a docstring of one line."""
    one_line = " ".join(text.replace("\\", "/").replace('"', "'").split())
    return one_line if len(one_line) <= 80 else f"{one_line[:79]}…"


def network_text(network: Network, arrays: Mapping[str, NumpyArray]) -> str:
    """The layers one after the other."""
    lines = [
        "def network(x: Array) -> Array:",
        '    """All layers, one after the other."""',
    ]
    for number in range(1, len(network.layers) + 1):
        traced = one_layer(network, number)
        own = [f"ARRAYS['{number}.{name}']" for name in traced.values]
        lines.append(f"    x = layer_{number}({', '.join(['x', *own])})")
    return "\n".join([*lines, "    return x"])


def network_ends() -> list[str]:
    """What stands behind a network by itself."""
    return [PREDICT_NUMBERS, MAIN_OF_NUMBERS]


PREDICT_NUMBERS = '''\
def predict(X: Any) -> Array:
    """What the network gives for rows of numbers, shape (rows, outputs)."""
    with np.errstate(all="ignore"):
        return network(np.asarray(X, DTYPE))'''

MAIN_OF_NUMBERS = '''\
def main(path: str) -> None:
    """Print what the network gives for each row of a CSV file."""
    for row in predict(read_numbers(path)):
        print(",".join(map(str, row.ravel())))'''

ENDS = """\
if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} TABLE.csv")
    main(sys.argv[1])"""


# The table ----------------------------------------------------------------------------


def features_text(model: TableModel) -> str:
    """X of the table's columns."""
    count = len(model.encoder.features)
    calls = [encoding_text(encoding) for encoding in model.encoder.encodings]
    return "\n".join(
        [
            "def features(rows: Table) -> Array:",
            f'    """What the network takes, shape (rows, {count})."""',
            "    columns = [",
            *(textwrap.indent(f"*{call},", " " * 8) for call in calls),
            "    ]",
            "    return np.stack(columns, axis=1).astype('float32')",
        ]
    )


def encoding_text(encoding: Encoding) -> str:
    """A call of the function that does what an encoding does."""
    given: dict[str, Any] = {}
    positional: list[Any] = []
    function: str = encoding.kind
    if isinstance(encoding, NumberEncoding):
        given = {**moments_of(encoding), "missing": encoding.missing}
        if encoding.scores is not None:
            given |= {
                "knots": list(encoding.scores.knots),
                "scores": list(encoding.scores.scores),
            }
    elif isinstance(encoding, MomentEncoding):
        given = {
            **moments_of(encoding),
            "missing": encoding.missing,
            "cycles": encoding.cycles,
        }
    elif isinstance(encoding, CategoryEncoding):
        positional = [list(encoding.categories)]
        given = {"other": encoding.other, "missing": encoding.missing}
    elif isinstance(encoding, CodeEncoding):
        function = "code" if encoding.kind == "category" else "boolean_code"
        positional = [list(encoding.categories)]
    texts = [f"cells_of(rows, {encoding.name!r})", *map(literal, positional)]
    texts += [f"{name}={literal(value)}" for name, value in given.items()]
    return call_text(function, texts)


def moments_of(encoding: NumberEncoding | MomentEncoding) -> dict[str, float]:
    """What fills a missing cell, and the scale."""
    scale = encoding.scale
    return {"fill": encoding.fill, "mean": scale.mean, "deviation": scale.deviation}


def literal(value: Any) -> str:
    """A value as Python writes it; long lists on several lines."""
    text = repr(value)
    if len(text) <= 72 or not isinstance(value, list | tuple):
        return text
    items = cast("Sequence[object]", value)
    inner = ", ".join(map(repr, items))
    wrapped = textwrap.wrap(inner, 76, break_long_words=False, break_on_hyphens=False)
    # A text may hold the space at which a line was cut: then none is cut.
    whole = " ".join(wrapped) == inner and not any(isinstance(v, str) for v in items)
    lines = wrapped if whole else [f"{each!r}," for each in items]
    return "\n".join(["[", *(f"    {line}" for line in lines), "]"])


def call_text(function: str, texts: Sequence[str]) -> str:
    """A call on one line, or with a line for each argument."""
    short = f"{function}({', '.join(texts)})"
    if len(short) <= 76 and "\n" not in short:
        return short
    inner = textwrap.indent("".join(f"{text},\n" for text in texts), "    ")
    return f"{function}(\n{inner})"


def table_ends(model: TableModel) -> list[str]:
    """Predictions in the words and units of the table."""
    targets = model.targets
    if isinstance(targets, NumberTargets):
        scale = f"{targets.scale.deviation!r} + {targets.scale.mean!r}"
        return [PREDICT_NUMBER.replace("SCALE", scale), MAIN_OF_NUMBER]
    two = model.network.shapes.outputs[-1] == (1,)
    given = "np.hstack([1 - outputs, outputs])" if two else "outputs"
    classes = f"CLASSES = {literal(list(targets.labels))}"
    return [classes, PREDICT_CLASSES.replace("GIVEN", given), MAIN_OF_CLASSES]


PREDICT_NUMBER = '''\
def predict(rows: Table) -> Array:
    """A number for each row, in the unit of the target."""
    with np.errstate(all="ignore"):
        outputs = network(features(rows).astype(DTYPE))
    return outputs[:, 0].astype(float) * SCALE'''

MAIN_OF_NUMBER = '''\
def main(path: str) -> None:
    """Print a prediction for each row of a CSV file."""
    print("prediction")
    for number in predict(read_csv(path)):
        print(number)'''

PREDICT_CLASSES = '''\
def probabilities(rows: Table) -> Array:
    """The probability of each class, shape (rows, classes)."""
    with np.errstate(all="ignore"):
        outputs = network(features(rows).astype(DTYPE))
    return GIVEN


def predict(rows: Table) -> list[str]:
    """The most probable class of each row."""
    return [CLASSES[number] for number in probabilities(rows).argmax(axis=1)]'''

MAIN_OF_CLASSES = '''\
def main(path: str) -> None:
    """Print a prediction, and the probability of each class, for each row of a CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\\n")
    writer.writerow(["prediction", *(f"probability of {name}" for name in CLASSES)])
    for row in probabilities(read_csv(path)):
        writer.writerow([CLASSES[row.argmax()], *row])'''


# Arrays and functions -----------------------------------------------------------------


def arrays_text(arrays: Mapping[str, NumpyArray]) -> str:
    """Every array in all its digits."""
    dtype = next((a.dtype.name for a in arrays.values()), "float32")
    lines = ["ARRAYS = {"]
    for name, array in arrays.items():
        lines.append(f"    {name!r}: {array_text(array)},")
    return "\n".join([DECODER, "", "", f"DTYPE = {dtype!r}", *lines, "}"])


DECODER = '''\
def array(dtype: str, shape: tuple[int, ...], text: str) -> Array:
    """An array from its bytes, lowest byte first, in base64."""
    numbers = np.frombuffer(base64.b64decode(text), np.dtype(dtype).newbyteorder("<"))
    return numbers.astype(dtype).reshape(shape)'''


def array_text(array: NumpyArray) -> str:
    """An array's numbers if they are few, else its bytes."""
    if array.size <= FEW and np.isfinite(array).all():
        return f"np.array({literal_numbers(array)}, {array.dtype.name!r})"
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode()
    return (
        f'array({array.dtype.name!r}, {array.shape}, """\n'
        + "\n".join(text[start : start + 88] for start in range(0, len(text), 88))
        + '\n""")'
    )


def literal_numbers(array: NumpyArray) -> str:
    """Numbers in brackets, the shortest that read as the same."""
    if not array.ndim:
        return str(array[()])
    return f"[{', '.join(literal_numbers(np.asarray(part)) for part in array)}]"


def helpers_for(text: str) -> list[str]:
    """The source of every function that is used, and of those that they use."""
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        names = names_in(waiting.pop()) - found.keys()
        for name in sorted(names & {*FUNCTIONS, *CONSTANTS}):
            found[name] = (
                inspect.getsource(FUNCTIONS[name]).rstrip()
                if name in FUNCTIONS
                else f"{name} = {literal(CONSTANTS[name])}"
            )
            waiting.append(found[name])
    order = [*CONSTANTS, *FUNCTIONS]
    return [found[name] for name in order if name in found]


def names_in(text: str) -> set[str]:
    """Every name that a text of Python reads or sets."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
