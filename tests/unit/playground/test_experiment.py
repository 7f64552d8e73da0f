"""An experiment is plain data, an address, and a run of fit."""

import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError
from thalweg.playground.datasets import SOURCES
from thalweg.playground.experiment import (
    ACTIVATIONS,
    FIELDS,
    Experiment,
    Hidden,
    choices,
)
from thalweg.playground.fields import Choice, Number, OrNone
from thalweg.playground.rows import data_of
from thalweg.playground.setup import session_of

GENERATED = [name for name, source in SOURCES.items() if source.recipe is not None]
LINES = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=60)


def values_of(field: Any) -> st.SearchStrategy[Any]:
    match field:
        case Number(low=low, high=high, whole=True):
            return st.integers(int(low), int(high))
        case Number(low=low, high=high):
            return st.floats(low, high)
        case OrNone(number=number):
            return st.none() | values_of(number)
        case Choice(options=options):
            return st.sampled_from([*options])
        case _:
            return LINES.filter(str.isprintable)


LAYERS = st.builds(
    Hidden,
    st.integers(1, 16),
    st.sampled_from([*ACTIVATIONS.options]),
    st.floats(0, 0.9),
)
POINTS = st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.sampled_from([0, 1]))
EXPERIMENTS = st.builds(
    Experiment,
    layers=st.lists(LAYERS, max_size=6).map(tuple),
    points=st.lists(POINTS, max_size=5).map(tuple),
    **{name: values_of(field) for name, field in FIELDS.items()},
)


@given(EXPERIMENTS)
def test_plain_data_gives_the_same_experiment(experiment: Experiment) -> None:
    text = json.dumps(experiment.to_dict(), allow_nan=False)
    assert Experiment.from_dict(json.loads(text)) == experiment


@given(EXPERIMENTS)
def test_an_address_gives_the_same_experiment(experiment: Experiment) -> None:
    query = experiment.to_query()
    assert Experiment.from_query(query) == experiment
    assert query.isascii()
    assert not set(query) & set(" #\"'<>\\^`{|}")


