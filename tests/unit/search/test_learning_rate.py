"""The range test: real steps, and a choice that can be checked."""

import json
import math
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, ShapeError
from thalweg.figures.range_test import data_of, plot, range_test
from thalweg.formulas.optimizers import optimizer as optimizer_named
from thalweg.search.learning_rate import choice, conclusion, smoothed
from thalweg.search.range_test import ExponentialGrowth, end_of, repeated_order

generator = np.random.default_rng(0)
X = generator.normal(size=(150, 4))
Y = np.sin(X @ [1.0, -2.0, 0.5, 0.0])
LAYERS = [tw.Dense(16, "tanh"), tw.Dense(1)]


def found(**options: Any) -> tw.RangeTest:
    given: dict[str, Any] = {"steps": 100, **options}
    return tw.find_learning_rate(LAYERS, X, Y, **given)


# The steps ----------------------------------------------------------------------------


def test_the_rate_grows_by_the_same_factor_from_the_lowest_to_the_highest() -> None:
    rates = found(lowest=1e-5, highest=1e-3).learning_rates
    assert rates[0] == pytest.approx(1e-5)
    assert rates[-1] == pytest.approx(1e-3)
    factors = np.divide(rates[1:], rates[:-1])
    np.testing.assert_allclose(factors, factors[0])


def test_the_losses_are_those_of_the_same_steps_in_fit() -> None:
    """A run of fit with the same schedule has the same mean loss in each epoch."""
    growth = ExponentialGrowth(1e-5, 0.01)
    options: dict[str, Any] = {
        "lowest": 1e-5,
        "highest": 0.01,
        "steps": 60,
        "starts": 1,
    }
    test = tw.find_learning_rate(LAYERS, X, Y, batch_size=50, **options)
    network = tw.Network(LAYERS)
    history = network.fit(
        *(X, Y),
        optimizer=tw.Adam(growth),
        batch_size=50,
        epochs=20,
        validation=None,
        early_stopping=None,
    )
    by_epoch = np.reshape(test.losses, (20, 3)).mean(axis=1)
    np.testing.assert_allclose(by_epoch, history.training_loss, rtol=1e-6)


def test_the_interpreter_gives_the_same_losses() -> None:
    one, other = found(highest=0.1), found(highest=0.1, engine="interpreter")
    np.testing.assert_allclose(one.losses, other.losses, rtol=1e-4)
    assert one.chosen == pytest.approx(other.chosen, rel=0.2)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_test(threads: int) -> None:
    assert found(threads=threads) == found()
    assert found(seed=1).losses != found().losses


def test_a_network_is_where_the_test_starts_and_is_left_as_it_is() -> None:
    network = tw.Network(LAYERS)
    network.fit(X, Y, epochs=30)
    before = network.parameters
    test = tw.find_learning_rate(network, X, Y, steps=100)
    assert np.mean(test.losses[:5]) < 0.5 * np.mean(found().losses[:5])
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(array, before[name])


def test_weights_count_as_in_training() -> None:
    """Rows of weight 0 might as well not be there."""
    weights = (np.arange(150) < 75).astype(float)
    test = found(sample_weight=weights, highest=0.01)
    spoiled = tw.find_learning_rate(
        *(LAYERS, X, np.where(weights > 0, Y, 1e3)),
        steps=100,
        highest=0.01,
        sample_weight=weights,
    )
    np.testing.assert_allclose(test.losses, spoiled.losses, rtol=1e-5)


def test_every_row_is_taken_before_one_is_taken_again() -> None:
    order = repeated_order(10, 25, seed=3)
    assert sorted(order[:10]) == sorted(order[10:20]) == list(range(10))
    assert list(order[:10]) != list(order[10:20])
    assert len(set(order[20:])) == 5


# The end ------------------------------------------------------------------------------


def test_the_end_is_the_first_bad_loss_whenever_one_looks() -> None:
    calm = [1.0, 1.1, 0.9] * 5
    assert end_of(np.array(calm)) == 15
    assert end_of(np.array([*calm, math.nan, 1.0])) == 15
    assert end_of(np.array([*calm, math.inf])) == 15
    assert end_of(np.array([*calm, 50.0, 1.0, 50.0])) == 18  # peaks of single steps
    risen = np.array([*calm, *[5.0] * 30])
    end = end_of(risen)
    assert 15 < end < 27
    assert end_of(risen[: end + 1]) == end
    assert end_of(risen[:end]) == end


def test_a_loss_that_blows_up_ends_the_test() -> None:
    test = found(optimizer="sgd", highest=1e4)
    assert "blew up at learning rate" in test.ended
    assert len(test.losses) < 100
    assert np.isfinite(test.losses).all()
    assert len(test.losses) == len(test.learning_rates) == len(test.smoothed)


