"""A trained network as one file of Python that needs NumPy alone."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thalweg import words
from thalweg.backends.text.identifiers import Identifiers
from thalweg.exports import runtime
from thalweg.exports.labels import known_labels
from thalweg.exports.python_columns import columns_text
from thalweg.exports.python_lines import ROWS, Lines
from thalweg.exports.python_literals import (
    array_text,
    definition,
    docstring_text,
    literal,
    short,
)
from thalweg.exports.traced import Traced, network_answers, network_inputs, one_layer
from thalweg.files.atomic import write_atomically
from thalweg.formulas.chain import OWN, Shapes, describe
from thalweg.kinds.pipeline import Answers, ArrayInputs, Pipeline
from thalweg.model.step import LENGTHS
from thalweg.network import Network
from thalweg.program.types import NumpyArray, Shape
from thalweg.tables import packed, records
from thalweg.tables.dialect import USUAL_DIALECT
from thalweg.tables.forms import DateForm, DurationForm, NumberForm, TimeForm
from thalweg.tables.forms.missing import MISSING_TEXTS
from thalweg.tables.forms.texts import SAID

WRITTEN_OUT = (words, packed, records, runtime)
"""The modules whose functions and constants a file may have in it."""

FUNCTIONS: Mapping[str, Any] = {
    name: function
    for module in WRITTEN_OUT
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__
}
VALUES = {
    "MISSING": MISSING_TEXTS,
    "BOOLEANS": SAID,
    "NUMBER": NumberForm().pattern,
    "DURATION": DurationForm.pattern,
    "DATE": DateForm().pattern,
    "DATE_PARTS": DateForm().parts,
    "TIME": TimeForm.pattern,
}
CONSTANTS = {
    **{
        name: literal(value)
        for module in WRITTEN_OUT
        for name, value in (vars(module) | VALUES).items()
        if name.isupper()
    },
    "DataError": "ValueError",
}
"""The text of each."""

IMPORTS = """\
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Table = dict[str, Any] | list[dict[str, Any]]"""
MODULES = ["base64", "codecs", "csv", "datetime", "errno", "io", "math", "re", "sys"]
PARTS_OF_MODULES = {
    "collections.abc": ("Iterable", "Iterator", "Sequence"),
    "functools": ("partial",),
    "importlib.util": ("find_spec", "module_from_spec"),
    "itertools": ("islice",),
}
RESERVED = {
    *dir(builtins),
    *FUNCTIONS,
    *CONSTANTS,
    *MODULES,
    *(name for names in PARTS_OF_MODULES.values() for name in names),
    *("np", "Any", "NDArray", "Array", "Table", "ARRAYS", "CLASSES", ROWS),
    *(
        "x",
        "X",
        "lengths",
        "features",
        "network",
        "answers",
        "outputs",
        "compute",
        "main",
    ),
}
"""What names mean in the file already, wherever a layer's formulas stand."""

Section = list[str]
Arrays = dict[str, NumpyArray]

ASKED = {
    "predictions": ("predict", "What the network gives for each row."),
    "prediction": ("predict", "What is predicted for each row."),
    "probabilities": ("probabilities", "The probability of each class."),
    "quantiles": ("quantiles", "The quantiles, in increasing order."),
    "forecast": ("predict", "What is forecast at each time ahead."),
}
"""The function that gives an answer, and what it says about it."""


def write_python(pipeline: Pipeline, path: str | Path) -> None:
    """Write a network, with what happens before and behind it, as a file of Python.

    Raises:
        ArgumentError: the classes are neither texts, numbers nor booleans.
        ProgramError: a user's own formula can't be written for any number of rows.
        FileError: the file can't be written.
    """
    write_atomically(path, source(pipeline).encode())


