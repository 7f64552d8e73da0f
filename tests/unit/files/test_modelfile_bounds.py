"""What a file asks for is bounded before any of it is made."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ModelFileError
from thalweg.files.modelfile import read_model, write_model

ROWS: Any = {"rows": [1, 0]}
EMBEDDING: dict[str, Any] = {
    "type": "Embedding",
    "categories": 1,
    "dimension": 1024,
    "initializer": "normal",
}


def file_with(folder: Path, layers: list[Any], **tensors: Any) -> Path:
    """A network of one input with these layers, described as in a file."""
    path = folder / "a.thalweg"
    tw.Network([tw.Dense(1)]).initialize(1).save(path)
    old, document = read_model(path)
    document["network"]["layers"] = layers
    history = {name: old[name] for name in ("history", "times")}
    write_model(path, history | tensors, document)
    return path


def columns(width: int, times: int) -> dict[str, Any]:
    """A layer that gives all its columns many times, without any parameter."""
    return {"type": "Columns", "parts": [[0, width, None]] * times}


def program(*instructions: list[Any], **opcodes: int) -> dict[str, Any]:
    """A program of one number a row whose last instruction is what it gives."""
    return {
        "opcodes": opcodes,
        "inputs": {"x": ["float32", [ROWS, 1]]},
        "instructions": list(instructions),
        "outputs": {"y": len(instructions)},
    }


def traced(prediction: dict[str, Any]) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return {
        "type": "traced",
        "name": "mine",
        "parameters": nothing,
        "state": nothing,
        "prediction": prediction,
    }


DROPOUT = {"type": "Dropout", "rate": 0.5}
MANY: dict[str, list[Any]] = {
    "layers": [DROPOUT] * 513,
    "columns": [columns(1, 8 * 512)],
    "columns inside columns": [
        {"type": "Columns", "parts": [[0, 1, {"object": columns(1, 4000)}]] * 2}
    ],
    "layers inside columns": [
        {"type": "Columns", "parts": [[0, 1, {"object": DROPOUT}]] * 500}
    ],
}


@pytest.mark.parametrize("name", MANY)
def test_layers_that_would_take_long_to_trace_are_refused(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match="there may be 512 layers"):
        tw.load(file_with(tmp_path, MANY[name]))


def test_as_many_layers_as_there_may_be_are_read(tmp_path: Path) -> None:
    loaded = tw.load(file_with(tmp_path, [DROPOUT] * 512))
    assert isinstance(loaded, tw.Network)
    assert loaded.predict(np.ones((2, 1))).tolist() == [[1.0], [1.0]]
    loaded.save(tmp_path / "b.thalweg")
    too_many = tw.Network([*loaded.layers, tw.Dropout(0.5)]).initialize(1)
    with pytest.raises(ModelFileError, match="there may be 512 layers"):
        too_many.save(tmp_path / "b.thalweg")


def test_small_layers_that_make_rows_huge_are_refused(tmp_path: Path) -> None:
    """A file of some kilobytes would ask for gigabytes at the first prediction."""
    repeated = [columns(1, 1000), columns(1000, 1000), columns(10**6, 1000)]
    with pytest.raises(ModelFileError, match=r"16,777,216 numbers for a row, got 1,0"):
        tw.load(file_with(tmp_path, repeated))
    tables = {f"parameters/{i}.table": np.ones((1, 1024), "f4") for i in (1, 2, 3)}
    with pytest.raises(ModelFileError, match="16,777,216 numbers for a row"):
        tw.load(file_with(tmp_path, [EMBEDDING] * 3, **tables))


def padded(size: int, times: int) -> dict[str, Any]:
    """Each row set into so many zeros, then exp so often, then summed again."""
    wide = [ROWS, size]
    attributes = {"starts": [0, 0], "steps": [1, 1], "shape": wide}
    steps: list[Any] = [["pad", [0], attributes, ["float32", wide]]]
    steps += [["exp", [i], {}, ["float32", wide]] for i in range(1, times + 1)]
    steps += [["sum", [times + 1], {"axes": [1]}, ["float32", [ROWS, 1]]]]
    return program(*steps, exp=1, pad=1, sum=1)


def test_a_program_that_computes_too_much_is_refused(tmp_path: Path) -> None:
    for size, times in ((2**25, 1), (2**20, 17)):
        with pytest.raises(ModelFileError, match="elements for 1,009 rows"):
            tw.load(file_with(tmp_path, [traced(padded(size, times))]))
    loaded = tw.load(file_with(tmp_path, [traced(padded(2**10, 3))]))
    assert isinstance(loaded, tw.Network)
    assert np.isfinite(loaded.predict(np.full((2, 1), -1.0))).all()


def test_what_a_program_computes_whatever_the_rows_is_counted_for_few(
    tmp_path: Path,
) -> None:
    """The rows that it is checked for would otherwise hide it."""
    wide = [1, 2**28]
    attributes = {"starts": [0, 0], "steps": [1, 1], "shape": wide}
    one = {"starts": [0, 0], "stops": [1, 1], "steps": [1, 1]}
    steps: list[Any] = [
        ["slice", [0], one, ["float32", [1, 1]]],
        ["pad", [1], attributes, ["float32", wide]],
        ["sum", [2], {"axes": [1]}, ["float32", [1, 1]]],
        ["broadcast", [3], {"shape": [ROWS, 1]}, ["float32", [ROWS, 1]]],
    ]
    data = program(*steps, broadcast=1, pad=1, slice=1, sum=1)
    with pytest.raises(ModelFileError, match="elements for 1 row,"):
        tw.load(file_with(tmp_path, [traced(data)]))


def test_products_are_counted_by_their_multiplications(tmp_path: Path) -> None:
    size = 2**13
    attributes = {"starts": [0, 0], "steps": [1, 1], "shape": [ROWS, size]}
    squares = {"starts": [0, 0], "steps": [1, 1], "shape": [size, size]}
    one = {"starts": [0, 0], "stops": [1, 1], "steps": [1, 1]}
    no = {"transpose_a": False, "transpose_b": False}
    steps: list[Any] = [
        ["pad", [0], attributes, ["float32", [ROWS, size]]],
        ["slice", [0], one, ["float32", [1, 1]]],
        ["pad", [2], squares, ["float32", [size, size]]],
    ]
    for number in range(20):
        last = 1 if number == 0 else 3 + number
        steps.append(["matmul", [last, 3], no, ["float32", [ROWS, size]]])
    steps.append(["sum", [len(steps)], {"axes": [1]}, ["float32", [ROWS, 1]]])
    data = program(*steps, matmul=1, pad=1, slice=1, sum=1)
    with pytest.raises(ModelFileError, match="elements for 1,009 rows"):
        tw.load(file_with(tmp_path, [traced(data)]))


def kept_together(count: int) -> dict[str, Any]:
    """So many values of 4 MiB, each made of the one before; at last all are added."""
    size = 2**20
    large = ["float32", [1, size]]
    one = {"rows": [0, 1], "dtype": "float32", "rank": 2}
    room = {"starts": [0, 0], "steps": [1, 1], "shape": [1, size]}
    steps: list[Any] = [
        ["constant", [], {"value": one}, ["float32", [1, 1]]],
        ["pad", [1], room, large],
        *[["sin", [2 + place], {}, large] for place in range(count - 1)],
    ]
    for place in range(count - 1):
        steps.append(["add", [len(steps), 2 + place], {}, large])
    steps += [
        ["sum", [len(steps)], {"axes": [1]}, ["float32", [1, 1]]],
        ["broadcast", [len(steps) + 1], {"shape": [ROWS, 1]}, ["float32", [ROWS, 1]]],
        ["add", [0, len(steps) + 2], {}, ["float32", [ROWS, 1]]],
    ]
    return program(*steps, add=1, broadcast=1, constant=1, pad=1, sin=1, sum=1)


def test_a_program_that_needs_much_memory_is_refused(tmp_path: Path) -> None:
    loaded = tw.load(file_with(tmp_path, [traced(kept_together(15))]))
    assert isinstance(loaded, tw.Network)
    assert np.isfinite(loaded.predict(np.ones((3, 1)))).all()
    with pytest.raises(ModelFileError, match="67,108,864 bytes for a row"):
        tw.load(file_with(tmp_path, [traced(kept_together(20))]))


def kept(size: int, place: int) -> dict[str, Any]:
    """A row times so many numbers that don't depend on it, summed."""
    large, wide = ["float32", [1, size]], ["float32", [ROWS, size]]
    one = {"rows": [0, 1], "dtype": "float32", "rank": 2}
    room = {"starts": [0, place], "steps": [1, 1], "shape": [1, size]}
    return program(
        ["constant", [], {"value": one}, ["float32", [1, 1]]],
        ["pad", [1], room, large],
        ["sin", [2], {}, large],
        ["broadcast", [0], {"shape": wide[1]}, wide],
        ["broadcast", [3], {"shape": wide[1]}, wide],
        ["multiply", [4, 5], {}, wide],
        ["sum", [6], {"axes": [1]}, ["float32", [ROWS, 1]]],
        broadcast=1, constant=1, multiply=1, pad=1, sin=1, sum=1,
    )  # fmt: skip


