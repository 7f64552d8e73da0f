"""What the figures of sequences claim: numbers of real runs, held against others."""

from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from support.small_figures import SMALL, data_of
from thalweg.figures import (
    attention_map,
    context,
    free_running,
    language_models,
    lstm_gates,
    positions,
    unrolled_network,
    vanishing_gradients,
)
from thalweg.figures.examples import bikers, example, shakespeare
from thalweg.figures.languages import parts, surprises
from thalweg.formulas.positions import rotated
from thalweg.language.ngrams import NGrams

# The text and the series -------------------------------------------------------------


def test_windows_of_a_text_lie_side_by_side_and_know_what_follows():
    text = shakespeare()
    rows = text.windows(50)
    assert str(text).startswith("First Citizen:\nBefore we proceed")
    assert rows.X.shape == rows.y.shape == (199993 // 50, 50)
    np.testing.assert_array_equal(rows.X.ravel()[1:], rows.y.ravel()[:-1])
    assert str(text.part(6, 13)) == "Citizen"
    np.testing.assert_array_equal(text.encoded("Citizen"), text.numbers[6:13])


def test_the_series_is_whole():
    counts, source = bikers()
    assert counts.shape == (3326,)
    assert counts[:3].tolist() == [1, 13, 61]
    assert "bikes.csv" in source


def test_what_figures_read_is_installed_with_them():
    cmake = Path(__file__).parents[3] / "engine" / "python" / "CMakeLists.txt"
    installed = cmake.read_text("utf-8").partition("install(FILES")[2]
    for name in ("shakespeare.txt", "bikes.csv", "README.md"):  # it names the licenses
        assert f"/{name}" in installed
        assert example(name).is_file() or name == "README.md"


def test_an_example_that_isnt_there_is_an_error():
    with pytest.raises(tw.FileError, match="no such example"):
        example("nothing.txt")


# Recurrence --------------------------------------------------------------------------


def test_each_state_follows_from_the_letter_and_the_state_before():
    data = data_of("unrolled_network")
    assert data.predicted == data.following
    assert data.title.startswith("The same letter i, then t and z")
    states, U = np.array(data.states), np.array(data.recurrent)
    z = np.arctanh(np.clip(states, -0.995, 0.995))
    first, second = (i for i, letter in enumerate(data.letters) if letter == "i")
    # The letter is the same, so that only the states before tell the two apart.
    difference = (states[first - 1] - states[second - 1]) @ U
    assert (np.sign(z[first] - z[second]) == np.sign(difference))[
        np.abs(z[first] - z[second]) > 0.5
    ].all()


def test_the_title_of_the_unrolled_network_claims_only_what_was_learned():
    assert "knows" not in unrolled_network.title_of("citizen", "itizee")
    assert "knows" not in unrolled_network.title_of("abc", "bc")


def test_gradients_through_time_equal_powers_of_the_matrix_and_slopes():
    settings = SMALL["vanishing_gradients"]
    data = data_of("vanishing_gradients")
    readout = np.random.default_rng(0).normal(size=settings.units)
    readout /= np.linalg.norm(readout)
    for radius, reach in zip(settings.radii, data.reaches, strict=False):
        U = vanishing_gradients.recurrent(settings.units, radius, 0)
        assert np.abs(np.linalg.eigvals(U)).max() == pytest.approx(radius)
        for back, norm in zip(data.back, reach.norms, strict=True):
            power = np.linalg.matrix_power(U, back)
            assert norm == pytest.approx(np.linalg.norm(power @ readout))


def test_clipping_bounds_each_step():
    plain, clipped = data_of("vanishing_gradients").descents
    assert max(clipped.norms) <= 0.3 + 1e-3 < max(plain.norms)
    assert len(clipped.bits) == SMALL["vanishing_gradients"].steps


@pytest.mark.parametrize(
    ("value", "text"), [(1e9, "10⁹"), (1e-15, "10⁻¹⁵"), (1, "1"), (10, "10")]
)
def test_powers_of_ten_are_written_as_in_books(value, text):
    assert vanishing_gradients.power_of_ten(value) == text


# Gates, attention, positions ----------------------------------------------------------


def test_the_units_shown_tell_their_characters_best_of_all():
    settings = SMALL["lstm_gates"]
    data, learner = data_of("lstm_gates"), settings.learner
    _, unseen = parts(learner.characters)
    network = learner.learned()
    rows = unseen.windows(learner.times)
    gates = network.gates(rows.X, 2)
    is_end = np.isin(rows.X, unseen.encoded(" \n"))
    line = unseen.part(settings.start, settings.start + learner.times)
    here = network.gates(line.numbers[np.newaxis], 2)
    assert data.characters == str(line)
    for gate, units in data.gates.items():
        difference = gates[gate][is_end].mean(0) - gates[gate][~is_end].mean(0)
        number = int(np.abs(difference).argmax())
        assert units[0].number == number + 1
        assert units[0].there - units[0].elsewhere == pytest.approx(
            difference[number], abs=2e-4
        )
        np.testing.assert_allclose(units[0].values, here[gate][0, :, number], atol=1e-4)


def test_the_title_about_gates_claims_only_what_was_measured():
    unit = lstm_gates.Unit("ends of words", 1, 0.5, 0.8, [])
    assert "forgets" not in lstm_gates.title_of(unit)


def test_each_row_of_an_attention_map_adds_up_to_one_and_sees_nothing_later():
    data = data_of("attention_map")
    for head in data.heads:
        weights = np.array(head.weights)
        assert weights.shape == (13, 13)
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-3)
        assert not np.triu(weights, 1).any()
        assert 0 <= head.on_spaces <= 1