def source(pipeline: Pipeline) -> str:
    """The text of the file."""
    arrays: Arrays = {}
    network, answers = pipeline.network, pipeline.answers
    way_in = way_in_of(pipeline, arrays)
    computed = network_answers(answers, network)
    parts = [
        *classes_text(answers),
        way_in.features,
        *network_texts(network, arrays),
        answers_text(answers, computed, arrays),
        compute_text(way_in, network.takes_lengths, "x" in computed.program.inputs),
        *(function_text(way_in, answer) for answer in computed.program.outputs),
        arrays_text(arrays),
    ]
    main = main_text(way_in, answers)
    helpers = helpers_for("\n".join(parts))
    # What only the program needs comes last, as it is long and of no network.
    readers = {k: v for k, v in helpers_for(main).items() if k not in helpers}
    everything = [*helpers.values(), *parts, *readers.values(), main, ENDS]
    text = "\n\n\n".join(everything)
    said = usage(
        pipeline, way_in, [ASKED[answer][0] for answer in computed.program.outputs]
    )
    return f"{heading(network.shapes, said, text)}\n\n\n{text}\n"


def heading(shapes: Shapes, said: Section, text: str) -> str:
    """What the file is, how it is used, and what it imports."""
    layers = len(shapes.outputs) - 1
    count = sum(math.prod(p.shape) for p in shapes.parameters.values())
    what = (
        f"A network of {layers} layer{'s' * (layers != 1)} with {count:,} "
        f"parameter{'s' * (count != 1)}, written by thalweg."
    )
    used = names_in(text)
    imports = [f"import {module}" for module in MODULES if module in used]
    for module, names in PARTS_OF_MODULES.items():
        if parts := [name for name in names if name in used]:
            imports.append(f"from {module} import {', '.join(parts)}")
    start = ['"""' + what, "", *said, '"""', "", "from __future__ import annotations"]
    return "\n".join([*start, "", *imports, IMPORTS])


def usage(pipeline: Pipeline, way_in: WayIn, functions: Sequence[str]) -> Section:
    """How the file is used."""
    target = docstring_text(pipeline.about.get("target", ""))
    what = f"It predicts '{target}', and needs" if target else "It needs"
    calls = " and ".join(f"{name}({way_in.name})" for name in functions)
    takes = "takes" if len(functions) == 1 else "take"
    text = f"{what} NumPy alone. {calls} {takes} {way_in.usage}"
    return textwrap.wrap(text, 84, break_long_words=False, break_on_hyphens=False)


# What goes in -------------------------------------------------------------------------


@dataclass(frozen=True)
class WayIn:
    """What goes in, in Python.

    Arguments:
        name, type: of the argument that functions have.
        features: a function that makes of it what the network takes.
        reader: the call that reads it from the file of a path.
        usage: the end of a sentence about it.
    """

    name: str
    type: str
    features: str
    reader: str
    usage: str


def way_in_of(pipeline: Pipeline, arrays: Arrays) -> WayIn:
    """That of rows of numbers, or of a table's columns."""
    inputs = pipeline.inputs
    if isinstance(inputs, ArrayInputs):
        if inputs.dtype == "uint8":  # NumPy makes numbers of bytes by itself
            inputs = replace(inputs, dtype=pipeline.network.dtype)
        features, shape = numbers_text(inputs, arrays), shape_of_rows(inputs.shape)
        if inputs.with_lengths:
            taken, reader = SEQUENCES_ARE_TAKEN, "[read_numbers(path)]"
        elif len(inputs.shape) == 2:
            taken, reader = TIMES_ARE_TAKEN, "[read_numbers(path)]"
        else:
            taken, reader = NUMBERS_ARE_TAKEN, "read_numbers(path)"
        return WayIn("X", "Any", features, reader, taken.format(shape=shape))
    features = columns_text(inputs.encoder, pipeline.network.dtype)
    declared = [
        f"{name}={value!r}"
        for name, value in inputs.dialect.to_dict().items()
        if value != getattr(USUAL_DIALECT, name)
    ]
    reader = f"read_csv({', '.join(['path', *declared])})"
    return WayIn("rows", "Table", features, reader, COLUMNS_ARE_TAKEN)


NUMBERS_ARE_TAKEN = (
    "rows of numbers, shape {shape}. As a program the file reads a CSV file of numbers "
    "and prints predictions."
)
TIMES_ARE_TAKEN = (
    "rows of numbers, shape {shape}. As a program the file reads a CSV file of the "
    "numbers of one row, a time a line, and prints predictions."
)
SEQUENCES_ARE_TAKEN = (
    "a list of arrays, each of as many times as it has, which together would be of "
    "shape {shape}. As a program the file reads a CSV file of numbers, a time a line, "
    "and prints predictions."
)
COLUMNS_ARE_TAKEN = (
    "a list of dicts or a dict of columns. Cells are texts, as in a CSV file, or what "
    "Python has for them. As a program the file reads a CSV file and prints "
    "predictions as one."
)


