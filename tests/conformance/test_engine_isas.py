"""Instruction sets: the best that there are, unless the environment says which."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from support.engine import every_isa
from thalweg import _engine
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


def doubling() -> NativeProgram:
    types = {"x": ArrayType((3,), "float32")}
    return NativeProgram(compile_program(trace(lambda a: {"y": a["x"] * 2}, types)), {})


@every_isa
def test_the_environment_restricts_the_instructions(
    isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THALWEG_ISA", isa)
    assert _engine.default_isa() == isa
    assert doubling().engine.isa == isa


@pytest.mark.parametrize("isa", ["mmx", "AVX2 ", "avx5120"])
def test_instructions_that_do_not_exist_are_an_error_that_names_what_does(
    isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THALWEG_ISA", isa)
    with pytest.raises(ValueError, match=isa) as caught:
        doubling()
    assert all(name in str(caught.value) for name in _engine.available())


def test_the_best_instructions_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THALWEG_ISA", raising=False)
    best = _engine.available()[0]
    assert _engine.default_isa() == best
    monkeypatch.setenv("THALWEG_ISA", "")
    assert doubling().engine.isa == best
    assert _engine.available()[-1] in ("baseline", "neon")


@every_isa
def test_every_instruction_set_trains_alike(
    isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THALWEG_ISA", isa)
    native = trained("native")
    monkeypatch.delenv("THALWEG_ISA")
    for name, array in trained("interpreter").parameters.items():
        assert_allclose(native.parameters[name], array, 1e-3, 1e-5)


def trained(engine: str) -> tw.Network:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(150, 5)), random.integers(0, 3, 150)
    network = tw.Network([tw.Dense(16, "relu"), tw.Dense(3, "softmax")])
    network.fit(X, y, epochs=3, validation=None, engine=engine)
    return network
