"""Ways to break a model file: its bytes, its header, its document, its tensors.

Those that go deepest put the digest and the layout right again, so that the file passes
the gate and reaches the checks of what it says.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ModelFileError
from thalweg.files.columnar import LISTS
from thalweg.files.modelfile import model_bytes, model_of
from thalweg.program.primitives import PRIMITIVES

FRAGMENTS = (
    *("{", "}", "[", "]", ",", ":", '"', "\\", '\\"', " ", "\0", "é", "\ud800", "-"),
    *("0", "1", "-1", "1.0", "1e9", "1e999", "NaN", "Infinity", "true", "null", "[]"),
    *("00", str(2**31), str(2**63), str(2**64), "9" * 30, "9" * 5000, "[" * 40),
    *('"a":1,', '"dtype":"F16"', '"shape":[0]', "..", "\\ud800", "\\u0041"),
)
STRANGE: tuple[Any, ...] = (
    *(True, False, None, 0, 1, -1, 2, 3, 1.5, -0.0, "", "x", "..", [], {}, [[]]),
    *(2**31 - 1, 2**31, 2**32, 2**40, 2**63, 10**39, -(2**63), 1e-320, 1e308, -1e308),
    *(
        "F16",
        "float64",
        "int32",
        "uint8",
        "relu",
        "Dense",
        "sgd",
        "number",
        "category",
        "time",
    ),
    *([2**62, 4, 0], {"rows": [1, 0]}, {"rows": [2**39, -1]}, {"rows": [0, 5]}),
    *({"type": "Dropout", "rate": 0.5}, {"activation": "tanh"}, {"type": "L2"}),
    *({"object": {"type": "LayerNorm"}}, {"initializer": "zeros"}, "\ud7ff\U0001f600"),
    *(["float32", [2]], ["int32", []], "9" * 300, "%", "\n", "2020-01-01"),
)
DTYPES = ("float64", "float32", "int32", "uint32", "bool", "uint8")

Tensors = dict[str, Any]
Data = dict[str, Any]
Place = tuple[Any, Any]
"""A list or dict, and an index or key in it."""


# Bytes --------------------------------------------------------------------------------


def flip_bit(data: bytes, choose: random.Random) -> bytes:
    """One bit of the file turned over."""
    position = choose.randrange(len(data))
    altered = bytes([data[position] ^ 1 << choose.randrange(8)])
    return data[:position] + altered + data[position + 1 :]


def cut_end(data: bytes, choose: random.Random) -> bytes:
    """The file without some of its end."""
    return data[: choose.randrange(len(data))]


def insert_bytes(data: bytes, choose: random.Random) -> bytes:
    """Random bytes put somewhere into the file."""
    position = choose.randrange(len(data) + 1)
    return data[:position] + choose.randbytes(choose.randint(1, 9)) + data[position:]


def copy_range(data: bytes, choose: random.Random) -> bytes:
    """A piece of the file put over another, or left out."""
    start, end = sorted(choose.choices(range(len(data) + 1), k=2))
    position = choose.randrange(len(data))
    return data[:position] + data[start:end] + data[position + choose.randrange(99) :]


BYTES = (flip_bit, cut_end, insert_bytes, copy_range)


# The header ---------------------------------------------------------------------------


def join(header: bytes, payload: bytes) -> bytes:
    """A file of this header, padded as the format wants, and this payload."""
    header += b" " * (-(8 + len(header)) % 64)
    return len(header).to_bytes(8, "little") + header + payload


def split(data: bytes) -> tuple[bytes, bytes]:
    """The header without its padding, and the payload."""
    end = 8 + int.from_bytes(data[:8], "little")
    return data[8:end].rstrip(b" "), data[end:]


def edit_header_text(data: bytes, choose: random.Random) -> bytes:
    """A fragment of JSON put over some characters of the header."""
    header, payload = split(data)
    position = choose.randrange(len(header) + 1)
    fragment = choose.choice(FRAGMENTS).encode("utf-8", "surrogatepass")
    rest = header[position + choose.randrange(6) :]
    return join(header[:position] + fragment + rest, payload)


def edit_table(data: bytes, choose: random.Random) -> bytes:
    """Another number, text or key somewhere in the entry of a tensor."""
    header, payload = split(data)
    table = json.loads(header)
    name = choose.choice([name for name in table if name != "__metadata__"])
    replace_or_delete(table[name], choose)
    return join(dump(table), payload)


def edit_document(data: bytes, choose: random.Random) -> bytes:
    """Another value or key somewhere in the document."""
    header, payload = split(data)
    table = json.loads(header)
    document = json.loads(table["__metadata__"]["thalweg"])
    replace_or_delete(document, choose)
    table["__metadata__"]["thalweg"] = dump(document).decode()
    return join(dump(table), payload)


def edit_payload(data: bytes, choose: random.Random) -> bytes:
    """Other bytes in the payload, with their right digest in the document."""
    header, payload = split(data)
    altered = flip_bit(payload, choose)
    old, new = (hashlib.sha256(part).hexdigest() for part in (payload, altered))
    return join(header.replace(old.encode(), new.encode()), altered)


def dump(value: Any) -> bytes:
    """The value as the format writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *BYTES,
    *(edit_header_text, edit_table, edit_document, edit_payload),
)


