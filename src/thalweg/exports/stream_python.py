"""A network at one time after the other as a file of Python that needs NumPy alone."""

from __future__ import annotations

import textwrap
from pathlib import Path

from thalweg.backends.text.identifiers import Identifiers
from thalweg.exports.python_file import (
    ENDS,
    RESERVED,
    Arrays,
    Section,
    arrays_text,
    body_of,
    heading,
    helpers_for,
    shape_of_rows,
)
from thalweg.exports.python_literals import definition, literal
from thalweg.exports.traced import one_time
from thalweg.files.atomic import write_atomically
from thalweg.model.stream import KEPT, NEW, TIME, Going
from thalweg.training.streams import Stream

TAKEN = {"kept", "time", "Stream", "at_time", "new", "Kept"}


def write_python_stream(stream: Stream, path: str | Path) -> None:
    """Write a network as a file of Python with the class ``Stream``.

    Raises:
        ProgramError: a user's own formula can't be written for any number of rows.
        FileError: the file can't be written.
    """
    write_atomically(path, source(stream).encode())


def source(stream: Stream) -> str:
    """The text of the file."""
    arrays: Arrays = {}
    going = stream.going
    parts = [
        "Kept = dict[str, Array]",
        at_time_text(stream, arrays),
        stream_text(going),
    ]
    parts.append(arrays_text(arrays))
    main = main_text(going)
    helpers = helpers_for("\n".join(parts))
    readers = {k: v for k, v in helpers_for(main).items() if k not in helpers}
    everything = [
        *helpers.values(),
        *parts,
        *readers.values(),
        main,
        ENDS,
    ]
    text = "\n\n\n".join(everything)
    return f"{heading(going.shapes, usage(going), text)}\n\n\n{text}\n"


def usage(going: Going) -> Section:
    """How the file is used."""
    shape = shape_of_rows(going.input_shape)
    room = "" if going.is_endless else f" There is room for {going.times} times."
    text = (
        "It needs NumPy alone. stream = Stream(rows) goes from time to time: stream(X) "
        f"takes the numbers of one time, shape {shape}, and gives what the network "
        f"gives after it.{room} As a program the file reads a CSV file of numbers, a "
        "time a line, and prints predictions."
    )
    return textwrap.wrap(text, 84, break_long_words=False, break_on_hyphens=False)


def at_time_text(stream: Stream, arrays: Arrays) -> str:
    """A function of one time: predictions, and what is kept from then on."""
    traced = one_time(stream)
    arrays |= traced.values
    names = {"X": "X"}
    for name in traced.program.inputs:
        if name in traced.values:
            names[name] = f"ARRAYS[{name!r}]"
        elif name.startswith(KEPT):
            names[name] = f"kept[{name.removeprefix(KEPT)!r}]"
        else:
            names[name] = name
    identifiers = Identifiers(RESERVED | TAKEN)
    lines, results = body_of(traced, names, "constant", arrays, identifiers)
    given = dict(zip(traced.program.outputs, results, strict=True))
    new = [
        f"    {name.removeprefix(NEW)!r}: {text},"
        for name, text in given.items()
        if name.startswith(NEW) and name != NEW + TIME
    ]
    head = "at_time(X: Array, kept: Kept, time: Any) -> tuple[Array, Kept]"
    said = "What the network gives at one time, and what is kept from then on."
    body = [*lines, "new = {", *new, "}", f"return {given['predictions']}, new"]
    return definition(head, said, body)


def stream_text(going: Going) -> str:
    """The class."""
    kept = {
        name.removeprefix(KEPT): type.shape[1:] for name, type in going.kept(1).items()
    }
    shapes = textwrap.indent(f"KEPT = {literal(kept)}", "    ")
    full = (
        []
        if going.is_endless
        else [
            f"if self.time == {going.times}:",
            f'    raise ValueError("there is room for {going.times} times")',
        ]
    )
    call = [
        f"X = all_finite(as_rows(X, {going.dtype!r}, {going.input_shape}))",
        "if len(X) != self.rows:",
        '    raise ValueError(f"X must have {self.rows} rows, got {len(X)}")',
        *full,
        'with np.errstate(all="ignore"):',
        "    given, kept = at_time(X, self.kept, np.int32(self.time))",
        "self.kept, self.time = kept, self.time + 1",
        "return given",
    ]
    reset = [
        "self.time = 0",
        "self.kept = {",
        f"    name: np.zeros((self.rows, *shape), {going.dtype!r})",
        "    for name, shape in self.KEPT.items()",
        "}",
    ]
    methods = [
        definition(
            "__init__(self, rows: int = 1) -> None",
            "Before the first time of so many rows.",
            ["self.rows = rows", "self.reset()"],
        ),
        definition("reset(self) -> None", "Begin again.", reset),
        definition(
            "__call__(self, X: Any) -> Array", "What the network gives now.", call
        ),
    ]
    said = '    """The network, with what it keeps of the times before."""'
    inner = "\n\n".join(textwrap.indent(each, "    ") for each in methods)
    return f"class Stream:\n{said}\n\n{shapes}\n\n{inner}"


def main_text(going: Going) -> str:
    """What the file does as a program."""
    shape = (1, *going.input_shape)
    body = [
        "stream = Stream()",
        'writer = csv.writer(sys.stdout, lineterminator="\\n")',
        "for numbers in read_numbers(path):",
        f"    writer.writerow(np.ravel(stream(np.reshape(numbers, {shape}))))",
    ]
    said = "Print what is predicted at each time of a CSV file."
    return definition("main(path: str) -> None", said, body)