def test_what_layers_keep_for_all_rows_is_bounded_together(tmp_path: Path) -> None:
    each = [traced(kept(2**20, place)) for place in range(17)]
    loaded = tw.load(file_with(tmp_path, each[:2]))
    assert isinstance(loaded, tw.Network)
    assert loaded.predict(np.ones((3, 1))).shape == (3, 1)
    with pytest.raises(ModelFileError, match="67,108,864 bytes whatever the rows"):
        tw.load(file_with(tmp_path, each))


def test_a_network_that_gives_much_for_a_row_is_refused(tmp_path: Path) -> None:
    tw.load(file_with(tmp_path, [columns(1, 1000), columns(1000, 2000)]))
    with pytest.raises(ModelFileError, match="give 2,097,152 numbers for a row"):
        tw.load(file_with(tmp_path, [columns(1, 1000), columns(1000, 2100)]))
    given = {"units": 2**21 + 1, "activation": "identity", "initializer": None}
    weights = np.zeros((1, 2**21 + 1), np.float32)
    layer = {"type": "Dense", **given, "bias": False}
    tw.load(file_with(tmp_path, [layer], **{"parameters/1.weights": weights}))


def test_rows_that_are_large_are_predicted_few_at_a_time(tmp_path: Path) -> None:
    """A block of 32 of them would take 128 MiB, and 1,000 at once 4 GiB."""
    layers = [columns(1, 1000), columns(1000, 1000), traced_sum(10**6)]
    loaded = tw.load(file_with(tmp_path, layers))
    assert isinstance(loaded, tw.Network)
    X = np.arange(40.0).reshape(-1, 1)
    for engine in ("native", "interpreter"):
        tracemalloc.start()
        found = loaded.predict(X, engine=engine)
        assert tracemalloc.get_traced_memory()[1] < 200 * 2**20
        tracemalloc.stop()
        np.testing.assert_allclose(found, 1e6 * X, rtol=1e-4)