def mutate(data: bytes, choose: random.Random) -> bytes:
    """The file after one to three mutations, the later ones of its bytes alone."""
    data = choose.choice(MUTATIONS)(data, choose)
    for mutation in choose.choices(BYTES, k=choose.choice((0, 0, 0, 1, 2))):
        data = mutation(data, choose) if data else data
    return data


# Plain data ---------------------------------------------------------------------------


def keys_of(data: Any) -> list[Any]:
    """The keys of an object, the indices of a list; none of anything else."""
    if isinstance(data, dict):
        return [*cast(Data, data)]
    return [*range(len(cast(list[Any], data)))] if isinstance(data, list) else []


def place_in(data: Any, choose: random.Random) -> Place | None:
    """Some place in nested lists and objects; all levels are about as likely."""
    place: Place | None = None
    while keys := keys_of(data):
        key = choose.choice(keys)
        place, data = (data, key), data[key]
        if choose.random() < 0.15:
            break
    return place


def another(value: Any, choose: random.Random) -> Any:
    """A value near this one, or a strange one."""
    if type(value) is int and choose.random() < 0.6:
        return value + choose.choice((-1, 1, 4, 2**31, 2**63))
    if type(value) is float and choose.random() < 0.6:
        return value * choose.choice((-1.0, 0.0, 1e-300, 1e30, 1e300))
    if type(value) is str and choose.random() < 0.4:
        return choose.choice((value + "x", value[:-1], value * 2, value.upper()))
    return copy.deepcopy(choose.choice(STRANGE))


def replace_or_delete(data: Any, choose: random.Random) -> None:
    """Another value at a place, or none."""
    if place := place_in(data, choose):
        container, key = place
        if choose.random() < 0.2:
            del container[key]
        else:
            container[key] = another(container[key], choose)


def duplicate(data: Any, choose: random.Random) -> None:
    """An item of a list twice, or a value under another key too."""
    if place := place_in(data, choose):
        container, key = place
        value = copy.deepcopy(container[key])
        if isinstance(container, dict):
            container[choose.choice([*keys_of(container), str(key) + "x"])] = value
        else:
            container.insert(key, value)


def swap(data: Any, choose: random.Random) -> None:
    """What stands at two places of the same list or object, exchanged."""
    if place := place_in(data, choose):
        container, key = place
        other = choose.choice(keys_of(container))
        container[key], container[other] = container[other], container[key]


def graft(data: Any, choose: random.Random) -> None:
    """What stands at one place put over what stands at another."""
    place, other = place_in(data, choose), place_in(data, choose)
    if place and other:
        place[0][place[1]] = copy.deepcopy(other[0][other[1]])


def everywhere(data: Any, choose: random.Random) -> None:
    """A number or text that stands at many places, another at all of them."""
    place = place_in(data, choose)
    if place and type(place[0][place[1]]) in (int, str):
        old = place[0][place[1]]
        new = another(old, choose)
        for container, key in scalars(data):
            if type(container[key]) is type(old) and container[key] == old:
                container[key] = copy.deepcopy(new)