def test_the_usual_settings_have_an_empty_address() -> None:
    assert Experiment().to_query() == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"datta": "moons"}, "'datta': did you mean 'data'?"),
        ({"data": "moon"}, "did you mean 'moons'?"),
        ({"data": ["moons"]}, "data must be one of moons"),
        ({"noise": 2}, "noise must be a number from 0 to 1, got 2"),
        ({"noise": float("nan")}, "noise must be a number"),
        ({"noise": True}, "noise must be a number"),
        ({"epochs": 1.5}, "epochs must be a whole number from 1 to 1000, got 1.5"),
        ({"epochs": 10**30}, "epochs must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"patience": 0}, "patience must be a whole number"),
        ({"layers": "8:tanh"}, "layers must be a list, got 'str'"),
        ({"layers": [{"unit": 3}]}, "a layer must be an object with"),
        ({"layers": [7]}, "a layer must be an object"),
        ({"layers": [{"units": 17}]}, "units must be a whole number from 1 to 16"),
        ({"layers": [{}] * 7}, "layers must be at most 6, got 7"),
        ({"points": [[0, 0]]}, "a point must be"),
        ({"points": [[0, 0, 2]]}, "a point must be"),
        ({"points": [[0, float("inf"), 1]]}, "a point must be"),
        ({"points": [[0, 0, 1]] * 401}, "points must be at most 400"),
        ({"formula": "x1\nx2"}, "formula must be a line"),
        ({"formula": "x" * 201}, "formula must be a line of at most 200"),
        ({1: 2}, "no setting 1"),
    ],
)
def test_what_cant_be_is_refused_by_name(data: Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Experiment.from_dict(data)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("noise=a", "noise must be a number from 0 to 1, got 'a'"),
        ("noise=1&noise=0", "settings must be given once each"),
        ("layers=8:tanh:0:1", "a layer must be units:activation:dropout"),
        ("layers=x", "units must be a whole number"),
        ("points=1,2", "a point must be x,y,class"),
        ("token=abc", "no setting 'token'"),
    ],
)
def test_an_address_that_cant_be_is_refused(query: str, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Experiment.from_query(query)
    assert words in str(caught.value)


def test_a_page_is_told_of_every_setting() -> None:
    told = choices()
    names = {field.name for field in fields(Experiment)}
    assert names - {"layers", "points"} <= set(told)
    json.dumps(told, allow_nan=False)


# Rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATED)
def test_the_first_rows_stay_when_there_are_more(name: str) -> None:
    few, many = (
        data_of(Experiment(data=name, training_rows=rows, validation_rows=rows))
        for rows in (30, 90)
    )
    for part in ("training", "validation"):
        for small, large in zip(getattr(few, part), getattr(many, part), strict=True):
            np.testing.assert_array_equal(small, large[:30])


@pytest.mark.parametrize("name", [*GENERATED, "penguins", "digits", "formula"])
def test_rows_are_those_of_their_seed_and_in_one_part_each(name: str) -> None:
    data, again = (data_of(Experiment(data=name)) for _ in range(2))
    other = data_of(Experiment(data=name, data_seed=1))
    for part in ("training", "validation", "test"):
        X, y = getattr(data, part)
        assert X.dtype == np.float32
        assert len(X) == len(y) >= 80
        np.testing.assert_array_equal(X, getattr(again, part)[0])
        assert (getattr(other, part)[0] != X).any()
        assert np.abs(X).max() < 6
    every = [getattr(data, part)[0] for part in ("training", "validation", "test")]
    if name != "penguins":  # of which two may have the same measurements
        rows = np.concatenate(every)
        assert len(np.unique(rows, axis=0)) == len(rows)


def test_classes_lie_as_they_are_told_to() -> None:
    def rows(**settings: Any) -> tuple[Any, Any]:
        return data_of(replace(Experiment(noise=0), **settings)).training

    points, kind = rows(data="circles")
    radius = np.hypot(*points.T)
    np.testing.assert_allclose(radius[kind == 0], 2, atol=1e-5)
    assert radius[kind == 1].max() <= 1
    points, kind = rows(data="xor")
    np.testing.assert_array_equal(points.prod(axis=1) > 0, kind == 1)
    points, kind = rows(data="formula", formula="x1 > x2")
    np.testing.assert_array_equal(points[:, 0] > points[:, 1], kind == 1)
    points, told = rows(data="formula", formula="2*x1 - x2")
    expected = 2 * points[:, 0] - points[:, 1]
    np.testing.assert_allclose(told, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"formula": "x1 > 99"}, "true for some points and false for others"),
        ({"formula": "log(x1)"}, "a finite number for each point"),
        ({"formula": "3"}, "which is one for all"),
        ({"data": "drawn"}, "at least 4 of each class, got 0"),
        ({"data": "penguins", "training_rows": 300}, "at most 292 together"),
    ],
)
def test_rows_that_cant_be_are_refused(settings: Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        data_of(replace(Experiment(data="formula"), **settings))
    assert words in str(caught.value)


# Runs ---------------------------------------------------------------------------------


def test_the_first_experiment_learns_at_once() -> None:
    """90% of the validation rows by epoch 60: in four seconds at the usual speed."""
    for seed in range(20):
        experiment = Experiment(seed=seed)
        session = session_of(experiment, data_of(experiment))
        records = [session.epoch().validation_metrics for _ in range(60)]
        assert max(each["accuracy"] for each in records) >= 0.9, seed


@pytest.mark.parametrize("name", ["optimizer", "schedule", "initializer", "loss"])
def test_every_choice_runs(name: str) -> None:
    field = FIELDS[name]
    assert isinstance(field, Choice)
    for option in field.options:
        experiment = replace(Experiment(l1=1e-4, l2=1e-4), **{name: option})
        session = session_of(experiment, data_of(experiment))
        assert np.isfinite(session.epoch().training_loss), option


def test_every_activation_runs() -> None:
    for name in ACTIVATIONS.options:
        experiment = Experiment(layers=(Hidden(3, name, 0.1),))
        session = session_of(experiment, data_of(experiment))
        assert np.isfinite(session.epoch().training_loss), name