# The choice ---------------------------------------------------------------------------


def test_smoothing_starts_without_a_pull_to_zero() -> None:
    assert smoothed([3.0] * 40) == pytest.approx([3.0] * 40)
    weights = np.array([0.9**2, 0.9, 1.0]) / (0.9**2 + 0.9 + 1)
    assert smoothed([1.0, 5.0, 2.0])[-1] == pytest.approx(weights @ [1, 5, 2])


def test_the_choice_is_where_nine_tenths_of_the_fall_are_over() -> None:
    rates = np.geomspace(1e-4, 1e-1, 31).tolist()
    curve = np.concatenate([np.full(10, 2.0), np.linspace(2, 1, 11), np.full(10, 1.0)])
    assert choice(rates, curve.tolist(), curve.tolist()) == float(f"{rates[19]:.2g}")
    risen = [*curve.tolist()[:-3], 1.5, 3.0, 9.0]
    assert choice(rates, risen, risen) == float(f"{rates[19]:.2g}")


def test_the_loss_must_fall() -> None:
    noise = generator.normal(size=len(X))
    with pytest.raises(ArgumentError, match="must find the loss falling"):
        tw.find_learning_rate(LAYERS, X, noise, highest=1e-5)
    rates = np.geomspace(1e-4, 1, 60).tolist()
    with pytest.raises(ArgumentError, match=r"blew up at learning rate 0\.0001"):
        conclusion(rates, [math.inf] * 60, {})


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_training_at_the_chosen_rate_beats_rates_far_below_and_above(optimizer) -> None:
    chosen = found(optimizer=optimizer, steps=200).chosen
    losses = []
    for rate in (chosen / 100, chosen, chosen * 100):
        rule = optimizer_named(optimizer)
        network = tw.Network(LAYERS)
        try:
            network.fit(X, Y, optimizer=type(rule)(rate), epochs=40)
            losses.append(min(network.history.validation_loss))
        except tw.DivergenceError:
            losses.append(math.inf)
    assert losses[1] < 0.7 * losses[0]
    assert losses[1] < 0.7 * losses[2]


# What can't be used -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lowest": 0}, "lowest must be a number greater than 0"),
        ({"lowest": 1, "highest": 0.1}, "highest must be greater than lowest"),
        ({"steps": 10}, "steps must be a whole number, 50 or more"),
        ({"starts": 0}, "starts must be a whole number, 1 or more"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"optimizer": "adm"}, "did you mean 'adam'?"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"clip_norm": 0}, "clip_norm must be"),
    ],
)
def test_arguments_are_refused_with_what_they_must_be(options, said: str) -> None:
    with pytest.raises(ArgumentError) as error:
        found(**options)
    assert said in str(error.value)


def test_a_network_of_another_shape_is_refused() -> None:
    network = tw.Network(LAYERS).initialize(3)
    with pytest.raises(ShapeError, match=r"\(rows, 3\)"):
        tw.find_learning_rate(network, X, Y)


def test_the_largest_seed_can_be_used() -> None:
    assert found(seed=2**32 - 1, highest=0.1).chosen > 0


# The picture --------------------------------------------------------------------------


def test_the_picture_shows_the_numbers_and_the_json_holds_them(tmp_path) -> None:
    test = found()
    path = range_test(test, tmp_path / "rates.png", "Title", source="a", command="b")
    assert path.read_bytes().startswith(b"\x89PNG")
    record = json.loads((tmp_path / "rates.json").read_text("utf-8"))
    assert record["losses"] == test.losses
    assert record["smoothed"] == test.smoothed
    assert record["chosen"] == test.chosen
    assert (record["command"], record["source"]) == ("b", "a")


def test_raw_and_smoothed_loss_and_the_choice_are_drawn_on_a_log_axis() -> None:
    test = found()
    (axes,) = plot(data_of(test, "Title", "")).axes
    lines: list[Any] = list(axes.lines)
    raw, smooth, chosen = lines
    assert axes.get_xscale() == "log"
    assert list(raw.get_ydata()) == test.losses
    assert list(smooth.get_ydata()) == test.smoothed
    assert list(chosen.get_xdata()) == [test.chosen] * 2
    assert chosen.get_gid() == "chosen"
    low, high = axes.get_ylim()
    assert low < min(test.smoothed) < test.smoothed[0] < high


def test_a_picture_must_be_a_png(tmp_path) -> None:
    with pytest.raises(ArgumentError, match=r"\.png"):
        range_test(found(), tmp_path / "rates.pdf")
