"""What the figures of sequences claim: numbers of real runs, held against others."""

import numpy as np
import pytest

import thalweg as tw
from support.small_figures import SMALL, data_of
from thalweg.figures import unrolled_network, vanishing_gradients
from thalweg.figures.examples import bikers, example, shakespeare

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