def scalars(data: Any) -> Iterator[Place]:
    """Every place that holds neither list nor object."""
    for key in keys_of(data):
        if isinstance(data[key], dict | list):
            yield from scalars(data[key])
        else:
            yield data, key


# Programs -----------------------------------------------------------------------------


def programs_in(data: Any) -> Iterator[Data]:
    """Every traced program in a document."""
    keys = keys_of(data)
    if {"opcodes", "instructions"} <= set(keys):
        yield data
    for key in keys:
        yield from programs_in(data[key])


def change_program(data: Any, choose: random.Random) -> None:
    """Another opcode, another input, another output, or one instruction more."""
    programs = [program for program in programs_in(data) if program["instructions"]]
    if not programs:
        return
    program = choose.choice(programs)
    try:
        choose.choice(PROGRAM_CHANGES)(program, choose)
    except (TypeError, ValueError, AttributeError, LookupError):
        return  # an earlier mutation left no instruction


def other_opcode(program: Data, choose: random.Random) -> None:
    """Another opcode, which is listed, with its attributes as they are, or none."""
    instruction = choose.choice(program["instructions"])
    opcode = choose.choice([*PRIMITIVES])
    program["opcodes"][opcode] = PRIMITIVES[opcode].version
    instruction[0] = opcode
    if choose.random() < 0.5:
        names = PRIMITIVES[opcode].attributes
        values = [*instruction[2].values(), [0], 0, 1, True, "int32"]
        instruction[2] = {name: choose.choice(values) for name in names}


def other_input(program: Data, choose: random.Random) -> None:
    """An instruction reads another value."""
    count = len(program["inputs"]) + len(program["instructions"])
    inputs = choose.choice(program["instructions"])[1]
    inputs[choose.randrange(len(inputs))] = choose.randint(-1, count)


def other_output(program: Data, choose: random.Random) -> None:
    """The program gives another value."""
    count = len(program["inputs"]) + len(program["instructions"])
    program["outputs"][choose.choice([*program["outputs"], "y", "z"])] = (
        choose.randrange(count)
    )


def insert_instruction(program: Data, choose: random.Random) -> None:
    """One that comes between; what is read later is read from where it is now."""
    at = choose.randrange(len(program["instructions"]))
    place = len(program["inputs"]) + at
    for later in program["instructions"][at:]:
        later[1] = [n + (n >= place) for n in later[1]]
    outputs = program["outputs"]
    outputs |= {name: n + (n >= place) for name, n in outputs.items()}
    copied = copy.deepcopy(choose.choice(program["instructions"]))
    program["instructions"].insert(at, copied)
    if choose.random() < 0.7:
        copied[3] = [copied[3][0], copy.deepcopy(choose.choice(SHAPES))]
        copied[0], copied[2] = "broadcast", {"shape": copy.deepcopy(copied[3][1])}
        program["opcodes"]["broadcast"] = 1
        copied[1] = [choose.randrange(place)]


SHAPES: tuple[list[Any], ...] = (
    *([], [0], [1], [{"rows": [1, 0]}], [{"rows": [1, 0]}, 2**20]),
    *([{"rows": [1, 0]}, 3], [1009], [2**28], [2**20, 2**20], [1] * 9, [1] * 70),
    *([{"rows": [1, -1009]}], [{"rows": [2**20, 0]}], [{"rows": [0, 7]}, 0]),
)
PROGRAM_CHANGES = (
    *(other_opcode, other_opcode, other_input, other_input),
    *(other_output, insert_instruction),
)


# Tensors ------------------------------------------------------------------------------


