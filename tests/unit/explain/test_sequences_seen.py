"""Attention weights and gates against the layers' own results, and formulas by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, NotFittedError, ShapeError

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(3, 7, 4))


def made(*layers: tw.Layer) -> tw.Network:
    """A network for the rows, in which no bias is zero."""
    network = tw.Network(list(layers)).initialize((7, 4), seed=1, dtype="float64")
    network.set_parameters(
        {
            name: a + RANDOM.normal(size=a.shape)
            for name, a in network.parameters.items()
        }
    )
    return network


# Attention ----------------------------------------------------------------------------


@pytest.mark.parametrize("positions", [None, "rotary"])
@pytest.mark.parametrize("causal", [False, True])
def test_values_weighed_so_are_what_attention_gives(
    causal: bool, positions: str | None
) -> None:
    network = made(tw.Attention(2, causal, positions=positions, bias=True))
    weights = network.attention_weights(ROWS, 1)
    assert weights.shape == (3, 2, 7, 7)
    np.testing.assert_allclose(weights.sum(-1), 1)
    assert (not np.triu(weights, 1).any()) == causal
    p = {name[2:]: array for name, array in network.parameters.items()}
    values = ROWS @ p["value_weights"] + p["value_bias"]
    heads = weights @ values.reshape(3, 7, 2, 2).transpose(0, 2, 1, 3)
    joined = heads.transpose(0, 2, 1, 3).reshape(3, 7, 4)
    by_hand = joined @ p["output_weights"] + p["output_bias"]
    np.testing.assert_allclose(network.predict(ROWS), by_hand)


def test_attention_in_a_block_is_given_what_the_layers_before_make() -> None:
    block = tw.TransformerBlock(2, 8, causal=True, norm="rms")
    network = made(tw.Dense(4, "tanh"), block, block)
    for number in (2, 3):
        inner = tw.Network([tw.RMSNorm(), tw.Attention(2, causal=True)])
        inner.initialize((7, 4), dtype="float64")
        inner.set_parameters(
            {
                short: network.parameters[f"{number}.1.{short}"]
                for short in inner.parameters
            }
        )
        given = network.feature_maps(ROWS, number - 1)
        expected = inner.attention_weights(given, 2)
        found = network.attention_weights(ROWS, number)
        np.testing.assert_allclose(found, expected)
        by_place = network.attention_weights(ROWS, f"{number}.1.2")
        np.testing.assert_array_equal(by_place, found)


def test_of_several_in_a_layer_the_place_tells_which() -> None:
    two = tw.Parallel([tw.Attention(1), tw.Attention(2)])
    network = made(two)
    with pytest.raises(ArgumentError, match=r"got 2; .* at: 1\.1\.1, 1\.2\.1"):
        network.attention_weights(ROWS, 1)
    assert network.attention_weights(ROWS, "1.1").shape == (3, 1, 7, 7)
    assert network.attention_weights(ROWS, "1.2.1").shape == (3, 2, 7, 7)


@pytest.mark.parametrize("layer", [0, 3, 1.5, True, None])
def test_a_layer_that_isnt_there_is_an_error(layer: Any) -> None:
    network = made(tw.Attention(2), tw.Dense(2))
    with pytest.raises(ArgumentError, match="a number from 1 to 2"):
        network.attention_weights(ROWS, layer)


@pytest.mark.parametrize("layer", ["", "2", "1.1", "query_weights", "1."])
def test_a_place_without_attention_is_an_error(layer: str) -> None:
    network = made(tw.Attention(2), tw.Dense(2))
    with pytest.raises(ArgumentError, match=r"hold one Attention, got 0; .* at: 1$"):
        network.attention_weights(ROWS, layer)


def test_rows_of_another_shape_and_no_parameters_are_errors() -> None:
    network = made(tw.Attention(2))
    with pytest.raises(ShapeError, match="as in training"):
        network.attention_weights(ROWS[:, :, 1:], 1)
    with pytest.raises(NotFittedError):
        tw.Network([tw.Attention(1)]).attention_weights(ROWS, 1)


# Gates --------------------------------------------------------------------------------


def shifted(h: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The states before each time."""
    return np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1)


def lstm_by(gates: Any) -> np.ndarray[Any, Any]:
    """h of each time as the gates would have it."""
    c, h = np.zeros_like(gates["i"][:, 0]), []
    for t in range(gates["i"].shape[1]):
        c = gates["f"][:, t] * c + gates["i"][:, t] * gates["g"][:, t]
        h.append(gates["o"][:, t] * np.tanh(c))
    return np.stack(h, axis=1)


def test_the_gates_of_an_lstm_make_its_states() -> None:
    network = made(tw.Dense(4, "tanh"), tw.LSTM(5))
    gates = network.gates(ROWS, 2)
    assert list(gates) == ["i", "f", "g", "o"]
    np.testing.assert_allclose(lstm_by(gates), network.predict(ROWS))


def test_the_gates_of_a_gru_make_its_states() -> None:
    network = made(tw.GRU(5))
    gates, h = network.gates(ROWS, 1), network.predict(ROWS)
    r, z, n = gates.values()
    assert list(gates) == ["r", "z", "n"]
    np.testing.assert_allclose((1 - z) * n + z * shifted(h), h)
    assert 0 < r.min() < r.max() < 1


def test_gates_go_the_way_that_the_cell_goes() -> None:
    network = made(tw.Recurrent(tw.LSTM(3), reverse=True))
    gates = network.gates(ROWS, 1)
    turned = {name: array[:, ::-1] for name, array in gates.items()}
    np.testing.assert_allclose(lstm_by(turned)[:, ::-1], network.predict(ROWS))


def test_both_directions_have_gates() -> None:
    network = made(tw.Residual([tw.Bidirectional(tw.LSTM(2))]))
    gates = network.gates(ROWS, 1)
    assert len(gates) == 8
    ahead = {name[-1]: a for name, a in gates.items() if name.startswith("forward")}
    back = {name[-1]: a[:, ::-1] for name, a in gates.items() if name[0] == "b"}
    both = np.concatenate([lstm_by(ahead), lstm_by(back)[:, ::-1]], axis=-1)
    np.testing.assert_allclose(both + ROWS, network.predict(ROWS))


def test_a_cell_without_gates_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="known of an LSTM or GRU, got RNN"):
        made(tw.RNN(3)).gates(ROWS, 1)
    with pytest.raises(ArgumentError, match=r"recurrent layer, got 0; .* nowhere"):
        made(tw.Dense(3)).gates(ROWS, 1)


# Times --------------------------------------------------------------------------------


def test_rows_may_have_other_lengths_than_in_training() -> None:
    network = made(tw.Attention(2, causal=True, positions="rotary"), tw.LSTM(3))
    weights, gates = network.attention_weights(ROWS, 1), network.gates(ROWS, 2)
    short = network.attention_weights(ROWS[:, :4], 1)
    np.testing.assert_allclose(short, weights[:, :, :4, :4])
    for gate, values in network.gates(ROWS[:, :4], 2).items():
        np.testing.assert_allclose(values, gates[gate][:, :4])


def test_learned_positions_have_as_many_times_as_in_training() -> None:
    network = made(tw.Positions(), tw.Attention(2))
    with pytest.raises(ShapeError):
        network.attention_weights(ROWS[:, :4], 2)