def test_what_a_head_looks_at_is_counted_in_characters():
    previous = np.zeros((2, 4, 4))
    previous[:, [0, 1, 2, 3], [0, 0, 1, 2]] = 1
    spaces = np.array([[True, False, False, False]] * 2)
    head = attention_map.head_of(0, previous, spaces, previous[0])
    assert (head.number, head.back, head.on_spaces) == (1, 0.75, 0.5)


def test_positions_are_those_of_the_layers():
    data, learner = data_of("positions"), SMALL["positions"].learner
    sine, learned, rotary = data.kinds
    i, t = 3, 5
    wave = np.cos(t / 10_000 ** ((i - 1) / learner.units))
    assert sine.table[t][i] == pytest.approx(wave, abs=1e-4)
    assert np.shape(learned.table) == (learner.times, learner.units)
    for kind in data.kinds:
        assert kind.alike[data.time] == pytest.approx(1)
    # Turned queries and keys of ones agree as the angles between them say.
    size = learner.units // learner.heads
    turned = np.asarray(rotated(np.tile([1.0, 0.0], (learner.times, size // 2))))
    products = turned @ turned[data.time] / (size // 2)
    np.testing.assert_allclose(rotary.alike, products, atol=1e-4)


def test_the_title_about_positions_claims_only_what_was_measured():
    flat = positions.Kind("learned", "feature", [], [1.0] * 64)
    assert "alike" not in positions.title_of([flat], 32)


# Language ----------------------------------------------------------------------------


def test_what_is_unseen_is_not_learned_from():
    text = shakespeare()
    seen, unseen = parts(1000)
    assert (len(seen), len(unseen)) == (1000, 20_000)
    assert str(text).endswith(str(unseen))
    assert str(text).index(str(seen)) == len(text) - 41_000


def test_language_models_are_judged_by_the_unseen_part():
    settings = SMALL["language_models"]
    data = data_of("language_models")
    seen, unseen = parts(settings.characters)
    for order, each in zip(settings.orders, data.counted, strict=True):
        grams = NGrams(seen.numbers, len(seen.alphabet), order)
        assert each.bits == grams.surprise(unseen.numbers, order).mean()
        assert each.seconds == 1  # by the clock of the tests
    for learner, each in zip(settings.learners, data.learned, strict=True):
        assert each.seconds == [1, 2]
        network = learner.learned()
        bits = surprises(network, unseen, learner.times).mean()
        assert each.bits[-1] == pytest.approx(bits, rel=1e-5)


def test_the_title_says_whether_a_network_beat_counting():
    counted = [language_models.Counted("5-gram", 9, 1.0, 2.5)]
    better = language_models.Learned("LSTM", 9, [1.0, 2.0], [3.0, 2.4])
    worse = language_models.Learned("RNN", 9, [1.0, 2.0], [3.0, 2.6])
    assert "better" in language_models.title_of(counted, [better, worse])
    assert "hard to beat" in language_models.title_of(counted, [worse])


def test_bits_at_each_place_are_means_over_windows():
    settings = SMALL["context"]
    data = data_of("context")
    learner = settings.learners[0]
    _, unseen = parts(learner.characters)
    bits = surprises(learner.learned(), unseen, learner.times)
    np.testing.assert_allclose(data.known[0].bits, bits.mean(0), atol=1e-3)
    assert data.seen == list(range(1, learner.times + 1))


def test_the_title_about_context_claims_only_what_was_measured():
    flat = context.Known("LSTM", [3.0] * 64)
    assert "help most" not in context.title_of([flat])


def test_a_temperature_sharpens_or_flattens_without_changing_the_order():
    cold, same, hot = (s.probabilities for s in data_of("temperature").samples)
    assert cold[0] > same[0] > hot[0]
    for p in (cold, same, hot):
        assert p == sorted(p, reverse=True)
    assert {len(s.written) for s in data_of("temperature").samples} == {12}


def test_texts_follow_from_the_seed_and_the_temperature():
    settings, data = SMALL["temperature"], data_of("temperature")
    network = settings.learner.learned()
    start = shakespeare().encoded(settings.start)
    for each in data.samples:
        numbers = network.generate(start, 12, temperature=each.temperature, seed=0)
        assert list(shakespeare().encoded(each.written)) == list(numbers)


def test_fed_with_predictions_a_network_never_sees_the_truth_to_come():
    data = data_of("free_running")
    assert data.forced_error[0] == data.free_error[0]
    network = tw.Network([tw.RNN(2), tw.Dense(1)]).initialize((9, 1))
    X = np.random.default_rng(0).normal(size=(3, 9, 1))
    free = free_running.free_run(network, X[:, :4], 6)
    assert free.shape == (3, 6)
    for time in range(4, 9):
        X[:, time, 0] = free[:, time - 4]
    np.testing.assert_allclose(free, network.predict(X)[:, 3:, 0], rtol=1e-6)
