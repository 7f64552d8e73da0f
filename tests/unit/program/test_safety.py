"""Formulas as the textbook prints them, at logits of ±1000 in float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, log_softmax, logsumexp, softmax

from thalweg.backends.numpy.calls import compile, gradient, value_and_gradient
from thalweg.program import ops
from thalweg.program.types import NumpyArray

Formula = Callable[..., Any]

LOGITS = np.array(
    [
        [1000, 0, -1000],
        [-1000, 1000, 1000],
        [0, 0, 0],
        [-1000, -1000, -1000],
        [88, -88, 100],
        [3, -2, 0.5],
    ],
    np.float32,
)
LABELS = np.array([2, 0, 1, 1, 1, 0])
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
EXACT: Any = LOGITS.astype(np.float64)


# Multinomial: Σ y log softmax(z) -----------------------------------------------------


def softmax_keepdims(z: Any) -> Any:
    return ops.exp(z) / ops.sum(ops.exp(z), axis=1, keepdims=True)


def softmax_of_one_exp(z: Any) -> Any:
    e = ops.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def softmax_new_axis(z: Any) -> Any:
    e = ops.exp(z)
    return e / ops.sum(e, axis=1)[:, None]


def softmax_reshaped(z: Any) -> Any:
    e = ops.exp(z)
    return e / ops.reshape(ops.sum(e, axis=1), (-1, 1))


def softmax_of_columns(z: Any) -> Any:
    e = ops.exp(z.T)
    return (e / ops.sum(e, axis=0)).T


def softmax_of_groups(z: Any) -> Any:
    return softmax_keepdims(z.reshape(2, -1, 3).reshape(-1, 3).T.T)


def softmax_of_a_reshaped_vector(z: Any) -> Any:
    grouped = ops.exp(ops.reshape(z, (2, 3, 3)))
    return ops.reshape(grouped / ops.sum(grouped, axis=-1, keepdims=True), (6, 3))


def softmax_shifted_by_hand(z: Any) -> Any:
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


SOFTMAXES = [
    softmax_keepdims,
    softmax_of_one_exp,
    softmax_new_axis,
    softmax_reshaped,
    softmax_of_columns,
    softmax_of_groups,
    softmax_of_a_reshaped_vector,
    softmax_shifted_by_hand,
]


def by_one_hot(p: Any, y: Any) -> Any:
    return -ops.sum(y * ops.log(p))


def by_keyword(p: Any, y: Any) -> Any:
    return -(y * np.log(p)).sum(axis=1).sum()


def by_weighted_mean(p: Any, y: Any) -> Any:
    return ops.mean(ops.sum(-y * ops.log(p), axis=-1)) * len(LABELS)


def by_slicing(p: Any, _: Any) -> Any:
    rows = [-ops.log(p[i, int(label)]) for i, label in enumerate(LABELS)]
    return sum(rows[1:], rows[0])


def by_slicing_columns(p: Any, y: Any) -> Any:
    return -sum((y[:, k] * ops.log(p[:, k])).sum() for k in range(3))


def by_taking_from_the_flat(p: Any, _: Any) -> Any:
    places = np.arange(len(LABELS)) * 3 + LABELS
    return -ops.sum(ops.log(ops.take(ops.reshape(p, -1), places)))


def by_log_before_taking(p: Any, _: Any) -> Any:
    places = np.arange(len(LABELS)) * 3 + LABELS
    return -ops.sum(ops.take(ops.reshape(ops.log(p), -1), places))


def by_traced_one_hot(p: Any, _: Any) -> Any:
    return -ops.sum(ops.one_hot(LABELS, 3, "float32") * ops.log(p))


LIKELIHOODS = [
    by_one_hot,
    by_keyword,
    by_weighted_mean,
    by_slicing,
    by_slicing_columns,
    by_taking_from_the_flat,
    by_log_before_taking,
    by_traced_one_hot,
]


def in_float32(formula: Formula, *arrays: NumpyArray) -> tuple[Any, Any]:
    """Value and gradient by the first array; NaN and infinity raise no warnings."""
    value, slope = value_and_gradient(formula)(*arrays)
    assert np.asarray(value).dtype.itemsize <= 8
    assert slope.dtype == np.float32
    return value, slope


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("probabilities", SOFTMAXES)
def test_cross_entropy(probabilities: Formula, likelihood: Formula) -> None:
    value, slope = in_float32(
        lambda z, y: likelihood(probabilities(z), y), LOGITS, ONE_HOT
    )
    assert_allclose(value, -np.sum(ONE_HOT * log_softmax(EXACT, axis=1)), 1e-6)
    assert_allclose(slope, softmax(EXACT, axis=1) - ONE_HOT, 1e-6, 1e-6)


def test_cross_entropy_of_one_row() -> None:
    def loss(z: Any) -> Any:
        p = ops.exp(z) / ops.sum(ops.exp(z))
        return -ops.log(p[1])

    value, slope = in_float32(loss, LOGITS[0])
    assert value == 1000
    assert_allclose(slope, [1, -1, 0])


def test_cross_entropy_by_log_sum_exp() -> None:
    def loss(z: Any, y: Any) -> Any:
        return ops.sum(ops.log(ops.sum(ops.exp(z), axis=1)) - ops.sum(y * z, axis=1))

    value, slope = in_float32(loss, LOGITS, ONE_HOT)
    normalizers: Any = logsumexp(EXACT, axis=1)
    assert_allclose(value, np.sum(normalizers - EXACT[ONE_HOT > 0]), 1e-6)
    assert_allclose(slope, softmax(EXACT, axis=1) - ONE_HOT, 1e-6, 1e-6)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_log_sum_exp_over_any_axis(axis: Any) -> None:
    value, slope = in_float32(
        lambda z: ops.sum(ops.log(ops.sum(ops.exp(z), axis=axis))), LOGITS
    )
    normalizers: Any = logsumexp(EXACT, axis=axis)
    assert_allclose(value, np.sum(normalizers), 1e-6)
    assert_allclose(slope, softmax(EXACT, axis=axis), 1e-6, 1e-6)


@pytest.mark.parametrize("probabilities", SOFTMAXES)
def test_softmax_and_its_gradient(probabilities: Formula) -> None:
    weights = np.array([1.0, 2.0, 4.0], np.float32)
    value, slope = in_float32(lambda z: ops.sum(probabilities(z) * weights), LOGITS)
    p = softmax(EXACT, axis=1)
    mean = np.sum(p * weights, axis=1, keepdims=True)
    assert_allclose(value, mean.sum(), 1e-6)
    assert_allclose(slope, p * (weights - mean), 1e-6, 1e-6)


def test_softmax_of_one_class_is_1() -> None:
    value = compile(softmax_keepdims)(LOGITS[:, :1])
    assert_allclose(value, np.ones((6, 1)))


def test_softmax_over_all_axes_and_of_a_vector() -> None:
    def of_all(z: Any) -> Any:
        return ops.exp(z) / ops.sum(ops.exp(z))

    for z in (LOGITS, LOGITS[0], LOGITS[1]):
        expected = softmax(z.astype(np.float64))
        assert_allclose(compile(of_all)(z), expected, 1e-6)


def test_smoothed_labels() -> None:
    smooth = 0.9 * ONE_HOT + 0.1 / 3
    value, slope = in_float32(
        lambda z: by_one_hot(softmax_keepdims(z), smooth.astype("f4")), LOGITS
    )
    assert_allclose(value, -np.sum(smooth * log_softmax(EXACT, axis=1)), 1e-6)
    assert_allclose(slope, softmax(EXACT, axis=1) - smooth, 1e-6, 1e-6)


def test_entropy_of_a_softmax() -> None:
    def entropy(z: Any) -> Any:
        p = softmax_keepdims(z)
        return -ops.sum(p * ops.log(p))

    value, slope = in_float32(entropy, LOGITS)
    p: Any = softmax(EXACT, axis=1)
    log_p: Any = log_softmax(EXACT, axis=1)
    each = -np.sum(p * log_p, axis=1, keepdims=True)
    assert_allclose(value, each.sum(), 1e-6)
    assert_allclose(slope, -p * (log_p + each), 1e-5, 1e-6)


# Binary: y log σ(z) + (1 − y) log(1 − σ(z)) ------------------------------------------

Z = np.array([1000, -1000, 1000, -1000, 0, 20, -20, 100, -100, 0.5], np.float32)
Y = np.array([1, 0, 0, 1, 1, 0, 1, 1, 1, 0], np.float32)
SIGMOIDS: dict[str, Formula] = {
    "1/(1+exp(-z))": lambda z: 1 / (1 + ops.exp(-z)),
    "1/(exp(-z)+1)": lambda z: 1.0 / (np.exp(-z) + 1.0),
    "exp(z)/(1+exp(z))": lambda z: ops.exp(z) / (1 + ops.exp(z)),
    "exp(z)/(exp(z)+1)": lambda z: ops.exp(z) / (ops.exp(z) + 1),
    "1-1/(1+exp(z))": lambda z: 1 - 1 / (1 + ops.exp(z)),
    "(1+exp(-z))**-1": lambda z: (1 + ops.exp(-z)) ** -1,
    "logistic": ops.logistic,
}
ENTROPIES: dict[str, Formula] = {
    "sum": lambda p, y: -ops.sum(y * ops.log(p) + (1 - y) * ops.log(1 - p)),
    "signs": lambda p, y: ops.sum(-y * ops.log(p) - (1 - y) * ops.log(1 - p)),
    "where": lambda p, y: -ops.sum(ops.log(ops.where(y == 1, p, 1 - p))),
    "where of logs": lambda p, y: (
        -ops.sum(ops.where(y == 1, ops.log(p), ops.log(1 - p)))
    ),
    "xlogy": lambda p, y: -ops.sum(ops.xlogy(y, p) + ops.xlogy(1 - y, 1 - p)),
}


@pytest.mark.parametrize("entropy", ENTROPIES)
@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_binary_cross_entropy(sigmoid: str, entropy: str) -> None:
    value, slope = in_float32(
        lambda z, y: ENTROPIES[entropy](SIGMOIDS[sigmoid](z), y), Z, Y
    )
    z = Z.astype(np.float64)
    assert_allclose(value, np.sum(np.logaddexp(0, np.where(Y == 1, -z, z))), 1e-6)
    assert_allclose(slope, expit(z) - Y, 1e-6, 1e-6)


@pytest.mark.parametrize(
    "column",
    [
        lambda p: p[:, 0],
        lambda p: p.reshape(-1),
        lambda p: p[..., 0],
        lambda p: p[:, 0][:, None].sum(axis=1),
    ],
)
def test_binary_cross_entropy_of_one_column(column: Formula) -> None:
    def loss(z: Any) -> Any:
        p = column(1 / (1 + ops.exp(-z)))
        return -ops.sum(Y * ops.log(p) + (1 - Y) * ops.log(1 - p))

    value, slope = in_float32(loss, Z[:, None])
    z = Z.astype(np.float64)
    assert_allclose(value, np.sum(np.logaddexp(0, np.where(Y == 1, -z, z))), 1e-6)
    assert_allclose(slope[:, 0], expit(z) - Y, 1e-6, 1e-6)


@pytest.mark.parametrize("sigmoid", SIGMOIDS.values(), ids=list(SIGMOIDS))
def test_sigmoid_and_its_gradient(sigmoid: Formula) -> None:
    z = Z.astype(np.float64)
    value, slope = compile(sigmoid)(Z), gradient(sigmoid)(Z)
    assert_allclose(value, expit(z), 1e-6, 1e-38)
    assert_allclose(slope, expit(z) * expit(-z), 1e-6, 1e-7)


@pytest.mark.parametrize(
    "softplus",
    [
        lambda z: ops.log(1 + ops.exp(z)),
        lambda z: ops.log1p(ops.exp(z)),
        lambda z: np.log(np.exp(z) + 1),
        lambda z: -ops.log(1 / (1 + ops.exp(z))),
        lambda z: z + ops.log(1 + ops.exp(-z)),
    ],
)
def test_softplus_and_its_gradient(softplus: Formula) -> None:
    value, slope = compile(softplus)(Z), gradient(softplus)(Z)
    z = Z.astype(np.float64)
    assert_allclose(value, np.logaddexp(0, z), 1e-6, 1e-6)
    assert_allclose(slope, expit(z), 1e-6, 1e-6)


def test_hyperbolic_tangent_by_exponentials() -> None:
    def tanh(z: Any) -> Any:
        return (ops.exp(z) - ops.exp(-z)) / (ops.exp(z) + ops.exp(-z))

    z = Z.astype(np.float64)
    assert_allclose(compile(tanh)(Z), np.tanh(z), 1e-6)
    assert_allclose(
        gradient(tanh)(Z), 1 / np.cosh(np.clip(z, -300, 300)) ** 2, 1e-6, 1e-6
    )


SMALL = np.array([1e-10, -1e-12, 0.0, 1e-20], np.float32)


def test_digits_near_0_are_kept() -> None:
    exact = SMALL.astype(np.float64)
    assert_allclose(compile(lambda x: ops.log(1 + x))(SMALL), np.log1p(exact), 1e-6)
    assert_allclose(compile(lambda x: ops.exp(x) - 1)(SMALL), np.expm1(exact), 1e-6)


# Derivatives at the edge of a domain -------------------------------------------------


def test_entropy_of_a_certain_event_has_a_derivative() -> None:
    assert gradient(ops.xlogy, (0, 1))(0.0, 0.0) == (0.0, 0.0)
    assert gradient(ops.xlogy, (0, 1))(2.0, 4.0) == (pytest.approx(1.3862944), 0.5)


BRANCHES: list[tuple[Formula, list[float]]] = [
    (lambda x: ops.log(ops.where(x > 0, x, 1.0)), [0.0, 0.0, 0.5]),
    (lambda x: ops.sqrt(ops.where(x > 0, x, 1.0)), [0.0, 0.0, 0.5 / np.sqrt(2)]),
    (lambda x: 1 / ops.where(x == 0, 1.0, x), [-1.0, 0.0, -0.25]),
    (lambda x: ops.where(x > 0, ops.log(x), 0.0), [0.0, 0.0, 0.5]),
    (lambda x: ops.where(x > 0, ops.sqrt(x), x), [1.0, 1.0, 0.5 / np.sqrt(2)]),
    (lambda x: ops.where(x == 0, 3.0, 1 / x), [-1.0, 0.0, -0.25]),
    (lambda x: ops.where(x > 1, x, ops.exp(1000 * (x - 3))), [0.0, 0.0, 1.0]),
]


@pytest.mark.parametrize(("formula", "expected"), BRANCHES)
def test_a_branch_that_is_not_taken_gives_no_nan(
    formula: Formula, expected: list[float]
) -> None:
    assert_allclose(gradient(formula)(np.array([-1.0, 0.0, 2.0])), expected, 1e-12)


def test_power_at_0() -> None:
    slopes = gradient(lambda x, y: x**y, (0, 1))(np.zeros(3), np.array([1.0, 2.0, 3.0]))
    assert_allclose(slopes[0], [1.0, 0.0, 0.0])
    assert_allclose(slopes[1], [0.0, 0.0, 0.0])
