"""Programs that are compiled once for all runs of the same structure."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.model import programs
from thalweg.model.programs import (
    LASTING,
    MOST_KEPT,
    Programs,
    compiled_once,
    is_own,
)
from thalweg.training import execution

X = np.random.default_rng(0).normal(size=(50, 3))
Y = (X.sum(axis=1) > 0).astype(np.int64)
WEIGHTS = np.linspace(0.5, 2, 50)
HIDDEN = tw.Dense(4, "tanh")

Fit = Callable[[], tw.Network]


def fitted(
    layers: tuple[tw.Layer, ...] = (HIDDEN,), X: Any = X, **settings: Any
) -> tw.Network:
    network = tw.Network([*layers, tw.Dense(2, "softmax")])
    how: dict[str, Any] = {"epochs": 2, "batch_size": 16, "validation": 0.2}
    network.fit(X, Y, **how | settings)
    return network


def answers(network: tw.Network) -> list[Any]:
    history = [vars(record) for record in network.history.epochs]
    for record in history:
        record.pop("seconds", None)
    rows = np.ones((3, *network.shapes.outputs[0]))
    arrays = [*network.parameters.values(), network.predict(rows)]
    return [history, [array.tobytes() for array in arrays]]


VARIANTS: dict[str, Fit] = {
    "plain": fitted,
    "rate": partial(fitted, optimizer=tw.Adam(0.1)),
    "beta": partial(fitted, optimizer=tw.Adam(beta1=0.5)),
    "rule": partial(fitted, optimizer=tw.SGD(0.1, momentum=0.9)),
    "decayed": partial(fitted, optimizer=tw.SGD(tw.ExponentialDecay(0.1, 0.5))),
    "penalty": partial(fitted, penalty=tw.L2(0.1)),
    "other penalty": partial(fitted, penalty=tw.L1(0.1)),
    "clipped": partial(fitted, clip_norm=0.01),
    "weighted": partial(fitted, sample_weight=WEIGHTS),
    "batches": partial(fitted, batch_size=7),
    "no rows held out": partial(fitted, validation=None),
    "double": partial(fitted, dtype="float64"),
    "seed": partial(fitted, seed=7),
    "activation": partial(fitted, (tw.Dense(4, "relu"),)),
    "slope": partial(fitted, (tw.Dense(4, partial(tw.leaky_relu, slope=0.5)),)),
    "width": partial(fitted, (tw.Dense(5, "tanh"),)),
    "no bias": partial(fitted, (tw.Dense(4, "tanh", bias=False),)),
    "dropout": partial(fitted, (HIDDEN, tw.Dropout(0.5))),
    "less dropout": partial(fitted, (HIDDEN, tw.Dropout(0.1))),
    "columns": partial(fitted, X=X[:, :2]),
}


@pytest.mark.parametrize("names", [list(VARIANTS), list(reversed(VARIANTS))])
def test_a_run_is_the_same_after_any_other(
    monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    monkeypatch.setattr(programs, "LASTING", Programs())
    found = {name: answers(VARIANTS[name]()) for name in names}
    for name in names:
        monkeypatch.setattr(programs, "LASTING", Programs())
        assert found[name] == answers(VARIANTS[name]()), name
    assert len({repr(each) for each in found.values()}) == len(VARIANTS)


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that compiled something."""
    called: list[str] = []

    def counting(name: str) -> Callable[..., Any]:
        compile = getattr(execution, name)

        def compiling(*arguments: Any) -> Any:
            called.append(name)
            return compile(*arguments)

        return compiling

    for name in ("compile_rows", "compile_any_rows"):
        monkeypatch.setattr(execution, name, counting(name))
    return called


def test_the_second_run_compiles_nothing(compilations: list[str]) -> None:
    first = answers(fitted())
    # A step of 16 rows and one of 8, scores, predictions.
    assert sorted(compilations) == ["compile_any_rows"] * 2 + ["compile_rows"] * 2
    compilations.clear()
    assert answers(fitted()) == first
    assert not compilations


def test_a_formula_of_ones_own_is_followed_where_it_changes() -> None:
    slope = 0.1

    def leaky(z: Any) -> Any:
        return tw.where(z > 0, z, slope * z)

    def anew() -> list[Any]:
        LASTING.clear()
        return answers(fitted((tw.Dense(4, leaky),)))

    before = answers(fitted((tw.Dense(4, leaky),)))
    slope = 0.9
    after = answers(fitted((tw.Dense(4, leaky),)))
    assert before != after
    assert after == anew()


@dataclass(frozen=True)
class Twice(tw.Layer):
    """A user's own layer."""

    def forward(self, x: Any, p: Any) -> Any:
        return 2 * x


class Steps(tw.SGD):
    """A user's own rule."""


@pytest.mark.parametrize(
    ("part", "own"),
    [
        (("step", (tw.Dense(3, "relu"), tw.Dropout(0.5)), tw.Adam(0.1), None), True),
        ((tw.Dense(3, tw.tanh), tw.L2(0.1), tw.cross_entropy, 0.5, True), True),
        ((tw.Dense(3, lambda z: z),), False),
        ((tw.Dense(3, np.tanh),), False),
        ((tw.Dense(3, partial(tw.leaky_relu, slope=0.5)),), False),
        ((tw.Dense(3), Twice()), False),
        ((tw.Dense(3), Steps(0.1)), False),
        ((np.float64(0.5),), False),
        (([1],), False),
    ],
)
def test_what_is_thalwegs_own(part: object, own: bool) -> None:
    assert is_own(part) is own


def test_what_was_used_last_is_kept() -> None:
    few = Programs(most=2)
    for key in ("a", "b", "a", "c"):
        assert few.compiled(key, lambda key=key: key) == key
    assert few.compiled("a", lambda: "made again") == "a"
    assert few.compiled("b", lambda: "made again") == "made again"


def test_that_there_is_none_is_known_too() -> None:
    known = Programs()
    assert known.compiled("key", lambda: None) is None
    assert known.compiled("key", lambda: "made again") is None


@pytest.mark.parametrize("error", [TypeError, KeyError])
def test_an_error_of_a_formula_comes_once(error: type[Exception]) -> None:
    calls: list[int] = []

    def make() -> None:
        calls.append(1)
        raise error

    known = Programs()
    with pytest.raises(error):
        known.compiled("key", make)
    assert calls == [1]
    assert known.compiled("key", lambda: "made") == "made"


def test_not_more_than_some_are_kept_for_the_process() -> None:
    for number in range(2 * MOST_KEPT):
        compiled_once(("step", number), lambda number=number: number)
    made = [compiled_once(("step", n), lambda: -1) for n in range(2 * MOST_KEPT)]
    assert made.count(-1) >= MOST_KEPT


def test_what_cannot_be_told_by_its_value_is_made_anew() -> None:
    holding: Any = ("step", [1])
    assert [compiled_once(holding, lambda n=n: n) for n in (1, 2)] == [1, 2]
    shared = Programs()
    assert [compiled_once(holding, lambda n=n: n, shared) for n in (1, 2)] == [1, 2]


@pytest.mark.parametrize("on", [True, False])
def test_garbage_collection_waits_and_is_left_as_it_was(on: bool) -> None:
    seen: list[bool] = []

    def make() -> None:
        seen.append(gc.isenabled())
        raise ValueError("a formula")

    before = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        with pytest.raises(ValueError, match="a formula"):
            compiled_once(("of a test", object()), make)
        assert (seen, gc.isenabled()) == ([False], on)
    finally:
        (gc.enable if before else gc.disable)()