def change_tensor(tensors: Tensors, choose: random.Random) -> None:
    """A tensor of another shape, type or name, or with other numbers, or none."""
    if not tensors:
        return
    name = choose.choice([*tensors])
    array = tensors[name]
    change = choose.randrange(7)
    if change == 0:
        del tensors[name]
    elif change == 1:
        other = choose.choice([*tensors])
        tensors[name], tensors[other] = tensors[other], array
    elif change == 2:
        tensors[name] = array.astype(choose.choice(DTYPES))
    elif change == 3:
        shape = list(array.shape) or [1]
        axis = choose.randrange(len(shape))
        shape[axis] = max(0, shape[axis] + choose.choice((-1, 1, 7)))
        tensors[name] = np.resize(array, shape)
    elif change == 4:
        shapes = [(-1,), (1, *array.shape), (*array.shape, 1), array.shape[::-1]]
        tensors[name] = array.reshape(choose.choice(shapes))
    elif change == 5:
        tensors[choose.choice((name + "x", "parameters/1.bias", "optimizer/9"))] = array
    else:
        tensors[name] = with_strange_numbers(array, choose)


def change_list(tensors: Tensors, choose: random.Random) -> None:
    """Other bytes, or elements in other places, in an array of a long list."""
    names = [name for name in tensors if name.startswith(LISTS) and tensors[name].size]
    if not names:
        return
    name = choose.choice(names)
    shape = tensors[name].shape
    array = tensors[name].reshape(-1).copy()
    first, second = (choose.randrange(array.size) for _ in range(2))
    change = choose.randrange(4)
    if change == 0:
        array[[first, second]] = array[[second, first]]
    elif change == 1:
        array[first] = array[second]
    elif change == 2:
        array = np.roll(array, choose.choice((-1, 1)))
    else:
        place = choose.randrange(array.nbytes)
        changed = bytearray(array.tobytes())
        changed[place] ^= 1 << choose.randrange(1 if array.dtype == np.bool_ else 8)
        array = np.frombuffer(bytes(changed), array.dtype)
    tensors[name] = array.reshape(shape)


def with_strange_numbers(array: Any, choose: random.Random) -> Any:
    """Some or all elements replaced."""
    numbers = (0, -1, 1, np.nan, np.inf, -np.inf, 1e300, -1e300, 1e-300, 2**31 - 1)
    number = choose.choice(numbers)
    changed = array.copy()
    where = np.array([choose.random() < 0.3 for _ in range(array.size)], np.bool_)
    with np.errstate(all="ignore"):
        value = np.float64(number).astype(array.dtype)
    changed.reshape(-1)[where] = value
    return changed


def resize(tensors: Tensors, document: Data, choose: random.Random) -> None:
    """A size replaced wherever it stands, in the document and in shapes of tensors."""
    sizes = sorted({n for array in tensors.values() for n in array.shape})
    if not sizes:
        return
    old = choose.choice(sizes)
    new = choose.choice((0, 1, old + 1, max(0, old - 1), 2 * old))
    for name, array in tensors.items():
        shape = [new if n == old else n for n in array.shape]
        tensors[name] = np.resize(array, shape) if array.size else np.zeros(shape)
        tensors[name] = tensors[name].astype(array.dtype)
    for container, key in scalars(document):
        if type(container[key]) is int and container[key] == old:
            container[key] = new


# All of it ----------------------------------------------------------------------------

PLAIN = (
    *(replace_or_delete, replace_or_delete, replace_or_delete),
    *(duplicate, swap, graft, everywhere, change_program, change_program),
)


def restructure(data: bytes, choose: random.Random) -> bytes:
    """A model with other content, in a file that is right in its form."""
    read, document = model_of(data)
    tensors: Tensors = dict(read)
    for _ in range(choose.choice((1, 1, 1, 2, 3))):
        chance = choose.random()
        if chance < 0.15:
            change_tensor(tensors, choose)
        elif chance < 0.25:
            resize(tensors, document, choose)
        elif chance < 0.4:
            change_list(tensors, choose)
        else:
            choose.choice(PLAIN)(document, choose)
    try:
        return model_bytes(tensors, document)
    except (ArgumentError, DtypeError, ModelFileError):
        return edit_header_text(data, choose)


def any_mutation(data: bytes, choose: random.Random) -> bytes:
    """What is broken in most files is what they say, in others their form."""
    return (restructure if choose.random() < 0.75 else mutate)(data, choose)