def numbers_text(inputs: ArrayInputs, arrays: Arrays) -> str:
    """A function that makes of numbers what the network takes."""
    traced = network_inputs(inputs)
    lines, (result,) = body_of(
        traced, {"X": "X"}, "features", arrays, Identifiers(RESERVED)
    )
    said = f"What the network takes, of shape {shape_of_rows(inputs.shape)}."
    if inputs.with_lengths:
        body = [
            f"X, lengths = as_sequences(X, {inputs.dtype!r}, {inputs.shape})",
            *(["X = all_finite(X)"] if inputs.finite else []),
            *lines,
            f"return {result}, lengths",
        ]
        said = f"{said[:-1]}, and how many times each row has."
        return definition("features(X: Any) -> tuple[Array, Array]", said, body)
    rows = f"as_rows(X, {inputs.dtype!r}, {inputs.shape})"
    checked = f"all_finite({rows})" if inputs.finite else rows
    body = [f"X = {checked}", *lines, f"return {result}"]
    return definition("features(X: Any) -> Array", said, body)


# The network --------------------------------------------------------------------------


def network_texts(network: Network, arrays: Arrays) -> list[str]:
    """A function for each layer, and one for all of them."""
    layers: list[str] = []
    calls: Section = []
    has_lengths = network.takes_lengths
    for number in range(1, len(network.layers) + 1):
        traced = one_layer(network, number, has_lengths)
        layers.append(layer_text(network, number, traced, arrays))
        own = [f"ARRAYS[{array_name(number, name)!r}]" for name in traced.values]
        given = ["x", LENGTHS] if has_lengths else ["x"]
        has_lengths = LENGTHS in traced.program.outputs
        gives = f"x, {LENGTHS}" if has_lengths else "x"
        calls.append(f"{gives} = layer_{number}({', '.join([*given, *own])})")
    said = "All layers, one after the other."
    body = [*calls, "return x"]
    takes = f"x: Array, {LENGTHS}: Array" if network.takes_lengths else "x: Array"
    return [*layers, definition(f"network({takes}) -> Array", said, body)]


def layer_text(network: Network, number: int, traced: Traced, arrays: Arrays) -> str:
    """A layer as a function of x and its own parameters."""
    arrays |= {array_name(number, name): a for name, a in traced.values.items()}
    identifiers = Identifiers(RESERVED)
    own = {n: identifiers.give(n.removeprefix(OWN)) for n in traced.values}
    has_lengths = LENGTHS in traced.program.inputs
    names = {"x": "x", **({LENGTHS: LENGTHS} if has_lengths else {}), **own}
    lines, results = body_of(traced, names, str(number), arrays, identifiers)
    before, after = map(shape_of_rows, network.shapes.outputs[number - 1 : number + 1])
    said = short(f"{describe(network.layers[number - 1])}: {before} to {after}.")
    arguments = ", ".join(f"{name}: Array" for name in names.values())
    body = [*lines, f"return {', '.join(results)}"]
    gives = "tuple[Array, Array]" if len(results) > 1 else "Array"
    return definition(f"layer_{number}({arguments}) -> {gives}", said, body)


def array_name(number: int, name: str) -> str:
    """What the file calls a layer's own array: ``1.weights``."""
    return f"{number}.{name.removeprefix(OWN)}"


def body_of(
    traced: Traced,
    names: Mapping[str, str],
    prefix: str,
    arrays: Arrays,
    identifiers: Identifiers,
) -> tuple[Section, Section]:
    """The lines of a program, and the texts of what it gives.

    Arguments:
        traced: the program.
        names: Python's names of its inputs; the first of them has the rows.
        prefix: of the names of constants that are too long to stand in a line.
        arrays: gets those constants.
        identifiers: gives names to values on the way.
    """

    def constant_name(array: NumpyArray) -> str:
        name = f"{prefix} constant {len(arrays)}"  # no parameter's: they have no space
        arrays[name] = array
        return f"ARRAYS[{name!r}]"

    lines, results = Lines(traced.program, names, identifiers, constant_name).run()
    text = "\n".join([*lines, *results])
    first = next(iter(names.values()))
    start = [f"{ROWS} = len({first})"] if re.search(rf"\b{ROWS}\b", text) else []
    return [*start, *lines], results


