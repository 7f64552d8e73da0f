"""Editors complete settings, and pyright checks them: here it has to find mistakes.

A comment that ignores an error which isn't there is an error itself in this file, so
``scripts/check`` is red where a wrong name or type is no longer found.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from collections.abc import Callable
from dataclasses import fields
from inspect import signature
from typing import Any, get_args, get_type_hints

import pytest

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.search.sweep import NOT_OF_SWEEPS, FitSettings
from thalweg.tabular.settings import LISTS, Settings, TrainSettings

PENGUINS = "examples/penguins.csv"
HINTS = get_type_hints(Settings)
GIVEN = get_type_hints(TrainSettings)
KEPT = {each.name: HINTS[each.name] for each in fields(Settings)}


def test_each_setting_can_be_given_and_nothing_else() -> None:
    assert list(GIVEN) == list(KEPT)


@pytest.mark.parametrize("name", sorted(KEPT.keys() - {*LISTS, "layers"}))
def test_a_setting_is_given_as_it_is_kept(name: str) -> None:
    assert GIVEN[name] == KEPT[name]


@pytest.mark.parametrize("name", [*LISTS, "layers"])
def test_several_are_kept_as_a_tuple_and_given_as_any_that_hold_such(name: str) -> None:
    (kept, _) = get_args(KEPT[name])
    wide = GIVEN[name]
    given = [args for each in (wide, *get_args(wide)) if (args := get_args(each))]
    assert (kept,) in given


def test_a_sweep_takes_the_arguments_of_fit() -> None:
    fit, own = get_type_hints(tw.Network.fit), get_type_hints(FitSettings)
    del own["learning_rate"]  # the optimizer's
    names = [each for each in signature(tw.Network.fit).parameters if each in own]
    assert own == {name: fit[name] for name in names}
    assert {*names, *NOT_OF_SWEEPS} == set(signature(tw.Network.fit).parameters)


def trained_wrongly() -> None:
    tw.train(PENGUINS, "species", epoch=3)  # pyright: ignore[reportCallIssue]
    tw.train(PENGUINS, "species", epochs="3")  # pyright: ignore[reportArgumentType]
    tw.train(PENGUINS, "species", layers=8)  # pyright: ignore[reportArgumentType]


def tuned_wrongly() -> None:
    tw.tune(PENGUINS, "species", epoch=3)  # pyright: ignore[reportCallIssue]
    tw.tune(PENGUINS, "species", seed="a")  # pyright: ignore[reportArgumentType]


def swept_wrongly() -> None:
    over = {"seed": [0]}
    tw.sweep([], [[1.0]], [1.0], over=over, epoch=3)  # pyright: ignore[reportCallIssue]
    tw.sweep([], [[1.0]], [1.0], over=over, epochs="3")  # pyright: ignore[reportArgumentType]


def inspected_wrongly() -> None:
    tw.inspect(PENGUINS, categroy="year")  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    "wrongly", [trained_wrongly, tuned_wrongly, swept_wrongly, inspected_wrongly]
)
def test_what_pyright_finds_is_an_error_too(wrongly: Callable[[], None]) -> None:
    with pytest.raises(ArgumentError, match="did you mean"):
        wrongly()


def given_rightly() -> list[Any]:
    """What may be given in several ways, to pyright's content."""
    return [
        tw.train(PENGUINS, "species", layers=[8, 4], ignore="year", epochs=1),
        tw.train(PENGUINS, "species", missing={"sex": ["?", "n/k"]}, date=["day"]),
        tw.tune(PENGUINS, "species", layers=(8,), class_weight={"Adelie": 2.0}),
        tw.sweep([], [[1.0]], [1.0], over=[{"seed": 1}], optimizer=tw.SGD(0.1)),
    ]
