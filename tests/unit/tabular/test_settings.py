"""Settings: what can't be used is refused when they are made, with a name."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from thalweg.errors import ArgumentError
from thalweg.formulas.optimizers import OPTIMIZERS, Adam, AdamW
from thalweg.formulas.penalties import L1, L2
from thalweg.kinds.regimen import SCHEDULES
from thalweg.tabular.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("activation", "reul"),
        ("loss", "hubber"),
        ("optimizer", "adm"),
        ("schedule", "cosin"),
        ("layers", (8, 0)),
        ("layers", (2.5,)),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("batch_size", 0),
        ("batch_size", "most"),
        ("epochs", 0),
        ("dropout", 1.0),
        ("l1", -1.0),
        ("l2", float("inf")),
        ("weight_decay", 0.1),
        ("clip_norm", 0.0),
        ("patience", 0),
        ("min_delta", -1e-9),
        ("validation", 0.0),
        ("test", 1.0),
        ("seed", -1),
        ("seed", 2**32),
        ("seed", 1.5),
        ("seed", float("nan")),
        ("ignore", ("a", 5)),
        ("weights", 5),
        ("task", 5),
    ],
)
def test_what_cant_be_used_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ArgumentError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_a_misspelled_setting_gets_the_nearest(each: Any) -> None:
    with pytest.raises(ArgumentError, match=f"did you mean '{each.name}'"):
        Settings.by_name({each.name + "x": 1})


def test_lists_are_taken_as_tuples() -> None:
    assert Settings.by_name({"layers": [4, 2]}).layers == (4, 2)
    assert Settings.by_name({"ignore": ["a"]}).ignore == ("a",)


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 5000])
@pytest.mark.parametrize("size", [None, 1, 32, 100_000, "all"])
def test_every_schedule_fits_every_batch_size(
    rows: int, size: int | str | None
) -> None:
    for name in SCHEDULES:
        rule = Settings(schedule=name, batch_size=size, learning_rate=0.1).rule(rows)
        schedule: Any = rule.learning_rate
        steps = 200 * -(-rows // (rows if size in (None, "all") else int(size or 1)))
        rates = [schedule.learning_rate(step, steps, []) for step in (0, steps - 1)]
        assert np.isfinite(rates).all()
        assert max(rates) <= 0.1 * (1 + 1e-9)
        assert min(rates) >= 0


def test_batches_grow_with_the_table() -> None:
    sizes = [Settings().rows_a_step(rows) for rows in (100, 1999, 2000, 10**6)]
    assert sizes == [32, 32, 128, 128]
    assert Settings(batch_size=7).rows_a_step(10**6) == 7


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rule_is_the_one_that_was_named(name: str) -> None:
    rule = Settings(optimizer=name).rule(100)
    assert type(rule) is OPTIMIZERS[name]


def test_weight_decay_reaches_the_rules_that_have_it() -> None:
    rule = Settings(optimizer="adamw", weight_decay=0.125).rule(100)
    assert isinstance(rule, AdamW)
    assert rule.weight_decay == 0.125
    default = Settings(optimizer="adamw").rule(100)
    assert isinstance(default, AdamW)
    assert default.weight_decay == AdamW().weight_decay
    assert type(Settings().rule(100)) is Adam


def test_penalties_add_up() -> None:
    w = np.array([1.0, -2.0])
    both = Settings(l1=0.5, l2=0.25).penalty()
    assert both is not None
    assert float(both(w)) == pytest.approx(float(L1(0.5)(w)) + float(L2(0.25)(w)))
    assert Settings().penalty() is None


def test_settings_survive_json() -> None:
    chosen = Settings(layers=(3,), ignore=("a",), loss="huber", batch_size="all")
    assert Settings.by_name(chosen.to_dict()) == chosen