def shape_of_rows(shape: Shape) -> str:
    """The shape of an array whose rows have one.

    >>> shape_of_rows((3,))
    '(rows, 3)'
    """
    return f"({', '.join([ROWS, *map(str, shape)])})"


# What comes out -----------------------------------------------------------------------


def classes_text(answers: Answers) -> Section:
    """The labels, if there are any, with their dtype."""
    if answers.labels is None:
        return []
    known_labels(answers.labels)
    values, dtype = literal(answers.labels.tolist()), answers.labels.dtype
    name = {"U": "str", "O": "object"}.get(dtype.kind, repr(dtype.name))
    return [f"CLASSES = np.array({values}, {name})"]


def answers_text(answers: Answers, computed: Traced, arrays: Arrays) -> str:
    """A function of what the network gives, which gives every answer."""
    names = {name: name for name in computed.program.inputs}
    lines, results = body_of(computed, names, "answers", arrays, Identifiers(RESERVED))
    found = dict(zip(computed.program.outputs, results, strict=True))
    if answers.labels is not None:
        found["prediction"] = f"CLASSES[{found['prediction']}]"
    given = [f"    {name!r}: {text}," for name, text in found.items()]
    head = f"answers({': Array, '.join(names)}: Array) -> dict[str, Array]"
    said = "What is predicted, of what the network gives."
    return definition(head, said, [*lines, "return {", *given, "}"])


def compute_text(way_in: WayIn, has_lengths: bool, has_offset: bool) -> str:
    """A function that gives every answer."""
    taken = f"features({way_in.name})"
    if has_offset:
        given = f"x, {LENGTHS}" if has_lengths else "x"
        lines = [f"{given} = {taken}", f"return answers(network({given}), x)"]
    else:
        lines = [f"return answers(network({'*' * has_lengths}{taken}))"]
    body = ['with np.errstate(all="ignore"):', *(f"    {line}" for line in lines)]
    head = f"compute({way_in.name}: {way_in.type}) -> dict[str, Array]"
    return definition(head, "Everything that is predicted for each row.", body)


def function_text(way_in: WayIn, answer: str) -> str:
    """A function that gives one answer."""
    name, said = ASKED[answer]
    body = [f"return compute({way_in.name})[{answer!r}]"]
    return definition(f"{name}({way_in.name}: {way_in.type}) -> Array", said, body)


def main_text(way_in: WayIn, answers: Answers) -> str:
    """What the file does as a program."""
    header = [name for names in answers.columns.values() for name in names]
    writes = [f"writer.writerow({literal(header)})"] if header else []
    body = [
        f"found = compute({way_in.reader})",
        'writer = csv.writer(sys.stdout, lineterminator="\\n")',
        *writes,
        "for row in zip(*found.values(), strict=True):",
        "    writer.writerow([cell for part in row for cell in np.ravel(part)])",
    ]
    said = "Print what is predicted for each row of a CSV file."
    return definition("main(path: str) -> None", said, body)


ENDS = """\
if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} TABLE.csv")
    try:
        main(sys.argv[1])
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"error: {error}")"""


# Arrays and functions -----------------------------------------------------------------


def arrays_text(arrays: Mapping[str, NumpyArray]) -> str:
    """Every array in all its digits."""
    lines = [f"    {name!r}: {array_text(array)}," for name, array in arrays.items()]
    return "\n".join(["ARRAYS = {", *lines, "}"])


def helpers_for(text: str) -> dict[str, str]:
    """The source of every function that is used, and of those that they use."""
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        names = names_in(waiting.pop()) - found.keys()
        for name in sorted(names & {*FUNCTIONS, *CONSTANTS}):
            found[name] = (
                inspect.getsource(FUNCTIONS[name]).rstrip()
                if name in FUNCTIONS
                else f"{name} = {CONSTANTS[name]}"
            )
            waiting.append(found[name])
    order = [*CONSTANTS, *FUNCTIONS]
    return {name: found[name] for name in order if name in found}


def names_in(text: str) -> set[str]:
    """Every name that a text of Python reads or sets."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
