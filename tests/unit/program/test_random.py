"""Random bits: the published vectors, and what a draw depends on."""

import numpy as np
import pytest

from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.random import philox, random_bits
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype

ONES = 0xFFFFFFFF
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
PI_KEY = (0xA4093822, 0x299F31D0)
# Known answers published with Random123 for philox4x32-10.
KNOWN = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (PI, PI_KEY, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(
    counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]
) -> None:
    column = np.array(counter, np.uint64).reshape(4, 1)
    assert tuple(philox(column, key)[:, 0].tolist()) == words


def test_many_counters_at_once_are_one_after_the_other() -> None:
    counters = np.random.default_rng(0).integers(0, 2**32, (4, 9), dtype=np.uint64)
    together = philox(counters, (1, 2))
    for i in range(9):
        np.testing.assert_array_equal(
            together[:, i : i + 1], philox(counters[:, i : i + 1], (1, 2))
        )


@pytest.mark.parametrize("shape", [(), (1,), (7,), (5, 9), (2, 3, 7)])
def test_an_element_is_the_same_whatever_the_total(shape: tuple[int, ...]) -> None:
    long = random_bits(3, 4, 5, (1000,))
    drawn = random_bits(3, 4, 5, shape)
    assert drawn.shape == shape
    assert drawn.dtype == np.uint32
    np.testing.assert_array_equal(drawn.reshape(-1), long[: drawn.size])


def test_no_elements() -> None:
    assert random_bits(0, 0, 0, (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("other", [(1, 4, 5), (3, 1, 5), (3, 4, 1)])
def test_seed_step_and_operation_each_give_other_bits(
    other: tuple[int, int, int],
) -> None:
    assert np.mean(random_bits(3, 4, 5, (1000,)) == random_bits(*other, (1000,))) < 0.01


def uniform(shape: tuple[int, ...], dtype: Dtype = "float32") -> np.ndarray:
    program = trace(
        lambda a: {"y": ops.random_uniform(a["seed"], a["step"], 2, shape, dtype)},
        {"seed": ArrayType((), "uint32"), "step": ArrayType((), "int32")},
    )
    return interpret(program, {"seed": 7, "step": 1})["y"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers_fill_the_unit_interval_evenly(dtype: Dtype) -> None:
    drawn = uniform((100_000,), dtype)
    assert drawn.dtype == dtype
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=100, range=(0, 1))[0]
    # χ² with 99 degrees of freedom: 99 on average, above 180 once in a million.
    assert np.sum((counts - 1000) ** 2 / 1000) < 180
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02


def test_uniform_numbers_are_the_upper_24_bits() -> None:
    drawn = uniform((4096,))
    np.testing.assert_array_equal(drawn * 2.0**24 % 1, 0)
    bits = random_bits(7, 1, 2, (4096,))
    np.testing.assert_array_equal(drawn, (bits >> 8).astype(np.float64) / 2**24)


def test_large_seed_and_negative_step_wrap() -> None:
    np.testing.assert_array_equal(
        random_bits(2**32 + 5, -1, 0, (4,)), random_bits(5, 2**32 - 1, 0, (4,))
    )