@pytest.mark.parametrize("units", [2**40, 2**61, 2**63, 10**30])
def test_layers_that_no_memory_holds_are_refused(units: int, tmp_path: Path) -> None:
    wide = {"type": "Dense", "units": units, "activation": {"activation": "tanh"}}
    embedding = {**EMBEDDING, "categories": units}
    for layer in ({**wide, "bias": True, "initializer": None}, embedding):
        with pytest.raises(ModelFileError, match=r"\.thalweg: "):
            tw.load(file_with(tmp_path, [layer]))


SUMMED: dict[str, Any] = {"size": 2, "stride": 1, "padding": "same"}
TURNED: dict[str, Any] = {"shift": 0, "flip": None, "rotate": 30.0, "noise": 0.0}
HELD: dict[str, tuple[dict[str, Any], list[int]]] = {
    "counts": ({"type": "MeanPool", **SUMMED}, [3_000_000, 1]),
    "counts of any size": ({"type": "MeanPool", **SUMMED}, [2**31, 1]),
    "counts of both sides": ({"type": "MeanPool", **SUMMED}, [2**16, 2**16, 1]),
    "wide images": ({"type": "Augment", **TURNED}, [1, 8_000_000, 1]),
    "high images": ({"type": "Augment", **TURNED}, [8_000_000, 1, 1]),
}
"""Layers whose formulas hold numbers for each place of a row, and rows of many."""


def of_rows(path: Path, shape: list[int]) -> Path:
    """The file, which says that its network takes rows of this shape."""
    tensors, document = read_model(path)
    document["network"]["input_shape"] = shape
    write_model(path, tensors, document)
    return path


@pytest.mark.parametrize("name", HELD)
def test_what_formulas_hold_is_bounded(name: str, tmp_path: Path) -> None:
    layer, shape = HELD[name]
    path = of_rows(file_with(tmp_path, [layer, {"type": "GlobalMean"}]), shape)
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=r"2,097,152 places|65,536 places al"):
        tw.load(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_the_most_that_formulas_may_hold_takes_little(tmp_path: Path) -> None:
    pool = {"type": "MeanPool", **SUMMED}
    path = of_rows(file_with(tmp_path, [pool, {"type": "GlobalMean"}]), [2**21, 1])
    tracemalloc.start()
    tw.load(path)
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    tracemalloc.stop()


def traced_sum(size: int) -> dict[str, Any]:
    """The sum of so many numbers of a row."""
    last = ["sum", [0], {"axes": [1]}, ["float32", [ROWS, 1]]]
    data = program(last, sum=1)
    data["inputs"] = {"x": ["float32", [ROWS, size]]}
    return traced(data)


def test_arrays_of_many_axes_are_refused(tmp_path: Path) -> None:
    deep = [ROWS, *[1] * 40]
    steps: list[Any] = [
        ["reshape", [0], {"shape": deep}, ["float32", deep]],
        ["reshape", [1], {"shape": [ROWS, 1]}, ["float32", [ROWS, 1]]],
    ]
    with pytest.raises(ModelFileError, match="may have 32 axes"):
        tw.load(file_with(tmp_path, [traced(program(*steps, reshape=1))]))
