from typing import Any

import pytest

from thalweg.checks import (
    look_up,
    require_fraction,
    require_positive,
    require_whole,
)
from thalweg.errors import ArgumentError
from thalweg.formulas.activations import activation
from thalweg.formulas.initializers import initializer
from thalweg.formulas.layers import Dropout
from thalweg.formulas.losses import Loss, huber
from thalweg.formulas.optimizers import optimizer


@pytest.mark.parametrize(
    ("resolve", "wrong", "right"),
    [
        (activation, "Relu", "relu"),
        (activation, "sigmiod", "sigmoid"),
        (Loss.of, "crossentropy", "cross_entropy"),
        (optimizer, "AdamW", "adamw"),
        (initializer, "he_unifrm", "he_uniform"),
    ],
)
def test_a_misspelled_name_gets_the_nearest(
    resolve: Any, wrong: str, right: str
) -> None:
    with pytest.raises(ArgumentError, match=f"{wrong}.*did you mean '{right}'"):
        resolve(wrong)


def test_a_name_far_from_all_gets_the_list() -> None:
    with pytest.raises(ArgumentError, match="no thing 'xyzzy'; there are left, right"):
        look_up("thing", "xyzzy", {"left": 1, "right": 2})


@pytest.mark.parametrize("given", [3, None, ["left"]])
def test_what_is_no_text_gets_the_list(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"no thing .*; there are left, right"):
        look_up("thing", given, {"left": 1, "right": 2})


@pytest.mark.parametrize("resolve", [activation, Loss.of, optimizer, initializer])
def test_what_is_no_name_is_refused_with_what_was_got(resolve: Any) -> None:
    with pytest.raises(ArgumentError, match=r"must be .*, got 3\.5"):
        resolve(3.5)


def test_a_parameter_that_a_loss_does_not_have_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"parameter of huber 'delt'.*'delta'"):
        huber.with_parameters(delt=2.0)


@pytest.mark.parametrize("value", [-0.1, 1.0, 1.5, float("nan"), "0.5", None, True])
def test_a_fraction_is_from_0_to_below_1(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"rate must be in \[0, 1\), got"):
        require_fraction("rate", value)


@pytest.mark.parametrize("value", [0, -1.0, float("inf"), float("nan"), "1", None])
def test_a_positive_number_is_finite_and_above_0(value: Any) -> None:
    with pytest.raises(ArgumentError, match="rate must be a number greater than 0"):
        require_positive("rate", value)


@pytest.mark.parametrize("value", [0, 2.0, True, "3"])
def test_a_count_is_whole(value: Any) -> None:
    with pytest.raises(ArgumentError, match="units must be a whole number, 1 or more"):
        require_whole("units", value, least=1)


def test_the_message_names_what_was_got() -> None:
    with pytest.raises(ArgumentError, match=r"^rate must be in \[0, 1\), got 1\.5$"):
        Dropout(1.5)
